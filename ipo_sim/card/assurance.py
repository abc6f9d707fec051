"""How sure one may be of a card: what it says, what an issuer signed, what it proves."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Assurance(StrEnum):
    """Levels from weak to strong: each includes the ones before it.

    `identifier`: the card says so, and a copy says the same. `signed`: an issuer's signature over what it says holds.
    `authenticated`: the card holds the private key to the public key that the issuer signed.
    """

    IDENTIFIER = "identifier"
    SIGNED = "signed"
    AUTHENTICATED = "authenticated"

    def reaches(self, least: Assurance) -> bool:
        """Whether this level is `least` or stronger."""
        return _LEVELS.index(self) >= _LEVELS.index(least)


_LEVELS = tuple(Assurance)


class CardCrypto(Protocol):
    """Checks of signatures, done outside this room. A malformed key or signature does not hold; nothing is raised."""

    def ed25519_holds(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether an Ed25519 signature (64 bytes) by a key (32 bytes) over the message holds."""
        ...

    def p256_holds(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether an ECDSA signature (DER) with SHA-256 by a P-256 key (65 bytes, uncompressed) over it holds."""
        ...
