"""Each rule of the loader, tried on the real data files with one mistake put in."""

from __future__ import annotations

from importlib.resources import files

import pytest

from ipo_sim.catalogue.load import build_catalogue
from ipo_sim.catalogue.source import Cell, parse, read
from ipo_sim.errors import CatalogueError

UPGRADE = "IP500 Upgrade Standard to Professional"


def text_of(file: str) -> str:
    return files("ipo_sim.catalogue").joinpath(file).read_text(encoding="utf-8")


def mistake(file: str, old: str, new: str) -> str:
    """What the loader says when the first `old` of a file is replaced."""
    original = text_of(file)
    assert old in original

    def source(name: str) -> Cell:
        return parse(name, original.replace(old, new, 1).encode()) if name == file else read(name)

    with pytest.raises(CatalogueError) as error:
        build_catalogue(source)
    return str(error.value)


HARDWARE = [
    ("carries_daughter: true, extensions: 8", "carries_daughter: maybe", "DS8: expected true or false, not 'maybe'"),
    ("ports: [DS 1-8]", "ports: [DS 8-1]", "DS8: expected ports such as 'DS 1-8', not 'DS 8-1'"),
    ("ports: [DS 1-8]", "ports: [XX 1-8]", "DS8: expected ports such as 'DS 1-8', not 'XX 1-8'"),
    ("name: DS8, ", "name: DS8, colour: grey, ", "DS8: unknown field 'colour'"),
    ("name: DS8, ", "", "DS8: field 'name' is missing"),
    ("  POT8: {", "  DS8: {", "'DS8' stands twice"),
    ("  ATM4: {", "  DS8: {", "DS8: stands in two sections"),
    ("limit: 3", "limit: 0", "DS8: expected a whole number from 1 to 65535, not '0'"),
    ("limit: 4,", "limit: 5,", "POT2: the limits of group 'Phone 2 and Phone 8' differ"),
    ("profiles: [r5, r6]", "profiles: [r5, r7]", "EXP4: 'r7' is not in the catalogue"),
    ("models: [ip500v2]", "models: [ip600]", "COMBO: 'ip600' is not in the catalogue"),
    ("extensions: 8, grade: A}", "extensions: 8, grade: a}", "DS8: expected one of A, B, C, decision, not 'a'"),
    ("{r4: 272, r5", "{r5", "ip500: max_extensions must name every release profile"),
    ("slots: 4 ", "slots: 9 ", "ip500: expected a whole number from 1 to 8, not '9'"),
    ("vcm_channels: 128", "vcm: 128", "vcm: unknown field 'vcm'"),
    ("[red/green, alt, B]", "[red/green, blink, B]", "cpu.starting: 'blink' is not in the catalogue"),
    ("[red/green, alt, B]", "[blue, alt, B]", "cpu.starting: 'blue' is no colour of an LED"),
    ("[red/green, alt, B]", "[red/green, alt]", "cpu.starting: expected 3 columns, not 2"),
    ("cpu.starting:", "starting:", "starting: expected a name such as cpu.running"),
    ("flash: [0.5, 0.5]", "flash: [0, 0]", "flash: expected two durations, not both 0"),
    ("major, 18, A", "major, 14, A", "event 17 is cleared by 14, which is not in the list"),
    ("generic, major, null", "general, major, null", "15: expected one of generic, entity"),
    ("generic, major, null", "generic, urgent, null", "15: 'urgent' is not in the catalogue"),
    ("  15: [", "  fifteen: [", "fifteen: expected the number of an event"),
    ("alarms:", "alerts:", "field 'alarms' is missing"),
]

