"""The chain that ties every row of a journal to the row before it; docs/reference/journal.md has it with vectors.

It finds what was changed by accident or by hand. It is no signature: whoever rewrites a whole file can make it anew.
"""

from __future__ import annotations

from hashlib import blake2b

HASH_SIZE = 16
# Before a unit's first epoch.
NOTHING = bytes(HASH_SIZE)


def epoch_hash(before: bytes, name: str, epoch: int, created: int, definition: str, rewound: str) -> bytes:
    """Of a row of `units`; `before` is the hash of the last row of the unit's epoch before, or NOTHING."""
    text = f"{epoch},{created},{len(name)},{len(rewound)}:{name}{rewound}{definition}"
    return blake2b(before + text.encode(), digest_size=HASH_SIZE).digest()


def event_hash(before: bytes, row: int, seq: int, at: int, kind: str, cause: str, data: str) -> bytes:
    """Of a row of `events`; `before` is the hash of the event before it in its epoch, or of the epoch's own row."""
    # The lengths let no two rows give the same text.
    text = f"{row},{seq},{at},{len(kind)},{len(cause)}:{kind}{cause}{data}"
    return blake2b(before + text.encode(), digest_size=HASH_SIZE).digest()
