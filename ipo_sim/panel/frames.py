"""Server-sent events as bytes (HTML Living Standard, 9.2)."""

from __future__ import annotations

# Nothing to say, but still here: a comment.
STILL_HERE = b":\n\n"


def frame(event: str, data: bytes, seq: int | None = None) -> bytes:
    """One event; `data` is JSON, hence one line. `seq` is what a client resumes after."""
    number = b"" if seq is None else b"id: %d\n" % seq
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), number, data)
