"""`ipo-sim card list`: PC/SC readers with what is in them, and serial devices that may be readers."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator

from ipo_sim.card.exchange import converse
from ipo_sim.card.reading import inspect_card
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.cli.card.link import CardLink
from ipo_sim.cli.card.place import Place, Way
from ipo_sim.cli.card.policy import fresh_challenge, open_policy
from ipo_sim.cli.card.slots import Slot, slots, with_card
from ipo_sim.cli.card.text import Facts, inspection_facts, unreadable_facts
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK
from ipo_sim.cli.terminal import print_json, table
from ipo_sim.errors import ReaderError

HEAD = ("READER", "CARD", "IDENTITY", "ASSURANCE")


def main(arguments: Namespace) -> int:
    """List; the exit code is 1 when PC/SC cannot be asked."""
    problem: str | None = None
    found: list[Facts] = []
    try:
        found += [_pcsc(slot, arguments.timeout) for slot in slots()]
    except ReaderError as error:
        problem = str(error)
    found += _serial()
    if arguments.json:
        print_json({"readers": found, "error": problem})
    else:
        print("\n".join(table(map(_row, found), HEAD) or ["There is no reader."]))
        if problem:
            print(f"ipo-sim: PC/SC: {problem}", file=sys.stderr)
    return EXIT_FAILED if problem else EXIT_OK


def _pcsc(slot: Slot, timeout_s: float) -> Facts:
    facts: Facts = {"reader": slot.name, "via": "pcsc", "occupied": slot.occupied}
    if not slot.occupied:
        return facts
    try:
        _, told = with_card(Place(Way.PCSC, slot.name), timeout_s, _told)
    except ReaderError as error:
        return {**facts, "error": {"reason": None, "message": str(error)}}
    return {**facts, **told}


def _told(card: CardLink) -> Facts:
    atr = card.atr()
    try:
        return inspection_facts(converse(inspect_card(atr, open_policy(), fresh_challenge()), card.transmit))
    except CardUnreadable as error:
        return unreadable_facts(error)


def _serial() -> Iterator[Facts]:
    """Devices only: opening one resets most boards."""
    from serial.tools.list_ports import comports  # noqa: PLC0415 - only this command pays for it

    for port in sorted(comports(), key=lambda port: port.device):
        yield {"reader": port.device, "via": "serial", "occupied": None, "description": port.description}


def _row(facts: Facts) -> tuple[str, str, str, str]:
    if facts["via"] == "serial":
        return facts["reader"], f"serial device: {facts['description']}", "", ""
    if not facts["occupied"]:
        return facts["reader"], "empty", "", ""
    if "error" in facts:
        return facts["reader"], facts["error"]["message"], "", ""
    return facts["reader"], facts["kind"], facts["identity"], facts["assurance"]
