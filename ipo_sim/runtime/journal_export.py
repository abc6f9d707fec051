"""Journals as JSON Lines, and back: a header, epochs and events in the order of their writing, an end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from ipo_sim.core.model import UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.chain import NOTHING, epoch_hash, event_hash
from ipo_sim.runtime.journal_file import closed_on_error, connect, explained
from ipo_sim.runtime.journal_reader import JournalReader
from ipo_sim.runtime.journal_rows import EpochRow, EventRow, all_event_rows, epoch_rows
from ipo_sim.runtime.journal_schema import SCHEMA_VERSION
from ipo_sim.runtime.moment import rfc3339

FORMAT = 1

Line = dict[str, Any]

_compact = json.JSONEncoder(separators=(",", ":")).encode
_EPOCH = "INSERT INTO units (name, epoch, created, definition, rewound, hash) VALUES (?, ?, ?, ?, ?, ?)"
_EVENT = "INSERT INTO events (unit, epoch, id, seq, at, type, cause, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_META = "INSERT INTO meta VALUES (?, ?)"


class Rewriter(Protocol):
    """Changes what is exported; the rows are then chained anew."""

    def definition(self, text: str) -> str:
        """The definition of a unit, as JSON text."""
        ...

    def data(self, unit: UnitName, epoch: int, kind: str, text: str) -> str:
        """The data of an event of this type, as JSON text."""
        ...

    def cause(self, text: str) -> str:
        """Who caused an event."""
        ...


def export_lines(reader: JournalReader, version: str, rewriter: Rewriter | None = None) -> Iterator[str]:
    """The lines of a whole journal; `version` is that of who exports. JournalError for rows that no journal has."""
    with reader.frozen():
        yield from map(_compact, _Export(reader, rewriter).lines(version))


class _Export:
    def __init__(self, reader: JournalReader, rewriter: Rewriter | None) -> None:
        self._reader = reader
        self._rewriter = rewriter
        self._epochs = {unit: epoch_rows(reader, unit) for unit in reader.units()}
        # The hash of each unit's last row so far, where rows are chained anew.
        self._heads: dict[str, bytes] = {}

    def lines(self, version: str) -> Iterator[Line]:
        reader, count = self._reader, 0
        kept = dict(reader.select("SELECT key, value FROM meta"))
        yield {"kind": "journal", "format": FORMAT, "schema": reader.schema, "version": version, "meta": kept}
        for unit, epoch, row in all_event_rows(reader):
            yield from self._begun(unit, epoch)
            yield self._event(unit, epoch, row)
            count += 1
        for unit in self._epochs:
            yield from self._begun(unit, None)
        yield {"kind": "end", "events": count}

    def _begun(self, unit: UnitName, epoch: int | None) -> Iterator[Line]:
        """The epochs of the unit up to this one, or all of them, that have no line yet."""
        waiting = self._epochs.get(unit, [])
        while waiting and (epoch is None or waiting[0].epoch <= epoch):
            yield self._epoch(unit, waiting.pop(0))

    def _epoch(self, unit: UnitName, row: EpochRow) -> Line:
        if self._rewriter is not None:
            definition = self._rewriter.definition(row.definition)
            before = self._heads.get(unit, NOTHING)
            self._heads[unit] = epoch_hash(before, unit, row.epoch, row.created, definition, row.rewound)
            row = row._replace(definition=definition, hash=self._heads[unit])
        return {
            "kind": "epoch",
            "unit": unit,
            "epoch": row.epoch,
            "created": row.created,
            **_json("definition", row.definition),
            "rewound": row.rewound,
            "hash": row.hash.hex(),
        }

    def _event(self, unit: UnitName, epoch: int, row: EventRow) -> Line:
        if not row.is_plausible:
            raise JournalError(f"row {row.row} of the journal cannot be exported, it was altered: see journal verify")
        if self._rewriter is not None:
            data = self._rewriter.data(unit, epoch, row.type, row.data)
            row = row._replace(data=data, cause=self._rewriter.cause(row.cause))
            self._heads[unit] = event_hash(self._heads.get(unit, NOTHING), *row[:-1])
            row = row._replace(hash=self._heads[unit])
        line = {"kind": "event", "row": row.row, "unit": unit, "epoch": epoch, "seq": row.seq, "at": row.at}
        told = {"type": row.type, "cause": row.cause, **_json("data", row.data), "hash": row.hash.hex()}
        return {**line, "time": rfc3339(row.at), **told}  # type: ignore[arg-type]  # nanoseconds of a plausible row


def _json(name: str, text: str) -> Line:
    """A JSON text as the value that it says; as text, under another name, when it could not be told again exactly."""
    with suppress(ValueError):
        value = json.loads(text)
        if _compact(value) == text:
            return {name: value}
    return {f"{name}_text": text}


def read_export(lines: Iterable[str], name: str) -> JournalReader:
    """An export as a journal in memory; JournalError with file and line for what is none, or not whole."""
    connection = connect(None)
    with closed_on_error(connection), explained(Path(name)):
        loading = _Loading(name)
        connection.execute("BEGIN")
        for number, line in enumerate(lines, 1):
            for statement, values in loading.take(number, line):
                connection.execute(statement, values)
        connection.execute("COMMIT")
        loading.finish()
    return JournalReader(connection, Path(name), loading.schema)


class _Loading:
    def __init__(self, name: str) -> None:
        self.schema = 0
        self._name = name
        self._events = 0
        self._ended = False

    def take(self, number: int, text: str) -> Iterator[tuple[str, tuple[object, ...]]]:
        """The rows that a line stands for."""
        try:
            line = json.loads(text)
            kind = line["kind"]
            if (kind == "journal") != (number == 1) or self._ended:
                raise ValueError("a journal begins with its header and ends with its end")  # noqa: TRY301 - one way out
            yield from getattr(self, f"_{kind}", self._unknown)(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise JournalError(f"{self._name}:{number}: no line of a journal's export: {what}") from error

    def finish(self) -> None:
        """JournalError when the end has not come."""
        if not self._ended:
            raise JournalError(f"{self._name}: the export is cut off, its last line is missing")

    def _journal(self, line: Line) -> Iterator[tuple[str, tuple[object, ...]]]:
        if line["format"] != FORMAT or not 1 <= line["schema"] <= SCHEMA_VERSION:
            raise ValueError(
                f"format {line['format']} and schema {line['schema']}; this version reads format {FORMAT} and"
                f" schemas 1 to {SCHEMA_VERSION}"
            )
        self.schema = line["schema"]
        meta: Mapping[str, str] = line["meta"]
        yield from ((_META, (key, str(value))) for key, value in meta.items())

    def _epoch(self, line: Line) -> Iterator[tuple[str, tuple[object, ...]]]:
        definition = _text("definition", line)
        yield (
            _EPOCH,
            (line["unit"], line["epoch"], line["created"], definition, line["rewound"], bytes.fromhex(line["hash"])),
        )

    def _event(self, line: Line) -> Iterator[tuple[str, tuple[object, ...]]]:
        self._events += 1
        place = (line["unit"], line["epoch"], line["row"], line["seq"], line["at"])
        yield _EVENT, (*place, line["type"], line["cause"], _text("data", line), bytes.fromhex(line["hash"]))

    def _end(self, line: Line) -> Iterator[tuple[str, tuple[object, ...]]]:
        if line["events"] != self._events:
            raise ValueError(f"{line['events']} events are announced, {self._events} are there")
        self._ended = True
        yield from ()

    @staticmethod
    def _unknown(line: Line) -> Iterator[tuple[str, tuple[object, ...]]]:
        raise ValueError(f"kind {line['kind']!r} is none of journal, epoch, event, end")


def _text(name: str, line: Line) -> str:
    return str(line[f"{name}_text"]) if f"{name}_text" in line else _compact(line[name])
