"""Units of random catalogues, with keys of their licences, and time that passes for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.core.effects import Effects
from ipo_sim.core.events import (
    DeadlineReached,
    Event,
    Fact,
    FeatureKeyInserted,
    PowerApplied,
)
from ipo_sim.core.model import (
    SECOND_NS,
    BootPolicy,
    ExtensionDefinition,
    ExtensionKind,
    Nanoseconds,
    PartDefinition,
    Reserve,
    Unit,
    UnitDefinition,
    UserDefinition,
)
from ipo_sim.core.people import BASIC, user_features
from ipo_sim.core.unit import next_deadline, step
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import DEFAULT_SECRET, issue
from tests.core.bench import NOON, OTHER_SERIAL, SERIAL, definition
from tests.core.catalogues import MODELS

EXPIRY = date(2026, 1, 7)
IP500 = {"slots/1": "VCM32", "slots/1/daughter": "PRI-1", "slots/2": "DS8", "slots/3": "VCM64"}
IP400 = {"slots/1": "IP400-E1-1", "slots/3": "VCM8"}
# What can stand where in each model.
PLACES = {
    "ip500": IP500,
    "ip500v2": IP500,
    "ip403": {"slots/1": "IP400-E1-1", "slots/2": "VCM8"},
    "ip406v2": IP400,
    "ip412": IP400,
    "soe": {"slots/1": "IP400-E1-1"},
}
NAMES, NUMBERS = ("anna", "bert", "carl"), ("201", "202", "203", "204")


def keys_of(catalogue: Catalogue, picks: Sequence[tuple[int, int, bool, bool]]) -> list[str]:
    """Keys of this catalogue's licences: which one, how many instances, for the card that is in, with an end."""
    codes = sorted(catalogue.licences)
    return [
        issue(
            licence_code=codes[which % len(codes)],
            instances=instances,
            expiry=EXPIRY if ends else None,
            serial=SERIAL if matches else OTHER_SERIAL,
            secret=DEFAULT_SECRET,
            nonce=nonce,
        ).text
        for nonce, (which, instances, matches, ends) in enumerate(picks)
    ]


# Mostly keys that count: an odd one among them is enough.
_mostly = st.sampled_from([True, True, True, False])
picks = st.lists(
    st.tuples(st.integers(0, 11), st.integers(1, 8), _mostly, _mostly.map(lambda usual: not usual)),
    min_size=8,
    max_size=24,
)


def parts_of(model: str) -> st.SearchStrategy[tuple[PartDefinition, ...]]:
    """Cards at some of the places of a model."""
    places = PLACES[model]
    return st.sets(st.sampled_from(sorted(places))).map(
        lambda some: tuple(PartDefinition(path, places[path]) for path in sorted(some | {"slots/1"}))
    )


@st.composite
def definitions(draw: st.DrawFn, catalogue: Catalogue, texts: Sequence[str]) -> UnitDefinition:
    """A unit of this catalogue: model, release, cards, strings, users and IP extensions as they come."""
    profiles = (BASIC, *user_features(catalogue))
    features = st.lists(st.sampled_from(profiles[1:]), unique=True).map(tuple) if profiles[1:] else st.just(())
    users = st.builds(UserDefinition, st.sampled_from(NAMES), profile=st.sampled_from(profiles), features=features)
    extensions = st.builds(
        ExtensionDefinition, st.sampled_from(NUMBERS), st.sampled_from(ExtensionKind), st.sampled_from(Reserve)
    )
    model = draw(st.sampled_from(["ip500", *MODELS]))
    profile = draw(st.sampled_from(catalogue.models[model].release_profiles))
    made = definition(
        *draw(st.lists(st.sampled_from(texts), unique=True)),
        parts=draw(parts_of(model)),
        model=model,
        profile=profile,
        policy=draw(st.sampled_from(BootPolicy)),
        utc_offset_minutes=draw(st.sampled_from([0, 60, -300])),
    )
    return replace(
        made,
        users=tuple(draw(st.lists(users, unique_by=lambda user: user.name, max_size=3))),
        extensions=tuple(draw(st.lists(extensions, unique_by=lambda extension: extension.number, max_size=3))),
    )


class Life:
    """A unit and its time; deadlines come by themselves."""

    def __init__(self, unit: Unit, at: int = NOON) -> None:
        self.unit = unit
        self.at = at

    def happen(self, fact: Fact) -> Effects | None:
        """None: the unit refuses it, and nothing has changed."""
        try:
            self.unit, effects = step(self.unit, Event(Nanoseconds(self.at), fact))
        except CommandRejected:
            return None
        return effects

    def advance(self, seconds: int) -> None:
        end = self.at + seconds * SECOND_NS
        while (deadline := next_deadline(self.unit)) is not None and deadline <= end:
            self.at = deadline
            assert self.happen(DeadlineReached()) is not None
        self.at = end

    def boot(self) -> Life:
        self.happen(FeatureKeyInserted(SERIAL))
        self.happen(PowerApplied())
        self.advance(10)
        return self
