"""The payloads: one model for each kind of entity. They are the source of the schema; a daemon does not load them.

The encoder writes their fields, in their order; tests hold it to that. Fields are an API: adding one is compatible,
anything else raises the encoder's `VERSION` and goes into the changelog.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ipo_sim.catalogue.types import PlaceKind, Ports
from ipo_sim.core.model import (
    Availability,
    DectState,
    ExtensionKind,
    Hold,
    KeyCondition,
    KeyPresence,
    KeyReason,
    Lifecycle,
    OperState,
    PhoneState,
    Reserve,
)
from ipo_sim.licensing.status import LicenceStatus

SeverityName = Literal["cleared", "indeterminate", "critical", "major", "minor", "warning"]
Chain = Annotated[tuple[str, ...], Field(description="Why it is not in order, from near to far.")]


class EntityPayload(BaseModel):
    """What every entity carries: schema version, the event that last changed it, and when, in unit time."""

    model_config = ConfigDict(frozen=True)

    v: Literal[1]
    seq: int
    at: datetime


class UnitPayload(EntityPayload):
    """The control unit in one line."""

    name: str
    model: str
    system_name: str
    mac: str
    release: str
    release_profile: str
    state: Lifecycle
    until: Annotated[datetime | None, Field(description="When the state ends by itself.")]
    edition: str
    telephony: bool
    licence_server: Annotated[
        str,
        Field(
            description="License Server IP Address: of the PC with the dongle, 255.255.255.255 to look for it by "
            "broadcast, 0.0.0.0 for a dongle on the unit; an IP500 has it and ignores it."
        ),
    ]
    clock: Annotated[datetime, Field(description="`at` as the unit's own clock shows it.")]
    daemon: Annotated[
        str, Field(description="Client id whose `availability` counts as well; only on a shared connection.")
    ] = ""
    cause: Chain = ()


class FeatureKeyPayload(EntityPayload):
    """The feature key as the unit sees it."""

    presence: KeyPresence
    condition: KeyCondition
    reason: Annotated[KeyReason, Field(description="The maker's reason of event 40.")]
    detail: Annotated[str | None, Field(description="Why a card is unreadable, in the reader's words.")]
    serial: str | None
    law: str | None
    kind: str | None
    identity: str | None
    assurance: str | None
    counter: Annotated[int, Field(description="Insertions that the reader counted.")]
    grace_until: datetime | None
    validated_serial: Annotated[str | None, Field(description="The serial that licences count against now.")]
    last_serial: str | None
    dongle_serial_number: Annotated[
        str, Field(description="As a management tool shows it: `Local` or `Remote` and the serial, or `None`.")
    ]
    cause: Chain = ()


class ReaderPayload(EntityPayload):
    """The reader of the feature key."""

    kind: str
    name: str
    state: Literal["attached", "lost"]
    counters: dict[str, int]
    last_error: str | None
    cause: Chain = ()


class LicencePayload(EntityPayload):
    """One licence string of the unit's configuration; what the string does not tell is null."""

    number: int
    key: str
    type: str
    id: Annotated[int | None, Field(description="Numeric licence id of public client tables.")]
    instances: int | None
    status: LicenceStatus
    expiry: date | None
    loaded: bool
    cause: Chain = ()


class FeaturePayload(EntityPayload):
    """The instance pool of a licensed feature."""

    name: str
    licence: str
    licensed: int
    free: Annotated[int, Field(description="Instances that need no licence.")]
    usable: Annotated[int, Field(description="What hardware and capacity let be used of both.")]
    in_use: int
    available: int
    refused: Annotated[bool, Field(description="A use was refused and none is free since.")]
    wanting: Annotated[int, Field(description="Configured instances that no licence covers.")]
    cause: Chain = ()


class UserPayload(EntityPayload):
    """A configured user with the profile and features that take licences."""

    name: str
    full_name: str
    extension: str
    profile: str
    features: tuple[str, ...]
    active: bool
    cause: Chain = ()


class ExtensionPayload(EntityPayload):
    """An IP extension and its phone."""

    number: str
    kind: ExtensionKind
    reserve: Annotated[Reserve, Field(description="Reserved from the next start on.")]
    reserved: Annotated[Reserve, Field(description="Reserved now.")]
    state: PhoneState
    mac: str
    address: str
    cause: Chain = ()


