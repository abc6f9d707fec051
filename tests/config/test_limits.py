"""Files that are too large, too deep, or larger than they look."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ipo_sim.config import entries, source, yaml_nodes
from ipo_sim.config.load import load_config, load_text
from ipo_sim.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "x.yaml")
    return str(caught.value)


def test_a_file_beyond_the_size_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(1024 * source.MAX_BYTES)
    with pytest.raises(ConfigError, match=r"large.yaml: larger than 8192 KiB; describe many units by one entry"):
        load_config(path)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_is_refused_before_a_parser_falls_over_it(opening: str) -> None:
    assert "nested more than 16 deep" in refusal(opening * 500_000)


def test_nesting_within_the_limit_is_no_syntax_error() -> None:
    deep = "[" * yaml_nodes.MAX_DEPTH + "]" * yaml_nodes.MAX_DEPTH
    assert refusal(f"{deep}") == "x.yaml:1:1: a list where a mapping of settings belongs"
    assert refusal(f"[{deep}]") == "x.yaml:1:17: nested more than 16 deep"


def test_nesting_by_aliases_is_refused_too() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 30)]
    assert "nested more than 16 deep" in refusal("\n".join(lines))


@pytest.mark.parametrize("line", ["a{0}: &a{0} [{1}]", "a{0}: &a{0} {{{2}}}", "a{0}: &a{0} {{<<: [{1}]}}"])
def test_a_bomb_of_aliases_is_refused(line: str) -> None:
    lines = ["a0: &a0 {x: y}"]
    for n in range(1, 10):
        once = f"*a{n - 1}"
        lines.append(line.format(n, ", ".join([once] * 10), ", ".join(f"k{k}: {once}" for k in range(10))))
    assert "more than 1000000 values, aliases counted at each use" in refusal("\n".join(lines))


def test_too_many_values_are_refused_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_NODES", 100)
    assert "more than 100 values" in refusal("[" + "a, " * 300 + "]")


def test_units_and_licences_are_counted() -> None:
    row = "  - {model: ip500}\n"
    assert refusal("units:\n" + row * (entries.MAX_UNITS + 1)) == "x.yaml:2:3: units: too long: at most 10000 entries"
    keys = ", ".join(["2vAHyzUXcjjyyV3pkFLbZzFQ6wkRRRRR"] * (entries.MAX_LICENCES + 1))
    assert "licences: too long: at most 100000 entries" in refusal(f"units: [{{model: ip500, licences: [{keys}]}}]")


def test_texts_are_bounded() -> None:
    assert "units[0].system_name: too long: at most 256 characters" in refusal(
        f"units: [{{model: ip500, system_name: {'a' * 257}}}]"
    )
    assert "units[0].name: too long: at most 64 characters" in refusal(f"units: [{{model: ip500, name: {'a' * 65}}}]")


@pytest.mark.parametrize("number", ["9" * 5000, "0b" + "1" * 20_000, "1" * 400 + ".0", "1" + ":59" * 300])
def test_monstrous_numbers(number: str) -> None:
    assert "units[0].count: " in refusal(f"units: [{{model: ip500, count: {number}}}]")


def test_ten_thousand_units_are_within_the_limits() -> None:
    assert len(load_text("units: [{model: ip500, count: 10000}]", "x.yaml").units) == 10_000


def test_the_pure_loader_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class PureLoader(yaml.SafeLoader):
        pass

    monkeypatch.setattr(yaml_nodes, "Loader", PureLoader)
    assert "nested more than 16 deep" in refusal("[" * 100_000)
    assert refusal("units: [").startswith("x.yaml:1:9: not valid YAML: ")
    assert refusal('a: "\x01"') == "x.yaml:1: not valid YAML: special characters are not allowed"
    assert len(load_text("units: [{model: ip500}]", "x.yaml").units) == 1
