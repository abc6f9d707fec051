"""`ipo-sim licence`: keys minted, explained, and checked against a card; and the licences that there are."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from secrets import randbelow
from typing import Any

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import Catalogue, LicenceType
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_OK, UsageError
from ipo_sim.cli.licence import dect
from ipo_sim.cli.licence.names import find_licence, known_name, why_unrecognised
from ipo_sim.cli.terminal import Style, print_json, table
from ipo_sim.licensing.key import DEFAULT_SECRET, FIELD_MAX, TAG_LETTERS, LicenceKey, issue, recognise, verify
from ipo_sim.licensing.status import LicenceStatus

SERIAL_DIGITS = 10


def main(arguments: Namespace) -> int:
    """One of the commands of `licence`."""
    command: Callable[[Namespace], int] = _COMMANDS[arguments.licence_command]
    return command(arguments)


def _issue(arguments: Namespace) -> int:
    """Keys that are alike but for their nonces, one a line."""
    row = find_licence(load_catalogue(), arguments.licence)
    instances = arguments.instances or min(row.packs, default=1)
    serial, secret = _serial(arguments), _secret(arguments)
    first = randbelow(FIELD_MAX + 1)
    keys = [
        issue(
            licence_code=row.code,
            instances=instances,
            expiry=arguments.expires,
            serial=serial,
            secret=secret,
            nonce=(first + number) % (FIELD_MAX + 1),
        )
        for number in range(arguments.count)
    ]
    if arguments.json:
        print_json([{**_facts(key, row.name), "serial": serial} for key in keys])
    else:
        print("\n".join(key.text for key in keys))
    return EXIT_OK


def _show(arguments: Namespace) -> int:
    if arguments.config is not None or arguments.unit is not None:
        return _show_forms(arguments)
    if not arguments.keys:
        raise UsageError("licence show: a KEY, --config CONFIG or --unit UNIT is wanted")
    catalogue = load_catalogue()
    shown = [_explained(text, catalogue) for text in _texts(arguments)]
    if arguments.json:
        print_json(shown)
    else:
        style = Style(sys.stdout)
        print("\n\n".join("\n".join(_paragraph(facts, catalogue, style)) for facts in shown))
    return EXIT_OK


def _show_forms(arguments: Namespace) -> int:
    from ipo_sim.cli.licence.form import form_lines, form_of_running, forms_of_configuration  # noqa: PLC0415 - keys are explained without configurations and brokers

    if arguments.keys:
        raise UsageError("licence show: keys are explained, or licence forms shown, not both")
    if arguments.config is not None:
        forms = forms_of_configuration(arguments)
    elif arguments.on is not None:
        raise UsageError("--on is for --config: a running unit has its own date")
    else:
        forms = [form_of_running(arguments)]
    if arguments.json:
        print_json(forms)
    else:
        style = Style(sys.stdout)
        print("\n\n".join("\n".join(form_lines(form, style)) for form in forms))
    return EXIT_OK


def _explained(text: str, catalogue: Catalogue) -> dict[str, Any]:
    key = recognise(text)
    if key is None:
        return dect.explained(text) or {
            "key": text,
            "recognised": False,
            "licence": "Invalid",
            "reason": why_unrecognised(text),
        }
    return {**_facts(key, known_name(catalogue, key.licence_code)), "recognised": True}


def _facts(key: LicenceKey, name: str | None) -> dict[str, Any]:
    expires = key.expiry.isoformat() if key.expiry else None
    return {
        "key": key.text,
        "licence": name or "Invalid",
        "code": key.licence_code,
        "instances": key.instances,
        "expires": expires,
    }


def _paragraph(facts: Mapping[str, Any], catalogue: Catalogue, style: Style) -> Iterator[str]:
    yield style(facts["key"], "bold")
    if not facts["recognised"]:
        yield f"  not recognised: {facts['reason']}. Its type is Invalid, whatever the card."
        return
    if "park" in facts:
        yield from dect.paragraph(facts)
        return
    row = catalogue.licences.get(facts["code"])
    if row is None:
        yield f"  licence code {facts['code']}, which this catalogue does not have: its type is Invalid"
    else:
        yield f"  licence    {row.name} (code {row.code}, id {row.licence_id})"
        yield f"  kind       {row.kind.replace('-', ' ')}"
    yield f"  instances  {facts['instances']}"
    yield f"  expires    {facts['expires'] or 'never'}"
    if row is not None:
        yield from (f"  needs      {' or '.join(names)}" for names in row.prerequisites)
        yield f"  used by    {', '.join(row.profiles)} on {', '.join(row.models)}"


def _dect(arguments: Namespace) -> int:
    return dect.mint(arguments, _secret(arguments))


def _verify(arguments: Namespace) -> int:
    """What a card of that serial makes of each key, prerequisites aside: those are the unit's to know."""
    if arguments.serial is None and arguments.park is None:
        raise UsageError("--serial says for which card, --park for which IP DECT system")
    serial = None if arguments.serial is None else _serial(arguments)
    secret = _secret(arguments)
    catalogue = load_catalogue()
    today = arguments.on or _today()
    judged = [
        dect.judged(text, arguments.park, secret) or _judged(text, serial, secret, today, catalogue)
        for text in _texts(arguments)
    ]
    if arguments.json:
        print_json(judged)
    else:
        style = Style(sys.stdout)
        for line in table([(facts["key"], facts["status"], facts["licence"], facts["why"]) for facts in judged]):
            print(line.replace(LicenceStatus.INVALID, style(LicenceStatus.INVALID, "red")))
    return EXIT_OK if all(facts["status"] == LicenceStatus.VALID for facts in judged) else EXIT_FAILED


