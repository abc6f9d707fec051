"""The words behind a command: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from ipo_sim.cli.ctl.words import arguments_of, find_command
from ipo_sim.cli.failure import UsageError
from ipo_sim.runtime.commands import COMMANDS, parse_line


def spelled(line: str) -> dict[str, object]:
    verb, *words = shlex.split(line)
    return arguments_of(find_command(verb), words)


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("restart", {}),
        ("power on", {"on": True}),
        ("power off", {"on": False}),
        ("power on=false", {"on": False}),
        ("fit slots/2 DS8", {"path": "slots/2", "part": "DS8"}),
        ("fit part=DS8 slots/2", {"path": "slots/2", "part": "DS8"}),
        ("fit slots/2 part=DS8", {"path": "slots/2", "part": "DS8"}),
        ("configure slots/2 null", {"path": "slots/2", "part": None}),
        ("add-licence AB-CD", {"key": "AB-CD"}),
        ("advance 7200", {"seconds": 7200.0}),
        ("advance 0.5", {"seconds": 0.5}),
        ("advance next-deadline", {"to": "next-deadline"}),
        ("advance to=next-deadline", {"to": "next-deadline"}),
        ("clear-fault card-mute", {"fault": "card-mute"}),
        ("clear-fault slots/1", {"path": "slots/1"}),
        ("clear-fault feature-key", {"path": "feature-key"}),
        ("insert-card", {}),
        ("insert-card 1234567890", {"serial": "1234567890"}),
        ("insert-card 0000000001 mulaw", {"serial": "0000000001", "law": "mulaw"}),
        ("insert-card mulaw", {"law": "mulaw"}),
        ("shutdown 5", {"minutes": 5}),
        ("set-fault slots/1", {"path": "slots/1"}),
        ("set-fault slots/1 overheated", {"path": "slots/1", "fault": "overheated"}),
        ("set-fault feature-key 3", {"path": "feature-key", "fault": "3"}),
        ("set-time 60", {"scale": 60.0}),
        ("set-time pause", None),
        ("set-time true", {"pause": True}),
        ("set-time 2030-12-31T23:59:00", {"date": "2030-12-31T23:59:00"}),
        ("why expansion/1", {"path": "expansion/1"}),
    ],
)
def test_words_stand_for_arguments(line: str, arguments: dict[str, object] | None) -> None:
    if arguments is None:  # a word that nothing else takes is the first that takes any text
        arguments = {"date": "pause"}
    assert spelled(line) == arguments


STEPS = [{"command": "remove-card", "arguments": {}}, {"command": "advance", "arguments": {"seconds": 7200.0}}]


@pytest.mark.parametrize(
    ("line", "events"),
    [
        ("date 2027-03-01", [("set-time", {"date": "2027-03-01"})]),
        ("date 2027-03-01 12:00", [("set-time", {"date": "2027-03-01 12:00"})]),
        ("set-time date=2027-03-01", [("set-time", {"date": "2027-03-01"})]),
        ("set-time 2027-03-01", [("set-time", {"date": "2027-03-01"})]),
        (
            f"add-licence {'A' * 32} load-configuration date 2027-03-01 remove-card advance next-deadline",
            [
                ("add-licence", {"key": "A" * 32}),
                ("load-configuration", {}),
                ("set-time", {"date": "2027-03-01"}),
                ("remove-card", {}),
                ("advance", {"to": "next-deadline"}),
            ],
        ),
        (
            f"'add-licence {'A' * 32}; date 2027-03-01'",
            [("add-licence", {"key": "A" * 32}), ("set-time", {"date": "2027-03-01"})],
        ),
    ],
)
def test_a_what_if_takes_what_one_would_say(line: str, events: list[tuple[str, dict[str, Any]]]) -> None:
    wanted = [{"command": verb, "arguments": arguments} for verb, arguments in events]
    assert spelled(f"what-if {line}") == {"events": wanted}


def test_a_date_without_a_date_is_asked_back() -> None:
    with pytest.raises(UsageError, match="set-time: one of scale, pause and date is wanted"):
        spelled("what-if date")


@pytest.mark.parametrize(
    "line",
    [
        "what-if remove-card 'advance 7200'",
        "what-if remove-card advance 7200",
        "what-if 'remove-card; advance seconds=7200'",
        "what-if remove-card ';' advance seconds=7200 ';'",
    ],
)
def test_events_of_a_what_if_are_commands(line: str) -> None:
    assert spelled(line) == {"events": STEPS}


def test_a_line_of_events_has_quotes_as_the_shell_has() -> None:
    assert spelled("""what-if "configure-user name='a b'; restart" """) == {
        "events": [{"command": "configure-user", "arguments": {"name": "a b"}}, {"command": "restart", "arguments": {}}]
    }
    with pytest.raises(UsageError, match="no closing quotation"):
        spelled("""what-if "configure-user name='a" """)


def test_events_can_be_json() -> None:
    assert spelled("""what-if 'events=["remove-card", {"command": "restart"}]'""") == {
        "events": ["remove-card", {"command": "restart"}]
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fit slots/2", "fit: part: "),
        ("fit path=a path=b", "fit: path is given twice"),
        ("fit a b c", "fit: c is too much (example: fit path=slots/2 part=DS8)"),
        ("restart now", "restart: now is too much"),
        ("fit prt=DS8 slots/2", "prt: no such argument, did you mean part?"),
        ("power maybe", "power: on: "),
        ("advance soon", "advance: seconds: "),
        ("advance", "advance: seconds or to=next-deadline is wanted (example: advance seconds=7200)"),
        ("advance -1", "advance: seconds: "),
        ("set-time", "one of scale, pause and date is wanted"),
        ("what-if", "what-if: events: "),
        ("what-if remove-crd", "there is no command remove-crd: did you mean remove-card?"),
        ("what-if fit a", "fit: part: "),
        ("what-if 'events=[1'", "[1: not valid JSON: "),
        ("remove-crd", "there is no command remove-crd: did you mean remove-card?"),
        ("zzzzz", "there is no command zzzzz: there are power, restart"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(line: str, told: str) -> None:
    with pytest.raises(UsageError) as refusal:
        spelled(line)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_example_of_every_command_can_be_typed(verb: str) -> None:
    typed, arguments = parse_line(COMMANDS[verb].example)
    assert typed == verb
    given = spelled(COMMANDS[verb].example)
    # Those of a what-if are opened up by the command itself.
    assert set(given) == set(arguments)
