"""The rules of one entry of `units` that go beyond its shape: words, what excludes what, what the catalogue knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipo_sim.catalogue.types import Catalogue, ModelType
from ipo_sim.config import words
from ipo_sim.config.dect import DectCheck
from ipo_sim.config.defaults import VIRTUAL, reader_kind, release_profile
from ipo_sim.config.entries import LicenceEntry, UnitEntry
from ipo_sim.config.feature_key import FeatureKeyCheck
from ipo_sim.config.hardware import HardwareCheck
from ipo_sim.config.mistakes import Findings, Location, Refusal, path_text
from ipo_sim.config.numbering import card_serial, numbered_texts, numbers_of
from ipo_sim.config.people import user_of
from ipo_sim.config.record_check import RecordCheck
from ipo_sim.config.shape import Salvage
from ipo_sim.config.variants import feature_set_problem, state_problem
from ipo_sim.core.people import extension_problem, user_problem
from ipo_sim.errors import LicenceFormatError
from ipo_sim.licensing.key import DEFAULT_SECRET, KEY_LENGTH, issue, normalise

_PROBLEM_OF: Mapping[str, Callable[[str], str | None]] = {
    "name": words.unit_name_problem,
    "system_name": words.printable_problem,
    "serial": words.serial_problem,
    "port": words.port_problem,
    "pcsc_reader": words.printable_problem,
    "cassette": words.path_problem,
    "record": words.path_problem,
    "licence_server": words.licence_server_problem,
}
# These must differ from unit to unit; the others may.
_UNIQUE = frozenset({"name", "port", "pcsc_reader", "record"})


class UnitCheck:
    """Checks entries one by one; what was taken out of the file is not judged."""

    def __init__(self, catalogue: Catalogue, findings: Findings, salvage: Salvage) -> None:
        self._catalogue = catalogue
        self._findings = findings
        self._salvage = salvage
        self._hardware = HardwareCheck(catalogue, findings, salvage)
        self._dect = DectCheck(catalogue, findings, salvage)
        self._records = RecordCheck(findings, salvage)
        self._feature_key = FeatureKeyCheck(findings, salvage)

    def check(self, entry: UnitEntry, here: Location) -> None:
        """Report what is wrong with the entry at `here`."""
        model = self._catalogue.models.get(entry.model)
        self._hardware.check(entry, here, self._model(entry, here))
        self._check_numbering(entry, here)
        self._check_words(entry, here)
        self._feature_key.check(entry.feature_key, (*here, "feature_key"), model)
        self._check_policy(entry, (*here, "key", "boot_policy"), model)
        self._check_variant(entry, here, model)
        self._check_licences(entry, (*here, "licences"))
        self._check_users(entry, (*here, "users"))
        self._check_extensions(entry, (*here, "extensions"))
        self._records.check(entry, here)
        self._dect.check(entry, (*here, "dect"))

    def _model(self, entry: UnitEntry, here: Location) -> ModelType | None:
        """The model, if both it and its release profile are known."""
        models = self._catalogue.models
        model = models.get(entry.model)
        profiles = {name for known in models.values() for name in known.release_profiles}
        if model is None:
            self._tell((*here, "model"), Refusal(f"{entry.model!r} is not a control unit", models, entry.model))
        else:
            profiles = set(model.release_profiles)
        given = release_profile(entry, model)
        if given not in profiles:
            runs = model is not None and any(given in known.release_profiles for known in models.values())
            what = f"no release of {model.title}" if model is not None and runs else "not a release profile"
            self._tell((*here, "release_profile"), Refusal(f"{given!r} is {what}", profiles, given))
            return None
        return None if self._salvage.touches((*here, "release_profile")) else model

    def _check_policy(self, entry: UnitEntry, where: Location, model: ModelType | None) -> None:
        if model is not None and model.runs_without_key and entry.key.boot_policy == "halt":
            self._tell(where, f"{model.title} runs without a feature key and never halts; allowed: unlicensed")

    def _check_variant(self, entry: UnitEntry, here: Location, model: ModelType | None) -> None:
        if entry.state is not None and not self._salvage.touches((*here, "feature_key")):
            self._tell((*here, "state"), state_problem(entry.state, reader_kind(entry.feature_key, model)))
        if entry.feature_set is not None:
            self._tell((*here, "feature_set"), feature_set_problem(entry.feature_set))

    def _check_numbering(self, entry: UnitEntry, here: Location) -> None:
        count = entry.count
        if count is None and entry.first is not None:
            self._findings.mistake((*here, "first"), "only an entry with a count numbers its units")
        for way, text in numbered_texts(entry):
            if count is None and words.is_numbered(text):
                message = f"{text!r} stands for a number, and only an entry with a count numbers its units"
                self._findings.mistake((*here, *way), message)
            elif count is not None and count > 1 and way[-1] in _UNIQUE and not words.is_numbered(text):
                message = f"the same for {count} units: write {{n}} or {{n:04}} where the number of the unit belongs"
                self._findings.mistake((*here, *way), message)
        if count is not None and count > 1 and entry.mac is not None:
            self._findings.mistake((*here, "mac"), f"the same for {count} units: left out, it follows from the name")

    def _check_words(self, entry: UnitEntry, here: Location) -> None:
        # Of many units the last one has the longest number.
        last = None if entry.count is None else numbers_of(entry, 0)[-1]
        for way, text in numbered_texts(entry):
            if last is None and words.is_numbered(text):
                continue
            self._tell((*here, *way), _PROBLEM_OF[str(way[-1])](text if last is None else words.numbered(text, last)))
        if entry.release is not None:
            self._tell((*here, "release"), words.printable_problem(entry.release))
        if entry.mac is not None and words.mac_address(entry.mac) is None:
            self._tell((*here, "mac"), f"{entry.mac!r} {words.NO_STATION}")
        if words.utc_offset_minutes(entry.timezone) is None:
            self._tell((*here, "timezone"), f"{entry.timezone!r} {words.OFFSETS}")

    def _check_licences(self, entry: UnitEntry, here: Location) -> None:
        seen: dict[str, Location] = {}
        for where, licence in self._salvage.enumerate(here, entry.licences):
            if licence.key is not None and licence.licence is not None:
                self._tell(where, "either a key or a licence to mint, not both")
            elif licence.key is not None:
                self._check_key(licence, where, seen)
            elif licence.licence is not None:
                self._check_minted(entry, licence, where)
            elif not self._salvage.touches(where):
                self._tell(where, "neither a key nor a licence to mint")

    def _check_users(self, entry: UnitEntry, here: Location) -> None:
        names: dict[str, Location] = {}
        numbers: dict[str, Location] = {}
        for where, user in self._salvage.enumerate(here, entry.users):
            problem = user_problem(self._catalogue, user_of(user))
            if problem is not None:
                field, message = problem
                self._tell((*where, field), message)
            if user.name in names:
                self._tell((*where, "name"), f"the same name as {path_text(names[user.name])}")
            names.setdefault(user.name, where)
            if user.extension and user.extension in numbers:
                self._tell((*where, "extension"), f"the same extension as {path_text(numbers[user.extension])}")
            numbers.setdefault(user.extension, where)

    def _check_extensions(self, entry: UnitEntry, here: Location) -> None:
        numbers: dict[str, Location] = {}
        for where, extension in self._salvage.enumerate(here, entry.extensions):
            self._tell((*where, "number"), extension_problem(extension.number))
            if extension.number in numbers:
                self._tell((*where, "number"), f"the same number as {path_text(numbers[extension.number])}")
            numbers.setdefault(extension.number, where)

    def _check_key(self, licence: LicenceEntry, where: Location, seen: dict[str, Location]) -> None:
        text = normalise(licence.key or "")
        if len(text) != KEY_LENGTH or not text.isascii() or not text.isprintable():
            message = f"a licence key has {KEY_LENGTH} letters and digits, this one has {len(text)} characters"
            self._tell((*where, "key"), message)
        for name, given in (("instances", licence.instances), ("expiry", licence.expiry)):
            if given is not None:
                self._tell((*where, name), "bound in the key already: leave it out")
        if text in seen:
            self._findings.warning((*where, "key"), f"the same key as {path_text(seen[text])}: it counts once")
        seen.setdefault(text, where)

    def _check_minted(self, entry: UnitEntry, licence: LicenceEntry, where: Location) -> None:
        """Mint one for trial: what no key can hold is told before any unit is made."""
        kind = self._catalogue.licences_by_name.get(licence.licence or "")
        if kind is None:
            allowed = self._catalogue.licences_by_name
            self._tell((*where, "licence"), Refusal(f"{licence.licence!r} is not a licence", allowed, licence.licence))
            return
        model = self._catalogue.models.get(entry.model)
        if entry.count is None or reader_kind(entry.feature_key, model) != VIRTUAL:
            why = "a unit holds keys, not licences: mint one with `ipo-sim licence issue`"
            self._tell((*where, "licence"), f"{why}; only an entry with a count and virtual cards mints its own")
            return
        if words.serial_problem(serial := card_serial(entry, numbers_of(entry, 0)[-1])) is None:
            self._try_issue(licence, kind.code, serial, where)

    def _try_issue(self, licence: LicenceEntry, code: int, serial: str, where: Location) -> None:
        instances = licence.instances or 1
        try:
            issue(
                licence_code=code,
                instances=instances,
                expiry=licence.expiry,
                serial=serial,
                secret=DEFAULT_SECRET,
                nonce=0,
            )
        except LicenceFormatError as error:
            self._tell(where, str(error))

    def _tell(self, location: Location, problem: str | None) -> None:
        if problem is not None:
            self._findings.mistake(location, problem)
