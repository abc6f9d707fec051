"""`why`, `what-if` and commands of a unit whose dongle is behind a key server, or on the unit itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved, KeyServerPollMissed, ReaderAttached, ReaderLost
from ipo_sim.core.model import SECOND_NS, Lifecycle, Nanoseconds, PartDefinition, UnitDefinition
from ipo_sim.licensing.status import LicenceStatus
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.view import view
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, definition, key
from tests.runtime.bench import A, open_bench
from tests.runtime.test_commands import ask, refusal
from tests.runtime.test_pump import running

SERVER = "192.168.42.10:50800"
PARTS = (PartDefinition("slots/3", "VCM16"), PartDefinition("expansion/1", "DS30V2"))


def made(reader: str) -> UnitDefinition:
    licences = (key(VOICEMAIL_PRO), key())
    base = definition(*licences, parts=PARTS, model="ip406v2", reader=reader)
    return replace(base, name=A, card=None, reader_name=SERVER if reader == "key-server" else reader)


def booted(reader: str, dongle: str) -> Runtime:
    runtime = open_bench(None, made(reader))
    for fact in (ReaderAttached(SERVER), FeatureKeyInserted(SERIAL, kind=dongle)):
        runtime.engine.apply(A, fact, f"reader:{SERVER}")
    runtime.clock.advance(Nanoseconds(20 * SECOND_NS))
    runtime.engine.run_due()
    return runtime


@pytest.fixture
async def remote() -> AsyncIterator[Runtime]:
    runtime = booted("key-server", "dongle-usb")
    async with running(runtime.pump):
        yield runtime
    runtime.close()


@pytest.fixture
async def local() -> AsyncIterator[Runtime]:
    runtime = booted("virtual", "dongle-serial")
    async with running(runtime.pump):
        yield runtime
    runtime.close()


async def why(runtime: Runtime, path: str) -> list[str]:
    return [link["text"] for link in (await ask(runtime, f"why path={path}"))["chain"]]


async def test_a_lost_link_is_the_cause_of_what_follows(remote: Runtime) -> None:
    remote.engine.apply(A, ReaderLost("3 polls unanswered"), f"reader:{SERVER}")
    assert await why(remote, "alarms/24-reader") == ["the reader was lost: 3 polls unanswered"]
    await ask(remote, "advance seconds=7200")
    assert (await why(remote, "licences/1"))[1:] == [
        f"reader {SERVER} does not answer: 3 polls unanswered",
        "the reader was lost: 3 polls unanswered",
    ]


async def test_a_licence_of_another_model_says_so(remote: Runtime) -> None:
    assert (await why(remote, "licences/2"))[0] == "model ip406v2 does not use it"


async def test_a_missed_poll_is_told_in_words(remote: Runtime) -> None:
    remote.engine.apply(A, KeyServerPollMissed(2), f"reader:{SERVER}")
    seq = remote.engine.unit(A).seq
    entry = remote.journal.entry(A, remote.journal.epoch(A), seq)
    assert entry is not None
    assert entry.event.fact == KeyServerPollMissed(2)


@pytest.mark.parametrize("line", ["insert-card", "remove-card", "set-fault path=feature-key fault=3"])
async def test_the_dongle_is_moved_at_the_server_and_not_by_command(remote: Runtime, line: str) -> None:
    said = f"unit a has a key-server reader: the dongle goes in and out at {SERVER}"
    assert await refusal(remote, line) == ("reader-not-virtual", said)


async def test_what_if_the_dongle_were_pulled_at_the_server(remote: Runtime) -> None:
    answer = await ask(remote, "what-if 'events=remove-card; advance seconds=7200'")
    then = {change["path"]: change["after"] for change in answer["changes"]}
    assert then["feature-key"]["condition"] == "not_in_order"
    assert then["licences/1"]["status"] == "Invalid"
    assert "unit" not in then
    assert remote.engine.unit(A).key.serial == SERIAL

    remote.engine.apply(A, FeatureKeyRemoved(), f"reader:{SERVER}")
    await ask(remote, "advance seconds=7200")
    unit = remote.engine.unit(A)
    was_real = view(unit.licences[0], unit.clock_offset_ns)
    assert {field: was_real[field] for field in then["licences/1"]} == then["licences/1"]
    assert (unit.life.state, unit.licences[0].status) == (Lifecycle.RUNNING, LicenceStatus.INVALID)


async def test_what_if_another_dongle_were_put_in(remote: Runtime) -> None:
    answer = await ask(remote, f"what-if 'events=insert-card serial={OTHER_SERIAL}'")
    then = {change["path"]: change["after"] for change in answer["changes"]}
    assert then["feature-key"]["serial"] == OTHER_SERIAL
    # It is of the same kind as the one before.
    assert "kind" not in then["feature-key"]


async def test_a_serial_dongle_goes_in_and_out_by_command(local: Runtime) -> None:
    await ask(local, "remove-card")
    await ask(local, "advance seconds=7200")
    unit = local.engine.unit(A)
    assert (unit.life.state, unit.licences[0].status) == (Lifecycle.RUNNING, LicenceStatus.INVALID)
    await ask(local, f"insert-card serial={SERIAL}")
    unit = local.engine.unit(A)
    assert (unit.key.kind, unit.licences[0].status) == ("dongle-serial", LicenceStatus.VALID)


async def test_a_kind_can_be_said_and_must_fit(local: Runtime) -> None:
    await ask(local, "remove-card")
    reason, said = await refusal(local, f"insert-card serial={SERIAL} kind=dongle-psychic")
    assert (reason, said.partition(", ")[0]) == ("wrong-key", "IP406 V2 takes no dongle-psychic")
    await ask(local, f"insert-card serial={SERIAL} kind=dongle-parallel")
    assert local.engine.unit(A).key.kind == "dongle-parallel"
