"""The IP DECT system of an entry: what is wrong with it, and as the core takes it."""

from __future__ import annotations

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config import words
from ipo_sim.config.entries import BaseEntry, DectEntry, UnitEntry
from ipo_sim.config.mistakes import Findings, Location, path_text
from ipo_sim.config.numbering import numbers_of
from ipo_sim.config.shape import Salvage
from ipo_sim.core.model import BaseDefinition, DectDefinition
from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing import address, dect_key
from ipo_sim.licensing.dect_key import DECT_KEY_LENGTH, DectKey
from ipo_sim.licensing.key import DEFAULT_SECRET


def dect_of(entry: UnitEntry, number: int, secret: bytes) -> DectDefinition | None:
    """The system of an entry's unit with that number; of base stations of which none is the ADMM the first one is it.

    The key of a unit of many is minted for it with `secret`.
    """
    if entry.dect is None:
        return None
    dect = _of_unit(entry.dect, None if entry.count is None else number)
    managed = any(base.admm for base in dect.bases)
    bases = tuple(_base(base, admm=base.admm or not (managed or index)) for index, base in enumerate(dect.bases))
    key = dect_key.recognise(dect.licence) if dect.licence is not None else None
    park = address.park(dect.park) or dect.park
    if dect.licensed_bases is not None:
        key = _minted(dect, dect.licensed_bases, secret)
    return DectDefinition(park, key.text if key is not None else "", bases, dect.violation_timer)


def _of_unit(dect: DectEntry, number: int | None) -> DectEntry:
    """The system of one unit of many; None: of the only one."""
    if number is None:
        return dect
    bases = [base.model_copy(update={"mac": words.numbered(base.mac, number)}) for base in dect.bases]
    return dect.model_copy(update={"park": words.numbered(dect.park, number), "bases": bases})


def _minted(dect: DectEntry, bases: int, secret: bytes) -> DectKey:
    """A key that the first base stations prove; LicenceFormatError when they are too few, or none can be one."""
    macs = [base.mac for base in dect.bases[: min(bases, dect_key.MAX_MACS)]]
    return dect_key.issue(park=dect.park, macs=macs, bases=bases, secret=secret)


class DectCheck:
    """Checks the sections `dect` of entries; what was taken out of the file is not judged."""

    def __init__(self, catalogue: Catalogue, findings: Findings, salvage: Salvage) -> None:
        self._catalogue = catalogue
        self._findings = findings
        self._salvage = salvage

    def check(self, entry: UnitEntry, here: Location) -> None:
        """Report what is wrong with the section at `here`."""
        if entry.dect is None:
            return
        self._check_numbering(entry.dect, here, entry.count)
        # Of many units the last one has the longest number.
        dect = _of_unit(entry.dect, None if entry.count is None else numbers_of(entry, 0)[-1])
        park = address.park(dect.park)
        if park is None:
            message = f"{dect.park!r} is not a PARK: {address.PARK_DIGITS} hexadecimal digits, not all of them 0"
            self._findings.mistake((*here, "park"), message)
        if dect.licence is not None:
            self._check_key(dect.licence, park, (*here, "licence"))
        self._check_bases(dect, (*here, "bases"))
        self._check_minted(dect, here, entry.count)
        self._check_handsets(entry, dect, here)

    def _check_numbering(self, dect: DectEntry, here: Location, count: int | None) -> None:
        bases = self._salvage.enumerate((*here, "bases"), dect.bases)
        for where, text in (((*here, "park"), dect.park), *(((*where, "mac"), base.mac) for where, base in bases)):
            if count is None and words.is_numbered(text):
                message = f"{text!r} stands for a number, and only an entry with a count numbers its units"
                self._findings.mistake(where, message)
            elif count is not None and count > 1 and not words.is_numbered(text):
                self._findings.mistake(
                    where, f"the same for {count} units: write {{n}} or {{n:04}} where the number belongs"
                )

    def _check_minted(self, dect: DectEntry, here: Location, count: int | None) -> None:
        if count is not None and count > 1 and dect.licence is not None:
            message = f"the same for {count} units: a key belongs to one system; licensed_bases mints one for each"
            self._findings.mistake((*here, "licence"), message)
        if dect.licensed_bases is None:
            return
        where = (*here, "licensed_bases")
        if count is None:
            message = (
                "a system holds a key: mint one with `ipo-sim licence dect`; only an entry with a count mints its own"
            )
            self._findings.mistake(where, message)
        elif dect.licence is not None:
            self._findings.mistake(where, "either a licence or licensed_bases, not both")
        elif not self._findings.mistakes:
            try:
                _minted(dect, dect.licensed_bases, DEFAULT_SECRET)
            except LicenceFormatError as error:
                self._findings.mistake(where, str(error))

    def _check_key(self, text: str, park: str | None, where: Location) -> None:
        key = dect_key.recognise(text)
        if key is None:
            message = (
                f"no licence key of an IP DECT system, which has {DECT_KEY_LENGTH} letters and digits: mint one with"
            )
            self._findings.mistake(where, f"{message} `ipo-sim licence dect`")
        elif park is not None and key.park != park:
            self._findings.warning(where, f"issued for PARK {key.park}: the system is inactive")

    def _check_bases(self, dect: DectEntry, here: Location) -> None:
        most = self._catalogue.dect.bases
        if len(dect.bases) > most:
            self._findings.mistake(here, f"an IP DECT system has at most {most} base stations")
        seen: dict[str, Location] = {}
        admm: Location | None = None
        for where, base in self._salvage.enumerate(here, dect.bases):
            mac = address.mac_address(base.mac)
            if mac is None:
                self._findings.mistake((*where, "mac"), f"{base.mac!r} {address.NO_STATION}")
            elif mac in seen:
                self._findings.mistake((*where, "mac"), f"the same address as {path_text(seen[mac])}")
            else:
                seen[mac] = where
            if base.admm and admm is not None:
                self._findings.mistake((*where, "admm"), f"{path_text(admm)} is the ADMM already: there is one")
            admm = where if base.admm and admm is None else admm

    def _check_handsets(self, entry: UnitEntry, dect: DectEntry, here: Location) -> None:
        limits = self._catalogue.dect
        handsets = sum(extension.kind == "dect" for extension in entry.extensions)
        admm = next((base for base in dect.bases if base.admm), dect.bases[0] if dect.bases else None)
        if handsets > limits.handsets:
            self._findings.mistake(here, f"an IP DECT system has at most {limits.handsets} handsets, not {handsets}")
        elif handsets > limits.advised_handsets and admm is not None and admm.carries_calls:
            advice = f"at most {limits.advised_handsets} are advised while the ADMM carries calls"
            self._findings.warning(here, f"{handsets} handsets: {advice}")


def _base(entry: BaseEntry, *, admm: bool) -> BaseDefinition:
    mac = address.mac_address(entry.mac) or entry.mac
    return BaseDefinition(mac, admm, entry.carries_calls, entry.reachable)
