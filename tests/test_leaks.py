"""The leak fixtures themselves: clean tests pass, each kind of leak fails the test that did it and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What the deliberate leaks hold on to; the last fixture lets the process end.
PREAMBLE = """
import asyncio, os, socket, subprocess, sys, threading
import pytest
from tests.leaks import no_leaked_resources, no_leaked_tasks

kept = []
end = threading.Event()

@pytest.fixture(scope="session", autouse=True)
def release():
    yield
    end.set()
    for held in kept:
        held.close()
"""

CLEAN = """
def test_nothing():
    assert not kept

def test_socket():
    with socket.socket() as opened:
        assert opened.fileno() > 0

def test_thread():
    thread = threading.Thread(target=int)
    thread.start()
    assert thread.name

def test_child():
    assert subprocess.run([sys.executable, "-c", ""]).returncode == 0

def test_loop_of_its_own():
    async def nothing():
        return None
    assert asyncio.run(nothing()) is None

async def test_task():
    assert await asyncio.create_task(asyncio.sleep(0)) is None

async def test_executor_thread():
    assert await asyncio.to_thread(int) == 0

async def test_connection():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

@pytest.fixture
async def worker():
    task = asyncio.create_task(asyncio.Event().wait())
    yield task
    task.cancel()
    await asyncio.wait([task])

async def test_fixture_ends_its_task(worker):
    assert not worker.done()

@pytest.fixture(scope="module")
def shared():
    with socket.socket() as held:
        yield held

def test_fixture_of_wider_scope(shared):
    assert shared.fileno() > 0
"""

LEAKY = """
tasks = []

async def test_task():
    tasks.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

async def test_task_started_by_fixture(starter):
    assert starter

@pytest.fixture
async def starter():
    tasks.append(asyncio.create_task(asyncio.Event().wait(), name="orphan"))
    return tasks

def test_socket():
    kept.append(socket.socket())

async def test_async_socket():
    kept.append(socket.create_server(("127.0.0.1", 0)))

def test_file():
    kept.append(open(os.devnull))

def test_pipe():
    kept.extend(map(os.fdopen, os.pipe()))

def test_daemon_thread():
    threading.Thread(target=end.wait, name="background", daemon=True).start()

def test_thread():
    threading.Thread(target=end.wait, name="foreground").start()

def test_child():
    subprocess.Popen.__del__ = lambda self: None
    subprocess.Popen([sys.executable, "-c", ""])
"""

# Which test leaves what behind, as the failure names it.
LEAKS = {
    "test_task": "*Task*forgotten*",
    "test_task_started_by_fixture": "*Task*orphan*",
    "test_socket": "descriptor * socket:*",
    "test_async_socket": "descriptor * socket:*",
    "test_file": "descriptor * /dev/null",
    "test_pipe": "descriptor * pipe:*descriptor * pipe:*",
    "test_daemon_thread": "thread <Thread(background*",
    "test_thread": "thread <Thread(foreground*",
    "test_child": "process * *",
}


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], pytest.RunResult]:
    """Run tests in a process of their own, where their leaks end with it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Only what the fixtures work with: the other plugins take most of the start.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    options = (
        "-p",
        "pytest_asyncio.plugin",
        "--asyncio-mode=auto",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    )

    def run_tests(source: str) -> pytest.RunResult:
        pytester.makepyfile(PREAMBLE + source)
        return pytester.runpytest_subprocess(*options)

    return run_tests


def test_clean_tests_pass(run: Callable[[str], pytest.RunResult]) -> None:
    run(CLEAN).assert_outcomes(passed=CLEAN.count("def test_"))


def test_every_kind_of_leak_fails_the_test_that_did_it(run: Callable[[str], pytest.RunResult]) -> None:
    result = run(LEAKY)
    result.assert_outcomes(passed=len(LEAKS), errors=len(LEAKS))
    for test, leak in LEAKS.items():
        result.stdout.fnmatch_lines([f"*ERROR at teardown of {test} *", f"the test left behind: {leak}"])
