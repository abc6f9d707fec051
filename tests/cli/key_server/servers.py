"""Feature key servers as users start them, and units that poll them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.daemons import Daemon, Process, ipo_sim, started

SERIAL = "1234567890"
# SIP Trunk Channels, 1, for the dongle above.
KEY = "0400G001000BCJTEF2Y889MTYXAE5DG9"
MACS = {"office": "00:e0:07:00:00:01", "branch": "00:e0:07:00:00:02"}


def unit_id(name: str) -> str:
    """The unit as key servers know it."""
    return MACS[name].replace(":", "").upper()


class KeyServer(Process):
    """A process of `ipo-sim key-server run` that listens; port 0 takes a free one."""

    def __init__(self, home: Path, *arguments: object, port: int = 0) -> None:
        super().__init__(home, home / "key-server.log", "key-server", "run", "--port", port, "--json", *arguments)
        self.home = home
        try:
            self.first: dict[str, Any] = json.loads(self.until("{"))
        except BaseException:
            self.kill()
            raise
        self.port: int = self.first["port"]

    def until_told(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next that it says of itself for which the condition holds."""
        while True:
            told: dict[str, Any] = json.loads(self.until("{"))
            if condition(told):
                return told

    def ctl(self, command: str, *words: object) -> dict[str, Any]:
        """What a client is told."""
        place = f"127.0.0.1:{self.port}"
        before, after = (words[:1], words[1:]) if command == "delay" else ((), words)
        done = ipo_sim("key-server", command, *before, place, *after, "--json", home=self.home)
        assert done.returncode == 0, done.stderr
        state: dict[str, Any] = json.loads(done.stdout)
        return state


def configuration(
    folder: Path, name: str, port: int, *, secret: str | None = None, transport: str | None = None
) -> Path:
    """A file with one unit that polls a server on this machine ten times a second."""
    path = folder / f"{name}.yaml"
    extra = f", licence_server_secret: {secret}" if secret else ""
    extra += f", licence_server_transport: {transport}" if transport else ""
    path.write_text(
        f"units:\n"
        f"  - name: {name}\n"
        f"    model: ip406v2\n"
        f'    mac: "{MACS[name]}"\n'
        f"    feature_key: {{licence_server: 127.0.0.1, licence_server_port: {port}{extra}}}\n"
        f"    key: {{poll_s: 0.1, grace_s: 100000}}\n"
        f"    licences: [{KEY}]\n"
    )
    return path


def unit_of(folder: Path, name: str, port: int, *, secret: str | None = None, transport: str | None = None) -> Daemon:
    """A daemon that runs that unit, ten times as fast as the clock."""
    config = configuration(folder, name, port, secret=secret, transport=transport)
    return started(folder / f"{name}-state", config, "--time-scale", 10)


def entities_of(daemon: Daemon, name: str) -> dict[str, Any]:
    """All that a unit publishes."""
    done = ipo_sim("ctl", "--state-dir", daemon.state_dir, name, "status", "--json", home=daemon.state_dir.parent)
    assert done.returncode == 0, done.stderr
    entities: dict[str, Any] = json.loads(done.stdout)["entities"]
    return entities


def alarms_in(entities: dict[str, Any]) -> dict[int, tuple[str, int | None]]:
    """Severity and reason of each event that stands."""
    found = (value for path, value in entities.items() if re.match("alarms/", path))
    return {alarm["event"]: (alarm["severity"], alarm["reason"]) for alarm in found}
