"""The link to a licence key server: what the unit tells of it (licensing.md 8)."""

from __future__ import annotations

from ipo_sim.core.draft import Draft
from ipo_sim.core.events import KeyServerPollMissed
from ipo_sim.core.model import FeatureKey, Reader
from ipo_sim.core.words import KEY_INDEX, KEY_NAME, KEY_SERVER
from ipo_sim.errors import CommandRejected

READER_PATH = "reader"
LINK_FAILURE = 24
LINK_ERROR = 26
LINK_CHANGE = 27


def miss_poll(draft: Draft, fact: KeyServerPollMissed) -> None:
    """A passing fault of the link: told, and nothing else changes."""
    if draft.reader.kind != KEY_SERVER:
        raise CommandRejected("no-key-server", f"unit {draft.definition.name} has a {draft.reader.kind} reader")
    if not draft.reader.attached:
        raise CommandRejected("reader-lost", f"key server {draft.reader.name} is lost already")
    if fact.misses < 1:
        raise CommandRejected("bad-count", f"polls that were missed are counted from 1, not {fact.misses}")
    if draft.up:
        text = f"licence key server {draft.reader.name}: {fact.misses} in a row unanswered"
        draft.notify(LINK_ERROR, READER_PATH, KEY_NAME, KEY_INDEX, text=text)


def change_dongle(draft: Draft, key: FeatureKey) -> None:
    """The server validates another dongle than it did last."""
    text = f"licence key server {draft.reader.name}: dongle changed from {key.last_serial} to {key.serial}"
    draft.notify(LINK_CHANGE, READER_PATH, KEY_NAME, KEY_INDEX, text=text)


def is_server_lost(reader: Reader) -> bool:
    """Whether the link has failed; a server that was never asked has not."""
    return reader.kind == KEY_SERVER and not reader.attached and reader.last_error is not None
