"""What a configuration file comes to: plain frozen values for the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ipo_sim.core.model import UnitDefinition, UnitName
from ipo_sim.errors import ConfigMistake


@dataclass(frozen=True, slots=True)
class KeyServerSettings:
    """The licence key server that an IP400 unit polls every `poll_s` seconds of unit time.

    `address` is the PC's IPv4 address; `255.255.255.255`: look for it by broadcast. `secret` None: none is asked for.
    `transport` is what carries the polls; whoever looks by broadcast does so over UDP in any case.
    """

    address: str
    port: int
    poll_s: float
    secret: bytes | None = field(default=None, repr=False)
    transport: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, slots=True)
class CardSettings:
    """Which cards are feature keys, for readers that read cards of every kind.

    `issuers`: Ed25519 public keys (32 bytes); None: the bench issuer's. `enrolled`: pairs of identity and serial.
    """

    kinds: tuple[str, ...]
    least_assurance: str = "identifier"
    issuers: tuple[bytes, ...] | None = None
    enrolled: tuple[tuple[str, str], ...] = ()
    derive: bool = False


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """The reader of a unit: `virtual`, `serial`, `pn532`, `pcsc`, `cassette`, or `key-server`, see `key_server`.

    `law` is that of cards that do not say theirs. `cassette` is what is played, in a loop or once; `record` the file
    into which the reader is recorded. `pcsc_reader` is a pattern of names, `cards` says which cards are taken.
    """

    kind: str
    name: str
    port: str | None = None
    law: str = "alaw"
    cassette: Path | None = None
    loop: bool = False
    record: Path | None = None
    key_server: KeyServerSettings | None = None
    pcsc_reader: str | None = None
    cards: CardSettings | None = None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files in PEM: `ca` to trust instead of the system's, `cert` and `key` to show. `insecure` trusts any broker."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The broker and how to talk to it. `url` None: bring one's own. `version` 4 is MQTT 3.1.1, 5 is MQTT 5.

    `connection` is `auto`, `per-unit` or `shared`. The password of a file is read already.
    """

    url: str | None = None
    prefix: str = "ipo-sim"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str | None = None
    version: int = 4
    keepalive_s: int = 30
    connection: str = "auto"
    tls: TlsSettings = TlsSettings()


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where the control API listens; port 0: any free one. The token of a file is read already."""

    port: int
    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration. `readers` has one entry for each unit; paths are absolute or as the file's own.

    `warnings` are about what is allowed and probably not meant; each is a line as text.
    """

    units: tuple[UnitDefinition, ...]
    readers: Mapping[UnitName, ReaderSettings]
    mqtt: BrokerSettings
    time_scale: float | None
    state_dir: Path | None
    http: HttpSettings | None = None
    warnings: tuple[ConfigMistake, ...] = ()
