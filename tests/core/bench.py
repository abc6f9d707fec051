"""A unit on the bench: time passes as a test says, deadlines fire by themselves, everything sent out is kept."""

from __future__ import annotations

from datetime import date

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.effects import Effects, Notification
from ipo_sim.core.events import DeadlineReached, Event, Fact, FeatureKeyInserted, PowerApplied, ReaderAttached
from ipo_sim.core.model import (
    SECOND_NS,
    Alarm,
    BootPolicy,
    Card,
    Entity,
    Licence,
    Lifecycle,
    Nanoseconds,
    Part,
    PartDefinition,
    Unit,
    UnitDefinition,
    UnitName,
)
from ipo_sim.core.unit import entities, new_unit, next_deadline, step
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.key import DEFAULT_SECRET, issue

SERIAL = "1234567890"
OTHER_SERIAL = "9999999999"
PROFESSIONAL = "IP500 Upgrade Standard to Professional"
VOICEMAIL_PRO = "Voicemail Pro (4 ports)"
NOON = Nanoseconds(1_767_614_400 * SECOND_NS)  # 2026-01-05 12:00 UTC

FULL = (
    PartDefinition("slots/1", "DS8"),
    PartDefinition("slots/1/daughter", "PRI-1"),
    PartDefinition("slots/2", "POT8"),
    PartDefinition("slots/2/daughter", "ATM4"),
    PartDefinition("slots/3", "VCM32"),
    PartDefinition("slots/4", "DS8"),
    *(PartDefinition(f"expansion/{n}", "DS30V2") for n in range(1, 9)),
)


def key(
    name: str = PROFESSIONAL,
    *,
    serial: str = SERIAL,
    instances: int = 1,
    expiry: date | None = None,
    nonce: int = 0,
    secret: bytes = DEFAULT_SECRET,
) -> str:
    kind = load_catalogue().licences_by_name[name]
    return issue(
        licence_code=kind.code, instances=instances, expiry=expiry, serial=serial, secret=secret, nonce=nonce
    ).text


def definition(
    *licences: str,
    parts: tuple[PartDefinition, ...] = FULL,
    model: str = "ip500",
    profile: str = "r5",
    policy: BootPolicy = BootPolicy.HALT,
    grace_s: int = 7_200,
    utc_offset_minutes: int = 0,
    reader: str = "virtual",
) -> UnitDefinition:
    return UnitDefinition(
        name=UnitName("bench-1"),
        model=model,
        release_profile=profile,
        mac="02:00:00:00:00:01",
        system_name="Bench 1",
        release="5.0(8)",
        secret=DEFAULT_SECRET,
        boot_policy=policy,
        grace_ns=Nanoseconds(grace_s * SECOND_NS),
        poll_ns=Nanoseconds(10 * SECOND_NS),
        utc_offset_minutes=utc_offset_minutes,
        reader_kind=reader,
        reader_name=reader,
        card=Card(SERIAL),
        parts=parts,
        licences=licences,
    )


class Bench:
    """Drives one unit through the core's door."""

    def __init__(self, unit_definition: UnitDefinition | None = None, *, at: int = NOON) -> None:
        self.unit: Unit = new_unit(unit_definition or definition(key()), load_catalogue())
        self.at = at
        self.sent: list[Notification] = []
        self.history: list[tuple[Event, Effects]] = []

    def apply(self, *facts: Fact) -> Effects:
        return [self._step(Event(Nanoseconds(self.at), fact, "test")) for fact in facts][-1]

    def assert_refused(self, fact: Fact, code: str, text: str) -> None:
        """Assert that the unit does not accept this, says why, and stays the same object."""
        before = self.unit
        with pytest.raises(CommandRejected, match=text) as refused:
            self.apply(fact)
        assert refused.value.reason == code
        assert self.unit is before

    def advance(self, seconds: float = 0.0, *, hours: float = 0.0) -> None:
        end = self.at + round((seconds + hours * 3_600) * SECOND_NS)
        while (deadline := next_deadline(self.unit)) is not None and deadline <= end:
            self.at = deadline
            self._step(Event(deadline, DeadlineReached(), "deadline"))
        self.at = end

    def boot(self, serial: str | None = SERIAL) -> Bench:
        self.apply(ReaderAttached("virtual"))
        if serial is not None:
            self.apply(FeatureKeyInserted(serial))
        self.apply(PowerApplied())
        self.advance(10)
        return self

    def notified(self) -> list[tuple[int, int, str]]:
        """Event number, severity and entity of all that was sent since the last call."""
        sent = [(n.event, int(n.severity), n.entity) for n in self.sent]
        self.sent.clear()
        return sent

    def part(self, path: str) -> Part:
        return next(part for part in self.unit.parts if part.place.path == path)

    def licence(self, number: int = 1) -> Licence:
        return next(licence for licence in self.unit.licences if licence.number == number)

    def alarm(self, name: str) -> Alarm | None:
        return next((alarm for alarm in self.unit.alarms if alarm.id == name), None)

    def led(self, name: str) -> tuple[str, str]:
        return next((led.colour, led.pattern) for led in self.unit.leds if led.name == name)

    @property
    def state(self) -> Lifecycle:
        return self.unit.life.state

    @property
    def entities(self) -> dict[str, Entity]:
        return entities(self.unit)

    @property
    def modules_in_service(self) -> int:
        return sum(
            part.service.hold is None
            for part in self.unit.parts
            if part.place.path.startswith("expansion/") and part.fitted
        )

    def _step(self, event: Event) -> Effects:
        self.unit, effects = step(self.unit, event)
        self.sent.extend(effects.notifications)
        self.history.append((event, effects))
        return effects
