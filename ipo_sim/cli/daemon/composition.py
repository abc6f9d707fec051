"""The daemon: built out of its rooms, and run. The one place where all of them meet."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.broker_settings import connection_settings, wants_credentials
from ipo_sim.cli.config.cassettes import Cassettes
from ipo_sim.cli.daemon.feature_key_readers import FeatureKeyReaders
from ipo_sim.cli.daemon.summary import Summary
from ipo_sim.cli.daemon_file import MAX_UNITS, Daemon, published
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.named_service import Named
from ipo_sim.cli.terminal import plural
from ipo_sim.cli.termination import signals_let_in
from ipo_sim.config.settings import BrokerSettings, HttpSettings, Settings
from ipo_sim.core.model import UnitName
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.plan import build_links
from ipo_sim.mqtt.settings import MqttSettings
from ipo_sim.mqtt.tls import broker_context
from ipo_sim.runtime.assembly import Runtime, open_runtime
from ipo_sim.runtime.context import Context
from ipo_sim.runtime.supervisor import Service, run_daemon

if TYPE_CHECKING:
    from ipo_sim.cli.daemon.introduction import Introduction

# What is not needed for it waits until the units are seen, but not for ever: the broker may be away.
PATIENCE_S = 0.5
# What is imported at once holds up what units say that boot in no time; nobody types a command that fast.
CALM_S = 0.2


class Plan(NamedTuple):
    """What the daemon needs to know beside its units.

    `url` None: it brings its own broker. `scale` None: time goes on as it did. `record`: where readers are recorded.
    """

    config: Path | None
    url: str | None
    mqtt: BrokerSettings
    state_dir: Path
    fresh: bool
    scale: float | None
    record: Path | None
    http: HttpSettings | None = None


class _Where(NamedTuple):
    """Where the units can be reached: the broker, and the URL of the control API if it is on."""

    mqtt: MqttSettings
    http: str | None


def run(plan: Plan, settings: Settings, cassettes: Cassettes, summary: Summary) -> int:
    """Serve until told to end; the exit code of the process."""
    with signals_let_in():
        runtime = open_runtime(plan.state_dir, settings.units, load_catalogue(), fresh=plan.fresh, scale=plan.scale)
    with ExitStack() as stack:
        stack.enter_context(closing(runtime))
        readers = FeatureKeyReaders(settings.readers, runtime, cassettes, plan.record)
        stack.enter_context(closing(readers))
        return asyncio.run(_serve(plan, runtime, readers, summary))


async def _serve(plan: Plan, runtime: Runtime, readers: FeatureKeyReaders, summary: Summary) -> int:
    async with AsyncExitStack() as stack:
        stack.enter_context(signals_let_in())
        services: list[Service] = []
        url = plan.url
        if url is None:
            from ipo_sim.mqtt.broker import EmbeddedBroker  # noqa: PLC0415 - only who brings a broker

            broker = await stack.enter_async_context(EmbeddedBroker(plan.state_dir / "broker"))
            services.append(Named("broker", broker.run))
            url = broker.url
        mqtt = _connection(plan, url)
        execute = partial(_execute, runtime.context)
        links = build_links(
            mqtt, runtime.engine.names(), runtime.bus, load_catalogue(), execute, counters=readers.counters
        )
        services += [runtime.pump, readers]
        services += [Named(f"mqtt {link.identity.client_id}", link.run) for link in links]
        http = None
        if plan.http is not None:
            from ipo_sim.cli.daemon.control_api import control_server  # noqa: PLC0415 - only who offers it

            http = await stack.enter_async_context(control_server(plan.http, runtime, readers.counters, execute))
            services.append(http)
        where = _Where(mqtt, None if http is None else http.url)
        services.append(Named("summary", partial(_show, plan, where, runtime, links, summary)))
        services.append(Named("readiness", partial(_get_ready, links)))
        services += _systemd(links, mqtt, runtime)
        stack.enter_context(published(plan.state_dir, _daemon(plan, where, runtime)))
        return await run_daemon(services, _nothing)


def _systemd(links: Sequence[Link], mqtt: MqttSettings, runtime: Runtime) -> list[Service]:
    """Who tells systemd that the daemon is up, when it is systemd that has started it."""
    if "NOTIFY_SOCKET" not in os.environ:
        return []
    from ipo_sim.cli.daemon.systemd import Systemd  # noqa: PLC0415 - few daemons have somebody who asks

    status = f"{plural(len(runtime.engine.names()), 'unit')} on {mqtt.endpoint()}"
    service = Systemd.of(os.environ, partial(_seen, links), status)
    return [] if service is None else [service]


def _connection(plan: Plan, url: str) -> MqttSettings:
    """How to reach the broker; ConfigError now, and not in a log, for what cannot be used."""
    try:
        mqtt = connection_settings(plan.mqtt, url)
    except ConfigError as error:
        raise UsageError(f"--broker: {error}") from None
    broker_context(mqtt)
    return mqtt


def _daemon(plan: Plan, where: _Where, runtime: Runtime) -> Daemon:
    """What commands need to find us; where a password is wanted, it is read from the configuration."""
    mqtt = where.mqtt
    guarded = plan.config is not None and wants_credentials(plan.mqtt, mqtt)
    return Daemon(
        pid=os.getpid(),
        broker=str(mqtt.endpoint()),
        prefix=mqtt.prefix,
        units=runtime.engine.names()[:MAX_UNITS],
        config=str(plan.config.absolute()) if guarded and plan.config else None,
        http=where.http,
    )


async def _execute(
    context: Context, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
) -> Mapping[str, object]:
    """The registry's `execute`, whose models the start does not pay for."""
    from ipo_sim.runtime.commands import execute  # noqa: PLC0415 - `_get_ready` has it soon after the start

    return await execute(context, unit, verb, arguments, request_id)


async def _show(plan: Plan, where: _Where, runtime: Runtime, links: Sequence[Link], summary: Summary) -> None:
    """Once the units are seen: show how things stand."""
    await _seen(links)
    summary.introduce(_introduction(plan, where, runtime))
    await summary.follow(runtime.bus)


async def _get_ready(links: Sequence[Link]) -> None:
    """Once the units are seen, and have had time to say that they boot: make ready for commands, settle the memory."""
    await _seen(links)
    await asyncio.sleep(CALM_S)
    import ipo_sim.runtime.commands  # noqa: F401, PLC0415 - the first command shall not have to wait for it

    # What the start made stays, and need not be looked through again and again.
    gc.collect()
    gc.freeze()


async def _seen(links: Sequence[Link]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            for link in links:
                await link.synchronised.wait()


def _introduction(plan: Plan, where: _Where, runtime: Runtime) -> Introduction:
    from ipo_sim.cli.daemon.introduction import Introduction  # noqa: PLC0415 - not needed for the start

    clock, engine = runtime.clock, runtime.engine
    first = engine.unit(engine.names()[0]).definition
    return Introduction(
        config=plan.config,
        state_dir=plan.state_dir,
        endpoint=where.mqtt.endpoint(),
        embedded=plan.url is None,
        prefix=where.mqtt.prefix,
        http=where.http,
        units=engine.names(),
        resumed=runtime.resumed > 0,
        has_virtual_card=first.reader_kind == "virtual",
        key_server=first.reader_name if first.reader_kind == KEY_SERVER else None,
        pace="paused" if clock.paused else f"at scale {clock.scale:g}",
    )


def _nothing() -> None:
    """The runtime is closed where it was opened."""
