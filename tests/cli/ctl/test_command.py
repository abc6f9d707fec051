"""`ipo-sim ctl`, `why` and `what-if` against a daemon that runs; each test puts back what it takes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from ipo_sim.cli.main import main
from ipo_sim.runtime.commands import COMMANDS
from tests.cli.daemons import ROOT, environment

PROFESSIONAL = "04002001000000FR876BDQYYHKF0Y5E4"
AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Caller:
    """Calls the program against one daemon; `out` and `err` are what the last call printed."""

    def __init__(self, state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._state_dir = state_dir
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, command: str, *words: str) -> int:
        self._capsys.readouterr()
        code = main([command, "--state-dir", str(self._state_dir), *words])
        self.out, self.err = self._capsys.readouterr()
        return code

    def ctl(self, line: str) -> str:
        """What a command that is granted prints."""
        assert self("ctl", "bench-1", *line.split()) == 0, self.err
        return self.out

    def json(self, line: str) -> Any:
        return json.loads(self.ctl(f"{line} --json"))


@pytest.fixture
def call(bench: Path, capsys: pytest.CaptureFixture[str]) -> Caller:
    caller = Caller(bench, capsys)
    # Whatever the test before left: up, and with its card.
    caller("ctl", "bench-1", "insert-card", "serial=1234567890")
    caller.ctl("advance 60")
    return caller


def test_a_command_is_done_and_says_which_event_it_became(call: Caller) -> None:
    assert re.fullmatch(rf"done, event \d+, {AT}\n", call.ctl("remove-card"))
    answer = call.json("insert-card")
    assert answer["ok"] is True
    assert re.fullmatch(AT, answer["at"])


def test_the_card_is_pulled_and_put_back(call: Caller) -> None:
    call.ctl("remove-card")
    assert call("why", "bench-1", "feature-key") == 0
    assert "feature-key is not in order" in call.out
    call.ctl("advance 7200")
    assert call("why", "bench-1", "expansion/1") == 0
    title, *steps = call.out.splitlines()
    assert re.fullmatch(rf"expansion/1 is not in order since event \d+, {AT}:", title)
    assert steps[0] == "  1. licence IP500 Upgrade Standard to Professional is Invalid"
    assert steps[1] == "  2. the feature key is absent, its condition not in order"
    event = rf"\(event \d+, {AT}, by command:remove-card#ctl-\w+\)"
    assert re.fullmatch(rf"  3\. the feature key was removed {event}", steps[2])
    assert len(steps) == 3
    call.ctl("insert-card")
    assert call("why", "bench-1", "expansion/1") == 0
    assert "expansion/1 is in order since" in call.out


def test_why_as_json(call: Caller) -> None:
    assert call("why", "--json", "bench-1", "unit") == 0
    answer = json.loads(call.out)
    assert (answer["path"], answer["in_order"]) == ("unit", True)
    assert answer["chain"][-1]["cause"].startswith("event:")


def test_what_if_changes_nothing(call: Caller) -> None:
    before = call.json("status")["entities"]
    assert call("what-if", "bench-1", "remove-card", "advance 7200") == 0
    assert re.search(r"unit +state +running +awaiting_feature_key\n +edition +professional +standard\n", call.out)
    assert call.ctl("what-if remove-card advance 7200").startswith("event ")
    assert call.json("status")["entities"] == before


def test_status_is_a_table(call: Caller) -> None:
    lines = call.ctl("status").splitlines()
    assert lines[0] == "bench-1 online"
    assert re.match(r"  unit +running +ip500 r5, professional edition, telephony on", lines[1])
    assert re.match(r"  feature-key +in_order +card 1234567890", lines[2])
    text = "\n".join(lines)
    assert re.search(r"  licences/\d+ +Valid +IP500 Upgrade Standard to Professional, 1", text)
    assert "leds/cpu" not in text
    assert re.search(r"  leds/cpu +green +\w+", call.ctl("status --all"))


def test_status_as_json(call: Caller) -> None:
    status = call.json("status")
    assert (status["unit"], status["availability"]) == ("bench-1", "online")
    assert status["entities"]["unit"]["state"] == "running"
    assert status["entities"]["expansion/8"]["fitted"] == "WAN3"


def test_time_is_set_and_moved(call: Caller) -> None:
    assert re.fullmatch(rf"{AT}, paused\n", call.ctl("set-time pause=true"))
    before = call.json("set-time scale=1")["time"]
    assert call.json("advance 3600")["time"][11:13] != before[11:13]
    assert re.fullmatch(rf"{AT}, running at scale 60\n", call.ctl("set-time 60 pause=false"))
    call.ctl("set-time 1")


def test_a_part_is_withdrawn_and_fitted(call: Caller) -> None:
    call.ctl("withdraw expansion/8")
    assert call.json("status")["entities"]["expansion/8"]["fitted"] is None
    call.ctl("fit expansion/8 WAN3")
    call.ctl("restart")
    call.ctl("advance next-deadline")
    assert call.json("status")["entities"]["expansion/8"]["oper_state"] == "enabled"


def test_names_can_hold_blanks(call: Caller) -> None:
    assert call("ctl", "bench-1", "configure-user", "name=Anna B") == 0, call.err
    assert call.json("status")["entities"]["users/Anna B"]["name"] == "Anna B"
    assert call("why", "bench-1", "users/Anna B") == 0
    assert call("ctl", "bench-1", "remove-user", "Anna B") == 0, call.err
    assert "users/Anna B" not in call.json("status")["entities"]


def test_a_licence_is_removed_and_added(call: Caller) -> None:
    call.ctl(f"remove-licence {PROFESSIONAL}")
    assert call.json("status")["entities"]["unit"]["edition"] == "standard"
    call.ctl(f"add-licence {PROFESSIONAL}")
    call.ctl("load-configuration")
    assert call.json("status")["entities"]["unit"]["edition"] == "professional"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("bench-1 remove-crd", 2, "ipo-sim: there is no command remove-crd: did you mean remove-card?\n"),
        (
            "bench-1 fit slots/1",
            2,
            "ipo-sim: fit: part: missing: Catalogue code, such as `DS8` (example: fit path=slots/2 part=DS8)\n",
        ),
        ("bench-1 restart --count 3", 2, "ipo-sim: --count and --until are for watch\n"),
        ("bench-1 watch slots/1", 2, "ipo-sim: watch takes no arguments, but options: "),
        ("bench-1 watch --until state", 2, "ipo-sim: --until state: PATH.FIELD=VALUE is wanted"),
        ("bench/1 restart", 2, "ipo-sim: 'bench/1' is no name of a unit\n"),
        ("+ restart", 2, "ipo-sim: '+' is no name of a unit\n"),
        ("bench-2 restart", 1, "ipo-sim: there is no unit bench-2 on this broker: did you mean bench-1?\n"),
        ("xyz status", 1, "ipo-sim: there is no unit xyz on this broker: there are bench-1\n"),
        ("bench-1 fit slots/1 DS8", 1, "ipo-sim: "),
        ("bench-1 fit slots/1 DS9", 1, "ipo-sim: "),
        ("bench-1 why slots/9", 1, "ipo-sim: the unit has no slots/9"),
        ("bench-1 insert-card", 1, "ipo-sim: card 1234567890 is in the reader already\n"),
        ("bench-1 restart --prefix other", 1, "no unit is known below other/\n"),
        ("bench-1 restart --broker mqtt://127.0.0.1:1", 1, "Connection refused (--broker names it)\n"),
        ("bench-1 watch --until unit.state=off --timeout 0.2", 1, "ipo-sim: not seen within 0.2 s\n"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(line: str, code: int, told: str, call: Caller) -> None:
    assert call("ctl", *line.split()) == code
    assert told in call.err
    assert call.err.count("\n") == 1
    assert call.out == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("bench-1 insert-card --json", "unchanged"),
        ("bench-2 restart --json", "unknown-unit"),
        ("bench-1 why slots/9 --json", "unknown-path"),
        ("bench-1 restart --json --broker mqtt://127.0.0.1:1", "broker"),
    ],
)
def test_refusals_as_json(line: str, reason: str, call: Caller) -> None:
    assert call("ctl", *line.split()) == 1
    answer = json.loads(call.out)
    assert answer["ok"] is False
    assert answer["error"]["code"] == reason
    assert answer["error"]["message"]
    assert call.err == ""


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == [*COMMANDS, "licences", "watch"]


@pytest.mark.parametrize("verb", [*COMMANDS, "watch"])
def test_every_command_has_help_of_its_own(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["ctl", "bench-1", verb, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"ipo-sim ctl UNIT {verb}")
    if verb in COMMANDS:
        assert COMMANDS[verb].help in shown
        assert f"  ipo-sim ctl bench-1 {COMMANDS[verb].example}" in shown
        assert all(f"\n  {name}" in shown for name in COMMANDS[verb].arguments.model_fields)


def test_help_for_a_command_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ctl", "bench-1", "remove-crd", "--help"])
    assert "did you mean remove-card?" in capsys.readouterr().out


class Watcher:
    """A process of `ctl bench-1 watch`, which says `unit` once it is there."""

    def __init__(self, bench: Path, *options: str) -> None:
        command = [sys.executable, "-m", "ipo_sim", "ctl", "bench-1", "watch", "--state-dir", str(bench), "--all"]
        self.process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(bench.parent),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)

    def until(self, is_it: Callable[[str], bool]) -> list[str]:
        """All lines up to the first of which this holds; it is in them unless the output has ended."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if is_it(lines[-1]):
                break
        return lines


