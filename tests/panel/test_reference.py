"""The reference says what there is: resources, errors, events and limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipo_sim.api import streams
from ipo_sim.api.allowance import BURST, REQUESTS_PER_S
from ipo_sim.api.requests import MAX_REQUEST_BYTES
from ipo_sim.panel import documents, events, resources, server
from ipo_sim.panel.statuses import _STATUSES
from ipo_sim.runtime.bus import MAX_RECORDS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text()


def test_every_code_stands_at_its_status() -> None:
    rows = dict(re.findall(r"^\| (\d{3}) \| (.+) \|$", PAGE, re.MULTILINE))
    for code, status in _STATUSES.items():
        if code != "interrupted":  # what only a daemon that ends says
            assert f"`{code}`" in rows[str(int(status))], code
    assert {int(status) for status in rows} == {int(status) for status in _STATUSES.values()} | {409}


def test_every_event_of_a_stream_is_told() -> None:
    section = PAGE.partition("\n## Streams\n")[2].partition("\n## ")[0]
    names = {streams.ENTITY, streams.EVENT, streams.ANSWER, streams.MISSED, streams.SYNCHRONISED, streams.END}
    assert names <= set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    "fact",
    [
        f"| connections | {server.MAX_CONNECTIONS} |",
        f"| streams | {resources.MAX_STREAMS} |",
        f"| body | {MAX_REQUEST_BYTES // 1024} KiB, within {resources.BODY_S:g} s |",
        f"on a connection | {server.IDLE_S:g} s |",
        f"takes nothing | {resources.STALL_S:g} s |",
        f"{documents.MAX_PAGE:,} at most",
        f"The last {MAX_RECORDS:,} events",
        f"every {events.HEARTBEAT_S:g} seconds",
        f"more than {REQUESTS_PER_S:g} requests a second for one unit, {BURST:g} at once",
    ],
)
def test_its_limits_are_those_of_the_server(fact: str) -> None:
    assert fact in PAGE
