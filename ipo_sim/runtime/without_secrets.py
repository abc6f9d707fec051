"""Journals that can be shown to anybody: the secret of licence keys is put away, and the keys judge as they did.

The secret of each unit becomes the public one, and each key that was issued with the unit's own is issued anew for the
same card or system; so the history replays to the same states. A key that was not valid does not become so. Keys that
were issued with the public secret anyway stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ipo_sim.core.model import UnitName
from ipo_sim.licensing import dect_key, key
from ipo_sim.licensing.key import DEFAULT_SECRET
from ipo_sim.runtime.journal_reader import JournalReader
from ipo_sim.runtime.journal_rows import all_event_rows, epoch_rows

_compact = json.JSONEncoder(separators=(",", ":")).encode

_INSERTED = "feature-key-inserted"
_ENTERED = "dect-licence-entered"


class WithoutSecrets:
    """A rewriter of an export of `reader`.

    `secrets` are those that were put away, `keys` what has become of each licence string that was written so far.
    """

    def __init__(self, reader: JournalReader) -> None:
        self.secrets: set[bytes] = set()
        self.keys: dict[str, str] = {}
        self._serials: set[str] = set()
        # Of each epoch; those of one unit's keys may be another's.
        self._secret: dict[tuple[UnitName, int], bytes] = {}
        self._known: dict[tuple[bytes, str], str] = {}
        for unit in reader.units():
            for row in epoch_rows(reader, unit):
                self._learn(unit, row.epoch, _object(row.definition))
        self._serials.update(
            str(_object(row.data).get("serial")) for _, _, row in all_event_rows(reader) if row.type == _INSERTED
        )

    def definition(self, text: str) -> str:
        """The definition with the public secret, and keys to match."""
        data = _object(text)
        secret = _secret(data)
        if secret == DEFAULT_SECRET:
            self._keep(data["licences"])
            return text
        data["secret"] = DEFAULT_SECRET.hex()
        data["licences"] = [self._unit_key(secret, licence) for licence in data["licences"]]
        if data.get("dect"):
            data["dect"]["key"] = self._dect_key(secret, data["dect"]["key"])
        return _compact(data)

    def data(self, unit: UnitName, epoch: int, kind: str, text: str) -> str:
        """The data of an event, with keys to match."""
        secret = self._secret.get((unit, epoch), DEFAULT_SECRET)
        replace = _FIELDS.get(kind)
        if replace is None:
            return text
        if secret == DEFAULT_SECRET:
            data = _object(text)
            self._keep(data["keys"] if "keys" in data else [data["key"]])
            return text
        return _compact(replace(self, secret, _object(text)))

    def cause(self, text: str) -> str:
        """It stays."""
        return text

    def _learn(self, unit: UnitName, epoch: int, definition: dict[str, Any]) -> None:
        secret = self._secret[unit, epoch] = _secret(definition)
        if secret != DEFAULT_SECRET:
            self.secrets.add(secret)
        card = definition.get("card")
        if card:
            self._serials.add(card["serial"])

    def _keep(self, keys: list[str]) -> None:
        """Keys that everybody can issue stay as they are, unless another unit has them with its own secret."""
        for text in keys:
            self.keys.setdefault(text, text)

    def _one(self, secret: bytes, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "key": self._unit_key(secret, data["key"])}

    def _many(self, secret: bytes, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "keys": [self._unit_key(secret, text) for text in data["keys"]]}

    def _dect(self, secret: bytes, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "key": self._dect_key(secret, data["key"])}

    def _unit_key(self, secret: bytes, text: str) -> str:
        return self._kept(secret, text, self._issued_anew)

    def _dect_key(self, secret: bytes, text: str) -> str:
        return self._kept(secret, text, self._dect_issued_anew) if text else text

    def _kept(self, secret: bytes, text: str, make: Callable[[bytes, str], str]) -> str:
        known = self._known.get((secret, text))
        if known is None:
            known = self._known[secret, text] = self.keys[text] = make(secret, text)
        return known

    def _issued_anew(self, secret: bytes, text: str) -> str:
        number = len(self._known)
        old = key.recognise(text)
        if old is None:
            # Maybe a key of ours with a slip in it, by which the secret could be tried.
            return _stand_in(number, key.KEY_LENGTH)
        # A key of no card that was ever seen here is one of a card that nobody has.
        serial = next((serial for serial in sorted(self._serials) if key.verify(old, serial, secret)), f"none{number}")
        return key.issue(
            licence_code=old.licence_code,
            instances=old.instances,
            expiry=old.expiry,
            serial=serial,
            secret=DEFAULT_SECRET,
            nonce=old.nonce,
        ).text

    def _dect_issued_anew(self, secret: bytes, text: str) -> str:
        number = len(self._known)
        old = dect_key.recognise(text)
        if old is None:
            return _stand_in(number, dect_key.DECT_KEY_LENGTH)
        is_ours = dect_key.verify(old, old.park, secret)
        signed = DEFAULT_SECRET if is_ours else f"nobody's {number}".encode()
        return dect_key.issue(park=old.park, macs=old.macs, bases=old.bases, secret=signed).text


# How the data of an event that holds keys is rewritten, by its type.
_FIELDS: dict[str, Callable[[WithoutSecrets, bytes, dict[str, Any]], dict[str, Any]]] = {
    "licence-added": WithoutSecrets._one,  # noqa: SLF001 - the class's own table
    "licence-removed": WithoutSecrets._one,  # noqa: SLF001 - the class's own table
    "licences-imported": WithoutSecrets._many,  # noqa: SLF001 - the class's own table
    _ENTERED: WithoutSecrets._dect,  # noqa: SLF001 - the class's own table
}


def _stand_in(number: int, length: int) -> str:
    """A string that is no key; the first letter is that of no version."""
    return f"REMOVED{number:0{length - 7}d}"


def _secret(definition: dict[str, Any]) -> bytes:
    return bytes.fromhex(definition["secret"])


def _object(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value
