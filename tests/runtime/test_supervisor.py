from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ipo_sim.errors import BrokerError
from ipo_sim.runtime import supervisor as supervisor_module
from ipo_sim.runtime.supervisor import EXIT_FAILED, EXIT_OK, Supervisor, run_daemon

DAEMON = Path(__file__).with_name("daemon.py")


class Diary(list[str]):
    """What happened, in order."""


class Plain:
    """A service that only runs."""

    def __init__(self, name: str, diary: Diary, error: Exception | None = None) -> None:
        self.name = name
        self.diary = diary
        self.error = error
        self.fail = asyncio.Event()

    async def run(self) -> None:
        self.diary.append(f"{self.name} runs")
        try:
            await self.fail.wait()
            if self.error:
                raise self.error
        finally:
            self.diary.append(f"{self.name} ends")


class Polite(Plain):
    """A service that takes leave."""

    async def stop(self) -> None:
        self.diary.append(f"{self.name} says goodbye")


class Stuck(Plain):
    """A service that never gets done with its goodbye."""

    async def stop(self) -> None:
        await asyncio.Event().wait()


class Stubborn(Plain):
    """A service that is not done when it is told to be."""

    async def run(self) -> None:
        try:
            await super().run()
        except asyncio.CancelledError:
            await self.fail.wait()


class Rude(Plain):
    """A service whose goodbye fails."""

    async def stop(self) -> None:
        raise OSError("no line")


@pytest.fixture
def diary() -> Diary:
    return Diary()


async def started(supervisor: Supervisor) -> asyncio.Task[int]:
    task = asyncio.create_task(supervisor.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_the_last_started_is_the_first_to_go(diary: Diary) -> None:
    supervisor = Supervisor([Plain("pump", diary), Polite("broker", diary), Polite("link", diary)])
    task = await started(supervisor)
    supervisor.stop()
    assert await task == EXIT_OK
    assert diary == [
        "pump runs",
        "broker runs",
        "link runs",
        "link says goodbye",
        "link ends",
        "broker says goodbye",
        "broker ends",
        "pump ends",
    ]


async def test_tasks_carry_the_names_of_their_services(diary: Diary) -> None:
    supervisor = Supervisor([Plain("pump", diary), Plain("link", diary)])
    task = await started(supervisor)
    assert {"pump", "link"} <= {each.get_name() for each in asyncio.all_tasks()}
    supervisor.stop()
    await task


async def test_a_service_that_fails_ends_the_daemon_with_one_line(diary: Diary) -> None:
    broken = Plain("link", diary, BrokerError("the broker refuses us"))
    supervisor = Supervisor([Polite("pump", diary), broken])
    with capture_logs() as logs:
        task = await started(supervisor)
        broken.fail.set()
        assert await task == EXIT_FAILED
    assert [log for log in logs if log["log_level"] == "error"] == [
        {"event": "service_failed", "service": "link", "error": "the broker refuses us", "log_level": "error"}
    ]
    assert diary[-2:] == ["pump says goodbye", "pump ends"]


async def test_a_defect_is_named_and_its_trace_is_for_debugging(diary: Diary) -> None:
    broken = Plain("link", diary, ZeroDivisionError("by nought"))
    supervisor = Supervisor([broken])
    with capture_logs() as logs:
        task = await started(supervisor)
        broken.fail.set()
        assert await task == EXIT_FAILED
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("error", "service_failed"),
        ("debug", "service_failed_at"),
    ]
    assert logs[0]["type"] == "ZeroDivisionError"
    assert isinstance(logs[1]["exc_info"], ZeroDivisionError)


async def test_a_service_that_is_done_leaves_the_others_running(diary: Diary) -> None:
    done = Polite("once", diary)
    supervisor = Supervisor([Plain("pump", diary), done])
    task = await started(supervisor)
    done.fail.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert diary == ["pump runs", "once runs", "once ends"]
    supervisor.stop()
    assert await task == EXIT_OK
    assert "once says goodbye" not in diary


async def test_a_goodbye_that_takes_too_long_is_cut(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_TIMEOUT_S", 0.01)
    supervisor = Supervisor([Polite("pump", diary), Stuck("link", diary)])
    with capture_logs() as logs:
        task = await started(supervisor)
        supervisor.stop()
        assert await task == EXIT_OK
    assert [(log["event"], log["service"]) for log in logs] == [("service_not_stopped_in_time", "link")]
    assert diary[-2:] == ["pump says goodbye", "pump ends"]


async def test_a_service_that_does_not_end_is_named_and_waited_for_last(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_TIMEOUT_S", 0.01)
    stubborn = Stubborn("link", diary)
    pump = Polite("pump", diary)
    supervisor = Supervisor([pump, stubborn])
    with capture_logs() as logs:
        task = await started(supervisor)
        supervisor.stop()
        async with asyncio.timeout(5):
            while "pump ends" not in diary:
                await asyncio.wait([task], timeout=0.001)
        assert not task.done()
        stubborn.fail.set()
        assert await task == EXIT_OK
    assert [(log["event"], log["service"]) for log in logs] == [("service_does_not_end", "link")]


async def test_a_goodbye_that_fails_does_not_keep_the_others_from_theirs(diary: Diary) -> None:
    supervisor = Supervisor([Polite("pump", diary), Rude("link", diary)])
    task = await started(supervisor)
    supervisor.stop()
    assert await task == EXIT_FAILED
    assert diary[-3:] == ["link ends", "pump says goodbye", "pump ends"]


async def test_cancelling_takes_the_same_way_down(diary: Diary) -> None:
    task = await started(Supervisor([Polite("pump", diary)]))
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert diary == ["pump runs", "pump says goodbye", "pump ends"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_daemon_and_what_it_stands_on_closes_last(diary: Diary, number: int) -> None:
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    daemon = asyncio.create_task(run_daemon([Polite("pump", diary)], lambda: diary.append("closed")))
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    assert await daemon == EXIT_OK
    assert diary[-2:] == ["pump ends", "closed"]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What is left of its output, once it has ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        # Not `communicate`: it passes by what the first line's read has buffered.
        return process.stdout.read(), process.stderr.read()


class TestProcess:
    """A daemon as a process of its own, which says `ready` and then whatever its script says."""

    def start(self, tmp_path: Path, script: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(DAEMON), str(tmp_path), script]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_with_0(self, tmp_path: Path, number: int) -> None:
        process = self.start(tmp_path, "serve")
        process.send_signal(number)
        output, errors = finish(process)
        assert (process.returncode, output, errors) == (0, "offline\n", "")
        assert not (tmp_path / "journal.sqlite-wal").exists()

    def test_a_second_signal_ends_it_at_once(self, tmp_path: Path) -> None:
        process = self.start(tmp_path, "hang")
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "offline\n"
        process.send_signal(signal.SIGTERM)
        finish(process)
        assert process.returncode == -signal.SIGTERM

    def test_a_crash_ends_it_with_1(self, tmp_path: Path) -> None:
        process = self.start(tmp_path, "crash")
        output, errors = finish(process)
        assert (process.returncode, output) == (1, "offline\n")
        assert '"event": "service_failed"' in errors
        assert errors.count("\n") == 1
