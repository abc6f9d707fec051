"""Answers and entities in words."""

from __future__ import annotations

import io
from typing import Any

import pytest

from ipo_sim.cli.ctl.answers import answer_lines
from ipo_sim.cli.ctl.watch import change_line
from ipo_sim.cli.entity_text import colour_of, is_idle, reading_order, state_of
from ipo_sim.cli.terminal import Style, plural, table, value_text

PLAIN = Style(io.StringIO())
AT = "2030-01-01T00:00:00.000Z"


def test_why_goes_from_near_to_far() -> None:
    chain = [
        {"cause": "licence:X", "text": "licence X is Invalid"},
        {"cause": "event:5", "text": "the feature key was removed", "at": AT, "by": "command:remove-card#7"},
    ]
    answer = {"path": "expansion/1", "in_order": False, "seq": 6, "at": AT, "chain": chain}
    assert answer_lines("why", answer, PLAIN) == [
        f"expansion/1 is not in order since event 6, {AT}:",
        "  1. licence X is Invalid",
        f"  2. the feature key was removed (event 5, {AT}, by command:remove-card#7)",
    ]


def test_why_of_what_is_in_order() -> None:
    chain = [{"cause": "event:0", "text": "the unit is as it was configured"}]
    answer = {"path": "reader", "in_order": True, "seq": 0, "at": AT, "chain": chain}
    assert answer_lines("why", answer, PLAIN)[0] == f"reader is in order since event 0, {AT}:"
    assert answer_lines("why", answer, PLAIN)[1] == "  1. the unit is as it was configured"


@pytest.mark.parametrize(
    ("verb", "answer", "lines"),
    [
        ("restart", {"seq": 7, "at": AT}, [f"done, event 7, {AT}"]),
        ("advance", {"seq": 7, "time": AT, "scale": 1.0, "paused": True}, [f"{AT}, paused"]),
        ("set-time", {"time": AT, "scale": 60.0, "paused": False}, [f"{AT}, running at scale 60"]),
        (
            "set-time",
            {"seq": 7, "at": AT, "time": AT, "scale": 1.0, "paused": False},
            [f"{AT}, running at scale 1", "the unit's date is set, event 7"],
        ),
        ("pause", {"time": AT, "scale": 60.0, "paused": True}, [f"{AT}, paused"]),
        (
            "step",
            {
                "events": 3,
                "last": [{"unit": "a", "seq": 7, "at": AT, "text": "a deadline of the unit was reached"}],
                "time": AT,
                "scale": 1.0,
                "paused": True,
            },
            [
                "2 events before these",
                f"{AT}  a  a deadline of the unit was reached (event 7)",
                f"{AT}, paused",
            ],
        ),
        ("later", {"colour": "red", "on": True, "none": None}, ["colour: red", "on: yes", "none: -"]),
    ],
)
def test_other_answers(verb: str, answer: dict[str, Any], lines: list[str]) -> None:
    assert answer_lines(verb, answer, PLAIN) == lines


