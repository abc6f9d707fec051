"""What PC/SC's result codes mean, as one clear line for the user each."""

from __future__ import annotations

from enum import IntEnum

from ipo_sim.errors import ReaderError


class Code(IntEnum):
    """Results of PC/SC calls, as winscard names them."""

    CANCELLED = 0x80100002
    NO_MEMORY = 0x80100006
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    PROTO_MISMATCH = 0x8010000F
    COMM_ERROR = 0x80100013
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    NO_READERS_AVAILABLE = 0x8010002E
    UNSUPPORTED_CARD = 0x80100065
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069
    SECURITY_VIOLATION = 0x8010006A


_MEANINGS = {
    Code.UNKNOWN_READER: "the reader is gone",
    Code.SHARING_VIOLATION: "another program has the card for itself",
    Code.NO_SMARTCARD: "the card is gone",
    Code.PROTO_MISMATCH: "the card and the reader have no protocol in common",
    Code.COMM_ERROR: "the connection to pcscd broke",
    Code.NOT_TRANSACTED: "the card broke off",
    Code.READER_UNAVAILABLE: "the reader does not answer",
    Code.NO_SERVICE: "pcscd does not run; try `systemctl start pcscd.socket`, or `apt-get install pcscd`",
    Code.SERVICE_STOPPED: "pcscd has stopped",
    Code.UNSUPPORTED_CARD: "the reader cannot work with this card",
    Code.UNRESPONSIVE_CARD: "the card does not answer a reset: upside down, dirty, or no chip card",
    Code.UNPOWERED_CARD: "the card gets no power: upside down, dirty, or no chip card",
    Code.RESET_CARD: "another program reset the card",
    Code.REMOVED_CARD: "the card is gone",
    # What the library makes of a pcscd that hangs up, which one that is ended in this very moment does, too.
    Code.SECURITY_VIOLATION: "pcscd turns us away; if it keeps to that, polkit does not let this user: a rule in "
    "/etc/polkit-1/rules.d must allow org.debian.pcsc-lite.access_pcsc and org.debian.pcsc-lite.access_card",
}

# The program below, not the card or the reader: only a new context helps.
SERVICE_CODES = frozenset({Code.NO_SERVICE, Code.SERVICE_STOPPED, Code.SECURITY_VIOLATION})


class PcscError(ReaderError):
    """A PC/SC call that failed; `code` is one of `Code`, or a number that this table does not have."""

    def __init__(self, result: int) -> None:
        self.result = result & 0xFFFFFFFF
        meaning = next((text for code, text in _MEANINGS.items() if code == self.result), "PC/SC failed")
        super().__init__(f"{meaning} (0x{self.result:08X})")

    @property
    def is_of_service(self) -> bool:
        """Whether it is pcscd that is missing, rather than a reader or a card."""
        return self.result in SERVICE_CODES


class CardVanishedError(ReaderError):
    """A success without a status word: what pcscd makes of a card that is pulled while it answers."""

    def __init__(self, length: int) -> None:
        super().__init__(f"the card was pulled while it answered ({length} bytes)")
