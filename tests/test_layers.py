"""Imports point down only: the table of rooms, a pure core, one clock, and edges that do not know one another."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "ipo_sim").rglob("*.py"))

EVERYTHING = frozenset({""})

# What edges need to speak of a unit: its entities, the words of a licence's status, the catalogue's types.
VOCABULARY = ("core", "licensing.status", "catalogue", "errors")

# What a unit and its key server say to one another.
KEY_SERVER_PROTOCOL = tuple(f"licensing.key_server_{part}" for part in ("line", "messages", "rules"))

# What each room may import of the package beside itself, as prefixes.
MAY_IMPORT = {
    "__init__": frozenset[str](),
    "__main__": frozenset({"cli"}),
    "errors": frozenset[str](),
    "package_data": frozenset[str](),
    "validation": frozenset[str](),
    "catalogue": frozenset({"errors", "package_data"}),
    "licensing": frozenset({"catalogue", "errors"}),
    "core": frozenset({"licensing", "catalogue", "errors"}),
    "card": frozenset({"core.words", "errors"}),
    "config": frozenset({"validation", "core", "licensing", "catalogue", "errors"}),
    "runtime": frozenset({"validation", "core", "licensing", "catalogue", "errors"}),
    "readers": frozenset({"card", *KEY_SERVER_PROTOCOL, "core.events", "core.model", "errors"}),
    "key_server": frozenset({*KEY_SERVER_PROTOCOL, "core.events", "core.model", "errors"}),
    "api": frozenset({"runtime.bus", "runtime.store", *VOCABULARY}),
    "mqtt": frozenset({"api", "runtime.bus", "runtime.commands", "runtime.store", "package_data", *VOCABULARY}),
    "management": frozenset({"runtime.bus", "runtime.store", *VOCABULARY}),
    "panel": frozenset({"api", "runtime.bus", "runtime.commands", "runtime.store", "package_data", *VOCABULARY}),
    "scenario": frozenset({"runtime", "config", "readers.virtual", "api", "mqtt", "core", "catalogue", "errors"}),
    "fleet": frozenset({"runtime", "config", "mqtt", "errors"}),
    "client": frozenset({"api", "mqtt", "runtime.duration", *VOCABULARY}),
    "cli": EVERYTHING,
    "testing": EVERYTHING,
}

EDGES = ("readers", "key_server", "mqtt", "management", "panel")

# Third-party packages of the rooms that must do with few; rooms that are not named here are free.
THIRD_PARTY = {
    "errors": frozenset[str](),
    "validation": frozenset[str](),
    "catalogue": frozenset({"yaml"}),
    "licensing": frozenset[str](),
    "core": frozenset[str](),
    "card": frozenset[str](),
}

PURE = ("core", "licensing", "card")

# The rooms of the command line, and which others each of them may use; what stands in none is for all, and uses none.
CLI_ROOMS = {
    "card": frozenset({"config"}),
    "completion": frozenset({"ctl"}),
    "config": frozenset[str](),
    "ctl": frozenset({"licence"}),
    "daemon": frozenset({"card", "config"}),
    "journal": frozenset({"ctl"}),
    "key_server": frozenset[str](),
    "licence": frozenset({"config"}),
    "records": frozenset({"config"}),
    "scenario": frozenset({"config"}),
}
# It hands on to the rooms.
CLI_DOOR = "ipo_sim.cli.command_line"

# By these a pure room would reach time, chance, other threads of control or the machine.
IMPURE = frozenset(
    "asyncio concurrent ctypes http io logging multiprocessing os pathlib random secrets select selectors shutil signal"
    " socket sqlite3 ssl subprocess tempfile threading time urllib uuid".split()
)

CLOCK = "ipo_sim.runtime.clock"
CLOCK_READINGS = frozenset({"now", "today", "utcnow"})


class Import(NamedTuple):
    """One imported module, and the line that does it."""

    module: str
    line: int


class Module(NamedTuple):
    """A module by its dotted name, with its syntax."""

    name: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The room it stands in; the package itself is `__init__`."""
        return [*self.name.split("."), "__init__"][1]

    def imports(self) -> Iterator[Import]:
        """All that it imports anywhere, in functions and for type checkers too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                # `from ipo_sim.runtime import bus` imports a module, `from ipo_sim.runtime.bus import Bus` a name.
                names = [f"{base}.{alias.name}" for alias in node.names] if base.count(".") < 2 else [base]
                yield from (Import(name, node.lineno) for name in (names if base.startswith("ipo_sim") else [base]))


def needs(module: Module, names: AbstractSet[str]) -> Iterator[str]:
    """Which of the modules of these names it imports when it runs, early or late."""
    for node in what_runs(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            below = {f"{base}.{alias.name}" for alias in node.names} & names
            yield from below or ({base} & names)


def what_runs(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below `if TYPE_CHECKING:`."""
    yield tree
    match tree:
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=orelse):
            children: Iterable[ast.AST] = orelse
        case _:
            children = ast.iter_child_nodes(tree)
    for child in children:
        yield from what_runs(child)


