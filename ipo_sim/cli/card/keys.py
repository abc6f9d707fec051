"""Keys of issuers and cards as files; what signs and makes them comes with the extra `cards`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ipo_sim.card.issuer import BENCH_ISSUER_SEED
from ipo_sim.card.layout import FkcContent, key_id
from ipo_sim.card.reading import EXTRA
from ipo_sim.cli.failure import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Far more than a key in PEM has.
MAX_KEY_FILE = 64 * 1024


class Issuer:
    """A private Ed25519 key that signs what cards say."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        """Its name on cards."""
        return key_id(self.public_key)

    def sign(self, content: FkcContent) -> FkcContent:
        """The content with this issuer's signature."""
        named = content._replace(key_id=self.key_id, signature=None)
        return named._replace(signature=self._key.sign(named.signed_part()))


def bench_issuer() -> Issuer:
    """The issuer that everybody can be."""
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - slow to load

    return Issuer(Ed25519PrivateKey.from_private_bytes(BENCH_ISSUER_SEED))


def read_issuer(path: Path) -> Issuer:
    """The issuer of a key file; UsageError when it holds no such key."""
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise UsageError(f"{path}: no private key in PEM without a password: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: an issuer's key is of the kind Ed25519")
    return Issuer(key)


def make_issuer(path: Path) -> Issuer:
    """A new issuer, its key in a file that nobody else may read; UsageError when the file cannot be made."""
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = Ed25519PrivateKey.generate()
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    return Issuer(key)


def read_card_key(path: Path) -> bytes:
    """A card's public key as its uncompressed point; UsageError when the file holds none of P-256."""
    _need_extra()
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    try:
        key = load_pem_public_key(_read(path))
    except ValueError as error:
        raise UsageError(f"{path}: no public key in PEM: {error}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageError(f"{path}: a card's key is of the curve P-256")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _need_extra() -> None:
    if importlib.util.find_spec("cryptography") is None:
        raise UsageError(EXTRA)
