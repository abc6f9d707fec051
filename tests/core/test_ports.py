"""Ports of cards and modules: phones that are plugged in, calls on lines, and what becomes of both."""

from __future__ import annotations

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.codec import Decoder, encode_unit
from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    Fact,
    PartFitted,
    PartWithdrawn,
    PowerApplied,
    PowerRemoved,
    RestartRequested,
)
from ipo_sim.core.fault_events import FaultWithdrawn
from ipo_sim.core.model import PartDefinition, Port
from ipo_sim.core.signal_events import PortPhoneChanged
from ipo_sim.errors import CommandRejected
from tests.core.bench import Bench, definition, key
from tests.core.test_signals import injected

CATALOGUE = load_catalogue()
PARTS = (
    PartDefinition("slots/1", "DS8"),
    PartDefinition("slots/1/daughter", "PRI-2"),
    PartDefinition("slots/2", "POT8"),
    PartDefinition("slots/2/daughter", "ATM4V2"),
    PartDefinition("slots/3", "DS8"),
    PartDefinition("slots/3/daughter", "BRI-4"),
    PartDefinition("expansion/1", "DS30V2"),
)
PRI, ATM, BRI = "slots/1/daughter", "slots/2/daughter", "slots/3/daughter"


def unit() -> Bench:
    bench = Bench(definition(key(), parts=PARTS)).boot()
    bench.sent.clear()
    return bench


def pri_in_use(bench: Bench) -> int:
    return next(feature.in_use for feature in bench.unit.features if feature.name == "pri-channels")


@pytest.mark.parametrize(
    ("path", "port", "name", "entity", "index"),
    [
        ("slots/1", 3, "slots-1-port-3", "Controller, Slot 1, DS8, DS 3", 113),
        ("expansion/1", 30, "expansion-1-port-30", "Controller, EXP 1, DS EXP 30, DS 30", 1040),
    ],
)
def test_a_phone_that_comes_changes_and_goes_is_told_each_time(
    path: str, port: int, name: str, entity: str, index: int
) -> None:
    bench = unit()
    effects = bench.apply(PortPhoneChanged(path, port, "2410"))
    assert bench.unit.ports == (Port(name, path, port, "DS", effects.seq, "2410"),)
    assert bench.entities[f"ports/{name}"] == bench.unit.ports[0]
    bench.apply(PortPhoneChanged(path, port, "5410"), PortPhoneChanged(path, port))
    assert bench.unit.ports == ()
    assert [sent.text for sent in bench.sent] == [
        f"phone at port {port}: {phone}" for phone in ("2410", "5410", "none")
    ]
    assert {(sent.event, int(sent.severity), sent.entity) for sent in bench.sent} == {(2, 5, f"{path}/port/{port}")}
    assert {(sent.entity_name, sent.entity_index) for sent in bench.sent} == {(entity, index)}


def test_a_phone_that_is_plugged_in_while_the_unit_is_off_is_there_and_no_change_when_it_is_up() -> None:
    bench = unit()
    bench.apply(PowerRemoved(), PortPhoneChanged("slots/1", 3, "2410"))
    assert bench.sent == []
    assert bench.unit.ports[0].phone == "2410"
    bench.apply(PowerApplied())
    bench.advance(10)
    assert 2 not in {sent.event for sent in bench.sent}


def test_a_pulled_card_takes_its_phones_along() -> None:
    bench = unit()
    bench.apply(PortPhoneChanged("slots/1", 3, "2410"), PortPhoneChanged("slots/3", 3, "2410"))
    bench.apply(PartWithdrawn("slots/1"))
    assert [port.name for port in bench.unit.ports] == ["slots-3-port-3"]
    bench.apply(PartFitted("slots/1", "DS8"))
    assert [port.name for port in bench.unit.ports] == ["slots-3-port-3"]


@pytest.mark.parametrize(
    ("trunk", "port", "most"), [(ATM, 9, 1), (ATM, 12, 1), (BRI, 9, 2), (BRI, 10, 2), (PRI, 9, 30), (PRI, 10, 30)]
)
def test_a_line_carries_so_many_calls(trunk: str, port: int, most: int) -> None:
    bench = Bench(definition(key(), key("IP500 Universal PRI (additional channels)", instances=32), parts=PARTS)).boot()
    for number in range(most):
        bench.apply(CallStarted(f"c{number}", trunk=trunk, port=port))
    (there,) = bench.unit.ports
    assert there.calls == tuple(f"c{number}" for number in range(most))
    assert pri_in_use(bench) == (most if trunk == PRI else 0)
    with pytest.raises(CommandRejected, match=f"carries {most} call") as refused:
        bench.apply(CallStarted("more", trunk=trunk, port=port))
    assert refused.value.reason == "no-line"
    for number in range(most):
        bench.apply(CallEnded(f"c{number}"))
    assert bench.unit.ports == ()
    assert pri_in_use(bench) == 0


