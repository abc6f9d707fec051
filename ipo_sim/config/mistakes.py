"""Mistakes of a configuration file: gathered with their places, told together, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

# The way to a value from the top of the file: names of settings, numbers of list items and places.
Location = tuple[str | int, ...]

# More lines than this help nobody: the first hundred show what is wrong.
MAX_MISTAKES_TOLD = 100
# A value in a message is there to be recognised, not to be read whole.
MAX_VALUE_SHOWN = 60
# So many words are listed whole; of more only those that are near.
MAX_ALLOWED_SHOWN = 24
MAX_NEAR_SHOWN = 3
# So end the names of settings whose values are nobody's business.
SECRET_NAMES = ("password", "secret", "token")

# American spelling is accepted wherever our own is; inside there is only ours.
SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "license": "licence",
        "licenses": "licences",
        "license_server": "licence_server",
        "license_server_port": "licence_server_port",
        "license_server_transport": "licence_server_transport",
        "license_server_secret": "licence_server_secret",
    }
)


class Refusal(str):
    """A message about a word that is not allowed; it goes wherever messages go, and keeps the words that are.

    `nearest` is the allowed word most like `value`; None: none is like it.
    """

    __slots__ = ("allowed", "nearest")
    allowed: tuple[str, ...]
    nearest: str | None

    def __new__(cls, problem: str, allowed: Iterable[str], value: object = None) -> Self:
        """The problem, and behind it what `choice` says."""
        words = sorted(allowed)
        self = super().__new__(cls, f"{problem}; {choice(words, value)}")
        self.allowed = tuple(words)
        self.nearest = next(iter(_nearest(value, words, 1)), None)
        return self


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong at a location. `at_key`: it is the name of the setting that is wrong, not its value."""

    location: Location
    message: str
    at_key: bool = False


@dataclass(slots=True)
class Findings:
    """What the checks found so far: mistakes forbid to run, warnings do not."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def mistake(self, location: Location, message: str, *, at_key: bool = False) -> None:
        """Something that must be corrected."""
        self.mistakes.append(Mistake(location, message, at_key))

    def warning(self, location: Location, message: str) -> None:
        """Something that is allowed and probably not meant."""
        self.warnings.append(Mistake(location, message))


def is_secret(location: Location) -> bool:
    """Whether what stands there stays out of messages, logs and screens."""
    return bool(location) and str(location[-1]).endswith(SECRET_NAMES)


def path_text(location: Location) -> str:
    """The location as users write it: `units[0].slots[1].card`."""
    text = ""
    for step in location:
        if isinstance(step, str) and step.replace("_", "").replace("-", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text


def shown(value: object) -> str:
    """A value as a message shows it: strings quoted, long ones cut, collections by their kind."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_VALUE_SHOWN else f"{text[:MAX_VALUE_SHOWN]}..."


def choice(allowed: Iterable[str], value: object = None) -> str:
    """The end of a message about a word that is not allowed: the nearest one, and all of them if they are not many."""
    words = sorted(allowed)
    if len(words) > MAX_ALLOWED_SHOWN:
        near = ", ".join(map(repr, _nearest(value, words, MAX_NEAR_SHOWN)))
        return f"nearest of {len(words)}: {near or 'none'}"
    hint = "".join(f"did you mean {word!r}? " for word in _nearest(value, words, 1))
    return f"{hint}allowed: {', '.join(words)}"


def _nearest(value: object, words: Iterable[str], count: int) -> list[str]:
    """The words most like `value`, whatever their case, the nearest first."""
    if not isinstance(value, str):
        return []
    from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

    folded: dict[str, str] = {}
    for word in words:
        folded.setdefault(word.casefold(), word)
    cutoff = 0.6 if count == 1 else 0.4
    return [folded[near] for near in get_close_matches(value[:MAX_VALUE_SHOWN].casefold(), folded, count, cutoff)]
