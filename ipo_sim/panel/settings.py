"""Where the control API listens, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from ipo_sim.errors import ConfigError

LOOPBACK_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`host` is an IP address or `localhost`; `port` 0: any free one. Without a `token` only loopback is served.

    ConfigError names what cannot be used.
    """

    port: int
    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not is_address(self.host):
            raise ConfigError(f"http host {self.host!r}: an IP address of this machine, such as 127.0.0.1")
        if self.token is None and not is_loopback(self.host):
            raise ConfigError(
                f"http host {self.host}: others reach it there, so it needs a token_file with a token that they know"
            )

    def url(self, port: int | None = None) -> str:
        """Where it is; `port`: the one that it got."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port or self.port}"


def is_address(host: str) -> bool:
    """Whether it can be listened on without asking anybody what it means."""
    if host == LOOPBACK_NAME:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether the name or address, without brackets, is this machine for nobody but itself."""
    if host == LOOPBACK_NAME:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
