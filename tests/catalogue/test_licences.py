"""The licence catalogue, row by row, and the editions that it makes: lists of their own, typed from the documents."""

from __future__ import annotations

import re

import pytest

from ipo_sim.catalogue.licences import KNOWN_FEATURES
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Consumption, EditionRule, LicenceKind, LicenceType, OnExhaustion
from ipo_sim.core import pools

CATALOGUE = load_catalogue()
UPGRADE = "IP500 Upgrade Standard to Professional"
VOICEMAIL = ("Voicemail Pro (4 ports)", "Preferred Edition")
KINDS = {
    "F": LicenceKind.FEATURE,
    "U": LicenceKind.USERS,
    "P": LicenceKind.PORTS,
    "F+P": LicenceKind.FEATURE_AND_PORTS,
}
TAKEN = {
    "-": Consumption.NONE,
    "cfg": Consumption.CONFIGURED,
    "use": Consumption.IN_USE,
    "reg": Consumption.REGISTRATION,
}

# Code (for ever), name, public id, kind, packs, consumed, profiles. The order is that of the documents.
TABLE = """
1  | IP500 Upgrade Standard to Professional          | -  | F   | 1               | -   | all
2  | IP500 VCM Channels                              | -  | P   | 4, 8, 16, 28, 60 | use | r4 r5
3  | IP500 Universal PRI (additional channels)       | -  | P   | 2, 8, 22, 32    | use | all
4  | IP500 Voice Networking (base 4 channels)        | 41 | F+P | 4               | use | all
5  | IP500 Voice Networking (additional channels)    | 41 | P   | 4               | use | all
6  | Small Community Networking                      | -  | F   | 1               | -   | all
7  | Advanced SCN                                    | -  | F   | 1               | -   | all
8  | SIP Trunk Channels                              | 45 | P   | 1, 5, 10, 20    | use | all
9  | Voicemail Pro (4 ports)                         | 18 | F+P | 4               | use | all
10 | Additional Voicemail Pro (ports)                | 18 | P   | 2, 4, 8, 16     | use | all
11 | Audix Voicemail                                 | -  | F   | 1               | -   | all
12 | VMPro Database Interface                        | -  | F   | 1               | use | all
13 | VMPro VB Script                                 | -  | F   | 1               | use | all
14 | VMPro Networked Messaging                       | -  | F   | 1               | use | all
15 | VMPro Recordings Administrators                 | -  | F   | 1               | use | all
16 | VMPro Outlook Interface                         | -  | F   | 1               | use | all
17 | VMPro TTS (Generic)                             | -  | P   | 1               | use | all
18 | VMPro TTS (ScanSoft)                            | 31 | P   | 1               | use | all
19 | VMPro TTS (Professional)                        | 91 | P   | 1               | use | all
20 | UMS Web Services                                | -  | U   | 1, 5, 10, 20    | cfg | all
21 | Phone Manager Pro (users)                       | -  | U   | 1, 5, 10, 25, 50 | use | all
22 | Phone Manager Pro IP Audio Enabled (users)      | -  | U   | 1, 5, 10, 25, 50 | use | all
23 | SoftConsole / eConsole                          | -  | U   | 1               | use | all
24 | eBLF                                            | -  | F   | 1               | use | all
25 | Receptionist                                    | 16 | U   | 1               | cfg | all
26 | CTI Link Pro                                    | 2  | F+P | 1               | use | all
27 | Wave User                                       | 3  | P   | 4               | use | all
28 | IPSec Tunnelling                                | 36 | F   | 1               | -   | all
29 | Mobility Features                               | -  | U   | 1, 5, 10, 20    | cfg | all
30 | one-X Portal for IP Office                      | -  | U   | 5               | use | all
31 | Microsoft CRM Integration                       | -  | U   | 5               | use | all
32 | CCC Server                                      | -  | F   |                 | use | all
33 | CCC Supervisors                                 | -  | U   |                 | use | all
34 | CCC Agents                                      | -  | U   |                 | use | all
35 | CCC PC Wallboards                               | -  | U   |                 | use | all
36 | CCC Spectrum Wallboards                         | -  | U   |                 | use | all
37 | CCC Email/Chat                                  | -  | F   |                 | use | all
38 | CCC Designer                                    | -  | F   |                 | use | all
39 | Compact Business Center                         | -  | F   |                 | use | all
40 | Conferencing Center                             | -  | F   |                 | use | all
41 | Report Viewer                                   | -  | U   |                 | use | all
42 | Proactive Reporting                             | -  | F   |                 | use | all
43 | Small Office Edition VCM                        | -  | P   |                 | use | all
44 | Small Office Edition WiFi                       | -  | F   |                 | -   | all
45 | 3rd Party IP Endpoints                          | 21 | P   | 1, 5, 10, 20    | reg | all
46 | Avaya IP Endpoints                              | 62 | P   | 1, 5, 20        | reg | r6
47 | Channel Migration                               | -  | P   |                 | reg | r6
48 | Essential Edition                               | 86 | F   | 1               | -   | r6
49 | Essential Edition Additional Voicemail Ports    | -  | P   | 2               | use | r6
50 | Preferred Edition                               | 92 | F+P | 4               | use | r6
51 | Preferred Edition Additional Voicemail Ports    | -  | P   |                 | use | r6
52 | Advanced Edition                                | -  | F   | 1               | -   | r6
53 | Office Worker                                   | 69 | U   |                 | cfg | r6
54 | Teleworker                                      | 65 | U   |                 | cfg | r6
55 | Power User                                      | 67 | U   |                 | cfg | r6
56 | Mobile Worker                                   | 66 | U   | 1, 5, 20        | cfg | r6
57 | Customer Service Agent                          | -  | U   |                 | cfg | r6
58 | Customer Service Supervisor                     | -  | U   |                 | cfg | r6
59 | Software upgrade licence                        | -  | F   | 1               | -   | none
"""
ROWS = [tuple(column.strip() for column in line.split("|")) for line in TABLE.strip().splitlines()]
ALL_LICENCES = list(CATALOGUE.licences.values())

