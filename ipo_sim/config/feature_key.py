"""The rules of `feature_key`: which reader goes with which model, and what each reader has to be told."""

from __future__ import annotations

from ipo_sim.catalogue.types import SERIAL_DONGLE, ModelType
from ipo_sim.config.card_policy import check_policy
from ipo_sim.config.defaults import CASSETTE, PCSC, PN532, SERIAL, VIRTUAL, reader_kind
from ipo_sim.config.feature_key_entry import FeatureKeyEntry
from ipo_sim.config.mistakes import Findings, Location
from ipo_sim.config.shape import Salvage
from ipo_sim.core.words import KEY_SERVER, NO_SERVER

# Settings that some kinds of reader have, and no others.
_ONLY_OF = {"port": (SERIAL, PN532), "pcsc_reader": (PCSC,)}

SERVER_SETTINGS = ("licence_server", "licence_server_port", "licence_server_transport", "licence_server_secret")


class FeatureKeyCheck:
    """Checks the feature key of entries; what was taken out of the file is not judged."""

    def __init__(self, findings: Findings, salvage: Salvage) -> None:
        self._findings = findings
        self._salvage = salvage

    def check(self, key: FeatureKeyEntry, here: Location, model: ModelType | None) -> None:
        """Report what is wrong with the setting at `here`; `model` None: which rules hold is not known."""
        if self._salvage.touches((*here, "reader")) or self._salvage.touches((*here, "licence_server")):
            return
        if key.reader == CASSETTE:
            # It stands for whatever was recorded.
            self._check_cassette(key, here)
            return
        for name in ("cassette", "replay"):
            if getattr(key, name) is not None:
                self._mistake((*here, name), "only a cassette reader plays a recording; did you mean reader: cassette?")
        if model is not None and model.dongles:
            self._check_dongle(key, here, model)
        elif model is not None:
            self._check_card(key, here, model)
        self._check_reader(key, here, reader_kind(key, model))
        check_policy(key, here, reader_kind(key, model), self._findings, self._salvage)

    def _check_cassette(self, key: FeatureKeyEntry, here: Location) -> None:
        if key.cassette is None and not self._salvage.touches((*here, "cassette")):
            self._mistake(here, "cassette is missing: the file that the cassette reader plays")
        for name in ("serial", "law", "present", "port", "pcsc_reader"):
            if getattr(key, name) is not None:
                self._mistake((*here, name), "the recording tells that: leave it out")
        if key.record is not None:
            self._mistake((*here, "record"), "what a cassette plays is recorded already: leave it out")
        check_policy(key, here, CASSETTE, self._findings, self._salvage)

    def _check_card(self, key: FeatureKeyEntry, here: Location, model: ModelType) -> None:
        if key.reader == KEY_SERVER:
            why = f"{model.title} has its own {model.key_form} and asks no key server"
            self._mistake((*here, "reader"), f"{why}; allowed: cassette, pcsc, pn532, serial, virtual")
            return
        for name in SERVER_SETTINGS:
            if getattr(key, name) is not None:
                self._findings.warning((*here, name), f"{model.title} has its own {model.key_form} and ignores it")

    def _check_dongle(self, key: FeatureKeyEntry, here: Location, model: ModelType) -> None:
        """The three meanings of the address, and the ports that a unit has."""
        server = key.licence_server
        is_asked = reader_kind(key, model) == KEY_SERVER
        if not is_asked and SERIAL_DONGLE not in model.dongles:
            where = "reader" if server is None else "licence_server"
            self._mistake((*here, where), f"{model.title} has no serial port for a dongle: it needs a key server")
        elif is_asked and server == NO_SERVER:
            message = f"{NO_SERVER} says that the dongle is on the unit, reader says that a key server is asked"
            self._mistake((*here, "licence_server"), message)
        elif not is_asked and server not in (None, NO_SERVER):
            message = f"a {key.reader} reader is on the unit itself: write {NO_SERVER}, or reader: {KEY_SERVER}"
            self._mistake((*here, "licence_server"), message)
        if not is_asked:
            for name in SERVER_SETTINGS[1:]:
                if getattr(key, name) is not None:
                    self._findings.warning((*here, name), "the dongle is on the unit: no key server is asked")

    def _check_reader(self, key: FeatureKeyEntry, here: Location, kind: str) -> None:
        for name, readers in _ONLY_OF.items():
            if getattr(key, name) is not None and kind not in readers:
                self._mistake((*here, name), _misplaced(name, kind))
        if kind == VIRTUAL:
            return
        if kind in _ONLY_OF["port"] and key.port is None and not self._salvage.touches((*here, "port")):
            self._mistake(here, f"port is missing: a {kind} reader is at /dev/... or socket://HOST:PORT")
        told = ("serial", "present", *(("law",) if kind == KEY_SERVER else ()))
        for name in told:
            if getattr(key, name) is not None:
                who = "the key server tells" if kind == KEY_SERVER else f"a {kind} reader finds"
                self._mistake((*here, name), f"{who} that out by itself: leave it out")

    def _mistake(self, location: Location, message: str) -> None:
        self._findings.mistake(location, message)


def _misplaced(name: str, kind: str) -> str:
    if kind == KEY_SERVER:
        return "a key server has none; did you mean licence_server_port?" if name == "port" else "a key server has none"
    readers = " or ".join(f"reader: {reader}" for reader in _ONLY_OF[name])
    return f"the {kind} reader has no {name}; did you mean {readers}?"
