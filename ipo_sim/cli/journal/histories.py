"""`ipo-sim journal replay`, `at`, `why`, `diff`, `export`: histories gone through, compared, written out."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ipo_sim.api.encoder import Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Catalogue
from ipo_sim.cli.ctl.answers import answer_lines
from ipo_sim.cli.ctl.watch import status_lines
from ipo_sim.cli.ctl.what_if_table import change_lines
from ipo_sim.cli.entity_text import reading_order
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.journal import options
from ipo_sim.cli.journal.epochs import selected
from ipo_sim.cli.journal.source import STANDARD, opened_at
from ipo_sim.cli.terminal import Style, plural, print_json
from ipo_sim.cli.version import version
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.bus import Bus
from ipo_sim.runtime.journal_diff import Comparison, Span, between, compare
from ipo_sim.runtime.journal_export import export_lines
from ipo_sim.runtime.journal_line import entry_record, journal_line
from ipo_sim.runtime.journal_reader import JournalEntry, JournalReader
from ipo_sim.runtime.journal_replay import Point, Replay, Replayer
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.store import Entry
from ipo_sim.runtime.why import explain
from ipo_sim.runtime.without_secrets import WithoutSecrets

Record = dict[str, Any]


def point_of(given: options.Point | None) -> Point:
    """A point as the replay takes it; the end without one."""
    return Point() if given is None else Point(given.seq, None if given.at is None else Nanoseconds(given.at))


def replay(arguments: Namespace, reader: JournalReader) -> int:
    """Whether this version comes to the same."""
    replayer, until = Replayer(reader, load_catalogue()), point_of(arguments.until)
    if until.seq is not None and arguments.unit is None:
        raise UsageError("--until with the number of an event wants --unit: each unit counts its own")
    replays = [replayer.replay(unit, epoch.number, until) for unit, epoch in selected(arguments, reader)]
    if arguments.json:
        print_json([_replay_record(replay) for replay in replays])
    else:
        for replay in replays:
            print("\n".join(_replay_lines(replay, Style(sys.stdout))))
    return EXIT_FAILED if any(replay.differences for replay in replays) else EXIT_OK


def _replay_record(replay: Replay) -> Record:
    status = replay.state.unit.status
    return {
        "unit": replay.unit,
        "epoch": replay.epoch,
        "events": replay.events,
        "same": not replay.differences,
        "state": status.state,
        "edition": status.edition,
        "at": rfc3339(replay.state.unit.at),
        "differences": [difference._asdict() for difference in replay.differences],
    }


def _replay_lines(replay: Replay, style: Style) -> Iterator[str]:
    status = replay.state.unit.status
    name = f"{style(replay.unit, 'bold')}, epoch {replay.epoch}: {plural(replay.events, 'event')}"
    state = f"{status.state.replace('_', ' ')}, edition {status.edition}, at {rfc3339(replay.state.unit.at)}"
    verdict = style("comes to something else", "red") if replay.differences else style("comes to the same", "green")
    yield f"{name}, {verdict}: {state}"
    yield from (f"  event {seq}: {text}" for seq, text in replay.differences)


def at(arguments: Namespace, reader: JournalReader) -> int:
    """The whole state of a unit at a point of its history."""
    catalogue = load_catalogue()
    unit = UnitName(arguments.unit)
    then = Replayer(reader, catalogue).replay(unit, arguments.epoch, point_of(arguments.point))
    if then.differences:
        seq, text = then.differences[0]
        print(f"not as it was then, from event {seq} on: {text}", file=sys.stderr)
    entities = payloads(unit, then.state.entries, catalogue)
    moment = rfc3339(then.state.unit.at)
    if arguments.json:
        told = {path: entities[path] for path in sorted(entities, key=reading_order)}
        print_json({"unit": unit, "epoch": then.epoch, "seq": then.events, "at": moment, "entities": told})
        return EXIT_OK
    style = Style(sys.stdout)
    print(f"{style(unit, 'bold')} after event {then.events} of epoch {then.epoch}, {moment}")
    for line in status_lines(entities, show_all=arguments.all):
        print(line)
    return EXIT_OK


def why(arguments: Namespace, reader: JournalReader) -> int:
    """The chain of causes of an entity at a point of its unit's history."""
    unit = UnitName(arguments.unit)
    then = Replayer(reader, load_catalogue()).replay(unit, arguments.epoch, point_of(arguments.point))
    state = then.state
    answer = explain(state.unit, state.entries, arguments.path, lambda seq: reader.entry(unit, then.epoch, seq))
    if arguments.json:
        print_json(answer)
    else:
        print("\n".join(answer_lines("why", answer, Style(sys.stdout))))
    return EXIT_OK


