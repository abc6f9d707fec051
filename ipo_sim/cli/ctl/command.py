"""`ipo-sim ctl`: one command to one unit, and its answer; or what the unit says by itself."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from typing import Any

from ipo_sim.cli.ctl.answers import answer_lines
from ipo_sim.cli.ctl.help import command_list
from ipo_sim.cli.ctl.words import arguments_of, spelled_out
from ipo_sim.cli.discovery import Target, find_broker
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.remote import check_unit, connected
from ipo_sim.cli.terminal import Style, print_json
from ipo_sim.core.model import UnitName
from ipo_sim.errors import BrokerError, CommandRejected, IpoSimError


def main(arguments: Namespace) -> int:
    """Send what is asked for; without a command, list what can be."""
    if arguments.verb is None:
        print(command_list())
        return EXIT_OK
    check_unit(arguments.unit)
    if arguments.verb in ("watch", "status"):
        from ipo_sim.cli.ctl.watch import follow  # noqa: PLC0415 - only those who listen

        return follow(arguments)
    if arguments.verb == "licences":
        from ipo_sim.cli.licence.form import print_form  # noqa: PLC0415 - only those who ask for it

        return print_form(arguments)
    if arguments.count or arguments.until:
        raise UsageError("--count and --until are for watch")
    command, words = spelled_out(arguments.verb, arguments.words)
    return ask(arguments, command.verb, arguments_of(command, words))


def ask(arguments: Namespace, verb: str, values: dict[str, Any]) -> int:
    """Send one request and print its answer; the exit code says whether it was granted."""
    target = find_broker(arguments)
    try:
        answer = asyncio.run(_request(target, UnitName(arguments.unit), verb, values))
    except (CommandRejected, BrokerError) as error:
        if arguments.json:
            print_json({"ok": False, "error": {"code": _code(error), "message": str(error)}})
            return EXIT_FAILED
        raise
    if arguments.json:
        print_json({"ok": True, **answer})
    else:
        print("\n".join(answer_lines(verb, answer, Style(sys.stdout))))
    return EXIT_OK


async def _request(target: Target, unit: UnitName, verb: str, values: dict[str, Any]) -> dict[str, Any]:
    async with connected(target) as remote:
        return await remote.request(unit, verb, values)


def _code(error: IpoSimError) -> str:
    return error.reason if isinstance(error, CommandRejected) else error.code
