"""Signatures of cards by the package `cryptography`, which the extra `cards` brings."""

from __future__ import annotations

import importlib.util

from ipo_sim.card.assurance import CardCrypto


class SignatureCheck:
    """See `CardCrypto`."""

    def ed25519_holds(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """See `CardCrypto.ed25519_holds`."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra, and slow to load
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above

        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def p256_holds(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """See `CardCrypto.p256_holds`."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra, and slow to load
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
            key.verify(signature, message, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def signature_check() -> CardCrypto | None:
    """The check of signatures; None when the extra is not installed."""
    return None if importlib.util.find_spec("cryptography") is None else SignatureCheck()
