"""Entities, as MQTT carries them, in a few words each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipo_sim.cli.terminal import edition_words, value_text

Payload = Mapping[str, Any]

# Which event it was and when is not what an entity is.
STAMPS = frozenset({"v", "seq", "at", "clock"})

_BAD = frozenset(
    {
        "not_in_order",
        "disabled",
        "Invalid",
        "critical",
        "major",
        "lost",
        "offline",
        "awaiting_feature_key",
        "unlicensed",
        "inactive",
        "voice_blocked",
    }
)
_SHAKY = frozenset(
    {"grace", "Unknown", "Dormant", "Expired", "Obsolete", "warning", "violation", "minor", "starting", "unchecked"}
)

_ORDER = (
    "availability",
    "unit",
    "feature-key",
    "reader",
    "alarms",
    "faults",
    "slots",
    "expansion",
    "licences",
    "features",
    "users",
    "extensions",
    "dect",
    "ports",
    "leds",
)


def state_of(path: str, payload: Payload) -> tuple[str, str]:
    """The one word that matters most, and the rest in brief."""
    group = path.partition("/")[0]
    describe = _TEXTS.get(group)
    if describe is None:
        return "", value_text({name: value for name, value in payload.items() if name not in STAMPS})
    return describe(payload)


def reading_order(path: str) -> tuple[int, list[tuple[int, str]]]:
    """Sorts entities as people read them: the unit first, what is part of it after that, numbers as numbers."""
    group = path.partition("/")[0]
    rank = _ORDER.index(group) if group in _ORDER else len(_ORDER)
    return rank, [(int(word), "") if word.isdecimal() else (0, word) for word in path.replace("-", "/").split("/")]


def colour_of(state: str) -> str:
    """How good the news is."""
    return "red" if state in _BAD else "yellow" if state in _SHAKY else "green"


def cause_text(payload: Payload) -> str:
    """The causes from near to far."""
    return " < ".join(payload.get("cause", ()))


def is_idle(path: str, payload: Payload) -> bool:
    """What a status leaves out unless all is wanted: LEDs, and places where nothing is and nothing is missed."""
    return path.startswith("leds/") or payload.get("hold") == "empty"


def _unit(payload: Payload) -> tuple[str, str]:
    telephony = "telephony on" if payload["telephony"] else "telephony off"
    until = f", until {payload['until']}" if payload.get("until") else ""
    return payload[
        "state"
    ], f"{payload['model']} {payload['release_profile']}, {edition_words(payload['edition'])}, {telephony}{until}"


def _feature_key(payload: Payload) -> tuple[str, str]:
    word = "dongle" if (payload.get("kind") or "").startswith("dongle-") else "card"
    card = f"{word} {payload['serial']}" if payload.get("serial") else f"feature key {payload['presence']}"
    grace = f", grace until {payload['grace_until']}" if payload.get("grace_until") else ""
    detail = f": {payload['detail']}" if payload.get("detail") else ""
    return payload["condition"], card + grace + detail


def _reader(payload: Payload) -> tuple[str, str]:
    error = f": {payload['last_error']}" if payload.get("last_error") else ""
    return payload["state"], f"{payload['kind']} {payload['name']}{error}"


def _licence(payload: Payload) -> tuple[str, str]:
    expiry = f", until {payload['expiry']}" if payload.get("expiry") else ""
    instances = f", {payload['instances']}" if payload.get("instances") else ""
    return payload["status"], f"{payload['type']}{instances}{expiry}"


def _feature(payload: Payload) -> tuple[str, str]:
    refused = ", a use was refused" if payload["refused"] else ""
    wanting = f", {payload['wanting']} wanting" if payload["wanting"] else ""
    pool = f"{payload['in_use']} in use, {payload['usable']} usable of {payload['licensed']} licensed and"
    return f"{payload['available']} free", f"{pool} {payload['free']} unlicensed{refused}{wanting}"


def _user(payload: Payload) -> tuple[str, str]:
    features = "".join(f", {feature}" for feature in payload["features"])
    extension = f", extension {payload['extension']}" if payload["extension"] else ""
    return "active" if payload["active"] else "inactive", f"{payload['profile']}{features}{extension}"


def _extension(payload: Payload) -> tuple[str, str]:
    reserved = "" if payload["reserved"] == "none" else f", reserved {payload['reserved']}"
    return payload["state"], payload["kind"] + reserved


def _dect(payload: Payload) -> tuple[str, str]:
    if "mac" in payload:
        role = "ADMM" if payload["admm"] else "base station"
        return "reachable" if payload["reachable"] else "lost", role + (", licensed" if payload["licensed"] else "")
    answering = f"{payload['present']} of {len(payload['licensed_macs'])} licensed base stations answer"
    until = f", until {payload['until']}" if payload["until"] else ""
    return payload["state"], f"PARK {payload['park']}, {answering}, {payload['calls']} calls{until}"


def _part(payload: Payload) -> tuple[str, str]:
    what = payload["fitted"] or (f"{payload['configured']} missing" if payload["configured"] else "empty")
    hold = f", held by {payload['hold']}" if payload.get("hold") not in (None, "empty", "missing") else ""
    return payload["oper_state"], what + hold


def _port(payload: Payload) -> tuple[str, str]:
    if payload["calls"]:
        return "in use", f"{payload['kind']} {payload['number']}, calls {', '.join(payload['calls'])}"
    return "phone", f"{payload['kind']} {payload['number']}, {payload['phone']}"


def _led(payload: Payload) -> tuple[str, str]:
    return payload["colour"], payload["pattern"]


def _alarm(payload: Payload) -> tuple[str, str]:
    return payload["severity"], f"event {payload['event']}, {payload['text']}, since {payload['since']}"


def _fault(payload: Payload) -> tuple[str, str]:
    until = f", until {payload['until']}" if payload["until"] else ""
    return payload["state"], f"{payload['fault']} at {payload['target']}, struck {payload['strikes']} times{until}"


_TEXTS: Mapping[str, Callable[[Payload], tuple[str, str]]] = {
    "unit": _unit,
    "feature-key": _feature_key,
    "reader": _reader,
    "licences": _licence,
    "features": _feature,
    "users": _user,
    "extensions": _extension,
    "dect": _dect,
    "slots": _part,
    "expansion": _part,
    "ports": _port,
    "leds": _led,
    "faults": _fault,
    "alarms": _alarm,
}
