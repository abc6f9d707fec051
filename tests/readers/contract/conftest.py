"""The rigs that the contract runs on: the simulated ones, those that are asked for, or real hardware."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.readers.contract.benches import ABILITIES, RIGS, SLOW
from tests.readers.contract.needs import asked_by
from tests.readers.contract.options import EXTRAS, READER
from tests.readers.contract.real import RealRig, is_address
from tests.readers.contract.record import LabRecord
from tests.readers.contract.story import ALWAYS, Rig, Step, Story, Tell

RECORD = pytest.StashKey[LabRecord]()
# Some steps of rigs whose drivers take their time.
SLOW_S = 300
FIRST_CARD = pytest.StashKey[list[str]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tell" not in metafunc.fixturenames:
        return
    asked = asked_by(metafunc.function)
    chosen: list[str] = metafunc.config.getoption(READER) or list(RIGS)
    for name in chosen:
        if name not in RIGS and not is_address(name):
            raise pytest.UsageError(f"{READER} {name}: there are {', '.join(RIGS)}, or an address such as pcsc://ACS")
    slow = (pytest.mark.slow, pytest.mark.timeout(SLOW_S))
    able = [
        pytest.param(name, marks=slow if name in SLOW else ()) for name in chosen if asked <= ABILITIES.get(name, asked)
    ]
    metafunc.parametrize("reader_name", able or [pytest.param("", marks=pytest.mark.skip("no such bench"))])


@pytest.fixture
async def rig(reader_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if reader_name in RIGS:
        async with RIGS[reader_name](tmp_path) as made:
            yield made
        return
    config = request.config
    capture = config.pluginmanager.getplugin("capturemanager")
    words = [word for word in config.getoption("--reader-can").split(",") if word]
    unknown = [word for word in words if word not in EXTRAS]
    if unknown:
        raise pytest.UsageError(f"--reader-can {unknown[0]}: there are {', '.join(EXTRAS)}")
    can = ALWAYS | {Step[name] for word in words for name in EXTRAS[word]}
    asked = asked_by(request.function)
    if not asked <= can:
        pytest.skip(f"not on this bench: {', '.join(step.value for step in asked - can)} (--reader-can)")
    yield RealRig(
        reader_name,
        can,
        hands=config.getoption("--reader-hands"),
        patience_s=config.getoption("--reader-patience"),
        known=config.stash.setdefault(FIRST_CARD, []),
        uncaptured=capture.global_and_fixture_disabled,
    )


@pytest.fixture
def tell(rig: Rig, reader_name: str, request: pytest.FixtureRequest) -> Tell:
    """Do steps at the reader, and what it says of them."""

    async def told(*steps: Step) -> Story:
        assert set(steps) <= ALWAYS | _with_ends(asked_by(request.function)), "the test does more than it says"
        story = await rig.tell(*steps)
        if reader_name not in RIGS:
            request.config.stash.setdefault(RECORD, LabRecord(reader_name)).add(request.node.name, story)
        return story

    return told


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest) -> None:
    """People are slower than programs; a rig has its own patience."""
    name = request.node.callspec.params.get("reader_name", "") if hasattr(request.node, "callspec") else ""
    if is_address(name):
        steps = 12
        request.node.add_marker(pytest.mark.timeout(steps * request.config.getoption("--reader-patience")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    record = config.stash.get(RECORD, None)
    if record is not None:
        outcomes = {
            name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")
        }
        terminalreporter.section("lab record")
        for line in record.lines(outcomes):
            terminalreporter.write_line(line)


def _with_ends(asked: frozenset[Step]) -> frozenset[Step]:
    return asked | {Step.FIND} if Step.LOSE in asked else asked
