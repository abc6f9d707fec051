"""The shape of a configuration file as pydantic models: names, types, ranges. Rules and the catalogue come after it.

A setting without a value (`key:`) stands for its default. Shorthands (`1: DS8`) are opened up before validation.
Descriptions, patterns and examples are what `ipo-sim schema config` shows in an editor.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ipo_sim.config.connection_entries import HttpEntry, MqttEntry
from ipo_sim.config.entry import MAX_RECORDS, Entry, Text, from_catalogue
from ipo_sim.config.feature_key_entry import FeatureKeyEntry
from ipo_sim.config.record_entries import (
    MAX_DIRECTORY,
    DirectoryEntry,
    ExtensionEntry,
    HuntGroupEntry,
    ShortCodeEntry,
    UserEntry,
)

# Units of one daemon: what a fleet process is measured for.
MAX_UNITS = 10_000
# Far above what any unit was sold with, and below what a unit holds, so that licences can still be added.
MAX_LICENCES = 100_000
# A month: nobody waits longer for a grace to end.
MAX_DURATION_S = 31 * 24 * 3600
# What the daemon's clock can be set to.
MIN_TIME_SCALE, MAX_TIME_SCALE = 0.1, 100_000
# No unit has 10,000 places.
MAX_PLACE_DIGITS = 4


def _opened(name: str) -> BeforeValidator:
    """Takes a bare word for `{name: word}`, and nothing for an empty mapping."""

    def opened(value: object) -> object:
        if value is None:
            return {}
        return {name: value} if isinstance(value, str) else value

    return BeforeValidator(opened)


def _number(value: object) -> object:
    """A place's number that was written in quotes."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= MAX_PLACE_DIGITS:
        return int(value)
    return value


def _date(value: object) -> object:
    """A date that stands in quotes."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


# JSON has only names, and YAML editors see the numbers as such.
_BY_NUMBER: dict[str, Any] = {"propertyNames": {"pattern": "^[0-9]+$"}}

Number = Annotated[int, BeforeValidator(_number)]
BaseCard = Annotated[Text, Field(json_schema_extra=from_catalogue("slot"))]
DaughterCard = Annotated[Text, Field(json_schema_extra=from_catalogue("daughter"))]
CarriedCard = Annotated[Text, Field(json_schema_extra=from_catalogue("carrier"))]
Module = Annotated[Text, Field(json_schema_extra=from_catalogue("expansion"))]


class KeyEntry(Entry):
    """How the unit treats its feature key."""

    boot_policy: Literal["halt", "unlicensed"] | None = Field(
        None,
        description="What a unit without a sound feature key does: stop before telephony (halt, the default), or run "
        "unlicensed, as IP400 systems always do.",
    )
    grace_s: float | None = Field(
        None, ge=0, le=MAX_DURATION_S, description="Seconds that licences outlive a removed key; 7200 by default."
    )
    poll_s: float | None = Field(
        None, ge=0.1, le=MAX_DURATION_S, description="Seconds between two checks of the key; 10 by default."
    )
    secret: Text | None = Field(
        None, repr=False, description="Secret that this unit's licence keys are bound with, instead of bench.secret."
    )


class DaughterEntry(Entry):
    """A trunk daughter card on a base card."""

    card: DaughterCard | None = Field(None, description="The card that is fitted.", examples=["PRI-1"])
    configured: DaughterCard | None = Field(
        None, description="The card that the unit's configuration expects; the fitted one by default."
    )


class CarriedEntry(Entry):
    """An IP400 card on a legacy card carrier."""

    card: CarriedCard | None = Field(None, description="The card that is fitted.", examples=["VCM16"])
    configured: CarriedCard | None = Field(
        None, description="The card that the unit's configuration expects; the fitted one by default."
    )


class SlotEntry(Entry):
    """One front slot."""

    card: BaseCard | None = Field(None, description="The base card that is fitted.", examples=["DS8"])
    daughter: Annotated[DaughterEntry, _opened("card")] = Field(
        DaughterEntry.model_construct(), description="The trunk daughter card on it.", examples=["PRI-1"]
    )
    trunk: Annotated[CarriedEntry, _opened("card")] = Field(
        CarriedEntry.model_construct(), description="The IP400 trunk card on a carrier.", examples=["IP400-E1-1"]
    )
    vcm: Annotated[CarriedEntry, _opened("card")] = Field(
        CarriedEntry.model_construct(), description="The IP400 VCM card on a carrier.", examples=["VCM16"]
    )
    configured: BaseCard | None = Field(
        None, description="The base card that the unit's configuration expects; the fitted one by default."
    )


class ModuleEntry(Entry):
    """One expansion port."""

    module: Module | None = Field(None, description="The expansion module that is connected.", examples=["DS30V2"])
    configured: Module | None = Field(
        None, description="The module that the unit's configuration expects; the connected one by default."
    )


class LicenceEntry(Entry):
    """One licence: a key, or, for entries with a count, a licence that is minted for each unit's own card."""

    key: Text | None = Field(None, description="A licence key of 32 characters.")
    licence: Text | None = Field(
        None,
        description="The licence to mint for each unit of an entry with a count.",
        json_schema_extra=from_catalogue("licence"),
    )
    instances: int | None = Field(
        None, ge=1, le=65_535, description="Instances of the minted licence; its smallest pack by default."
    )
    expiry: Annotated[date, BeforeValidator(_date)] | None = Field(
        None, description="Last day of the minted licence; for ever by default."
    )


