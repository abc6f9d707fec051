"""Rows of licences.yaml, editions.yaml and pools.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial

from ipo_sim.catalogue.hardware import grade, one_of
from ipo_sim.catalogue.source import Cell, Row, share
from ipo_sim.catalogue.types import (
    Consumption,
    EditionRule,
    LicenceKind,
    LicenceType,
    ModelType,
    OnExhaustion,
    PartType,
    PoolRule,
)

# Where public client tables know no number for a licence, it gets one of ours: this plus its code.
PRIVATE_ID_BASE = 1_000
# The two bytes that a licence key has for the code; 0 is left out so that an empty field is no licence.
MAX_CODE = 65_535

# Words of pools.yaml; the core knows what number each stands for.
POOL_SOURCES = frozenset({"vcm", "pri", "sip", "endpoints", "voicemail"})
POOL_CAPS = frozenset({"vcm", "pri", "sip", "extensions", "users"})

# Pools that calls and phones draw from: the core knows them by name.
KNOWN_FEATURES = frozenset(
    {
        "vcm-channels",
        "pri-channels",
        "sip-trunk-channels",
        "voicemail-pro-ports",
        "avaya-ip-endpoints",
        "third-party-ip-endpoints",
    }
)

_TOPIC_SAFE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def read_licences(
    table: Cell, models: Mapping[str, ModelType], profiles: tuple[str, ...], parts: Mapping[str, PartType]
) -> dict[str, LicenceType]:
    """Licences by name; codes are unique, prerequisites and hardware exist."""
    cells = dict(table.table())
    licences: dict[str, LicenceType] = {}
    codes: set[int] = set()
    for name, cell in cells.items():
        licence = _licence(name, cell, cells, models, profiles, parts)
        if licence.code in codes:
            cell.fail(f"code {licence.code} belongs to another licence")
        codes.add(licence.code)
        licences[name] = licence
    for feature in sorted(KNOWN_FEATURES.difference(licence.feature for licence in licences.values())):
        table.fail(f"no licence feeds {feature}, from which calls and phones draw")
    return licences


def by_feature(licences: Iterable[LicenceType]) -> dict[str, tuple[LicenceType, ...]]:
    """Licences by the pool that they feed, in the order of the file."""
    feeding: dict[str, tuple[LicenceType, ...]] = {}
    for licence in licences:
        feeding[licence.feature] = (*feeding.get(licence.feature, ()), licence)
    return feeding


def read_editions(
    rows: Cell, profiles: tuple[str, ...], licences: Mapping[str, LicenceType]
) -> dict[str, tuple[EditionRule, ...]]:
    """Edition rules by release profile in the order of evaluation; the last of each profile always holds."""
    rules: dict[str, list[EditionRule]] = {profile: [] for profile in profiles}
    for cell in (row.named_by("edition") for row in rows.cells()):
        for rule in _rules(cell, profiles, licences):
            before = rules[rule.profile]
            if any(other.edition == rule.edition for other in before):
                cell.fail(f"stands twice in profile {rule.profile}")
            if before and not before[-1].any_of:
                cell.fail(f"can never hold in profile {rule.profile}: the one before always does")
            held_back = [name for higher in before for name in higher.dormant_licences - rule.dormant_licences]
            if held_back:
                # Else a licence could make the edition that holds it back, and there would be no settlement.
                cell.fail(f"lets {min(held_back)!r} be, which a higher edition of profile {rule.profile} holds back")
            before.append(rule)
    for profile, found in rules.items():
        if not found or found[-1].any_of:
            rows.fail(f"profile {profile} has no edition that always holds")
    return {profile: tuple(found) for profile, found in rules.items()}


def read_pools(table: Cell, profiles: tuple[str, ...], licences: Mapping[str, LicenceType]) -> dict[str, PoolRule]:
    """Pool rules by feature; each feature has a licence."""
    features = {licence.feature for licence in licences.values()}
    rules = {}
    for feature, cell in table.table():
        if feature not in features:
            cell.fail("no licence feeds this pool")
        with cell.row() as row:
            rules[feature] = PoolRule(
                feature=feature,
                title=row.get("title", Cell.text, None),
                free=row.get("free", partial(_word, known=POOL_SOURCES), None),
                cap=row.get("cap", partial(_word, known=POOL_CAPS), None),
                maximum=row.get("maximum", partial(_maximum, profiles=profiles), {}),
                grade=grade(row),
            )
    return rules


def _word(cell: Cell, known: frozenset[str]) -> str:
    return one_of(cell, known)


def _maximum(cell: Cell, profiles: tuple[str, ...]) -> dict[str, int]:
    numbers = {}
    for profile, number in cell.table():
        if profile not in profiles:
            number.fail(f"{profile!r} is no release profile")
        numbers[profile] = number.integer(1)
    return numbers


def _licence(
    name: str,
    cell: Cell,
    names: Mapping[str, object],
    models: Mapping[str, ModelType],
    profiles: tuple[str, ...],
    parts: Mapping[str, PartType],
) -> LicenceType:
    any_name = partial(_names, known=names)
    with cell.row() as row:
        code = row.take("code").integer(1, MAX_CODE)
        return LicenceType(
            code=code,
            name=name,
            feature=_feature(row.take("feature")),
            licence_id=row.get("id", _public_id, PRIVATE_ID_BASE + code),
            kind=row.take("kind").choice(LicenceKind),
            packs=row.get("packs", _packs, ()),
            prerequisites=row.get("prerequisites", lambda sets: sets.tuple_of(any_name), ()),
            profiles=row.get("profiles", partial(_names, known=profiles), profiles),
            models=row.get("models", partial(_names, known=models), share(tuple(models))),
            consumption=row.take("consumption").choice(Consumption),
            on_exhaustion=row.get("on_exhaustion", lambda word: word.choice(OnExhaustion), OnExhaustion.REFUSED),
            grade=grade(row),
            hardware=_some(row, "hardware", {**parts, **models}),
            sold=row.get("sold", Cell.flag, True),
        )


def _rules(cell: Cell, profiles: tuple[str, ...], licences: Mapping[str, LicenceType]) -> list[EditionRule]:
    with cell.row() as row:
        edition = _feature(row.take("edition"))
        any_of = _some(row, "any_of", licences)
        max_modules = row.take("max_modules").integer(0, 12)
        extended = row.take("max_modules_extended").integer(max_modules, 12)
        max_users = row.get("max_users", Cell.integer, None)
        vcm_free = row.get("vcm_free_per_card", Cell.integer, None)
        pri_free = row.take("pri_free_channels").integer()
        sip_free = row.get("sip_free", Cell.integer, 0)
        sip_max = row.get("sip_max", Cell.integer, None)
        endpoints_free = row.get("ip_endpoints_free_per_card", Cell.integer, 0)
        endpoints_per_channel = row.get("ip_endpoints_free_per_channel", Cell.integer, 0)
        phones_licensed = row.get("phones_licensed", Cell.flag, True)
        dormant = frozenset(_some(row, "dormant_licences", licences))
        modules_any_of = _some(row, "modules_any_of", licences)
        graded = grade(row)
        if not max_modules and not modules_any_of:
            cell.fail("without modules, modules_any_of must name the licence that would open them")
        return [
            EditionRule(
                profile=profile,
                edition=edition,
                any_of=any_of,
                max_modules=max_modules,
                max_modules_extended=extended,
                max_users=max_users,
                vcm_free_per_card=vcm_free,
                pri_free_channels=pri_free,
                sip_free=sip_free,
                dormant_licences=dormant,
                modules_any_of=modules_any_of,
                grade=graded,
                sip_max=sip_max,
                ip_endpoints_free_per_card=endpoints_free,
                ip_endpoints_free_per_channel=endpoints_per_channel,
                phones_licensed=phones_licensed,
            )
            for profile in _names(row.take("profiles"), known=profiles)
        ]


def _names(cell: Cell, known: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    return cell.tuple_of(lambda item: one_of(item, known))


def _some(row: Row, name: str, known: Mapping[str, object]) -> tuple[str, ...]:
    """Names out of `known`; none when the field is absent."""
    return row.get(name, lambda cell: _names(cell, known), ())


def _public_id(cell: Cell) -> int:
    return cell.integer(1, PRIVATE_ID_BASE - 1)


def _packs(cell: Cell) -> tuple[int, ...]:
    return cell.tuple_of(lambda item: item.integer(1))


def _feature(cell: Cell) -> str:
    if not _TOPIC_SAFE.fullmatch(cell.text()):
        cell.fail(f"{cell.text()!r} cannot stand in a topic: small letters, digits and single hyphens")
    return cell.text()
