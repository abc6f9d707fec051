"""`ipo-sim card read`: who the card in a reader is, and what a policy makes of it."""

from __future__ import annotations

from argparse import Namespace

from ipo_sim.card.exchange import converse
from ipo_sim.card.reading import CardPolicy, inspect_card
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.cli.card.link import CardLink
from ipo_sim.cli.card.place import Way, meant
from ipo_sim.cli.card.policy import fresh_challenge, open_policy
from ipo_sim.cli.card.slots import serial_fact, with_card
from ipo_sim.cli.card.text import Facts, card_lines, fact_facts, inspection_facts, judgement, unreadable_facts
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.terminal import print_json


def main(arguments: Namespace) -> int:
    """Read and print; the exit code is 1 when the card is no feature key."""
    facts = _read(arguments)
    if arguments.json:
        print_json(facts)
    else:
        print("\n".join(card_lines(facts)))
    return EXIT_FAILED if "error" in facts else EXIT_OK


def _read(arguments: Namespace) -> Facts:
    if arguments.config is not None and arguments.issuer:
        raise UsageError("--issuer: with --config those of the unit count, see `issuers`")
    curious = open_policy(arguments.issuer)
    place, policy = meant(arguments.reader, arguments.config, arguments.unit)
    if place.way is Way.SERIAL:
        return {"reader": place.address, **fact_facts(serial_fact(place.address, arguments.timeout))}
    reader, facts = with_card(place, arguments.timeout, lambda card: _inspect(card, curious, policy))
    return {"reader": reader.address, **facts}


def _inspect(card: CardLink, curious: CardPolicy, policy: CardPolicy | None) -> Facts:
    """With the policy's own eyes if there is one: its kinds, its issuers."""
    atr = card.atr()
    head = {"atr": atr.hex().upper()}
    try:
        seen = converse(inspect_card(atr, policy or curious, fresh_challenge()), card.transmit)
    except CardUnreadable as error:
        return {**head, **unreadable_facts(error)}
    facts = {**head, "medium": seen.medium.value, **inspection_facts(seen)}
    return facts if policy is None else {**facts, **judgement(seen, policy)}
