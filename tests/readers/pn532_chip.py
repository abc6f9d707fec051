"""A PN532 by NXP's user manual UM0701-02, written without the codec under test, and cards for its antenna."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from tests.card.emulated_cards import EmulatedCard, Type2Tag

H = bytes.fromhex
ACK, NACK, SYNTAX_ERROR = H("0000FF00FF00"), H("0000FFFF0000"), H("0000FF01FF7F8100")
OK, TIMEOUT, WRONG_STATE = b"\x00", b"\x01", b"\x27"
# What one frame of ISO/IEC 14443-4 can bring from a card in one piece here.
PIECE = 250


class OnAntenna(Protocol):
    """A card in the field: what anticollision tells, and what it answers once it is activated."""

    uid: bytes
    sel_res: int
    ats: bytes

    def talk(self, data: bytes) -> bytes | None:
        """The answer; None: silence."""
        ...


class ChipCard:
    """A card with APDUs. `silent_after` counts those until it does not answer any more, `silent_for` those before."""

    sel_res = 0x20

    def __init__(self, card: EmulatedCard, uid: str = "04112233445566", historical: str = "8031C06C41") -> None:
        self.card = card
        self.uid = H(uid)
        # Length, format byte with TA, TB and TC, and these.
        self.ats = bytes((5 + len(H(historical)),)) + H("78800240") + H(historical)
        self.silent_after = -1
        self.silent_for = 0

    def talk(self, data: bytes) -> bytes | None:
        if self.silent_after == 0 or self.silent_for:
            self.silent_for = max(0, self.silent_for - 1)
            return None
        self.silent_after -= 1
        return self.card.transmit(data)


class Tag:
    """A Type 2 Tag: READ gives four pages, WRITE takes one, and what it does not know it does not answer."""

    sel_res = 0x00
    ats = b""

    def __init__(self, tag: Type2Tag | None = None, uid: str = "04A1B2C3D4E580") -> None:
        self.uid = H(uid)
        self._memory = (tag or Type2Tag()).memory

    def talk(self, data: bytes) -> bytes | None:
        if len(data) < 2 or 4 * data[1] >= len(self._memory):
            return None
        if len(data) == 2 and data[0] == 0x30:
            return bytes((self._memory + self._memory)[4 * data[1] : 4 * data[1] + 16])
        if len(data) == 6 and data[0] == 0xA2:
            self._memory[4 * data[1] : 4 * data[1] + 4] = data[2:]
            return b""
        return None


class OtherTag:
    """A tag that wants to be authenticated before it is read; only its UID serves."""

    sel_res = 0x08
    ats = b""

    def __init__(self, uid: str = "A1B2C3D4") -> None:
        self.uid = H(uid)

    def talk(self, data: bytes) -> bytes | None:
        return None


class Chip:
    """The chip between `receive` and `transmit`. `commands` are all that it understood.

    Ways to misbehave: `deaf` hears nothing, `mute` says nothing, `damage` alters so many of the next answers,
    `lose` loses so many, `ic` is what it claims to be, `noise` stands before each frame.
    """

    def __init__(self, transmit: Callable[[bytes], object]) -> None:
        self.transmit = transmit
        self.card: OnAntenna | None = None
        self.commands: list[bytes] = []
        self.powered = True
        self.deaf = self.mute = False
        self.damage = self.lose = 0
        self.noise = b""
        self.ic = 0x32
        self.heard: Counter[str] = Counter()
        self._awake = self._configured = False
        self._active: OnAntenna | None = None
        self._last = b""
        self._input = b""
        self._command = self._response = b""

    def power_cycle(self) -> None:
        """Off and on: it sleeps, and knows no card."""
        self._awake = self._configured = False
        self._active = None
        self._input = self._last = self._command = self._response = b""

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if self.deaf or not self.powered:
            return
        self._awake = self._awake or b"\x55" in data
        if not self._awake:
            return
        self._input += data
        while self._take():
            pass

    def _take(self) -> bool:
        """One frame of the input; False: there is none that is whole."""
        start = self._input.find(H("00FF"))
        if start < 0:
            self._input = self._input[-1:]
            return False
        rest = self._input[start + 2 :]
        if len(rest) < 2:
            return False
        if rest[:2] in (H("00FF"), H("FF00")):
            self._input = rest[2:]
            self._signalled(rest[:2])
            return True
        skip, size = (5, rest[2] << 8 | rest[3]) if rest[:2] == H("FFFF") and len(rest) >= 5 else (2, rest[0])
        if len(rest) < skip + size + 1:
            return False
        body, self._input = rest[skip : skip + size + 1], rest[skip + size + 1 :]
        if sum(body) % 256 == 0 and body[0] == 0xD4:
            self._obey(body[1:-1])
        return True

    def _signalled(self, signal: bytes) -> None:
        self.heard["nack" if signal == H("FF00") else "ack"] += 1
        if signal == H("FF00") and self._last:
            self._send(self._last)

    def _obey(self, command: bytes) -> None:
        self.commands.append(command)
        self._send(ACK)
        answer = self._answer(command[0], command[1:])
        if answer is None:
            self._send(SYNTAX_ERROR)
            return
        body = bytes((0xD5, command[0] + 1)) + answer
        size = len(body)
        head = bytes((size, 256 - size)) if size < 255 else H("FFFF") + _with_checksum(size.to_bytes(2, "big"))
        self._last = b"\x00\x00\xff" + head + _with_checksum(body) + b"\x00"
        self._send(self._last)

    def _send(self, frame: bytes) -> None:
        if self.mute:
            return
        if self.lose:
            self.lose -= 1
            return
        if self.damage and frame != ACK:
            self.damage -= 1
            frame = frame[:-2] + bytes((frame[-2] ^ 0x10,)) + frame[-1:]
        self.transmit(self.noise + frame)

    def _answer(self, code: int, arguments: bytes) -> bytes | None:
        """What the chip answers; None: a syntax error. Beside ours, what other drivers ask at their start."""
        if code == 0x14:
            self._configured = True
            return b""
        if not self._configured and code not in (0x00, 0x02):
            return None
        if code in (0x44, 0x52, 0x54):
            self._active = None
        plain = {
            0x02: bytes((self.ic, 0x01, 0x06, 0x07)),
            0x04: H("0000000000"),
            0x06: bytes(len(arguments) // 2),
            **dict.fromkeys((0x08, 0x12, 0x32), b""),
            0x42: TIMEOUT,
            **dict.fromkeys((0x44, 0x52, 0x54), OK),
        }
        asked = {0x00: self._diagnose, 0x40: self._exchange, 0x4A: self._list}
        return asked[code](arguments) if code in asked else plain.get(code)

    def _diagnose(self, arguments: bytes) -> bytes:
        if arguments[:1] == b"\x06":
            if self._active is None or self._active.sel_res != 0x20:
                return WRONG_STATE
            return OK if self._active is self.card else TIMEOUT
        return arguments if arguments[:1] == b"\x00" else OK

    def _list(self, arguments: bytes) -> bytes:
        self._command = self._response = b""
        card = self.card if arguments[1:2] == b"\x00" else None
        self._active = card
        if card is None:
            return b"\x00"
        if isinstance(card, ChipCard):
            card.card.reset()
        uid = bytes((len(card.uid),)) + card.uid
        sens_res = b"\x00\x44" if len(card.uid) == 7 else b"\x00\x04"
        return b"\x01\x01" + sens_res + bytes((card.sel_res,)) + uid + card.ats

    def _exchange(self, arguments: bytes) -> bytes:
        card = self._active
        if card is None:
            return WRONG_STATE
        if card is not self.card:
            return TIMEOUT
        if self._response and len(arguments) == 1:
            return self._piece()
        self._command += arguments[1:]
        if arguments[0] & 0x40:
            return OK
        command, self._command = self._command, b""
        answer = card.talk(command)
        if answer is None:
            return TIMEOUT
        self._response = answer
        return self._piece()

    def _piece(self) -> bytes:
        piece, self._response = self._response[:PIECE], self._response[PIECE:]
        return (b"\x40" if self._response else OK) + piece


def _with_checksum(data: bytes) -> bytes:
    return data + bytes((-sum(data) % 256,))
