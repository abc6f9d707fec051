"""What could stand at the end of a line, at every level of the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.states import load_states
from ipo_sim.cli.command_line import SHELLS
from ipo_sim.cli.completion.answer import Asked, candidates
from ipo_sim.cli.completion.candidate import DIRECTORIES, FILES
from ipo_sim.cli.completion.shells import words_of_line
from ipo_sim.cli.ctl.help import LISTENING
from ipo_sim.cli.daemon_file import Daemon, published
from ipo_sim.cli.main import main
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.runtime.commands import COMMANDS
from tests.cli.test_command_line import COMMANDS as PARSERS


def offered(line: str) -> list[str]:
    *before, last = words_of_line(line)
    return [word for word, _ in candidates(Asked(tuple(before), last))]


def names_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            yield from [option for option in action.option_strings if option.startswith("--")][:1]


def test_all_commands_with_what_they_do() -> None:
    found = candidates(Asked((), ""))
    assert [word for word, _ in found] == [
        path for path in dict.fromkeys(p.split()[0] for p in PARSERS) if path != "license"
    ]
    assert all(text for _, text in found)


@pytest.mark.parametrize("path", PARSERS)
def test_all_options_of_every_command(path: str) -> None:
    assert offered(f"{path} --") == list(names_of(PARSERS[path]))


@pytest.mark.parametrize("path", [path for path in PARSERS if " " in path])
def test_every_command_below_another(path: str) -> None:
    above, _, name = path.rpartition(" ")
    assert name in offered(f"{above} ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sch", ["schema"]),
        ("--debug sch", ["schema"]),
        ("schema ", ["config", "scenario", "mqtt", "http"]),
        ("completion ", list(SHELLS)),
        ("run --log ", ["json", "console"]),
        ("run --log=j", ["--log=json"]),
        ("run x.yaml --log-level w", ["warning"]),
        ("run ", [FILES]),
        ("run x.yaml ", []),
        ("run --state-dir ", [DIRECTORIES]),
        ("run --record ", [DIRECTORIES]),
        ("run --time-scale ", []),
        ("check a.yaml ", [FILES]),
        ("init --model ip500 --pro", ["--profile"]),
        ("key-server run --dongle p", ["parallel"]),
        ("key-server status --secret-file ", [FILES]),
        ("card write --law a", ["alaw"]),
        ("card read --config ", [FILES]),
        ("journal diff ", [FILES]),
        ("journal diff --between 1 ", []),
        ("journal diff --between 1 2 --fa", ["--facts"]),
        ("records import u f --type U", ["User"]),
        ("scenario run --param ", []),
        ("scenario run --junit ", [FILES]),
        ("license sh", ["show"]),
        ("why b sl", ["slots/"]),
        ("ctl b remove-c", ["remove-card"]),
        ("ctl --json b remove-c", ["remove-card"]),
        ("ctl b --timeout 5 remove-c", ["remove-card"]),
        ("ctl b watch --un", ["--until"]),
        ("ctl b power on=", ["on=true", "on=false"]),
        ("ctl b power t", ["true"]),
        ("ctl b insert-card law=", ["law=alaw", "law=mulaw"]),
        ("ctl b fit path=slots/1 ", ["part=", *load_catalogue().parts]),
        ("ctl b fit slots/1 part=VCM64", ["part=VCM64", "part=VCM64V2"]),
        ("ctl b fit part=DS8 path=slots/", [f"path=slots/{number}" for number in range(1, 5)]),
        ("ctl b withdraw expansion/12", ["expansion/12"]),
        ("ctl b inject-fault card-m", ["card-mute"]),
        ("ctl b set-fault feat", ["feature-key"]),
        ("ctl b acquire pri", ["pri-channels"]),
        ("ctl b advance to=", ["to=next-deadline"]),
        ("ctl b configure-extension 201 avaya-ip reserve=n", ["reserve=none"]),
        ("ctl b what-if remove-card adv", ["advance"]),
        ("ctl b scale ", []),
        ("ctl b nonsense ", []),
        ("ctl b watch ", []),
        ("what-if b power of", []),
        ("what-if b power f", ["false", "fit"]),
        ("what-if b rest", ["restart"]),
        ("what-if b wa", []),
        ("nonsense ", []),
        ("licence nonsense --", []),
    ],
)
def test_what_is_offered(line: str, words: list[str]) -> None:
    assert offered(line) == words


def test_all_commands_of_ctl_with_what_they_do() -> None:
    found = candidates(Asked(("ctl", "bench-1"), ""))
    assert [word for word, _ in found] == [*COMMANDS, *LISTENING]
    assert all(text for _, text in found)


@pytest.mark.parametrize("verb", COMMANDS)
def test_all_arguments_of_a_command_of_ctl(verb: str) -> None:
    fields = COMMANDS[verb].arguments.model_fields
    if "events" not in fields:
        assert [word for word in offered(f"ctl bench-1 {verb} ") if word.endswith("=")] == [
            f"{name}=" for name in fields
        ]


def test_an_option_is_offered_once_unless_it_may_be_repeated() -> None:
    assert "--json" not in offered("check --json x.yaml --")
    assert "--type" in offered("journal show --type A --")


def test_words_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    assert offered("init --model ") == list(catalogue.models)
    assert offered("init --model ip406v2 --profile ") == list(catalogue.models["ip406v2"].release_profiles)
    assert offered("licence issue --licence ") == list(catalogue.licences_by_name)
    assert offered("run --state ") == list(load_states().states)


def test_units_are_those_of_the_daemon(tmp_path: Path) -> None:
    assert offered("why ") == []
    for state_dir, option in ((default_state_dir(), ""), (tmp_path / "other", f" --state-dir {tmp_path / 'other'}")):
        state_dir.mkdir(parents=True)
        with published(state_dir, Daemon(os.getpid(), "mqtt://127.0.0.1:1883", "ipo-sim", ("bench-1", state_dir.name))):
            assert offered(f"why{option} ") == ["bench-1", state_dir.name]
            assert offered(f"licence show{option} --unit b") == ["bench-1"]


def test_units_are_those_of_the_configuration_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("units: [{name: lab-1, model: ip500}, {name: lab-2, model: ip500}]")
    assert offered(f"licence show --config {path} --unit ") == ["lab-1", "lab-2"]
    assert offered(f"card enrol {path} ") == ["lab-1", "lab-2"]
    path.write_text("units: 5")
    assert offered(f"licence show --config {path} --unit ") == []


def test_a_line_falls_into_words_as_shells_do_it() -> None:
    assert words_of_line("a b") == ["a", "b"]
    assert words_of_line("a b ") == ["a", "b", ""]
    assert words_of_line("a 'b c") == ["a", "b c"]
    assert words_of_line('a "b ') == ["a", "b "]
    assert words_of_line(r"a b\ ") == ["a", "b "]
    assert words_of_line(r"a b\ c#d") == ["a", "b c#d"]


def test_the_program_answers_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "answer", "zsh", "ipo-sim", "check", "--js"]) == 0
    assert capsys.readouterr().out == "--json\tprint JSON\n"
    assert main(["completion", "answer", "bash", "--js", "ipo-sim check --js"]) == 0
    assert capsys.readouterr().out == "--json\n"


def test_what_is_asked_for_is_not_shown_in_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "--help"])
    assert "answer" not in capsys.readouterr().out


MISTAKES = (["bash", "more"], ["answer"], ["answer", "zsh"], ["answer", "bash", "x"], ["answer", "csh", "x"])


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_what_no_script_asks_is_a_mistake(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_tcsh_is_told_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "here"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab.yaml").touch()
    (folder / ".lab").touch()
    for line, told in (
        (f"run {folder}/la", [f"{folder}/lab/", f"{folder}/lab.yaml"]),
        (f"run {folder}/", [f"{folder}/lab/", f"{folder}/lab.yaml"]),
        (f"run --state-dir {folder}/", [f"{folder}/lab/"]),
        (f"run {folder}/none/", []),
    ):
        assert main(["completion", "answer", "tcsh", f"ipo-sim {line}"]) == 0
        assert capsys.readouterr().out.split() == told
