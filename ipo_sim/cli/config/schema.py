"""`ipo-sim schema`: what editors and clients can be made from."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping

from ipo_sim.cli.failure import EXIT_OK


def main(arguments: Namespace) -> int:
    """Print one schema, as it is committed in docs/reference."""
    print(json.dumps(_DOCUMENTS[arguments.what](), indent=2, ensure_ascii=False))
    return EXIT_OK


def _config() -> object:
    from ipo_sim.config.schema import json_schema  # noqa: PLC0415 - one of them is enough

    return json_schema()


def _mqtt() -> object:
    from ipo_sim.mqtt.schema import asyncapi  # noqa: PLC0415 - one of them is enough
    from ipo_sim.runtime.commands import COMMANDS  # noqa: PLC0415 - as above

    return asyncapi(COMMANDS)


def _http() -> object:
    from ipo_sim.panel.schema import openapi  # noqa: PLC0415 - as above
    from ipo_sim.runtime.commands import COMMANDS  # noqa: PLC0415 - as above

    return openapi(COMMANDS)


def _scenario() -> object:
    from ipo_sim.scenario.schema import json_schema  # noqa: PLC0415 - as above

    return json_schema()


_DOCUMENTS: Mapping[str, Callable[[], object]] = {
    "config": _config,
    "mqtt": _mqtt,
    "http": _http,
    "scenario": _scenario,
}
