"""A unit in a test: what it shows, what can be done to it, and waiting in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.licence.names import find_licence
from ipo_sim.client.entities import Entity, read_entity
from ipo_sim.client.expectation import Expectation, Predicate
from ipo_sim.client.unit_commands import UnitCommands
from ipo_sim.client.unit_view import UnitView
from ipo_sim.core.model import SECOND_NS, Unit, UnitName
from ipo_sim.errors import CommandRejected, NotReached
from ipo_sim.licensing.key import issue
from ipo_sim.testing.clock import Length, date_text, nanoseconds
from ipo_sim.testing.driver import Answer, Driver
from ipo_sim.testing.waiting import wait_really, wait_until

# How long of virtual time is waited if nothing is said: a boot takes seconds, the grace two hours.
PATIENCE = "3h"


class SimulatedUnit(UnitView, UnitCommands[Answer]):
    """A unit of this process. Commands answer when everything that they do is done."""

    def __init__(self, name: UnitName, driver: Driver, encoder: Encoder) -> None:
        self.name = name
        self._name = name
        self._driver = driver
        self._encoder = encoder
        self._keys = 0

    def __repr__(self) -> str:
        return f"<unit {self.name}: {self.state}, edition {self.edition}>"

    def do(self, verb: str, **arguments: object) -> Answer:
        """Any command of the registry: `do("fit", path="slots/2", part="DS8")`."""
        __tracebackhide__ = True
        return self._driver.execute(self._name, verb, arguments)

    def paths(self) -> Collection[str]:
        """Every entity that exists now."""
        return self._driver.call(lambda: tuple(self._driver.runtime.bus.latest(self._name)))

    def entity(self, path: str) -> Entity:
        """The entity at a path; UnknownEntity names the nearest one."""
        __tracebackhide__ = True
        payload = self._driver.call(lambda: self._payload(path))
        if payload is None:
            raise self.unknown(path)
        return read_entity(path, payload, self.why)

    def why(self, path: str) -> tuple[str, ...]:
        """The causes of the state of an entity in words, from near to far; CommandRejected: it has no such entity."""
        return tuple(link["text"] for link in self.do("why", path=path)["chain"])

    @property
    def core(self) -> Unit:
        """The unit's frozen state, with all that no interface shows."""
        return self._driver.call(lambda: self._driver.runtime.engine.unit(self._name))

    def set_date(self, when: str | date) -> None:
        """Set the unit's own date."""
        self.set_time(date=date_text(when))

    def licence_key(self, licence: str, instances: int | None = None, *, expires: date | None = None) -> str:
        """A new bench key for the card that is in the reader, or was: `licence_key("SIP Trunk", 4)`.

        CommandRejected: no card was ever there; UsageError names the licences that can be meant.
        """
        unit = self.core
        serial = unit.key.serial or unit.key.last_serial
        if serial is None:
            raise CommandRejected("no-card", f"unit {self.name} never had a card that a licence could be issued for")
        row = find_licence(load_catalogue(), licence)
        self._keys += 1
        return issue(
            licence_code=row.code,
            instances=instances or min(row.packs, default=1),
            expiry=expires,
            serial=serial,
            secret=unit.definition.secret,
            nonce=self._keys,
        ).text

    def enter_licence(self, licence: str, instances: int | None = None, *, expires: date | None = None) -> str:
        """Issue a key, enter it and load the configuration, as an administrator would; the key."""
        key = self.licence_key(licence, instances, expires=expires)
        self.add_licence(key)
        self.load_configuration()
        return key

    def wait_until(
        self,
        predicate: Callable[[SimulatedUnit], object],
        within: Length = PATIENCE,
        *,
        really: Length | None = None,
    ) -> None:
        """Let time go on, from one happening to the next, until something is true of the unit.

        NotReached: it was not within so much of the unit's time. `really`: time is left alone, and what others do over
        the broker or at a reader is waited for, at most so long of real time.
        """
        __tracebackhide__ = True
        if not self._wait(lambda: bool(predicate(self)), within, really):
            raise NotReached(f"unit {self.name} did not come to it within {really or within}: {self._in_short()}")

    def wait_for(
        self,
        path: str,
        predicate: Predicate | None = None,
        /,
        *,
        within: Length = PATIENCE,
        really: Length | None = None,
        **values: object,
    ) -> Entity:
        """Let time go on until the entity has these values: `wait_for("unit", state="running")`; NotReached.

        `really` is as in `wait_until`.
        """
        __tracebackhide__ = True
        self._expect(Expectation(path, values, predicate), within, really)
        return self.entity(path)

    def wait_gone(self, path: str, within: Length = PATIENCE, *, really: Length | None = None) -> None:
        """Let time go on until there is no such entity: `wait_gone("alarms/40-feature-key")`; NotReached."""
        __tracebackhide__ = True
        self._expect(Expectation(path, {}, gone=True), within, really)

    def _expect(self, expectation: Expectation, within: Length, really: Length | None) -> None:
        __tracebackhide__ = True
        if not self._wait(lambda: expectation.is_met(self._there(expectation.path)), within, really):
            found = expectation.found(self._there(expectation.path))
            raise NotReached(f"unit {self.name}: {expectation.text()} did not come within {really or within}: {found}")

    def _wait(self, met: Callable[[], bool], within: Length, really: Length | None) -> bool:
        if really is None:
            return wait_until(self._driver, met, nanoseconds(within))
        return wait_really(self._driver, met, nanoseconds(really) / SECOND_NS)

    def _there(self, path: str) -> Entity | None:
        payload = self._driver.call(lambda: self._payload(path))
        return None if payload is None else read_entity(path, payload, self.why)

    def _payload(self, path: str) -> bytes | None:
        entry = self._driver.runtime.bus.latest(self._name).get(path)
        return None if entry is None else self._encoder.entity(self._name, entry)

    def _in_short(self) -> str:
        alarms = ", ".join(self.alarms) or "none"
        return f"it is {self.state}, edition {self.edition}, alarms {alarms}"
