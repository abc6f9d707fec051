"""The records of a unit's configuration: users, IP extensions, directory, hunt groups, short codes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipo_sim.config.entry import MAX_RECORDS, MAX_TEXT, Digits, Entry, Text, from_catalogue

# What later releases hold; of the IP500 nothing is known.
MAX_DIRECTORY = 5_000


class UserEntry(Entry):
    """A user; profile and features take licences when the unit starts."""

    name: Text = Field(description="User name, at most 15 characters.", examples=["anna"])
    full_name: str = Field("", max_length=MAX_TEXT, description="Full name, at most 31 characters.")
    extension: Digits = Field("", description="Number to dial.", examples=["201"])
    profile: Text = Field(
        "basic", description="Profile; any but basic takes a licence.", json_schema_extra=from_catalogue("profile")
    )
    features: list[Text] = Field([], max_length=MAX_RECORDS, description="Further features that take a licence each.")


class ExtensionEntry(Entry):
    """An IP extension, at which a phone can register."""

    number: Digits = Field(description="Number to dial.", examples=["201"])
    kind: Literal["avaya-ip", "third-party-ip", "dect"] = Field("avaya-ip", description="What registers there.")
    reserve: Literal["none", "avaya", "third-party", "both"] = Field(
        "none", description="Endpoint licences that it keeps for itself from the first start on."
    )


class DirectoryEntry(Entry):
    """A name and number of the system directory."""

    name: Text = Field(description="Name, at most 31 characters.", examples=["Front desk"])
    number: Digits = Field(description="Number to dial: digits, * # and +.", examples=["0123456789"])


class HuntGroupEntry(Entry):
    """A hunt group: one number at which several extensions ring."""

    name: Text = Field(description="Name of the group, at most 15 characters.", examples=["Sales"])
    extension: Digits = Field(description="Number to dial.", examples=["301"])
    ring: Literal["group", "hunt", "rotary", "longest-waiting"] = Field(
        "group", description="All at once, in order, in order from the last one on, or who has waited longest."
    )
    members: list[Digits] = Field([], max_length=MAX_RECORDS, description="Extensions of the group, in order.")
    queuing: bool = Field(default=False, description="Whether calls wait while all members are busy.")
    voicemail: bool = Field(default=False, description="Whether calls that nobody answers go to voicemail.")
    broadcast: bool = Field(default=False, description="Whether voicemail messages go to every member.")
    voicemail_email: str = Field("", max_length=MAX_TEXT, description="Address that voicemail messages are mailed to.")


class ShortCodeEntry(Entry):
    """A system short code: what a dialled code does."""

    code: Digits = Field(description="What is dialled.", examples=["*17"])
    number: Digits = Field("", description="Telephone number that goes to the feature.", examples=["?U"])
    feature: Text = Field(description="Feature, such as Dial.", examples=["VoicemailCollect"])
