"""Topic names: where everything that a unit says or hears stands on the broker."""

from __future__ import annotations

import re
from typing import NamedTuple

from ipo_sim.api.paths import GROUPS
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError

AVAILABILITY = "availability"
EVENTS = "events"
SCHEMA = "schema"
COMMANDS = "commands"
REPLY = "reply"

# A prefix level: no wildcard, no NUL, and no blank, for which the embedded broker drops the connection.
_LEVEL = re.compile(r"[^\s+#/\x00$][^\s+#/\x00]*")


class Address(NamedTuple):
    """A topic without its prefix: the unit (or client) it stands below, and the rest."""

    owner: UnitName
    rest: str


class Topics:
    """All topics below one prefix; ConfigError for a prefix that no topic can start with."""

    def __init__(self, prefix: str) -> None:
        if not all(_LEVEL.fullmatch(level) for level in prefix.split("/")):
            message = f"mqtt prefix {prefix!r}: levels separated by '/', without blanks, '+', '#', or '$' in front"
            raise ConfigError(message)
        self.prefix = prefix
        self._start = len(prefix) + 1

    def entity(self, unit: UnitName, path: str) -> str:
        """Topic of the entity at `path` (`unit`, `slots/1/daughter`); a blank in a name is `%20`, `%` itself `%25`."""
        if " " in path or "%" in path:
            path = path.replace("%", "%25").replace(" ", "%20")
        return f"{self.prefix}/{unit}/{path}"

    def availability(self, owner: str) -> str:
        """Topic of the birth and last will of a unit or, on a shared connection, of a client id."""
        return f"{self.prefix}/{owner}/{AVAILABILITY}"

    def events(self, unit: UnitName) -> str:
        """Topic of the unit's accepted events."""
        return f"{self.prefix}/{unit}/{EVENTS}"

    def schema(self, unit: UnitName) -> str:
        """Topic of the unit's AsyncAPI document."""
        return f"{self.prefix}/{unit}/{SCHEMA}"

    def command(self, unit: str, verb: str) -> str:
        """Topic of requests; `+` for any unit or verb makes it a filter."""
        return f"{self.prefix}/{unit}/{COMMANDS}/{verb}"

    def reply(self, unit: str, verb: str) -> str:
        """Topic of answers to requests that name no response topic."""
        return f"{self.prefix}/{unit}/{COMMANDS}/{verb}/{REPLY}"

    def groups(self, unit: UnitName) -> list[str]:
        """Filters for every retained entity of a unit that may be out of date."""
        return [f"{self.prefix}/{unit}/{group}/#" for group in GROUPS]

    def parse(self, topic: str) -> Address | None:
        """The address of a topic below the prefix, else None."""
        if topic[: self._start] != f"{self.prefix}/":
            return None
        owner, slash, rest = topic[self._start :].partition("/")
        return Address(UnitName(owner), rest) if slash and owner and rest else None


def entity_path(rest: str) -> str:
    """The path of the entity whose topic ends so."""
    return rest.replace("%20", " ").replace("%25", "%") if "%" in rest else rest


def command_verb(rest: str) -> str | None:
    """The verb of `commands/<verb>`; None for anything else, answers included."""
    head, _, verb = rest.partition("/")
    return verb if head == COMMANDS and verb and "/" not in verb else None
