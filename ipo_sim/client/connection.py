"""One connection to the daemons of units, whichever way it goes, and which way a URL means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import unquote, urlsplit

from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.settings import MqttSettings, TlsSettings

Json = dict[str, Any]
# Takes the path of what a unit said, as in its topics, and the payload; an empty one: it is gone.
Listener = Callable[[str, bytes], None]

_HTTP = ("http", "https")


class Connection(Protocol):
    """Talks to units. BrokerError once the way to them is lost; nothing connects it again."""

    async def open(self, hint: str = "") -> None:
        """Connect; BrokerError says what may be wrong."""

    async def close(self) -> None:
        """Take leave."""

    async def lost(self) -> None:
        """Wait until the connection is lost, and raise BrokerError."""

    async def request(
        self, unit: UnitName, verb: str, arguments: Mapping[str, object], request_id: str | None = None
    ) -> Json:
        """The answer of the unit's daemon: its result, or CommandRejected as the daemon, or nobody, said it.

        Whoever follows the unit has heard by then of all that the command changed. The same `request_id` again, after a
        lost connection, is carried out once.
        """
        ...

    def new_id(self) -> str:
        """An id for a request."""
        ...

    async def units(self) -> dict[str, bool]:
        """All units, and whether their daemons are online."""
        ...

    async def follow(self, unit: UnitName, listener: Listener) -> None:
        """Call `listener` with all that the unit says, first with all that is; CommandRejected `unknown-unit`."""


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """The control API of a daemon at `http://[:TOKEN@]HOST[:PORT]` or `https://...`, and what it wants to be shown."""

    url: str
    token: str | None = field(default=None, repr=False)
    tls: TlsSettings = field(default_factory=TlsSettings)

    @classmethod
    def of(cls, url: str, token: str | None = None, tls: TlsSettings | None = None) -> Self:
        """The parts of a URL; a token beside it goes first. ConfigError for a URL that is none."""
        wrong = ConfigError(f"http url {_bare(url)!r}: expected http://HOST[:PORT] or https://HOST[:PORT]")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in _HTTP and parts.hostname and parts.port != 0
        except ValueError:
            raise wrong from None
        if not usable or parts.query or parts.fragment:
            raise wrong
        token = token or (None if parts.password is None else unquote(parts.password))
        return cls(_bare(url).rstrip("/"), token, tls or TlsSettings())

    def __str__(self) -> str:
        """The URL without the token, for logs and errors."""
        return self.url


Address = MqttSettings | HttpAddress


def _bare(url: str) -> str:
    """The URL without user and token."""
    scheme, slashes, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def is_http(url: str) -> bool:
    """Whether the URL means the control API, and no broker."""
    return url.partition(":")[0].lower() in _HTTP
