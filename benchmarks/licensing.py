"""Licensing: keys verified, 100,000 rows of CSV imported, a unit with 1,000 keys evaluated anew and for one key.

The reference is what cannot be left out: one `hmac.digest` of the standard library for each key that is verified, with
the very message, and for rows of CSV its `csv` module reading them besides.
"""

from __future__ import annotations

import csv
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from benchmarks.journey import Journey
from benchmarks.measure import Effort, Figure, Target, busy, interleave, per_call
from benchmarks.units import NOON, full_definition
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.codec import encode
from ipo_sim.core.events import (
    ConfigurationLoaded,
    Event,
    Fact,
    FeatureKeyInserted,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
)
from ipo_sim.core.model import Unit
from ipo_sim.core.unit import new_unit, step
from ipo_sim.licensing.key import BODY, TAG_LABEL, LicenceKey, issue, recognise, verifier
from ipo_sim.licensing.rows import read_licence_rows, write_licence_rows

KEYS = 1_000
ROWS = 100_000
# Keys of one command.
AT_A_TIME = 5_000
_CALLS = 200
_NONCES = 0x10000
_OTHER_CARD = "9999999999"

DIGESTS = "one bare hmac.digest for each key"
ROWS_AND_DIGESTS = "csv.reader over the rows, one bare hmac.digest for each"
AS_JSON = "the changes of the same step written by json.dumps"


def figures(effort: Effort) -> Iterator[Figure]:
    """All figures of licensing."""
    yield _verified(effort)
    yield _imported(effort)
    unit = _running(tuple(key.text for key in _keys(KEYS)))
    yield _another_card(effort, unit)
    spare = _keys(KEYS + 1)[-1].text
    waiting = step(unit, Event(unit.at, LicenceAdded(spare), "benchmark"))[0]
    yield _one_key(effort, unit, "entered", LicenceAdded(spare))
    yield _one_key(effort, waiting, "loaded", ConfigurationLoaded())
    yield _one_key(effort, unit, "deleted", LicenceRemoved(unit.licences[KEYS // 2].text))


def _verified(effort: Effort) -> Figure:
    keys, definition = _keys(KEYS), full_definition()
    texts, messages = [key.text for key in keys], [_message(key) for key in keys]
    serial, secret = _serial(), definition.secret

    def all_verified() -> None:
        verify = verifier(serial, secret)
        for text in texts:
            key = recognise(text)
            assert key is not None
            assert verify(key)

    pair = interleave(
        effort.rounds,
        per_call(all_verified, 9, scale=1e6 / KEYS),
        per_call(lambda: [hmac.digest(secret, message, "sha256") for message in messages], 9, scale=1e6 / KEYS),
    )
    return Figure("A key's text recognised and verified", "µs", pair, DIGESTS, Target(3, of_ratio=True), digits=2)


def _imported(effort: Effort) -> Figure:
    keys, secret = _keys(ROWS), full_definition().secret
    content = write_licence_rows([("SIP Trunk Channels", key.text) for key in keys])
    messages = [_message(key) for key in keys]
    empty = _running(())

    def imported() -> None:
        texts = list(read_licence_rows(content).keys)
        unit = empty
        for start in range(0, ROWS, AT_A_TIME):
            fact = LicencesImported(tuple(texts[start : start + AT_A_TIME]))
            unit, _ = step(unit, Event(unit.at, fact, "benchmark"))
        unit, _ = step(unit, Event(unit.at, ConfigurationLoaded(), "benchmark"))
        assert len(unit.licences) == ROWS

    def read_and_digested() -> None:
        rows = list(csv.reader(content.decode().splitlines()))
        assert len([hmac.digest(secret, message, "sha256") for message in messages]) == len(rows)

    pair = interleave(effort.rounds, lambda: busy(imported), lambda: busy(read_and_digested))
    note = f"full unit, {ROWS // AT_A_TIME} events of {AT_A_TIME:,} keys, then loaded and verified"
    name = f"{ROWS:,} rows of CSV imported"
    return Figure(name, "s", pair, ROWS_AND_DIGESTS, Target(4, of_ratio=True), digits=2, note=note)


def _another_card(effort: Effort, unit: Unit) -> Figure:
    event = Event(unit.at, FeatureKeyInserted(_OTHER_CARD, counter=2), "benchmark")
    secret, messages = full_definition().secret, [_message(key) for key in _keys(KEYS)]
    changes = len(step(unit, event)[1].changes)
    pair = interleave(
        effort.rounds,
        per_call(lambda: step(unit, event), 15),
        per_call(lambda: [hmac.digest(secret, message, "sha256") for message in messages], 15),
    )
    name = f"Another card for a full unit with {KEYS:,} keys"
    return Figure(name, "µs", pair, DIGESTS, Target(5_000), note=f"{changes:,} entities change")


def _one_key(effort: Effort, unit: Unit, what: str, fact: Fact) -> Figure:
    event = Event(unit.at, fact, "benchmark")
    changes = [[path, value and encode(value)] for path, value in step(unit, event)[1].changes.items()]
    pair = interleave(
        effort.rounds, per_call(lambda: step(unit, event), _CALLS), per_call(lambda: json.dumps(changes), _CALLS)
    )
    return Figure(f"One of {KEYS:,} keys {what}", "µs", pair, AS_JSON, Target(100), digits=1, note="full unit")


def _keys(count: int) -> Sequence[LicenceKey]:
    """Keys for the card of the full unit, of all licences in turn."""
    codes, secret = list(load_catalogue().licences), full_definition().secret
    return [
        issue(
            licence_code=codes[number % len(codes)],
            instances=1 + number // _NONCES,
            expiry=None,
            serial=_serial(),
            secret=secret,
            nonce=number % _NONCES,
        )
        for number in range(count)
    ]


def _message(key: LicenceKey) -> bytes:
    serial = _serial()
    return TAG_LABEL + bytes((len(serial),)) + serial.encode() + key.data[: BODY.size]


@cache
def _serial() -> str:
    card = full_definition().card
    assert card is not None
    return card.serial


def _running(licences: tuple[str, ...]) -> Unit:
    journey = Journey(new_unit(replace(full_definition(), licences=licences), load_catalogue()), NOON)
    for _ in journey.boot():
        pass
    return journey.unit