def read(path: Path) -> Module:
    """The module of a file below the root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_bytes()))


def wrong_imports(module: Module) -> Iterator[str]:
    """Imports that point up, sideways, or out of a room that has to be pure."""
    for imported, line in module.imports():
        top, _, inside = imported.partition(".")
        if top == "ipo_sim":
            allowed = {module.room, *MAY_IMPORT[module.room]}
            if not any(inside == prefix or inside.startswith(f"{prefix}.") or not prefix for prefix in allowed):
                yield f"line {line}: {module.room} may not import {imported}"
        elif top not in sys.stdlib_module_names and top not in THIRD_PARTY.get(module.room, {top}):
            yield f"line {line}: {module.room} may not import the third-party {imported}"
        elif module.room in PURE and top in IMPURE:
            yield f"line {line}: {module.room} is pure and may not import {imported}"


def cli_room(name: str) -> str:
    """The room of the command line that a module stands in; empty: in none."""
    room = [*name.removeprefix("ipo_sim.cli").split("."), ""][1]
    return room if room in CLI_ROOMS else ""


def wrong_rooms(module: Module) -> Iterator[str]:
    """Imports from a room of the command line that the module's own may not use."""
    room = cli_room(module.name)
    allowed = {"", room, *CLI_ROOMS.get(room, ())}
    for imported, line in module.imports():
        if imported.startswith("ipo_sim.cli") and cli_room(imported) not in allowed:
            yield f"line {line}: {room or 'what all rooms share'} may not import {imported}"


def clock_readings(module: Module) -> Iterator[str]:
    """Places that read a clock, outside the one module that may."""
    if module.name == CLOCK:
        return
    yield from (f"line {line}: imports time" for imported, line in module.imports() if imported == "time")
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=("datetime" | "date")) | ast.Attribute(attr="datetime"), attr=attr):
                if attr in CLOCK_READINGS:
                    yield f"line {node.lineno}: reads the clock by {ast.unparse(node)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_to_its_room(path: Path) -> None:
    module = read(path)
    assert module.room in MAY_IMPORT, f"{module.name} stands in a room that the table does not know"
    assert list(wrong_imports(module)) == []
    assert list(clock_readings(module)) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_of_the_command_line_go_one_way(path: Path) -> None:
    module = read(path)
    if module.room == "cli" and module.name != CLI_DOOR:
        assert list(wrong_rooms(module)) == []


def test_every_folder_of_the_command_line_is_a_room() -> None:
    folders = {path.parent.name for path in (ROOT / "ipo_sim" / "cli").glob("*/*.py")}
    assert folders == set(CLI_ROOMS)
    tuple(TopologicalSorter(CLI_ROOMS).static_order())  # raises CycleError where rooms use one another


def circle(modules: Sequence[Module]) -> list[str]:
    """Modules of which each imports the one before it, early or late, and the first the last; none: empty."""
    names = {module.name for module in modules}
    graph = {module.name: set(needs(module, names)) for module in modules}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_needs_one_that_needs_it() -> None:
    assert circle([read(path) for path in SOURCES]) == []


