"""Which broker a command talks to."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ipo_sim.cli.daemon_file import Daemon, read_daemon
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.parsing import DEFAULT_TIMEOUT_S
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.client.connection import Address, HttpAddress, is_http
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.topics import Topics

VARIABLE = "IPO_SIM_BROKER"


class Target(NamedTuple):
    """A broker or a control API, how long to wait for it, and what to tell a user for whom it is not there."""

    address: Address
    timeout_s: float
    hint: str


def find_broker(arguments: Namespace) -> Target:
    """The broker of --broker, IPO_SIM_BROKER, the daemon on the state directory, or the default one.

    UsageError for a URL or prefix that is none.
    """
    timeout_s: float = arguments.timeout or DEFAULT_TIMEOUT_S
    state_dir: Path = arguments.state_dir or default_state_dir()
    settings, hint = _find(arguments.broker, state_dir)
    if isinstance(settings, HttpAddress):
        return Target(settings, timeout_s, hint)
    try:
        if arguments.prefix is not None:
            Topics(arguments.prefix)
            settings = replace(settings, prefix=arguments.prefix)
    except ConfigError as error:
        raise UsageError(f"--prefix: {error}") from None
    return Target(replace(settings, client_id=None, timeout_s=timeout_s), timeout_s, hint)


def _find(url: str | None, state_dir: Path) -> tuple[Address, str]:
    for source, given in (("--broker", url), (VARIABLE, os.environ.get(VARIABLE))):
        if given:
            return _given(source, given, state_dir)
    daemon = read_daemon(state_dir)
    if daemon is not None and daemon.alive:
        hint = f"the daemon on {state_dir} (process {daemon.pid}) should be there"
        if not _has_space(state_dir):
            hint = f"no space is left for {state_dir}: a broker of our own takes clients again once there is some"
        return _of(daemon), hint
    gone = f"; the last daemon on {state_dir} ended without a word" if daemon is not None else ""
    return MqttSettings(), f"does a daemon run? `ipo-sim run` starts one, --broker or --state-dir name another{gone}"


def _has_space(directory: Path) -> bool:
    try:
        return shutil.disk_usage(directory).free > 0
    except OSError:
        return True


def _given(source: str, url: str, state_dir: Path) -> tuple[Address, str]:
    """What is at a URL; the prefix of a broker is that of our own daemon if it is on the same one."""
    try:
        if is_http(url):
            return HttpAddress.of(url), f"{source} names it"
        settings = MqttSettings(url=url)
    except ConfigError as error:
        raise UsageError(f"{source}: {error}") from None
    daemon = read_daemon(state_dir)
    if daemon is not None and daemon.broker == str(settings.endpoint()):
        settings = replace(settings, prefix=daemon.prefix)
    return settings, f"{source} names it"


def _of(daemon: Daemon) -> MqttSettings:
    if daemon.config is None:
        return MqttSettings(url=daemon.broker, prefix=daemon.prefix)
    from ipo_sim.cli.broker_settings import connection_settings  # noqa: PLC0415 - only for brokers with passwords
    from ipo_sim.config.load import load_config  # noqa: PLC0415 - as above

    mqtt = load_config(Path(daemon.config)).mqtt
    return replace(connection_settings(mqtt, daemon.broker), prefix=daemon.prefix)
