"""The maker's events that faults raise and clear, those that pass, and that every number of the catalogue is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core import faults
from ipo_sim.core.codec import Decoder, encode_unit
from ipo_sim.core.events import (
    CallStarted,
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    KeyServerPollMissed,
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
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.model import PartDefinition
from ipo_sim.core.signal_events import EventReported, PortPhoneChanged
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import CommandRejected
from tests.core.bench import OTHER_SERIAL, SERIAL, Bench, definition, key

CATALOGUE = load_catalogue()
PRI_KEY = "IP500 Universal PRI (additional channels)"
PARTS = (
    PartDefinition("slots/1", "DS8"),
    PartDefinition("slots/1/daughter", "PRI-2"),
    PartDefinition("slots/2", "POT8"),
    PartDefinition("slots/2/daughter", "ATM4"),
    PartDefinition("expansion/1", "DS30V2"),
)


def injected(name: str, target: str | None = None, **options: object) -> FaultInjected:
    """A fault with the options of the catalogue, but for those that are given."""
    kind = CATALOGUE.faults[name]
    values = tuple((option, str(options.get(option, row.default))) for option, row in kind.options.items())
    return FaultInjected(name, target or faults.TARGETS[kind.target], values)


def unit(model: str = "ip500v2", *licences: str) -> Bench:
    bench = Bench(definition(key(), *licences, parts=PARTS, model=model, profile="r6")).boot()
    bench.sent.clear()
    return bench


def with_key_server() -> Bench:
    made = replace(definition(key(), parts=()), model="ip412", reader_kind=KEY_SERVER, reader_name="server:1")
    bench = Bench(made)
    bench.apply(ReaderAttached("server:1"), FeatureKeyInserted(SERIAL, kind="dongle-usb"))
    return bench.boot(None)


PRI, ATM = "slots/1/daughter", "slots/2/daughter"
# Fault, target, options, id; event, severity, reason, entity, chain of names, index; event and severity at the end.
FAULTS = [
    ("controller-failed", None, {}, "controller-failed", (20, 3, None, "unit", "Controller", 1), (21, 1)),
    ("link-down", None, {}, "link-down-1", (17, 4, None, "lan", "Controller, LAN", 11), (18, 4)),
    ("link-down", None, {"interface": 2}, "link-down-2", (17, 4, None, "wan", "Controller, WAN", 12), (18, 4)),
    (
        *("trunk-failed", PRI, {"port": 10}, "trunk-failed-slots-1-daughter-10"),
        (50, 4, 18, f"{PRI}/port/10", "Controller, Slot 1, Mezzanine, PRI 2, PRI 10", 120),
        (51, 1),
    ),
    (
        *("trunk-failed", ATM, {"reason": 19}, "trunk-failed-slots-2-daughter-9"),
        (50, 4, 19, f"{ATM}/port/9", "Controller, Slot 2, Mezzanine, ATM4, ATM 9", 219),
        (51, 1),
    ),
    (
        *("trunk-loopback", PRI, {}, "trunk-loopback-slots-1-daughter-9"),
        (28, 4, None, f"{PRI}/port/9", "Controller, Slot 1, Mezzanine, PRI 2, PRI 9", 119),
        (28, 4),
    ),
    ("link-failed", None, {}, "link-failed", (54, 4, 27, "unit", "Controller", 1), (55, 1)),
    (
        *("application-lost", None, {"application": 4}, "application-lost-4"),
        (29, 4, None, "applications/one-x-portal", "Controller", 1),
        (30, 1),
    ),
    ("service-failed", None, {"reason": 8}, "service-failed", (46, 4, 8, "unit", "Controller", 1), (47, 1)),
    ("boot-place-backup", None, {}, "boot-place-backup", (38, 3, None, "unit", "Controller", 1), (38, 1)),
    (
        *("memory-card-invalid", None, {"card": 3}, "memory-card-invalid-3"),
        (39, 4, None, "memory-cards/optional-sd", "Controller, Memory Card", 3),
        (39, 1),
    ),
    (
        *("memory-card-filling", None, {}, "memory-card-filling-2"),
        (41, 6, None, "memory-cards/system-sd", "Controller, Memory Card", 3),
        (41, 1),
    ),
    (
        *("memory-card-filling", None, {"percent": 100}, "memory-card-filling-2"),
        (41, 3, None, "memory-cards/system-sd", "Controller, Memory Card", 3),
        (41, 1),
    ),
]
Raised = tuple[int, int, int | None, str, str, int]


@pytest.mark.parametrize(("name", "target", "options", "fault", "raised", "cleared"), FAULTS)
def test_a_fault_is_an_alarm_from_its_beginning_to_its_end(
    name: str, target: str | None, options: dict[str, object], fault: str, raised: Raised, cleared: tuple[int, int]
) -> None:
    bench = unit()
    effects = bench.apply(injected(name, target, **options))
    (sent,) = effects.notifications
    assert (sent.event, sent.severity, sent.reason, sent.entity, sent.entity_name, sent.entity_index) == raised
    (alarm,) = bench.unit.alarms
    assert alarm.event == raised[0]
    assert alarm.cause == (f"faults/{fault}", f"event:{effects.seq}")
    (gone,) = bench.apply(FaultWithdrawn(fault)).notifications
    assert (gone.event, gone.severity, gone.entity) == (*cleared, raised[3])
    assert bench.unit.alarms == ()


def test_the_table_has_every_fault_that_does_no_more_than_tell() -> None:
    assert {row[0] for row in FAULTS} == {kind.name for kind in CATALOGUE.faults.values() if kind.alarm is not None}


def test_a_unit_that_is_off_raises_nothing_and_tells_of_what_stands_when_it_is_up() -> None:
    bench = unit()
    bench.apply(injected("link-down"), PowerRemoved())
    assert bench.unit.alarms == ()
    bench.apply(injected("trunk-failed", PRI))
    assert bench.unit.alarms == ()
    bench.sent.clear()
    bench.apply(PowerApplied())
    bench.advance(10)
    assert [sent.event for sent in bench.sent] == [15, 17, 50]


def test_a_loopback_that_ends_says_so() -> None:
    bench = unit()
    bench.apply(injected("trunk-loopback", PRI, loopback=5))
    bench.apply(FaultWithdrawn("trunk-loopback-slots-1-daughter-9"))
    assert [sent.text for sent in bench.sent] == ["loopback at port 9: far end payload", "no loopback"]


def test_a_line_is_not_lost_twice_where_its_card_is_out_of_service() -> None:
    bench = unit()
    bench.apply(injected("trunk-failed", PRI))
    bench.apply(injected("part-failed", PRI))
    assert [alarm.event for alarm in bench.unit.alarms] == [20]
    bench.apply(FaultWithdrawn("part-failed-slots-1-daughter"))
    assert [alarm.event for alarm in bench.unit.alarms] == [50]
    bench.apply(PartWithdrawn(PRI))
    assert [alarm.event for alarm in bench.unit.alarms if alarm.event == 50] == []
    assert bench.unit.faults == ()


def test_an_alarm_keeps_its_age_while_others_come() -> None:
    bench = unit()
    bench.apply(injected("link-down"))
    before = bench.alarm("17-lan")
    bench.advance(60)
    bench.apply(injected("link-down", interface=2))
    assert bench.alarm("17-lan") is before
    assert bench.alarm("17-wan") is not None


def test_a_journal_keeps_them() -> None:
    bench = unit()
    bench.apply(injected("trunk-failed", PRI), injected("memory-card-filling"))
    kept = Decoder(CATALOGUE.parts).unit(encode_unit(bench.unit), bench.unit.definition, CATALOGUE)
    assert kept == bench.unit


@pytest.mark.parametrize(
    ("model", "fault", "code", "text"),
    [
        ("ip500", injected("memory-card-invalid"), "bad-target", "of models with an sd-card, not of IP500"),
        ("ip500", injected("trunk-failed", "slots/1"), "no-port", "port 9 of DS8 at slots/1 is no trunk port"),
        ("ip500", injected("trunk-failed", ATM, port=13), "no-port", "its trunk ports: 9, 10, 11, 12"),
        ("ip500", injected("trunk-loopback", ATM), "no-port", "it has no PRI port"),
        ("ip500", injected("trunk-failed", "slots/3"), "empty", "nothing is fitted at slots/3"),
    ],
)
def test_what_a_unit_has_not_cannot_fail(model: str, fault: FaultInjected, code: str, text: str) -> None:
    bench = unit(model)
    before = bench.unit
    with pytest.raises(CommandRejected, match=text) as refused:
        bench.apply(fault)
    assert refused.value.reason == code
    assert bench.unit is before


# What is reported; event, severity, reason, entity and chain of names that are sent.
PASSING = [
    (EventReported(19), (19, 4, None, "unit", "Controller")),
    (EventReported(22, "slots/1"), (22, 6, None, "slots/1", "Controller, Slot 1, DS8")),
    (EventReported(22, "slots/1/port/3"), (22, 6, None, "slots/1/port/3", "Controller, Slot 1, DS8, DS 3")),
    (
        EventReported(22, "expansion/1/port/30"),
        (22, 6, None, "expansion/1/port/30", "Controller, EXP 1, DS EXP 30, DS 30"),
    ),
    (EventReported(31, reason=31, text="log-in failure"), (31, 4, 31, "unit", "Controller")),
    (EventReported(31, reason=1), (31, 3, 1, "unit", "Controller")),
    (EventReported(31, reason=2), (31, 6, 2, "unit", "Controller")),
    (EventReported(31, reason=3), (31, 1, 3, "unit", "Controller")),
    (EventReported(36), (36, 6, None, "unit", "Controller")),
    (EventReported(44, reason=2), (44, 6, 2, "unit", "Controller")),
    (EventReported(45), (45, 4, None, "unit", "Controller")),
    (EventReported(48, reason=8, severity=3), (48, 3, 8, "unit", "Controller")),
    (EventReported(49, reason=7), (49, 4, 7, "unit", "Controller")),
    (
        EventReported(52, f"{ATM}/port/9", 14),
        (52, 6, 14, f"{ATM}/port/9", "Controller, Slot 2, Mezzanine, ATM4, ATM 9"),
    ),
    (EventReported(53), (53, 4, None, "unit", "Controller")),
    (EventReported(56, "reader"), (56, 6, None, "reader", "Controller, Feature Key")),
    (EventReported(57, "feature-key", 25), (57, 4, 25, "feature-key", "Controller, Feature Key")),
    (EventReported(58), (58, 4, 55, "unit", "Controller")),
]


@pytest.mark.parametrize(("fact", "said"), PASSING)
def test_a_passing_event_is_sent_once_and_leaves_nothing_behind(
    fact: EventReported, said: tuple[int, int, int | None, str, str]
) -> None:
    bench = unit()
    before = bench.unit
    effects = bench.apply(fact)
    (sent,) = effects.notifications
    assert (sent.event, sent.severity, sent.reason, sent.entity, sent.entity_name) == said
    assert (sent.text, sent.cause) == (fact.text, (f"event:{effects.seq}",))
    assert effects.changes == {}
    assert bench.unit == before._replace(seq=effects.seq, at=bench.unit.at)


def test_the_table_has_every_event_that_passes() -> None:
    assert {fact.number for fact, _ in PASSING} == {kind.number for kind in CATALOGUE.alarms.values() if kind.passing}


@pytest.mark.parametrize(
    ("fact", "code", "text"),
    [
        (EventReported(14), "bad-event", "the maker has no event 14; those that can be sent: 19, 22"),
        (EventReported(32), "bad-event", "no unit here sends event 32 .*: a Small Office Gateway sends it"),
        (EventReported(50), "bad-event", "fault trunk-failed raises it"),
        (EventReported(15), "bad-event", "it comes of what happens to the unit"),
        (EventReported(22, "slot/1"), "unknown-place", "did you mean slots/1?"),
        (EventReported(22, "slots/1/port/9"), "no-port", "its such ports: 1, 2"),
        (EventReported(22, "slots/1/port/x"), "unknown-place", "did you mean"),
        (EventReported(22, "slots/3"), "empty", "nothing is fitted at slots/3"),
        (EventReported(22, "slots/3/port/1"), "empty", "nothing is fitted at slots/3"),
        (EventReported(48, reason=80), "bad-arguments", "reason: it is 1 to 79, not 80"),
        (EventReported(48, severity=7), "bad-arguments", "severity: it is 1 .cleared. to 6 .warning., not 7"),
        (EventReported(48, text="\n"), "bad-arguments", "text: it is up to 255 printable characters"),
        (EventReported(48, data="x" * 256), "bad-arguments", "data: it is up to 255 printable characters"),
    ],
)
def test_what_cannot_be_sent_is_refused(fact: EventReported, code: str, text: str) -> None:
    unit().assert_refused(fact, code, text)


def test_a_unit_that_is_off_sends_no_event() -> None:
    bench = unit()
    bench.apply(PowerRemoved())
    with pytest.raises(CommandRejected, match="a unit that is off sends no events") as refused:
        bench.apply(EventReported(19))
    assert refused.value.reason == "wrong-state"


# What makes a unit send the events that neither a fault of the tables above raises nor a report sends.
LOST, BACK = ReaderLost("3 polls unanswered"), ReaderAttached("server:1")
OWN: dict[int, tuple[Fact, ...]] = {
    15: (),
    16: (RestartRequested(),),
    21: (injected("part-failed", "slots/1"), FaultWithdrawn("part-failed-slots-1")),
    23: (PartFitted("slots/3", "POT8"),),
    24: (LOST,),
    25: (LOST, BACK),
    26: (KeyServerPollMissed(),),
    27: (FeatureKeyRemoved(), FeatureKeyInserted(OTHER_SERIAL, kind="dongle-usb")),
    34: (LicenceAdded(key(PRI_KEY, instances=8)), RestartRequested(), LicenceRemoved(key(PRI_KEY, instances=8))),
    35: (CallStarted("c1", pri=60),),
    37: (ShutdownRequested(),),
    40: (FeatureKeyRemoved(),),
    42: (PartConfigured("slots/2", "DS8"),),
    2: (PortPhoneChanged("slots/1", 3, "2410"),),
    43: (PartConfigured("slots/2", "DS8"), PartConfigured("slots/2", "POT8")),
}


@pytest.mark.parametrize("number", [number for number, kind in CATALOGUE.alarms.items() if kind.never is None])
def test_every_event_of_the_catalogue_is_sent_by_something(number: int) -> None:
    facts = OWN.get(number)
    if facts is None:
        told = next((row for row in FAULTS if number in (row[4][0], row[5][0])), None)
        if told is not None:
            facts = (injected(told[0], told[1], **told[2]), FaultWithdrawn(told[3]))
        else:
            facts = (next(fact for fact, _ in PASSING if fact.number == number),)
    bench = with_key_server() if number in (24, 25, 26, 27) else unit()
    if number == 15:
        bench = Bench(definition(key(), parts=PARTS)).boot()
    for fact in facts:
        bench.apply(fact)
        bench.advance(10)
    assert number in {sent.event for sent in bench.sent}


def test_what_is_never_sent_says_why_and_how_that_is_known() -> None:
    never = {number: kind.never for number, kind in CATALOGUE.alarms.items() if kind.never is not None}
    assert set(never) == {32, 33}
    assert all(reason and grade == "A" for reason, grade in never.values())
