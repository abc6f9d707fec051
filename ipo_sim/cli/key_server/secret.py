"""The secret that a key server and its units share, as it stands in a file."""

from __future__ import annotations

from pathlib import Path

from ipo_sim.cli.failure import UsageError

# More is no secret but another file.
MAX_SECRET = 1024


def read_secret(path: Path | None) -> bytes | None:
    """The bytes in the file without line ends around them; UsageError when there are none."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            secret = file.read(MAX_SECRET + 1).strip(b"\r\n")
    except OSError as error:
        raise UsageError(f"--secret-file: {path}: {error.strerror or error}") from None
    if not 1 <= len(secret) <= MAX_SECRET:
        raise UsageError(f"--secret-file: {path}: a secret has 1 to {MAX_SECRET} bytes")
    return secret
