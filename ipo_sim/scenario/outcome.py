"""What came of a scenario, and how it is told: what was, what was expected, why, and what happened last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ipo_sim.core.model import Nanoseconds
from ipo_sim.runtime.duration import duration_text
from ipo_sim.scenario.model import Json, Scenario
from ipo_sim.scenario.world import Seen


class Finding(NamedTuple):
    """One target of an expectation that was not met: what was expected, what was, since when, and the causes of it."""

    target: str
    expected: str
    actual: str
    since: str
    chain: tuple[str, ...]


class Failure(NamedTuple):
    """Why a scenario failed: where in which file, when, in one line, and what is known of it."""

    place: str
    at: Nanoseconds
    step: str | None
    message: str
    findings: tuple[Finding, ...] = ()
    journal: tuple[Seen, ...] = ()

    def lines(self) -> Iterator[str]:
        """For people, the most telling first."""
        step = f", step {self.step!r}" if self.step else ""
        yield f"{self.place}: at {duration_text(self.at)}{step}: {self.message}"
        for finding in self.findings:
            yield f"  {finding.target}"
            yield f"    expected: {finding.expected}"
            yield f"    was:      {finding.actual}{finding.since}"
            for number, link in enumerate(finding.chain, 1):
                yield f"    {'because:  ' if number == 1 else ' ' * 10}{number}. {link}"
        if self.journal:
            yield "  last events:"
            yield from (f"    {duration_text(seen.at):>12}  {seen.unit}  {seen.line}" for seen in self.journal)

    def facts(self) -> dict[str, Json]:
        """The same as JSON values."""
        return {
            "place": self.place,
            "at_s": self.at / 1e9,
            "step": self.step,
            "message": self.message,
            "findings": [{**finding._asdict(), "chain": list(finding.chain)} for finding in self.findings],
            "journal": [seen._asdict() for seen in self.journal],
        }


class Outcome(NamedTuple):
    """The end of a scenario. `checks` counts expectations and commands, `lasted` is its own time, `seconds` ours.

    `digest` tells its history from any other; None: nobody can know.
    """

    scenario: Scenario
    failures: tuple[Failure, ...]
    checks: int
    events: int
    lasted: Nanoseconds
    seconds: float
    digest: str | None

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.failures

    def facts(self) -> dict[str, Json]:
        """The outcome as JSON values."""
        values: Mapping[str, Json] = self.scenario.values
        return {
            "file": str(self.scenario.path),
            "name": self.scenario.name,
            "parameters": dict(values),
            "passed": self.passed,
            "checks": self.checks,
            "events": self.events,
            "lasted_s": self.lasted / 1e9,
            "seconds": round(self.seconds, 6),
            "digest": self.digest,
            "failures": [failure.facts() for failure in self.failures],
        }
