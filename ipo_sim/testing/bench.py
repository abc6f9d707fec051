"""The units of one test on one clock, and what is known of them when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipo_sim.api.encoder import Counters, Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.cassettes import Cassettes
from ipo_sim.cli.daemon.feature_key_readers import VIRTUAL, FeatureKeyReaders
from ipo_sim.config.settings import Settings
from ipo_sim.core.model import Lifecycle, Nanoseconds, UnitName
from ipo_sim.runtime.assembly import open_runtime
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.immediate import immediate
from ipo_sim.runtime.journal import JournalEntry
from ipo_sim.testing.clock import VirtualClock
from ipo_sim.testing.driver import Driver, ImmediateDriver
from ipo_sim.testing.place import Place
from ipo_sim.testing.reader import ReaderUnderTest
from ipo_sim.testing.unit import SimulatedUnit


class Units(Mapping[str, SimulatedUnit]):
    """The units by name; by number in the order of the configuration, too."""

    def __init__(self, units: Sequence[SimulatedUnit]) -> None:
        self._units = {unit.name: unit for unit in units}

    def __getitem__(self, key: str | int) -> SimulatedUnit:
        return list(self._units.values())[key] if isinstance(key, int) else self._units[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)


class Bench:
    """Units that a test can work on. `close` it in the end."""

    def __init__(self, driver: Driver, counters: Counters) -> None:
        self.driver = driver
        names = driver.runtime.engine.names()
        encoder = Encoder(driver.runtime.bus, load_catalogue(), counters=counters)
        self.units = Units([SimulatedUnit(name, driver, encoder) for name in names])
        self.clock = VirtualClock(driver, names)
        self.http_url: str | None = None

    @classmethod
    def open(
        cls,
        settings: Settings,
        cassettes: Cassettes,
        start: Nanoseconds,
        broker: Place | None,
        *,
        http: bool = False,
    ) -> Bench:
        """Units with their time standing at `start`, power applied and cards in their readers; on a broker, if any.

        With `http` they are offered at `http_url`, too. In the thread of the test as long as nothing has to be looked
        after meanwhile. BrokerError: it is away. HttpError: the extra is missing.
        """
        if broker is not None or http or any(reader.kind != VIRTUAL for reader in settings.readers.values()):
            from ipo_sim.testing.daemon import DaemonDriver  # noqa: PLC0415 - only who needs a loop pays for it

            daemon = DaemonDriver.open(settings, cassettes, start, broker, http=http)
            bench = cls(daemon, daemon.counters)
            bench.http_url = daemon.http_url
            return bench
        runtime = immediate(open_runtime(None, settings.units, load_catalogue(), clock=stepped(start)))
        readers = FeatureKeyReaders(settings.readers, runtime, {})
        readers.start_virtual()
        return cls(ImmediateDriver(runtime), readers.counters)

    def boot(self) -> None:
        """Let time go on until no unit is starting."""
        while any(unit.core.life.state is Lifecycle.STARTING for unit in self.units.values()):
            self.clock.step()

    def reader(self) -> ReaderUnderTest:
        """The reader of the first unit."""
        return ReaderUnderTest(self.units[0], self.driver)

    def history(self, unit: str) -> list[JournalEntry]:
        """All that has happened to a unit."""
        journal, name = self.driver.runtime.journal, UnitName(unit)
        return self.driver.call(lambda: list(journal.entries(name, journal.epoch(name))))

    def close(self) -> None:
        """Forget them all."""
        self.driver.close()
