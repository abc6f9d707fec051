"""A child works a value out, and whatever becomes of the child, the value or the error is that of the work itself."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ipo_sim.cli.daemon.aside import Aside
from ipo_sim.errors import ConfigError

HERE = os.getpid()


def in_a_child() -> bool:
    return os.getpid() != HERE


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runner has threads of its own; none of them holds what these works need."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr("tests.cli.daemon.test_aside.HERE", os.getpid())


def test_the_value_comes_from_another_process_which_has_ended() -> None:
    pid, text = Aside(lambda: (os.getpid(), "x" * 1_000_000)).result()
    assert pid != os.getpid()
    assert len(text) == 1_000_000
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def fail() -> str:
    raise ConfigError("wrong")


def die() -> str:
    if in_a_child():
        os.kill(os.getpid(), signal.SIGKILL)
    return "done here"


def leave() -> str:
    if in_a_child():
        raise SystemExit(0)
    return "done here"


def unsaid() -> Callable[[], str]:
    return lambda: "done here"


def test_an_error_is_that_of_this_process() -> None:
    reading = Aside(fail)
    with pytest.raises(ConfigError, match="wrong"):
        reading.result()


def test_a_child_that_nobody_asks_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never-written")
    started, begins = os.pipe()

    def wait_for_ever() -> str:
        os.write(begins, str(os.getpid()).encode())
        return (tmp_path / "never-written").read_text()

    with Aside(wait_for_ever):
        child = int(os.read(started, 100))
    os.close(started)
    os.close(begins)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_child_without_a_word(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    def signalled() -> str:
        if in_a_child():
            os.kill(os.getpid(), number)
            return "still there"
        return "done here"

    assert Aside(signalled).result() == "done here"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("work", [die, leave])
def test_a_child_that_ends_without_a_value_is_not_needed(work: Callable[[], str]) -> None:
    assert Aside(work).result() == "done here"


def test_a_value_that_cannot_be_said_is_worked_out_here() -> None:
    assert Aside(unsaid).result()() == "done here"


def test_where_a_child_cannot_be_made_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    ends = os.pipe()
    monkeypatch.setattr(os, "fork", refuse)
    monkeypatch.setattr(os, "pipe", lambda: ends)
    assert Aside(os.getpid).result() == os.getpid()
    for end in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)


def test_a_child_whose_end_the_system_does_not_tell_is_not_needed() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert Aside(os.getpid).result() == os.getpid()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_beside_other_threads_there_is_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert Aside(os.getpid).result() == os.getpid()


def test_where_there_are_no_children_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert Aside(os.getpid).result() == os.getpid()
