"""The rules of a whole file: its units one by one, what they must not share, and the way to the broker."""

from __future__ import annotations

from collections.abc import Iterator

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config import words
from ipo_sim.config.connection_entries import MqttEntry
from ipo_sim.config.entries import MAX_UNITS, ConfigFile, UnitEntry
from ipo_sim.config.mistakes import Findings, Location, path_text
from ipo_sim.config.numbering import numbers_of, unit_name
from ipo_sim.config.shape import Salvage
from ipo_sim.config.unit_check import UnitCheck


def check_file(catalogue: Catalogue, file: ConfigFile, findings: Findings, salvage: Salvage) -> None:
    """Report everything in the file that breaks a rule."""
    units = list(salvage.enumerate(("units",), file.units))
    check = UnitCheck(catalogue, findings, salvage)
    for here, entry in units:
        check.check(entry, here)
    if sum(entry.count or 1 for _, entry in units) > MAX_UNITS:
        findings.mistake(("units",), f"more than {MAX_UNITS} units in all")
    else:
        _check_unique(units, findings)
    _check_mqtt(file.mqtt, findings)
    if file.http is not None:
        problem = words.listening_problem(file.http.host, has_token=file.http.token_file is not None)
        if problem:
            findings.mistake(("http", "host"), problem)


def _check_unique(units: list[tuple[Location, UnitEntry]], findings: Findings) -> None:
    """Names, addresses and ports belong to one unit each; one mistake for an entry tells it all."""
    seen: dict[tuple[str, str], Location] = {}
    for here, entry in units:
        told: set[str] = set()
        for way, what in _claims(entry, int(here[-1])):
            other = seen.setdefault((str(way[-1]), what), here)
            if other != here and way[-1] not in told:
                told.add(str(way[-1]))
                findings.mistake((*here, *way), f"{what!r} is taken by {path_text(other)}")


def _claims(entry: UnitEntry, index: int) -> Iterator[tuple[Location, str]]:
    """What the units of an entry have for themselves, each with its way from the entry."""
    key = entry.feature_key
    owned = [(name, text) for name in ("port", "pcsc_reader", "record") if (text := getattr(key, name)) is not None]
    for number in numbers_of(entry, index):
        yield ("name",), unit_name(entry, number)
        for name, text in owned:
            # Two ways to write a device are one device.
            yield ("feature_key", name), words.numbered(text, number).removeprefix("serial://")
    address = entry.mac and words.mac_address(entry.mac)
    if address:
        yield ("mac",), address


def _check_mqtt(mqtt: MqttEntry, findings: Findings) -> None:
    here: Location = ("mqtt",)
    problems = (
        ("url", mqtt.url and words.broker_url_problem(mqtt.url)),
        ("prefix", words.topic_prefix_problem(mqtt.prefix)),
        ("client_id", mqtt.client_id and words.client_id_problem(mqtt.client_id)),
    )
    for name, problem in problems:
        if problem:
            findings.mistake((*here, name), problem)
    if mqtt.password is not None and mqtt.password_file is not None:
        findings.mistake((*here, "password_file"), "either password or password_file, not both")
    if mqtt.tls is not None:
        if mqtt.url is not None and mqtt.url.lower().startswith("mqtt:"):
            findings.mistake((*here, "tls"), "the URL says mqtt://, without TLS: write mqtts://")
        if mqtt.tls.key is not None and mqtt.tls.cert is None:
            findings.mistake((*here, "tls", "key"), "a key without its certificate: give cert too")
