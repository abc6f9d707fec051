"""Ways to the card in a reader: command by command through PC/SC or a PN532, or as a serial reader tells it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from ipo_sim.cli.card.link import CardLink
from ipo_sim.cli.card.place import Place, Way
from ipo_sim.cli.failure import UsageError
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, FeatureKeyUnreadable, ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers.pcsc_binding import STATE_EMPTY, STATE_MUTE, STATE_PRESENT, Context, State
from ipo_sim.readers.pcsc_choice import matching, none_fits
from ipo_sim.runtime.log import configure

T = TypeVar("T")


class Slot(NamedTuple):
    """A PC/SC reader, and whether there is a card in it. `mute`: there is one that does not answer a reset."""

    name: str
    occupied: bool
    mute: bool


def slots() -> list[Slot]:
    """All PC/SC readers by name; ReaderError when pcscd cannot be asked."""
    with Context() as context:
        return list(_slots(context, context.readers()))


def with_card(place: Place, timeout_s: float, work: Callable[[CardLink], T]) -> tuple[Place, T]:
    """Do something with the card in the reader that is meant, and say which reader it was.

    ReaderError: there is no such reader, no card, or the card does not answer in time. UsageError: there are several.
    """
    if place.way is Way.PN532:
        from ipo_sim.cli.card.antenna import with_tag  # noqa: PLC0415 - who has PC/SC does not pay for it

        return place, _in_time(lambda: with_tag(place.address, work), timeout_s)
    return _in_time(lambda: _through_pcsc(place.address, work), timeout_s)


def _through_pcsc(pattern: str, work: Callable[[CardLink], T]) -> tuple[Place, T]:
    with Context() as context:
        names = context.readers()
        name = _choose(pattern, list(_slots(context, matching(pattern, names))), names)
        with context.connect(name) as card:
            return Place(Way.PCSC, name), work(card)


def serial_fact(port: str, timeout_s: float) -> Fact:
    """The first thing that a serial reader says of its card; ReaderError when it says nothing."""
    # What goes wrong is raised; standard output is for what was asked.
    configure(level="error")
    return asyncio.run(_first_fact(port, timeout_s))


async def _first_fact(port: str, timeout_s: float) -> Fact:
    from ipo_sim.readers.serial_line import SerialReader  # noqa: PLC0415 - who has PC/SC does not pay for it

    told: asyncio.Future[Fact] = asyncio.get_running_loop().create_future()

    def take(fact: Fact) -> None:
        if told.done():
            return
        if isinstance(fact, ReaderLost):
            told.set_exception(ReaderError(fact.error))
        elif isinstance(fact, FeatureKeyInserted | FeatureKeyUnreadable | FeatureKeyRemoved):
            told.set_result(fact)

    task = asyncio.create_task(SerialReader(port).run(take), name=f"reader {port}")
    try:
        async with asyncio.timeout(timeout_s):
            return await told
    except TimeoutError:
        raise ReaderError(f"{port} has said nothing for {timeout_s:g} s") from None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _slots(context: Context, names: Sequence[str]) -> Iterator[Slot]:
    if names:
        # A state that no reader has: every one answers at once.
        for state in context.wait([State(name, 0) for name in names], 0):
            occupied = bool(state.bits & STATE_PRESENT) and not state.bits & STATE_EMPTY
            yield Slot(state.name, occupied, bool(state.bits & STATE_MUTE))


def _choose(pattern: str, found: Sequence[Slot], names: Sequence[str]) -> str:
    occupied = [slot for slot in found if slot.occupied]
    if len(occupied) > 1:
        raise UsageError(f"there are cards in {' and '.join(slot.name for slot in occupied)}: name one by --reader")
    if not occupied:
        empty = f"no card is in {', '.join(slot.name for slot in found)}"
        raise ReaderError(empty if found else none_fits(pattern, names))
    if occupied[0].mute:
        raise ReaderError(
            f"the card in {occupied[0].name} does not answer a reset: upside down, dirty, or no chip card"
        )
    return occupied[0].name


def _in_time(work: Callable[[], T], timeout_s: float) -> T:
    """In a thread that is left behind if need be: a call of a card that hangs can be neither ended nor interrupted."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread of whoever asked
            errors.append(error)

    thread = threading.Thread(target=run, name="card", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    if not results:
        raise ReaderError(f"the card has not answered for {timeout_s:g} s")
    return results[0]
