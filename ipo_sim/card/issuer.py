"""The bench issuer: whose signatures hold where nobody says otherwise, and whom everybody can impersonate."""

from __future__ import annotations

# The private key is public on purpose: signatures by it try the way out and protect nothing.
BENCH_ISSUER_SEED = b"ipo-sim bench issuer, no secret!"
BENCH_ISSUER = bytes.fromhex("0F11C89D44F7C74BB9179EB42CB97CABF98EAA5E0E883F7B435BF09E64C1E280")
