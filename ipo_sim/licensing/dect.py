"""When an IP DECT system has voice: the quorum of its licensed base stations, and the violation timer (licensing 9)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

# Of so many licensed base stations so many must answer.
QUORUM = {1: 1, 2: 1, 3: 2}


class DectState(StrEnum):
    """What its licence lets a system do: nothing, all, all (but one base is lost), all until time is up, no voice."""

    INACTIVE = "inactive"
    OK = "ok"
    WARNING = "warning"
    VIOLATION = "violation"
    VOICE_BLOCKED = "voice_blocked"


VOICE = frozenset({DectState.OK, DectState.WARNING, DectState.VIOLATION})


class Attendance(NamedTuple):
    """Who is there: `licensed` MACs in the key and how many of them answer; bases configured and how many are licensed.

    `admm`: the base station that manages the others answers.
    """

    licensed: int
    present: int
    bases: int
    licensed_bases: int
    admm: bool


def is_violated(there: Attendance) -> bool:
    """Whether fewer licensed base stations answer than must."""
    return there.present < QUORUM[there.licensed]


def rule(there: Attendance, *, left_ns: int | None) -> DectState:
    """The state of a licensed system. `left_ns` is what is left of the violation timer; None: there is none."""
    if not there.admm or there.bases > there.licensed_bases:
        return DectState.VOICE_BLOCKED
    if is_violated(there):
        return DectState.VIOLATION if left_ns else DectState.VOICE_BLOCKED
    if left_ns is not None and there.present < there.licensed:
        return DectState.WARNING
    return DectState.OK


class ViolationTimer(NamedTuple):
    """A budget of time that a violation uses up and that fills again at the same rate: a pure function of time.

    `left_ns` was left at the moment `at_ns`; since then it runs down (`violated`) or fills, between 0 and `budget_ns`.
    """

    budget_ns: int
    left_ns: int
    at_ns: int
    violated: bool = False

    def left(self, at_ns: int) -> int:
        """What is left at a moment that is not before `at_ns`."""
        passed = at_ns - self.at_ns
        return max(0, self.left_ns - passed) if self.violated else min(self.budget_ns, self.left_ns + passed)

    def deadline(self) -> int | None:
        """When it is used up or full; None: it is."""
        to_go = self.left_ns if self.violated else self.budget_ns - self.left_ns
        return self.at_ns + to_go if to_go else None

    def turned(self, at_ns: int, *, violated: bool) -> ViolationTimer:
        """The timer as it goes on from a moment; the same one while neither its course nor its end is reached."""
        deadline = self.deadline()
        if violated == self.violated and (deadline is None or at_ns < deadline):
            return self
        return self._replace(left_ns=self.left(at_ns), at_ns=at_ns, violated=violated)


def full_timer(budget_ns: int, at_ns: int) -> ViolationTimer:
    """The timer of a new system."""
    return ViolationTimer(budget_ns, budget_ns, at_ns)
