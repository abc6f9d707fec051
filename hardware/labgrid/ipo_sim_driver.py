"""A labgrid driver: an ipo-sim unit whose feature key is in the card reader of the place.

Bound to a serial port of this machine, or to one that an exporter offers with `protocol: raw`. In the environment:

    targets:
      main:
        resources:
          USBSerialPort:
            match: {ID_SERIAL_SHORT: A50285BI}
        drivers:
          IpoSimDriver: {model: ip500}
    tools:
      ipo-sim: /opt/ipo-sim/bin/ipo-sim
    imports:
      - ipo_sim_driver.py

A test then asks for it by `target.get_driver("IpoSimDriver")`. Written for labgrid 26.0.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attr
from labgrid.driver.common import Driver
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.step import step
from labgrid.util import Timeout

# A start takes less than a second; an exporter on another machine, some more.
START_S = 30.0
STOP_S = 15.0

TOOL = "ipo-sim"
UNIT = "bench"


@target_factory.reg_driver
@attr.s(eq=False)
class IpoSimDriver(Driver):
    """Runs a unit while it is active. `model` and `law` as in ipo-sim's configuration."""

    # What labgrid binds under the name `port`.
    bindings = {"port": {"RawSerialPort", "USBSerialPort", "NetworkSerialPort"}}  # noqa: RUF012 - labgrid's own way

    model = attr.ib(default="ip500", validator=attr.validators.instance_of(str))
    law = attr.ib(default="alaw", validator=attr.validators.in_(["alaw", "mulaw"]))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    def on_activate(self) -> None:
        """Start the daemon, and wait until its unit answers."""
        self._folder = tempfile.TemporaryDirectory(prefix="ipo-sim-")
        folder = Path(self._folder.name)
        configuration = folder / "unit.json"  # YAML has JSON in it
        key = {"reader": "serial", "port": self._reader(), "law": self.law}
        configuration.write_text(json.dumps({"units": [{"name": UNIT, "model": self.model, "feature_key": key}]}))
        command = [self._tool(), "run", "--state-dir", str(folder / "state"), str(configuration)]
        with (folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)  # noqa: S603 - that of the place
        try:
            self._wait_for_start()
        except BaseException:
            self.on_deactivate()
            raise

    def on_deactivate(self) -> None:
        """End the daemon."""
        assert self._daemon is not None
        assert self._folder is not None
        self._daemon.terminate()
        try:
            self._daemon.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._folder.cleanup()

    @Driver.check_active
    @step(args=["words"], result=True)
    def execute(self, *words: str) -> dict[str, Any]:
        """The answer to a command of `ipo-sim ctl`; ExecutionError when it is refused."""
        answer: dict[str, Any] = json.loads(self._ctl(*words, "--json"))
        return answer

    @Driver.check_active
    @step(args=["path"], result=True)
    def entity(self, path: str) -> dict[str, Any]:
        """What the unit says of itself there: `feature-key`, `reader`, `licences/1`, ..."""
        found: dict[str, Any] = self.execute("status")["entities"][path]
        return found

    @Driver.check_active
    @step(args=["condition"])
    def wait_for(self, condition: str, timeout: float = 30.0) -> None:
        """Wait for PATH.FIELD=VALUE, such as `feature-key.presence=present`; ExecutionError when it does not come."""
        self._ctl("watch", "--all", "--until", condition, "--timeout", str(timeout))

    def _reader(self) -> str:
        """The place's port as ipo-sim names it."""
        protocol = getattr(self.port, "protocol", None)
        if protocol is None:
            return f"serial://{self.port.port}"
        if protocol != "raw":
            raise ExecutionError(f"ipo-sim needs `protocol: raw` of a NetworkSerialPort, this one has {protocol}")
        return f"socket://{self.port.host}:{self.port.port}"

    def _tool(self) -> str:
        environment = self.target.env
        tool: str = environment.config.get_tool(TOOL) if environment else TOOL
        return tool

    def _wait_for_start(self) -> None:
        timeout = Timeout(START_S)
        while True:
            try:
                self._ctl("status", "--json")
            except ExecutionError:
                if timeout.expired or (self._daemon and self._daemon.poll() is not None):
                    raise ExecutionError(f"the unit does not answer: {self._log()}") from None
            else:
                return

    def _ctl(self, *words: str) -> str:
        assert self._folder is not None
        state = ["--state-dir", str(Path(self._folder.name) / "state")]
        command = [self._tool(), "ctl", *state, UNIT, *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - that of the place
        if ran.returncode:
            raise ExecutionError(ran.stderr.strip() or ran.stdout.strip())
        return ran.stdout

    def _log(self) -> str:
        assert self._folder is not None
        return (Path(self._folder.name) / "log").read_text(errors="replace").strip()
