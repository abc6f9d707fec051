"""What the guest boots: Debian's kernel, and an initramfs that shows it this machine's files and this project's."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
# `.ci/usb` unpacks the kernel's package here.
KERNEL_ROOT = ROOT / "build" / "usb" / "kernel"
# Process 1 of the guest: it takes the kind of a reader, and where that is.
SCRIPT = Path(__file__).with_name("guest.sh")
BUSYBOX = Path("/bin/busybox")

# The way to this machine's files, then USB with the board's adapter; card readers need no driver in the kernel.
MODULES = "virtio_pci 9pnet_virtio 9p xhci_pci ftdi_sio".split()

_INIT = """#!/busybox sh
/busybox mount -t proc proc /proc
/busybox mount -t sysfs sysfs /sys
for module in $(/busybox cat /modules/order); do
    /busybox insmod /modules/$module || echo "guest: no $module"
done
share() {{
    /busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 "$1" "$2"
}}
share host /host
/busybox mount -t devtmpfs devtmpfs /host/dev
/busybox mkdir -p /host/dev/pts /host/dev/shm
/busybox mount -t proc proc /host/proc
/busybox mount -t sysfs sysfs /host/sys
for place in run tmp; do
    /busybox mount -t tmpfs tmpfs /host/$place
done
# It may be below one of these.
/busybox mkdir -p /host{project}
share project /host{project}
exec /busybox chroot /host {script}
"""


class Image(NamedTuple):
    """Files for QEMU's -kernel and -initrd."""

    kernel: Path
    initramfs: Path


def build(folder: Path, script: str) -> Image:
    """An image whose guest runs `script` of this machine, as process 1, on this machine's files."""
    (kernel,) = KERNEL_ROOT.glob("boot/vmlinuz-*")
    (modules,) = KERNEL_ROOT.glob("lib/modules/*")
    order = list(dict.fromkeys(file for module in MODULES for file in _dependencies(modules.name, module)))
    image = folder / "initramfs"
    with image.open("wb") as out:
        for name in ("proc", "sys", "host", "modules"):
            out.write(_entry(name, 0o040755))
        out.write(_entry("init", 0o100755, _init(script)))
        out.write(_entry("busybox", 0o100755, BUSYBOX.read_bytes()))
        out.write(_entry("modules/order", 0o100644, "\n".join(path.name for path in order).encode()))
        for path in order:
            out.write(_entry(f"modules/{path.name}", 0o100644, path.read_bytes()))
        out.write(_entry("TRAILER!!!", 0))
    return Image(kernel, image)


def _init(script: str) -> bytes:
    return _INIT.format(project=shlex.quote(str(ROOT)), script=script).encode()


def _dependencies(version: str, module: str) -> Iterator[Path]:
    """The files of a module and of all that it needs, in the order of loading."""
    command = ["modprobe", "--dirname", str(KERNEL_ROOT), "--set-version", version, "--show-depends", module]
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    listing = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    ).stdout
    for line in listing.splitlines():
        kind, _, file = line.partition(" ")
        if kind == "insmod":
            yield Path(file.strip())


def _entry(name: str, mode: int, content: bytes = b"") -> bytes:
    """One file of a cpio archive in the "newc" form."""
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
