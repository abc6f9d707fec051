"""IP400 units and their key server as real processes (licensing.md 8): kills, restarts, dongles, refusals, networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.daemons import Daemon, ipo_sim
from tests.cli.key_server.servers import SERIAL, KeyServer, alarms_in, configuration, entities_of, unit_id, unit_of
from tests.mqtt.watcher import Watcher, watcher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

IN_ORDER = rf"telephony on, dongle {SERIAL}, in order"
LOST = rf"dongle unknown, grace for dongle {SERIAL}"
NO_DONGLE = rf"dongle absent, grace for dongle {SERIAL}"


def broker_port(daemon: Daemon) -> int:
    return int(daemon.file["broker"].rpartition(":")[2])


def happened(seen: Watcher, name: str) -> list[str]:
    """Types of the events of a unit, in order."""
    return [json.loads(payload)["type"] for payload in seen.on(f"ipo-sim/{name}/events")]


def notified(seen: Watcher, name: str) -> list[int]:
    """Numbers of the maker's events that a unit has sent, in order."""
    events = [json.loads(payload) for payload in seen.on(f"ipo-sim/{name}/events")]
    return [notification["event"] for event in events for notification in event["notifications"]]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_unit_is_told_of_its_dongle(home: Path, transport: str) -> None:
    """Pulled: event 40, warning, reason 2, and the licences hold; put back: cleared. Another one: Invalid at once."""
    with (
        KeyServer(home, "--dongle", "parallel") as server,
        unit_of(home, "office", server.port, transport=transport) as unit,
    ):
        unit.until(IN_ORDER)
        assert any(f"its dongle: is looked for at 127.0.0.1:{server.port} " in line for line in unit.output)
        before = entities_of(unit, "office")
        assert before["feature-key"]["dongle_serial_number"] == f"Remote {SERIAL}"
        assert before["licences/1"]["status"] == "Valid"
        server.ctl("remove")
        unit.until(NO_DONGLE)
        pulled = entities_of(unit, "office")
        assert alarms_in(pulled) == {40: ("warning", 2)}
        assert pulled["licences/1"]["status"] == "Valid"
        server.ctl("insert")
        unit.until(IN_ORDER)
        assert alarms_in(entities_of(unit, "office")) == {}
        server.ctl("insert", "--serial", "0000000001")
        unit.until("dongle 0000000001, in order")
        assert entities_of(unit, "office")["licences/1"]["status"] == "Invalid"
        assert server.ctl("status")["unit"] == unit_id("office")


async def test_a_server_is_killed_and_started_again(home: Path) -> None:
    """Two polls are missed, the third loses the link: 24 and the grace; what was valid stays so; all is well after."""
    with KeyServer(home) as server, unit_of(home, "office", server.port) as unit:
        unit.until(IN_ORDER)
        async with watcher(broker_port(unit)) as seen:
            await seen.field("ipo-sim/office/reader", "state", "attached")
            server.kill()
            lost = await seen.field("ipo-sim/office/reader", "state", "lost")
            assert lost["last_error"].endswith("nobody listens there")
            await seen.field("ipo-sim/office/alarms/24-reader", "event", 24)
            alarm = await seen.field("ipo-sim/office/alarms/40-feature-key", "severity", "warning")
            assert alarm["reason"] == 9
            assert seen.json("ipo-sim/office/licences/1")["status"] == "Valid"
            with KeyServer(home, port=server.port):
                await seen.field("ipo-sim/office/feature-key", "condition", "in_order")
                await seen.until(lambda: not any("/alarms/" in topic for topic in seen.retained))
            await seen.until(lambda: happened(seen, "office").count("reader-lost") == 2)
            assert happened(seen, "office") == [
                *("key-server-poll-missed", "key-server-poll-missed", "reader-lost"),
                *("reader-attached", "feature-key-inserted"),
                *("key-server-poll-missed", "key-server-poll-missed", "reader-lost"),
            ]
            sent = notified(seen, "office")
            assert sent[:2] == [26, 26]
            assert (sorted(sent[2:4]), sorted(sent[4:6])) == ([24, 40], [25, 40])


