"""`ipo-sim card enrol`: an ordinary card into the enrolment of a configuration file, whose comments stay."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from ipo_sim.card.exchange import converse
from ipo_sim.card.reading import derived_serial, inspect_card
from ipo_sim.cli.card.link import CardLink
from ipo_sim.cli.card.place import meant_by_unit
from ipo_sim.cli.card.policy import card_reader_of, fresh_challenge, open_policy
from ipo_sim.cli.card.slots import with_card
from ipo_sim.cli.config.file import add_items
from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.cli.terminal import print_json
from ipo_sim.config.card_policy import canonical_identity, identity_problem
from ipo_sim.config.list_edit import quoted
from ipo_sim.config.settings import ReaderSettings, Settings
from ipo_sim.core.model import UnitName

SETTING = "feature_key.enrolled"


def main(arguments: Namespace) -> int:
    """Enter the card; nothing when it is there already with the same serial."""
    unit, reader = card_reader_of(arguments.config, arguments.unit)
    assert reader.cards is not None
    identity = _identity(arguments, reader)
    serial = arguments.serial or derived_serial(identity)
    known = dict(reader.cards.enrolled).get(identity)
    if known not in (None, serial):
        raise UsageError(f"{arguments.config}: {identity} is enrolled as {known} already: change that in the file")
    if known is None:
        item = f"{{identity: {quoted(identity)}, serial: {quoted(serial)}}}"
        add_items(arguments.config, unit, SETTING, [item], _with_card(unit, identity, serial))
    facts = {
        "config": str(arguments.config),
        "unit": unit,
        "identity": identity,
        "serial": serial,
        "new": known is None,
    }
    if arguments.json:
        print_json(facts)
    else:
        print(f"{unit}: {identity} {'stands' if known is None else 'stood already'} for feature key {serial}")
    return EXIT_OK


def _identity(arguments: Namespace, reader: ReaderSettings) -> str:
    if arguments.identity is not None:
        identity = canonical_identity(arguments.identity)
    else:
        _, identity = with_card(meant_by_unit(arguments.reader, reader), arguments.timeout, _identity_of)
    problem = identity_problem(identity)
    if problem is not None:
        raise UsageError(problem)
    return identity


def _identity_of(card: CardLink) -> str:
    return converse(inspect_card(card.atr(), open_policy(), fresh_challenge()), card.transmit).found.identity


def _with_card(unit: UnitName, identity: str, serial: str) -> Callable[[Settings], Settings]:
    def changed(reader: ReaderSettings) -> ReaderSettings:
        assert reader.cards is not None
        return replace(reader, cards=replace(reader.cards, enrolled=(*reader.cards.enrolled, (identity, serial))))

    def change(settings: Settings) -> Settings:
        readers: Mapping[UnitName, ReaderSettings] = MappingProxyType(
            {name: changed(reader) if name == unit else reader for name, reader in settings.readers.items()}
        )
        return replace(settings, readers=readers)

    return change
