"""Ordinary cards, of which an identity can be read: keys, passes, subscriber's cards, tags."""

from __future__ import annotations

from typing import ClassVar

from tests.card.emulated_cards import (
    END_OF_FILE,
    NO_SUCH_CLASS,
    NO_SUCH_COMMAND,
    NOT_ALLOWED,
    NOT_FOUND,
    OK,
    EmulatedCard,
    H,
    Type2Tag,
    data_of,
    le_of,
    tlv,
)


class OrdinaryCard(EmulatedCard):
    """A card with a number of its own."""

    IDENTITY: ClassVar[str]
    ATR: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.ATR)


class OpenPgpCard(OrdinaryCard):
    """An OpenPGP card 3.4 by manufacturer 0006."""

    AID = H("D2760001240103040006123456780000")
    IDENTITY = "openpgp:000612345678"

    ATR = "3BDA18FF81B1FE751F030031F573C001600090001C"

    def answer(self, command: bytes) -> bytes:
        if command[1] == 0xA4:
            is_ours = command[2] == 4 and data_of(command) != b"" and self.AID.startswith(data_of(command))
            self.selected = self.AID if is_ours else None
            return OK if self.selected else NOT_FOUND
        if command[:4] == H("00CA004F") and self.selected:
            return self.AID + OK
        return NO_SUCH_COMMAND


class PivCard(OrdinaryCard):
    """A PIV card with its CHUID."""

    GUID = bytes(range(0x41, 0x51))
    IDENTITY = f"piv:{GUID.hex().upper()}"

    ATR = "3BFD1300008131FE158073C021C057597562694B657940"

    def answer(self, command: bytes) -> bytes:
        if command[1] == 0xA4:
            self.selected = data_of(command) if data_of(command).startswith(H("A000000308")) else None
            return H("61114F0600001000010079074F05A000000308") + OK if self.selected else NOT_FOUND
        if command[:4] == H("00CB3FFF") and self.selected and data_of(command) == H("5C035FC102"):
            chuid = H("3019") + bytes(25) + tlv(0x34, self.GUID) + tlv(0x35, b"20301231") + H("3E00FE00")
            return tlv(0x53, chuid) + OK
        return NO_SUCH_COMMAND


class CplcCard(OrdinaryCard):
    """A Java card with nothing but its issuer's security domain."""

    IDENTITY = "cplc:479051688199001234560987"

    ATR = "3BDC18FF8191FE1FC38073C821136605036351000250"

    def answer(self, command: bytes) -> bytes:
        if command[1] == 0xA4:
            default = command[2] == 4 and not data_of(command)
            return H("6F108408A000000151000000A5049F6501FF") + OK if default else NOT_FOUND
        if command[:4] == H("80CA9F7F"):
            return H("9F7F2A47905168479123483B008199001234560987") + bytes(24) + OK
        return NO_SUCH_COMMAND


class GdoCard(OrdinaryCard):
    """A card of the health or signature kind with EF.GDO under its master file."""

    IDENTITY = "gdo:80276001234567890123"

    ATR = "3B02534D"

    def answer(self, command: bytes) -> bytes:
        if command[:2] == H("00A4"):
            name = data_of(command)
            self.selected = name if command[2] != 4 and name in (H("3F00"), H("2F02")) else None
            return OK if self.selected else NOT_FOUND
        if command[:2] == H("00B0"):
            return H("5A0A80276001234567890123") + END_OF_FILE if self.selected == H("2F02") else NOT_ALLOWED
        return NO_SUCH_COMMAND


class SimCard(EmulatedCard):
    """A subscriber's card; a SIM of old knows class A0 alone."""

    IDENTITY = "iccid:89490240567890123456"
    ATRS: ClassVar = {
        0x00: "3B9F95801FC78031E073FE211B63E205A10E83078299",
        0xA0: "3B9F95801FC78031E073FE211B63F1053A830782130C",
    }

    def __init__(self, cla: int = 0) -> None:
        super().__init__(self.ATRS[cla])
        self.cla = cla

    def answer(self, command: bytes) -> bytes:
        cla, ins = command[:2]
        if cla != self.cla:
            return NO_SUCH_CLASS
        if ins == 0xA4:
            name = data_of(command)
            if command[2] == 4 or name not in (H("3F00"), H("2FE2")):
                return NOT_FOUND
            self.selected = name
            return H("9F16") if self.cla else H("6110")
        if ins == 0xC0:
            return bytes(command[4]) + OK
        if ins == 0xB0 and self.selected == H("2FE2"):
            return H("98942004658709214365") + OK if le_of(command) == 10 else H("6C0A")
        return NO_SUCH_COMMAND


class PlainTag(Type2Tag):
    """A contactless card that holds nothing of ours, and has a UID."""

    IDENTITY = "uid:04A1B2C3D4E580"

    def __init__(self, uid: bytes = Type2Tag.UID) -> None:
        super().__init__(b"", uid)
