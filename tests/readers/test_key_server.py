"""The reader that polls a feature key server, against a real server on loopback and networks that are none."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable

import pytest

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    ReaderAttached,
    ReaderLost,
)
from ipo_sim.core.model import KeyReason
from ipo_sim.errors import KeyServerError
from ipo_sim.key_server.service import Sockets
from ipo_sim.licensing.key_server_line import MAX_LINE, Line
from ipo_sim.licensing.key_server_messages import Key, Refused, State
from ipo_sim.readers.key_server import KeyServerReader, Timing, key_fact
from ipo_sim.readers.key_server_session import Query
from ipo_sim.readers.key_server_wire import Transport
from tests.key_server.servers import HOST, NONCE, OTHER_UNIT, PATIENCE_S, UNIT, connected, listening, server_with_dongle
from tests.readers import virtual_time
from tests.readers.key_server_network import ATTACHED, IMPATIENT, NAME, REMOVED, impostor, inserted, network, polling
from tests.readers.links import Facts, running

MISSED = (KeyServerPollMissed(1), KeyServerPollMissed(2))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - counters change without an event
            await asyncio.sleep(0)


async def until_counted(reader: KeyServerReader, name: str, more: int) -> None:
    """Wait until a counter has gone up by so many."""
    enough = reader.counters()[name] + more
    await until(lambda: reader.counters()[name] >= enough)


def refused_for(unit: str) -> ReaderLost:
    return ReaderLost(f"refused: this server validates unit {unit} alone until it is restarted")


@pytest.mark.parametrize("secret", [None, b"secret"], ids=["open", "secret"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("address", [HOST, "127.255.255.255"], ids=["address", "broadcast"])
async def test_the_dongle_comes_and_goes(address: str, transport: Transport, secret: bytes | None) -> None:
    server = server_with_dongle(secret)
    async with (
        listening(server) as sockets,
        polling(sockets.port, address=address, secret=secret, transport=transport) as (reader, facts),
    ):
        await facts.until(ATTACHED, inserted())
        server.take(FeatureKeyRemoved(1))
        await facts.until(REMOVED)
        server.take(FeatureKeyInserted("0000000001", law="mulaw", counter=2))
        await facts.until(inserted("0000000001", 2))
        server.take(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS))
        await facts.until(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS))
        server.take(ReaderLost("no such device"))
        await facts.until(FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR))
        await until_counted(reader, "polls", 4)
        assert facts.take() == [], "what does not change is not told again"
    assert reader.counters()["misses"] == reader.counters()["losses"] == 0
    assert reader.counters()["connections"] == 1
    assert reader.last_error is None


async def test_the_second_unit_is_refused_with_the_reason_and_may_be_first_after_a_restart() -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with listening() as sockets:
            port = sockets.port
            async with polling(port, unit=UNIT) as (_, facts):
                await facts.until(ATTACHED, inserted())
                reader, other = await stack.enter_async_context(polling(port, unit=OTHER_UNIT))
                await other.until(refused_for(UNIT))
            await until_counted(reader, "refusals", 3)
            assert other.take() == [], "it is told once"
        async with listening(port=port):
            await other.until(ATTACHED, inserted())
        assert reader.counters()["reopens"] == 1


async def test_a_unit_that_comes_back_is_still_first() -> None:
    async with listening() as sockets:
        for _ in range(2):
            async with polling(sockets.port) as (_, facts):
                await facts.until(ATTACHED, inserted())
        async with polling(sockets.port, unit=OTHER_UNIT) as (_, facts):
            await facts.until(refused_for(UNIT))
        assert sockets.server.state.first == UNIT


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_server_that_is_gone_is_missed_twice_and_lost_then_and_found_again(transport: Transport) -> None:
    timing = Timing(answer_s=3.0, first_retry_s=0.02)
    async with listening() as sockets, polling(sockets.port, transport=transport, timing=timing) as (reader, facts):
        await facts.until(ATTACHED, inserted())
        port = sockets.port
        await sockets.__aexit__(None, None, None)
        await facts.until_length(3)
        *missed, lost = facts.take()
        assert missed == list(MISSED)
        assert isinstance(lost, ReaderLost)
        assert "nobody listens there" in lost.error
        await until_counted(reader, "misses", 3)
        assert facts.take() == []
        server = server_with_dongle()
        server.take(FeatureKeyRemoved(1))
        async with listening(server, port=port):
            await facts.until(ATTACHED, REMOVED)
        assert reader.counters()["losses"] == reader.counters()["reopens"] == 1


async def test_a_server_that_starts_anew_between_two_polls_is_not_missed() -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with listening() as sockets:
            port = sockets.port
            reader, facts = await stack.enter_async_context(polling(port))
            await facts.until(ATTACHED, inserted())
            poll = reader._poll
            stopped = asyncio.Event()
            goes_on = asyncio.Event()

            async def waiting(emit: Callable[[Fact], None]) -> None:
                stopped.set()
                await goes_on.wait()
                await poll(emit)

            reader._poll = waiting  # type: ignore[method-assign] # holds the next poll back
            await stopped.wait()
        async with listening(port=port) as sockets:
            goes_on.set()
            await until(lambda: sockets.server.state.polls > 2)
        assert facts.take() == []


async def test_without_any_server_the_link_is_lost_at_once() -> None:
    async with listening() as sockets:
        port = sockets.port
    async with polling(port) as (reader, facts):
        await facts.until(ReaderLost(f"{HOST} port {port}: nobody listens there"))
        await until_counted(reader, "polls", 1)
        assert facts.take() == []
    async with polling(port, address="127.255.255.255", timing=Timing(search_s=0.05)) as (_, facts):
        await facts.until(ReaderLost(f"no key server answers at 127.255.255.255 port {port}"))


async def test_a_cut_connection_is_made_anew_within_the_poll() -> None:
    async with listening() as sockets, network(sockets.port) as between, polling(between.port) as (reader, facts):
        await facts.until(ATTACHED, inserted())
        for _ in range(3):
            between.cut()
            await until_counted(reader, "answers", 2)
        assert facts.take() == []
        assert (reader.counters()["misses"], reader.counters()["connections"]) == (0, 4)


async def test_a_network_that_swallows_is_survived() -> None:
    async with (
        listening() as sockets,
        network(sockets.port) as between,
        polling(between.port, timing=IMPATIENT) as (_, facts),
    ):
        await facts.until(ATTACHED, inserted())
        between.swallows = True
        await facts.until(*MISSED, ReaderLost("no answer within 0.5 s"))
        between.swallows = False
        await facts.until(ATTACHED, inserted())


async def test_slow_answers_are_answers_and_late_ones_are_none() -> None:
    async with (
        listening() as sockets,
        network(sockets.port) as between,
        polling(between.port, timing=IMPATIENT) as (reader, facts),
    ):
        between.delay_s = 0.03
        await facts.until(ATTACHED, inserted())
        await until_counted(reader, "answers", 4)
        assert facts.take() == []
        between.delay_s = 2.0
        await facts.until(*MISSED, ReaderLost("no answer within 0.5 s"))


@pytest.mark.parametrize(
    ("ours", "theirs", "error"),
    [
        (b"secret", b"other", "the server has another secret"),
        (b"secret", None, "the server has no secret, and we do"),
        (None, b"other", "refused: this server has a secret, and the request is not signed"),
    ],
    ids=["other", "theirs-none", "ours-none"],
)
async def test_secrets_that_differ(ours: bytes | None, theirs: bytes | None, error: str) -> None:
    async with listening(server_with_dongle(theirs)) as sockets:
        timing = Timing(answer_s=0.2)
        async with polling(sockets.port, secret=ours, timing=timing) as (reader, facts):
            await facts.until(ReaderLost(error))
        assert sockets.server.state.first is None
        assert (reader.counters()["distrusted"] > 0) == (ours is not None)


async def test_recorded_answers_do_not_hide_that_the_dongle_is_gone() -> None:
    """Somebody in between answers every poll with what the server said while the dongle was there."""
    server = server_with_dongle(b"secret")
    async with listening(server) as sockets, network(sockets.port) as between:
        async with polling(between.port, secret=b"secret") as (_, facts):
            await facts.until(ATTACHED, inserted())
        recorded = {Line.from_bytes(line).type: line for line in between.from_server}
        async with (
            impostor(lambda line: recorded["WELCOME" if b" HELLO " in line else "KEY"]) as port,
            polling(port, secret=b"secret", timing=IMPATIENT) as (_, facts),
        ):
            await facts.until(ReaderLost("no answer within 0.5 s"))


async def test_recorded_polls_are_of_no_use_to_others() -> None:
    server = server_with_dongle(b"secret")
    async with listening(server) as sockets, network(sockets.port) as between:
        async with polling(between.port, secret=b"secret") as (_, facts):
            await facts.until(ATTACHED, inserted())
        polls = server.state.polls
        async with connected(sockets) as thief:
            for line in between.from_unit:
                thief.send(line)
                answer = await thief.line()
                assert b" HELLO " in line or b" REFUSED code=stale " in answer
        assert server.state.polls == polls


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"x" * 3 * MAX_LINE, "what answers there is no key server"),
        (b"220 mail.example ESMTP\r\n", "no answer of a key server: not a line of FKS"),
        (b"FKS/2 WELCOME\n", "no answer of a key server: FKS/2 is not spoken here, only FKS/1"),
        (Refused("version", "FKS/1 is history").to_bytes(), "refused: FKS/1 is history"),
        (Key(NONCE, 1, "0" * 16, "present", "dongle-usb", 1, "1234567890").to_bytes(), "no answer within 0.2 s"),
    ],
    ids=["endless", "mail", "version", "refusal", "unasked"],
)
async def test_what_is_no_server(said: bytes, error: str) -> None:
    async with impostor(lambda _: said) as port, polling(port, timing=Timing(answer_s=0.2)) as (_, facts):
        await facts.until(ReaderLost(error))


async def test_of_several_servers_a_unit_takes_the_one_that_is_free_for_it() -> None:
    async with listening() as taken:
        async with connected(taken) as client:
            await client.poll(OTHER_UNIT)
        async with (
            Sockets(server_with_dongle(serial="0000000002"), "127.0.0.2", taken.port) as free,
            polling(taken.port, address="127.255.255.255") as (_, facts),
        ):
            await facts.until(ATTACHED, inserted("0000000002"))
            assert free.server.state.first == UNIT


async def test_when_no_server_is_free_the_unit_is_told_why() -> None:
    async with listening() as taken, connected(taken) as client:
        await client.poll(OTHER_UNIT)
        async with polling(taken.port, address="127.255.255.255", timing=Timing(search_s=0.05)) as (_, facts):
            await facts.until(refused_for(OTHER_UNIT))


async def test_of_free_servers_a_unit_goes_back_to_its_own() -> None:
    async with (
        listening() as one,
        Sockets(server_with_dongle(serial="0000000002"), "127.0.0.2", one.port) as two,
        polling(one.port, address="127.255.255.255") as (reader, facts),
    ):
        await facts.until_length(2)
        first, other = (one, two) if one.server.state.first else (two, one)
        assert other.server.state.first is None
        facts.take()
        for _ in range(5):
            await reader._hang_up()
            await until_counted(reader, "answers", 2)
        assert (first.server.state.first, other.server.state.first) == (UNIT, None)
        assert facts.take() == []


class Unanswered(KeyServerReader):
    """Its network is dead from `dead_from` on; `polled_at` are the moments of all polls."""

    dead_from = 0.0

    def __init__(self) -> None:
        query = Query("192.0.2.1", 50_800, None, UNIT)
        super().__init__(query, name=NAME, poll_s=lambda: 10.0)
        self.polled_at: list[float] = []

    async def _ask(self) -> Key | State | Refused:
        now = asyncio.get_running_loop().time()
        self.polled_at.append(now)
        if now >= self.dead_from:
            raise KeyServerError("network unreachable")
        return Key(NONCE, 1, "0" * 16, "absent", "dongle-usb", 1)


def test_the_pace_of_polls() -> None:
    async def scenario() -> None:
        facts, reader = Facts(), Unanswered()
        reader.dead_from = 25.0
        async with running(reader.run(facts.emit)):
            await virtual_time.until(100.0)
        assert reader.polled_at == [0, 10, 20, 30, 40, 50, 50.5, 51.5, 53.5, 57.5, 65.5, 75.5, 85.5, 95.5]
        assert facts.all == [ATTACHED, REMOVED, *MISSED, ReaderLost("network unreachable")]

    virtual_time.run(scenario())


def test_misses_count_only_in_a_row() -> None:
    async def scenario() -> None:
        facts, reader = Facts(), Unanswered()
        async with running(reader.run(facts.emit)):
            for at in (25.0, 65.0):
                reader.dead_from = at
                await virtual_time.until(at + 20)
                reader.dead_from = float("inf")
                await virtual_time.until(at + 35)
        assert facts.all == [ATTACHED, REMOVED, *MISSED, *MISSED]

    virtual_time.run(scenario())


@pytest.mark.parametrize(
    ("state", "serial", "reason", "fact"),
    [
        ("present", None, None, FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR)),
        ("unreadable", None, 3, FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS)),
        ("unreadable", None, 1, FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR)),
        ("unreadable", None, 4_000_000_000, FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR)),
        ("melted", "1234567890", None, FeatureKeyUnreadable(KeyReason.NON_SPECIFIC_ERROR)),
        ("present", "1234567890", None, inserted()),
    ],
)
def test_what_answers_mean(state: str, serial: str | None, reason: int | None, fact: Fact) -> None:
    answer = Key(NONCE, 1, "0" * 16, state, "dongle-usb", 1, serial, None, reason)
    assert key_fact(answer, "mulaw") == fact


def test_names() -> None:
    reader = Unanswered()
    assert (reader.kind, reader.name) == ("key-server", NAME)
    assert re.fullmatch("[a-z]+", "".join(reader.counters()))
    assert ReaderAttached(reader.name) == ATTACHED