def test_watch_prints_a_line_for_each_change(call: Caller, bench: Path) -> None:
    with Watcher(bench) as watcher:
        first = watcher.until(lambda line: "leds/slot-4-led-12" in line)
        assert any("feature-key  in_order card 1234567890" in line for line in first)
        call.ctl("remove-card")
        changes = watcher.until(lambda line: "alarms/40-feature-key" in line)
        assert any("feature-key  presence present -> absent" in line for line in changes)
        call.ctl("insert-card")
        assert watcher.until(lambda line: line.endswith("alarms/40-feature-key  gone"))


def test_watch_ends_after_so_many_changes(call: Caller, bench: Path) -> None:
    with Watcher(bench, "--count", "2", "--json") as watcher:
        watcher.until(lambda line: json.loads(line)["path"] == "leds/slot-4-led-12")
        call.ctl("remove-card")
        lines = watcher.until(lambda _: False)
        assert watcher.process.wait(20) == 0
    changes = [json.loads(line) for line in lines]
    assert [change["path"] for change in changes] == ["feature-key", "alarms/40-feature-key"]
    assert changes[0]["value"]["presence"] == "absent"


def test_watch_ends_when_a_field_has_its_value(call: Caller, bench: Path) -> None:
    with Watcher(bench, "--until", "unit.state=awaiting_feature_key") as watcher:
        watcher.until(lambda line: "leds/slot-4-led-12" in line)
        call.ctl("remove-card")
        call.ctl("advance 7200")
        watcher.until(lambda _: False)
        assert watcher.process.wait(20) == 0


