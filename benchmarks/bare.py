"""The reference process, run as a script: the daemon's libraries, one connection, and what one writes without a design.

`bare.py PORT [FILE]` imports, connects and publishes one retained message, then waits. FILE holds lists of messages by
name: whoever publishes a name on `bare/go` gets that list published, as many in flight at a time as the daemon has.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import aiomqtt
import structlog
import yaml
from pydantic import BaseModel

IN_FLIGHT = 20
# Without it a small message waits 40 ms for an acknowledgement, which would flatter the daemon.
NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
READY, GO = "bare/ready", "bare/go"

# `import pydantic` alone loads next to nothing; naming what is used makes it the library.
__all__ = ["BaseModel", "structlog", "yaml"]


async def main(port: int, lists: dict[str, list[tuple[str, str, bool]]]) -> None:
    """Serve until killed."""
    async with aiomqtt.Client("127.0.0.1", port, max_inflight_messages=IN_FLIGHT, socket_options=NO_DELAY) as client:
        if lists:
            await client.subscribe(GO, qos=1)
        await client.publish(READY, "online", qos=1, retain=True)
        async for message in client.messages:
            await publish_all(client, lists[str(message.payload, "utf-8")])


async def publish_all(client: aiomqtt.Client, messages: list[tuple[str, str, bool]]) -> None:
    """Publish in order, with a bounded number in flight."""
    window = asyncio.Semaphore(IN_FLIGHT)

    async def publish(topic: str, payload: str, retain: bool) -> None:  # noqa: FBT001 - a row of a table
        async with window:
            await client.publish(topic, payload, qos=1, retain=retain)

    await asyncio.gather(*[publish(*message) for message in messages])


if __name__ == "__main__":
    _, port, *files = sys.argv
    asyncio.run(main(int(port), json.loads(Path(files[0]).read_text()) if files else {}))