class BaseEntry(Entry):
    """A base station of the IP DECT system."""

    mac: Text = Field(
        description="MAC address, in quotes. {n}: number of the unit.",
        examples=["02:00:5e:10:00:01", "02005e{n:04}01"],
    )
    admm: bool = Field(default=False, description="Whether it manages the others; the first one, if none is said to.")
    carries_calls: bool = Field(default=True, description="Whether it carries calls, 8 at most.")
    reachable: bool = Field(default=True, description="Whether it answers at the start.")


class DectEntry(Entry):
    """The IP DECT system beside the unit, with a licence of its own."""

    park: Text = Field(
        description="Portable Access Rights Key, 10 hexadecimal digits. {n}: number of the unit.",
        examples=["1F-10-0A-4C-32", "1F100A{n:04}"],
    )
    licence: Text | None = Field(None, description="Licence key of the IP DECT system, 64 characters.")
    licensed_bases: int | None = Field(
        None, ge=1, le=255, description="Base stations in the key to mint for each unit of an entry with a count."
    )
    bases: list[Annotated[BaseEntry, _opened("mac")]] = Field(
        [], max_length=MAX_RECORDS, description="Base stations.", examples=[["02:00:5e:10:00:01"]]
    )
    violation_timer: bool = Field(
        default=False, description="Whether lost base stations block voice after 72 hours, instead of at once."
    )


