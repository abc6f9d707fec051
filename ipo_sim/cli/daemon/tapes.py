"""Recordings of a daemon's readers: a file for each reader that shall have one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ipo_sim.cli.version import version
from ipo_sim.config.settings import ReaderSettings
from ipo_sim.core.model import UnitName
from ipo_sim.readers.recorder import Tape
from ipo_sim.readers.recording import Header, is_reader_fact
from ipo_sim.runtime.assembly import Runtime


def open_tapes(
    settings: Mapping[UnitName, ReaderSettings], runtime: Runtime, folder: Path | None
) -> dict[UnitName, Tape]:
    """Begin the recordings that are configured, and with a `folder` those of all other readers but cassettes."""
    tapes: dict[UnitName, Tape] = {}
    try:
        for unit, reader in settings.items():
            path = reader.record
            if path is None and folder is not None and reader.cassette is None:
                path = folder / f"{unit}.jsonl"
            if path is not None:
                tapes[unit] = _open(unit, path, runtime)
    except BaseException:
        for tape in tapes.values():
            tape.close()
        raise
    return tapes


def _open(unit: UnitName, path: Path, runtime: Runtime) -> Tape:
    definition = runtime.engine.unit(unit).definition
    header = Header(definition.reader_kind, definition.reader_name, unit, runtime.started, f"ipo-sim {version()}")
    return Tape(path, header, now=runtime.clock.now, monotonic=runtime.clock.monotonic)


async def record_commands(unit: UnitName, tape: Tape, own_cause: str, runtime: Runtime) -> None:
    """Record what commands do to the card of a virtual reader, until cancelled."""
    subscription = runtime.bus.subscribe(f"recording of {unit}", units=frozenset({unit}))
    try:
        while True:
            for record in (await subscription.next()).records:
                event = record.event
                if is_reader_fact(event.fact) and event.cause != own_cause:
                    tape.fact(event.fact, event.cause, event.at)
    finally:
        subscription.close()
