"""The summary of a run: units in lines, a block that stays at the lower end of a terminal, and the introduction."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.cli.daemon import introduction, unit_blocks, unit_lines
from ipo_sim.cli.daemon.introduction import Introduction
from ipo_sim.cli.daemon.screen import Line, LogStream, Screen
from ipo_sim.cli.program import program
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.config.load import load_text
from ipo_sim.core.events import Fact, FeatureKeyInserted, FeatureKeyRemoved, PartWithdrawn
from ipo_sim.core.model import SECOND_NS, Lifecycle, Nanoseconds, UnitName
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.clock import stepped

BENCH = UnitName("bench-1")
BOOT, GRACE = 8 * SECOND_NS, 7_200 * SECOND_NS


class Bench:
    """The demonstration unit, in memory, with its time in our hands."""

    def __init__(self) -> None:
        settings = demo_settings()
        self.runtime = open_runtime(None, settings.units, load_catalogue(), clock=stepped(Nanoseconds(0)))

    def happen(self, *facts: Fact) -> None:
        for fact in facts:
            self.runtime.engine.apply(BENCH, fact, "test")

    def advance(self, duration: int) -> None:
        self.runtime.clock.advance(Nanoseconds(duration))
        self.runtime.engine.run_due()

    @property
    def full(self) -> list[str]:
        return [text_of(line) for line in unit_lines.full(BENCH, self.runtime.bus.latest(BENCH))]

    @property
    def brief(self) -> str:
        return text_of(unit_lines.brief(BENCH, self.runtime.bus.latest(BENCH)))


@pytest.fixture
def running() -> Iterator[Bench]:
    """The unit, booted with its card."""
    bench = Bench()
    bench.happen(FeatureKeyInserted("1234567890"))
    bench.advance(BOOT)
    yield bench
    bench.runtime.close()


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def test_a_running_unit(running: Bench) -> None:
    assert running.full == [
        "bench-1   running, professional edition, telephony on",
        "  card    1234567890, in order",
        "  slots   1 DS8+PRI-1  2 DS8+BRI-4  3 POT8+ATM4  4 VCM64+ATM4V2",
        "  modules 1 DS30V2  2 DS30V2  3 DS16V2  4 PHONE30V2  5 PHONE16V2  6 S08  7 ATM16  8 WAN3",
        "  alarms  none",
    ]
    assert running.brief == (
        "bench-1: running, professional edition, telephony on, card 1234567890, in order, 16 of 16 parts in service"
    )


def test_a_unit_in_grace(running: Bench) -> None:
    running.happen(FeatureKeyRemoved())
    assert running.full[1] == "  card    absent, grace for card 1234567890 until 1970-01-01T02:00:08.000Z"
    assert running.full[4] == "  alarms  40 feature key not present"
    assert running.brief.endswith("16 of 16 parts in service, 1 active alarm")


def test_a_unit_after_its_grace(running: Bench) -> None:
    running.happen(FeatureKeyRemoved())
    running.advance(GRACE)
    state, card, slots, modules, alarms = running.full
    assert state == "bench-1   awaiting feature key, standard edition, telephony off"
    assert card == "  card    absent, not in order"
    assert slots.endswith("4 VCM64+ATM4V2  held by feature-key")
    assert modules.endswith("8 WAN3  held by licence")
    assert alarms == ("  alarms  40 feature key not present; 20 stopped for want of a licence at 8 places; and 8 more")
    assert running.brief.endswith("0 of 16 parts in service, 17 active alarms")


def test_what_holds_one_part_is_told_at_its_place(running: Bench) -> None:
    running.happen(PartWithdrawn("expansion/2"))
    assert re.fullmatch("  alarms  20 .* at expansion/2", running.full[4])
    assert running.full[3].startswith("  modules 1 DS30V2  2 DS30V2 (missing)  3 DS16V2")


def test_a_unit_with_nothing_in_it() -> None:
    settings = load_text("units: [{name: bench-1, model: ip500}]", "test")
    runtime = open_runtime(None, settings.units, load_catalogue(), clock=stepped(Nanoseconds(0)))
    lines = [text_of(line) for line in unit_lines.full(BENCH, runtime.bus.latest(BENCH))]
    assert lines[2:4] == ["  slots   none", "  modules none"]
    runtime.close()


def test_a_fleet_is_counted() -> None:
    states = [Lifecycle.RUNNING] * 1_000 + [Lifecycle.AWAITING_FEATURE_KEY]
    assert text_of(unit_lines.count(states)) == "1,001 units: 1 awaiting feature key, 1,000 running"


def test_parts_out_of_service_are_red(running: Bench) -> None:
    running.happen(PartWithdrawn("expansion/2"))
    modules = list(unit_lines.full(BENCH, running.runtime.bus.latest(BENCH)))[3]
    colours = {text: colour for text, colour in modules if text in ("DS30V2", "DS16V2")}
    assert colours == {"DS30V2": ("red",), "DS16V2": ("green",)}


async def block_after(runtime: Runtime, act: Fact, max_full: int) -> list[list[str]]:
    """The first block, and the next one once something has happened."""
    seen = []
    async for block in unit_blocks.blocks(runtime.bus, max_full=max_full):
        seen.append([text_of(line) for line in block])
        if len(seen) == 2:
            return seen
        runtime.engine.apply(BENCH, act, "test")
    raise AssertionError("blocks end")


@pytest.mark.parametrize(("max_full", "lines"), [(1, 5), (0, 1)])
async def test_a_block_follows_each_change(running: Bench, max_full: int, lines: int) -> None:
    async with asyncio.timeout(10):
        first, second = await block_after(running.runtime, FeatureKeyRemoved(), max_full)
    assert len(first) == len(second) == lines
    assert "grace" not in "".join(first)
    assert "grace" in "".join(second)


async def test_a_fleet_is_followed_by_its_numbers(running: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_blocks, "MAX_BRIEF", 0)
    running.happen(FeatureKeyRemoved())
    running.runtime.clock.advance(Nanoseconds(GRACE))

    async with asyncio.timeout(10):
        seen = []
        async for block in unit_blocks.blocks(running.runtime.bus, max_full=0):
            seen.append(text_of(block[0]))
            if len(seen) == 2:
                break
            running.runtime.engine.run_due()
    assert seen == ["1 unit: 1 running", "1 unit: 1 awaiting feature key"]


class Terminal(io.StringIO):
    """What a terminal of 20 columns would show."""

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        """The lines on it, after all cursor movements."""
        lines: list[str] = []
        for up, text in re.findall(r"(?:\x1b\[(\d+)F)?\x1b\[J((?:(?!\x1b\[(?:\d+F|J)).)*)", self.getvalue(), re.DOTALL):
            if up:
                del lines[-int(up) :]
            lines += text.splitlines()
        return lines


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    return Terminal()


def plain(*lines: str) -> list[Line]:
    return [[(line, ("red",))] for line in lines]


def test_a_block_takes_the_place_of_the_one_before(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.above("first")
    screen.show(plain("a", "b", "c"))
    screen.show(plain("d"))
    screen.show(plain("e", "f"))
    assert terminal.screen == ["first", "e", "f"]


def test_the_last_word_leaves_the_block_where_it_is(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.show(plain("a", "b"))
    terminal.write("^C")
    screen.below("\nstopping")
    print("a late log line", file=LogStream(screen, colours=False))
    assert terminal.getvalue().endswith("a\nb\n^C\x1b[J\nstopping\n\x1b[Ja late log line\n")


def test_what_is_logged_stands_above_the_block(terminal: Terminal) -> None:
    screen = Screen(terminal)
    screen.show(plain("a", "b"))
    log = LogStream(screen, colours=False)
    print("one line", file=log)
    print("another\nand one more", file=log)
    log.write("not yet whole")
    assert terminal.screen == ["one line", "another", "and one more", "a", "b"]
    assert not log.isatty()


def test_no_line_wraps(terminal: Terminal) -> None:
    Screen(terminal).show([[("x" * 15, ()), ("y" * 15, ()), ("z", ())]])
    assert terminal.screen == ["x" * 15 + "y" * 4]


def test_colours_cost_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "4")
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    Screen(terminal).show([[("abcdef", ("red",))]])
    assert "\x1b[31mabc\x1b[0m\n" in terminal.getvalue()


def introduced(**changes: object) -> dict[str, str]:
    facts = Introduction(
        config=None,
        state_dir=default_state_dir(),
        endpoint=MqttSettings().endpoint(),
        embedded=True,
        prefix="ipo-sim",
        units=(BENCH,),
        has_virtual_card=True,
        pace="at scale 1",
    )
    return dict(facts._replace(**changes).lines())  # type: ignore[arg-type] # by name only


def test_the_introduction_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introduction, "program", lambda: "ipo-sim")
    assert introduced() == {
        "ipo-sim": "the demonstration, 1 unit; state in ~/.local/state/ipo-sim",
        "broker": "mqtt://127.0.0.1:1883 (our own)",
        "all topics": "mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'ipo-sim/#'",
        "pull the card": "ipo-sim ctl bench-1 remove-card",
        "put it back": "ipo-sim ctl bench-1 insert-card",
        "move time on": "ipo-sim ctl bench-1 advance 7200",
        "ask why": "ipo-sim why bench-1 unit",
        "all commands": "ipo-sim ctl",
    }


def test_the_introduction_knows_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introduction, "program", lambda: "ipo-sim")
    endpoint = MqttSettings(url="mqtts://lab", username="me").endpoint()
    lines = introduced(
        config=Path("lab.yaml"),
        state_dir=Path("/var/lib/my bench"),
        endpoint=endpoint,
        embedded=False,
        prefix="lab/pbx",
        has_virtual_card=False,
        pace="paused",
    )
    assert lines["ipo-sim"] == "lab.yaml, 1 unit; state in /var/lib/my bench"
    assert lines["broker"] == "mqtts://lab:8883"
    assert lines["all topics"] == "mosquitto_sub -h lab -p 8883 -u me -P ... --tls-use-os-certs -v -t 'lab/pbx/#'"
    assert lines["time"] == (
        "paused (ipo-sim ctl --state-dir '/var/lib/my bench' bench-1 set-time scale=1 pause=false)"
    )
    assert "pull the card" not in lines


@pytest.mark.parametrize(
    ("config", "state_dir", "line"),
    [
        (None, None, "ipo-sim run --fresh"),
        (Path("my lab.yaml"), Path("/var/lib/bench"), "ipo-sim run 'my lab.yaml' --state-dir /var/lib/bench --fresh"),
    ],
    ids=["demonstration", "own"],
)
def test_who_goes_on_is_told_so_and_how_to_begin_anew(
    config: Path | None, state_dir: Path | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "program", lambda: "ipo-sim")
    told = introduced(config=config, state_dir=state_dir or default_state_dir(), resumed=True)
    assert told["goes on"] == f"where the last run stopped; to begin anew: {line}"


@pytest.mark.parametrize("installed", [True, False])
def test_the_program_is_called_as_it_can_be(installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a row of a table
    script = tmp_path / "bin" / "ipo-sim"
    script.parent.mkdir()
    script.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.setenv("PATH", str(script.parent) if installed else "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert program() == ("ipo-sim" if installed else "bin/ipo-sim")


def test_the_program_can_be_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/ipo_sim/__main__.py"])
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.chdir(tmp_path)
    assert program() == "python -m ipo_sim"
