"""Licence keys: our own open 32-character strings that bind a licence to the serial of a feature key card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class LicenceKey:
    """A recognised string: what it licenses and until the end of which day; None: for ever."""

    text: str
    licence_code: int
    instances: int
    expiry: date | None
    nonce: int
