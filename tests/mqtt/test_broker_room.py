"""An embedded broker on a disk that is full: it serves again, of itself, when there is room."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from ipo_sim.mqtt.broker_room import has_room, lacks_room
from tests.mqtt.brokers import HOST
from tests.requirements import missing, require

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")

# A disk of its own, which nobody else sees and which goes with the process.
ON_A_SMALL_DISK = 'mount -t tmpfs -o size=4m tmpfs "$1" && cd "$2" && exec "$3" -c "$4" "$1"'

WATCHED = """
import asyncio, pathlib, sys
from ipo_sim.mqtt.broker import EmbeddedBroker
async def main():
    async with EmbeddedBroker(pathlib.Path(sys.argv[1], "broker"), port=0) as broker:
        sys.stderr.write(f"{broker.port}\\n")
        await broker.run()
asyncio.run(main())
"""


def namespace() -> list[str]:
    """The command that gives a process mounts of its own."""
    unshare = [str(require("unshare")), "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        missing("a mount namespace of one's own is not allowed here")
    return unshare


def fill_up(file: Path) -> None:
    with file.open("wb", buffering=0) as opened:
        while opened.write(bytes(65_536)):
            pass


@asynccontextmanager
async def broker_on_a_small_disk(directory: Path) -> AsyncIterator[tuple[int, Path]]:
    """Its port, and its disk as seen from here."""
    unshare = namespace()
    command = [*unshare, "sh", "-ec", ON_A_SMALL_DISK, "sh", str(directory), str(ROOT), sys.executable, WATCHED]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=pipe)
    assert process.stderr is not None
    log = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (line := await process.stderr.readline()).strip().isdigit():
                log.append(line)
                assert line, b"".join(log)
        drained = asyncio.create_task(process.stderr.read())
        yield int(line), Path(f"/proc/{process.pid}/root{directory}")
    finally:
        process.terminate()
        await process.wait()
    await drained


async def takes_a_client(port: int) -> bool:
    """Whether a client gets a subscription, which the server has to store."""
    try:
        async with aiomqtt.Client(HOST, port, timeout=2) as client:
            await client.subscribe("#", qos=1)
    except aiomqtt.MqttError:
        return False
    return True


@pytest.mark.slow
async def test_after_a_full_disk_it_takes_clients_again_when_there_is_room(tmp_path: Path) -> None:
    async with broker_on_a_small_disk(tmp_path) as (port, disk):
        assert await takes_a_client(port)
        fill = disk / "fill"
        with pytest.raises(OSError, match="No space left"):
            fill_up(fill)
        async with asyncio.timeout(PATIENCE_S):
            while await takes_a_client(port):
                pass
        assert not has_room(disk)
        fill.unlink()
        async with asyncio.timeout(PATIENCE_S):
            while not await takes_a_client(port):
                pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("JetStream failed to store a msg: write 1.blk: no space left on device", True),
        ("write 1.blk: Disk quota exceeded", True),
        ("unable to persist session: timeout after 5s", False),
    ],
)
def test_the_log_says_why(text: str, *, expected: bool) -> None:
    assert lacks_room(text) is expected


def test_a_look_at_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    assert has_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not has_room(tmp_path / "gone")
