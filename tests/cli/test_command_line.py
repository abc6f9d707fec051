"""The command line itself: help with examples, mistakes in one line, what is imported for it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from ipo_sim.cli.command_line import build_parser, parse
from ipo_sim.cli.main import main
from tests.cli.daemons import ROOT, environment

HEAVY = ("aiomqtt", "asyncio", "pydantic", "structlog", "yaml")


def commands(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, by what is typed."""
    below = [action for action in parser._actions if isinstance(action.choices, dict)]
    if not below:
        yield path, parser
    for action in below:
        for name, command in action.choices.items():  # type: ignore[union-attr] # the filter above saw to it
            yield from commands(command, f"{path} {name}".strip())


COMMANDS = dict(commands(build_parser()))


def exit_of(*argv: str) -> int:
    """The exit code of the program, whether it returns or leaves."""
    try:
        return main(argv)
    except SystemExit as left:
        return int(left.code or 0)


def test_the_commands_are_these() -> None:
    names = {path.split()[0] for path in COMMANDS}
    known = "run init check schema licence license records ctl why what-if scenario card journal faults key-server"
    assert names == {*known.split(), "completion"}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(*path.split(), "--help") == 0
    text = capsys.readouterr().out
    _, found, example = text.partition("example:\n")
    assert found, text
    assert f"ipo-sim {path}".replace("license", "licence") in example


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_module_that_does_it(path: str) -> None:
    module = COMMANDS[path].get_default("module")
    assert callable(import_module(module).main)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "COMMAND"),
        (["runn"], "there is no runn: did you mean run?"),
        (["zzz"], "there is no zzz: there are run, init, "),
        (["licence", "isue"], "did you mean issue?"),
        (["run", "--brokr", "x"], "not understood: --brokr"),
        (["run", "a.yaml", "b.yaml"], "not understood: b.yaml"),
        (["schema", "mqt"], "did you mean mqtt?"),
        (["run", "--time-scale", "fast"], "invalid float value: 'fast'"),
        (["ctl", "bench-1", "watch", "--count", "0"], "--count: 0 is no whole number from 1"),
        (["ctl", "bench-1", "restart", "--timeout", "soon"], "soon is no number of seconds"),
        (["licence", "issue", "--serial", "1", "--licence", "x", "--expires", "tomorrow"], "tomorrow is no date"),
        (["licence", "issue", "--licence", "x"], "required: --serial"),
        (["licence", "issue", "--serial", "1", "--licence", "x", "--count", "1001"], "1001 is no whole number"),
        (["why", "bench-1"], "required: PATH"),
        (["ctl", "bench-1", "restart", "--quietly"], "not understood: --quietly"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(*argv) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


@pytest.mark.parametrize(
    ("line", "unit", "verb", "words"),
    [
        ("ctl", None, None, []),
        ("ctl bench-1", "bench-1", None, []),
        ("ctl bench-1 fit slots/2 DS8 --json", "bench-1", "fit", ["slots/2", "DS8"]),
        ("ctl --json bench-1 fit slots/2 DS8", "bench-1", "fit", ["slots/2", "DS8"]),
        ("ctl bench-1 --json fit slots/2 DS8", "bench-1", "fit", ["slots/2", "DS8"]),
        ("ctl bench-1 fit --json slots/2 --timeout 3 DS8", "bench-1", "fit", ["slots/2", "DS8"]),
    ],
)
def test_options_of_ctl_stand_where_they_like(line: str, unit: str | None, verb: str | None, words: list[str]) -> None:
    arguments = parse(line.split())
    assert (arguments.unit, arguments.verb, arguments.words) == (unit, verb, words)


@pytest.mark.parametrize("line", ["--debug init --model ip5", "init --model ip5 --debug"])
def test_debug_stands_before_or_behind_the_command(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(*line.split()) == 2
    assert "Traceback" in capsys.readouterr().err


def test_no_traceback_unless_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["init", "--model", "ip5"]
    assert exit_of(*argv) == 2
    allowed = "ip403, ip406v2, ip412, ip500, ip500v2, soe"
    line = f"ipo-sim: 'ip5' is not a control unit; did you mean 'ip500'? allowed: {allowed}\n"
    assert capsys.readouterr().err == line
    monkeypatch.setenv("IPO_SIM_DEBUG", "1")
    assert exit_of(*argv) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith(line)


def test_a_defect_is_told_as_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: argparse.Namespace) -> int:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("ipo_sim.cli.config.schema.main", broken)
    assert exit_of("schema", "mqtt") == 1
    shown = capsys.readouterr().err
    assert "internal error, ZeroDivisionError: by nought" in shown
    assert "Traceback" not in shown


def test_ctrl_c_is_told_as_shells_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("ipo_sim.cli.config.schema.main", interrupted)
    assert exit_of("schema", "mqtt") == 130


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--version") == 0
    name, version = capsys.readouterr().out.split()
    assert name == "ipo-sim"
    assert version[0].isdigit() or version == "unknown"


def loaded(argv: str, home: Path) -> set[str]:
    """The heavy packages that a command imports."""
    script = (
        "import json, sys\n"
        "from ipo_sim.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, *argv.split()]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=20, cwd=ROOT, env=environment(home)
    )
    return set(json.loads(run.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("argv", "allowed"),
    [
        ("--help", set[str]()),
        ("--version", set[str]()),
        ("run --help", set[str]()),
        ("licence issue --help", set[str]()),
        ("licence show AAAA", {"yaml"}),
        ("licence issue --serial 1234567890 --licence code:1", {"yaml"}),
        ("licence list", {"yaml"}),
        ("init -", {"yaml", "pydantic"}),
        ("completion units", set[str]()),
        ("check configs/minimal.yaml", {"yaml", "pydantic", "asyncio", "structlog"}),
    ],
)
def test_nobody_pays_for_what_others_need(argv: str, allowed: set[str], home: Path) -> None:
    assert loaded(argv, home) <= allowed


def test_whoever_reads_may_stop_reading(home: Path) -> None:
    command = [sys.executable, "-m", "ipo_sim", "licence", "list"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(home)
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_options_of_other_commands_are_not_even_imported() -> None:
    code = (
        "import sys; from ipo_sim.cli.command_line import parse; parse(['--debug', 'run']);"
        " print(*(name for name in sys.modules if name.endswith(('_options', 'record_types'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_has_the_same_options_alone_as_among_all(path: str) -> None:
    alone = dict(commands(build_parser([path.split(maxsplit=1)[0].replace("license", "licence")])))
    assert alone[path].format_help() == COMMANDS[path].format_help()
