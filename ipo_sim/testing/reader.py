"""The feature key reader of a unit in a test: hands at the card, and at the reader's plug."""

from __future__ import annotations

from ipo_sim.client.entities import FeatureKey
from ipo_sim.core.events import FeatureKeyRemoved, ReaderAttached, ReaderLost
from ipo_sim.core.model import SECOND_NS, KeyPresence
from ipo_sim.errors import CommandRejected, NotReached
from ipo_sim.testing.clock import Length, nanoseconds
from ipo_sim.testing.driver import Driver
from ipo_sim.testing.unit import SimulatedUnit
from ipo_sim.testing.waiting import wait_really

CAUSE = "reader:test"


class ReaderUnderTest:
    """The reader of `unit`: a virtual one, or the one of `--ipo-reader`, at which only real hands can do anything."""

    def __init__(self, unit: SimulatedUnit, driver: Driver) -> None:
        self.unit = unit
        self._driver = driver
        self._holds_card = False

    @property
    def kind(self) -> str:
        """`virtual`, `serial`, ..."""
        return self.unit.reader.kind

    @property
    def attached(self) -> bool:
        """Whether the reader answers."""
        return self.unit.reader.state == "attached"

    @property
    def card(self) -> str | None:
        """Serial of the card that is in it and can be read."""
        return self.unit.feature_key.serial

    def insert(self, serial: str | None = None, *, law: str | None = None, kind: str | None = None) -> None:
        """Put a card in, the last one unless told otherwise; CommandRejected for a real reader."""
        self.unit.insert_card(serial, law=law, kind=kind)

    def remove(self) -> None:
        """Take the card out; CommandRejected for a real reader."""
        self.unit.remove_card()

    def bounce(self, times: int = 3) -> None:
        """A flaky contact: the card goes and comes back so many times, without any time between."""
        for _ in range(times):
            self.remove()
            self.insert()

    def unplug(self, error: str = "unplugged") -> None:
        """The reader itself is lost, with the card that may be in it; CommandRejected for a real reader."""
        self._require_virtual()
        unit = self.unit.core
        self._holds_card = unit.key.presence is KeyPresence.PRESENT
        self._driver.submit(unit.definition.name, ReaderLost(error), CAUSE)

    def plug(self) -> None:
        """The reader is back, with the card that was in it when it went."""
        self._require_virtual()
        unit = self.unit.core
        self._driver.submit(unit.definition.name, ReaderAttached(unit.definition.reader_name), CAUSE)
        if self._holds_card:
            self.insert()
        else:
            self._driver.submit(unit.definition.name, FeatureKeyRemoved(unit.key.counter), CAUSE)

    def wait_for_card(self, within: Length = "30s") -> FeatureKey:
        """Wait in real time until hands have put a card in; NotReached."""
        seconds = nanoseconds(within) / SECOND_NS
        if not wait_really(self._driver, lambda: self.card is not None, seconds):
            raise NotReached(f"no card came into reader {self.unit.reader.name} within {within}")
        return self.unit.feature_key

    def _require_virtual(self) -> None:
        if self.kind != "virtual":
            name = self.unit.reader.name
            raise CommandRejected("reader-not-virtual", f"reader {name} is a {self.kind} one: unplug it by hand")
