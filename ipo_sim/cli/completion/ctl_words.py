"""Commands of `ctl` and their arguments, out of the registry: names, and the values that are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.cli.completion.candidate import Candidate
from ipo_sim.cli.ctl.help import LISTENING, described, words_of
from ipo_sim.cli.ctl.words import SHORT
from ipo_sim.runtime.commands import COMMANDS, Command

# Parts stand in these; how many of them there are is the unit's own business.
_SLOTS = tuple(f"slots/{number}" for number in range(1, 5))
_MODULES = tuple(f"expansion/{number}" for number in range(1, 13))
_PLACES = (*_SLOTS, *_MODULES)
# Only these look at entities that are no parts.
_ASKING = ("why",)


def verbs() -> Iterator[Candidate]:
    """All of `ctl`, those included that only listen."""
    yield from (Candidate(verb, command.help) for verb, command in COMMANDS.items())
    yield from (Candidate(verb, text) for verb, text in LISTENING.items())


def arguments(verb: str, given: Sequence[str], begun: str) -> Iterator[Candidate]:
    """Names of arguments that have no value yet, and values of the first of them; of `name=` its values."""
    verb, only = SHORT.get(verb, (verb, ""))
    command = COMMANDS.get(verb)
    if command is None or only:
        return
    if "events" in command.arguments.model_fields:
        yield from event_words(given, begun)
        return
    fields = described(command)
    name, equals, _ = begun.partition("=")
    if equals and name in fields:
        yield from (Candidate(f"{name}={value}") for value in _values(command, name, fields[name]))
        return
    named = {word.partition("=")[0] for word in given if "=" in word}
    bare = sum("=" not in word for word in given)
    free = [name for name in fields if name not in named][bare:]
    yield from (Candidate(f"{name}=", str(fields[name].get("description", ""))) for name in free)
    if free:
        yield from map(Candidate, _values(command, free[0], fields[free[0]]))


def event_words(given: Sequence[str], begun: str) -> Iterator[Candidate]:
    """Of what-if: commands that change something, and the arguments of the last one."""
    last = max((number for number, word in enumerate(given) if word in COMMANDS or word in SHORT), default=None)
    if last is not None:
        yield from arguments(given[last], given[last + 1 :], begun)
    yield from (Candidate(verb, command.help) for verb, command in COMMANDS.items() if command.changes)


def _values(command: Command, name: str, field: Mapping[str, Any]) -> Sequence[str]:
    """Those of the schema, else those of the catalogue."""
    words = words_of(field)
    if words or name not in ("fault", "feature", "part", "path"):
        return words
    return _known(command, name, load_catalogue())


def _known(command: Command, name: str, catalogue: Catalogue) -> Sequence[str]:
    if name == "part":
        return list(catalogue.parts)
    if name == "feature":
        return list(catalogue.pools)
    if name == "fault":
        return [] if command.verb == "set-fault" else list(catalogue.faults)
    if command.verb in _ASKING:
        return ["unit", "feature-key", "reader", *_PLACES]
    return [*(["feature-key"] if command.verb == "set-fault" else ()), *_PLACES]