def test_a_call_that_gets_no_channel_has_no_line() -> None:
    bench = unit()
    before = bench.unit.ports
    effects = bench.apply(CallStarted("c1", vcm=1, trunk=ATM, port=9))
    assert effects.refused
    assert bench.unit.ports is before


@pytest.mark.parametrize(
    "facts",
    [
        (PartWithdrawn(PRI),),
        (PartWithdrawn("slots/1"),),
        (injected("part-failed", PRI),),
        (injected("trunk-failed", PRI),),
        (injected("trunk-loopback", PRI),),
        (injected("port-failed", PRI, port=9),),
        (PowerRemoved(),),
        (RestartRequested(),),
    ],
)
def test_a_line_that_is_gone_cuts_its_calls_and_frees_their_channels(facts: tuple[Fact, ...]) -> None:
    bench = unit()
    bench.apply(CallStarted("c1", trunk=PRI, port=9), CallStarted("c2", trunk=ATM, port=9))
    bench.apply(*facts)
    here = [] if isinstance(facts[0], PowerRemoved | RestartRequested) else ["slots-2-daughter-port-9"]
    assert [port.name for port in bench.unit.ports] == here
    assert not [held for held in bench.unit.holdings if held.holder == "call:c1"]
    with pytest.raises(CommandRejected, match="call c1 is not up"):
        bench.apply(CallEnded("c1"))


def test_a_call_is_up_once_with_channels_or_without() -> None:
    bench = unit()
    bench.apply(CallStarted("c1", trunk=ATM, port=9))
    with pytest.raises(CommandRejected, match="call c1 is up already"):
        bench.apply(CallStarted("c1", pri=1))


@pytest.mark.parametrize(
    ("fact", "code", "text"),
    [
        (PortPhoneChanged("slots/2", 1, "2410"), "no-port", "port 1 of POT8 at slots/2 is no digital station port"),
        (PortPhoneChanged("slots/1", 9, "2410"), "no-port", "its digital station ports: 1, 2, 3"),
        (PortPhoneChanged("slots/4", 1, "2410"), "empty", "nothing is fitted at slots/4"),
        (PortPhoneChanged("slots/9", 1, "2410"), "unknown-place", "no place 'slots/9'"),
        (PortPhoneChanged("slots/1", 1), "unchanged", "no phone is there"),
        (PortPhoneChanged("slots/1", 1, "\n"), "bad-phone", "up to 32 printable characters"),
        (CallStarted("c", trunk=ATM, port=8), "no-port", "its trunk ports: 9, 10, 11, 12"),
        (CallStarted("c", trunk="slots/4", port=9), "empty", "nothing is fitted"),
        (CallStarted("c", trunk="slots/1/daughter"), "bad-arguments", "trunk and port go together"),
        (CallStarted("c", port=9), "bad-arguments", "trunk and port go together"),
    ],
)
def test_what_is_no_such_port_is_refused_and_changes_nothing(fact: Fact, code: str, text: str) -> None:
    unit().assert_refused(fact, code, text)


def test_the_same_phone_is_no_change_and_a_line_that_is_lost_takes_no_call() -> None:
    bench = unit()
    bench.apply(PortPhoneChanged("slots/1", 1, "2410"))
    with pytest.raises(CommandRejected, match="2410 is there already"):
        bench.apply(PortPhoneChanged("slots/1", 1, "2410"))
    bench.apply(injected("trunk-failed", ATM, port=10))
    with pytest.raises(CommandRejected, match="has no line: fault trunk-failed-slots-2-daughter-10"):
        bench.apply(CallStarted("c", trunk=ATM, port=10))
    bench.apply(FaultWithdrawn("trunk-failed-slots-2-daughter-10"), CallStarted("c", trunk=ATM, port=10))
    bench.apply(injected("part-failed", BRI))
    with pytest.raises(CommandRejected, match="slots/3/daughter is out of service: fault"):
        bench.apply(CallStarted("d", trunk=BRI, port=9))


def test_a_journal_keeps_ports_and_reads_states_from_before_there_were_any() -> None:
    bench = unit()
    bench.apply(PortPhoneChanged("slots/1", 1, "2410"), CallStarted("c1", trunk=PRI, port=9))
    kept = Decoder(CATALOGUE.parts).unit(encode_unit(bench.unit), bench.unit.definition, CATALOGUE)
    assert kept == bench.unit
    older = {name: value for name, value in encode_unit(unit().unit).items() if name != "ports"}
    assert Decoder(CATALOGUE.parts).unit(older, bench.unit.definition, CATALOGUE).ports == ()


def test_units_without_any_share_the_same_nothing() -> None:
    assert unit().unit.ports is Bench().unit.ports
