"""Models and parts, row by row, as the documents on the hardware have them: a list of its own, typed from them."""

from __future__ import annotations

import pytest

from ipo_sim.catalogue.grade import Grade
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import PartType, PlaceKind

CATALOGUE = load_catalogue()
BOTH = ("ip500", "ip500v2")
V2 = ("ip500v2",)
IP400 = ("ip403", "ip406v2", "ip412", "soe")
OFFERED = {
    "both": BOTH,
    "v2": V2,
    "never": (),
    "trunk": (*BOTH, *IP400),
    "vcm": (*BOTH, "ip403", "ip406v2", "ip412"),
    "modules": (*BOTH, "ip403", "ip406v2", "ip412"),
}

# Code, object name, entPhysicalName, ports, models, extensions, VCM channels, trunk channels.
BASE_CARDS = """
DS8       | PhonePortDS8   | DS8        | DS 1-8                    | both  | 8 | 0  | 0
POT8      | PhonePortPOT8  | POT8       | POT 1-8                   | both  | 8 | 0  | 0
POT2      | PhonePortPOT2  | POT2       | POT 1-2                   | both  | 2 | 0  | 0
VCM32     | VCMMod32       | VCM 32     |                           | both  | 0 | 32 | 0
VCM64     | VCMMod64       | VCM 64     |                           | both  | 0 | 64 | 0
VCM32V2   | VCMMod32V2     | VCM 32     |                           | both  | 0 | 32 | 0
VCM64V2   | VCMMod64V2     | VCM 64     |                           | both  | 0 | 64 | 0
CARRIER   | Carrier        | Carrier    |                           | both  | 0 | 0  | 0
EXP4      | ExpMod4Port    | EXP 4-Port | EXP 9-12                  | both  | 0 | 0  | 0
COMBO     | PhonePortCombo | COMBO      | DS 1-6, POT 7-8, ATM 9-12 | v2    | 8 | 10 | 4
COMBO-BRI | PhonePortCombo | COMBO      | DS 1-6, POT 7-8, BRI 9-12 | v2    | 8 | 10 | 8
ETR6      | PhonePortETR6  | ETR6       | ETR 1-6                   | v2    | 6 | 0  | 0
TCM8      | PhonePortTCM8  | TCM8       | TCM 1-8                   | v2    | 8 | 0  | 0
UCM       | C110UCM        | UCM        |                           | v2    | 0 | 0  | 0
UCMV2     | C110UCMV2      | UCM        |                           | v2    | 0 | 0  | 0
"""
DAUGHTER_CARDS = """
ATM4      | Trunk500AnalogQuad         | ATM4  | ATM 9-12 | both  | 0 | 0 | 4
ATM4V2    | Trunk500AnalogQuadV2       | ATM4  | ATM 9-12 | both  | 0 | 0 | 4
BRI-4     | Trunk500BRIDual            | BRI 4 | BRI 9-10 | both  | 0 | 0 | 4
BRI-8     | Trunk500BRIQuad            | BRI 8 | BRI 9-12 | both  | 0 | 0 | 8
PRI-1     | TrunkUniversalPRIDS0Single | PRI 1 | PRI 9-9  | both  | 0 | 0 | 30
PRI-2     | TrunkUniversalPRIDS0Dual   | PRI 2 | PRI 9-10 | both  | 0 | 0 | 60
"""
IP400_CARDS = """
IP400-ATM4   | TrunkAnalogQuad  | Trunk Module | ATM 1-4 | trunk | 0 | 0  | 4
IP400-ATM4V2 | TrunkRAnalogQuad | Trunk Module | ATM 1-4 | trunk | 0 | 0  | 4
IP400-BRI-8  | TrunkBRIQuad     | Trunk Module | BRI 1-4 | trunk | 0 | 0  | 8
IP400-E1-1   | TrunkE1PRISingle | Trunk Module | PRI 1-1 | trunk | 0 | 0  | 30
IP400-E1-2   | TrunkE1PRIDual   | Trunk Module | PRI 1-2 | trunk | 0 | 0  | 60
IP400-T1-1   | TrunkT1PRISingle | Trunk Module | PRI 1-1 | trunk | 0 | 0  | 24
IP400-T1-2   | TrunkT1PRIDual   | Trunk Module | PRI 1-2 | trunk | 0 | 0  | 48
VCM4         | IntModVCM4       | VCM 4        |         | vcm   | 0 | 4  | 0
VCM5         | IntModVCM5       | VCM 5        |         | vcm   | 0 | 5  | 0
VCM8         | IntModVCM8       | VCM 8        |         | vcm   | 0 | 8  | 0
VCM10        | IntModVCM10      | VCM 10       |         | vcm   | 0 | 10 | 0
VCM16        | IntModVCM16      | VCM 16       |         | vcm   | 0 | 16 | 0
VCM20        | IntModVCM20      | VCM 20       |         | vcm   | 0 | 20 | 0
VCM24        | IntModVCM24      | VCM 24       |         | vcm   | 0 | 24 | 0
VCM30        | IntModVCM30      | VCM 30       |         | vcm   | 0 | 30 | 0
"""
EXPANSION_MODULES = """
DS16      | ExpModDS16      | DS EXP 16  | DS 1-16  | modules  | 16 | 0 | 0
DS30      | ExpModDS30      | DS EXP 30  | DS 1-30  | modules  | 30 | 0 | 0
DS16V2    | ExpModRDS16     | DS EXP 16  | DS 1-16  | modules  | 16 | 0 | 0
DS30V2    | ExpModRDS30     | DS EXP 30  | DS 1-30  | modules  | 30 | 0 | 0
DSA16RJ21 | ExpModDSA16RJ21 | DS EXP 16  | DS 1-16  | v2    | 16 | 0 | 0
DSA30RJ21 | ExpModDSA30RJ21 | DS EXP 30  | DS 1-30  | v2    | 30 | 0 | 0
DSA16RJ45 | ExpModDSA16RJ45 | DS EXP 16  | DS 1-16  | v2    | 16 | 0 | 0
DSA30RJ45 | ExpModDSA30RJ45 | DS EXP 30  | DS 1-30  | v2    | 30 | 0 | 0
PHONE8    | ExpModPhone8    | POT EXP 8  | POT 1-8  | modules  | 8  | 0 | 0
PHONE16   | ExpModPhone16   | POT EXP 16 | POT 1-16 | modules  | 16 | 0 | 0
PHONE30   | ExpModPhone30   | POT EXP 30 | POT 1-30 | modules  | 30 | 0 | 0
PHONE8V2  | ExpModRPhone8   | POT EXP 8  | POT 1-8  | modules  | 8  | 0 | 0
PHONE16V2 | ExpModRPhone16  | POT EXP 16 | POT 1-16 | modules  | 16 | 0 | 0
PHONE30V2 | ExpModRPhone30  | POT EXP 30 | POT 1-30 | modules  | 30 | 0 | 0
S08       | ExpModS08       | S0 EXP 8   | S0 1-8   | modules  | 0  | 0 | 0
S016      | ExpModS016      | S0 EXP 16  | S0 1-16  | never | 0  | 0 | 0
ATM16     | ExpModATM16     | ATM EXP 16 | ATM 1-16 | modules  | 0  | 0 | 16
ATM8      | ExpModATM8      | ATM EXP 8  | ATM 1-8  | never | 0  | 0 | 8
WAN3      | ExpModWAN3      | WAN EXP 3  | WAN 1-3  | modules  | 0  | 0 | 0
DT16      | ExpModDT16      | DT EXP 16  | DT 1-16  | never | 16 | 0 | 0
DT30      | ExpModDT30      | DT EXP 30  | DT 1-30  | never | 30 | 0 | 0
"""
ROWS = [
    (place, *(column.strip() for column in line.split("|")))
    for place, table in (
        (PlaceKind.SLOT, BASE_CARDS),
        (PlaceKind.DAUGHTER, DAUGHTER_CARDS),
        (PlaceKind.SLOT, IP400_CARDS),
        (PlaceKind.EXPANSION, EXPANSION_MODULES),
    )
    for line in table.strip().splitlines()
]
ALL_PARTS = list(CATALOGUE.parts.values())


