"""Which licences hold: Dormant and the edition settle together, to the least fixed point of valid prerequisites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ipo_sim.catalogue.types import EditionRule, LicenceType


class LicenceStatus(StrEnum):
    """Statuses of a licence string, in the order in which they are evaluated: the first that fits wins."""

    UNKNOWN = "Unknown"
    INVALID = "Invalid"
    EXPIRED = "Expired"
    OBSOLETE = "Obsolete"
    DORMANT = "Dormant"
    VALID = "Valid"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What holds: names of the Valid licences, the edition they make, and for each Dormant one what it misses."""

    valid: frozenset[str]
    edition: EditionRule
    missing: dict[str, str]


def settle(candidates: Sequence[LicenceType], rules: Sequence[EditionRule]) -> Settlement:
    """Decide between Valid and Dormant for licences that match, are not expired and not obsolete.

    `rules` are the editions of the release profile, the highest first; the last always holds.
    """
    valid: frozenset[str] = frozenset()
    edition = edition_of(valid, rules)
    while True:
        grown = frozenset(
            kind.name
            for kind in candidates
            if kind.name not in edition.dormant_licences and _unmet(kind, valid) is None
        )
        if grown == valid:
            break
        valid = grown
        edition = edition_of(valid, rules)
    missing = {kind.name: _missing(kind, valid, edition, rules) for kind in candidates if kind.name not in valid}
    return Settlement(valid, edition, missing)


def edition_of(valid: frozenset[str], rules: Sequence[EditionRule]) -> EditionRule:
    """The first rule of which one licence is Valid; the last one needs none."""
    for rule in rules:
        if not rule.any_of or not valid.isdisjoint(rule.any_of):
            return rule
    return rules[-1]


def modules_allowed(rule: EditionRule, valid: frozenset[str], *, extended: bool) -> int:
    """How many expansion modules the unit drives; `extended`: a 4-port expansion card is fitted."""
    if rule.modules_any_of and valid.isdisjoint(rule.modules_any_of):
        return 0
    return rule.max_modules_extended if extended else rule.max_modules


def _unmet(kind: LicenceType, valid: frozenset[str]) -> str | None:
    """The first prerequisite of which no alternative is Valid, by the name of its first alternative."""
    for alternatives in kind.prerequisites:
        if valid.isdisjoint(alternatives):
            return alternatives[0]
    return None


def _missing(kind: LicenceType, valid: frozenset[str], edition: EditionRule, rules: Sequence[EditionRule]) -> str:
    """The nearest licence that is wanting: a prerequisite of its own, else the one of the edition that would do."""
    unmet = _unmet(kind, valid)
    if unmet is None and kind.name in edition.dormant_licences:
        for rule in rules:
            if rule.any_of and kind.name not in rule.dormant_licences:
                return rule.any_of[0]
    return unmet or kind.name
