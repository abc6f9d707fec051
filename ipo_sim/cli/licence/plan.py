"""`ipo-sim licence plan`: what to buy so that the units of a configuration run fully."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from secrets import randbelow
from typing import Any, NamedTuple

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.config.boot import booted
from ipo_sim.cli.config.units import units_of
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.licence.form import moment_of
from ipo_sim.cli.terminal import Style, plural, print_json, table
from ipo_sim.core.dect_plan import DectPlan, plan_dect
from ipo_sim.core.model import Card, Nanoseconds, UnitDefinition
from ipo_sim.core.needs import Channels
from ipo_sim.core.purchase_plan import Plan, PlanRow, plan_purchase
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing import dect_key
from ipo_sim.licensing.dect_key import DectKey
from ipo_sim.licensing.key import DEFAULT_SECRET, FIELD_MAX, issue
from ipo_sim.licensing.packs import Pack

HEAD = ("LICENCE", "WANTED", "FREE", "HAS", "MISSING", "BUY", "FOR")

NO_EDITION = "none"
# What more a licence is for helps nobody.
MAX_REASONS = 3

# A licence, how many instances in a key, and how many such keys.
Lot = tuple[Pack, int]


class Planned(NamedTuple):
    """What one unit needs. `licences` None: without a card nobody can tell which keys hold; `dect` None: none."""

    unit: UnitDefinition
    licences: Plan | None
    dect: DectPlan | None

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.licences is not None and self.licences.complete and not (self.dect and self.dect.lacking)


def plan(arguments: Namespace) -> int:
    """Plan for every unit; exit code 1 if one of them lacks something, or cannot be planned for."""
    units = units_of(arguments.config, arguments.unit)
    if arguments.serial is not None and len(units) > 1:
        raise UsageError("--serial is for one unit: say which one with --unit")
    at = moment_of(arguments.on)
    channels = Channels(arguments.vcm, arguments.pri, arguments.sip, arguments.voicemail)
    carded = [_carded(unit, arguments.serial) for unit in units]
    plans = [_planned(unit, channels, at) for unit in carded]
    if arguments.json:
        print_json([_facts(planned, mint=arguments.issue) for planned in plans])
    else:
        style = Style(sys.stdout)
        groups = groupby(plans, key=lambda planned: tuple(_outcome(planned, style)))
        texts = [list(_group_lines(outcome, list(group), mint=arguments.issue)) for outcome, group in groups]
        print("\n\n".join("\n".join(lines) for lines in texts))
    return EXIT_OK if all(planned.complete for planned in plans) else EXIT_FAILED


def _carded(definition: UnitDefinition, serial: str | None) -> UnitDefinition:
    """With the card that is asked for; a unit whose reader is a real one has none in its configuration."""
    if serial is None:
        return definition
    card = Card(serial) if definition.card is None else replace(definition.card, serial=serial)
    return replace(definition, card=card)


def _planned(definition: UnitDefinition, channels: Channels, at: Nanoseconds) -> Planned:
    dect = None if definition.dect is None else plan_dect(definition.dect, definition.secret)
    if definition.card is None:
        return Planned(definition, None, dect)
    try:
        return Planned(definition, plan_purchase(booted(definition, load_catalogue(), at), channels), dect)
    except CommandRejected as error:
        raise UsageError(f"{definition.name}: {error}") from error


def _outcome(planned: Planned, style: Style) -> Iterator[str]:
    """What is told alike of all units that it is true of."""
    yield f"{planned.unit.model} {planned.unit.release_profile}"
    if planned.licences is None:
        yield "  no card in the configuration: --unit and --serial say which one it is planned for"
    else:
        yield from _licences_outcome(planned.licences, style)
    if planned.dect is not None:
        what = f"IP DECT key for {plural(planned.dect.bases, 'base station')}"
        lacking = planned.dect.lacking
        yield f"  {style(f'missing: {what}: {lacking}', 'yellow')}" if lacking else f"  the {what} is there"


def _licences_outcome(made: Plan, style: Style) -> Iterator[str]:
    if made.rows:
        head, *lines = table(map(_cells, made.rows), HEAD)
        yield f"  {style(head, 'bold')}"
        for row, line in zip(made.rows, lines, strict=True):
            yield f"  {style(line, 'yellow') if row.buy else line}"
    yield from (f"  {style('no licence helps', 'red')}: {text}" for text in made.beyond)
    if made.packs:
        yield f"  missing{_for_edition(made)}: {plural(len(made.packs), 'key')}"
    elif made.complete:
        yield f"  nothing is missing{_for_edition(made)}"


def _for_edition(made: Plan) -> str:
    """IP400 systems have no editions."""
    return "" if made.edition == NO_EDITION else f" for {made.edition} edition"


def _group_lines(outcome: tuple[str, ...], group: list[Planned], *, mint: bool) -> Iterator[str]:
    head, *lines = outcome
    first, last = group[0].unit, group[-1].unit
    one = len(group) == 1
    serial = f", card {first.card.serial}" if one and first.card else ""
    name = first.name if one else f"{first.name} to {last.name} ({len(group)} units)"
    yield f"{name}: {head}{serial}"
    yield from lines
    commands = list(_commands(group[0]))
    if not commands:
        return
    if mint:
        for planned in group:
            yield from (f"    {text}  # {planned.unit.name}: {_pack_text(pack)}" for text, pack in _minted(planned))
            if (key := _minted_dect(planned)) is not None:
                yield f"    {key.text}  # {planned.unit.name}: IP DECT, {key.bases}"
    elif not one:
        yield f"  bench keys: --issue mints them, --unit {first.name} shows the commands for one unit"
    else:
        secret = "" if first.secret == DEFAULT_SECRET else ", with IPO_SIM_SECRET set to the configuration's secret"
        yield f"  bench keys (--issue mints them at once{secret}):"
        yield from (f"    {command}" for command in commands)


def _pack_text(pack: Pack) -> str:
    return f"{pack.licence.name}, {pack.instances}"


def _cells(row: PlanRow) -> tuple[str, ...]:
    buy = " + ".join(_lot_text(row, lot) for lot in _lots(row.buy)) or "-"
    more = f", and {len(row.why) - MAX_REASONS} more" if len(row.why) > MAX_REASONS else ""
    why = ", ".join(row.why[:MAX_REASONS]) + more
    return row.licence, str(row.wanted), str(row.free), str(row.has), str(row.missing), buy, why


def _lot_text(row: PlanRow, lot: Lot) -> str:
    """`2 x 28`; of a licence that is not the row's own with its name."""
    pack, count = lot
    name = "" if pack.licence.name == row.licence else f" {pack.licence.name}"
    return f"{count} x {pack.instances}{name}"


