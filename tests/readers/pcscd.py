"""A pcscd of one's own, with readers that are no hardware: Debian's program and library, our reader driver.

It runs in a mount namespace where its directory of sockets and the machine's reader drivers are its own, so that it
meets neither the machine's pcscd, nor its readers, nor another test run. The library finds it by a variable, which it
reads once in a process: all services of a process, one after the other, have the same socket.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from tests.requirements import missing, require, require_library

ROOT = Path(__file__).parents[2]
HEADER = "/usr/include/PCSC/ifdhandler.h"
DRIVER_SOURCE = ROOT / "hardware" / "pcsc-sim" / "ifd_sim.c"

# A loaded machine may take its time; a test that waits longer has failed.
DEADLINE_S = 10.0
# Between two looks whether a service that was started takes connections; it needs 10 ms.
LOOK_S = 0.002

# What the shell does as root of the namespace: $1 holds the sockets, $2 stands in for the drivers, $3 for reader.conf.
IN_NAMESPACE = """
{ [ -d /run/pcscd ] || mkdir /run/pcscd; } && mount --bind "$1" /run/pcscd &&
mount --bind "$2" /usr/lib/pcsc/drivers && exec "$4" --foreground --info --config "$3"
"""


class Card(Protocol):
    """What is put into a reader; tests/card/emulated_cards.py has many."""

    atr: bytes

    def reset(self) -> None: ...

    def transmit(self, command: bytes) -> bytes: ...


class Entry(NamedTuple):
    """One reader in reader.conf: its name, the device and the library that drives it."""

    name: str
    device: str
    library: Path


@functools.cache
def directory() -> Path:
    """Where the services of this process have their files; its path is short, for those of sockets have to be."""
    made = Path(tempfile.mkdtemp(prefix="ipo-sim-pcscd-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for name in ("run", "drivers", "readers"):
        (made / name).mkdir()
    os.environ["PCSCLITE_CSOCK_NAME"] = str(made / "run" / "pcscd.comm")
    return made


@functools.cache
def driver() -> Path:
    """The simulated readers' driver, built once in a process."""
    built = directory() / "libifdsim.so"
    require_library(HEADER)
    require_library("/usr/include/string.h")
    headers = Path(HEADER).parent
    command = (require("gcc"), "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{headers}", "-pthread")
    subprocess.run([*command, "-o", built, DRIVER_SOURCE], check=True)
    return built


def namespace(*, network: bool = False) -> list[str]:
    """The command that gives a program namespaces of its own; the test skips where this user may not have them."""
    command = [str(require("unshare")), "--mount"]
    command += ["--net"] if network else []
    command += [] if os.geteuid() == 0 else ["--map-root-user"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        missing("namespaces are not allowed here: run the tests as root, or in a container with --privileged")
    return command


class Pcscd:
    """The service; `name`s of readers get the number of their place, as pcscd numbers them."""

    def __init__(self, entries: Sequence[Entry], *, network: bool = False) -> None:
        self._program = require("pcscd")
        self._namespace = namespace(network=network)
        self._files = directory()
        self._configuration = self._files / "reader.conf.d"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(entries)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it said since it was started last."""
        return (self._files / "log").read_text(errors="replace")

    def configure(self, entries: Sequence[Entry]) -> None:
        """Have these readers from the next start on."""
        self._configuration.mkdir(exist_ok=True)
        lines = (
            f'FRIENDLYNAME "{name}"\nDEVICENAME {device}\nLIBPATH {library}\nCHANNELID {number}\n'
            for number, (name, device, library) in enumerate(entries)
        )
        (self._configuration / "readers").write_text("\n".join(lines))

    def start(self) -> None:
        """Start it; its readers are there at once."""
        assert self._process is None
        run = self._files / "run"
        for left in run.iterdir():
            left.unlink()
        arguments = (str(run), str(self._files / "drivers"), str(self._configuration), str(self._program))
        with (self._files / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._namespace, "sh", "-ec", IN_NAMESPACE, "pcscd", *arguments], stdout=log, stderr=log
            )
        while not _accepts(run / "pcscd.comm"):
            try:
                self._process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"pcscd ended at once: {self.log}")

    def kill(self) -> None:
        """End it as a crash does; nothing when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Have it stand still until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True


class SimulatedReader:
    """The program behind one reader of the driver (hardware/pcsc-sim/ifd_sim.c): hands that put cards in and pull them.

    What is in it and whether it is plugged in outlives the service, as it does in the real world.
    """

    def __init__(self, name: str) -> None:
        self.path = directory() / "readers" / re.sub(r"\W+", "-", name)
        self.card: Card | None = None
        self.plugged = True
        self.entry = Entry(name, str(self.path), driver())
        self._lock = threading.Lock()
        self._driver: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._changes = 0
        self._cards: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, name=f"simulated reader {name}")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            if self._driver is not None:
                self._driver.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for thread in self._cards:
            thread.join()
        self._listener.close()
        self.path.unlink()

    def insert(self, card: Card) -> None:
        """Put a card in; it takes the place of one that is in faster than anybody can see."""
        with self._lock:
            self.card = card
            self._show()

    def remove(self) -> None:
        """Pull the card."""
        with self._lock:
            self.card = None
            self._show()

    def unplug(self) -> None:
        """Pull the reader."""
        with self._lock:
            self.plugged = False
            self._show()

    def plug(self) -> None:
        """Put the reader back, with the card that is in it."""
        with self._lock:
            self.plugged = True
            self._show()

    def _show(self) -> None:
        self._changes += 1
        if not self.plugged:
            self._send(b"U")
        elif self.card is None:
            self._send(b"R")
        else:
            self._send(b"I" + self.card.atr)

    def _send(self, message: bytes) -> None:
        if self._driver is not None:
            try:
                self._driver.sendall(len(message).to_bytes(4, "big") + message)
            except OSError:  # the service was killed
                self._driver = None

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                with self._lock:
                    self._driver = connection
                    self._show()
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as messages:
            try:
                while header := messages.read(4):
                    self._take(messages.read(int.from_bytes(header, "big")))
            except ConnectionError:
                pass
        with self._lock:
            if self._driver is connection:
                self._driver = None

    def _take(self, message: bytes) -> None:
        with self._lock:
            card, changes = self.card, self._changes
        if card is None:
            return
        if message == b"P\1":
            card.reset()
        elif message[:1] == b"C":
            # In a thread of its own: a card that hangs does not hold up the one that comes after it.
            thread = threading.Thread(
                target=self._have_answered, args=(card, changes, message[1:]), name="simulated card"
            )
            thread.start()
            self._cards = [*(left for left in self._cards if left.is_alive()), thread]

    def _have_answered(self, card: Card, changes: int, command: bytes) -> None:
        answer = card.transmit(command)
        with self._lock:
            if self._changes == changes:  # else nobody waits for it any more
                self._send(b"A" + answer)
