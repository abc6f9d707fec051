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
# ISO/IEC 14443-3: such a UID is made anew at each activation.
_RANDOM_UID = re.compile(r"uid:08[0-9A-F]{6}")
_PUBLIC_KEY = re.compile(r"[0-9A-Fa-f]{64}")


def check_policy(key: CardPolicyEntry, here: Location, reader: str, findings: Findings, salvage: Salvage) -> None:
    """Report what is wrong with the policy at `here` for this kind of reader."""
    for location, problem in _problems(key, here, reader, salvage):
        if problem is not None:
            findings.mistake(location, problem)
    if reader in CARD_READERS:
        for location, warning in _idle_settings(key, here, salvage):
            findings.warning(location, warning)


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
    if key.issuers == [] and key.least_assurance in _SIGNED:
        yield (*here, "issuers"), f"empty: no card would ever be {key.least_assurance}"
    yield from _enrolment_problems(key, here, salvage)


def _idle_settings(key: CardPolicyEntry, here: Location, salvage: Salvage) -> Iterator[tuple[Location, str]]:
    """What has no effect beside the other settings, and may be meant for later."""
    ordinary = _ORDINARY if key.card_kinds is None else tuple(set(_ORDINARY) & set(key.card_kinds))
    weak = f"no ordinary card can be {key.least_assurance}" if key.least_assurance in _SIGNED else None
    nothing = weak or (None if ordinary else "card_kinds takes no ordinary cards")
    if key.derive and nothing and not salvage.touches((*here, "derive")):
        yield (*here, "derive"), f"{nothing}: it has no effect"
    for where, card in salvage.enumerate((*here, "enrolled"), key.enrolled):
        kind, _, _ = canonical_identity(card.identity).partition(":")
        if kind in _ORDINARY and (weak or kind not in ordinary):
            yield (*where, "identity"), f"{weak or f'card_kinds does not take {kind}'}: this one is not taken"


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
        return f"{identity!r} has a serial of its own and needs no enrolment: it is an FKC-1 card"
    if _RANDOM_UID.fullmatch(identity):
        return f"{identity!r} is made anew at each touch: a UID of 4 bytes that begins with 08 tells no card"
    if _IDENTITY.fullmatch(identity):
        return None
    return f"{identity!r} is no identity: {', '.join(f'{kind}:...' for kind in _ORDINARY)}, as `card read` prints it"
