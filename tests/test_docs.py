"""Documentation that cannot rot unseen: links lead somewhere, indexes are whole, what is generated is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("hardware/**/*.md")])

# What `make docs` writes: the arguments of `ipo-sim`, and the file.
GENERATED = re.findall(r"ipo-sim (schema \w+) >(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Names by which a page's headings can be linked to, made as forges make them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Links of a page to files or headings that are not there."""
    dead = []
    for link in LINK.finditer(FENCE.sub("", page.read_text())):
        target = page.parent / link["path"] if link["path"] else page
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            dead.append(link.group())
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One Heading\n[a](#one-heading) [b](page.md) [c](lost.md) [d](page.md#lost) [e](https://example.org/)\n"
    )
    assert dead_links(page) == ["[c](lost.md)", "[d](page.md#lost)"]


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").glob("*/**/*.md")), ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_page_is_in_the_index_above_it(page: Path) -> None:
    index = (page.parent.parent if page.name == "README.md" else page.parent) / "README.md"
    assert f"({page.relative_to(index.parent)})" in index.read_text(), f"{index.relative_to(ROOT)} does not name it"


@pytest.mark.parametrize(("arguments", "path"), GENERATED)
def test_generated_pages_say_what_the_program_says(arguments: str, path: str) -> None:
    program = [sys.executable, "-c", "import sys; from ipo_sim.cli.main import main; sys.exit(main())"]
    said = subprocess.run([*program, *arguments.split()], cwd=ROOT, check=True, capture_output=True).stdout
    assert (ROOT / path).read_bytes() == said, "run `make docs`"
