"""`ipo-sim journal`: what happened, read from where a daemon keeps it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK
from ipo_sim.cli.journal import options
from ipo_sim.cli.journal.epochs import selected
from ipo_sim.cli.journal.source import opened
from ipo_sim.cli.terminal import Style, plural, print_json, table
from ipo_sim.core.model import UnitName
from ipo_sim.runtime.journal_line import journal_record, record_line
from ipo_sim.runtime.journal_reader import Epoch, JournalReader
from ipo_sim.runtime.journal_rows import all_event_rows
from ipo_sim.runtime.journal_verify import verify
from ipo_sim.runtime.moment import rfc3339

Record = dict[str, Any]


def main(arguments: Namespace) -> int:
    """Read the journal, and do what is asked for; the exit code is 1 when something is not as it should be."""
    with opened(arguments) as reader:
        return _COMMANDS[arguments.journal_command](arguments, reader)


def _show(arguments: Namespace, reader: JournalReader) -> int:
    chosen = {(unit, epoch.number) for unit, epoch in selected(arguments, reader)}
    epochs = [
        _epoch_record(reader, unit, epoch, present=(unit, epoch.number) in chosen)
        for unit in reader.units()
        if arguments.unit in (None, unit)
        for epoch in reader.epochs(unit)
    ]
    events = (
        journal_record(unit, epoch, row)
        for unit, epoch, row in all_event_rows(reader)
        if (unit, epoch) in chosen and _is_wanted(arguments, row.seq, row.at, row.type, row.cause)
    )
    told = events if arguments.last is None else iter(deque(events, maxlen=arguments.last))
    if arguments.json:
        print_json({"epochs": epochs, "events": list(told)})
        return EXIT_OK
    style = Style(sys.stdout)
    for line in _epoch_lines(epochs, style):
        print(line)
    for record in told:
        print(f"{style(record['unit'], 'bold')} {record_line(record)}")
    return EXIT_OK


def _is_wanted(arguments: Namespace, seq: int, at: int, kind: str, cause: str) -> bool:
    since, until = arguments.since or options.Point(None, None), arguments.until or options.Point(None, None)
    return (
        (since.seq is None or seq >= since.seq)
        and (since.at is None or at >= since.at)
        and (until.seq is None or seq <= until.seq)
        and (until.at is None or at <= until.at)
        and (arguments.type is None or kind in arguments.type)
        and (arguments.cause is None or arguments.cause in cause)
    )


def _epoch_record(reader: JournalReader, unit: UnitName, epoch: Epoch, *, present: bool) -> Record:
    definition = epoch.definition
    rewound = epoch.rewound
    return {
        "unit": unit,
        "epoch": epoch.number,
        "shown": present,
        "created": rfc3339(epoch.created),
        "model": definition.get("model"),
        "release_profile": definition.get("release_profile"),
        "events": reader.last_seq(unit, epoch.number),
        "rewound": None if rewound is None else {**rewound._asdict(), "at": rfc3339(rewound.at)},
        "hash": reader.head(unit, epoch.number).hex(),
    }


def _epoch_lines(epochs: list[Record], style: Style) -> Iterator[str]:
    head = ("UNIT", "EPOCH", "SINCE", "MODEL", "EVENTS", "LAST HASH", "")
    rows = [
        (
            epoch["unit"],
            str(epoch["epoch"]),
            epoch["created"],
            f"{epoch['model']} {epoch['release_profile']}",
            str(epoch["events"]),
            epoch["hash"] or "none",
            _rewound_words(epoch["rewound"]),
        )
        for epoch in epochs
    ]
    for number, line in enumerate(table(rows, head)):
        yield style(line, "bold") if number == 0 else line


def _rewound_words(rewound: Record | None) -> str:
    return "" if rewound is None else f"rewound to event {rewound['seq']} of epoch {rewound['epoch']}"


def _verify(arguments: Namespace, reader: JournalReader) -> int:
    verdict = verify(reader)
    if arguments.json:
        print_json(
            {
                "whole": not verdict.findings,
                "chained": verdict.chained,
                "events": verdict.events,
                "heads": [head._asdict() for head in verdict.heads],
                "findings": [finding._asdict() for finding in verdict.findings],
            }
        )
        return EXIT_FAILED if verdict.findings else EXIT_OK
    style = Style(sys.stdout)
    for finding in verdict.findings:
        place = {"unit": finding.unit, "epoch": finding.epoch, "event": finding.seq, "row": finding.row}
        where = ", ".join(f"{name} {value}" for name, value in place.items() if value not in ("", None))
        print(f"{style(where or 'the file', 'red')}: {finding.problem}")
    state = f"{plural(len(verdict.findings), 'finding')}" if verdict.findings else style("whole", "green")
    print(f"{reader.path}: {plural(verdict.events, 'event')} of {plural(len(verdict.heads), 'epoch')}, {state}")
    if not verdict.chained:
        print("the file has schema 1, without hashes: numbers were checked, contents were not")
    for line in table([(head.unit, f"epoch {head.epoch}", f"event {head.seq}", head.hash) for head in verdict.heads]):
        print(f"  {line}")
    return EXIT_FAILED if verdict.findings else EXIT_OK


def _other(name: str) -> Callable[[Namespace, JournalReader], int]:
    def run(arguments: Namespace, reader: JournalReader) -> int:
        from ipo_sim.cli.journal import histories  # noqa: PLC0415 - what shows states is heavy

        command: Callable[[Namespace, JournalReader], int] = getattr(histories, name)
        return command(arguments, reader)

    return run


_COMMANDS: Mapping[str, Callable[[Namespace, JournalReader], int]] = {
    "show": _show,
    "verify": _verify,
    "replay": _other("replay"),
    "at": _other("at"),
    "why": _other("why"),
    "diff": _other("diff"),
    "export": _other("export"),
}
