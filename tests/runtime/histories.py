"""Histories at random: facts that a unit may or may not accept, and time between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import strategies as st

from ipo_sim.core.events import (
    DateSet,
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    LicenceAdded,
    LicenceRemoved,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    PowerRemoved,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
    ShutdownRequested,
)
from ipo_sim.core.model import SECOND_NS, KeyReason, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.engine import Engine
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, key
from tests.runtime.bench import HOUR, A, B


class Advance(NamedTuple):
    """A step of a random history: time passes."""

    duration: Nanoseconds


Action = Fact | Advance

LICENCES = [key(), key(VOICEMAIL_PRO), key(serial=OTHER_SERIAL), "X" * 32]

_places = st.sampled_from(["slots/1", "slots/2", "slots/2/daughter", "expansion/1", "expansion/2"])
_parts = st.sampled_from(["DS8", "POT8", "PRI-1", "DS30V2"])
_facts: list[st.SearchStrategy[Fact]] = [
    st.just(PowerApplied()),
    st.just(PowerRemoved()),
    st.just(RestartRequested()),
    st.builds(ShutdownRequested, st.sampled_from([0, 5, 60])),
    st.builds(ReaderAttached, st.sampled_from(["virtual", "other"])),
    st.builds(ReaderLost, st.sampled_from(["unplugged", "no answer"])),
    st.builds(FeatureKeyInserted, st.sampled_from([SERIAL, OTHER_SERIAL]), counter=st.integers(0, 9)),
    st.builds(FeatureKeyRemoved),
    st.builds(FeatureKeyUnreadable, st.sampled_from([KeyReason.NO_REGISTER_ACCESS, KeyReason.INVALID_REGISTERS])),
    st.builds(LicenceAdded, st.sampled_from(LICENCES)),
    st.builds(LicenceRemoved, st.sampled_from(LICENCES)),
    st.builds(PartFitted, _places, _parts),
    st.builds(PartWithdrawn, _places),
    st.builds(PartConfigured, _places, st.one_of(st.none(), _parts)),
    st.builds(FaultSet, _places, st.sampled_from(["failed", "overheated"])),
    st.builds(FaultCleared, _places),
    st.builds(DateSet, st.integers(0, 10**9).map(lambda seconds: Nanoseconds(seconds * SECOND_NS))),
]
_advances = st.sampled_from([0, 1, SECOND_NS, 10 * SECOND_NS, HOUR, 3 * HOUR, 48 * HOUR]).map(
    lambda duration: Advance(Nanoseconds(duration))
)
actions: st.SearchStrategy[Action] = st.one_of(*_facts, _advances)
histories = st.lists(st.tuples(st.sampled_from([A, B]), actions), max_size=40)


def play(engine: Engine, history: Iterable[tuple[UnitName, Action]]) -> None:
    """Do it all; what a unit refuses is left out."""
    for name, action in history:
        if isinstance(action, Advance):
            engine.clock.advance(action.duration)
            engine.run_due()
            continue
        try:
            engine.apply(name, action, "test")
        except CommandRejected:
            continue