def ports_text(part: PartType) -> str:
    return ", ".join(f"{run.kind} {run.first}-{run.first + run.count - 1}" for run in part.ports)


def test_the_parts_are_these() -> None:
    assert sorted(CATALOGUE.parts) == sorted(code for _, code, *_ in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[code for _, code, *_ in ROWS])
def test_a_part_is_as_documented(row: tuple[str, ...]) -> None:
    place, code, identity, name, ports, models, *counts = row
    part = CATALOGUE.parts[code]
    assert (part.code, part.place, part.identity, part.name) == (code, place, identity, name)
    assert ports_text(part) == ports
    assert part.models == OFFERED[models]
    assert [part.extensions, part.vcm_channels, part.trunk_channels] == [int(count) for count in counts]
    assert part.grade is Grade.A
    assert part.description


@pytest.mark.parametrize("part", ALL_PARTS, ids=lambda part: part.code)
def test_ports_and_extensions_of_a_part_agree(part: PartType) -> None:
    phones = sum(run.count for run in part.ports if run.kind in {"DS", "POT", "ETR", "TCM", "DT"})
    assert part.extensions == phones
    last = 30 if part.place is PlaceKind.EXPANSION else 12
    first = 9 if part.place is PlaceKind.DAUGHTER else 1
    assert all(first <= run.first and run.first + run.count - 1 <= last for run in part.ports)
    numbers = [number for run in part.ports for number in range(run.first, run.first + run.count)]
    assert len(numbers) == len(set(numbers))