def payloads(unit: UnitName, entries: Mapping[str, Entry], catalogue: Catalogue) -> dict[str, Any]:
    """Entities as MQTT carries them."""
    bus = Bus()
    bus.restore(unit, entries)
    encoder = Encoder(bus, catalogue)
    return {path: json.loads(encoder.entity(unit, entry)) for path, entry in entries.items()}


def diff(arguments: Namespace, reader: JournalReader) -> int:
    """Where histories part."""
    if (arguments.other is None) == (arguments.between is None):
        raise UsageError("journal diff wants either another journal, or --between with two points")
    catalogue = load_catalogue()
    if arguments.between is not None:
        return _between(arguments, Replayer(reader, catalogue), selected(arguments, reader))
    if arguments.epoch is not None:
        raise UsageError("two journals are compared in their present epochs; --epoch goes with --between")
    with opened_at(arguments.other) as other:
        return _compare(arguments, reader, other, catalogue)


def _between(arguments: Namespace, replayer: Replayer, chosen: list[tuple[UnitName, Any]]) -> int:
    if len(chosen) != 1:
        raise UsageError("--between looks at one unit: name it with --unit")
    (unit, epoch), (start, end) = chosen[0], map(point_of, arguments.between)
    span = between(unit, replayer, epoch.number, start, end)
    if arguments.json:
        events = [entry_record(unit, span.epoch, entry) for entry in span.events]
        print_json({"unit": unit, "epoch": span.epoch, "events": events, "changes": list(span.changes)})
    else:
        print("\n".join(_span_lines(span, Style(sys.stdout))))
    return EXIT_FAILED if span.changes else EXIT_OK


def _span_lines(span: Span, style: Style) -> Iterator[str]:
    yield f"{style(span.unit, 'bold')}, epoch {span.epoch}: {plural(len(span.events), 'event')}"
    yield from map(journal_line, span.events)
    yield from change_lines(span.changes, style, ("BEFORE", "AFTER"))


def _compare(arguments: Namespace, reader: JournalReader, other: JournalReader, catalogue: Catalogue) -> int:
    here, there = reader.units(), other.units()
    if arguments.unit is not None:
        here, there = ([unit for unit in units if unit == arguments.unit] for units in (here, there))
        if not here + there:
            raise JournalError(f"neither journal has a unit {arguments.unit}")
    one, two = Replayer(reader, catalogue), Replayer(other, catalogue)
    only = {
        unit: "here" if unit in here else "there"
        for unit in dict.fromkeys(here + there)
        if (unit in here) != (unit in there)
    }
    found = [compare(unit, one, two, only_facts=arguments.facts) for unit in here if unit in there]
    if arguments.json:
        print_json({"only": only, "units": [_comparison_record(comparison) for comparison in found]})
    else:
        style = Style(sys.stdout)
        for unit, where in only.items():
            print(f"{style(unit, 'bold')}: only {where}")
        for comparison in found:
            print("\n".join(_comparison_lines(comparison, style)))
    return EXIT_OK if not only and all(comparison.is_equal for comparison in found) else EXIT_FAILED


def _comparison_record(found: Comparison) -> Record:
    one, other = found.parting or (None, None)
    return {
        "unit": found.unit,
        "equal": found.is_equal,
        "definition": list(found.definition),
        "events": list(found.events),
        "first": None if found.parting is None else {"here": _told(found.unit, one), "there": _told(found.unit, other)},
        "changes": list(found.changes),
    }


def _told(unit: UnitName, entry: JournalEntry | None) -> Record | None:
    return None if entry is None else entry_record(unit, None, entry)


def _comparison_lines(found: Comparison, style: Style) -> Iterator[str]:
    here, there = found.events
    name = style(found.unit, "bold")
    if found.is_equal:
        yield f"{name}: {style('equal', 'green')}, {plural(here, 'event')}"
        return
    yield f"{name}: {style('different', 'red')}, {plural(here, 'event')} here, {there:,} there"
    if found.definition:
        yield f"  the definitions differ in {', '.join(found.definition)}"
    if found.parting is not None:
        for where, entry in zip(("here ", "there"), found.parting, strict=True):
            yield f"  first event that differs, {where}: {'none' if entry is None else journal_line(entry).strip()}"
    yield from change_lines(found.changes, style, ("HERE", "THERE"))


def export(arguments: Namespace, reader: JournalReader) -> int:
    """The whole journal as JSON Lines."""
    lines = export_lines(reader, version(), WithoutSecrets(reader) if arguments.without_secrets else None)
    path = Path(arguments.output)
    if path == STANDARD:
        for line in lines:
            print(line)
        return EXIT_OK
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    print(f"{path}: {plural(reader.last_row(), 'event')}", file=sys.stderr)
    return EXIT_OK
