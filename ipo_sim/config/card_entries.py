"""The settings of `feature_key` that say which cards are feature keys, for readers that read cards of every kind."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipo_sim.config.entry import MAX_RECORDS, Entry, Text

CardKind = Literal["fkc", "fkc-memory", "fkc-tag", "openpgp", "piv", "gdo", "iccid", "cplc", "uid"]
AssuranceLevel = Literal["identifier", "signed", "authenticated"]


class EnrolledEntry(Entry):
    """One ordinary card that stands for a feature key."""

    identity: Text = Field(
        description="What `ipo-sim card read` calls the card.", examples=["openpgp:000612345678", "uid:04A1B2C3D4E580"]
    )
    serial: Text = Field(
        description="10 decimal digits, in quotes: the serial that the card stands for.",
        examples=["1234567890"],
        json_schema_extra={"pattern": "^[0-9]{10}$"},
    )


class CardPolicyEntry(Entry):
    """Which cards are taken, how sure one has to be of them, and what ordinary cards stand for."""

    card_kinds: list[CardKind] | None = Field(
        None, max_length=MAX_RECORDS, description="Kinds of cards that are taken; all by default."
    )
    least_assurance: AssuranceLevel | None = Field(
        None,
        description="Least assurance that counts as sound: identifier (default) can be copied, signed means that an "
        "issuer's signature holds, authenticated that the card has answered a challenge as well.",
    )
    issuers: list[Text] | None = Field(
        None,
        max_length=MAX_RECORDS,
        description="Public keys of issuers whose signatures count, 64 hexadecimal digits each; by default that of the "
        "bench issuer, whose private key everybody knows.",
    )
    enrolled: list[EnrolledEntry] = Field(
        [], max_length=MAX_RECORDS, description="Ordinary cards and the serials that they stand for."
    )
    derive: bool | None = Field(
        None,
        description="Whether an ordinary card that is not enrolled gets a serial that follows from its identity; false "
        "by default.",
    )