def test_limits_of_a_unit() -> None:
    limits = {part.code: (part.limit_group or part.code, part.limit) for part in ALL_PARTS if part.limit}
    assert limits == {
        "DS8": ("DS8", 3),
        "POT8": ("Phone 2 and Phone 8", 4),
        "POT2": ("Phone 2 and Phone 8", 4),
        "VCM32": ("VCM", 2),
        "VCM64": ("VCM", 2),
        "VCM32V2": ("VCM", 2),
        "VCM64V2": ("VCM", 2),
        "CARRIER": ("CARRIER", 2),
        "EXP4": ("EXP4", 1),
        "COMBO": ("combination", 2),
        "COMBO-BRI": ("combination", 2),
    }


def test_which_base_cards_carry_a_trunk_daughter_card() -> None:
    carriers = {part.code for part in ALL_PARTS if part.carries_daughter}
    assert carriers == {"DS8", "POT8", "POT2", "VCM32", "VCM64", "VCM32V2", "VCM64V2"}


def test_which_base_card_carries_ip400_cards() -> None:
    assert {part.code for part in ALL_PARTS if part.carries_ip400} == {"CARRIER"}


def test_the_4_port_card_goes_into_slot_4_from_r5_on_and_adds_ports_9_to_12() -> None:
    card = CATALOGUE.parts["EXP4"]
    assert (card.slots, card.expansion_ports, card.profiles) == ((4,), (9, 10, 11, 12), ("r5", "r6"))
    others = [part for part in ALL_PARTS if part is not card]
    assert not any(part.slots or part.expansion_ports for part in others)
    assert all(part.profiles == ("r4", "r5", "r6") for part in others)


def test_the_ip500() -> None:
    model = CATALOGUE.models["ip500"]
    assert (model.slots, model.expansion_ports, model.key_form, model.aux_button) == (4, 8, "smart-card", False)
    assert (model.identity, model.sys_descr) == ("500Slot4", "IP 500")
    assert dict(model.max_extensions) == {"r4": 272, "r5": 384, "r6": 384}
    capacities = model.capacities
    assert (capacities.vcm_channels, capacities.conference_parties, capacities.conference_analog_trunks) == (128, 64, 2)
    assert (capacities.users, capacities.analog_trunks, capacities.pri_channels) == (None, None, None)


