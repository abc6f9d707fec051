"""From a configuration's words about cards to the policy that readers apply, with what checks signatures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ipo_sim.card.assurance import Assurance
from ipo_sim.card.exchange import Conversation
from ipo_sim.card.issuer import BENCH_ISSUER
from ipo_sim.card.kinds import Kind
from ipo_sim.card.layout import CHALLENGE_BYTES
from ipo_sim.card.reading import DEFAULT_LAW, EXTRA, CardPolicy, CardReading, read_card
from ipo_sim.cli.config.units import units_of
from ipo_sim.cli.failure import UsageError
from ipo_sim.config.load import load_config
from ipo_sim.config.settings import CardSettings, ReaderSettings
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.readers.card_crypto import signature_check

ISSUER_BYTES = 32


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


# Who just wants to know takes every card.
CURIOUS = CardSettings(tuple(map(str, Kind)))


def open_policy(issuers: Sequence[str] = ()) -> CardPolicy:
    """A policy that takes all cards and knows the bench issuer and these; UsageError for what is no public key."""
    known = []
    for text in issuers:
        try:
            known.append(bytes.fromhex(text))
        except ValueError:
            known.append(b"")
        if len(known[-1]) != ISSUER_BYTES:
            raise UsageError(f"--issuer: {text!r} is not a public key of {2 * ISSUER_BYTES} hexadecimal digits")
    return policy_of(replace(CURIOUS, issuers=(BENCH_ISSUER, *known)), DEFAULT_LAW)


def card_reader_of(config: Path, unit: str | None) -> tuple[UnitName, ReaderSettings]:
    """The unit and its reader, which takes cards of every kind; UsageError when there is none."""
    if unit is not None:
        units_of(config, unit)
    found = [
        (name, reader)
        for name, reader in load_config(config).readers.items()
        if reader.cards is not None and unit in (None, name)
    ]
    if not found:
        whose = f"unit {unit}" if unit else "no unit"
        verb = "has no" if unit else "has a"
        raise UsageError(f"{config}: {whose} {verb} reader that judges cards, such as reader: pcsc")
    return found[0]
