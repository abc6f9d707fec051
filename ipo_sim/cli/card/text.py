"""What commands say of a card: as facts for programs, and as lines for people."""

from __future__ import annotations

from typing import Any

from ipo_sim.card.issuer import BENCH_ISSUER
from ipo_sim.card.kinds import Kind
from ipo_sim.card.layout import key_id
from ipo_sim.card.reading import CardPolicy, CardReading, Inspection, derived_serial, judge
from ipo_sim.card.unreadable import CardUnreadable
from ipo_sim.cli.terminal import table
from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyUnreadable

Facts = dict[str, Any]

KIND_TITLES = {
    Kind.FKC: "FKC-1 chip card",
    Kind.FKC_MEMORY: "FKC-1 memory card",
    Kind.FKC_TAG: "FKC-1 tag",
    Kind.OPENPGP: "OpenPGP card",
    Kind.PIV: "PIV card",
    Kind.GDO: "card with EF.GDO",
    Kind.ICCID: "SIM card",
    Kind.CPLC: "GlobalPlatform card",
    Kind.UID: "contactless card",
}


def inspection_facts(inspection: Inspection) -> Facts:
    """What a card tells of itself."""
    found, content = inspection.found, inspection.found.content
    issuer = content.key_id if content else None
    return {
        "kind": str(found.kind),
        "identity": found.identity,
        "serial": found.number if found.kind.is_fkc else None,
        "law": content.law if content else None,
        "issuer": issuer.hex().upper() if issuer else None,
        "assurance": str(inspection.assurance),
        "doubt": inspection.doubt,
        "derived_serial": None if found.kind.is_fkc else derived_serial(found.identity),
    }


def unreadable_facts(error: CardUnreadable) -> Facts:
    """Why a card is no feature key."""
    return {"error": {"reason": int(error.reason), "message": str(error)}}


def judgement(inspection: Inspection, policy: CardPolicy) -> Facts:
    """What a policy makes of a card."""
    try:
        return {"taken": reading_facts(judge(inspection, policy))}
    except CardUnreadable as error:
        return {"taken": None, **unreadable_facts(error)}


def reading_facts(reading: CardReading) -> Facts:
    """A card that is taken."""
    return {"serial": reading.serial, "law": reading.law, "assurance": str(reading.assurance)}


def fact_facts(fact: object) -> Facts:
    """What a serial reader says of its card."""
    match fact:
        case FeatureKeyInserted():
            return {
                "kind": fact.kind,
                "identity": fact.identity,
                "serial": fact.serial,
                "law": fact.law,
                "assurance": fact.assurance,
            }
        case FeatureKeyUnreadable():
            return {"error": {"reason": int(fact.reason), "message": fact.detail or "the card cannot be read"}}
        case _:
            return {"error": {"reason": 2, "message": "no card is in the reader"}}


def card_lines(facts: Facts) -> list[str]:
    """The facts as a table of two columns, without what is not known."""
    taken = facts.get("taken") is not None
    rows = [
        (name, _text(name, facts))
        for name in _ROWS
        if facts.get(name) is not None and not (taken and name == "derived_serial")
    ]
    if error := facts.get("error"):
        rows.append(("refused", f"{error['message']} (reason {error['reason']})"))
    return table(rows)


_ROWS = (
    "reader",
    "atr",
    "medium",
    "kind",
    "identity",
    "serial",
    "law",
    "issuer",
    "assurance",
    "derived_serial",
    "taken",
)


def _text(name: str, facts: Facts) -> str:
    value = facts[name]
    match name:
        case "kind" if value in {str(kind) for kind in Kind}:
            return f"{value}: {KIND_TITLES[Kind(value)]}"
        case "issuer" if value == key_id(BENCH_ISSUER).hex().upper():
            return f"{value} (bench issuer: no protection)"
        case "assurance" if facts.get("doubt"):
            return f"{value}: {facts['doubt']}"
        case "derived_serial":
            return f"{value}, if it is not enrolled and `derive` is true"
        case "taken":
            return f"as {value['serial']}, {value['law']}"
    return str(value)
