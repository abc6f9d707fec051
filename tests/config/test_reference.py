"""The reference page: whole, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipo_sim.config import connection_entries, entries, entry, source, yaml_nodes
from ipo_sim.config.build import RELEASES
from ipo_sim.config.load import load_text

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_its_examples_load(text: str) -> None:
    loaded = load_text(text, "example.yaml")
    assert loaded.units
    assert loaded.warnings == ()


def test_it_names_every_setting() -> None:
    names = {**vars(entries), **vars(connection_entries)}
    kinds = [kind for kind in names.values() if isinstance(kind, type) and issubclass(kind, entry.Entry)]
    settings = {name for kind in kinds for name in kind.model_fields}
    assert len(settings) > 40
    assert {name for name in settings if f"`{name}`" not in PAGE and f"`{name}:" not in PAGE} == set()


@pytest.mark.parametrize(
    "fact",
    [
        f"| size of a file | {source.MAX_BYTES // 1024**2} MiB |",
        f"| depth | {yaml_nodes.MAX_DEPTH} |",
        f"| values | {yaml_nodes.MAX_NODES:,} |",
        f"| units | {entries.MAX_UNITS:,} |",
        f"| texts | {entry.MAX_TEXT} characters |",
        f"at most {entries.MAX_LICENCES:,} |",
        f"{entries.MIN_TIME_SCALE} to {entries.MAX_TIME_SCALE:,}",
        f"at most {entries.MAX_DURATION_S // 86_400} days",
        f"| `release` | {', '.join(f'`{release}`' for release in RELEASES.values())} |",
    ],
)
def test_its_limits_are_those_of_the_loader(fact: str) -> None:
    assert fact in PAGE
