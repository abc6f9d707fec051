"""One way to open a port, wherever it is."""

from __future__ import annotations

from ipo_sim.readers.port import Address, Port, SocketAddress


async def open_port(address: Address, baud: int) -> Port:
    """Open it, 8N1 at `baud` if it is a device; ReaderError says why not. Imports only what that kind needs."""
    if isinstance(address, SocketAddress):
        from ipo_sim.readers.socket_port import open_socket  # noqa: PLC0415 - only who uses it

        return await open_socket(address.host, address.port)
    from ipo_sim.readers.tty_port import open_tty  # noqa: PLC0415 - as above

    return await open_tty(address.path, baud)