PREREQUISITES: dict[str, tuple[tuple[str, ...], ...]] = {
    "IP500 VCM Channels": ((UPGRADE,),),
    "IP500 Voice Networking (additional channels)": (("IP500 Voice Networking (base 4 channels)",),),
    "Voicemail Pro (4 ports)": ((UPGRADE,),),
    "Additional Voicemail Pro (ports)": (VOICEMAIL,),
    "VMPro Database Interface": (VOICEMAIL,),
    "VMPro VB Script": (VOICEMAIL,),
    "VMPro Networked Messaging": (VOICEMAIL,),
    "VMPro Recordings Administrators": (VOICEMAIL,),
    "VMPro Outlook Interface": (VOICEMAIL,),
    "VMPro TTS (Generic)": (VOICEMAIL,),
    "VMPro TTS (ScanSoft)": (VOICEMAIL,),
    "VMPro TTS (Professional)": (VOICEMAIL,),
    "UMS Web Services": (VOICEMAIL,),
    "Phone Manager Pro IP Audio Enabled (users)": (("Phone Manager Pro (users)",),),
    "Mobility Features": ((UPGRADE,),),
    "Essential Edition Additional Voicemail Ports": (("Essential Edition",),),
    "Preferred Edition Additional Voicemail Ports": (("Preferred Edition",),),
    "Advanced Edition": (("Preferred Edition",),),
    "Office Worker": (("Preferred Edition",),),
    "Teleworker": (("Preferred Edition",),),
    "Power User": (("Preferred Edition",),),
    "Mobile Worker": (("Preferred Edition",),),
    "Customer Service Agent": (("Advanced Edition",),),
    "Customer Service Supervisor": (("Advanced Edition",),),
}
EXHAUSTION = {
    "IP500 VCM Channels": OnExhaustion.CALL_FAILS,
    "Small Office Edition VCM": OnExhaustion.CALL_FAILS,
    "IP500 Universal PRI (additional channels)": OnExhaustion.CALL_REJECTED,
    "Voicemail Pro (4 ports)": OnExhaustion.NO_VOICEMAIL,
    "Additional Voicemail Pro (ports)": OnExhaustion.NO_VOICEMAIL,
    "Essential Edition Additional Voicemail Ports": OnExhaustion.NO_VOICEMAIL,
    "VMPro Database Interface": OnExhaustion.FUNCTION_OFF,
    "VMPro VB Script": OnExhaustion.FUNCTION_OFF,
    "VMPro Networked Messaging": OnExhaustion.FUNCTION_OFF,
    "VMPro Recordings Administrators": OnExhaustion.FUNCTION_OFF,
    "VMPro Outlook Interface": OnExhaustion.FUNCTION_OFF,
    "UMS Web Services": OnExhaustion.USER_NOT_ENABLED,
    "Phone Manager Pro (users)": OnExhaustion.LITE,
    "Phone Manager Pro IP Audio Enabled (users)": OnExhaustion.NO_IP_AUDIO,
    "3rd Party IP Endpoints": OnExhaustion.CANNOT_REGISTER,
    "Avaya IP Endpoints": OnExhaustion.UNLICENSED_PHONE,
    "Channel Migration": OnExhaustion.UNLICENSED_PHONE,
    "Office Worker": OnExhaustion.PROFILE_REFUSED,
    "Teleworker": OnExhaustion.PROFILE_REFUSED,
    "Power User": OnExhaustion.PROFILE_REFUSED,
    "Mobile Worker": OnExhaustion.PROFILE_REFUSED,
}
SHARED_POOLS = {
    "voice-networking": {"IP500 Voice Networking (base 4 channels)", "IP500 Voice Networking (additional channels)"},
    "voicemail-pro-ports": {
        "Voicemail Pro (4 ports)",
        "Additional Voicemail Pro (ports)",
        "Preferred Edition",
        "Preferred Edition Additional Voicemail Ports",
    },
    "avaya-ip-endpoints": {"Avaya IP Endpoints", "Channel Migration"},
    "vcm-channels": {"IP500 VCM Channels", "Small Office Edition VCM"},
}


