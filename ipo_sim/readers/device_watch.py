"""Tells when a serial device has come: the kernel and udev say so to whoever listens. Linux only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator

import structlog

# Linux: linux/netlink.h and libudev-monitor.c.
_NETLINK_KOBJECT_UEVENT = 15
_GROUP_KERNEL = 1
_GROUP_UDEV = 2
_UDEV_MAGIC = b"libudev\0"
# Magic string, magic number (skipped), size of the header, offset and length of the properties.
_UDEV_HEADER = struct.Struct("=8s4xIII")
# The kernel's own limit for one event is 2048 bytes of properties; udev adds its own.
_MAX_EVENT = 16384

log = structlog.get_logger()


@contextlib.contextmanager
def watch_devices(on_added: Callable[[], None]) -> Iterator[None]:
    """Call `on_added` whenever a serial device is added; where nobody tells of devices, never."""
    loop = asyncio.get_running_loop()
    listener = _listen()
    if listener is None:
        yield
        return
    with listener:
        loop.add_reader(listener.fileno(), _receive, listener, on_added)
        try:
            yield
        finally:
            loop.remove_reader(listener.fileno())


def is_serial_added(event: bytes) -> bool:
    """Whether a message of the kernel or of udev says that a serial device was added."""
    if event.startswith(_UDEV_MAGIC) and len(event) >= _UDEV_HEADER.size:
        _, _, offset, length = _UDEV_HEADER.unpack_from(event)
        event = event[offset : offset + length]
    properties = event.split(b"\0")
    return b"ACTION=add" in properties and b"SUBSYSTEM=tty" in properties


def _listen() -> socket.socket | None:
    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        return None
    with contextlib.ExitStack() as stack:
        try:
            listener = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, _NETLINK_KOBJECT_UEVENT)
            stack.enter_context(listener)
            listener.bind((0, _GROUP_KERNEL | _GROUP_UDEV))
        except OSError as error:
            log.debug("devices_not_watched", error=str(error))
            return None
        stack.pop_all()
    return listener


def _receive(listener: socket.socket, on_added: Callable[[], None]) -> None:
    try:
        event = listener.recv(_MAX_EVENT)
    except BlockingIOError:
        return
    except OSError:  # too many at once: some were lost, perhaps ours
        on_added()
        return
    if is_serial_added(event):
        on_added()
