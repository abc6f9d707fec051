"""`ipo-sim card write`: an FKC-1 card, after asking about what is on it, and read back."""

from __future__ import annotations

import sys
from argparse import Namespace
from functools import partial
from typing import NamedTuple

from ipo_sim.card.exchange import converse
from ipo_sim.card.layout import FkcContent
from ipo_sim.card.occupancy import Occupant, occupant_of
from ipo_sim.card.reading import inspect_card
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.card.writing import CODE_BYTES, CardWriteError, write_card
from ipo_sim.cli.card.keys import Issuer, bench_issuer, read_card_key, read_issuer
from ipo_sim.cli.card.link import CardLink
from ipo_sim.cli.card.place import commanded
from ipo_sim.cli.card.policy import fresh_challenge, open_policy
from ipo_sim.cli.card.slots import with_card
from ipo_sim.cli.card.text import Facts, card_lines, inspection_facts
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.terminal import print_json


class _Order(NamedTuple):
    """What is to be written; the card's own key comes from the card unless it is given."""

    content: FkcContent
    issuer: Issuer | None
    security_code: bytes | None


def main(arguments: Namespace) -> int:
    """Write; the exit code is 1 when the user says no."""
    place = commanded(arguments.reader)
    order = _order(arguments)
    place, (atr, occupant) = with_card(place, arguments.timeout, _look)
    if occupant is not None and not arguments.yes and not _agreed(place.address, occupant):
        print("Nothing was written.", file=sys.stderr)
        return EXIT_FAILED
    _, facts = with_card(place, arguments.timeout, partial(_write, atr=atr, occupant=occupant, order=order))
    if arguments.json:
        print_json({"reader": place.address, **facts})
    else:
        print("\n".join(card_lines({"reader": place.address, **facts})))
    return EXIT_OK


def _order(arguments: Namespace) -> _Order:
    issuer = bench_issuer() if arguments.bench_issuer else None
    if arguments.issuer_key is not None:
        issuer = read_issuer(arguments.issuer_key)
    if arguments.card_key is not None and issuer is None:
        raise UsageError("--card-key: a card's own key counts only when an issuer signs it: --issuer-key FILE")
    key = None if arguments.card_key is None else read_card_key(arguments.card_key)
    return _Order(
        FkcContent(arguments.serial, arguments.law, public_key=key), issuer, _security_code(arguments.security_code)
    )


def _security_code(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        code = bytes.fromhex(text)
    except ValueError:
        code = b""
    if len(code) != CODE_BYTES:
        raise UsageError(f"--security-code: {text!r} is not {2 * CODE_BYTES} hexadecimal digits")
    return code


def _look(card: CardLink) -> tuple[bytes, Occupant | None]:
    atr = card.atr()
    return atr, converse(occupant_of(atr), card.transmit)


def _agreed(reader: str, occupant: Occupant) -> bool:
    question = f"The card in {reader} holds {occupant.text}."
    if not sys.stdin.isatty():
        raise UsageError(f"{question} --yes overwrites it")
    print(f"{question} Overwrite it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _write(card: CardLink, *, atr: bytes, occupant: Occupant | None, order: _Order) -> Facts:
    if card.atr() != atr or converse(occupant_of(atr), card.transmit) != occupant:
        raise CardWriteError("another card is in the reader now; nothing was written")
    content = order.content
    if content.public_key is None and order.issuer is not None and occupant is not None:
        content = content._replace(public_key=occupant.public_key)
    if order.issuer is not None:
        content = order.issuer.sign(content)
    converse(write_card(atr, content, order.security_code), card.transmit)
    return _read_back(card, atr, content, order)


def _read_back(card: CardLink, atr: bytes, content: FkcContent, order: _Order) -> Facts:
    issuers = () if order.issuer is None else (order.issuer.public_key.hex(),)
    try:
        seen = converse(inspect_card(atr, open_policy(issuers), fresh_challenge()), card.transmit)
    except CardUnreadable as error:
        raise CardWriteError(f"the card was written, and does not read as it should: {error}") from error
    if seen.found.content != content:
        raise CardWriteError("the card was written, and holds something else than was written")
    return {"atr": atr.hex().upper(), "medium": seen.medium.value, **inspection_facts(seen)}
