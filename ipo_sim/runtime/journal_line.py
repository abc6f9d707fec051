"""One event of a journal, as a line for people and as a JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ipo_sim.core.events import fact_data, fact_from
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.journal_reader import JournalEntry
from ipo_sim.runtime.journal_rows import EventRow
from ipo_sim.runtime.moment import rfc3339

# Of a long list of licence keys the beginning is enough to know it again.
MAX_DATA = 120

Record = dict[str, Any]


def journal_line(entry: JournalEntry) -> str:
    """Number, simulation time, what it was, who caused it, and its data."""
    return record_line(entry_record(UnitName(""), None, entry))


def record_line(record: Mapping[str, Any]) -> str:
    """The line of what `journal_record` made."""
    data = json.dumps(record["data"], separators=(",", ":"))
    if len(data) > MAX_DATA:
        data = f"{data[:MAX_DATA]}..."
    data = "" if data == "{}" else f" {data}"
    return f"{record['seq']:>5}  {record['at']}  {record['text']} ({record['cause']}){data}"


def entry_record(unit: UnitName, epoch: int | None, entry: JournalEntry) -> Record:
    """An event as `journal_record` tells it."""
    event = entry.event
    fact = event.fact
    told = {"type": fact.TYPE, "text": describe(fact), "data": fact_data(fact), "cause": event.cause}
    return {"unit": unit, "epoch": epoch, "seq": entry.seq, "at": rfc3339(event.at), **told}


def journal_record(unit: UnitName, epoch: int, row: EventRow) -> Record:
    """All that a row says; `at` is simulation time. A row that cannot be read says so in its `text`."""
    return {
        "unit": unit,
        "epoch": epoch,
        "seq": row.seq,
        "at": _moment(row.at),
        "type": row.type,
        **_meaning(row),
        "cause": row.cause,
    }


def _moment(at: object) -> str:
    try:
        return rfc3339(Nanoseconds(at))  # type: ignore[arg-type]  # an altered row may have anything there
    except (TypeError, OverflowError):
        return str(at)


def _meaning(row: EventRow) -> Record:
    try:
        data = json.loads(row.data)
        return {"text": describe(fact_from(row.type, data)), "data": data}
    except (ValueError, KeyError, TypeError) as error:
        problem = f"no event of this version, {row.type}: {error}"
        return {"text": problem, "data": row.data}