def _judged(text: str, serial: str | None, secret: bytes, today: date, catalogue: Catalogue) -> dict[str, Any]:
    key = recognise(text)
    if key is None:
        return {"key": text, "licence": "Invalid", "status": LicenceStatus.INVALID, "why": why_unrecognised(text)}
    if serial is None:
        raise UsageError(f"{key.text} is a key of a unit: --serial says for which card")
    name = known_name(catalogue, key.licence_code)
    status, why = LicenceStatus.VALID, ""
    if name is None:
        status, why = LicenceStatus.INVALID, f"this catalogue has no licence code {key.licence_code}"
    elif not verify(key, serial, secret):
        status, why = (
            LicenceStatus.INVALID,
            f"issued for another card, with another secret, or mistyped in its last {TAG_LETTERS} characters",
        )
    elif key.expiry is not None and key.expiry < today:
        status, why = LicenceStatus.EXPIRED, f"it was valid until {key.expiry}"
    return {**_facts(key, name), "status": status, "why": why}


def _list(arguments: Namespace) -> int:
    catalogue = load_catalogue()
    rows = list(catalogue.licences.values())
    if arguments.profile is not None:
        known = dict.fromkeys(name for model in catalogue.models.values() for name in model.release_profiles)
        if arguments.profile not in known:
            raise UsageError(f"there is no release profile {arguments.profile}: {', '.join(known)}")
        rows = [row for row in rows if arguments.profile in row.profiles]
    if arguments.json:
        print_json([_row_facts(row) for row in rows])
        return EXIT_OK
    head = ("CODE", "ID", "LICENCE", "KIND", "PACKS", "PROFILES", "NEEDS")
    lines = table([_row_cells(row) for row in rows], head)
    print(Style(sys.stdout)(lines[0], "bold"), *lines[1:], sep="\n")
    return EXIT_OK


def _row_facts(row: LicenceType) -> dict[str, Any]:
    return {
        "code": row.code,
        "id": row.licence_id,
        "licence": row.name,
        "feature": row.feature,
        "kind": row.kind,
        "packs": row.packs,
        "needs": row.prerequisites,
        "profiles": row.profiles,
        "models": row.models,
        "consumption": row.consumption,
        "on_exhaustion": row.on_exhaustion,
        "grade": row.grade,
    }


def _row_cells(row: LicenceType) -> tuple[str, ...]:
    packs = ",".join(map(str, row.packs)) or "any"
    needs = "; ".join(" or ".join(names) for names in row.prerequisites)
    return (str(row.code), str(row.licence_id), row.name, row.kind, packs, ",".join(row.profiles), needs)


def _plan(arguments: Namespace) -> int:
    from ipo_sim.cli.licence.plan import plan  # noqa: PLC0415 - only who plans needs configurations

    return plan(arguments)


def _import(arguments: Namespace) -> int:
    from ipo_sim.cli.licence.transfer import import_licences  # noqa: PLC0415 - MQTT is heavy, and other commands need none

    return import_licences(arguments)


def _export(arguments: Namespace) -> int:
    from ipo_sim.cli.licence.transfer import export_licences  # noqa: PLC0415 - as above

    return export_licences(arguments)


def _texts(arguments: Namespace) -> Iterator[str]:
    """The keys of the line; `-` stands for those on standard input."""
    for text in arguments.keys:
        if text == "-":
            yield from filter(None, map(str.strip, sys.stdin))
        else:
            yield text


def _serial(arguments: Namespace) -> str:
    serial: str = arguments.serial
    if len(serial) != SERIAL_DIGITS or not (serial.isascii() and serial.isdecimal()):
        raise UsageError(f"--serial: a feature key has {SERIAL_DIGITS} decimal digits, not {serial!r}")
    return serial


def _secret(arguments: Namespace) -> bytes:
    text: str | None = os.environ.get("IPO_SIM_SECRET") if arguments.secret is None else arguments.secret
    return DEFAULT_SECRET if text is None else text.encode()


def _today() -> date:
    from ipo_sim.core.model import SECOND_NS, Nanoseconds  # noqa: PLC0415 - nothing else here needs a clock
    from ipo_sim.runtime.clock import restored  # noqa: PLC0415 - as above

    seconds = restored(None, Nanoseconds(0)).now() // SECOND_NS
    return datetime.fromtimestamp(seconds, UTC).date()


_COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "import": _import,
    "export": _export,
    "issue": _issue,
    "show": _show,
    "verify": _verify,
    "list": _list,
    "plan": _plan,
    "dect": _dect,
}
