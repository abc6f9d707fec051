"""The reader that plays a recording: what another reader said, at the same distances of simulation time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

import structlog

from ipo_sim.core.events import ReaderLost
from ipo_sim.core.model import SECOND_NS
from ipo_sim.readers.reader import Emit
from ipo_sim.readers.recording import Recording, Timed

# Between the end of a round and the next one: a recording whose facts all came at once must not fill the journal.
LOOP_PAUSE_NS = SECOND_NS
REWOUND = "the recording begins again"

# Takes facts that are known ahead, in order of time; whoever keeps the time lets each happen at its moment.
Schedule = Callable[[Iterator[Timed]], None]

log = structlog.get_logger()


class CassetteReader:
    """Plays a recording once, or in a loop, in the name of the reader that was recorded.

    Played once, the reader stays as the recording left it. A loop loses the reader at the end of each round, and
    finds it as the recording does. Counters: `played` facts, `rounds` that were begun, `ended` 1 after the last fact.
    """

    kind = "cassette"
    last_error: str | None = None

    def __init__(self, recording: Recording, schedule: Schedule, *, loop: bool = False) -> None:
        self.name = recording.header.name
        self._recording = recording
        self._schedule = schedule
        self._loop = loop and bool(recording.facts)
        self._counters = dict.fromkeys(("played", "rounds", "ended"), 0)

    def counters(self) -> Mapping[str, int]:
        """See the class."""
        return dict(self._counters)

    async def run(self, emit: Emit) -> None:  # noqa: ARG002 - what is known ahead is not emitted but scheduled
        """Have the recording played, and stay until cancelled."""
        log.info("cassette_plays", reader=self.name, facts=len(self._recording.facts), loop=self._loop)
        self._schedule(self._play())
        await asyncio.get_running_loop().create_future()

    def _play(self) -> Iterator[Timed]:
        began = 0
        while True:
            yield from self._round(began)
            began += self._recording.length + LOOP_PAUSE_NS
            if not self._loop:
                break
            yield Timed(began, ReaderLost(REWOUND))
        self._counters["ended"] = 1
        log.info("cassette_ended", reader=self.name)

    def _round(self, began: int) -> Iterator[Timed]:
        self._counters["rounds"] += 1
        for timed in self._recording.facts:
            yield timed._replace(at=began + timed.at)
            # Whoever asks for the next one has taken this one.
            self._counters["played"] += 1
