"""What a reader wants of a PN532: who it is, which card lies on it and whether it still does, APDUs to and from it."""

from __future__ import annotations

from ipo_sim.card import pn532_commands as chip
from ipo_sim.card.pn532_commands import Pn532Error, Target
from ipo_sim.errors import ReaderError
from ipo_sim.readers.pn532_link import Pn532Link

# The longest frame waiting time of ISO/IEC 14443-4 is 4.9 s; the chip waits that long by itself.
CARD_S = 5.5

_READER_CLASS = 0xFF
_GET_UID = bytes.fromhex("FFCA0000")
_READ_BINARY = bytes.fromhex("FFB0")
_UPDATE_BINARY = bytes.fromhex("FFD6")
_HEADER = 4
_PAGE_UPDATE = _HEADER + 1 + chip.TYPE_2_PAGE_BYTES
_OK, _REFUSED, _NOT_HERE = bytes.fromhex("9000"), bytes.fromhex("6300"), bytes.fromhex("6E00")
_STATUS_WORD = 2


class CardSilent(Exception):  # noqa: N818 - nothing is wrong with the reader
    """The card does not answer (any more); most often it is on its way out."""


class Pn532Chip:
    """A chip on a link that is open."""

    def __init__(self, link: Pn532Link) -> None:
        self._link = link

    async def set_up(self) -> chip.Firmware:
        """Make it ready to look for cards; ReaderError when it is none, or does not answer."""
        await self._call(chip.NORMAL_MODE)
        try:
            firmware = chip.firmware_of(await self._call(chip.FIRMWARE))
        except Pn532Error as error:
            raise ReaderError(f"the chip is no PN532: {error}") from None
        if firmware.ic != chip.IC:
            raise ReaderError(f"the chip is no PN532: it says {firmware}")
        await self._call(chip.FEW_ATTEMPTS)
        return firmware

    async def find(self) -> Target | None:
        """The card on the antenna, activated anew; None: none."""
        await self._call(chip.RELEASE_ALL)
        try:
            return chip.target_of(await self._call(chip.FIND_TYPE_A))
        except Pn532Error as error:
            raise ReaderError(f"the chip answers wrongly: {error}") from None

    async def is_there(self, target: Target) -> bool:
        """Whether an activated card answers; one that cannot be asked does not."""
        if target.is_iso_dep:
            answer = await self._call(chip.PRESENCE, CARD_S)
            return answer == b"\x00"
        if target.is_type_2:
            status, _, _ = await self._exchange(bytes((chip.TYPE_2_READ, 0)))
            return status == 0
        return False

    async def transmit(self, target: Target, command: bytes) -> bytes:
        """The response to a command APDU; those of class FF are answered as PC/SC readers do. CardSilent: none came."""
        if command[:1] == bytes((_READER_CLASS,)):
            return await self._reader_command(target, command)
        if not target.is_iso_dep:
            return _NOT_HERE
        response = await self._apdu(command)
        if len(response) < _STATUS_WORD:
            raise CardSilent("the card answers without a status word")
        return response

    async def _reader_command(self, target: Target, command: bytes) -> bytes:
        if command.startswith(_GET_UID):
            return target.uid + _OK
        if command.startswith(_READ_BINARY) and target.is_type_2 and len(command) == _HEADER + 1:
            return await self._read_pages(command[3], command[4] or 0x100)
        if command.startswith(_UPDATE_BINARY) and target.is_type_2 and len(command) == _PAGE_UPDATE:
            status, _, _ = await self._exchange(bytes((chip.TYPE_2_WRITE, command[3])) + command[_HEADER + 1 :])
            return _REFUSED if status else _OK
        return _NOT_HERE

    async def _read_pages(self, page: int, size: int) -> bytes:
        status, _, data = await self._exchange(bytes((chip.TYPE_2_READ, page)))
        if status or len(data) != chip.TYPE_2_READ_BYTES:
            return _REFUSED
        return data[:size] + _OK

    async def _apdu(self, command: bytes) -> bytes:
        """In as many pieces as it takes, there and back."""
        pieces = [command[at : at + chip.MAX_EXCHANGE] for at in range(0, len(command), chip.MAX_EXCHANGE)]
        for piece in pieces[:-1]:
            await self._piece(piece, more=True)
        data, more = await self._piece(pieces[-1])
        response = data
        while more and data:
            data, more = await self._piece(b"")
            response += data
        return response

    async def _piece(self, data: bytes, *, more: bool = False) -> tuple[bytes, bool]:
        status, follows, answer = await self._exchange(data, more=more)
        if status:
            raise CardSilent(chip.status_text(status))
        return answer, follows

    async def _exchange(self, data: bytes, *, more: bool = False) -> tuple[int, bool, bytes]:
        try:
            return chip.exchanged(await self._call(chip.exchange(data, more=more), CARD_S))
        except Pn532Error as error:
            raise ReaderError(f"the chip answers wrongly: {error}") from None

    async def _call(self, command: bytes, answer_s: float | None = None) -> bytes:
        return await self._link.call(command, answer_s)
