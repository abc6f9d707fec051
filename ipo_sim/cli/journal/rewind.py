"""`ipo-sim journal rewind`: the journal of a stopped daemon, so that the next one starts from an earlier moment."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.cli.terminal import plural, print_json
from ipo_sim.core.model import Nanoseconds, UnitName
from ipo_sim.errors import JournalError
from ipo_sim.runtime.clock import restored
from ipo_sim.runtime.journal import Journal
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from ipo_sim.runtime.moment import rfc3339
from ipo_sim.runtime.rewind import Cut, cut_after, cut_at, gone_back


def main(arguments: Namespace) -> int:
    """Go back, and say what was left behind."""
    state_dir: Path = arguments.state_dir or default_state_dir()
    if not (state_dir / JOURNAL_NAME).is_file():
        raise JournalError(f"the state directory {state_dir} holds no journal")
    with closing(Journal.create(state_dir)) as journal:
        last = {unit: (journal.epochs(unit)[-1].number) for unit in journal.units()}
        for unit, epoch in last.items():
            journal.resume_epoch(unit, epoch)
        clock = restored(journal.clock(), journal.last_at())
        cut = _cut(arguments, journal, tuple(last), clock.now())
        left = {unit: journal.last_seq(unit, last[unit]) - seq for unit, seq in cut.seqs.items()}
        journal.rewind(cut.seqs, cut.at, "journal rewind", gone_back(clock.base(), cut.at))
    if arguments.json:
        units = cut.seqs.items()
        told = {unit: {"seq": seq, "epoch": last[unit] + 1, "left_behind": left[unit]} for unit, seq in units}
        print_json({"at": rfc3339(cut.at), "units": told})
        return EXIT_OK
    for unit, seq in cut.seqs.items():
        kept = f"{plural(left[unit], 'event')} left behind in epoch {last[unit]}"
        print(f"{unit}: back at event {seq}, {rfc3339(cut.at)}; {kept}")
    return EXIT_OK


def _cut(arguments: Namespace, journal: Journal, units: tuple[UnitName, ...], now: Nanoseconds) -> Cut:
    seq, at = arguments.point
    if seq is None:
        return cut_at(journal, units, Nanoseconds(at), now)
    if arguments.unit is None and len(units) == 1:
        return cut_after(journal, units, units[0], seq, now)
    if arguments.unit not in units:
        raise UsageError(f"an event is of one unit, name it with --unit; the journal has {', '.join(units)}")
    return cut_after(journal, units, UnitName(arguments.unit), seq, now)
