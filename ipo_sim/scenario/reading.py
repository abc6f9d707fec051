"""From a scenario file, with all that it includes, to a scenario that can be played; or all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ipo_sim.config.load import load_config
from ipo_sim.config.mistakes import Findings, Location, choice, shown
from ipo_sim.config.settings import Settings
from ipo_sim.config.shape import Form, Salvage, read_as
from ipo_sim.config.source import Source, read_source
from ipo_sim.config.variants import state_problem, with_state
from ipo_sim.config.words import serial_problem
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.runtime.duration import duration_text
from ipo_sim.runtime.moment import parse_moment
from ipo_sim.scenario.entries import SHORTHANDS, ScenarioFile, SetupEntry, StepEntry
from ipo_sim.scenario.model import Json, Parameter, Scenario, Setup, Step
from ipo_sim.scenario.parameters import NAME, defaults_of, put_in, typed
from ipo_sim.scenario.span import At, at_of, span_ns
from ipo_sim.scenario.step import StepReader

FORM = Form(ScenarioFile, SHORTHANDS)
# A story made of stories: more levels than that nobody follows.
MAX_INCLUDES = 8
# An arbitrary fixed day, so that what a scenario does is the same on every day.
BEGINNING = "2026-01-01T00:00:00Z"

Demonstration = Callable[[], Settings]


class _File(NamedTuple):
    """A file that was read, as far as it could be."""

    source: Source
    path: Path
    entries: ScenarioFile | None
    salvage: Salvage
    findings: Findings
    values: Mapping[str, Json]


def read_scenario(path: Path, given: Mapping[str, str], demonstration: Demonstration) -> Scenario:
    """The scenario in a file, with the parameters `given` as text.

    `demonstration` makes the units of one that names no configuration. ConfigError holds every mistake of it and of
    what it includes, one a line.
    """
    reading = _Reading(demonstration)
    try:
        scenario = reading.scenario(path, given)
    except ConfigError as error:
        reading.errors.append(str(error))
        scenario = None
    if reading.errors or scenario is None:
        raise ConfigError("\n".join(dict.fromkeys("\n".join(reading.errors).splitlines())))
    return scenario


class _Reading:
    """One scenario in the making; `errors` are lines for the user."""

    def __init__(self, demonstration: Demonstration) -> None:
        self.errors: list[str] = []
        self._demonstration = demonstration

    def scenario(self, path: Path, given: Mapping[str, str]) -> Scenario | None:
        source = read_source(path)
        file = self._open(source, path, _typed(path, defaults_of(source.data), given))
        entries = file.entries
        setup = None if entries is None else self._setup(file, entries.setup)
        steps: list[Step] = []
        if entries is not None:
            reader = StepReader(setup.settings if setup else None, broker=entries.setup.broker)
            steps += self._steps(file, reader, Nanoseconds(0), (path.resolve(),))
        least = self._span(file, ("end",), None if entries is None else entries.end)
        self._close(file)
        if entries is None or setup is None:
            return None
        return Scenario(
            path=path,
            name=entries.name or path.stem,
            description=" ".join((entries.description or "").split()),
            parameters=tuple(
                Parameter(name, entry.default, entry.description) for name, entry in entries.parameters.items()
            ),
            values=file.values,
            setup=setup,
            steps=tuple(steps),
            end=max([least or Nanoseconds(0), *map(_end_of, steps)]),
        )

    def _open(self, source: Source, path: Path, given: Mapping[str, Json]) -> _File:
        findings = Findings()
        values = {**defaults_of(source.data), **given}
        for name, value in values.items():
            if NAME.fullmatch(name) is None:
                findings.mistake(("parameters", name), "a name has letters, digits and _, a letter first", at_key=True)
            elif value is None:
                findings.mistake(("parameters", name), f"has no default: give it one, or --param {name}=VALUE")
        data = put_in({} if source.data is None else source.data, values, findings)
        entries, salvage = read_as(FORM, source, data, findings)
        return _File(source, path, entries, salvage, findings, values)

    def _close(self, file: _File) -> None:
        """Tell what was found in a file."""
        if file.findings.mistakes or file.source.repeated:
            self.errors.append(str(file.source.error(file.findings.mistakes)))

    def _setup(self, file: _File, entry: SetupEntry) -> Setup | None:
        settings = self._settings(file, entry)
        if settings is not None and entry.state is not None:
            settings = _in_state(settings, entry.state, file.findings)
        date = self._date(file, entry)
        if entry.serial is not None and (problem := serial_problem(entry.serial)) is not None:
            file.findings.mistake(("setup", "serial"), problem)
        unit = UnitName("") if settings is None else settings.units[0].name
        actions = tuple(StepReader(settings).actions(file.findings, ("setup", "do"), entry.do, unit, None))
        return None if settings is None else Setup(settings, date, entry.serial, entry.broker, actions)

    def _settings(self, file: _File, entry: SetupEntry) -> Settings | None:
        if file.salvage.touches(("setup", "config")):
            return None
        if entry.config is None:
            return self._demonstration()
        path = file.path.parent / Path(entry.config).expanduser()
        if not path.is_file():
            file.findings.mistake(("setup", "config"), f"there is no file {path}")
            return None
        try:
            return load_config(path)
        except ConfigError as error:
            self.errors.append(str(error))
            return None

    def _date(self, file: _File, entry: SetupEntry) -> Nanoseconds:
        text = BEGINNING if entry.date is None else str(entry.date)
        try:
            return parse_moment(text, 0)
        except (ValueError, OverflowError):
            file.findings.mistake(("setup", "date"), f"{shown(text)} is no date and time such as {BEGINNING}")
            return Nanoseconds(0)

    def _steps(self, file: _File, reader: StepReader, start: Nanoseconds, above: tuple[Path, ...]) -> Iterator[Step]:
        """The steps of a file that begins at `start`, with those that it includes; `above` leads to it."""
        assert file.entries is not None
        now = start
        for here, entry in file.salvage.enumerate(("steps",), file.entries.steps):
            now = self._at(file, here, entry, start, now)
            if entry.include is None:
                yield reader.step(file.source, file.findings, here, entry, now)
                continue
            for step in self._included(file, here, entry, reader, now, above):
                now = max(now, step.at)
                yield step

    def _included(
        self,
        file: _File,
        here: Location,
        entry: StepEntry,
        reader: StepReader,
        now: Nanoseconds,
        above: tuple[Path, ...],
    ) -> list[Step]:
        path = file.path.parent / Path(entry.include or "").expanduser()
        problem = _include_problem(entry, path, above)
        if problem is not None:
            file.findings.mistake((*here, "include"), problem)
            return []
        try:
            source = read_source(path)
        except ConfigError as error:
            self.errors.append(str(error))
            return []
        known = defaults_of(source.data)
        for name in entry.parameters:
            if name not in known:
                hint = choice(known, name) if known else "it has none"
                file.findings.mistake((*here, "parameters", name), f"{path} has no such parameter; {hint}", at_key=True)
        given = {name: value for name, value in entry.parameters.items() if name in known}
        below = self._open(source, path, given)
        steps = [] if below.entries is None else list(self._steps(below, reader, now, (*above, path.resolve())))
        self._close(below)
        return steps

    def _at(self, file: _File, here: Location, entry: StepEntry, start: Nanoseconds, now: Nanoseconds) -> Nanoseconds:
        if entry.at is None:
            return now
        try:
            at: At = at_of(entry.at)
        except ValueError as error:
            file.findings.mistake((*here, "at"), str(error))
            return now
        moment = Nanoseconds((now if at.relative else start) + at.offset)
        if moment < now:
            before = duration_text(Nanoseconds(now - start))
            file.findings.mistake((*here, "at"), f"{shown(entry.at)} is before the step above, which is at {before}")
            return now
        return moment

    def _span(self, file: _File, here: Location, value: object) -> Nanoseconds | None:
        if value is None:
            return None
        try:
            return span_ns(value)
        except ValueError as error:
            file.findings.mistake(here, str(error))
            return None


def _typed(path: Path, defaults: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Json]:
    """Parameters of a command line, each of the kind that its default is."""
    values: dict[str, Json] = {}
    for name, text in given.items():
        if name not in defaults:
            hint = choice(defaults, name) if defaults else "it has none"
            raise ConfigError(f"{path}: there is no parameter {name!r}; {hint}")
        try:
            values[name] = typed(text, defaults[name])
        except ValueError as error:
            raise ConfigError(f"{path}: parameter {name}: {error}") from None
    return values


def _include_problem(entry: StepEntry, path: Path, above: tuple[Path, ...]) -> str | None:
    if entry.do or entry.expect or entry.refused or entry.unit:
        return "a step that includes others has no commands and expectations of its own"
    if path.resolve() in above:
        return f"{path} includes itself"
    if len(above) > MAX_INCLUDES:
        return f"more than {MAX_INCLUDES} files, one in the other"
    return None if path.is_file() else f"there is no file {path}"


def _in_state(settings: Settings, state: str, findings: Findings) -> Settings:
    """The units as they are to start; `${...}` is gone by now."""
    problems = [problem for unit in settings.units if (problem := state_problem(state, unit.reader_kind)) is not None]
    if problems:
        findings.mistake(("setup", "state"), problems[0])
        return settings
    return replace(settings, units=tuple(with_state(unit, state) for unit in settings.units))


def _end_of(step: Step) -> Nanoseconds:
    return Nanoseconds(max([step.at, *(step.at + (each.within or 0) for each in step.expectations)]))
