"""`ipo-sim scenario`: plays scenarios, checks them, and tells what there are."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ipo_sim.cli.config.demo import demo_settings
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError
from ipo_sim.cli.terminal import Style, plural, print_json
from ipo_sim.errors import ConfigError
from ipo_sim.runtime import log
from ipo_sim.runtime.duration import duration_text
from ipo_sim.scenario.model import Scenario
from ipo_sim.scenario.outcome import Outcome
from ipo_sim.scenario.play import play
from ipo_sim.scenario.reading import read_scenario
from ipo_sim.scenario.targets import value_text
from ipo_sim.scenario.virtual import virtual_world

DEFAULT_FOLDER = Path("configs/scenarios")


def main(arguments: Namespace) -> int:
    """Do what is asked for."""
    return {"run": _run, "check": _check, "list": _list}[arguments.action](arguments)


def _run(arguments: Namespace) -> int:
    """Play every file, even after one that failed; nothing is played while a file has mistakes."""
    if not arguments.live and (arguments.advance or arguments.unit):
        raise UsageError("--advance and --unit are for --live")
    scenarios = _scenarios(arguments.files, _parameters(arguments.parameters))
    log.configure("console", "error")
    style = Style(sys.stdout)
    outcomes = []
    for scenario in scenarios:
        outcome = asyncio.run(_played(scenario, arguments))
        outcomes.append(outcome)
        if not arguments.json:
            print("\n".join(_told(outcome, style)), flush=True)
    if arguments.junit is not None:
        _write_junit(arguments.junit, outcomes)
    if arguments.json:
        print_json([outcome.facts() for outcome in outcomes])
    elif len(outcomes) > 1:
        failed = sum(not outcome.passed for outcome in outcomes)
        print(f"{plural(len(outcomes), 'scenario')}, {failed} failed" if failed else f"all {len(outcomes)} passed")
    return EXIT_OK if all(outcome.passed for outcome in outcomes) else EXIT_FAILED


async def _played(scenario: Scenario, arguments: Namespace) -> Outcome:
    if arguments.live:
        from ipo_sim.cli.scenario.live import play_live  # noqa: PLC0415 - most are played here

        return await play_live(scenario, arguments)
    async with virtual_world(scenario.setup) as world:
        return await play(scenario, world)


def _told(outcome: Outcome, style: Style) -> Iterator[str]:
    scenario = outcome.scenario
    verdict = style("passed", "green") if outcome.passed else style("FAILED", "red")
    counted = f"{plural(outcome.checks, 'check')}, {plural(outcome.events, 'event')}"
    yield f"{verdict}  {style(str(scenario.path), 'bold')}  {duration_text(outcome.lasted)}, {counted}"
    for failure in outcome.failures:
        yield from failure.lines()


def _check(arguments: Namespace) -> int:
    """Report on every file, even after a broken one."""
    parameters = _parameters(arguments.parameters)
    reports = []
    for path in arguments.files:
        try:
            scenario = read_scenario(path, parameters, demo_settings)
        except ConfigError as error:
            reports.append({"file": str(path), "ok": False, "mistakes": str(error).splitlines()})
            if not arguments.json:
                print(error, file=sys.stderr)
        else:
            reports.append({"file": str(path), "ok": True, **_facts(scenario)})
            if not arguments.json:
                print(f"{path}: {plural(len(scenario.steps), 'step')}, lasts {duration_text(scenario.end)}")
    if arguments.json:
        print_json(reports)
    return EXIT_OK if all(report["ok"] for report in reports) else EXIT_USAGE


def _list(arguments: Namespace) -> int:
    """Name, description and parameters of each; those in folders are found by their suffix."""
    scenarios = _scenarios([*_found(arguments.files or [DEFAULT_FOLDER])], {})
    if arguments.json:
        print_json([{"file": str(scenario.path), **_facts(scenario)} for scenario in scenarios])
        return EXIT_OK
    style = Style(sys.stdout)
    for scenario in scenarios:
        print(f"{style(str(scenario.path), 'bold')}: {scenario.name}")
        if scenario.description:
            print(f"  {scenario.description}")
        for parameter in scenario.parameters:
            about = f"  {parameter.description}" if parameter.description else ""
            print(f"  --param {parameter.name}={value_text(parameter.default)}{about}")
    return EXIT_OK


def _found(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        else:
            yield path


def _scenarios(paths: Sequence[Path], parameters: Mapping[str, str]) -> list[Scenario]:
    """All of them, or ConfigError with the mistakes of all."""
    scenarios, mistakes = [], []
    for path in paths:
        try:
            scenarios.append(read_scenario(path, parameters, demo_settings))
        except ConfigError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return scenarios


def _parameters(given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise UsageError(f"--param {word}: NAME=VALUE is wanted")
        if name in values:
            raise UsageError(f"--param {name} is given twice")
        values[name] = value
    return values


def _facts(scenario: Scenario) -> dict[str, object]:
    return {
        "name": scenario.name,
        "description": scenario.description,
        "parameters": [parameter._asdict() for parameter in scenario.parameters],
        "steps": len(scenario.steps),
        "lasts_s": scenario.end / 1e9,
    }


def _write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    from ipo_sim.scenario.junit import junit_xml  # noqa: PLC0415 - only who wants it

    try:
        path.write_text(junit_xml(outcomes), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--junit {path}: {error.strerror or error}") from None
