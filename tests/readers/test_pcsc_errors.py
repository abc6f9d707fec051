"""What goes wrong below the PC/SC reader is said in words: no library, no service, no permission, and every code."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator

import pytest

from ipo_sim.card.reading import DEFAULT_POLICY
from ipo_sim.core.events import ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers import pcsc_binding
from ipo_sim.readers.pcsc import PcscReader
from ipo_sim.readers.pcsc_binding import Context, State
from ipo_sim.readers.pcsc_errors import Code, PcscError
from tests.card.emulated_cards import MuteCard
from tests.readers.links import Facts, running
from tests.readers.pcsc_bench import FULL_NAME, reading_by, service
from tests.readers.pcscd import directory


@pytest.fixture
def fresh_library() -> Iterator[None]:
    """The library is looked up in the test, and forgotten after it."""
    pcsc_binding._library.cache_clear()
    yield
    pcsc_binding._library.cache_clear()


@pytest.fixture
def no_service() -> None:
    """The place of this process's services, with none in it."""
    for left in (directory() / "run").iterdir():
        left.unlink()


async def lost(pattern: str = "x") -> ReaderLost:
    """The first thing that a reader says, which is that it is lost."""
    facts, reader = Facts(), PcscReader(pattern, read=reading_by(DEFAULT_POLICY))
    async with running(reader.run(facts.emit)):
        await facts.until_length(1)
    (fact,) = facts.take()
    assert isinstance(fact, ReaderLost)
    assert reader.last_error == fact.error
    return fact


async def test_without_the_library_it_says_what_to_install(
    fresh_library: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc_binding, "LIBRARY", "libpcsclite.so.99")
    said = (await lost()).error
    assert said.startswith("libpcsclite.so.99 is missing: `apt-get install libpcsclite1 pcscd`")


async def test_elsewhere_than_on_linux_it_says_so(fresh_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert (await lost()).error.startswith("PC/SC readers need Linux")


async def test_without_the_service_it_says_how_to_start_it(no_service: None) -> None:
    assert (await lost()).error == (
        "pcscd does not run; try `systemctl start pcscd.socket`, or `apt-get install pcscd` (0x8010001D)"
    )


async def test_where_polkit_forbids_it_says_so(fresh_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 12's pcscd does not ask polkit; a newer one answers with this code."""
    calls = dict(pcsc_binding._library(), EstablishContext=lambda *_: ctypes.c_long(0x8010006A).value)
    monkeypatch.setattr(pcsc_binding, "_library", lambda: calls)
    said = (await lost()).error
    assert said.startswith("pcscd turns us away; if it keeps to that, polkit does not let this user: a rule in ")
    assert said.endswith("(0x8010006A)")


@pytest.mark.parametrize("code", Code)
def test_results_are_known_whatever_their_sign(code: Code) -> None:
    for result in (int(code), int(code) - (1 << 32)):
        error = PcscError(result)
        assert error.result == code
        assert str(error).endswith(f"(0x{int(code):08X})")


def test_a_result_that_nobody_knows_is_told_by_its_number() -> None:
    assert str(PcscError(0x80100099)) == "PC/SC failed (0x80100099)"


def test_calls_of_the_binding_fail_by_name() -> None:
    with service(), Context() as context:
        assert context.readers() == [FULL_NAME]
        for call, code in (
            (lambda: context.connect("nobody"), Code.UNKNOWN_READER),
            (lambda: context.connect(FULL_NAME), Code.NO_SMARTCARD),
            (lambda: context.wait([State("nobody", 0)]), Code.UNKNOWN_READER),
        ):
            with pytest.raises(PcscError) as caught:
                call()
            assert caught.value.result == code
        assert context.wait([State(FULL_NAME, 0x10)], 1) == []


def test_an_answer_without_a_status_word_is_none() -> None:
    with service() as (slot, _):
        slot.insert(MuteCard())
        with Context() as context:
            assert [state.bits & 0x20 for state in context.wait([State(FULL_NAME, 0x10)])] == [0x20]
            with context.connect(FULL_NAME) as card:
                assert card.atr() == MuteCard().atr
                with pytest.raises(ReaderError, match="pulled while it answered"):
                    card.transmit(b"\0\xa4\0\0")
