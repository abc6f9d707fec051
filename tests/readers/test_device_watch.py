"""News of devices, as the kernel and udev word them."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from pathlib import Path

import pytest

from ipo_sim.core.events import ReaderAttached, ReaderLost
from ipo_sim.readers import device_watch
from ipo_sim.readers.device_watch import is_serial_added, watch_devices
from ipo_sim.readers.serial_line import SerialReader, Timing
from tests.readers.links import PATIENCE_S, Facts, running
from tests.readers.pty_link import PtyLink

KERNEL = (
    b"add@/devices/pnp0/00:00/tty/ttyUSB0\0ACTION=add\0DEVPATH=/devices/pnp0/00:00/tty/ttyUSB0\0SUBSYSTEM=tty\0"
    b"MAJOR=188\0MINOR=0\0DEVNAME=ttyUSB0\0SEQNUM=813\0"
)


def udev(properties: bytes, tail: bytes = b"\0" * 16) -> bytes:
    """A message of udev: its header, which may end in any bytes, then the properties."""
    offset = 24 + len(tail)
    header = b"libudev\0" + struct.pack(">I", 0xFEEDCAFE) + struct.pack("=III", offset, offset, len(properties))
    return header + tail + properties


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (KERNEL, True),
        (udev(b"ACTION=add\0SUBSYSTEM=tty\0DEVLINKS=/dev/fkc0\0"), True),
        (udev(b"ACTION=add\0SUBSYSTEM=tty\0", tail=b"\x01" * 16), True),
        (KERNEL.replace(b"ACTION=add", b"ACTION=remove"), False),
        (KERNEL.replace(b"SUBSYSTEM=tty", b"SUBSYSTEM=usb"), False),
        (udev(b"ACTION=change\0SUBSYSTEM=tty\0"), False),
        (udev(b"ACTION=add\0SUBSYSTEM=tty\0")[:20], False),
        (b"", False),
        (b"libudev\0", False),
    ],
)
def test_which_news_is_that_of_a_serial_device(event: bytes, expected: bool) -> None:  # noqa: FBT001 - a row of the table
    assert is_serial_added(event) is expected


async def test_a_serial_device_wakes_who_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.settimeout(0)
    monkeypatch.setattr(device_watch, "_listen", lambda: ours)
    added = asyncio.Queue[None]()
    with kernels, watch_devices(lambda: added.put_nowait(None)):
        kernels.send(KERNEL.replace(b"SUBSYSTEM=tty", b"SUBSYSTEM=usb"))
        kernels.send(KERNEL)
        async with asyncio.timeout(PATIENCE_S):
            await added.get()
        assert added.empty()
    assert ours.fileno() == -1


async def test_a_device_that_comes_ends_the_wait_for_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.settimeout(0)
    monkeypatch.setattr(device_watch, "_listen", lambda: ours)
    link, facts = PtyLink(tmp_path / "fkc0"), Facts()
    # Without news it would try again in an hour.
    patient = Timing(first_retry_s=3600.0, longest_retry_s=3600.0)
    reader = SerialReader(str(link.path), name="fkc0", timing=patient)
    with kernels:
        async with running(reader.run(facts.emit)):
            await facts.until(ReaderLost(f"cannot open {link.path}: no such device"))
            link.plug()
            kernels.send(KERNEL)
            await facts.until_length(1)
            assert facts.take()[0] == ReaderAttached("fkc0")
        link.unplug()


def test_news_that_was_lost_may_have_been_ours() -> None:
    class Overrun:
        def recv(self, _: int) -> bytes:
            raise OSError(errno.ENOBUFS, "No buffer space available")

    class Empty:
        def recv(self, _: int) -> bytes:
            raise BlockingIOError

    called: list[str] = []
    device_watch._receive(Overrun(), lambda: called.append("overrun"))  # type: ignore[arg-type]  # all that it uses
    device_watch._receive(Empty(), lambda: called.append("empty"))  # type: ignore[arg-type]  # as above
    assert called == ["overrun"]


async def test_where_nobody_tells_of_devices_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("socket.socket", refuse)
    with watch_devices(pytest.fail):
        pass
    monkeypatch.delattr("socket.AF_NETLINK", raising=False)
    assert device_watch._listen() is None


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="Linux only")
async def test_the_real_thing_can_be_listened_to() -> None:
    listener = device_watch._listen()
    if listener is None:
        pytest.skip("this system lets nobody listen for devices")
    with listener:
        assert listener.getsockname()[1] == 3
    with watch_devices(pytest.fail):
        await asyncio.sleep(0)
