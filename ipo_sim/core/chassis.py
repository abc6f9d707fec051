"""Parts in the chassis: what is fitted, withdrawn, configured and broken, with the two rules of hot-plugging."""

from __future__ import annotations

from collections.abc import Mapping

from ipo_sim.catalogue.types import PartType
from ipo_sim.core.draft import Draft
from ipo_sim.core.events import FaultCleared, FaultSet, PartConfigured, PartFitted, PartWithdrawn
from ipo_sim.core.fitting import fit_problem, is_of_kind, surplus
from ipo_sim.core.model import Part
from ipo_sim.errors import CommandRejected

ENTITY_CHANGE = 23
MAX_FAULT_LENGTH = 64


def fit_part(draft: Draft, fact: PartFitted) -> None:
    """A part put in. Live, it is seen but gets no firmware: it works after the next restart (hardware.md 4.2)."""
    index = draft.place_index(fact.path)
    part = draft.parts[index]
    if part.fitted is not None:
        raise CommandRejected("occupied", f"{fact.path} holds {part.fitted.code}; withdraw it first")
    kind = _type(draft, fact.part)
    model = draft.catalogue.models[draft.definition.model]
    problem = fit_problem(draft.catalogue, model, draft.definition.release_profile, _fitted(draft), fact.path, kind)
    if problem:
        raise CommandRejected("does-not-fit", problem)
    fitted = part._replace(fitted=kind, detected=False, seq=draft.seq, fault=None)
    _put(draft, index, fitted)
    draft.parts = with_surplus(draft.parts)
    if draft.up:
        draft.notify(
            ENTITY_CHANGE,
            fact.path,
            fitted.entity_name,
            fitted.entity_index,
            text=f"{kind.code} connected live: it works after a restart",
        )


def withdraw_part(draft: Draft, fact: PartWithdrawn) -> None:
    """A part pulled out; what hangs on a base card goes with it."""
    index = draft.place_index(fact.path)
    if draft.parts[index].fitted is None:
        raise CommandRejected("empty", f"nothing is fitted at {fact.path}")
    _put(draft, index, _empty(draft, draft.parts[index]))
    place = draft.parts[index].place
    for below, part in enumerate(draft.parts):
        if part.place.path.startswith(f"{place.path}/") and part.fitted is not None:
            _put(draft, below, _empty(draft, part))
    draft.parts = with_surplus(draft.parts)


def configure_part(draft: Draft, fact: PartConfigured) -> None:
    """The configuration expects another type at a place, or none."""
    index = draft.place_index(fact.path)
    part = draft.parts[index]
    kind = None if fact.part is None else _type(draft, fact.part)
    if kind is part.configured:
        raise CommandRejected("unchanged", f"{fact.path} is configured so already")
    model = draft.catalogue.models[draft.definition.model]
    if kind is not None and not is_of_kind(model, part.place, kind):
        raise CommandRejected("does-not-fit", f"{kind.code} cannot be at {fact.path}")
    differs = part.fitted is not None and kind is not None and kind is not part.fitted
    _put(draft, index, part._replace(configured=kind, seq=draft.seq if differs else part.seq))


def set_fault(draft: Draft, fact: FaultSet) -> None:
    """A fitted part fails."""
    index = draft.place_index(fact.path)
    part = draft.parts[index]
    if part.fitted is None:
        raise CommandRejected("empty", f"nothing is fitted at {fact.path}")
    if not fact.fault or len(fact.fault) > MAX_FAULT_LENGTH or not fact.fault.isprintable():
        raise CommandRejected("bad-fault", f"a fault is named by 1 to {MAX_FAULT_LENGTH} printable characters")
    if part.fault == fact.fault:
        raise CommandRejected("unchanged", f"{fact.path} has that fault already")
    _put(draft, index, part._replace(fault=fact.fault, seq=draft.seq))


def clear_fault(draft: Draft, fact: FaultCleared) -> None:
    """A failed part works again."""
    index = draft.place_index(fact.path)
    part = draft.parts[index]
    if part.fault is None:
        raise CommandRejected("no-fault", f"{fact.path} has no fault")
    _put(draft, index, part._replace(fault=None, seq=draft.seq))


def with_surplus(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, each beyond the maximum of its kind marked with the rule that it breaks."""
    rules = surplus({part.place.path: part.fitted for part in parts if part.fitted is not None})
    return tuple(
        [
            part if part.surplus == rules.get(part.place.path) else part._replace(surplus=rules.get(part.place.path))
            for part in parts
        ]
    )


def _empty(draft: Draft, part: Part) -> Part:
    return part._replace(fitted=None, detected=False, seq=draft.seq, fault=None)


def _put(draft: Draft, index: int, part: Part) -> None:
    draft.parts = (*draft.parts[:index], part, *draft.parts[index + 1 :])


def _fitted(draft: Draft) -> Mapping[str, PartType]:
    return {part.place.path: part.fitted for part in draft.parts if part.fitted is not None}


def _type(draft: Draft, code: str) -> PartType:
    kind = draft.catalogue.parts.get(code)
    if kind is None:
        raise CommandRejected("unknown-part", f"{code!r} is no part of the catalogue")
    return kind