@pytest.mark.parametrize(
    ("goal", "shown"),
    [
        ("unit.state=running", "unit  running ip500 r5, professional edition, telephony on"),
        ("unit.telephony=true", "unit  running ip500 r5, professional edition, telephony on"),
        ("availability=online", "availability  online"),
        ("alarms/none.event=null", "alarms/none  not there"),
    ],
)
def test_watch_shows_what_is_so_already_and_ends(goal: str, shown: str, call: Caller) -> None:
    (line,) = call.ctl(f"watch --until {goal} --timeout 10").splitlines()
    assert line.endswith(shown)
    assert (
        json.loads(call.ctl(f"watch --until {goal} --timeout 10 --json"))["path"]
        == goal.partition(".")[0].partition("=")[0]
    )


def test_watch_ends_with_ctrl_c(call: Caller, bench: Path) -> None:
    with Watcher(bench) as watcher:
        watcher.until(lambda line: "leds/slot-4-led-12" in line)
        watcher.process.send_signal(signal.SIGINT)
        assert watcher.process.wait(20) == 0
        assert watcher.process.stderr is not None
        assert watcher.process.stderr.read() == ""
    with Watcher(bench, "--until", "unit.state=off") as watcher:
        watcher.until(lambda line: "leds/slot-4-led-12" in line)
        watcher.process.send_signal(signal.SIGINT)
        assert watcher.process.wait(20) == 130
