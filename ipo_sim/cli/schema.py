"""`ipo-sim schema`: what editors and clients can be made from."""

from __future__ import annotations

import json
from argparse import Namespace

from ipo_sim.cli.failure import EXIT_OK


def main(arguments: Namespace) -> int:
    """Print one schema, as it is committed in docs/reference."""
    document = _config() if arguments.what == "config" else _mqtt()
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return EXIT_OK


def _config() -> object:
    from ipo_sim.config.schema import json_schema  # noqa: PLC0415 - one of the two is enough

    return json_schema()


def _mqtt() -> object:
    from ipo_sim.mqtt.schema import asyncapi  # noqa: PLC0415 - one of the two is enough
    from ipo_sim.runtime.commands import COMMANDS  # noqa: PLC0415 - as above

    return asyncapi(COMMANDS)
