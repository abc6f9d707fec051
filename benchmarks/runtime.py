"""The runtime: what the journal and the engine add to a step of the core."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.fleet_run import FleetRun
from benchmarks.measure import Effort, Figure, Measurement, elapsed, interleave
from benchmarks.units import NOON, fleet
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.model import Unit, UnitName
from ipo_sim.core.unit import new_unit, step
from ipo_sim.runtime.bus import Record
from ipo_sim.runtime.engine import MAX_BATCH
from ipo_sim.runtime.journal import Journal

_UNITS = 100
# Single commits in one round.
_SINGLES = 256
# What the journal keeps, with the same durability, without its keys and checks.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -256")
_TABLE = "CREATE TABLE events (unit TEXT, epoch INT, seq INT, at INT, type TEXT, data TEXT, cause TEXT)"
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
BARE_SQLITE = "the same rows put into a bare sqlite3 table"

_T = TypeVar("_T")
_Row = tuple[str, int, int, int, str, str, str]


def figures(effort: Effort) -> Iterator[Figure]:
    """Journal and engine."""
    records = FleetRun(fleet(_UNITS)).recorded()
    yield _append(effort, "Journal, one event a commit", records[:_SINGLES], 1)
    yield _append(effort, f"Journal, {MAX_BATCH} events a commit", records, MAX_BATCH)
    yield _engine(effort, records)


def _append(effort: Effort, name: str, records: list[Record], batch: int) -> Figure:
    rows: list[_Row] = [(r.unit, 1, r.effects.seq, r.event.at, r.event.fact.TYPE, "{}", r.event.cause) for r in records]
    pair = interleave(effort.rounds, lambda: _journal(records, batch), lambda: _bare(rows, batch))
    return Figure(
        name, "µs an event", pair, BARE_SQLITE, digits=1, note="in a file; to JSON and back is not in the bare one"
    )


def _journal(records: list[Record], batch: int) -> float:
    with tempfile.TemporaryDirectory() as folder, closing(Journal.create(Path(folder))) as journal:
        for unit in dict.fromkeys(record.unit for record in records):
            journal.begin_epoch(unit, {}, NOON)
        return _in_batches(journal.append, records, batch)


def _bare(rows: list[_Row], batch: int) -> float:
    def insert(part: Sequence[_Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, part)
        connection.execute("COMMIT")

    with _database() as connection:
        return _in_batches(insert, rows, batch)


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder, "bare.sqlite"), isolation_level=None)) as connection,
    ):
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_TABLE)
        yield connection


def _in_batches(write: Callable[[Sequence[_T]], None], items: Sequence[_T], batch: int) -> float:
    """Microseconds an item."""

    def write_all() -> None:
        for start in range(0, len(items), batch):
            write(items[start : start + batch])

    return elapsed(write_all) / len(items) * 1e6


def _engine(effort: Effort, records: list[Record]) -> Figure:
    pair = interleave(effort.rounds, _lived, _core_alone(records))
    reference = "the same events through the core alone"
    return Figure(
        "Engine with a journal in a file", "events/s", pair, reference, note=f"{_UNITS} units, bus without subscribers"
    )


def _lived() -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = FleetRun(fleet(_UNITS), Path(folder))
        seconds = elapsed(run.live)
        return run.engine.events / seconds


def _core_alone(records: list[Record]) -> Measurement:
    catalogue = load_catalogue()
    units = {unit.name: new_unit(unit, catalogue) for unit in fleet(_UNITS)}

    def run() -> float:
        now: dict[UnitName, Unit] = dict(units)

        def all_steps() -> None:
            for name, event, _ in records:
                now[name], _effects = step(now[name], event)

        return len(records) / elapsed(all_steps)

    return run