async def test_another_dongle_at_the_server_is_told(home: Path) -> None:
    """27, and every licence of the one before is Invalid at once; the right one back, all is Valid again."""
    with KeyServer(home) as server, unit_of(home, "office", server.port) as unit:
        unit.until(IN_ORDER)
        async with watcher(broker_port(unit)) as seen:
            await seen.field("ipo-sim/office/licences/1", "status", "Valid")
            for serial, status in (("0000000001", "Invalid"), (SERIAL, "Valid")):
                server.ctl("insert", "--serial", serial)
                await seen.field("ipo-sim/office/licences/1", "status", status)
            await seen.until(lambda: notified(seen, "office").count(27) == 2)


def test_the_grace_of_a_unit_without_its_server_ends(home: Path) -> None:
    with KeyServer(home) as server, unit_of(home, "office", server.port) as unit:
        unit.until(IN_ORDER)
        server.kill()
        unit.until(LOST)
        unit_ctl(unit, "advance", 100_000)
        unit.until("telephony on, dongle unknown, not in order")
        over = entities_of(unit, "office")
        assert alarms_in(over) == {24: ("major", None), 40: ("critical", 9)}
        assert over["licences/1"]["status"] == "Invalid"
        with KeyServer(home, port=server.port):
            unit.until(IN_ORDER)
            assert entities_of(unit, "office")["licences/1"]["status"] == "Valid"


def test_the_second_unit_is_refused_and_first_after_a_restart_of_the_server(home: Path) -> None:
    with KeyServer(home) as server:
        with unit_of(home, "office", server.port) as first:
            first.until(IN_ORDER)
            with unit_of(home, "branch", server.port) as second:
                second.until("telephony on, dongle unknown, not in order")
                refused = entities_of(second, "branch")
        reason = f"refused: this server validates unit {unit_id('office')} alone until it is restarted"
        assert refused["reader"]["last_error"] == reason
        assert alarms_in(refused) == {24: ("major", None), 40: ("critical", 9)}
        assert server.ctl("status")["unit"] == unit_id("office"), "gone, it is the first still"
        server.kill()
        with KeyServer(home, port=server.port) as server_again:
            with unit_of(home, "branch", server.port) as second:
                second.until(IN_ORDER)
            assert server_again.ctl("status")["unit"] == unit_id("branch")


def test_a_unit_that_was_killed_is_first_still(home: Path) -> None:
    with KeyServer(home) as server:
        with unit_of(home, "office", server.port) as unit:
            unit.until(IN_ORDER)
        with unit_of(home, "office", server.port) as unit:
            unit.until(IN_ORDER)
            polls = server.ctl("status")["polls"]
            server.ctl("remove")
            unit.until(NO_DONGLE)
        state = server.ctl("status")
    assert state["unit"] == unit_id("office")
    assert state["refusals"] == 0
    assert state["polls"] > polls


def test_a_unit_and_its_server_share_a_secret(home: Path) -> None:
    secret = home / "secret"
    secret.write_text("long and random\n")
    with KeyServer(home, "--secret-file", secret) as server:
        with unit_of(home, "branch", server.port, secret="a guess") as guesses:
            guesses.until("telephony on, dongle unknown, not in order")
            assert entities_of(guesses, "branch")["reader"]["last_error"] == "the server has another secret"
        with unit_of(home, "office", server.port, secret="long and random") as unit:
            unit.until(IN_ORDER)
        assert server.ctl("status", "--secret-file", secret)["unit"] == unit_id("office")


def test_a_server_that_answers_too_late_is_lost(home: Path) -> None:
    with KeyServer(home) as server, unit_of(home, "office", server.port) as unit:
        unit.until(IN_ORDER)
        server.ctl("delay", 60_000)
        unit.until(LOST)
        assert entities_of(unit, "office")["reader"]["last_error"] == "no answer within 3 s"
        server.ctl("delay", 10)
        unit.until(IN_ORDER)


def test_a_unit_finds_its_server_by_broadcast(home: Path) -> None:
    with KeyServer(home) as server:
        config = configuration(home, "office", server.port)
        config.write_text(config.read_text().replace("licence_server: 127.0.0.1", "licence_server: 127.255.255.255"))
        with Daemon(home / "state", config, "--time-scale", 10) as unit:
            unit.until(IN_ORDER)
            assert server.ctl("status")["unit"] == unit_id("office")


def unit_ctl(unit: Daemon, *words: object) -> None:
    done = ipo_sim("ctl", "--state-dir", unit.state_dir, "office", *words, home=unit.state_dir.parent)
    assert done.returncode == 0, done.stderr