def _lots(packs: Sequence[Pack]) -> list[Lot]:
    """Packs that are alike together, by licence, the largest first."""
    ordered = sorted(set(packs), key=lambda pack: (pack.licence.code, -pack.instances))
    return [(pack, packs.count(pack)) for pack in ordered]


def _commands(planned: Planned) -> Iterator[str]:
    """What mints the missing keys, one command for keys that are alike."""
    made, card, dect = planned.licences, planned.unit.card, planned.dect
    for pack, count in _lots(made.packs if made is not None else ()):
        assert card is not None, "nothing is planned without a card"
        words = ["ipo-sim", "licence", "issue", "--serial", card.serial, "--licence", pack.licence.name]
        words += ["--instances", str(pack.instances)] if pack.instances > 1 or len(pack.licence.packs) != 1 else []
        words += ["--count", str(count)] if count > 1 else []
        yield shlex.join(words)
    if dect is not None and dect.lacking:
        bases = ["--bases", str(dect.bases)] if dect.bases > len(dect.macs) else []
        yield shlex.join(["ipo-sim", "licence", "dect", "--park", dect.park, *dect.macs, *bases])


def _minted_dect(planned: Planned) -> DectKey | None:
    """The key that the IP DECT system lacks."""
    dect = planned.dect
    if dect is None or not dect.lacking:
        return None
    return dect_key.issue(park=dect.park, macs=dect.macs, bases=dect.bases, secret=planned.unit.secret)


def _minted(planned: Planned) -> Iterator[tuple[str, Pack]]:
    """Bench keys for the unit's card, under its own secret."""
    definition, made = planned.unit, planned.licences
    if made is None or definition.card is None:
        return
    first = randbelow(FIELD_MAX + 1)
    for number, pack in enumerate(made.packs):
        key = issue(
            licence_code=pack.licence.code,
            instances=pack.instances,
            expiry=None,
            serial=definition.card.serial,
            secret=definition.secret,
            nonce=(first + number) % (FIELD_MAX + 1),
        )
        yield key.text, pack


def _facts(planned: Planned, *, mint: bool) -> dict[str, Any]:
    definition, made = planned.unit, planned.licences
    facts: dict[str, Any] = {
        "unit": definition.name,
        "model": definition.model,
        "release_profile": definition.release_profile,
        "serial": definition.card.serial if definition.card else None,
        "complete": planned.complete if made is not None else None,
        "dect": None if planned.dect is None else planned.dect._asdict(),
    }
    if made is not None:
        licences = [_row_facts(row) for row in made.rows]
        facts |= {"edition": made.edition, "licences": licences, "beyond": made.beyond}
    facts["commands"] = list(_commands(planned))
    if mint:
        key = _minted_dect(planned)
        facts["keys"] = [{"key": text, **_pack_facts(pack)} for text, pack in _minted(planned)]
        facts["dect_key"] = None if key is None else key.text
    return facts


def _row_facts(row: PlanRow) -> dict[str, Any]:
    return {**row._asdict(), "buy": [_pack_facts(pack) for pack in row.buy]}


def _pack_facts(pack: Pack) -> dict[str, Any]:
    return {"licence": pack.licence.name, "code": pack.licence.code, "instances": pack.instances}
