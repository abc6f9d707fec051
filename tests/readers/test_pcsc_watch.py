"""The watching thread while readers come and go on USB, which no pcscd does without USB: a script stands in for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Self

import pytest

from ipo_sim.readers import pcsc_watch
from ipo_sim.readers.pcsc_binding import COUNT_SHIFT, PNP, STATE_EMPTY, STATE_PRESENT, STATE_UNAVAILABLE, State
from ipo_sim.readers.pcsc_errors import Code, PcscError
from ipo_sim.readers.pcsc_watch import Ended, Missing, Report, Seen, Watch
from tests.readers.pcsc_bench import until


class Scripted:
    """A context in which one step after the other happens: what each `wait` is answered, and the readers after it."""

    def __init__(self, readers: list[str], steps: Iterable[tuple[Sequence[State] | Code, list[str]]]) -> None:
        self._readers = readers
        self._steps = iter(steps)
        self._cancelled = threading.Event()
        self.waited: list[Sequence[State]] = []

    def __call__(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def readers(self) -> list[str]:
        return list(self._readers)

    def wait(self, known: Sequence[State], timeout_ms: int = 0) -> Sequence[State]:
        self.waited.append(tuple(known))
        step = next(self._steps, None)
        if step is None:
            self._cancelled.wait()
            raise PcscError(Code.CANCELLED)
        answer, self._readers = step
        if isinstance(answer, Code):
            raise PcscError(answer)
        return answer

    def cancel(self) -> None:
        self._cancelled.set()


def empty(name: str) -> State:
    return State(name, STATE_EMPTY)


def listed(count: int) -> State:
    return State(PNP, count << COUNT_SHIFT)


async def reports(monkeypatch: pytest.MonkeyPatch, context: Scripted, count: int, pattern: str = "ACS") -> list[Report]:
    """What a watch says in that context, until it has said so much."""
    monkeypatch.setattr(pcsc_watch, "Context", context)
    told: list[Report] = []
    watch = Watch(pattern, told.append)
    watch.start()
    await until(lambda: len(told) >= count)
    await watch.stop()
    return told


async def test_a_reader_that_is_plugged_in_is_found_and_unplugged_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Scripted(
        [],
        [
            ([listed(1)], ["ACS 00 00"]),
            ([empty("ACS 00 00")], ["ACS 00 00"]),
            ([listed(0)], []),
            ([listed(1)], ["ACS 00 01"]),
            ([State("ACS 00 01", STATE_PRESENT)], ["ACS 00 01"]),
        ],
    )
    missing = "no PC/SC reader is there, let alone one that fits 'ACS'"
    assert await reports(monkeypatch, context, 5) == [
        Missing(missing),
        Seen(empty("ACS 00 00")),
        Missing("ACS 00 00 is gone"),
        Missing(missing),
        Seen(State("ACS 00 01", STATE_PRESENT)),
    ]
    assert context.waited[0] == (listed(0),)
    assert context.waited[1] == (State("ACS 00 00", 0), listed(1))


async def test_a_reader_that_goes_before_the_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Scripted(["ACS 00 00"], [([empty("ACS 00 00")], ["ACS 00 00"]), (Code.UNKNOWN_READER, ["Other"])])
    assert await reports(monkeypatch, context, 3) == [
        Seen(empty("ACS 00 00")),
        Missing("ACS 00 00 is gone"),
        Missing("no PC/SC reader fits 'ACS'; there are: Other"),
    ]


async def test_other_readers_come_and_go_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ACS 01 00"
    context = Scripted(
        [name],
        [
            ([empty(name)], [name]),
            ([listed(2)], [name, "ACS 00 00"]),
            ([listed(1)], [name]),
            ([State(name, STATE_PRESENT)], [name]),
        ],
    )
    assert await reports(monkeypatch, context, 2) == [Seen(empty(name)), Seen(State(name, STATE_PRESENT))]
    assert context.waited[2] == (empty(name), listed(2))


async def test_a_reader_that_does_not_answer_is_missing_whatever_else_its_bits_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "ACS 00 00"
    context = Scripted([name], [([State(name, STATE_UNAVAILABLE | STATE_PRESENT)], [name]), ([empty(name)], [name])])
    assert await reports(monkeypatch, context, 2) == [Missing(f"{name} does not answer"), Seen(empty(name))]


async def test_a_state_that_says_nothing_yet_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ACS 00 00"
    context = Scripted([name], [([State(name, 0x10000)], [name]), ([empty(name)], [name])])
    assert await reports(monkeypatch, context, 1) == [Seen(empty(name))]


async def test_a_service_that_goes_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Scripted(["ACS 00 00"], [(Code.NO_SERVICE, [])])
    (told,) = await reports(monkeypatch, context, 1)
    assert isinstance(told, Ended)
    assert isinstance(told.error, PcscError)
    assert told.error.result == Code.NO_SERVICE
