"""One step of a scenario: its commands looked up in the registry, its targets among what a unit shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.mistakes import Findings, Location, Refusal, shown
from ipo_sim.config.settings import Settings
from ipo_sim.config.source import Source
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.arguments import Injection
from ipo_sim.runtime.commands import find, parse_line, read_arguments
from ipo_sim.runtime.fault_commands import injected
from ipo_sim.scenario.entries import ExpectEntry, StepEntry
from ipo_sim.scenario.model import Action, Condition, Expectation, Json, Kind, Step
from ipo_sim.scenario.span import span_ns
from ipo_sim.scenario.targets import AT_BROKER, condition_of

# What a scenario does to the broker beside its units; no unit has such a command.
BROKER = "broker"
NO_BROKER = "there is no broker: write broker: true into the setup"
# Time is the scenario's own, which moves it by `at`.
_OF_TIME = frozenset({"advance", "step", "pause", "resume", "set-time"})


class StepReader:
    """Reads steps for the units of `settings`; None: which units there are is not known."""

    def __init__(self, settings: Settings | None, *, broker: bool = False) -> None:
        self._broker = broker
        self._units = None if settings is None else tuple(unit.name for unit in settings.units)

    def step(self, source: Source, findings: Findings, here: Location, entry: StepEntry, at: Nanoseconds) -> Step:
        """The step at `here`; what is wrong in it goes to `findings`."""
        unit = self._unit(findings, (*here, "unit"), entry.unit)
        if entry.parameters:
            findings.mistake((*here, "parameters"), "only a step that includes another scenario has some", at_key=True)
        if entry.refused is not None and not entry.do:
            findings.mistake((*here, "refused"), "nothing is done in this step that could be refused", at_key=True)
        actions = tuple(self.actions(findings, (*here, "do"), entry.do, unit, entry.refused))
        expectations: list[Expectation] = []
        for index, expect in enumerate(entry.expect):
            where = (*here, "expect", index)
            looked_at = unit if expect.unit is None else self._unit(findings, (*where, "unit"), expect.unit)
            expectations += self._expectations(source, findings, where, expect, looked_at)
        return Step(at, entry.name, actions, tuple(expectations), source.place(here))

    def actions(
        self, findings: Findings, here: Location, items: list[Any], unit: UnitName, refused: str | None
    ) -> Iterator[Action]:
        """Commands as lines or as `verb: {argument: value}`."""
        # A parameter that is not there makes no sense of its command.
        is_sure = not _is_touched(findings, here)
        for index, item in enumerate(items):
            try:
                yield self._action(item, unit, refused)
            except CommandRejected as error:
                if is_sure:
                    findings.mistake((*here, index), str(error))

    def _action(self, item: Any, unit: UnitName, refused: str | None) -> Action:  # noqa: ANN401 - YAML data
        action = _action(item, unit, refused)
        if action.verb == BROKER and not self._broker:
            raise CommandRejected("bad-arguments", NO_BROKER)
        return action

    def _unit(self, findings: Findings, here: Location, name: str | None) -> UnitName:
        units = self._units
        if name is None:
            return UnitName("") if units is None else units[0]
        if units is not None and name not in units:
            findings.mistake(here, Refusal(f"there is no unit {name!r}", units, name))
        return UnitName(name)

    def _expectations(
        self, source: Source, findings: Findings, here: Location, entry: ExpectEntry, unit: UnitName
    ) -> Iterator[Expectation]:
        within = _within(findings, here, entry)
        given = [kind for kind in Kind if getattr(entry, kind)]
        if not given and not _is_touched(findings, here):
            findings.mistake(here, f"nothing is expected: one of {', '.join(Kind)} is wanted")
        for kind in given:
            conditions = tuple(self._conditions(findings, (*here, kind), getattr(entry, kind)))
            if conditions:
                yield Expectation(kind, unit, conditions, None if kind is Kind.VALUE else within, source.place(here))

    def _condition(self, target: str, expected: Json) -> Condition:
        condition = condition_of(target, expected)
        if condition.path.startswith(AT_BROKER) and not self._broker:
            raise ValueError(NO_BROKER)
        return condition

    def _conditions(self, findings: Findings, here: Location, targets: Mapping[str, Any]) -> Iterator[Condition]:
        for target, expected in targets.items():
            try:
                yield self._condition(str(target), expected)
            except ValueError as error:
                # The short form has no level of its own, and the place that is looked for is found without it.
                findings.mistake((*here, target), str(error), at_key=True)


def _is_touched(findings: Findings, here: Location) -> bool:
    """Whether something is wrong there already."""
    return any(mistake.location[: len(here)] == here for mistake in findings.mistakes)


def _within(findings: Findings, here: Location, entry: ExpectEntry) -> Nanoseconds | None:
    if entry.within is None:
        if entry.change:
            findings.mistake(here, "within is missing: a change comes within a span")
        return None
    if not (entry.change or entry.never or entry.eventually):
        findings.mistake((*here, "within"), "a value is looked at at once: write change, never or eventually")
    try:
        return span_ns(entry.within)
    except ValueError as error:
        findings.mistake((*here, "within"), str(error))
        return None


def _action(item: Any, unit: UnitName, refused: str | None) -> Action:  # noqa: ANN401 - YAML data
    """CommandRejected for what is no command, or has arguments that it does not take."""
    if isinstance(item, str):
        verb, arguments = parse_line(item)
        text = item
    elif isinstance(item, dict) and len(item) == 1:
        ((name, value),) = item.items()
        verb, arguments = str(name), value if isinstance(value, dict) else {}
        if not isinstance(value, dict | None):
            raise CommandRejected("bad-arguments", f"{verb}: its arguments are name: value, not {shown(value)}")
        text = " ".join((verb, *(f"{argument}={shown(given)}" for argument, given in arguments.items())))
    else:
        raise CommandRejected("bad-arguments", f"{shown(item)} is no command: write a line, or one verb with arguments")
    if verb in _OF_TIME and set(arguments) != {"date"}:
        raise CommandRejected("bad-arguments", f"{verb}: time is moved by `at`; of a unit's clock the date can be set")
    if verb == BROKER:
        if arguments not in ({"state": "lost"}, {"state": "back"}):
            raise CommandRejected("bad-arguments", "broker: state=lost or state=back is wanted")
    else:
        given = read_arguments(find(verb), arguments)
        if isinstance(given, Injection) and refused is None:
            injected(load_catalogue(), given)
    return Action(unit, verb, arguments, text, refused)
