"""From a card to a feature key: who it is, how sure that is, and whether the policy takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from ipo_sim.card import layout
from ipo_sim.card.apdu import MAX_LE, CommandApdu
from ipo_sim.card.assurance import Assurance, CardCrypto
from ipo_sim.card.atr import Medium, medium_of
from ipo_sim.card.commands import INTERNAL_AUTHENTICATE
from ipo_sim.card.exchange import Conversation, exchange
from ipo_sim.card.kinds import Found, Kind
from ipo_sim.card.layout import CHALLENGE_BYTES, FkcContent
from ipo_sim.card.memory import read_memory
from ipo_sim.card.ndef import read_type_2
from ipo_sim.card.probes import PROBES, read_uid
from ipo_sim.card.unreadable import CardUnreadable, invalid, no_access
from ipo_sim.core.words import KeyReason

ALL_KINDS = frozenset(Kind)
DEFAULT_LAW = "alaw"
EXTRA = "signatures are checked by the extra `cards`: pip install 'ipo-sim[cards]'"

_DERIVED_DOMAIN = b"ipo-sim card serial 1\0"


@dataclass(frozen=True, slots=True)
class CardPolicy:
    """Which cards are feature keys.

    `enrolled`: identities of ordinary cards and the serials that they stand for; `derive`: ordinary cards that are not
    enrolled get a serial that follows from their identity. `issuers`: Ed25519 public keys (32 bytes) whose signatures
    count. `law` is that of cards that do not say theirs. `crypto` None: no signature can be checked.
    """

    kinds: frozenset[Kind] = ALL_KINDS
    least: Assurance = Assurance.IDENTIFIER
    enrolled: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    derive: bool = False
    issuers: tuple[bytes, ...] = ()
    law: str = DEFAULT_LAW
    crypto: CardCrypto | None = None


class CardReading(NamedTuple):
    """A card that the policy takes. `serial` has 10 digits, `kind` and `identity` are words for topics."""

    serial: str
    kind: str
    identity: str
    law: str
    assurance: Assurance


class Inspection(NamedTuple):
    """All that a card tells, taken or not. `doubt`: why its assurance is not higher, if it claims more."""

    medium: Medium
    found: Found
    assurance: Assurance
    doubt: str | None = None


DEFAULT_POLICY = CardPolicy()


def read_card(atr: bytes, policy: CardPolicy, challenge: bytes) -> Conversation[CardReading]:
    """Who the card in the reader is; `challenge` are 16 bytes that nobody can foresee.

    CardUnreadable says why it is no feature key: it does not answer, its content is not in order, the policy does not
    take its kind, knows no serial for it, or asks for more assurance.
    """
    inspection = yield from inspect_card(atr, policy, challenge)
    return judge(inspection, policy)


def inspect_card(atr: bytes, policy: CardPolicy, challenge: bytes) -> Conversation[Inspection]:
    """What the card tells of itself, kinds that the policy does not take left aside; CardUnreadable as `read_card`."""
    if not atr:
        raise no_access("the card did not answer to reset")
    if len(challenge) != CHALLENGE_BYTES:
        raise ValueError(f"a challenge has {CHALLENGE_BYTES} bytes, not {len(challenge)}")
    medium = medium_of(atr)
    found = yield from _search(medium, policy.kinds)
    if found is None:
        taken = ", ".join(kind for kind in Kind if kind in policy.kinds)
        raise invalid(f"the card has no identity of a kind that is taken ({taken})")
    if found.content is None:
        return Inspection(medium, found, Assurance.IDENTIFIER)
    assurance, doubt = yield from _assure(found, found.content, policy, challenge)
    return Inspection(medium, found, assurance, doubt)


def judge(inspection: Inspection, policy: CardPolicy) -> CardReading:
    """What the policy makes of a card; CardUnreadable as `read_card`."""
    found, content = inspection.found, inspection.found.content
    if policy.least is not Assurance.IDENTIFIER and policy.crypto is None:
        raise CardUnreadable(KeyReason.NON_SPECIFIC_ERROR, f"the least assurance is {policy.least}, and {EXTRA}")
    if not inspection.assurance.reaches(policy.least):
        why = f": {inspection.doubt}" if inspection.doubt else ""
        raise invalid(f"{found.identity} is {inspection.assurance}, the least assurance is {policy.least}{why}")
    serial = found.number if found.kind.is_fkc else _serial_of(found.identity, policy)
    law = (content.law if content else None) or policy.law
    return CardReading(serial, str(found.kind), found.identity, law, inspection.assurance)


def derived_serial(identity: str) -> str:
    """The serial that follows from an identity: 10 digits of its SHA-256."""
    digest = hashlib.sha256(_DERIVED_DOMAIN + identity.encode()).digest()
    return f"{int.from_bytes(digest) % 10**layout.SERIAL_DIGITS:0{layout.SERIAL_DIGITS}}"


def _serial_of(identity: str, policy: CardPolicy) -> str:
    serial = policy.enrolled.get(identity)
    if serial is None and policy.derive:
        return derived_serial(identity)
    if serial is None:
        raise invalid(f"{identity} is not enrolled, and serials are not derived")
    return serial


def _search(medium: Medium, kinds: frozenset[Kind]) -> Conversation[Found | None]:
    """The first identity in the stated order."""
    if medium in (Medium.I2C, Medium.SLE4442):
        if Kind.FKC_MEMORY not in kinds:
            return None
        serial = yield from read_memory(medium)
        return Found(Kind.FKC_MEMORY, serial, FkcContent(serial))
    if medium is Medium.TAG:
        return (yield from _search_tag(kinds))
    for kind, probe in PROBES.items():
        if kind in kinds and (found := (yield from probe())) is not None:
            return found
    return None


def _search_tag(kinds: frozenset[Kind]) -> Conversation[Found | None]:
    if Kind.FKC_TAG in kinds and (content := (yield from read_type_2())) is not None:
        return Found(Kind.FKC_TAG, content.serial, content)
    return (yield from read_uid()) if Kind.UID in kinds else None


def _assure(
    found: Found, content: FkcContent, policy: CardPolicy, challenge: bytes
) -> Conversation[tuple[Assurance, str | None]]:
    """The highest level that holds, and why it is not higher."""
    if content.signature is None:
        return Assurance.IDENTIFIER, "it carries no issuer's signature"
    doubt = _signature_doubt(content, policy)
    if doubt is not None or policy.crypto is None:
        return Assurance.IDENTIFIER, doubt
    if content.public_key is None or found.kind is not Kind.FKC:
        return Assurance.SIGNED, "it carries no key of its own"
    response = yield from exchange(CommandApdu(0, INTERNAL_AUTHENTICATE, data=challenge, le=MAX_LE))
    if not response.ok:
        return Assurance.SIGNED, f"it refuses the challenge with {response.sw:04X}"
    if not policy.crypto.p256_holds(content.public_key, response.data, challenge):
        return Assurance.SIGNED, "it answers the challenge with another key than the issuer signed"
    return Assurance.AUTHENTICATED, None


def _signature_doubt(content: FkcContent, policy: CardPolicy) -> str | None:
    """Why the issuer's signature does not hold."""
    if policy.crypto is None:
        return EXTRA
    if content.key_id is None or content.signature is None:
        return "its signature does not say whose it is"
    issuer = next((known for known in policy.issuers if layout.key_id(known) == content.key_id), None)
    if issuer is None:
        return f"its issuer {content.key_id.hex().upper()} is not among those that are known"
    if not policy.crypto.ed25519_holds(issuer, content.signature, content.signed_part()):
        return "its issuer's signature does not hold"
    return None
