"""`python -m benchmarks [GROUP...]`: measures, prints, and with --write puts the figures into the documentation.

Exit code 0 whatever the figures are: a verdict is a word in the report. 1: they could not be measured.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks import report
from benchmarks.measure import QUICK, Effort, Figure
from benchmarks.process import HarnessError
from ipo_sim.cli.main import GARBAGE_THRESHOLDS

# Quiet ones first: what runs long warms the machine up.
GROUPS = ("start", "memory", "idle", "latency", "readers", "runtime", "core", "licensing", "kit")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the groups that are asked for, all by default."""
    arguments = _parser().parse_args(argv)
    effort = QUICK if arguments.quick else Effort()
    threshold = gc.get_threshold()
    gc.set_threshold(*GARBAGE_THRESHOLDS)  # as the daemon has it
    try:
        groups = {name: _measure(name, effort, quiet=arguments.json) for name in arguments.groups or GROUPS}
        if arguments.write:
            report.write(arguments.write, groups)
    except HarnessError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 1
    finally:
        gc.set_threshold(*threshold)
    if arguments.json:
        report.say(report.as_json(groups))
    return 0


def _measure(name: str, effort: Effort, *, quiet: bool) -> list[Figure]:
    """The group's module is imported now: what it loads is not in the way of the others."""
    module = import_module(f"benchmarks.{name}")
    figures = []
    if not quiet:
        report.say(f"{name}: {(module.__doc__ or name).splitlines()[0]}")
    for figure in module.figures(effort):
        figures.append(figure)
        if not quiet:
            report.say(report.line(figure))
    return figures


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="The project's figures beside references.")
    parser.add_argument("groups", metavar="GROUP", nargs="*", choices=[[], *GROUPS], help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and events: less sure, done in a minute")
    parser.add_argument("--json", action="store_true", help="print JSON, every round included")
    parser.add_argument("--write", metavar="PAGE", type=Path, help="put the figures into this page of the docs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
