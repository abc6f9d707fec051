"""An expectation while it is looked at."""

from __future__ import annotations

from enum import Enum

from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.runtime.duration import duration_text
from ipo_sim.scenario.matching import holds
from ipo_sim.scenario.model import Condition, Expectation, Kind
from ipo_sim.scenario.world import World


class Verdict(Enum):
    """What is known of an expectation."""

    OPEN = "open"
    MET = "met"
    FAILED = "failed"


class Watch:
    """Looks at one expectation from `opened` on; `until` is when it must be decided, None: when the scenario ends.

    `armed`: a change counts, since what is expected was seen not to be so.
    """

    def __init__(self, expectation: Expectation, world: World, opened: Nanoseconds) -> None:
        self.expectation = expectation
        self.until = None if expectation.within is None else Nanoseconds(opened + expectation.within)
        self.verdict = Verdict.OPEN
        self._world = world
        self._armed = expectation.kind is not Kind.CHANGE or not self.is_so()

    @property
    def unit(self) -> UnitName:
        """Whose entities are looked at."""
        return self.expectation.unit

    def is_so(self) -> bool:
        """Whether all that is expected, or for never feared, holds now."""
        return not self.unmet()

    def unmet(self) -> list[Condition]:
        """The conditions that do not hold now."""
        entity, unit = self._world.entity, self.expectation.unit
        return [each for each in self.expectation.conditions if not holds(each, entity(unit, each.path))]

    def look(self) -> None:
        """Something may have happened."""
        if self.verdict is not Verdict.OPEN:
            return
        kind, is_so = self.expectation.kind, self.is_so()
        if kind is Kind.NEVER:
            if is_so:
                self.verdict = Verdict.FAILED
        elif not is_so:
            self._armed = True
            if kind is Kind.VALUE:
                self.verdict = Verdict.FAILED
        elif self._armed:
            self.verdict = Verdict.MET

    def close(self) -> Verdict:
        """The time is over: what has not come will not come."""
        self.look()
        if self.verdict is Verdict.OPEN:
            self.verdict = Verdict.MET if self.expectation.kind is Kind.NEVER else Verdict.FAILED
        return self.verdict

    def complaint(self) -> str:
        """Why it failed, in one line."""
        kind = self.expectation.kind
        span = "" if self.expectation.within is None else f" within {duration_text(self.expectation.within)}"
        if kind is Kind.NEVER:
            return f"it never should be so{span}, and was"
        if kind is Kind.CHANGE and not self._armed:
            return f"no change{span}: it was so before"
        return {
            Kind.VALUE: "not as expected",
            Kind.CHANGE: f"it did not become so{span}",
            Kind.EVENTUALLY: f"it was not so at any time{span or ' until the end'}",
        }[kind]