LICENCES = [
    ("{code: 2,", "{code: 1,", "IP500 VCM Channels: code 1 belongs to another licence"),
    ("{code: 1,", "{code: 0,", f"{UPGRADE}: expected a whole number from 1 to 65535, not '0'"),
    ("{code: 1,", "{code: 65536,", f"{UPGRADE}: expected a whole number from 1 to 65535, not '65536'"),
    ("id: 41,", "id: 1041,", "(base 4 channels): expected a whole number from 1 to 999, not '1041'"),
    ("feature: vcm-channels", "feature: VCM/Channels", "IP500 VCM Channels: 'VCM/Channels' cannot stand in a topic"),
    (f"[[{UPGRADE}]]", "[[Upgrade]]", "IP500 VCM Channels: 'Upgrade' is not in the catalogue"),
    ("hardware: [VCM32,", "hardware: [VCM33,", "IP500 VCM Channels: 'VCM33' is not in the catalogue"),
    ("profiles: [r4, r5]", "profiles: [r4, r4]", "IP500 VCM Channels: a value stands twice in the list"),
    ("models: [soe],", "models: [sog],", "Small Office Edition VCM: 'sog' is not in the catalogue"),
    ("kind: feature", "kind: option", f"{UPGRADE}: expected one of feature, users, ports, feature-and-ports"),
    ("consumption: none", "consumption: never", f"{UPGRADE}: expected one of none, configured, in-use, registration"),
    ("on_exhaustion: call-fails", "on_exhaustion: cut", "IP500 VCM Channels: expected one of refused, call-fails"),
    ("packs: [4, 8,", "packs: [0, 8,", "IP500 VCM Channels: expected a whole number from 1 to 65535, not '0'"),
    ("feature: pri-channels", "feature: more-channels", "no licence feeds pri-channels, from which calls and phones"),
    ("IP500 VCM Channels: {", f"{UPGRADE}: {{", f"'{UPGRADE}' stands twice"),
]

EDITIONS = [
    (f"any_of: [{UPGRADE}]", "any_of: [Upgrade]", "professional: 'Upgrade' is not in the catalogue"),
    (f"any_of: [{UPGRADE}]", "any_of: []", "standard: can never hold in profile r4: the one before always does"),
    ("edition: standard", "edition: professional", "professional: stands twice in profile r4"),
    ("    - IP500 VCM Channels", "    - VCM Channels", "standard: 'VCM Channels' is not in the catalogue"),
    ("max_modules_extended: 12", "max_modules_extended: 7", "professional: expected a whole number from 8 to 12"),
    (f"modules_any_of: [{UPGRADE}]", "", "standard: without modules, modules_any_of must name the licence"),
    ("profiles: [r4, r5]", "profiles: [r3]", "professional: 'r3' is not in the catalogue"),
    ("edition: basic", "edition: basic\n  any_of: [Voicemail Pro (4 ports)]", "profile r6 has no edition that always"),
    (
        "max_modules_extended: 12 ",
        f"dormant_licences: [{UPGRADE}]\n  max_modules_extended: 12 ",
        f"standard: lets '{UPGRADE}' be, which a higher edition of profile r4 holds back",
    ),
    ("edition: professional", "title: professional", "field 'edition' is missing"),
]

TIMINGS = [
    ("value: 5,", "value: five,", "module_delay_s: expected a number, not 'five'"),
    ("{value: 5, grade: decision}", "{value: 5}", "module_delay_s: field 'grade' is missing"),
    ("poll_s", "polling_s", "field 'poll_s' is missing"),
    ("poll_s", "again_s: {value: 1, grade: C}\npoll_s", "unknown field 'again_s'"),
]

DECT = [
    ("{value: 32, grade: A}", "{value: 0, grade: A}", "bases: expected a whole number from 1 to 65535, not '0'"),
    ("{value: 32, grade: A}", "{value: 32}", "bases: field 'grade' is missing"),
    ("handsets:", "phones:", "field 'handsets' is missing"),
]

MISTAKES = [
    (file, *row)
    for file, rows in (
        ("hardware.yaml", HARDWARE),
        ("licences.yaml", LICENCES),
        ("editions.yaml", EDITIONS),
        ("timings.yaml", TIMINGS),
        ("dect.yaml", DECT),
    )
    for row in rows
]


@pytest.mark.parametrize(("file", "old", "new", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_in_a_data_file_is_named(file: str, old: str, new: str, said: str) -> None:
    message = mistake(file, old, new)
    assert message.startswith(f"{file}:")
    assert said in message
    assert "\n" not in message


def test_a_mistake_is_named_with_its_line() -> None:
    line = text_of("timings.yaml").splitlines().index("poll_s: {value: 10, grade: decision}") + 1
    assert mistake("timings.yaml", "value: 10,", "value: ten,").startswith(f"timings.yaml:{line}: poll_s: ")
