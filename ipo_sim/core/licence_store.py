"""The licence strings in the unit's configuration: entered, deleted, loaded, never checked twice for one card."""

from __future__ import annotations

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.draft import Draft
from ipo_sim.core.events import ConfigurationLoaded, LicenceAdded, LicenceRemoved
from ipo_sim.core.model import Licence
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import KEY_LENGTH, normalise, recognise
from ipo_sim.licensing.status import LicenceStatus

INVALID_TYPE = "Invalid"
# Far above what any unit was sold with; bounds the work of one check.
MAX_LICENCES = 2_000


def new_licence(catalogue: Catalogue, number: int, text: str, seq: int, *, loaded: bool) -> Licence:
    """A string as entered: recognised or not, nothing is checked against a card yet."""
    decoded = recognise(text)
    kind = catalogue.licences.get(decoded.licence_code) if decoded else None
    return Licence(
        number=number,
        text=normalise(text),
        decoded=decoded if kind else None,
        type_name=kind.name if kind else INVALID_TYPE,
        loaded=loaded,
        seq=seq,
        status=LicenceStatus.UNKNOWN,
    )


def add_licence(draft: Draft, fact: LicenceAdded) -> None:
    """One more string; the same one twice is refused, so that it counts once."""
    text = normalise(fact.key)
    if len(text) != KEY_LENGTH:
        raise CommandRejected("bad-licence", f"a licence key has {KEY_LENGTH} characters, this one {len(text)}")
    if any(licence.text == text for licence in draft.licences):
        raise CommandRejected("duplicate-licence", f"licence key {text} is there already; it counts once")
    if len(draft.licences) >= MAX_LICENCES:
        raise CommandRejected("too-many-licences", f"a unit holds at most {MAX_LICENCES} licence keys")
    licence = new_licence(draft.catalogue, draft.next_licence, text, draft.seq, loaded=False)
    draft.licences = (*draft.licences, licence)
    draft.next_licence += 1


def remove_licence(draft: Draft, fact: LicenceRemoved) -> None:
    """Deletes a string; what it opened closes at once."""
    text = normalise(fact.key)
    kept = tuple(licence for licence in draft.licences if licence.text != text)
    if len(kept) == len(draft.licences):
        raise CommandRejected("unknown-licence", f"no licence key {text} in this unit")
    draft.licences = kept


def load_configuration(draft: Draft, _fact: ConfigurationLoaded) -> None:
    """Entered strings are checked from now on."""
    if all(licence.loaded for licence in draft.licences):
        raise CommandRejected("unchanged", "the loaded configuration is the latest")
    draft.licences = tuple(licence if licence.loaded else licence._replace(loaded=True) for licence in draft.licences)
