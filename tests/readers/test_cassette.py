"""The cassette reader: once, in a loop, and what it tells whoever keeps the time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice

from structlog.testing import capture_logs

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, ReaderAttached, ReaderLost
from ipo_sim.core.model import SECOND_NS
from ipo_sim.readers.cassette import LOOP_PAUSE_NS, REWOUND, CassetteReader
from ipo_sim.readers.reader import Reader
from ipo_sim.readers.recording import Header, Recording, Timed
from tests.readers.links import Facts, running

HEADER = Header("serial", "/dev/fkc0", "bench-1", 0, "test")
FACTS = (
    Timed(5, ReaderAttached("/dev/fkc0")),
    Timed(5, FeatureKeyInserted("1234567890", counter=1)),
    Timed(SECOND_NS, FeatureKeyRemoved(1), "hand"),
)
RECORDING = Recording(HEADER, FACTS, (), 3 * SECOND_NS, is_whole=True)


class Timetable:
    """Keeps what is foreseen."""

    def __init__(self) -> None:
        self.facts: Iterator[Timed] = iter(())

    def foresee(self, facts: Iterator[Timed]) -> None:
        self.facts = facts


async def played(reader: CassetteReader, timetable: Timetable, count: int = 100) -> list[Timed]:
    async with running(reader.run(Facts().emit)):
        await asyncio.sleep(0)
        return list(islice(timetable.facts, count))


async def test_once_and_then_nothing() -> None:
    timetable = Timetable()
    reader = CassetteReader(RECORDING, timetable.foresee)
    with capture_logs() as logs:
        assert await played(reader, timetable) == list(FACTS)
    assert reader.counters() == {"played": 3, "rounds": 1, "ended": 1}
    assert [line["event"] for line in logs] == ["cassette_plays", "cassette_ended"]


async def test_again_and_again() -> None:
    timetable = Timetable()
    reader = CassetteReader(RECORDING, timetable.foresee, loop=True)
    facts = await played(reader, timetable, 10)
    round_ns = RECORDING.length + LOOP_PAUSE_NS
    for number in range(2):
        begin = number * round_ns
        *one_round, rewound = facts[4 * number : 4 * number + 4]
        assert one_round == [item._replace(at=item.at + begin) for item in FACTS]
        assert rewound == Timed(begin + round_ns, ReaderLost(REWOUND))
    assert reader.counters() == {"played": 7, "rounds": 3, "ended": 0}


async def test_a_recording_in_which_nothing_happened_ends_even_in_a_loop() -> None:
    timetable = Timetable()
    reader = CassetteReader(RECORDING._replace(facts=()), timetable.foresee, loop=True)
    assert await played(reader, timetable) == []
    assert reader.counters()["ended"] == 1


def test_it_has_the_name_of_the_reader_that_was_recorded() -> None:
    reader: Reader = CassetteReader(RECORDING, Timetable().foresee)
    assert (reader.kind, reader.name, reader.last_error) == ("cassette", "/dev/fkc0", None)