def test_the_catalogue_holds_every_documented_licence_and_no_other() -> None:
    assert list(CATALOGUE.licences_by_name) == [name for _, name, *_ in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=[name for _, name, *_ in ROWS])
def test_a_licence_is_as_documented_and_keeps_its_code(row: tuple[str, ...]) -> None:
    code, name, public_id, kind, packs, consumed, profiles = row
    licence = CATALOGUE.licences[int(code)]
    assert licence is CATALOGUE.licences_by_name[name]
    assert licence.licence_id == (1_000 + int(code) if public_id == "-" else int(public_id))
    assert (licence.kind, licence.consumption) == (KINDS[kind], TAKEN[consumed])
    assert ", ".join(map(str, licence.packs)) == packs
    assert licence.profiles == {"all": ("r4", "r5", "r6"), "none": ()}.get(profiles, tuple(profiles.split()))
    assert licence.prerequisites == PREREQUISITES.get(name, ())
    assert licence.on_exhaustion is EXHAUSTION.get(name, OnExhaustion.REFUSED)


@pytest.mark.parametrize("licence", ALL_LICENCES, ids=lambda licence: licence.name)
def test_a_pool_has_a_topic_safe_name_and_one_way_to_be_consumed(licence: LicenceType) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", licence.feature)
    pool = [other for other in ALL_LICENCES if other.feature == licence.feature]
    assert {other.consumption for other in pool} == {licence.consumption}
    names = {other.name for other in pool}
    assert names == SHARED_POOLS.get(licence.feature, {licence.name})


def test_some_licences_are_of_use_to_some_models_only() -> None:
    limited = {licence.name: licence.models for licence in ALL_LICENCES if licence.models != tuple(CATALOGUE.models)}
    ip500 = ("ip500", "ip500v2")
    assert limited == {
        "IP500 Upgrade Standard to Professional": ip500,
        "IP500 VCM Channels": ip500,
        "IP500 Universal PRI (additional channels)": ip500,
        "IP500 Voice Networking (base 4 channels)": ip500,
        "IP500 Voice Networking (additional channels)": ip500,
        "Small Office Edition VCM": ("soe",),
        "Small Office Edition WiFi": ("soe",),
    }


def test_what_a_licence_needs_in_the_slots() -> None:
    cards = {licence.name: licence.hardware for licence in ALL_LICENCES if licence.hardware}
    vcm = ("VCM32", "VCM64", "VCM32V2", "VCM64V2")
    ip400_vcm = tuple(f"VCM{channels}" for channels in (4, 5, 8, 10, 16, 20, 24, 30))
    any_vcm = (*vcm, "COMBO", "COMBO-BRI", *ip400_vcm)
    assert cards == {
        "IP500 VCM Channels": vcm,
        "IP500 Universal PRI (additional channels)": ("PRI-1", "PRI-2"),
        "SIP Trunk Channels": (*any_vcm, "soe"),
        "Avaya IP Endpoints": any_vcm,
    }


@pytest.mark.parametrize("licence", ALL_LICENCES, ids=lambda licence: licence.name)
def test_a_prerequisite_can_be_valid_wherever_the_licence_can(licence: LicenceType) -> None:
    for any_of in licence.prerequisites:
        usable = {profile for name in any_of for profile in CATALOGUE.licences_by_name[name].profiles}
        assert set(licence.profiles) <= usable


def rules(profile: str) -> dict[str, EditionRule]:
    return {rule.edition: rule for rule in CATALOGUE.editions[profile]}


