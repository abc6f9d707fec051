"""The options of `ipo-sim journal`. It imports nothing that only its commands need."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from ipo_sim.cli.parsing import Commands, Parser, add_command, add_json, add_state_dir, whole

MODULE = "journal.show"
MAX_NUMBER = 1_000_000_000

_SOURCE = """\
The journal is that of the state directory, also while a daemon runs there; --file takes an export, a report, or a
journal.sqlite instead. A POINT is the number of an event, or a moment of simulation time such as 2026-01-05T14:00:00Z.
"""
_VERIFY = """\
Looks at every row: none is altered, missing, or in another place than that in which it was written. The exit code is 1
if one is. The last hashes, noted elsewhere, also tell whether somebody wrote the whole file anew.
"""
_REPLAY = """\
Goes through histories once more with this version, from their beginning: every event must be accepted, every deadline
come when it came, and a snapshot that was written be equal. The exit code is 1 if it comes to something else.
"""
_EXPORT = """\
Writes the whole journal as JSON Lines, which all commands here read by --file. It holds the secret that licence keys
are bound with; --without-secrets puts the public one in its place, and keys that judge the same.
"""
_DIFF = """\
Tells where two journals part and what is different at their ends: with OTHER those of another state directory or file,
with --between two points of one history. The exit code is 1 if something is different.
"""


_REWIND = """\
Takes all units of a stopped daemon back to a POINT, and time with them: the next daemon starts from there. What came
after it stays in the journal, as an older epoch. While a daemon runs, `ipo-sim ctl UNIT rewind` does the same.
A POINT is the number of an event of --unit, or a moment of simulation time such as 2026-01-05T14:00:00Z.
"""


_ATTACH = """\
Writes one file for a bug report: the journal, versions, whether the journal is whole and replays to the same, and if
given configuration and log. Passwords, secrets and tokens are removed, and licence keys issued anew so that they judge
as before; names, serials and addresses stay. Look into it before you send it: it is a zip file of texts.
"""
DEFAULT_REPORT = "ipo-sim-report.zip"
DEFAULT_LINES = 2_000


class Point(NamedTuple):
    """The number of an event, or else a moment in nanoseconds since 1970."""

    seq: int | None
    at: int | None


def add_journal(commands: Commands, text: str) -> None:
    """`journal`, with its commands."""
    parser = commands.add_parser("journal", help=text, description=f"{text.capitalize()}.")
    below = parser.add_subparsers(metavar="COMMAND", dest="journal_command", required=True)
    _add_show(below)
    _add_replay(below)
    _add_at(below)
    _add_verify(below)
    _add_export(below)
    _add_diff(below)
    _add_rewind(below)
    _add_why(below)
    _add_attach(below)


def _add_show(commands: Commands) -> None:
    example = "ipo-sim journal show --unit bench-1 --last 20\nipo-sim journal show --type feature-key-removed --json"
    show = _command(commands, "show", "list units, epochs and events", example)
    _add_selection(show)
    show.add_argument("--since", metavar="POINT", type=point, help="from this event or moment on")
    show.add_argument("--until", metavar="POINT", type=point, help="up to this event or moment")
    show.add_argument("--type", metavar="TYPE", action="append", help="only events of this type; may be repeated")
    show.add_argument("--cause", metavar="TEXT", help="only events whose cause holds this text")
    show.add_argument("--last", metavar="N", type=whole(0, MAX_NUMBER), help="of these, the last N; 0: none")
    add_json(show)


def _add_replay(commands: Commands) -> None:
    example = "ipo-sim journal replay\nipo-sim journal replay --unit bench-1 --until 118"
    replay = _command(commands, "replay", "go through histories with this version", example, _REPLAY)
    _add_selection(replay)
    replay.add_argument("--until", metavar="POINT", type=point, help="up to this event or moment; by default all")
    add_json(replay)


def _add_at(commands: Commands) -> None:
    example = "ipo-sim journal at bench-1 118\nipo-sim journal at bench-1 2026-01-05T14:00:00Z --json"
    at = _command(commands, "at", "show the whole state of a unit as it was", example)
    at.add_argument("unit", metavar="UNIT", help="name of the unit")
    at.add_argument("point", metavar="POINT", type=point, help="after this event, or at this moment")
    at.add_argument(
        "--epoch", metavar="N", type=whole(1, MAX_NUMBER), help="epoch of the unit; the present one by default"
    )
    at.add_argument("--all", action="store_true", help="with LEDs and empty places")
    add_json(at)


def _add_why(commands: Commands) -> None:
    example = "ipo-sim journal why bench-1 expansion/1\nipo-sim journal why bench-1 unit --at 118 --file report.zip"
    why = _command(commands, "why", "tell the chain of causes of a state as it was", example)
    why.add_argument("unit", metavar="UNIT", help="name of the unit")
    why.add_argument("path", metavar="PATH", help="what to explain: unit, feature-key, slots/1, licences/2, ...")
    when = "after this event, or at this moment; by default at the end"
    why.add_argument("--at", metavar="POINT", dest="point", type=point, help=when)
    why.add_argument("--epoch", metavar="N", type=whole(1, MAX_NUMBER), help="epoch; by default the present one")
    add_json(why)


def _add_verify(commands: Commands) -> None:
    verify = _command(commands, "verify", "check that no row was altered or lost", "ipo-sim journal verify", _VERIFY)
    add_json(verify)


def _add_export(commands: Commands) -> None:
    example = "ipo-sim journal export bench.jsonl\nipo-sim journal export | jq -r 'select(.kind == \"event\") | .type'"
    export = _command(commands, "export", "write the journal as JSON Lines", example, _EXPORT)
    export.add_argument("output", metavar="OUTPUT", nargs="?", default="-", help="file to write; - prints, the default")
    export.add_argument("--without-secrets", action="store_true", help="with the public secret, and keys to match")


def _add_diff(commands: Commands) -> None:
    example = "ipo-sim journal diff other-state-dir\nipo-sim journal diff --unit bench-1 --between 100 118"
    diff = _command(commands, "diff", "compare two journals, or two points of one", example, _DIFF)
    diff.add_argument("other", metavar="OTHER", nargs="?", type=Path, help="state directory or file to compare with")
    _add_selection(diff)
    diff.add_argument("--between", metavar="POINT", nargs=2, type=point, help="two points of one unit's history")
    diff.add_argument("--facts", action="store_true", help="compare what happened, not when and by whom")
    add_json(diff)


def _add_rewind(commands: Commands) -> None:
    example = "ipo-sim journal rewind 118 --unit bench-1\nipo-sim journal rewind 2026-01-05T14:00:00Z"
    text = "take a stopped daemon's units back to a moment"
    rewind = add_command(commands, "rewind", "journal.rewind", text, example, description=_REWIND)
    rewind.add_argument("point", metavar="POINT", type=point, help="event or moment to go back to")
    rewind.add_argument("--unit", metavar="UNIT", help="whose event it is")
    add_state_dir(rewind)
    add_json(rewind)


def _add_attach(commands: Commands) -> None:
    example = "ipo-sim journal attach\nipo-sim journal attach report.zip --config bench.yaml --log ipo-sim.log"
    text = "write one file for a bug report, without secrets"
    attach = _command(commands, "attach", text, example, _ATTACH, module="journal.attach")
    what = f"file to write, {DEFAULT_REPORT} by default"
    attach.add_argument("output", metavar="OUTPUT", nargs="?", type=Path, default=Path(DEFAULT_REPORT), help=what)
    config = "configuration file; by default that of the daemon that runs there, if it is known"
    attach.add_argument("--config", metavar="CONFIG", type=Path, help=config)
    attach.add_argument("--log", metavar="LOG", type=Path, help="file with the daemon's log")
    last = f"of the log the last N lines, {DEFAULT_LINES:,} by default"
    attach.add_argument("--lines", metavar="N", type=whole(1, MAX_NUMBER), default=DEFAULT_LINES, help=last)
    add_json(attach)


def _command(
    commands: Commands, name: str, text: str, example: str, description: str = "", *, module: str = MODULE
) -> Parser:
    description = f"{description or f'{text[0].upper()}{text[1:]}.{chr(10)}'}\n{_SOURCE}"
    parser = add_command(commands, name, module, text, example, description=description)
    add_state_dir(parser)
    parser.add_argument(
        "--file", metavar="FILE", type=Path, help="export, report or journal to read; - is standard input"
    )
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unit", metavar="UNIT", help="only this unit")
    text = "this epoch; by default the present one of each unit"
    parser.add_argument("--epoch", metavar="N", type=whole(1, MAX_NUMBER), help=text)


def point(text: str) -> Point:
    """Reads a point of a history."""
    if text.isascii() and text.isdecimal():
        return Point(int(text), None)
    from ipo_sim.runtime.moment import parse_moment  # noqa: PLC0415 - only who gives one pays for it

    try:
        return Point(None, parse_moment(text, 0))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is neither the number of an event nor a moment, such as 2026-01-05T14:00:00Z"
        ) from None
