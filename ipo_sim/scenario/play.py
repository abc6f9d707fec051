"""Plays a scenario: does what it says when it says so, and looks at every event in between."""

from __future__ import annotations

import asyncio
from collections import deque

from ipo_sim.core.model import Nanoseconds
from ipo_sim.errors import CommandRejected
from ipo_sim.scenario.matching import found, holds
from ipo_sim.scenario.model import Action, Condition, Expectation, Kind, Scenario, Step
from ipo_sim.scenario.outcome import Failure, Finding, Outcome
from ipo_sim.scenario.targets import expected_text, value_text
from ipo_sim.scenario.watch import Verdict, Watch
from ipo_sim.scenario.world import Seen, World

# What a failure tells of the journal: enough to see what led to it, few enough to be read.
LAST_EVENTS = 10


async def play(scenario: Scenario, world: World) -> Outcome:
    """Play it to its end, or to the moment at which it fails."""
    return await _Player(scenario, world).play()


class _Player:
    def __init__(self, scenario: Scenario, world: World) -> None:
        self._scenario = scenario
        self._world = world
        self._watches: list[tuple[Step, Watch]] = []
        self._failures: list[Failure] = []
        self._last: deque[Seen] = deque(maxlen=LAST_EVENTS)
        self._checks = 0
        self._events = 0
        # What failed while something happened, with how it looked then; the causes are asked for later.
        self._noticed: list[tuple[Step, Watch, Nanoseconds, tuple[Condition, ...]]] = []

    async def play(self) -> Outcome:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._world.observe(self._observe)
        for step in self._scenario.steps:
            await self._move(step.at)
            if self._failures:
                break
            await self._take(step)
        if not self._failures:
            await self._move(self._scenario.end)
            await self._conclude([*self._watches])
        return Outcome(
            scenario=self._scenario,
            failures=tuple(self._failures),
            checks=self._checks,
            events=self._events,
            lasted=self._world.now(),
            seconds=loop.time() - began,
            digest=self._world.digest(),
        )

    def _observe(self, seen: Seen) -> None:
        self._events += 1
        self._last.append(seen)
        for step, watch in self._watches:
            if watch.unit == seen.unit:
                watch.look()
                if watch.verdict is Verdict.FAILED:
                    self._notice(step, watch, seen.at)
        self._watches = [pair for pair in self._watches if pair[1].verdict is Verdict.OPEN]

    def _notice(self, step: Step, watch: Watch, at: Nanoseconds) -> None:
        conditions = watch.expectation.conditions if watch.expectation.kind is Kind.NEVER else tuple(watch.unmet())
        self._noticed.append((step, watch, at, conditions))

    async def _move(self, at: Nanoseconds) -> None:
        """Let time pass, and decide on the way what has to be decided."""
        while not self._failures:
            ends = [watch.until for _, watch in self._watches if watch.until is not None and watch.until < at]
            moment = min([at, *ends])
            await self._world.until(moment)
            await self._conclude([(step, watch) for step, watch in self._watches if watch.until == moment])
            await self._tell()
            if moment == at:
                return

    async def _conclude(self, due: list[tuple[Step, Watch]]) -> None:
        for step, watch in due:
            if watch.expectation.kind is not Kind.NEVER:
                await self._world.settle(lambda watch=watch: watch.verdict is not Verdict.OPEN or watch.is_so())  # type: ignore[misc]  # a loop's variable, bound now
            if watch.verdict is Verdict.OPEN and watch.close() is Verdict.FAILED:
                self._notice(step, watch, self._world.now())
        self._watches = [pair for pair in self._watches if pair[1].verdict is Verdict.OPEN]
        await self._tell()

    async def _take(self, step: Step) -> None:
        """Do what the step says, and begin to look at what it expects; a change counts from before its commands."""
        now = self._world.now()
        self._checks += len(step.expectations)
        changes = [each for each in step.expectations if each.kind is Kind.CHANGE]
        self._watches += [(step, Watch(each, self._world, now)) for each in changes]
        for action in step.actions:
            await self._do(step, action)
        if self._failures:
            return
        for expectation in step.expectations:
            if expectation.kind is not Kind.CHANGE:
                await self._begin(step, expectation, now)
        await self._tell()

    async def _begin(self, step: Step, expectation: Expectation, now: Nanoseconds) -> None:
        watch = Watch(expectation, self._world, now)
        if expectation.kind is Kind.VALUE:
            await self._world.settle(watch.is_so)
        watch.look()
        if watch.verdict is Verdict.FAILED:
            self._notice(step, watch, now)
        elif watch.verdict is Verdict.OPEN:
            self._watches.append((step, watch))

    async def _do(self, step: Step, action: Action) -> None:
        self._checks += 1
        try:
            await self._world.execute(action.unit, action.verb, action.arguments)
        except CommandRejected as error:
            if error.reason != action.refused:
                wanted = f", not {action.refused}" if action.refused else ""
                self._fail(step, f"{action.text}: refused ({error.reason}{wanted}): {error}")
        else:
            if action.refused is not None:
                self._fail(step, f"{action.text}: done, where it should have been refused ({action.refused})")

    def _fail(self, step: Step, message: str) -> None:
        failure = Failure(step.place, self._world.now(), step.name, message, journal=tuple(self._last))
        self._failures.append(failure)

    async def _tell(self) -> None:
        """Make failures of what was noticed; now there is time to ask for the causes."""
        noticed, self._noticed = self._noticed, []
        for step, watch, at, conditions in noticed:
            findings = [await self._finding(watch, condition) for condition in conditions]
            place = watch.expectation.place
            journal = tuple(self._last)
            self._failures.append(Failure(place, at, step.name, watch.complaint(), tuple(findings), journal))

    async def _finding(self, watch: Watch, condition: Condition) -> Finding:
        entity = self._world.entity(watch.unit, condition.path)
        expected = expected_text(condition.expected)
        if watch.expectation.kind is Kind.NEVER:
            expected = f"never {expected}"
        is_there = "present" if entity is not None else "absent"
        actual = value_text(found(entity, condition.fields)) if condition.fields else is_there
        since = (
            f" (event {entity['seq']}, {entity['at']})" if entity is not None else f" ({condition.path} is not there)"
        )
        if watch.expectation.kind is Kind.NEVER and not holds(condition, entity):
            since += "; it was so in between"
        return Finding(condition.target, expected, actual, since, await self._chain(watch, condition))

    async def _chain(self, watch: Watch, condition: Condition) -> tuple[str, ...]:
        try:
            answer = await self._world.execute(watch.unit, "why", {"path": condition.path})
        except CommandRejected:
            return ()
        return tuple(f"{link['text']} ({link['cause'].replace(':', ' ')})" for link in answer["chain"])
