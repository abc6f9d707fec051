"""What could stand at the end of a line that is not finished: commands, options, their values."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ipo_sim.cli.command_line import build_parser, named
from ipo_sim.cli.completion.candidate import DIRECTORIES, FILES, Candidate
from ipo_sim.cli.completion.values import values


class Asked(NamedTuple):
    """The words behind the program's name, and the last one as far as it is typed."""

    before: tuple[str, ...]
    last: str


class Place(NamedTuple):
    """Where the last word stands: values given so far by destination, and the argument that the word is for.

    `option`: the word is the value of this option. `positional` None: no more are wanted.
    """

    parser: argparse.ArgumentParser
    given: dict[str, list[str]]
    option: argparse.Action | None
    positional: argparse.Action | None
    only_positionals: bool = False


def candidates(asked: Asked) -> list[Candidate]:
    """All words that begin as the last one does, in the order of the help; a single FILES or DIRECTORIES for paths."""
    found = list(_all(asked))
    if found and found[0].word in (FILES, DIRECTORIES):
        return found[:1]
    return [candidate for candidate in found if candidate.word.startswith(asked.last)]


def _all(asked: Asked) -> Iterator[Candidate]:
    place = _place(asked.before)
    if place.option is not None:
        yield from values(place.option, place.given, asked.last)
        return
    if asked.last.startswith("-") and not place.only_positionals:
        yield from _options(place, asked.last)
        return
    if place.positional is None:
        return
    if isinstance(place.positional, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no public name for it
        yield from (Candidate(str(action.dest), action.help or "") for action in place.positional._choices_actions)  # noqa: SLF001 - as above
        return
    yield from values(place.positional, place.given, asked.last)


def _options(place: Place, last: str) -> Iterator[Candidate]:
    """Options that are not given yet; of `--option=VALUE` the values."""
    name, equals, begun = last.partition("=")
    if equals:
        action = place.parser._option_string_actions.get(name)  # noqa: SLF001 - there is no other way to the options
        found = values(action, place.given, begun) if action is not None and action.nargs != 0 else ()
        yield from (Candidate(f"{name}={word}", text) for word, text in found if not word.startswith(":"))
        return
    for action in place.parser._actions:  # noqa: SLF001 - as above
        is_spent = action.dest in place.given and not isinstance(action, argparse._AppendAction)  # noqa: SLF001 - as above
        long = [option for option in action.option_strings if option.startswith("--")]
        if long and not is_spent and action.help != argparse.SUPPRESS:
            yield Candidate(long[0], action.help or "")


def _place(words: Sequence[str]) -> Place:
    """Go through the words as argparse would; what it would not take is passed over."""
    asked = next((word for word in words if not word.startswith("-")), "")
    walk = _Walk(build_parser((named(asked),)))
    for word in words:
        walk.take(word)
    return Place(walk.parser, walk.given, walk.option, walk.positional(), walk.only_positionals)


class _Walk:
    """How far the words have come."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.given: dict[str, list[str]] = {}
        self.option: argparse.Action | None = None
        self.only_positionals = False
        self._wanted = 0
        self._enter(parser)

    def _enter(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser
        self._open = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001 - as above

    def positional(self) -> argparse.Action | None:
        """The one that the next word is for."""
        return self._open[0] if self._open else None

    def take(self, word: str) -> None:
        """One word that is complete."""
        if self.option is not None:
            self._give(self.option, word)
            self._wanted -= 1
            if self._wanted == 0:
                self.option = None
        elif word == "--":
            self.only_positionals = True
        elif word.startswith("-") and word != "-" and not self.only_positionals:
            self._take_option(word)
        elif self._open:
            self._take_positional(self._open[0], word)

    def _take_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        action = self.parser._option_string_actions.get(name)  # noqa: SLF001 - as above
        if action is None:
            return
        self.given.setdefault(action.dest, [])
        if equals:
            self._give(action, value)
        elif action.nargs != 0:
            self.option, self._wanted = action, action.nargs if isinstance(action.nargs, int) else 1

    def _take_positional(self, action: argparse.Action, word: str) -> None:
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            self._enter(action.choices.get(named(word), argparse.ArgumentParser(add_help=False)))
            return
        self._give(action, word)
        if action.nargs not in ("*", "+"):
            del self._open[0]

    def _give(self, action: argparse.Action, word: str) -> None:
        self.given.setdefault(action.dest, []).append(word)
