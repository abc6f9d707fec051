"""What `ipo-sim run` says first: where the units can be seen, and what to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ipo_sim.cli.program import program
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.cli.terminal import plural
from ipo_sim.core.model import UnitName
from ipo_sim.mqtt.settings import Endpoint

_REAL_TIME = "at scale 1"


class Introduction(NamedTuple):
    """The facts of a run. `embedded`: the broker is our own. `pace`: how time runs. `resumed`: there was a run before.

    `key_server` is where the first unit looks for its dongle, if it is not on the unit itself.
    """

    config: Path | None
    state_dir: Path
    endpoint: Endpoint
    embedded: bool
    prefix: str
    units: Sequence[UnitName]
    has_virtual_card: bool
    pace: str
    key_server: str | None = None
    http: str | None = None
    resumed: bool = False

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each with its title."""
        first = self.units[0]
        what = f"{self.config or 'the demonstration'}, {plural(len(self.units), 'unit')}"
        yield "ipo-sim", f"{what}; state in {_home(self.state_dir)}"
        if self.pace != _REAL_TIME:
            yield "time", f"{self.pace} ({self._ctl(first, 'set-time')} scale=1 pause=false)"
        if self.resumed:
            yield "goes on", f"where the last run stopped; to begin anew: {self._anew()}"
        yield "broker", f"{self.endpoint}{' (our own)' if self.embedded else ''}"
        yield "all topics", self._subscriber()
        if self.http is not None:
            yield "HTTP", f"{self.http}/units"
        if self.has_virtual_card:
            yield "pull the card", self._ctl(first, "remove-card")
            yield "put it back", self._ctl(first, "insert-card")
        if self.key_server is not None:
            yield "its dongle", f"is looked for at {self.key_server} ({program()} key-server run)"
        yield "move time on", self._ctl(first, "advance 7200")
        yield "ask why", self._ctl(first, "unit", command="why")
        yield "all commands", f"{program()} ctl"

    def _ctl(self, unit: UnitName, words: str, command: str = "ctl") -> str:
        return f"{program()} {command}{self._options()} {unit} {words}"

    def _anew(self) -> str:
        config = "" if self.config is None else f" {shlex.quote(str(self.config))}"
        return f"{program()} run{config}{self._options()} --fresh"

    def _options(self) -> str:
        return "" if self.state_dir == default_state_dir() else f" --state-dir {shlex.quote(str(self.state_dir))}"

    def _subscriber(self) -> str:
        """For a stock client; of a broker with TLS or a password the rest is the user's to add."""
        endpoint = self.endpoint
        user = f" -u {shlex.quote(endpoint.username)} -P ..." if endpoint.username is not None else ""
        tls = " --tls-use-os-certs" if endpoint.secure else ""
        return f"mosquitto_sub -h {endpoint.host} -p {endpoint.port}{user}{tls} -v -t '{self.prefix}/#'"


def _home(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
