"""`ipo-sim faults`: what can be made to fail."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from ipo_sim.catalogue.faults import FaultOption, FaultTarget, FaultType, OptionKind
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.terminal import print_json, table
from ipo_sim.core.model import SECOND_NS

_WHERE = {
    FaultTarget.PART: "path=PLACE of a part",
    FaultTarget.PLACE: "path=PLACE",
    FaultTarget.KEY_SERVER: "reader of a key server",
}


def main(arguments: Namespace) -> int:
    """List the catalogue of faults."""
    kinds = list(load_catalogue().faults.values())
    if arguments.json:
        print_json([_facts(kind) for kind in kinds])
        return EXIT_OK
    print("\n".join(_lines(kinds)))
    return EXIT_OK


def _lines(kinds: list[FaultType]) -> Iterator[str]:
    head = ("FAULT", "OF", "STRIKES", "OPTIONS", "WHAT FAILS")
    rows = [
        (kind.name, _WHERE.get(kind.target, kind.target), f"{_often(kind)}", _options(kind), kind.title)
        for kind in kinds
    ]
    yield from table(rows, head)
    yield ""
    life = "[start=S] [duration=S] [probability=P] [clear_after=N]"
    yield f"ipo-sim ctl UNIT inject-fault fault=FAULT [path=PLACE] {life}"
    yield "ipo-sim ctl UNIT clear-fault fault=ID"


def _often(kind: FaultType) -> str:
    return "once" if kind.chance == "once" else f"at each {kind.chance}"


def _options(kind: FaultType) -> str:
    return " ".join(f"{name}={_default(option)}" for name, option in kind.options.items()) or "-"


def _default(option: FaultOption) -> str:
    if option.kind is OptionKind.SECONDS:
        return f"{int(option.default) / SECOND_NS:g}s"
    return option.default


def _facts(kind: FaultType) -> dict[str, object]:
    options = {
        name: {"kind": option.kind, "default": _default(option), **_bounds(option)}
        for name, option in kind.options.items()
    }
    return {
        "fault": kind.name,
        "title": kind.title,
        "target": kind.target,
        "chance": kind.chance,
        "options": options,
        "grade": kind.grade,
    }


def _bounds(option: FaultOption) -> dict[str, float]:
    if option.kind is OptionKind.SERIAL:
        return {}
    scale = SECOND_NS if option.kind is OptionKind.SECONDS else 1
    return {"low": option.low / scale, "high": option.high / scale}
