"""Short command and response APDUs of ISO/IEC 7816-3 and -4."""

from __future__ import annotations

from typing import NamedTuple, Self

from ipo_sim.card.unreadable import no_access

# What one length byte can say; Le 00 stands for 256.
MAX_DATA = 0xFF
MAX_LE = 0x100

STATUS_BYTES = 2
# What an extended APDU can carry at most: no card answers more.
MAX_RESPONSE = 0x1_0000 + STATUS_BYTES

SUCCESS = 0x9000
# The end of the file came before Le bytes: the data are good (ISO/IEC 7816-4, table 6).
END_OF_FILE = 0x6282


class CommandApdu(NamedTuple):
    """A command. `data` has at most 255 bytes; `le`: bytes wanted, 256 for all there are, None for no data."""

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = b""
    le: int | None = None

    def to_bytes(self) -> bytes:
        """The command as it is sent; ValueError when it is longer than a short APDU."""
        if len(self.data) > MAX_DATA or not 0 <= (self.le or 0) <= MAX_LE:
            raise ValueError(f"no short APDU: {self}")
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        body = bytes((len(self.data),)) + self.data if self.data else b""
        return head + body + (b"" if self.le is None else bytes((self.le % MAX_LE,)))


class ResponseApdu(NamedTuple):
    """A response: its data and its status word."""

    data: bytes
    sw: int

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Take a response apart; CardUnreadable when it has no status word: the card was pulled out in mid-command."""
        if not STATUS_BYTES <= len(raw) <= MAX_RESPONSE:
            raise no_access(f"the card answered {len(raw)} bytes, which is no response: pulled out, or not in order")
        return cls(raw[:-STATUS_BYTES], int.from_bytes(raw[-STATUS_BYTES:]))

    @property
    def ok(self) -> bool:
        """Whether the command was carried out, be it up to the end of a file."""
        return self.sw in (SUCCESS, END_OF_FILE)