def test_what_if_is_a_table_of_what_differs() -> None:
    answer = {
        "events": [
            {"seq": 8, "at": AT, "text": "the feature key was removed"},
            {"seq": 9, "at": AT, "text": "call c1 began", "refused": ["IP500 VCM Channels"]},
        ],
        "changes": [
            {
                "path": "feature-key",
                "what": "",
                "before": {"serial": "1", "law": "alaw", "seq": 7},
                "after": {"serial": None, "law": None, "seq": 8},
            },
            {"path": "reader", "what": "", "before": {"seq": 7}, "after": {"seq": 8}},
            {"path": "licences/9", "what": "X", "before": None, "after": {"status": "Unknown", "loaded": False}},
            {"path": "features/x", "what": "X", "before": {"available": 1}, "after": None},
            {"path": "leds/cpu", "what": "", "before": {"colour": "red"}, "after": {"colour": "green"}},
            {"path": "alarms/40", "what": "it is gone", "before": None, "after": {"severity": "warning"}},
            {"path": "unit", "what": "", "before": {"telephony": True}, "after": {"telephony": False}},
            {
                "path": "slots/1",
                "what": "DS8",
                "before": {"oper_state": "enabled", "hold": None},
                "after": {"oper_state": "disabled", "hold": "fault"},
            },
        ],
        "next": {"at": AT, "text": "the end of the feature key's grace"},
    }
    assert answer_lines("what-if", answer, PLAIN) == [
        f"event 8, {AT}: the feature key was removed",
        f"event 9, {AT}: call c1 began - refused: too few instances of IP500 VCM Channels are free",
        "ENTITY       WHAT        FIELD      NOW   THEN",
        "unit                     telephony  yes   no",
        "feature-key              serial     1     -",
        "                         law        alaw  -",
        "alarms/40    it is gone  severity   -     warning",
        "slots/1      DS8         hold       -     fault",
        "licences/9   X           status     -     Unknown",
        "features/x   X           available  1     -",
        "and 1 LED, which --json shows",
        "next: entered keys count once the configuration is loaded (add load-configuration)",
        f"next: the end of the feature key's grace, at {AT} (add advance next-deadline)",
    ]
    assert answer_lines("what-if", {"events": [], "changes": [], "next": None}, PLAIN) == ["nothing would change"]


def test_what_if_tells_how_far_a_clock_would_be_set() -> None:
    day = 86_400 * 1_000_000_000
    change = {"path": "unit", "what": "", "before": {"clock_offset_ns": 0}, "after": {"clock_offset_ns": day}}
    assert answer_lines("what-if", {"events": [], "changes": [change]}, PLAIN) == [
        "ENTITY  WHAT  FIELD           NOW      THEN",
        "unit          clock ahead by  0:00:00  1 day, 0:00:00",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (5, "5"),
        ("a", "a"),
        ([1, None], "1, -"),
        ([], "-"),
        ({"a": 1}, "a=1"),
    ],
)
def test_values_in_a_line(value: object, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("path", "payload", "state", "rest"),
    [
        (
            "unit",
            {
                "state": "starting",
                "model": "ip500",
                "release_profile": "r5",
                "edition": "standard",
                "telephony": False,
                "until": AT,
            },
            "starting",
            f"ip500 r5, standard edition, telephony off, until {AT}",
        ),
        ("feature-key", {"condition": "in_order", "serial": "1", "presence": "present"}, "in_order", "card 1"),
        (
            "feature-key",
            {"condition": "grace", "serial": None, "presence": "absent", "grace_until": AT},
            "grace",
            f"feature key absent, grace until {AT}",
        ),
        (
            "reader",
            {"state": "lost", "kind": "serial", "name": "fkc0", "last_error": "gone"},
            "lost",
            "serial fkc0: gone",
        ),
        (
            "licences/1",
            {"status": "Valid", "type": "X", "instances": 4, "expiry": "2030-12-31"},
            "Valid",
            "X, 4, until 2030-12-31",
        ),
        ("licences/2", {"status": "Invalid", "type": "Invalid", "instances": None}, "Invalid", "Invalid"),
        (
            "features/x",
            {"available": 3, "in_use": 1, "usable": 4, "licensed": 4, "free": 0, "refused": True, "wanting": 2},
            "3 free",
            "1 in use, 4 usable of 4 licensed and 0 unlicensed, a use was refused, 2 wanting",
        ),
        (
            "users/anna",
            {"profile": "power-user", "features": ["receptionist"], "extension": "201", "active": False},
            "inactive",
            "power-user, receptionist, extension 201",
        ),
        (
            "extensions/201",
            {"kind": "dect", "reserved": "avaya", "state": "licensed"},
            "licensed",
            "dect, reserved avaya",
        ),
        (
            "dect",
            {
                "state": "violation",
                "park": "1F100A4C32",
                "present": 1,
                "licensed_macs": ["a", "b", "c"],
                "calls": 2,
                "until": "2026-01-08T12:00:00Z",
            },
            "violation",
            "PARK 1F100A4C32, 1 of 3 licensed base stations answer, 2 calls, until 2026-01-08T12:00:00Z",
        ),
        (
            "dect/bases/02:00:5e:10:00:01",
            {"mac": "02:00:5e:10:00:01", "admm": True, "licensed": True, "reachable": False},
            "lost",
            "ADMM, licensed",
        ),
        ("slots/1", {"fitted": "DS8", "configured": "DS8", "oper_state": "enabled", "hold": None}, "enabled", "DS8"),
        (
            "slots/1",
            {"fitted": None, "configured": "DS8", "oper_state": "disabled", "hold": "missing"},
            "disabled",
            "DS8 missing",
        ),
        (
            "expansion/1",
            {"fitted": "DS30V2", "configured": "DS30V2", "oper_state": "disabled", "hold": "licence"},
            "disabled",
            "DS30V2, held by licence",
        ),
        (
            "expansion/2",
            {"fitted": None, "configured": None, "oper_state": "disabled", "hold": "empty"},
            "disabled",
            "empty",
        ),
        ("leds/cpu", {"colour": "green", "pattern": "on"}, "green", "on"),
        (
            "alarms/40",
            {"severity": "warning", "event": 40, "text": "no key", "since": AT},
            "warning",
            f"event 40, no key, since {AT}",
        ),
        ("newer/1", {"v": 1, "seq": 2, "size": 3}, "", "size=3"),
    ],
)
def test_entities_in_a_few_words(path: str, payload: dict[str, Any], state: str, rest: str) -> None:
    assert state_of(path, payload) == (state, rest)


