"""The settings of `feature_key`: which reader a unit looks at, where it is, and what is in it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipo_sim.config.card_entries import CardPolicyEntry
from ipo_sim.config.entry import Text


class FeatureKeyEntry(CardPolicyEntry):
    """The reader of the feature key, for the virtual reader the card in it, for a key server where it is."""

    reader: Literal["virtual", "serial", "pcsc", "pn532", "cassette", "key-server"] | None = Field(
        None,
        description="Which reader the unit looks at: virtual by default, of an IP400 system key-server unless "
        "licence_server is 0.0.0.0.",
    )
    serial: Text | None = Field(
        None,
        description="10 decimal digits, in quotes; derived from the unit's name if not given. {n}: number of the unit.",
        examples=["1234567890", "123456{n:04}"],
        json_schema_extra={"pattern": r"^([0-9]{10}|.*\{n(:0[0-9])?\}.*)$"},
    )
    law: Literal["alaw", "mulaw"] | None = Field(
        None, description="Variant of the card; alaw by default. With a real reader: of cards that do not say theirs."
    )
    present: bool | None = Field(None, description="Whether the card is in the reader at the start; true by default.")
    port: Text | None = Field(
        None,
        description="Where the serial reader or the PN532 is: a device or a socket.",
        examples=["/dev/ttyACM0", "socket://127.0.0.1:7000"],
    )
    pcsc_reader: Text | None = Field(
        None,
        description="Which PC/SC reader: its name or a part of it, with * and ?, as `ipo-sim card list` shows it; any "
        "by default. {n}: number of the unit.",
        examples=["ACS ACR39U", "Identiv*00 {n}"],
    )
    cassette: Text | None = Field(
        None,
        description="Recording that the cassette reader plays; a relative path starts at the configuration's folder.",
        examples=["recordings/bench-1.jsonl"],
    )
    replay: Literal["once", "loop"] | None = Field(
        None, description="How the cassette reader plays its recording; once by default."
    )
    record: Text | None = Field(
        None,
        description="File into which all that the reader says is recorded; a relative path starts at the "
        "configuration's folder. {n}: number of the unit.",
        examples=["recordings/bench-1.jsonl"],
    )
    licence_server: Text | None = Field(
        None,
        description="License Server IP Address of an IP400 system: that of the PC with the dongle, 255.255.255.255 to "
        "look for it by broadcast (default), 0.0.0.0 for a dongle in the unit's serial port. {n}: number of the unit.",
        examples=["192.168.42.10", "255.255.255.255", "0.0.0.0"],  # noqa: S104 - nothing binds to it
    )
    licence_server_port: int | None = Field(
        None, ge=1, le=65_535, description="Port of the licence key server; 50800 by default."
    )
    licence_server_transport: Literal["tcp", "udp"] | None = Field(
        None, description="How the licence key server is polled; tcp by default."
    )
    licence_server_secret: Text | None = Field(
        None, repr=False, description="Secret that unit and licence key server share; none by default."
    )
