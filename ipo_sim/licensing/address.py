"""Addresses that keys are bound to: MACs of stations, and the PARK of a DECT system."""

from __future__ import annotations

import re

PARK_DIGITS = 10
# Behind what `mac_address` does not take.
NO_STATION = "is not the MAC address of a station: six pairs of hex digits such as 02:00:5e:10:00:01, the first even"

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
_PARK = re.compile(rf"[0-9A-F]{{{PARK_DIGITS}}}")


def mac_address(text: str) -> str | None:
    """A single station's address as six pairs in lower case with colons; None: it is none."""
    if _MAC.fullmatch(text) is None:
        return None
    digits = text.replace(":", "").replace("-", "").lower()
    is_group = int(digits[:2], 16) & 1
    return None if is_group or not int(digits, 16) else ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def park(text: str) -> str | None:
    """A Portable Access Rights Key as ten hexadecimal digits in capitals; hyphens between them are forgiven.

    None: it is none; all zeros are none either.
    """
    digits = text.replace("-", "").upper()
    return digits if _PARK.fullmatch(digits) and int(digits, 16) else None
