"""docs/reference/catalogue.md says what the data files say: its tables are theirs, its sources the ones they name."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.states import load_states
from ipo_sim.catalogue.types import EditionRule, LicenceType, OnExhaustion, PartType

CATALOGUE = load_catalogue()
DOCUMENT = (Path(__file__).parents[2] / "docs" / "reference" / "catalogue.md").read_text(encoding="utf-8")
FILES = ("hardware.yaml", "licences.yaml", "editions.yaml", "timings.yaml", "dect.yaml", "faults.yaml")


def table(heading: str) -> list[str]:
    """Rows of the first table of a section."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    match = re.search(r"\|---[-|]*\|\n((?:\|.*\|\n)+)", section)
    assert match is not None
    return match[1].splitlines()


def row(*columns: object) -> str:
    return f"| {' | '.join(str(column) for column in columns)} |"


def words(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values) or "-"


def part_row(part: PartType) -> str:
    runs = tuple(f"{run.kind} {run.first}-{run.first + run.count - 1}" for run in part.ports)
    group = f" ({part.limit_group})" if part.limit_group else ""
    most = f"{part.limit}{group}" if part.limit else "-"
    return row(
        f"`{part.code}`",
        part.place,
        part.identity,
        part.name,
        words(runs),
        words(part.models),
        words(part.profiles),
        most,
    )


def licence_row(licence: LicenceType) -> str:
    needs = "; ".join(" or ".join(any_of) for any_of in licence.prerequisites)
    if licence.hardware:
        needs = "; ".join(filter(None, (needs, f"one of {words(licence.hardware)}")))
    return row(
        licence.code,
        licence.name,
        f"`{licence.feature}`",
        licence.licence_id,
        licence.kind,
        words(licence.packs),
        needs or "-",
        licence.consumption,
        licence.on_exhaustion,
        words(licence.profiles),
        "all" if licence.models == tuple(CATALOGUE.models) else words(licence.models),
        licence.grade,
    )


def edition_row(rule: EditionRule) -> str:
    return row(
        rule.profile,
        rule.edition,
        words(rule.any_of),
        rule.max_modules,
        rule.max_modules_extended,
        words(rule.modules_any_of),
    )


def test_the_table_of_parts_is_the_catalogue_s() -> None:
    assert table("Parts") == [part_row(part) for part in CATALOGUE.parts.values()]


def test_the_table_of_licences_is_the_catalogue_s() -> None:
    assert table("Licences") == [licence_row(licence) for licence in CATALOGUE.licences.values()]


def test_the_table_of_editions_is_the_catalogue_s() -> None:
    assert table("Editions") == [edition_row(rule) for rules in CATALOGUE.editions.values() for rule in rules]


def test_every_way_of_running_out_is_explained() -> None:
    after = DOCUMENT.split("| when none is left | the next use |")[1]
    explained = re.findall(r"^\| `([a-z-]+)` \| [a-z]", after, re.MULTILINE)
    assert explained == list(OnExhaustion)


def test_every_source_that_a_data_file_names_is_listed_and_no_other() -> None:
    data = "".join(files("ipo_sim.catalogue").joinpath(name).read_text(encoding="utf-8") for name in FILES)
    comments = "".join(re.findall(r"#.*", data))
    named = set(re.findall(r"\[([A-Z][A-Za-z0-9-]*)\]", comments))
    listed = {mark for line in table("Sources") for mark in line.split("|")[1].replace(",", " ").split()}
    assert named == listed


def test_the_limits_of_an_ip_dect_system_are_listed() -> None:
    limits = CATALOGUE.dect
    assert table("IP DECT") == [
        row(f"`{name}`", getattr(limits, name), limits.grades[name]) for name in limits._fields if name != "grades"
    ]


def test_the_table_of_faults_is_the_catalogue_s() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "faults.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \| (\S+) \| (\S+) \| (.+?) \| (.+?) \| (\S+) \|$", page, re.MULTILINE)
    rows = [(kind.name, kind.target, kind.chance, kind.title, kind.grade) for kind in CATALOGUE.faults.values()]
    assert [(name, of, chance, title, grade) for name, of, chance, _, title, grade in told] == rows
    options = [re.findall(r"`([a-z]+)`", options) for _, _, _, options, _, _ in told]
    assert options == [list(kind.options) for kind in CATALOGUE.faults.values()]


def test_the_tables_of_states_and_feature_sets_are_the_catalogue_s() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", page, re.MULTILINE))
    states, sets = load_states()
    assert {name: told[name] for name in (*states, *sets)} == {
        **{state.name: state.title for state in states.values()},
        **{each.name: each.title for each in sets.values()},
    }