def test_editions_come_in_the_order_in_which_they_are_decided() -> None:
    assert {profile: list(rules(profile)) for profile in CATALOGUE.editions} == {
        "r4": ["professional", "standard"],
        "r5": ["professional", "standard"],
        "r6": ["advanced", "preferred", "essential", "basic"],
        "ip400": ["none"],
        "ip400-r6": ["advanced", "preferred", "essential", "none"],
    }


@pytest.mark.parametrize("profile", ["ip400", "ip400-r6"])
def test_an_ip400_system_drives_its_modules_without_a_licence(profile: str) -> None:
    for rule in rules(profile).values():
        assert (rule.max_modules, rule.modules_any_of, rule.dormant_licences) == (12, (), frozenset())
        assert (rule.phones_licensed, rule.vcm_free_per_card) == (True, None)
        assert rule.ip_endpoints_free_per_channel == (3 if profile == "ip400-r6" else 0)


@pytest.mark.parametrize("profile", ["r4", "r5"])
def test_standard_edition_drives_no_module_and_professional_8_or_12(profile: str) -> None:
    standard, professional = rules(profile)["standard"], rules(profile)["professional"]
    assert (standard.any_of, standard.max_modules, standard.max_modules_extended) == ((), 0, 0)
    assert standard.modules_any_of == (UPGRADE,)
    assert (professional.any_of, professional.modules_any_of) == ((UPGRADE,), ())
    assert (professional.max_modules, professional.max_modules_extended) == (8, 12)
    assert (standard.max_users, professional.max_users) == (32, None)
    for rule in (standard, professional):
        assert (rule.vcm_free_per_card, rule.pri_free_channels, rule.sip_free) == (4, 8, 0)


def test_what_stays_dormant_without_the_professional_upgrade() -> None:
    dormant = rules("r5")["standard"].dormant_licences
    assert dormant == rules("r4")["standard"].dormant_licences
    assert dormant == {
        "IP500 VCM Channels",
        "IP500 Voice Networking (base 4 channels)",
        "IP500 Voice Networking (additional channels)",
        "Voicemail Pro (4 ports)",
        "Additional Voicemail Pro (ports)",
        "VMPro Database Interface",
        "VMPro VB Script",
        "VMPro Networked Messaging",
        "VMPro Recordings Administrators",
        "VMPro Outlook Interface",
        "VMPro TTS (Generic)",
        "VMPro TTS (ScanSoft)",
        "VMPro TTS (Professional)",
        "Phone Manager Pro (users)",
        "CTI Link Pro",
        "Mobility Features",
        "one-X Portal for IP Office",
        "CCC Server",
        "CCC Supervisors",
        "CCC Agents",
        "CCC PC Wallboards",
        "CCC Spectrum Wallboards",
        "CCC Email/Chat",
        "CCC Designer",
    }
    others = [rule for rules in CATALOGUE.editions.values() for rule in rules if rule.edition != "standard"]
    assert not any(rule.dormant_licences for rule in others)


@pytest.mark.parametrize("edition", ["advanced", "preferred", "essential", "basic"])
def test_an_edition_of_r6_drives_modules_by_either_of_two_licences(edition: str) -> None:
    rule = rules("r6")[edition]
    assert rule.any_of == (() if edition == "basic" else (f"{edition.capitalize()} Edition",))
    assert (rule.max_modules, rule.max_modules_extended) == (8, 12)
    assert rule.modules_any_of == (UPGRADE, "Essential Edition")
    assert (rule.vcm_free_per_card, rule.pri_free_channels, rule.ip_endpoints_free_per_card) == (None, 8, 12)
    assert rule.ip_endpoints_free_per_channel == 3
    assert (rule.sip_free, rule.sip_max) == ((3, 20) if edition == "basic" else (0, None))


@pytest.mark.parametrize("profile", ["r4", "r5", "r6"])
def test_editions_are_decided_by_licences_that_their_profile_uses(profile: str) -> None:
    for rule in CATALOGUE.editions[profile]:
        for name in (*rule.any_of, *rule.modules_any_of, *rule.dormant_licences):
            assert profile in CATALOGUE.licences_by_name[name].profiles, (rule.edition, name)


def test_the_pools_that_the_core_knows_by_name_are_those_that_the_loader_asks_for() -> None:
    named = {pools.VCM, pools.PRI, pools.SIP, pools.VOICEMAIL, pools.AVAYA_ENDPOINTS, pools.THIRD_PARTY_ENDPOINTS}
    assert named == KNOWN_FEATURES
