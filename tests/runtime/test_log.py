from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from ipo_sim.runtime import log

_log = structlog.get_logger()


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """Whatever a test configures is gone after it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_each_line_is_json() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    _log.bind(unit="bench-1").warning("reader_lost", error="unplugged")
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "reader_lost", "level": "warning", "unit": "bench-1", "error": "unplugged"}


def test_on_a_terminal_it_is_for_people() -> None:
    stream = Terminal()
    log.configure(stream=stream)
    _log.info("unit_restored", unit="bench-1")
    assert "unit_restored" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_format_can_be_asked_for() -> None:
    json_lines, people = Terminal(), io.StringIO()
    log.configure("json", stream=json_lines)
    _log.info("x")
    log.configure("console", stream=people)
    _log.info("x")
    assert json.loads(json_lines.getvalue())["event"] == "x"
    assert "\x1b[" not in people.getvalue()


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_levels_below_the_one_asked_for_are_left_out(level: str, shown: int) -> None:
    stream = io.StringIO()
    log.configure("json", level, stream)
    for name in log.LEVELS:
        getattr(_log, name)("x")
    assert len(stream.getvalue().splitlines()) == shown


def test_what_libraries_log_comes_in_the_same_format() -> None:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    logging.getLogger("some.library").info("chatter")
    broken = ZeroDivisionError("by nought")
    logging.getLogger("some.library").error("it %s", "broke", exc_info=broken)
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["logger"], line["level"]) == ("it broke", "some.library", "error")
    assert "ZeroDivisionError" in line["exception"]


def test_traces_are_part_of_the_line() -> None:
    stream = io.StringIO()
    log.configure("json", "debug", stream)
    _log.debug("service_failed_at", exc_info=ZeroDivisionError("by nought"))
    assert json.loads(stream.getvalue())["exception"] == "ZeroDivisionError: by nought"


def test_loading_it_loads_nothing_heavy() -> None:
    program = "import sys, ipo_sim.runtime.log; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not {"rich", "pydantic", "aiomqtt", "yaml"} & set(loaded)
