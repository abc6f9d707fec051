from __future__ import annotations

import asyncio
import threading

import pytest

from ipo_sim.client.loop_thread import LoopThread


async def where() -> int:
    await asyncio.sleep(0)
    return threading.get_ident()


def test_coroutines_are_called_in_its_thread() -> None:
    thread = LoopThread("test")
    try:
        assert thread.call(where()) == thread.call(where()) != threading.get_ident()
    finally:
        thread.close()


def test_errors_come_back() -> None:
    async def fails() -> None:
        raise KeyError("x")

    thread = LoopThread("test")
    try:
        with pytest.raises(KeyError):
            thread.call(fails())
    finally:
        thread.close()


def test_what_still_runs_is_cancelled_at_the_end() -> None:
    ended: list[str] = []

    async def begin() -> None:
        async def forever() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append("cancelled")

        ended.append(asyncio.create_task(forever(), name="forever").get_name())
        await asyncio.sleep(0)

    thread = LoopThread("test")
    thread.call(begin())
    thread.close()
    thread.close()
    assert ended == ["forever", "cancelled"]
    with pytest.raises(RuntimeError, match="nor after its end"):
        thread.call(where())


def test_it_does_not_wait_for_itself() -> None:
    thread = LoopThread("test")

    async def inside() -> None:
        thread.call(where())

    try:
        with pytest.raises(RuntimeError, match="test cannot be called from itself"):
            thread.call(inside())
    finally:
        thread.close()
