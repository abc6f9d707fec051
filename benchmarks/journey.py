"""What happens to a unit on a bench, over and over: at the end of each round all is as it was at its beginning."""

from __future__ import annotations

from collections.abc import Iterator

from ipo_sim.core import events as e
from ipo_sim.core.effects import Effects
from ipo_sim.core.model import SECOND_NS, Nanoseconds, Unit
from ipo_sim.core.unit import next_deadline, step

_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_NS = Nanoseconds(24 * _HOUR_S * SECOND_NS)
_WRONG_CARD = e.FeatureKeyInserted("9876543210")
_SPARE_KEY = "0400401W000000PAH0MSJGH8K5CP0H4F"
_FLAKY_CONTACTS = 5

# Facts with the seconds that pass after each; deadlines on the way fire by themselves.
_Plan = tuple[tuple[e.Fact, int], ...]

_OUTFIT: _Plan = (
    *((e.LicenceAdded(_SPARE_KEY), 10), (e.ConfigurationLoaded(), 10), (e.LicenceRemoved(_SPARE_KEY), 10)),
    *((e.FaultSet("slots/2", "overheated"), 60), (e.FaultCleared("slots/2"), 60)),
    *((e.PartWithdrawn("expansion/8"), 60), (e.PartFitted("expansion/8", "WAN3"), 60)),
    *((e.PartConfigured("slots/3", "DS8"), 60), (e.PartConfigured("slots/3", "POT8"), 60)),
    *((e.DateSet(_DAY_NS), 60), (e.DateSet(Nanoseconds(0)), 60)),
)


class Journey:
    """Drives one full unit through the core's door, as fast as it goes."""

    def __init__(self, unit: Unit, at: Nanoseconds) -> None:
        self.unit = unit
        self.at = at
        card = unit.definition.card
        assert card is not None
        self._card = e.FeatureKeyInserted(card.serial, law=card.law)

    def boot(self) -> Iterator[Effects]:
        """From power off to running with the right card."""
        return self._follow(((e.ReaderAttached("virtual"), 1), (self._card, 1), (e.PowerApplied(), _MINUTE_S)))

    def day(self) -> Iterator[Effects]:
        """A day on a bench: a flaky contact, hands at everything, once the card stays out, a restart in the evening."""
        removed, card = e.FeatureKeyRemoved(), self._card
        plan: _Plan = (
            *((removed, _MINUTE_S), (card, _HOUR_S)) * _FLAKY_CONTACTS,
            *self._reader_trouble(),
            *_OUTFIT,
            *((removed, 3 * _HOUR_S), (card, _HOUR_S)),  # past the end of the grace
            (e.RestartRequested(), _MINUTE_S),
        )
        return self._follow(plan)

    def storm(self) -> Iterator[Effects]:
        """Every kind of event once or twice, each extreme as often as the everyday."""
        removed, card = e.FeatureKeyRemoved(), self._card
        plan: _Plan = (
            *((removed, _MINUTE_S), (card, _HOUR_S)),
            *((removed, 3 * _HOUR_S), (card, _HOUR_S)),
            *((removed, 1), (_WRONG_CARD, _MINUTE_S), (removed, 1), (card, _HOUR_S)),
            *self._reader_trouble(),
            *_OUTFIT,
            *((e.RestartRequested(), _MINUTE_S), (e.ShutdownRequested(5), 10 * _MINUTE_S)),
            *((e.PowerRemoved(), _MINUTE_S), (e.PowerApplied(), _MINUTE_S)),
        )
        return self._follow(plan)

    def _reader_trouble(self) -> _Plan:
        lost, back = e.ReaderLost("unplugged"), e.ReaderAttached("virtual")
        return (
            *((e.FeatureKeyUnreadable(), 10), (self._card, _HOUR_S)),
            *((lost, _MINUTE_S), (back, 1), (self._card, _HOUR_S)),
        )

    def _follow(self, plan: _Plan) -> Iterator[Effects]:
        for fact, seconds in plan:
            yield self._step(e.Event(self.at, fact, "benchmark"))
            end = Nanoseconds(self.at + seconds * SECOND_NS)
            while (deadline := next_deadline(self.unit)) is not None and deadline <= end:
                yield self._step(e.Event(deadline, e.DeadlineReached(), "clock"))
            self.at = end

    def _step(self, event: e.Event) -> Effects:
        self.unit, effects = step(self.unit, event)
        return effects
