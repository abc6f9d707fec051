"""The licence strings in the unit's configuration: entered, deleted, loaded, never checked twice for one card."""

from __future__ import annotations

from operator import attrgetter

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.draft import Draft
from ipo_sim.core.events import ConfigurationLoaded, LicenceAdded, LicenceRemoved, LicencesImported
from ipo_sim.core.model import Licence
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import KEY_LENGTH, normalise, recognise
from ipo_sim.licensing.status import LicenceStatus

INVALID_TYPE = "Invalid"
# Far above what any unit was sold with: a file of 100,000 rows goes in whole, endless ones do not.
MAX_LICENCES = 150_000

_text = attrgetter("text")


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
    if text in map(_text, draft.licences):
        raise CommandRejected("duplicate-licence", f"licence key {text} is there already; it counts once")
    _enter(draft, [text])


def import_licences(draft: Draft, fact: LicencesImported) -> None:
    """Many strings at once; those that are there already, or twice in the list, count once. Nothing is deleted."""
    present = set(map(_text, draft.licences))
    new = [text for text in dict.fromkeys(map(normalise, fact.keys)) if text not in present]
    wrong = next((text for text in new if len(text) != KEY_LENGTH), None)
    if wrong is not None:
        raise CommandRejected("bad-licence", f"a licence key has {KEY_LENGTH} characters, {wrong[:KEY_LENGTH]!r} not")
    if not new:
        raise CommandRejected("unchanged", "all these licence keys are there already")
    _enter(draft, new)


def remove_licence(draft: Draft, fact: LicenceRemoved) -> None:
    """Deletes a string; what it opened closes at once."""
    text = normalise(fact.key)
    for index, licence in enumerate(draft.licences):
        if licence.text == text:
            draft.licences = (*draft.licences[:index], *draft.licences[index + 1 :])
            draft.entered.append((licence, None))
            return
    raise CommandRejected("unknown-licence", f"no licence key {text} in this unit")


def load_configuration(draft: Draft, _fact: ConfigurationLoaded) -> None:
    """Entered strings are checked from now on."""
    entered = [(licence, licence._replace(loaded=True)) for licence in draft.licences if not licence.loaded]
    if not entered:
        raise CommandRejected("unchanged", "the loaded configuration is the latest")
    loaded = {after.number: after for _, after in entered}
    draft.licences = tuple([loaded.get(licence.number, licence) for licence in draft.licences])
    draft.entered.extend(entered)


def _enter(draft: Draft, texts: list[str]) -> None:
    if len(draft.licences) + len(texts) > MAX_LICENCES:
        raise CommandRejected("too-many-licences", f"a unit holds at most {MAX_LICENCES} licence keys")
    new = [
        new_licence(draft.catalogue, number, text, draft.seq, loaded=False)
        for number, text in enumerate(texts, start=draft.next_licence)
    ]
    draft.licences = (*draft.licences, *new)
    draft.next_licence += len(new)
    draft.entered.extend((None, licence) for licence in new)
