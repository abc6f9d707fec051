"""The rules of directory, hunt groups and short codes: what each may hold, and that none is there twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ipo_sim.config.entries import UnitEntry
from ipo_sim.config.entry import Entry
from ipo_sim.config.mistakes import Findings, Location, path_text
from ipo_sim.config.people import directory_of, hunt_group_of, short_code_of
from ipo_sim.config.record_entries import HuntGroupEntry
from ipo_sim.config.shape import Salvage
from ipo_sim.core.records import Problem, directory_problem, hunt_group_problem, short_code_problem

_E = TypeVar("_E", bound=Entry)


class RecordCheck:
    """Checks the records of one entry after the other."""

    def __init__(self, findings: Findings, salvage: Salvage) -> None:
        self._findings = findings
        self._salvage = salvage

    def check(self, entry: UnitEntry, here: Location) -> None:
        """Report what is wrong with the records of the entry at `here`."""
        self._check((*here, "directory"), entry.directory, lambda row: directory_problem(directory_of(row)), "name")
        self._check(
            (*here, "short_codes"), entry.short_codes, lambda row: short_code_problem(short_code_of(row)), "code"
        )
        groups = (*here, "hunt_groups")
        self._check(groups, entry.hunt_groups, lambda row: hunt_group_problem(hunt_group_of(row)), "name", "extension")
        users = {user.extension for user in entry.users if user.extension}
        known = users | {extension.number for extension in entry.extensions}
        for where, group in self._salvage.enumerate(groups, entry.hunt_groups):
            self._check_numbers(group, where, users, known)

    def _check(self, here: Location, entries: Sequence[_E], problem_of: Callable[[_E], Problem], *unique: str) -> None:
        seen: dict[tuple[str, object], Location] = {}
        for where, entry in self._salvage.enumerate(here, entries):
            problem = problem_of(entry)
            if problem is not None:
                self._findings.mistake((*where, problem[0]), problem[1])
            for name in unique:
                first = seen.setdefault((name, getattr(entry, name)), where)
                if first != where:
                    self._findings.mistake((*where, name), f"the same {name} as {path_text(first)}")

    def _check_numbers(self, group: HuntGroupEntry, where: Location, users: set[str], known: set[str]) -> None:
        if group.extension in users:
            self._findings.mistake((*where, "extension"), f"a user has the extension {group.extension}")
        for index, member in enumerate(group.members):
            if member not in known:
                message = f"no user and no IP extension has the number {member}: is it a port of a card?"
                self._findings.warning((*where, "members", index), message)
