"""The packs that make up a number of instances: fewest instances too many, then fewest keys. Exact, not greedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from ipo_sim.catalogue.types import LicenceKind, LicenceType
from ipo_sim.licensing.key import FIELD_MAX


class Pack(NamedTuple):
    """One key to buy: a licence, and the instances in it."""

    licence: LicenceType
    instances: int


# Instances of counted licences, keys, keys that bring a feature besides: less is better, in this order.
Cost = tuple[int, int, int]


def cost_of(packs: Iterable[Pack]) -> Cost:
    """What a choice of packs is compared by; taking a pack away always makes it less."""
    chosen = list(packs)
    instances = sum(pack.instances for pack in chosen if pack.licence.kind is not LicenceKind.FEATURE)
    return instances, len(chosen), sum(pack.licence.kind is LicenceKind.FEATURE_AND_PORTS for pack in chosen)


def cheapest_packs(offered: Sequence[LicenceType], needed: Sequence[LicenceType], missing: int) -> list[Pack] | None:
    """Packs of the `offered` licences of one feature for `missing` instances, at least one of each `needed` licence.

    None: with these licences there is no way.
    """
    ways = (_completed(offered, first, missing) for first in product(*map(_smallest_first, needed)))
    return min((way for way in ways if way is not None), key=cost_of, default=None)


def _smallest_first(kind: LicenceType) -> list[Pack]:
    """One key of a licence, in each pack that is sold; any number is sold where no pack is named."""
    return [Pack(kind, size) for size in sorted(kind.packs) or (1,)]


def _completed(offered: Sequence[LicenceType], first: tuple[Pack, ...], missing: int) -> list[Pack] | None:
    rest = missing - sum(pack.instances for pack in first)
    if rest <= 0:
        return list(first)
    free_size = next((kind for kind in offered if not kind.packs), None)
    if free_size is not None and missing <= FIELD_MAX:
        return _in_one_key(free_size, first, rest)
    sizes = sorted(
        (size, kind.kind is LicenceKind.FEATURE_AND_PORTS, kind.code) for kind in offered for size in kind.packs
    )
    by_code = {kind.code: kind for kind in offered}
    picked = _fill(tuple(sizes), rest)
    return None if picked is None else [*first, *(Pack(by_code[code], size) for size, _, code in picked)]


def _in_one_key(kind: LicenceType, first: tuple[Pack, ...], rest: int) -> list[Pack]:
    """A key of just the right size; one of that licence that is bought anyway is made larger instead."""
    for index, pack in enumerate(first):
        if pack.licence is kind:
            return [*first[:index], Pack(kind, pack.instances + rest), *first[index + 1 :]]
    return [*first, Pack(kind, rest)]


# Instances in a pack, whether it brings a feature besides, code of its licence.
Size = tuple[int, bool, int]


@lru_cache(maxsize=1_024)
def _fill(sizes: tuple[Size, ...], wanted: int) -> tuple[Size, ...] | None:
    """The fewest packs with the smallest sum of at least `wanted`, by dynamic programming over all sums."""
    if not sizes:
        return None
    best: list[tuple[int, int] | None] = [(0, 0)]
    last: list[Size | None] = [None]
    for total in range(1, wanted + sizes[-1][0]):
        found: tuple[tuple[int, int], Size] | None = None
        for size in sizes:
            before = best[total - size[0]] if size[0] <= total else None
            if before is not None:
                way = (before[0] + 1, before[1] + size[1])
                if found is None or way < found[0]:
                    found = way, size
        best.append(found[0] if found else None)
        last.append(found[1] if found else None)
        if found and total >= wanted:
            break
    picked: list[Size] = []
    total = len(last) - 1
    while (step := last[total]) is not None:
        picked.append(step)
        total -= step[0]
    return tuple(sorted(picked, reverse=True))
