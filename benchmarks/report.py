"""Figures as lines for a terminal, as JSON, and as tables of a page."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.measure import Figure, Target
from benchmarks.process import HarnessError, mosquitto_program

VERDICTS = {True: "met", False: "missed", None: ""}
_HEADER = "| figure | here | reference | ratio | target | verdict |\n|---|---:|---:|---:|---|---|"
_MACHINE = "machine"


def line(figure: Figure) -> str:
    """One figure for a terminal."""
    words = [f"  {figure.name}: {_amount(figure, figure.value)}, {figure.ratio:.2f} x {figure.reference}"]
    if figure.target is not None:
        words.append(f"target {_target(figure.target, figure)}: {VERDICTS[figure.met]}")
    return "; ".join(words)


def as_json(groups: Mapping[str, Iterable[Figure]]) -> str:
    """All figures as one JSON object."""
    return json.dumps({name: [_fields(figure) for figure in figures] for name, figures in groups.items()}, indent=2)


def write(page: Path, groups: Mapping[str, Iterable[Figure]]) -> None:
    """Put the figures into a page, between the marks of their groups; HarnessError when it has no such marks."""
    text = page.read_text()
    for name, figures in groups.items():
        text = _put(text, name, f"{_HEADER}\n" + "\n".join(map(_row, figures)))
    page.write_text(_put(text, _MACHINE, machine()))


def machine() -> str:
    """The machine in words that tell nobody whose it is."""
    release = Path("/etc/os-release")
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if release.exists() else platform.system()
    return (
        f"{os.cpu_count()} virtual cores that others use too, {system}, {platform.python_implementation()}"
        f" {platform.python_version()}, {_mosquitto_version()}."
    )


def _mosquitto_version() -> str:
    try:
        program = mosquitto_program()
    except HarnessError:
        return "no mosquitto"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    return said.splitlines()[0].replace("version ", "")


def _put(text: str, name: str, content: str) -> str:
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not marks.search(text):
        raise HarnessError(f"the page has no place for {name}: <!-- {name} --> and <!-- /{name} -->")
    return marks.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def _row(figure: Figure) -> str:
    target = _target(figure.target, figure) if figure.target else ""
    name = f"{figure.name} ({figure.note})" if figure.note else figure.name
    cells = [name, _amount(figure, figure.value), _amount(figure, figure.reference_value), f"{figure.ratio:.2f}"]
    return f"| {' | '.join([*cells, target, VERDICTS[figure.met]])} |"


def _target(target: Target, figure: Figure) -> str:
    sense = "at least" if target.at_least else "at most"
    return f"{sense} {target.limit:g} x" if target.of_ratio else f"{sense} {target.limit:,g} {figure.unit}"


def _amount(figure: Figure, value: float) -> str:
    return f"{value:,.{figure.digits}f} {figure.unit}"


def _fields(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "reference": {"what": figure.reference, "value": figure.reference_value},
        "ratio": figure.ratio,
        "target": _target(figure.target, figure) if figure.target else None,
        "verdict": VERDICTS[figure.met],
        "note": figure.note,
        "rounds": figure.pair._asdict(),
    }


def say(text: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
