"""The rules of the settings that say which cards are feature keys, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from ipo_sim.config import words
from ipo_sim.config.card_entries import CardKind, CardPolicyEntry
from ipo_sim.config.mistakes import Findings, Location, path_text
from ipo_sim.config.settings import CardSettings
from ipo_sim.config.shape import Salvage

SETTINGS = ("card_kinds", "least_assurance", "issuers", "enrolled", "derive")
# Readers that hand every command to the card, so that it is ours to judge.
CARD_READERS = ("pcsc", "pn532")

IDENTIFIER = "identifier"
# Which kinds can reach which level.
_SIGNED = {"signed": ("fkc", "fkc-tag"), "authenticated": ("fkc",)}

_OWN = "fkc"
_ORDINARY = tuple(kind for kind in get_args(CardKind) if not kind.startswith(_OWN))
_IDENTITY = re.compile(rf"({'|'.join(_ORDINARY)}):[0-9A-F]{{4,64}}")
_PUBLIC_KEY = re.compile(r"[0-9A-Fa-f]{64}")


def check_policy(key: CardPolicyEntry, here: Location, reader: str, findings: Findings, salvage: Salvage) -> None:
    """Report what is wrong with the policy at `here` for this kind of reader."""
    for location, problem in _problems(key, here, reader, salvage):
        if problem is not None:
            findings.mistake(location, problem)


def card_settings(key: CardPolicyEntry) -> CardSettings:
    """What entries without mistakes come to."""
    return CardSettings(
        kinds=tuple(get_args(CardKind)) if key.card_kinds is None else tuple(dict.fromkeys(key.card_kinds)),
        least_assurance=key.least_assurance or IDENTIFIER,
        issuers=None if key.issuers is None else tuple(map(bytes.fromhex, key.issuers)),
        enrolled=tuple((canonical_identity(card.identity), card.serial) for card in key.enrolled),
        derive=bool(key.derive),
    )


def canonical_identity(text: str) -> str:
    """An identity with its digits as we write them."""
    kind, colon, number = text.partition(":")
    return f"{kind.lower()}{colon}{number.upper()}"


def _problems(
    key: CardPolicyEntry, here: Location, reader: str, salvage: Salvage
) -> Iterator[tuple[Location, str | None]]:
    if reader not in CARD_READERS:
        allowed = " or ".join(f"reader: {name}" for name in CARD_READERS)
        for name in SETTINGS:
            if name in key.model_fields_set:
                yield (*here, name), f"a {reader} reader does not judge cards; did you mean {allowed}?"
        return
    yield from _level_problems(key, here, salvage)
    for where, issuer in salvage.enumerate((*here, "issuers"), key.issuers or ()):
        if not _PUBLIC_KEY.fullmatch(issuer):
            yield where, "not a public key of 64 hexadecimal digits, as `card issuer-key` prints it"
    yield from _enrolment_problems(key, here, salvage)


def _level_problems(key: CardPolicyEntry, here: Location, salvage: Salvage) -> Iterator[tuple[Location, str | None]]:
    kinds = key.card_kinds
    if kinds is None or salvage.touches((*here, "card_kinds")):
        return
    if not kinds:
        yield (*here, "card_kinds"), "empty: no card would ever be a feature key"
    able = _SIGNED.get(key.least_assurance or IDENTIFIER)
    if kinds and able and not set(able) & set(kinds):
        message = f"only {' and '.join(able)} cards can be {key.least_assurance}, and card_kinds takes none of them"
        yield (*here, "least_assurance"), message


def _enrolment_problems(
    key: CardPolicyEntry, here: Location, salvage: Salvage
) -> Iterator[tuple[Location, str | None]]:
    seen: dict[str, Location] = {}
    for where, card in salvage.enumerate((*here, "enrolled"), key.enrolled):
        identity = canonical_identity(card.identity)
        yield (*where, "identity"), identity_problem(identity)
        yield (*where, "serial"), words.serial_problem(card.serial)
        if identity in seen:
            yield (*where, "identity"), f"the same card as {path_text(seen[identity])}"
        seen.setdefault(identity, where)


def identity_problem(identity: str) -> str | None:
    """Only ordinary cards are enrolled."""
    if identity.startswith(f"{_OWN}:"):
        return "an FKC-1 card has a serial of its own and needs no enrolment"
    if _IDENTITY.fullmatch(identity):
        return None
    return f"{identity!r} is no identity: {', '.join(f'{kind}:...' for kind in _ORDINARY)}, as `card read` prints it"