def test_a_circle_is_seen_where_it_runs() -> None:
    late = Module("ipo_sim.mqtt.a", ast.parse("def late():\n    from ipo_sim.mqtt import b"))
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ipo_sim.mqtt.a import A\nelse:\n    A = 1"
    b = Module("ipo_sim.mqtt.b", ast.parse("from ipo_sim.mqtt.c import C"))
    assert circle([late, b, Module("ipo_sim.mqtt.c", ast.parse(types))]) == []
    assert len(circle([late, b, Module("ipo_sim.mqtt.c", ast.parse("import ipo_sim.mqtt.a"))])) == 4


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ipo_sim.cli.ctl.watch", "from ipo_sim.cli.journal.source import opened"),
        ("ipo_sim.cli.licence.form", "def late():\n    from ipo_sim.cli.ctl import watch"),
        ("ipo_sim.cli.remote", "from ipo_sim.cli.ctl.command import ask"),
    ],
)
def test_wrong_room_is_seen(name: str, source: str) -> None:
    assert len(list(wrong_rooms(Module(name, ast.parse(source))))) == 1


def test_the_bench_knows_nothing_of_the_package() -> None:
    for path in (ROOT / "hardware").rglob("*.py"):
        assert not [line for name, line in read(path).imports() if name.startswith("ipo_sim")], path


@pytest.mark.parametrize("edge", EDGES)
def test_no_edge_may_import_another(edge: str) -> None:
    assert not [other for other in EDGES if other != edge for prefix in MAY_IMPORT[edge] if prefix.startswith(other)]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ipo_sim.core.unit", "import asyncio"),
        ("ipo_sim.core.unit", "def late():\n    import random"),
        ("ipo_sim.core.unit", "from os.path import join"),
        ("ipo_sim.core.unit", "import pydantic"),
        ("ipo_sim.core.unit", "from ipo_sim.runtime.bus import Bus"),
        ("ipo_sim.core.unit", "from ipo_sim import runtime"),
        ("ipo_sim.licensing.key", "from time import time"),
        ("ipo_sim.card.atr", "from ipo_sim.core.model import Unit"),
        ("ipo_sim.catalogue.load", "import pydantic"),
        ("ipo_sim.runtime.engine", "from ipo_sim.mqtt.client import Client"),
        ("ipo_sim.mqtt.client", "from ipo_sim.readers.reader import Reader"),
        ("ipo_sim.mqtt.client", "from ipo_sim.runtime import engine"),
        ("ipo_sim.mqtt.client", "import ipo_sim.runtime.engine"),
        ("ipo_sim.readers.virtual", "from ipo_sim.core.unit import step"),
        ("ipo_sim", "from ipo_sim.core.unit import step"),
    ],
)
def test_wrong_import_is_seen(name: str, source: str) -> None:
    assert len(list(wrong_imports(Module(name, ast.parse(source))))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ipo_sim.core.unit", "from datetime import date\nfrom ipo_sim.licensing.key import LicenceKey"),
        ("ipo_sim.catalogue.load", "import yaml\nfrom importlib.resources import files"),
        (
            "ipo_sim.mqtt.client",
            "import aiomqtt\nfrom ipo_sim.runtime import bus, commands",
        ),
        (
            "ipo_sim.cli.daemon.run",
            "from ipo_sim.mqtt.client import Client\nimport ipo_sim.readers.virtual",
        ),
    ],
)
def test_right_import_is_let_through(name: str, source: str) -> None:
    assert list(wrong_imports(Module(name, ast.parse(source)))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic",
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.now(datetime.UTC)",
        "from datetime import date\nday = date.today()",
    ],
)
def test_clock_reading_is_seen(source: str) -> None:
    assert list(clock_readings(Module("ipo_sim.runtime.engine", ast.parse(source))))
    assert not list(clock_readings(Module(CLOCK, ast.parse(source))))


def test_time_of_the_simulation_is_no_clock_reading() -> None:
    source = "import asyncio\nat = clock.now()\nloop_time = asyncio.get_running_loop().time()"
    assert not list(clock_readings(Module("ipo_sim.runtime.engine", ast.parse(source))))
