"""Talking with a card without a transport: a conversation yields command APDUs and is sent the responses.

Any transport drives it: PC/SC, a PN532, a recording, a test. Bytes yielded are a whole command APDU, bytes sent in are
the response with its status word. Commands of class FF are the reader's own (PC/SC part 3): GET DATA `FF CA 00 00 00`
for the UID, READ BINARY `FF B0` and UPDATE BINARY `FF D6` of memory cards and tags. A transport without them answers
`6E 00`. A transport that fails throws its own error, and the conversation ends with that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

from ipo_sim.card.apdu import CommandApdu, ResponseApdu
from ipo_sim.card.unreadable import no_access

T = TypeVar("T")

Conversation = Generator[bytes, bytes, T]

# An extended answer of 64 KiB in pieces of 256 bytes would need 256; nothing that we ask for has more than 4 KiB.
MAX_PIECES = 32

MORE_DATA = 0x61
WRONG_LENGTH = 0x6C
_GET_RESPONSE = 0xC0
_LOGICAL_CHANNEL = 0x03
_FIRST_PROPRIETARY = 0x80
GSM_CLASS = 0xA0


def exchange(command: CommandApdu) -> Conversation[ResponseApdu]:
    """The whole answer to a command: 6Cxx is asked again with the right Le, 61xx is fetched to its end.

    CardUnreadable when an answer is no response, or does not end.
    """
    data = b""
    for _ in range(MAX_PIECES):
        response = ResponseApdu.from_bytes((yield command.to_bytes()))
        sw1, sw2 = divmod(response.sw, 0x100)
        if sw1 == WRONG_LENGTH:
            command = command._replace(le=sw2 or 0x100)
            continue
        data += response.data
        if sw1 != MORE_DATA:
            return ResponseApdu(data, response.sw)
        command = CommandApdu(_interindustry(command.cla), _GET_RESPONSE, le=sw2 or 0x100)
    raise no_access(f"the card does not end its answer after {MAX_PIECES} pieces")


def converse(conversation: Conversation[T], transmit: Callable[[bytes], bytes]) -> T:
    """Drive a conversation to its end over a transport that waits for each response."""
    try:
        command = next(conversation)
        while True:
            command = conversation.send(transmit(command))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return] # a generator's value is T, which StopIteration does not say
    finally:
        conversation.close()


async def converse_async(conversation: Conversation[T], transmit: Callable[[bytes], Awaitable[bytes]]) -> T:
    """As `converse`, over a transport that is awaited."""
    try:
        command = next(conversation)
        while True:
            command = conversation.send(await transmit(command))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return] # a generator's value is T, which StopIteration does not say
    finally:
        conversation.close()


def _interindustry(cla: int) -> int:
    """The class of GET RESPONSE: that of SIM cards is A0, others take 00 with the logical channel kept."""
    if cla < _FIRST_PROPRIETARY:
        return cla & _LOGICAL_CHANNEL
    return cla if cla == GSM_CLASS else 0