def test_the_ip500_v2() -> None:
    model = CATALOGUE.models["ip500v2"]
    assert (model.slots, model.expansion_ports, model.key_form, model.aux_button) == (4, 8, "sd-card", True)
    assert (model.identity, model.sys_descr) == ("500v2IPOffice", "IP 500 V2")
    assert set(model.max_extensions.values()) == {384}
    capacities = model.capacities
    assert (capacities.users, capacities.vcm_channels, capacities.conference_parties) == (384, 148, 64)
    assert (capacities.data_channels, capacities.data_channels_voicemail) == (48, 40)
    assert capacities.data_channels_voicemail_extended == 44
    assert (capacities.analog_trunks, capacities.pri_channels) == (204, 240)
    assert (capacities.voicemail_channels, capacities.voicemail_hours) == (2, 15)


# Model, identity, sysDescr, slots, expansion ports, ports of its own, extensions of its own, most, releases, dongles.
IP400_MODELS = """
ip403   | R403DS                | IP 403               | trunk vcm           | 3  | DS 1-8, POT 1-2          | 10 | 100 | r4       | parallel usb
ip406v2 | R406DS                | IP 406 V2            | trunk trunk vcm     | 6  | DS 1-8, POT 1-2          | 10 | 190 | r4 r5 r6 | parallel usb serial
ip412   | 412                   | IP 412               | trunk trunk vcm vcm | 12 |                          | 0  | 360 | r4 r5 r6 | parallel usb serial
soe     | SmallOfficeEditionDS8 | Small Office Edition | trunk               | 0  | DS 1-8, POT 1-4, ATM 1-4 | 12 | 28  | r4 r5    | parallel usb serial
"""  # noqa: E501 - a table with a row for each model


@pytest.mark.parametrize("line", IP400_MODELS.strip().splitlines(), ids=IP400)
def test_an_ip400_system(line: str) -> None:
    code, identity, descr, slots, expansion, ports, own, most, profiles, dongles = map(str.strip, line.split("|"))
    model = CATALOGUE.models[code]
    assert (model.identity, model.sys_descr, model.key_form) == (identity, descr, "dongle")
    assert (" ".join(model.slot_kinds), model.slots) == (slots, len(slots.split()))
    assert (model.expansion_ports, model.extensions) == (int(expansion), int(own))
    assert ", ".join(f"{run.kind} {run.first}-{run.first + run.count - 1}" for run in model.ports) == ports
    assert model.release_profiles == tuple(profiles.split())
    assert dict(model.max_extensions) == dict.fromkeys(profiles.split(), int(most))
    assert model.dongles == tuple(f"dongle-{plug}" for plug in dongles.split())
    assert (model.runs_without_key, model.aux_button, model.takes_base_cards) == (True, False, False)
    assert {model.edition_profile(profile) for profile in model.release_profiles} <= {"ip400", "ip400-r6"}


def test_an_ip500_halts_without_its_key_and_an_ip400_system_does_not() -> None:
    assert {code: model.runs_without_key for code, model in CATALOGUE.models.items()} == {
        **dict.fromkeys(BOTH, False),
        **dict.fromkeys(IP400, True),
    }


def test_documented_totals_are_met_by_what_can_be_fitted() -> None:
    """The arithmetic by which the limits were inferred: hardware.md 4.1 and 7."""
    parts = CATALOGUE.parts
    pots, modules = parts["POT8"], parts["DS30"]
    assert 4 * pots.extensions + 8 * modules.extensions == CATALOGUE.models["ip500"].max_extensions["r4"]
    assert 3 * pots.extensions + 12 * modules.extensions == CATALOGUE.models["ip500"].max_extensions["r5"]
    vcm = parts["VCM64"]
    assert vcm.vcm_channels * (vcm.limit or 0) == CATALOGUE.models["ip500"].capacities.vcm_channels
    trunks = 12 * parts["ATM16"].trunk_channels + 3 * parts["ATM4"].trunk_channels
    assert trunks == CATALOGUE.models["ip500v2"].capacities.analog_trunks
    assert 4 * parts["PRI-2"].trunk_channels == CATALOGUE.models["ip500v2"].capacities.pri_channels
