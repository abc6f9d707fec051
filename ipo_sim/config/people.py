"""Users and IP extensions of an entry, as the core takes them."""

from __future__ import annotations

from ipo_sim.config.entries import ExtensionEntry, UserEntry
from ipo_sim.core.model import ExtensionDefinition, ExtensionKind, Reserve, UserDefinition


def user_of(entry: UserEntry) -> UserDefinition:
    """The user of one entry."""
    return UserDefinition(entry.name, entry.full_name, entry.extension, entry.profile, tuple(entry.features))


def extension_of(entry: ExtensionEntry) -> ExtensionDefinition:
    """The IP extension of one entry."""
    return ExtensionDefinition(entry.number, ExtensionKind(entry.kind), Reserve(entry.reserve))
