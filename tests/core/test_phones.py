"""IP phones: who is licensed in which order, who waits, who cannot register."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.core.events import (
    ExtensionConfigured,
    ExtensionRemoved,
    LicenceRemoved,
    PhoneRegistered,
    PhoneUnregistered,
    RestartRequested,
)
from ipo_sim.core.model import (
    ExtensionDefinition,
    ExtensionKind,
    Feature,
    PartDefinition,
    PhoneState,
    Reserve,
)
from ipo_sim.errors import CommandRejected
from tests.core.bench import Bench, definition, key

ESSENTIAL = "Essential Edition"
AVAYA, THIRD_PARTY = "Avaya IP Endpoints", "3rd Party IP Endpoints"
VCM_CARD = PartDefinition("slots/1", "VCM32")


def pool(bench: Bench, name: str) -> Feature:
    return next(feature for feature in bench.unit.features if feature.name == name)


def r6(
    *licences: str, parts: tuple[PartDefinition, ...] = (VCM_CARD,), extensions: int = 0, kind: str = "avaya-ip"
) -> Bench:
    unit = definition(key(ESSENTIAL), *licences, profile="r6", parts=parts)
    bench = Bench(unit).boot()
    for number in range(201, 201 + extensions):
        bench.apply(ExtensionConfigured(str(number), ExtensionKind(kind)))
    return bench


def phone(bench: Bench, number: str) -> PhoneState:
    return next(extension.state for extension in bench.unit.extensions if extension.number == number)


def test_phones_are_licensed_in_order_of_registration_and_one_over_registers_unlicensed() -> None:
    bench = r6(extensions=13)
    for number in range(213, 200, -1):
        bench.apply(PhoneRegistered(str(number)))
    assert phone(bench, "213") is PhoneState.LICENSED
    assert phone(bench, "201") is PhoneState.UNLICENSED
    cause = next(extension.cause for extension in bench.unit.extensions if extension.number == "201")
    assert cause == ("licence:Avaya IP Endpoints", f"event:{bench.unit.seq}")
    assert bench.alarm("46-features-avaya-ip-endpoints") is not None
    bench.apply(PhoneUnregistered("213"))
    assert phone(bench, "201") is PhoneState.LICENSED


def test_a_freed_licence_goes_to_dect_handsets_first_then_by_registration() -> None:
    bench = r6(extensions=13)
    bench.apply(ExtensionConfigured("300", ExtensionKind.DECT))
    for number in range(201, 214):
        bench.apply(PhoneRegistered(str(number)))
    bench.apply(PhoneRegistered("300"))
    assert (phone(bench, "213"), phone(bench, "300")) == (PhoneState.UNLICENSED, PhoneState.UNLICENSED)
    bench.apply(PhoneUnregistered("201"))
    assert (phone(bench, "213"), phone(bench, "300")) == (PhoneState.UNLICENSED, PhoneState.LICENSED)
    bench.apply(PhoneUnregistered("202"))
    assert phone(bench, "213") is PhoneState.LICENSED


def test_when_endpoint_licences_shrink_the_latest_registration_turns_unlicensed_first() -> None:
    licence = key(AVAYA, instances=2)
    bench = r6(licence, extensions=14)
    for number in range(201, 215):
        bench.apply(PhoneRegistered(str(number)))
    bench.apply(LicenceRemoved(licence))
    unlicensed = [e.number for e in bench.unit.extensions if e.state is PhoneState.UNLICENSED]
    assert unlicensed == ["213", "214"]


def test_a_reserved_licence_waits_for_its_extension_from_the_next_start_on() -> None:
    bench = r6(extensions=13)
    bench.apply(ExtensionConfigured("213", ExtensionKind.AVAYA_IP, Reserve.AVAYA))
    assert pool(bench, "avaya-ip-endpoints").in_use == 0
    bench.apply(RestartRequested())
    bench.advance(10)
    assert pool(bench, "avaya-ip-endpoints").in_use == 1
    for number in range(201, 214):
        bench.apply(PhoneRegistered(str(number)))
    assert (phone(bench, "212"), phone(bench, "213")) == (PhoneState.UNLICENSED, PhoneState.LICENSED)
    bench.apply(PhoneUnregistered("213"))
    assert phone(bench, "212") is PhoneState.UNLICENSED


def test_a_phone_of_another_maker_cannot_register_without_a_licence() -> None:
    bench = Bench(definition(key(), key(THIRD_PARTY, instances=1), parts=())).boot()
    for number in ("301", "302"):
        bench.apply(ExtensionConfigured(number, ExtensionKind.THIRD_PARTY_IP), PhoneRegistered(number))
    assert (phone(bench, "301"), phone(bench, "302")) == (PhoneState.LICENSED, PhoneState.UNREGISTERED)
    assert bench.alarm("46-features-third-party-ip-endpoints") is not None
    bench.apply(ExtensionRemoved("301"), PhoneRegistered("302"))
    assert phone(bench, "302") is PhoneState.LICENSED


def test_before_r6_phones_of_the_maker_need_no_licence() -> None:
    bench = Bench(definition(parts=())).boot()
    bench.apply(ExtensionConfigured("201"), PhoneRegistered("201", "00:11:22:33:44:55", "10.0.0.5"))
    assert phone(bench, "201") is PhoneState.LICENSED


def test_without_essential_edition_phones_of_r6_show_unlicensed() -> None:
    bench = Bench(definition(profile="r6", parts=(VCM_CARD,))).boot()
    bench.apply(ExtensionConfigured("201"), PhoneRegistered("201"))
    (extension,) = bench.unit.extensions
    assert extension.state is PhoneState.UNLICENSED
    assert extension.cause[0] == f"licence:{ESSENTIAL}"


def test_ip_extensions_count_with_the_ports_against_the_capacity() -> None:
    ports = tuple(PartDefinition(f"expansion/{n}", "DS30V2") for n in range(1, 9))
    bench = Bench(definition(key(), profile="r4", parts=ports)).boot()
    for number in range(1, 33):
        bench.apply(ExtensionConfigured(str(number)))
    with pytest.raises(CommandRejected, match="at most 272 extensions"):
        bench.apply(ExtensionConfigured("33"))


def test_extensions_of_the_definition_are_there() -> None:
    unit = replace(definition(parts=()), extensions=(ExtensionDefinition("201", ExtensionKind.AVAYA_IP),))
    bench = Bench(unit).boot()
    bench.apply(PhoneRegistered("201"))
    assert phone(bench, "201") is PhoneState.LICENSED


@pytest.mark.parametrize(("mac", "address"), [("zz", ""), ("00:11:22:33:44", ""), ("", "999.1.1.1"), ("", "host")])
def test_a_phone_has_addresses_that_can_be(mac: str, address: str) -> None:
    bench = Bench(definition(parts=())).boot()
    bench.apply(ExtensionConfigured("201"))
    with pytest.raises(CommandRejected) as caught:
        bench.apply(PhoneRegistered("201", mac, address))
    assert caught.value.reason == "bad-phone"
