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
_FACT = "FACT "
_SHARED = "security_model=none,readonly=on,multidevs=remap"


class Guest:
    """A running guest. Its console goes to `console`, for who wants to know why."""

    def __init__(self, folder: Path, image: Image) -> None:
        self.console: list[str] = []
        self._pending = b""
        control = folder / "qmp"
        command: list[str | Path] = [
            "qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-display", "none", "-no-reboot",
            "-kernel", image.kernel, "-initrd", image.initramfs, "-append", "console=ttyS0 panic=-1",
            "-virtfs", f"local,path=/,mount_tag=host,{_SHARED}",
            "-virtfs", f"local,path={ROOT},mount_tag=project,{_SHARED}",
            "-device", "qemu-xhci,id=usb", "-serial", "stdio", "-monitor", "none",
            "-qmp", f"unix:{control},server=on,wait=off",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
        self._control = _connected(control)
        self._answers = self._control.makefile("r")
        self._answers.readline()  # the greeting
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
        while not (line := self._next_line(end)).startswith(_FACT):
            self.console.append(line)
        kind, fields = json.loads(line.removeprefix(_FACT))
        return kind, fields

    def close(self) -> None:
        """Switch it off."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._control.close()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _next_line(self, end: float) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                heard = selector.select(max(0.0, end - time.monotonic()))
                data = self._process.stdout.read(65_536) if heard else b""
                if not data:
                    raise AssertionError("the guest says nothing more; its console:\n" + "\n".join(self.console[-40:]))
                self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace").strip()


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
