"""What an event makes of a few strings is what a look at all of them would have made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ipo_sim.core.events import (
    ConfigurationLoaded,
    Event,
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
)
from ipo_sim.core.model import Unit
from ipo_sim.core.unit import step
from ipo_sim.errors import CommandRejected
from tests.core.bench import NOON, OTHER_SERIAL, PROFESSIONAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

NAMES = (PROFESSIONAL, VOICEMAIL_PRO, "IP500 VCM Channels", "SIP Trunk Channels", "Additional Voicemail Pro (ports)")
KEYS = tuple(
    key(name, serial=serial, nonce=nonce) for name in NAMES for serial in (SERIAL, OTHER_SERIAL) for nonce in range(3)
)
FOREIGN = "cIvJZQhvDYUzOlYbTDxjR4mHLxe0kYUx"

texts = st.sampled_from((*KEYS, FOREIGN))
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(LicenceAdded, texts),
    st.builds(LicenceRemoved, texts),
    st.builds(LicencesImported, st.lists(texts, min_size=1, max_size=20).map(tuple)),
    st.just(ConfigurationLoaded()),
    st.builds(FeatureKeyInserted, st.sampled_from([SERIAL, OTHER_SERIAL])),
    st.just(FeatureKeyRemoved()),
)


def running() -> Unit:
    bench = Bench(definition(KEYS[0]))
    bench.boot()
    return bench.unit


@settings(max_examples=200)
@given(history=st.lists(facts, min_size=1, max_size=12))
def test_a_few_strings_are_as_in_a_look_at_all(history: list[Fact]) -> None:
    unit = running()
    for fact in history:
        event = Event(max(unit.at, NOON), fact)
        try:
            after, effects = step(unit, event)
        except CommandRejected:
            continue
        whole, seen = step(unit._replace(ledger=None), event)
        assert after == whole
        assert (after.ledger, effects) == (whole.ledger, seen)
        unit = after