def test_entities_stand_in_the_order_of_reading() -> None:
    paths = ["leds/slot-1-led-9", "leds/slot-1-led-10", "slots/10", "slots/2", "slots/2/daughter", "unit", "newer/1"]
    assert sorted(paths, key=reading_order) == [
        "unit",
        "slots/2",
        "slots/2/daughter",
        "slots/10",
        "leds/slot-1-led-9",
        "leds/slot-1-led-10",
        "newer/1",
    ]


def test_what_is_idle_is_left_out() -> None:
    assert is_idle("leds/cpu", {})
    assert is_idle("slots/1", {"hold": "empty"})
    assert not is_idle("slots/1", {"hold": "missing"})


@pytest.mark.parametrize(("state", "colour"), [("running", "green"), ("grace", "yellow"), ("Invalid", "red")])
def test_news_are_good_shaky_or_bad(state: str, colour: str) -> None:
    assert colour_of(state) == colour


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (None, None, "slots/1  not there"),
        ({"fitted": "DS8"}, None, "slots/1  gone"),
        ({"on": 1, "seq": 1}, {"on": 2, "seq": 2, "at": AT}, "00:00:00.000  slots/1  on 1 -> 2"),
        (
            {"on": 1, "seq": 1},
            {"on": 2, "seq": 2, "at": AT, "cause": ["licence:X", "event:2"]},
            "00:00:00.000  slots/1  on 1 -> 2  < licence:X < event:2",
        ),
        (
            None,
            {"fitted": "DS8", "configured": None, "oper_state": "enabled", "hold": None, "at": AT},
            "00:00:00.000  slots/1  enabled DS8",
        ),
    ],
)
def test_changes_in_one_line(before: Any, after: Any, line: str) -> None:
    assert change_line("slots/1", before, after, PLAIN) == line


def test_availability_is_no_json() -> None:
    assert change_line("availability", "online", "offline", PLAIN) == "availability  offline"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert Style(Terminal())("x", "bold", "red") == "\x1b[1;31mx\x1b[0m"
    assert Style(Terminal())("x") == "x"
    assert Style(io.StringIO())("x", "red") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Style(Terminal())("x", "red") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Style(Terminal())("x", "red") == "x"


def test_tables_have_straight_columns() -> None:
    assert table([("a", "bbb"), ("aaaa", "b")], ("H", "I")) == ["H     I", "a     bbb", "aaaa  b"]
    assert table([], ("H",)) == []


def test_plural() -> None:
    assert [plural(number, "unit") for number in (0, 1, 2_000)] == ["0 units", "1 unit", "2,000 units"]
