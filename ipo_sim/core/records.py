"""What records of a unit's configuration may hold: system directory, hunt groups, short codes.

Nothing in the unit depends on them yet; a management tool reads and writes them. Which characters and lengths are taken
is our decision: what every topic and a CSV file without text delimiter can carry.
"""

from __future__ import annotations

import re

from ipo_sim.core.definition import DirectoryDefinition, HuntGroupDefinition, ShortCodeDefinition

MAX_NAME = 31
MAX_GROUP_NAME = 15
MAX_NUMBER = 31
MAX_EMAIL = 128

_FORBIDDEN = re.compile('[,"]')
_EXTENSION = re.compile(r"[0-9]{1,9}")
_DIALLED = re.compile(r"[0-9*#+]+")
_FEATURE = re.compile(r"[A-Za-z0-9]+")

# The first field that is wrong, and why.
Problem = tuple[str, str] | None


def directory_problem(record: DirectoryDefinition) -> Problem:
    """What keeps a record out of the directory; None: nothing."""
    if (problem := _text_problem(record.name, 1, MAX_NAME)) is not None:
        return "name", problem
    if not (_DIALLED.fullmatch(record.number) and len(record.number) <= MAX_NUMBER):
        return "number", f"{_shown(record.number)} is not a number of 1 to {MAX_NUMBER} digits, * # or +"
    return None


def hunt_group_problem(group: HuntGroupDefinition) -> Problem:
    """What keeps a hunt group out; None: nothing."""
    if (problem := _text_problem(group.name, 1, MAX_GROUP_NAME)) is not None:
        return "name", problem
    for field, numbers in (("extension", (group.extension,)), ("members", group.members)):
        for number in numbers:
            if not _EXTENSION.fullmatch(number):
                return field, f"{_shown(number)} is not an extension number of 1 to 9 digits"
    if len(set(group.members)) < len(group.members):
        return "members", "an extension is a member once"
    if (problem := _text_problem(group.voicemail_email, 0, MAX_EMAIL)) is not None:
        return "voicemail_email", problem
    return None


def short_code_problem(record: ShortCodeDefinition) -> Problem:
    """What keeps a short code out; None: nothing."""
    for field, text, least in (("code", record.code, 1), ("number", record.number, 0)):
        if (problem := _text_problem(text, least, MAX_NUMBER)) is not None:
            return field, problem
    if not (_FEATURE.fullmatch(record.feature) and len(record.feature) <= MAX_NAME):
        return "feature", f"{_shown(record.feature)} is not a feature: 1 to {MAX_NAME} letters and digits"
    return None


def _text_problem(text: str, least: int, most: int) -> str | None:
    if least <= len(text) <= most and text.isprintable() and not _FORBIDDEN.search(text) and text == text.strip():
        return None
    return f'{_shown(text)} is not a text of {least} to {most} characters without , and " and blanks around it'


def _shown(text: str) -> str:
    return repr(text[:MAX_NUMBER])
