"""The beginning of a subscription, in every order in which brokers tell it."""

from __future__ import annotations

import pytest

from ipo_sim.client.catch_up import CatchUp

OLD, NEW = b'{"seq":4}', b'{"seq":5}'
AGAIN = "again"

# A message is a path, a payload and how it comes: retained (r) or live (l).
Message = tuple[str, bytes, str]


def heard(*messages: Message | str) -> list[tuple[str, bytes]]:
    told: list[tuple[str, bytes]] = []
    catch_up = CatchUp(lambda path, payload: told.append((path, payload)))
    for message in messages:
        if isinstance(message, str):
            catch_up.begin_again()
        else:
            path, payload, way = message
            catch_up.take(path, payload, retained=way == "r")
    catch_up.finish()
    return told


UNIT = ("unit", OLD, "r")


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        pytest.param([UNIT, AGAIN, UNIT], [("unit", OLD)], id="all-quiet-is-told-once"),
        pytest.param([UNIT, AGAIN, ("unit", NEW, "r")], [("unit", OLD), ("unit", NEW)], id="a-change-in-the-gap"),
        pytest.param(
            [UNIT, AGAIN, UNIT, ("alarms/1", NEW, "r")], [("unit", OLD), ("alarms/1", NEW)], id="a-new-one-in-the-gap"
        ),
        pytest.param(
            [UNIT, ("alarms/1", OLD, "r"), AGAIN, UNIT],
            [("unit", OLD), ("alarms/1", OLD), ("alarms/1", b"")],
            id="a-withdrawal-in-the-gap",
        ),
        pytest.param([("unit", NEW, "l"), UNIT, AGAIN, UNIT], [("unit", NEW)], id="live-before-what-was-retained"),
        pytest.param(
            [UNIT, AGAIN, ("unit", NEW, "l"), UNIT], [("unit", OLD), ("unit", NEW)], id="live-before-the-second-telling"
        ),
        pytest.param(
            [("unit", NEW, "r"), AGAIN, ("unit", OLD, "l"), ("unit", NEW, "r")],
            [("unit", NEW), ("unit", OLD)],
            id="rewound",
        ),
        pytest.param(
            [UNIT, ("alarms/1", OLD, "r"), AGAIN, ("alarms/1", b"", "l"), ("alarms/1", OLD, "r"), UNIT],
            [("unit", OLD), ("alarms/1", OLD), ("alarms/1", b"")],
            id="withdrawn-live",
        ),
        pytest.param(
            [("events", OLD, "l"), AGAIN, ("events", OLD, "l")], [("events", OLD)] * 2, id="live-is-passed-on"
        ),
        pytest.param(
            [UNIT, ("availability", b"online", "r"), AGAIN, ("availability", b"online", "r")],
            [("unit", OLD), ("availability", b"online")],
            id="a-broker-that-does-not-tell-again",
        ),
    ],
)
def test_what_is_handed_on(messages: list[Message | str], told: list[tuple[str, bytes]]) -> None:
    assert heard(*messages) == told
