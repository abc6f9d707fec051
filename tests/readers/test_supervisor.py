"""The supervisor by itself: what it says of sessions that end."""

from __future__ import annotations

import asyncio

import pytest

from ipo_sim.core.events import ReaderAttached, ReaderLost
from ipo_sim.errors import ReaderError
from ipo_sim.readers.supervisor import Backoff, Retries, Supervisor
from tests.readers.links import Facts, running
from tests.readers.virtual_time import elapse, run


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(0.05, 0.5)
    assert [backoff.next() for _ in range(6)] == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]
    backoff.reset()
    assert backoff.next() == 0.05


def test_one_loss_is_said_once_whatever_goes_wrong_next() -> None:
    async def scenario() -> None:
        supervisor, facts = Supervisor("r"), Facts()
        errors = iter(["unplugged", "no such device", "no permission"])

        async def session() -> None:
            error = next(errors, None)
            if error != "no such device":
                supervisor.attached()
            if error is None:
                await asyncio.get_running_loop().create_future()
            raise ReaderError(str(error))

        async with running(supervisor.run(facts.emit, session)):
            await elapse(5)
        assert facts.all == [
            ReaderAttached("r"),
            ReaderLost("unplugged"),
            ReaderAttached("r"),
            ReaderLost("no permission"),
            ReaderAttached("r"),
        ]
        assert supervisor.last_error == "no permission"
        assert supervisor.counters == {"losses": 2, "failures": 1, "reopens": 2}

    run(scenario())


def test_a_defect_is_no_lost_reader() -> None:
    async def scenario() -> None:
        async def session() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await Supervisor("r").run(Facts().emit, session)

    run(scenario())


def test_a_device_that_came_while_nobody_waited_is_looked_for_once() -> None:
    async def scenario() -> None:
        supervisor = Supervisor("r", Retries(first_retry_s=10, longest_retry_s=10))
        loop, tries = asyncio.get_running_loop(), list[float]()

        async def session() -> None:
            tries.append(loop.time())
            if len(tries) == 1:
                supervisor.wake()
            raise ReaderError("not yet")

        async with running(supervisor.run(Facts().emit, session)):
            await elapse(15)
        assert tries == [0, 0, 10]

    run(scenario())
