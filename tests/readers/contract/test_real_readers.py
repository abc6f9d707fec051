"""The contract as it is run on real hardware, which here is a board, a chip and a reader that only look like it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.readers.contract.benches import Open
from tests.readers.contract.options import EXTRAS
from tests.readers.contract.rigs import pcsc, pn532, serial
from tests.readers.contract.story import Rig, Step

ROOT = Path(__file__).parents[3]
CONTRACT = "tests/readers/contract/test_contract.py"
# A whole run on a busy machine.
RUN_S = 150.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * RUN_S)]


async def run(*options: object, hands: Callable[[str], None]) -> tuple[int, str]:
    """Exit code and output of a run; `hands` gets every line that asks a person."""
    command = (sys.executable, "-m", "pytest", CONTRACT, "-p", "no:cacheprovider", *map(str, options))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT, env=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(RUN_S), asyncio.TaskGroup() as group:
            output = group.create_task(process.stdout.read())
            async for line in process.stderr:
                if (asked := line.decode().strip()).startswith(">>> "):
                    hands(asked[4:])
        return await process.wait(), output.result().decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class Person:
    """Does what is asked for in words."""

    def __init__(self, rig: Rig) -> None:
        self.done: list[Step] = []
        self._rig = rig

    def do(self, words: str) -> None:
        step = Step(words)
        self.done.append(step)
        self._rig._hands[step]()  # type: ignore[attr-defined]  # the simulated ones have some


@contextlib.asynccontextmanager
async def doorbell(path: Path, rig: Rig) -> AsyncIterator[list[str]]:
    """Does what a command writes into a pipe, by the names of steps."""
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    loop, done = asyncio.get_running_loop(), []

    def ring() -> None:
        for name in os.read(pipe, 4096).decode().split():
            done.append(name)
            rig._hands[Step[name.upper()]]()  # type: ignore[attr-defined]  # the simulated ones have some

    loop.add_reader(pipe, ring)
    try:
        yield done
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


async def test_a_person_at_a_reader_on_a_serial_line(tmp_path: Path) -> None:
    async with serial(tmp_path) as rig:
        await rig.prepare(Step.START_EMPTY)
        person = Person(rig)
        address = f"serial://{tmp_path / 'fkc0'}"
        code, text = await run("--reader", address, "--reader-can", ",".join(EXTRAS), hands=person.do)
    assert code == 0, text
    assert "14 passed" in text
    assert set(person.done) == set(Step) - {Step.START, Step.START_EMPTY}
    record = text[text.index("lab record") :]
    assert re.search(r"^date +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", record, re.MULTILINE)
    assert re.search(r"^software +ipo-sim \S+, Python 3\.", record, re.MULTILINE)
    assert f"reader    {address}: serial, {tmp_path / 'fkc0'}" in record
    assert "card      1234567890, i2c, fkc:1234567890, alaw, identifier" in record
    assert "card      9999999999, i2c" in record
    assert "outcome   14 passed" in record
    assert re.search(r"^counters +frames \d+", record, re.MULTILINE)
    assert re.search(r"^  insert\n +\d+\.\d ms  feature-key-inserted  serial 1234567890", record, re.MULTILINE)
    assert re.search(r"^  lose\n +\d+\.\d ms  reader-lost", record, re.MULTILINE)


@pytest.mark.parametrize(("open_rig", "scheme"), [(pn532, "pn532"), (pcsc, "pcsc")], ids=["pn532", "pcsc"])
async def test_a_bench_with_hands_of_its_own(open_rig: Open, scheme: str, tmp_path: Path) -> None:
    place = {"pn532": str(tmp_path / "nfc0"), "pcsc": "bench"}[scheme]
    async with open_rig(tmp_path) as rig, doorbell(tmp_path / "bell", rig) as done:
        await rig.prepare(Step.START_EMPTY)
        hands = f"""sh -c 'echo "$0" >{tmp_path / "bell"}'"""
        options = ("--reader", f"{scheme}://{place}", "--reader-hands", hands, "-k", "told_once or lost or well_formed")
        code, text = await run(*options, hands=pytest.fail)
    assert code == 0, text
    assert re.search(r"2 passed, 2 skipped, \d+ deselected", text), text
    assert "not on this bench: pull the reader's cable (--reader-can)" in text
    assert {"insert", "remove"} <= set(done)
    assert f"{scheme}://{place}: {scheme}" in text[text.index("lab record") :]


async def test_a_bench_that_does_not_do_what_it_is_told_fails(tmp_path: Path) -> None:
    async with serial(tmp_path) as rig:
        await rig.prepare(Step.START_EMPTY)
        address = f"serial://{tmp_path / 'fkc0'}"
        options = ("--reader", address, "--reader-patience", "0.5", "-k", "told_once")
        code, text = await run(*options, hands=lambda _: None)
    assert code == 1
    assert "put the first card in: the reader said only [] within 0.5 s" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reader", "cereal:///dev/x"), "--reader cereal:///dev/x: there are virtual, cassette,"),
        (
            ("--reader", "serial:///dev/x", "--reader-can", "fly"),
            "--reader-can fly: there are other, bad, unplug, swap",
        ),
    ],
    ids=["reader", "words"],
)
async def test_options_that_are_wrong(options: tuple[str, ...], said: str) -> None:
    code, text = await run(*options, hands=pytest.fail)
    assert code != 0
    assert said in text
