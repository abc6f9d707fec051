"""Chance that is none: what follows from a seed, the same on every machine and at every replay."""

from __future__ import annotations

from hashlib import blake2b

_RANGE = 1 << 64


def happens(seed: int, what: str, count: int, probability: float) -> bool:
    """Whether the `count`-th of these, which happen with this probability, does."""
    digest = blake2b(f"{seed} {count} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < probability * _RANGE
