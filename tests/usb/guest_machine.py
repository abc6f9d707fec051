"""A guest in QEMU, with this machine's files and a USB bus of its own that devices are plugged into."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.usb.guest_image import ROOT, Image

# From the start to the first fact, on a machine without KVM that has other things to do.
BOOT_S = 150.0
SOON_S = 60.0
_CHUNK = 65_536
# Of the console, for who wants to know why nothing came.
_TOLD_LINES = 40
_SHARED = "security_model=none,readonly=on,multidevs=remap"


class Guest:
    """A running guest. Facts come on a serial line of their own; the console, on which the kernel speaks, is kept."""

    def __init__(self, folder: Path, image: Image) -> None:
        self._console = b""
        self._facts = b""
        control, facts = folder / "qmp", folder / "facts"
        command: list[str | Path] = [
            "qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-display", "none", "-no-reboot",
            "-kernel", image.kernel, "-initrd", image.initramfs, "-append", "console=ttyS0 panic=-1",
            "-virtfs", f"local,path=/,mount_tag=host,{_SHARED}",
            "-virtfs", f"local,path={ROOT},mount_tag=project,{_SHARED}",
            "-device", "qemu-xhci,id=usb", "-monitor", "none",
            "-serial", "stdio", "-serial", f"unix:{facts},server=on,wait=off",
            "-qmp", f"unix:{control},server=on,wait=off",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
        self._control = _connected(control)
        self._answers = self._control.makefile("r")
        self._answers.readline()  # the greeting
        self._line = _connected(facts)
        self.do("qmp_capabilities")

    def do(self, command: str, **arguments: object) -> None:
        """A command of QMP; AssertionError when QEMU refuses it."""
        self._control.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while "return" not in (answer := json.loads(self._answers.readline())):
            assert "error" not in answer, answer

    def plug_adapter(self, name: str, serial: str, terminal: str) -> None:
        """Plug in a serial adapter with what is on this terminal behind it. QEMU wants a new name each time."""
        backend = {"type": "serial", "data": {"device": terminal}}
        self.do("chardev-add", id=f"line-{name}", backend=backend)
        self.do("device_add", driver="usb-serial", id=name, bus="usb.0", chardev=f"line-{name}", serial=serial)

    def plug_card_reader(self, name: str, slot: Path) -> None:
        """Plug in a USB reader for chip cards, whose slot is a socket that a `CardEdge` connects to."""
        address = {"type": "unix", "data": {"path": str(slot)}}
        backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
        self.do("chardev-add", id=f"slot-{name}", backend=backend)
        self.do("device_add", driver="usb-ccid", id=name, bus="usb.0")
        self.do("device_add", driver="ccid-card-passthru", bus=f"{name}.0", chardev=f"slot-{name}")

    def unplug(self, name: str) -> None:
        """Pull it out."""
        self.do("device_del", id=name)

    def fact(self, limit_s: float = SOON_S) -> tuple[str, dict[str, Any]]:
        """The next fact that the guest says: its kind, and its fields."""
        end = time.monotonic() + limit_s
        while b"\n" not in self._facts:
            self._hear(end)
        line, _, self._facts = self._facts.partition(b"\n")
        kind, fields = json.loads(line)
        return kind, fields

    def close(self) -> None:
        """Switch it off."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._control.close()
        self._line.close()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _hear(self, end: float) -> None:
        """Take in what the guest says, on either line; AssertionError when that is nothing more."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            selector.register(self._line, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(max(0.0, end - time.monotonic()))}
        said = self._line.recv(_CHUNK) if self._line in ready else b""
        shown = self._process.stdout.read(_CHUNK) if self._process.stdout in ready else b""
        self._facts += said
        self._console += shown
        if not said and not shown:
            told = b"\n".join(self._console.splitlines()[-_TOLD_LINES:]).decode(errors="replace")
            raise AssertionError(f"the guest says nothing more; its console:\n{told}")


def _connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + SOON_S
    while True:
        try:
            made.connect(str(path))
        except OSError:
            assert time.monotonic() < end, "QEMU does not start"
        else:
            return made


@contextmanager
def guest(folder: Path, image: Image) -> Iterator[Guest]:
    """A guest for the time of the block."""
    made = Guest(folder, image)
    try:
        yield made
    finally:
        made.close()
