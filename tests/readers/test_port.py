"""Addresses of serial readers."""

from __future__ import annotations

import pytest

from ipo_sim.errors import ReaderError
from ipo_sim.readers.port import Address, SocketAddress, TtyAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/dev/fkc0", TtyAddress("/dev/fkc0")),
        (
            "/dev/serial/by-id/usb-1a86_USB2.0-Serial-if00-port0",
            TtyAddress("/dev/serial/by-id/usb-1a86_USB2.0-Serial-if00-port0"),
        ),
        ("serial:///dev/fkc0", TtyAddress("/dev/fkc0")),
        ("socket://bridge.lan:4000", SocketAddress("bridge.lan", 4000)),
        ("socket://127.0.0.1:4000/", SocketAddress("127.0.0.1", 4000)),
        ("socket://[::1]:4000", SocketAddress("::1", 4000)),
    ],
)
def test_where_a_reader_can_be(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fkc0",
        "COM3",
        "serial://dev/fkc0",
        "socket://bridge",
        "socket://bridge:0",
        "socket://bridge:x",
        "socket://bridge:70000",
        "socket://:4000",
        "socket://bridge:4000/path",
        "socket://[::1:4000",
        "http://bridge:4000",
    ],
)
def test_where_no_reader_can_be(text: str) -> None:
    with pytest.raises(ReaderError, match=r"expected /dev/\.\.\., serial:///dev/\.\.\. or socket://host:port, got"):
        parse_address(text)
