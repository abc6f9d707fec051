"""From a configuration's words about cards to the policy that readers apply, with what checks signatures."""

from __future__ import annotations

import os
from types import MappingProxyType

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.exchange import Conversation
from ipo_sim.card.issuer import BENCH_ISSUER
from ipo_sim.card.kinds import Kind
from ipo_sim.card.layout import CHALLENGE_BYTES
from ipo_sim.card.reading import EXTRA, CardPolicy, CardReading, read_card
from ipo_sim.config.settings import CardSettings
from ipo_sim.errors import ConfigError
from ipo_sim.readers.card_crypto import signature_check


def policy_of(settings: CardSettings, law: str) -> CardPolicy:
    """ConfigError where signatures are asked for and nothing is installed that checks them."""
    policy = CardPolicy(
        kinds=frozenset(map(Kind, settings.kinds)),
        least=Assurance(settings.least_assurance),
        enrolled=MappingProxyType(dict(settings.enrolled)),
        derive=settings.derive,
        issuers=(BENCH_ISSUER,) if settings.issuers is None else settings.issuers,
        law=law,
        crypto=signature_check(),
    )
    if policy.crypto is None and policy.least is not Assurance.IDENTIFIER:
        raise ConfigError(f"least_assurance: {policy.least}: {EXTRA}")
    return policy


def fresh_challenge() -> bytes:
    """What no card can have heard before."""
    return os.urandom(CHALLENGE_BYTES)


def read_by(policy: CardPolicy, atr: bytes) -> Conversation[CardReading]:
    """Read a card with a challenge of its own."""
    return read_card(atr, policy, fresh_challenge())