class UnitEntry(Entry):
    """One control unit, or with a `count` that many of the same make."""

    model: Text = Field(description="The control unit.", examples=["ip500"], json_schema_extra=from_catalogue("model"))
    name: Text | None = Field(
        None,
        description="Name in topics and commands, unique; unit-1, unit-2, ... by default. {n}: number of the unit.",
        examples=["bench-1", "unit-{n:04}"],
    )
    count: int | None = Field(None, ge=1, le=MAX_UNITS, description="How many units to make from this entry.")
    first: int | None = Field(None, ge=0, le=999_999, description="Number of the first unit of a count; 1 by default.")
    release_profile: Text | None = Field(
        None,
        description="Family of software releases; r5 by default, or the newest that the model runs.",
        json_schema_extra=from_catalogue("release_profile"),
    )
    state: Text | None = Field(
        None,
        description="What a new unit starts as; cold by default.",
        examples=["in-grace"],
        json_schema_extra=from_catalogue("state"),
    )
    feature_set: Text | None = Field(
        None,
        description="A poorer unit than what is configured; full by default.",
        examples=["old-release"],
        json_schema_extra=from_catalogue("feature_set"),
    )
    release: Text | None = Field(None, description="Software version as the unit tells it.", examples=["5.0(8)"])
    system_name: Text | None = Field(
        None,
        description="System name in the unit's configuration; its MAC address by default. {n}: number of the unit.",
    )
    mac: Text | None = Field(
        None, description="MAC address; derived from the name by default.", examples=["02:00:5e:10:00:01"]
    )
    timezone: str = Field(
        "+00:00",
        description="Offset of unit local time from UTC, in quotes.",
        examples=["+01:00"],
        json_schema_extra={"pattern": r"^[+-][0-9]{2}:[0-9]{2}$"},
    )
    key: KeyEntry = Field(KeyEntry.model_construct(), description="What the unit does without its feature key.")
    feature_key: FeatureKeyEntry = Field(
        FeatureKeyEntry.model_construct(), description="Reader of the feature key and the card in it."
    )
    slots: dict[Number, Annotated[SlotEntry, _opened("card")]] = Field(
        {},
        description="Base cards by slot, from 1 on the left.",
        examples=[{"1": {"card": "DS8", "daughter": "PRI-1"}, "2": "VCM32"}],
        json_schema_extra=_BY_NUMBER,
    )
    expansion: dict[Number, Annotated[ModuleEntry, _opened("module")]] = Field(
        {},
        description="Expansion modules by expansion port.",
        examples=[{"1": "DS30V2"}],
        json_schema_extra=_BY_NUMBER,
    )
    licences: list[Annotated[LicenceEntry, _opened("key")]] = Field(
        [], max_length=MAX_LICENCES, description="Licence keys in the unit's configuration."
    )
    users: list[UserEntry] = Field([], max_length=MAX_RECORDS, description="Users with their profiles.")
    extensions: list[ExtensionEntry] = Field(
        [], max_length=MAX_RECORDS, description="IP extensions; ports of cards need no entry."
    )
    directory: list[DirectoryEntry] = Field([], max_length=MAX_DIRECTORY, description="Names of the system directory.")
    hunt_groups: list[HuntGroupEntry] = Field([], max_length=MAX_RECORDS, description="Hunt groups.")
    short_codes: list[ShortCodeEntry] = Field([], max_length=MAX_RECORDS, description="System short codes.")
    dect: DectEntry | None = Field(None, description="The IP DECT system; none by default.")


# Entries for which a bare word can stand, and the setting that it then gives.
SHORTHANDS = {
    "SlotEntry": "card",
    "DaughterEntry": "card",
    "CarriedEntry": "card",
    "ModuleEntry": "module",
    "LicenceEntry": "key",
    "BaseEntry": "mac",
}


class TimeEntry(Entry):
    """The clock of the daemon."""

    scale: float | None = Field(
        None,
        ge=MIN_TIME_SCALE,
        le=MAX_TIME_SCALE,
        description="How much faster than the wall clock time runs; without it, as commands set it last.",
    )


class BenchEntry(Entry):
    """What all units of a bench share."""

    secret: Text | None = Field(
        None,
        repr=False,
        description="Secret that licence keys are bound with. It keys a simulation, it protects nothing.",
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**53 - 1,
        description="Decides all chance, such as whether an injected fault strikes; 0 by default.",
    )


class ConfigFile(Entry):
    """A configuration of ipo-sim."""

    units: list[UnitEntry] = Field(min_length=1, max_length=MAX_UNITS, description="The control units.")
    mqtt: MqttEntry = Field(MqttEntry.model_construct(), description="The MQTT broker.")
    http: HttpEntry | None = Field(None, description="The control API over HTTP; off by default.")
    time: TimeEntry = Field(TimeEntry.model_construct(), description="The clock.")
    state_dir: Text | None = Field(
        None, description="Folder of the journal and the embedded broker, relative to the configuration file."
    )
    bench: BenchEntry = Field(BenchEntry.model_construct(), description="What all units share.")
