"""The words of streams over HTTP: names of their events."""

from __future__ import annotations

MEDIA_TYPE = "text/event-stream"

ENTITY = "entity"
EVENT = "event"
ANSWER = "answer"
MISSED = "missed"
SYNCHRONISED = "synchronised"
END = "end"
