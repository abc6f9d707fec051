"""The records of an entry, as the core takes them."""

from __future__ import annotations

from ipo_sim.config.record_entries import (
    DirectoryEntry,
    ExtensionEntry,
    HuntGroupEntry,
    ShortCodeEntry,
    UserEntry,
)
from ipo_sim.core.definition import DirectoryDefinition, HuntGroupDefinition, ShortCodeDefinition
from ipo_sim.core.model import ExtensionDefinition, ExtensionKind, Reserve, UserDefinition
from ipo_sim.core.words import HuntMode


def user_of(entry: UserEntry) -> UserDefinition:
    """The user of one entry."""
    return UserDefinition(entry.name, entry.full_name, entry.extension, entry.profile, tuple(entry.features))


def extension_of(entry: ExtensionEntry) -> ExtensionDefinition:
    """The IP extension of one entry."""
    return ExtensionDefinition(entry.number, ExtensionKind(entry.kind), Reserve(entry.reserve))


def directory_of(entry: DirectoryEntry) -> DirectoryDefinition:
    """The directory record of one entry."""
    return DirectoryDefinition(entry.name, entry.number)


def hunt_group_of(entry: HuntGroupEntry) -> HuntGroupDefinition:
    """The hunt group of one entry."""
    return HuntGroupDefinition(
        entry.name,
        entry.extension,
        HuntMode(entry.ring),
        tuple(entry.members),
        entry.queuing,
        entry.voicemail,
        entry.broadcast,
        entry.voicemail_email,
    )


def short_code_of(entry: ShortCodeEntry) -> ShortCodeDefinition:
    """The short code of one entry."""
    return ShortCodeDefinition(entry.code, entry.number, entry.feature)
