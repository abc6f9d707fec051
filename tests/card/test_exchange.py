"""Conversations: whatever a card answers, they end, in a reading or in a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.card.apdu import MAX_LE, CommandApdu, ResponseApdu
from ipo_sim.card.exchange import MAX_PIECES, converse, converse_async, exchange
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.core.model import KeyReason

READ = CommandApdu(0, 0xB0, le=MAX_LE)


def answers(*responses: str) -> tuple[Callable[[bytes], bytes], list[str]]:
    """A card that gives these responses, and what it is asked."""
    asked: list[str] = []
    left: Iterator[str] = iter(responses)

    def transmit(command: bytes) -> bytes:
        asked.append(command.hex().upper())
        return bytes.fromhex(next(left))

    return transmit, asked


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (CommandApdu(0, 0xA4, 4, 0, b"\xf0\x46", le=256), "00A4040002F04600"),
        (CommandApdu(0, 0xA4, 4, 0, le=256), "00A4040000"),
        (CommandApdu(0, 0xA4, 0, 12, b"\x3f\x00"), "00A4000C023F00"),
        (CommandApdu(0, 0xB0, 0x81, 0, le=5), "00B0810005"),
        (CommandApdu(0x80, 0x50), "80500000"),
    ],
)
def test_the_four_cases_of_a_command(command: CommandApdu, text: str) -> None:
    assert command.to_bytes().hex().upper() == text


@pytest.mark.parametrize("command", [CommandApdu(0, 1, data=bytes(256)), CommandApdu(0, 1, le=257)])
def test_what_no_short_command_carries(command: CommandApdu) -> None:
    with pytest.raises(ValueError, match="no short APDU"):
        command.to_bytes()


def test_a_wrong_length_is_asked_again() -> None:
    transmit, asked = answers("6C03", "0102039000")
    assert converse(exchange(READ), transmit) == ResponseApdu(b"\1\2\3", 0x9000)
    assert asked == ["00B0000000", "00B0000003"]


def test_pieces_are_fetched() -> None:
    transmit, asked = answers("6102", "01026101", "039000")
    assert converse(exchange(READ), transmit) == ResponseApdu(b"\1\2\3", 0x9000)
    assert asked == ["00B0000000", "00C0000002", "00C0000001"]


@pytest.mark.parametrize(("cla", "fetch"), [(0x00, "00"), (0x02, "02"), (0x80, "00"), (0xA0, "A0"), (0x0C, "00")])
def test_the_class_of_get_response(cla: int, fetch: str) -> None:
    transmit, asked = answers("6100", "9000")
    converse(exchange(CommandApdu(cla, 0xCA)), transmit)
    assert asked[1] == f"{fetch}C0000000"


def test_the_end_of_a_file_is_no_failure() -> None:
    transmit, _ = answers("01026282")
    response = converse(exchange(READ), transmit)
    assert response.ok
    assert response.data == b"\1\2"


@pytest.mark.parametrize("endless", ["6110", "6C10", "0161FF"])
def test_an_answer_without_end_is_given_up(endless: str) -> None:
    count = 0

    def transmit(command: bytes) -> bytes:
        nonlocal count
        count += 1
        return bytes.fromhex(endless)

    with pytest.raises(CardUnreadable, match="does not end") as caught:
        converse(exchange(READ), transmit)
    assert caught.value.reason is KeyReason.NO_REGISTER_ACCESS
    assert count == MAX_PIECES


@pytest.mark.parametrize("response", [b"", b"\x90", bytes(0x1_0003)])
def test_what_is_no_response(response: bytes) -> None:
    with pytest.raises(CardUnreadable, match="no response") as caught:
        converse(exchange(READ), lambda _: response)
    assert caught.value.reason is KeyReason.NO_REGISTER_ACCESS


def test_a_transport_that_fails_ends_the_conversation() -> None:
    def broken(command: bytes) -> bytes:
        raise OSError("card pulled out")

    conversation = exchange(READ)
    with pytest.raises(OSError, match="pulled out"):
        converse(conversation, broken)
    assert next(conversation, None) is None


async def test_a_transport_that_is_awaited() -> None:
    transmit, asked = answers("6101", "079000")

    async def awaited(command: bytes) -> bytes:
        return transmit(command)

    assert await converse_async(exchange(READ), awaited) == ResponseApdu(b"\7", 0x9000)
    assert len(asked) == 2


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b"\x61\x05", b"\x6c\x05", b"\x62\x82"]))))
def test_any_responses_end(responses: list[bytes]) -> None:
    left = iter(responses)
    try:
        response = converse(exchange(READ), lambda _: next(left, b"\x90\x00"))
    except CardUnreadable as error:
        assert error.reason is KeyReason.NO_REGISTER_ACCESS  # noqa: PT017 - either end is right
    else:
        assert response.sw >> 8 not in (0x61, 0x6C)
