"""`ipo-sim card issuer-key`: make an issuer's key, or show the public part of one that is there."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.cli.card.keys import make_issuer, read_issuer
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.terminal import print_json, table


def main(arguments: Namespace) -> int:
    """Print what a configuration needs to know of it."""
    made = not arguments.file.exists()
    issuer = make_issuer(arguments.file) if made else read_issuer(arguments.file)
    facts = {
        "file": str(arguments.file),
        "made": made,
        "public_key": issuer.public_key.hex().upper(),
        "key_id": issuer.key_id.hex().upper(),
    }
    if arguments.json:
        print_json(facts)
        return EXIT_OK
    state = "new" if made else "there already"
    rows = [
        ("private key", f"{arguments.file}, {state}"),
        ("public key", str(facts["public_key"])),
        ("key id", str(facts["key_id"])),
    ]
    print("\n".join(table(rows)))
    return EXIT_OK