class BaseStationPayload(EntityPayload):
    """A base station of the IP DECT system."""

    mac: str
    admm: Annotated[bool, Field(description="It manages the others.")]
    licensed: Annotated[bool, Field(description="Its MAC is in the licence key: its answer counts.")]
    carries_calls: bool
    reachable: bool
    cause: Chain = ()


class DectPayload(EntityPayload):
    """The IP DECT system; only a unit that has one has this entity."""

    state: DectState
    voice: Annotated[bool, Field(description="Whether the licence lets handsets talk.")]
    park: str
    key: Annotated[str, Field(description="The licence key that was entered; empty: none.")]
    licensed_bases: int
    licensed_macs: tuple[str, ...]
    required: Annotated[int, Field(description="How many of the licensed base stations must answer.")]
    present: Annotated[int, Field(description="How many of them do.")]
    violation_timer: Annotated[bool, Field(description="Whether a violation is borne for a time.")]
    left_s: Annotated[
        float | None, Field(description="Of the violation timer at `at`; it runs down in a violation, else it fills.")
    ]
    until: Annotated[datetime | None, Field(description="When the timer has run down or is full; null: it is.")]
    handsets: Annotated[int, Field(description="DECT extensions that are configured.")]
    active_handsets: Annotated[int, Field(description="Those of them that are registered.")]
    advised_handsets: Annotated[int, Field(description="How many should be active at most.")]
    calls: int
    cause: Chain = ()


class PartPayload(EntityPayload):
    """A slot, its daughter card place, or an expansion port, and what is at it."""

    kind: PlaceKind
    number: int
    fitted: str | None
    configured: str | None
    detected: Annotated[bool, Field(description="Seen at the last start; a part fitted live waits for the next.")]
    oper_state: OperState
    availability: Annotated[Availability | None, Field(description="ITU-T X.731; null while in service.")]
    hold: Annotated[Hold | None, Field(description="What keeps it from serving; null while in service.")]
    ports: tuple[Ports, ...]
    entity_name: str
    entity_index: int
    fault: str | None
    cause: Chain = ()


class PortPayload(EntityPayload):
    """A port of a card or module with a phone, or with calls on its line; the topic is cleared when neither is left."""

    name: str
    place: Annotated[str, Field(description="Where its card or module is, such as `slots/1`.")]
    number: Annotated[int, Field(description="As printed at the socket.")]
    kind: str
    phone: Annotated[str | None, Field(description="Type of the phone that was detected.")]
    calls: Annotated[tuple[str, ...], Field(description="Calls on its line.")]


class LedPayload(EntityPayload):
    """One LED."""

    name: str
    colour: str
    pattern: str


class AlarmPayload(EntityPayload):
    """An active alarm; the topic is cleared when it ends."""

    id: str
    event: int
    name: str
    severity: SeverityName
    reason: int | None
    entity: str
    entity_name: str
    entity_index: int
    since: datetime
    text: str
    cause: Chain = ()


class FaultPayload(EntityPayload):
    """An injected fault; the topic is cleared when it is over."""

    id: str
    fault: Annotated[str, Field(description="Its name in the catalogue of faults.")]
    target: Annotated[str, Field(description="What fails: `feature-key`, `reader`, `unit`, `mqtt`, or a place.")]
    options: Annotated[dict[str, str], Field(description="Lengths of time in nanoseconds.")]
    state: Literal["waiting", "active"]
    striking: Annotated[bool, Field(description="It has its effect now; of messages each has a chance of its own.")]
    strikes: Annotated[int, Field(description="How often it struck; of messages nobody counts here.")]
    probability: float
    clear_after: int | None
    starts: datetime
    until: datetime | None
    seed: int
    cause: Chain = ()


class NotificationPayload(BaseModel):
    """One of the maker's events as a trap carries it."""

    model_config = ConfigDict(frozen=True)

    event: int
    name: str
    severity: SeverityName
    reason: int | None
    entity: str
    entity_name: str
    entity_index: int
    text: str
    data: str
    cause: Chain = ()


class EventPayload(EntityPayload):
    """One accepted event of a unit, as in its journal; `cause` says who brought it."""

    unit: str
    type: str
    data: dict[str, Any]
    cause: str
    notifications: tuple[NotificationPayload, ...]
