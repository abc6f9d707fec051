"""A port on a serial device: pyserial opens and configures it, the event loop reads it. POSIX only."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipo_sim.errors import ReaderError
from ipo_sim.readers.port import CHUNK

if TYPE_CHECKING:
    from serial import Serial

# A driver that has not opened a device this long after we gave up is left to its thread, which closes what it gets.
ABANDON_S = 1.0

_GONE = "the device is gone"
_EXPLANATIONS = {
    errno.ENOENT: "no such device",
    errno.EACCES: "no permission; on most systems the group dialout has it",
    errno.EPERM: "no permission",
    errno.EBUSY: "another program uses it",
    errno.EAGAIN: "another program uses it",
    errno.ENXIO: _GONE,
    errno.ENODEV: _GONE,
    errno.EIO: _GONE,
    errno.ENOTTY: "not a serial device",
}


class TtyPort:
    """An open serial device. Its descriptor is in the event loop only while somebody waits for bytes."""

    def __init__(self, device: Serial) -> None:
        self._device = device
        self._fd = device.fileno()

    async def read(self) -> bytes:
        """See `Port.read`."""
        while True:
            await self._readable()
            try:
                data = os.read(self._fd, CHUNK)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ReaderError(f"read failed: {_explain(error)}") from error
            if not data:  # some drivers say so where others fail with EIO
                raise ReaderError(f"read failed: {_GONE}")
            return data

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        with contextlib.suppress(OSError):
            os.write(self._fd, data)

    async def close(self) -> None:
        """See `Port.close`."""
        _close(self._device)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._fd)


async def open_tty(path: str, baud: int) -> TtyPort:
    """Open `path` for us alone; ReaderError says why not. Cancelled, it leaves no thread and no descriptor."""
    if os.name != "posix":
        raise ReaderError(f"cannot open {path}: serial devices need a POSIX system; use socket://host:port")
    return TtyPort(await _Opening(path, lambda: _open(path, baud)).result())


class _Opening:
    """One open in a thread of its own, for a driver may block. Who gives it up, or the thread, closes what it got."""

    def __init__(self, path: str, open_device: Callable[[], Serial]) -> None:
        self._open = open_device
        self._done = asyncio.Event()
        self._lock = threading.Lock()
        self._abandoned = False
        self._device: Serial | None = None
        self._error: BaseException | None = None
        loop = asyncio.get_running_loop()
        # A daemon: a driver that never returns must not hold up the end of the process.
        self._thread = threading.Thread(target=self._work, args=(loop,), name=f"open {path}", daemon=True)

    async def result(self) -> Serial:
        """The open device, or the error of its opening."""
        self._thread.start()
        try:
            await self._done.wait()
        except asyncio.CancelledError:
            self._abandon()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ABANDON_S):
                    await self._done.wait()
                self._thread.join()
            raise
        self._thread.join()
        if self._device is None:
            assert self._error is not None
            raise self._error
        return self._device

    def _abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._device is not None:
                _close(self._device)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            device = self._open()
        except BaseException as error:  # noqa: BLE001 - raised where the opening is awaited
            self._error = error
        else:
            self._hand_over(device)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._done.set)

    def _hand_over(self, device: Serial) -> None:
        with self._lock:
            if self._abandoned:
                _close(device)
            else:
                self._device = device


def _open(path: str, baud: int) -> Serial:
    import termios  # noqa: PLC0415 - not everywhere

    from serial import Serial  # noqa: PLC0415 - only who has a serial reader pays for it

    try:
        return Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
    except OSError as error:
        raise ReaderError(f"cannot open {path}: {_explain(error)}") from error
    except (ValueError, termios.error) as error:
        raise ReaderError(f"cannot open {path} at {baud} baud: {error}") from error


def _close(device: Serial) -> None:
    import termios  # noqa: PLC0415 - not everywhere

    # What is not sent yet would hold up the close for as long as the driver likes.
    with contextlib.suppress(OSError, termios.error):
        device.reset_output_buffer()
    with contextlib.suppress(OSError):
        device.close()


def _explain(error: OSError) -> str:
    return _EXPLANATIONS.get(error.errno or 0) or error.strerror or str(error)
