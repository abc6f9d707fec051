"""The licence strings in the unit's configuration: entered, deleted, loaded, never checked twice for one card."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress, count, repeat
from operator import itemgetter

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.draft import Draft
from ipo_sim.core.events import ConfigurationLoaded, LicenceAdded, LicenceRemoved, LicencesImported
from ipo_sim.core.model import Cause, Licence
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import are_canonical, bare, key_problem, normalise, recognise
from ipo_sim.licensing.status import LicenceStatus

INVALID_TYPE = "Invalid"
# Far above what any unit was sold with: a file of 100,000 rows goes in whole, endless ones do not.
MAX_LICENCES = 150_000
# Numbers are never used again: what JSON readers keep exact.
MAX_NUMBER = 2**53 - 1
# Of a string that is none, what a message shows.
MAX_SHOWN = 32

# A named tuple's fields are found faster by index: the text of a string.
_text = itemgetter(1)
_new = tuple.__new__


def new_licence(catalogue: Catalogue, number: int, text: str, seq: int, *, loaded: bool) -> Licence:
    """A string as entered: recognised or not, nothing is checked against a card yet."""
    key = recognise(text)
    kind = catalogue.licences.get(key.licence_code) if key is not None else None
    kept = key.text if key is not None else bare(text)
    decoded, type_name = (key, kind.name) if kind is not None else (None, INVALID_TYPE)
    return _new(Licence, (number, kept, decoded, type_name, loaded, seq, LicenceStatus.UNKNOWN, None, ()))


def add_licence(draft: Draft, fact: LicenceAdded) -> None:
    """One more string; the same one twice is refused, so that it counts once."""
    text = normalise(fact.key)
    if (problem := key_problem(text)) is not None:
        raise CommandRejected("bad-licence", problem)
    if text in map(_text, draft.licences):
        raise CommandRejected("duplicate-licence", f"licence key {text} is there already; it counts once")
    _enter(draft, [text])


def import_licences(draft: Draft, fact: LicencesImported) -> None:
    """Many strings at once; those that are there already, or twice in the list, count once. Nothing is deleted."""
    texts = dict.fromkeys(_importable(fact.keys))
    present = set(texts).intersection(map(_text, draft.licences))
    new = [text for text in texts if text not in present]
    if not new:
        raise CommandRejected("unchanged", "all these licence keys are there already")
    _enter(draft, new)


def remove_licence(draft: Draft, fact: LicenceRemoved) -> None:
    """Deletes a string; what it opened closes at once."""
    text = normalise(fact.key)
    index = next(compress(count(), map(text.__eq__, map(_text, draft.licences))), None)
    if index is None:
        raise CommandRejected("unknown-licence", f"no licence key {text} in this unit")
    draft.entered.append((draft.licences[index], None))
    draft.licences = (*draft.licences[:index], *draft.licences[index + 1 :])


def load_configuration(draft: Draft, _fact: ConfigurationLoaded) -> None:
    """Entered strings are checked from now on."""
    # A load takes all that there are, and what is entered comes last: those that wait stand together at the end.
    waiting = draft.licences[bisect_left(draft.licences, True, key=_waits) :]  # noqa: FBT003 - what is looked for
    if not waiting:
        raise CommandRejected("unchanged", "the loaded configuration is the latest")
    # They are made anew once, when it is known what they are worth.
    draft.loads = True
    draft.entered.extend(zip(waiting, waiting, strict=True))


def _waits(licence: Licence) -> bool:
    return not licence.loaded


def _importable(keys: Sequence[str]) -> Sequence[str]:
    """The strings as they are kept; CommandRejected for the first that is no licence key."""
    if are_canonical(keys):
        return keys
    texts = list(map(normalise, keys))
    for text in texts:
        if (problem := key_problem(text)) is not None:
            raise CommandRejected("bad-licence", f"{text[:MAX_SHOWN]!r}: {problem}")
    return texts


def _enter(draft: Draft, texts: Sequence[str]) -> None:
    if len(draft.licences) + len(texts) > MAX_LICENCES:
        raise CommandRejected("too-many-licences", f"a unit holds at most {MAX_LICENCES} licence keys")
    cause: Cause = ("configuration", draft.event_ref)
    seq, unknown = draft.seq, LicenceStatus.UNKNOWN
    names = {code: kind.name for code, kind in draft.catalogue.licences.items()}
    new: list[Licence] = []
    for number, text in enumerate(texts, start=draft.next_licence):
        # As `new_licence`, whose call alone would be felt with 100,000.
        key = recognise(text)
        name = names.get(key[1]) if key is not None else None
        if name is None:
            key, name = None, INVALID_TYPE
        new.append(_new(Licence, (number, text, key, name, False, seq, unknown, None, cause)))
    draft.licences = (*draft.licences, *new)
    draft.next_licence += len(new)
    draft.entered.extend(zip(repeat(None), new, strict=False))
