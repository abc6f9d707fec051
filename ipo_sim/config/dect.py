"""The IP DECT system of an entry: what is wrong with it, and as the core takes it."""

from __future__ import annotations

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config.entries import BaseEntry, DectEntry, UnitEntry
from ipo_sim.config.mistakes import Findings, Location, path_text
from ipo_sim.config.shape import Salvage
from ipo_sim.core.model import BaseDefinition, DectDefinition
from ipo_sim.licensing import address, dect_key
from ipo_sim.licensing.dect_key import DECT_KEY_LENGTH


def dect_of(entry: DectEntry | None) -> DectDefinition | None:
    """The definition of an entry without mistakes; of base stations of which none is the ADMM the first one is it."""
    if entry is None:
        return None
    managed = any(base.admm for base in entry.bases)
    bases = tuple(_base(base, admm=base.admm or not (managed or index)) for index, base in enumerate(entry.bases))
    key = dect_key.recognise(entry.licence) if entry.licence is not None else None
    park = address.park(entry.park) or entry.park
    return DectDefinition(park, key.text if key is not None else "", bases, entry.violation_timer)


class DectCheck:
    """Checks the sections `dect` of entries; what was taken out of the file is not judged."""

    def __init__(self, catalogue: Catalogue, findings: Findings, salvage: Salvage) -> None:
        self._catalogue = catalogue
        self._findings = findings
        self._salvage = salvage

    def check(self, entry: UnitEntry, here: Location) -> None:
        """Report what is wrong with the section at `here`."""
        dect = entry.dect
        if dect is None:
            return
        if entry.count is not None and entry.count > 1:
            self._findings.mistake(here, f"the same for {entry.count} units: PARK and MACs belong to one system only")
        park = address.park(dect.park)
        if park is None:
            message = f"{dect.park!r} is not a PARK: {address.PARK_DIGITS} hexadecimal digits, not all of them 0"
            self._findings.mistake((*here, "park"), message)
        if dect.licence is not None:
            self._check_key(dect.licence, park, (*here, "licence"))
        self._check_bases(dect, (*here, "bases"))
        self._check_handsets(entry, dect, here)

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
                self._findings.mistake((*where, "mac"), f"{base.mac!r} is not the MAC address of a station")
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
