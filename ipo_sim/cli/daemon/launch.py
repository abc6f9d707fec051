"""What the command line and the configuration of `ipo-sim run` ask for, from a daemon that does the rest."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

from ipo_sim.cli.config.cassettes import with_cassettes
from ipo_sim.cli.daemon.composition import Plan, run
from ipo_sim.cli.daemon.summary import open_summary
from ipo_sim.cli.failure import UsageError
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.cli.termination import signals_let_in
from ipo_sim.config.settings import HttpSettings, Settings
from ipo_sim.config.variants import state_problem, with_state
from ipo_sim.config.words import listening_problem
from ipo_sim.runtime.clock import check_scale


def launch(arguments: Namespace, read: Callable[[], Settings]) -> int:
    """Run the daemon until it is told to end; the exit code of the process. `read` gives the configuration, once."""
    summary = open_summary(arguments.log, arguments.log_level)
    with signals_let_in():
        settings = read()
    settings, cassettes = with_cassettes(settings, str(arguments.config))
    if arguments.state is not None:
        settings = _in_state(settings, arguments.state)
    for warning in settings.warnings:
        summary.warn(str(warning))
    plan = Plan(
        config=arguments.config,
        url=arguments.broker or settings.mqtt.url,
        mqtt=settings.mqtt,
        state_dir=(arguments.state_dir or settings.state_dir or default_state_dir()).absolute(),
        fresh=arguments.fresh,
        scale=_scale(arguments, settings),
        record=arguments.record,
        http=_http(arguments.http, settings.http),
    )
    return run(plan, settings, cassettes, summary)


def _http(given: tuple[str | None, int] | None, configured: HttpSettings | None) -> HttpSettings | None:
    """Where the control API is asked for; host and token are the configuration's unless the command line says more."""
    if given is None:
        return configured
    host, port = given
    configured = configured or HttpSettings(port)
    settings = replace(configured, port=port, host=host or configured.host)
    if (problem := listening_problem(settings.host, has_token=settings.token is not None)) is not None:
        raise UsageError(f"--http: {problem}")
    return settings


def _in_state(settings: Settings, state: str) -> Settings:
    """All units as they are asked to start."""
    for unit in settings.units:
        if (problem := state_problem(state, unit.reader_kind)) is not None:
            raise UsageError(f"--state: {problem}")
    return replace(settings, units=tuple(with_state(unit, state) for unit in settings.units))


# The scale of who begins anew and says none.
REAL_TIME = 1.0


def _scale(arguments: Namespace, settings: Settings) -> float | None:
    """The scale that is asked for; None: time goes on as it did, as commands may have set it."""
    if arguments.time_scale is not None:
        try:
            return check_scale(arguments.time_scale)
        except ValueError as error:
            raise UsageError(f"--time-scale: {error}") from None
    return REAL_TIME if settings.time_scale is None and arguments.fresh else settings.time_scale
