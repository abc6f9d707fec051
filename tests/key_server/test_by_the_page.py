"""A unit written from docs/reference/key-server.md alone, without a line of the package, against the server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os

import pytest

from tests.key_server.servers import (
    HOST,
    OTHER_UNIT,
    PATIENCE_S,
    UNIT,
    Client,
    connected,
    listening,
    server_with_dongle,
)


class Unit:
    """Speaks FKS/1 as the page says, over any way to exchange lines."""

    def __init__(self, mac: str, secret: str) -> None:
        self.mac = mac
        self.secret = secret
        self.nonce = os.urandom(16).hex()
        self.challenge = ""
        self.seq = 0

    def hello(self) -> bytes:
        return self.signed(f"FKS/1 HELLO nonce={self.nonce}")

    def poll(self) -> bytes:
        self.seq += 1
        where = f"nonce={self.nonce} challenge={self.challenge} seq={self.seq}"
        return self.signed(f"FKS/1 POLL {where} unit={self.mac}")

    def signed(self, text: str) -> bytes:
        if not self.secret:
            return f"{text}\n".encode()
        return f"{text} auth={self.auth(text)}\n".encode()

    def auth(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def take(self, line: bytes) -> tuple[str, dict[str, str]]:
        text = line.decode().rstrip("\r\n")
        if self.secret:
            text, _, auth = text.rpartition(" auth=")
            assert auth == self.auth(text)
        version, kind, *words = text.split(" ")
        assert version == "FKS/1"
        fields = dict(word.split("=", 1) for word in words)
        assert fields["nonce"] == self.nonce
        self.challenge = fields.get("challenge", self.challenge)
        return kind, fields


async def exchanged(client: Client, line: bytes) -> bytes:
    client.send(line)
    return await client.line()


@pytest.mark.parametrize("secret", ["", "long and random"], ids=["open", "secret"])
async def test_a_unit_by_the_page_polls_and_another_is_refused(secret: str) -> None:
    unit, other = Unit(UNIT, secret), Unit(OTHER_UNIT, secret)
    async with listening(server_with_dongle(secret.encode() or None)) as sockets, connected(sockets) as client:
        assert unit.take(await exchanged(client, unit.hello()))[0] == "WELCOME"
        for seq in ("1", "2"):
            kind, fields = unit.take(await exchanged(client, unit.poll()))
            assert (kind, fields["seq"]) == ("KEY", seq)
            assert (fields["state"], fields["kind"], fields["serial"]) == ("present", "dongle-usb", "1234567890")
        other.take(await exchanged(client, other.hello()))
        kind, fields = other.take(await exchanged(client, other.poll()))
        assert (kind, fields["code"], fields["seq"]) == ("REFUSED", "other-unit", "1")
        assert fields["text"] == f"this%20server%20validates%20unit%20{UNIT}%20alone%20until%20it%20is%20restarted"


async def test_a_session_goes_on_over_another_connection_and_over_datagrams() -> None:
    unit = Unit(UNIT, "secret")
    loop = asyncio.get_running_loop()
    async with listening(server_with_dongle(b"secret")) as sockets:
        async with connected(sockets) as client:
            unit.take(await exchanged(client, unit.hello()))
            assert unit.take(await exchanged(client, unit.poll()))[0] == "KEY"
        async with connected(sockets) as client:
            assert unit.take(await exchanged(client, unit.poll()))[0] == "KEY"
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        transport, _ = await loop.create_datagram_endpoint(lambda: Heard(answers), remote_addr=(HOST, sockets.port))
        transport.sendto(unit.poll())
        kind, fields = unit.take(await asyncio.wait_for(answers.get(), PATIENCE_S))
        transport.abort()
        await asyncio.sleep(0)
    assert (kind, fields["seq"]) == ("KEY", "3")


class Heard(asyncio.DatagramProtocol):
    def __init__(self, answers: asyncio.Queue[bytes]) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._answers.put_nowait(data)
