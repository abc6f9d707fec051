"""The values that an argument can have, as far as they are known without asking anybody who may be slow to answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ipo_sim.cli.completion.candidate import DIRECTORIES, FILES, Candidate

Given = Mapping[str, Sequence[str]]

# By what help calls an argument.
_PATHS = {"DIR": DIRECTORIES} | dict.fromkeys(("CONFIG", "DEV", "FILE", "LOG", "OTHER", "OUTPUT"), FILES)


def values(action: argparse.Action, given: Given, begun: str) -> Iterator[Candidate]:
    """What could stand there; `given` is what stands before it, `begun` the word as far as it is typed."""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if "|" in metavar:
        yield from map(Candidate, metavar.split("|"))
    elif action.choices is not None:
        yield from (Candidate(str(choice)) for choice in action.choices)
    elif metavar in _PATHS:
        yield Candidate(_PATHS[metavar])
    elif (known := _KNOWN.get(metavar or action.dest.upper())) is not None:
        yield from known(action, given, begun)


def _units(_: argparse.Action, given: Given, __: str) -> Iterator[Candidate]:
    """Of the configuration that is named, else of the daemon on the state directory."""
    for config in (*given.get("config", ()), *given.get("configs", ())):
        yield from _configured(Path(config))
        return
    from ipo_sim.cli.daemon_file import read_daemon  # noqa: PLC0415 - each kind of value pays for itself
    from ipo_sim.cli.state_dir import default_state_dir  # noqa: PLC0415 - as above

    state_dir = next(map(Path, given.get("state_dir", ())), default_state_dir())
    daemon = read_daemon(state_dir)
    yield from map(Candidate, daemon.units if daemon is not None else ())


def _configured(config: Path) -> Iterator[Candidate]:
    from ipo_sim.config.load import load_config  # noqa: PLC0415 - as above
    from ipo_sim.errors import ConfigError  # noqa: PLC0415 - as above

    try:
        units = load_config(config.expanduser()).units
    except ConfigError:
        return
    yield from (Candidate(unit.name, unit.model) for unit in units)


def _names(action: argparse.Action, _: Given, __: str) -> Iterator[Candidate]:
    """NAME is the name of an initial state, where `--state` asks for it."""
    if action.dest != "state":
        return
    from ipo_sim.catalogue.states import load_states  # noqa: PLC0415 - as above

    yield from (Candidate(name, state.title) for name, state in load_states().states.items())


def _models(*_: object) -> Iterator[Candidate]:
    from ipo_sim.catalogue.load import load_catalogue  # noqa: PLC0415 - as above

    yield from (Candidate(name, model.title) for name, model in load_catalogue().models.items())


def _profiles(_: argparse.Action, given: Given, __: str) -> Iterator[Candidate]:
    """Those of the model that is named, if one is."""
    from ipo_sim.catalogue.load import load_catalogue  # noqa: PLC0415 - as above

    models = load_catalogue().models
    chosen = [models[name] for name in given.get("model", ()) if name in models] or list(models.values())
    yield from map(Candidate, dict.fromkeys(profile for model in chosen for profile in model.release_profiles))


def _licences(*_: object) -> Iterator[Candidate]:
    from ipo_sim.catalogue.load import load_catalogue  # noqa: PLC0415 - as above

    yield from map(Candidate, load_catalogue().licences_by_name)


def _paths(*_: object) -> Iterator[Candidate]:
    from ipo_sim.api.paths import FEATURE_KEY, GROUPS, READER, UNIT  # noqa: PLC0415 - as above

    yield from map(Candidate, (UNIT, FEATURE_KEY, READER, *(f"{group}/" for group in GROUPS)))


def _verbs(*_: object) -> Iterator[Candidate]:
    from ipo_sim.cli.completion.ctl_words import verbs  # noqa: PLC0415 - as above

    yield from verbs()


def _words(action: argparse.Action, given: Given, begun: str) -> Iterator[Candidate]:
    """Arguments of a command; the parameters of a scenario are its own."""
    if action.dest != "words":
        return
    from ipo_sim.cli.completion.ctl_words import arguments  # noqa: PLC0415 - as above

    verb, words = given.get("verb", ("",))[-1], given.get("words", ())
    yield from arguments(verb, words, begun)


def _events(_: argparse.Action, given: Given, begun: str) -> Iterator[Candidate]:
    from ipo_sim.cli.completion.ctl_words import event_words  # noqa: PLC0415 - as above

    yield from event_words(given.get("events", ()), begun)


_KNOWN: Mapping[str, Callable[[argparse.Action, Given, str], Iterable[Candidate]]] = {
    "COMMAND": _verbs,
    "EVENT": _events,
    "LICENCE": _licences,
    "MODEL": _models,
    "NAME": _names,
    "NAME=VALUE": _words,
    "PATH": _paths,
    "PROFILE": _profiles,
    "UNIT": _units,
}
