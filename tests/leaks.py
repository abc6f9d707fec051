"""A test gives back what it takes: tasks, threads, child processes and descriptors that it leaves behind fail it.

Both fixtures are autouse, hence set up before and torn down after every other fixture of a test. What fixtures of a
wider scope hold is there before the test begins and is nobody's leak.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# Threads that were told to end get this long to do so, all threads of a test together.
THREAD_GRACE_S = 1.0

# Every descriptor of this process, one entry each: Linux and macOS both have it.
FD_DIRECTORY = Path("/dev/fd")


class Holdings(NamedTuple):
    """What this process holds at one moment; a descriptor is its number with the device and inode behind it."""

    threads: frozenset[threading.Thread]
    children: frozenset[int]
    descriptors: frozenset[tuple[int, int, int]]


def take_stock() -> Holdings:
    """All that this process holds now."""
    return Holdings(frozenset(threading.enumerate()), frozenset(_children()), frozenset(_descriptors()))


def _children() -> Iterator[int]:
    """Process ids of children that nobody has waited for; Linux only."""
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            yield from map(int, listing.read_text().split())
        except OSError:  # that thread has just ended
            continue


def _descriptors() -> Iterator[tuple[int, int, int]]:
    for entry in os.listdir(FD_DIRECTORY):  # noqa: PTH208 - Path.iterdir closes its directory late, which would show up here
        try:
            status = os.fstat(int(entry))
        except OSError:  # the one that read the directory
            continue
        yield int(entry), status.st_dev, status.st_ino


def leaks_since(before: Holdings) -> list[str]:
    """What is held now and was not `before`, one line each; threads that are about to end are waited for."""
    deadline = time.monotonic() + THREAD_GRACE_S
    for thread in set(threading.enumerate()) - before.threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    now = take_stock()
    return [
        *(f"thread {thread!r}" for thread in now.threads - before.threads),
        *(f"process {pid} {_read(f'/proc/{pid}/comm')}" for pid in now.children - before.children),
        *(f"descriptor {fd} {_target(fd)}" for fd, _, _ in sorted(now.descriptors - before.descriptors)),
    ]


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _target(fd: int) -> str:
    try:
        return str((FD_DIRECTORY / str(fd)).readlink())
    except OSError:
        return ""


@pytest.fixture(autouse=True)
def no_leaked_resources() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process, a socket or another descriptor behind."""
    before = take_stock()
    yield
    leaks = leaks_since(before)
    if leaks:
        pytest.fail("the test left behind: " + ", ".join(leaks), pytrace=False)


@pytest.fixture(autouse=True)
async def no_leaked_tasks(no_leaked_resources: None) -> AsyncIterator[None]:
    """Fail a test that leaves an asyncio task running; the loop would cancel it in silence."""
    yield
    # A transport that was closed says so to its task in the next turn of the loop.
    await asyncio.sleep(0)
    leaks = [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if leaks:
        pytest.fail("the test left behind: " + ", ".join(leaks), pytrace=False)
