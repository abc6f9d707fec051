"""What pools must come to, reckoned once more from strings, cards and catalogue: slow, plain, from nothing kept.

Shares no code with the core on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ipo_sim.catalogue.types import EditionRule, LicenceKind, LicenceType
from ipo_sim.core.model import Lifecycle, Unit
from ipo_sim.licensing.key import recognise, verify


def candidates(unit: Unit) -> list[tuple[LicenceType, int]]:
    """Licence and instances of each string that only prerequisites and the edition could hold back."""
    if unit.life.state not in (Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY):
        return []
    serial, definition = unit.key.validated_serial, unit.definition
    seconds = (unit.at + unit.clock_offset_ns) // 1_000_000_000
    today = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, minutes=definition.utc_offset_minutes)
    ).date()
    found = []
    for licence in unit.licences:
        key = recognise(licence.text)
        if not licence.loaded or key is None or serial is None or not verify(key, serial, definition.secret):
            continue
        kind = unit.catalogue.licences.get(key.licence_code)
        if kind is None or (key.expiry is not None and key.expiry < today):
            continue
        if definition.release_profile in kind.profiles and definition.model in kind.models:
            found.append((kind, 1 if kind.kind is LicenceKind.FEATURE else key.instances))
    return found


def edition(unit: Unit, valid: set[str]) -> EditionRule:
    """The first rule of the unit's edition rules that these licences fulfil."""
    release = unit.definition.release_profile
    profile = unit.catalogue.models[unit.definition.model].edition_profiles.get(release, release)
    return next(rule for rule in unit.catalogue.editions[profile] if not rule.any_of or valid & set(rule.any_of))


def prerequisites(unit: Unit, kind: LicenceType) -> list[tuple[str, ...]]:
    """Those of which the unit's model uses some licence: another one nobody could meet, so it asks for nothing."""
    known = {other.name for other in unit.catalogue.licences.values() if unit.definition.model in other.models}
    return [names for names in kind.prerequisites if known & set(names)]


def valid_names(unit: Unit) -> set[str]:
    """One licence after the other is let in, as long as there is one that may."""
    kinds = {kind.name: kind for kind, _ in candidates(unit)}
    valid: set[str] = set()
    while True:
        dormant = edition(unit, valid).dormant_licences
        allowed = [
            name
            for name, kind in kinds.items()
            if name not in valid | dormant and all(valid & set(names) for names in prerequisites(unit, kind))
        ]
        if not allowed:
            return valid
        valid.add(allowed[0])


def licensed(unit: Unit) -> dict[str, int]:
    """Instances by feature of all strings that are Valid."""
    valid = valid_names(unit)
    sums: dict[str, int] = {}
    for kind, instances in candidates(unit):
        if kind.name in valid:
            sums[kind.feature] = sums.get(kind.feature, 0) + instances
    return sums


def free(unit: Unit, feature: str) -> int:
    """Instances of a feature that need no licence, as editions, hardware and unit have it."""
    pool = unit.catalogue.pools.get(feature)
    rule = edition(unit, valid_names(unit))
    model = unit.catalogue.models[unit.definition.model]
    serving = [
        part.fitted
        for part in unit.parts
        if part.fitted is not None and part.service.hold is None and not part.place.path.startswith("expansion")
    ]
    cards = [part for part in serving if part.limit_group == "VCM"]
    match pool.free if pool is not None else None:
        case "vcm":
            per_card = rule.vcm_free_per_card
            of_cards = sum(part.vcm_channels if per_card is None else per_card for part in cards)
            return model.vcm_free + of_cards + sum(part.vcm_channels for part in serving if part not in cards)
        case "pri":
            trunks = [part for part in serving if part.ports and part.ports[0].kind == "PRI"]
            old = [part for part in trunks if part.slot_kind == "trunk"]
            new = [part for part in trunks if part.slot_kind != "trunk"]
            limited = sum(min(rule.pri_free_channels, part.trunk_channels) for part in new)
            return limited + sum(part.trunk_channels for part in old)
        case "sip":
            return rule.sip_free
        case "endpoints":
            channels = sum(part.vcm_channels for part in serving if part.slot_kind == "vcm")
            return rule.ip_endpoints_free_per_card * len(cards) + rule.ip_endpoints_free_per_channel * channels
        case "voicemail":
            return model.capacities.voicemail_channels or 0
        case _:
            return 0
