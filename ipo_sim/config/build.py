"""From a file without mistakes to definitions of units; equal values are shared, for a fleet has thousands of each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from ipo_sim.catalogue.types import Catalogue
from ipo_sim.config import defaults, words
from ipo_sim.config.card_policy import card_settings
from ipo_sim.config.dect import dect_of
from ipo_sim.config.entries import UnitEntry
from ipo_sim.config.hardware import parts_of
from ipo_sim.config.numbering import card_serial, numbers_of, unit_name
from ipo_sim.config.people import directory_of, extension_of, hunt_group_of, short_code_of, user_of
from ipo_sim.config.settings import KeyServerSettings, ReaderSettings
from ipo_sim.config.variants import with_feature_set, with_state
from ipo_sim.core.model import SECOND_NS, Card, Nanoseconds, UnitDefinition, UnitName
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.licensing.key import issue, normalise

# Versions that the profiles are known by: the last of R4.2, and those that the maker's texts on R5 and R6 speak of.
RELEASES: Mapping[str, str] = MappingProxyType({"r4": "4.2(17)", "r5": "5.0(8)", "r6": "6.1(20)"})
DEFAULT_LAW = "alaw"

_T = TypeVar("_T", bound=Hashable)


class Builder:
    """Makes definitions out of entries. `secret` binds the keys of units that have none of their own.

    `folder` is where relative paths start, `seed` decides the chance of all units.
    """

    def __init__(self, catalogue: Catalogue, secret: bytes, folder: Path, *, seed: int = 0) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._folder = folder
        self._secret = secret
        self._known: dict[Hashable, Hashable] = {}

    def units(self, entry: UnitEntry, index: int) -> Iterator[tuple[UnitDefinition, ReaderSettings]]:
        """The units of the entry that is the `index`-th of the file, from 0, each with its reader."""
        make = self._common(entry)
        secret = self._secret_of(entry)
        is_minted = any(item.licence is not None for item in entry.licences)
        keys = (
            ()
            if is_minted
            else self._shared(tuple(dict.fromkeys(normalise(item.key or "") for item in entry.licences)))
        )
        for number in numbers_of(entry, index):
            name, serial = unit_name(entry, number), card_serial(entry, number)
            mac = words.mac_address(entry.mac or "") or words.derived_mac(name)
            reader = self._reader(entry, number)
            unit = make(
                name=UnitName(name),
                mac=mac,
                system_name=_system_name(entry, number, mac),
                reader_name=reader.name,
                licence_server=self._licence_server(entry, number),
                card=self._card(entry, serial),
                licences=tuple(self._keys(entry, serial, secret)) if is_minted else keys,
                dect=dect_of(entry, number, secret),
            )
            yield self._varied(unit, entry), reader

    def _varied(self, unit: UnitDefinition, entry: UnitEntry) -> UnitDefinition:
        """As its feature set and its initial state make it."""
        if entry.feature_set is not None:
            unit = with_feature_set(unit, entry.feature_set, self._catalogue, RELEASES)
        return unit if entry.state is None else with_state(unit, entry.state)

    def _common(self, entry: UnitEntry) -> partial[UnitDefinition]:
        """What all units of an entry are alike in."""
        key, timings, model = entry.key, self._catalogue.timings, self._catalogue.models[entry.model]
        profile = defaults.release_profile(entry, model)
        release = entry.release or RELEASES[profile]
        return partial(
            UnitDefinition,
            model=self._shared(entry.model),
            release_profile=self._shared(profile),
            release=self._shared(release),
            secret=self._shared(self._secret_of(entry)),
            boot_policy=defaults.boot_policy(entry, model),
            grace_ns=self._nanoseconds(timings.grace_s if key.grace_s is None else key.grace_s),
            poll_ns=self._nanoseconds(self._poll_s(entry)),
            utc_offset_minutes=words.utc_offset_minutes(entry.timezone) or 0,
            reader_kind=self._shared(defaults.reader_kind(entry.feature_key, model)),
            parts=self._shared(tuple(self._shared(part) for part in parts_of(entry))),
            users=self._shared(tuple(map(user_of, entry.users))),
            extensions=self._shared(tuple(map(extension_of, entry.extensions))),
            directory=self._shared(tuple(map(directory_of, entry.directory))),
            hunt_groups=self._shared(tuple(map(hunt_group_of, entry.hunt_groups))),
            short_codes=self._shared(tuple(map(short_code_of, entry.short_codes))),
            seed=self._seed,
        )

    def _keys(self, entry: UnitEntry, serial: str, secret: bytes) -> Iterator[str]:
        """The entry's keys, those to mint bound to the unit's card; the place in the list tells equal ones apart."""
        for nonce, item in enumerate(entry.licences):
            if item.key is not None:
                yield self._shared(normalise(item.key))
                continue
            kind = self._catalogue.licences_by_name[item.licence or ""]
            yield issue(
                licence_code=kind.code,
                instances=item.instances or min(kind.packs, default=1),
                expiry=item.expiry,
                serial=serial,
                secret=secret,
                nonce=nonce,
            ).text

    def _secret_of(self, entry: UnitEntry) -> bytes:
        return self._secret if entry.key.secret is None else entry.key.secret.encode()

    def _card(self, entry: UnitEntry, serial: str) -> Card | None:
        key = entry.feature_key
        model = self._catalogue.models[entry.model]
        if defaults.reader_kind(key, model) != defaults.VIRTUAL or key.present is False:
            return None
        return self._shared(Card(serial, key.law or DEFAULT_LAW, model.own_key_kind))

    def _reader(self, entry: UnitEntry, number: int) -> ReaderSettings:
        key = entry.feature_key
        kind = defaults.reader_kind(key, self._catalogue.models[entry.model])
        settings = ReaderSettings(kind, kind, law=key.law or DEFAULT_LAW, record=self._path(entry, key.record, number))
        if kind == KEY_SERVER:
            server = self._key_server(entry, number)
            return self._shared(replace(settings, name=f"{server.address}:{server.port}", key_server=server))
        if kind == defaults.CASSETTE:
            path = self._path(entry, key.cassette, number)
            return replace(settings, name=str(path), cassette=path, loop=key.replay == defaults.LOOP)
        if kind == defaults.PCSC:
            pattern = self._numbered(entry, key.pcsc_reader or defaults.ANY_READER, number)
            return replace(settings, name=pattern, pcsc_reader=pattern, cards=self._shared(card_settings(key)))
        if key.port is None:
            return self._shared(settings)
        port = self._numbered(entry, key.port, number)
        cards = self._shared(card_settings(key)) if kind == defaults.PN532 else None
        return replace(settings, name=port, port=port, cards=cards)

    def _numbered(self, entry: UnitEntry, text: str, number: int) -> str:
        return words.numbered(text, number) if entry.count is not None else text

    def _path(self, entry: UnitEntry, text: str | None, number: int) -> Path | None:
        if text is None:
            return None
        return self._folder / Path(self._numbered(entry, text, number)).expanduser()

    def _key_server(self, entry: UnitEntry, number: int) -> KeyServerSettings:
        key = entry.feature_key
        secret = None if key.licence_server_secret is None else key.licence_server_secret.encode()
        address, transport = self._licence_server(entry, number), key.licence_server_transport or "tcp"
        return KeyServerSettings(address, defaults.key_server_port(key), self._poll_s(entry), secret, transport)

    def _licence_server(self, entry: UnitEntry, number: int) -> str:
        address = defaults.licence_server(entry.feature_key, self._catalogue.models[entry.model])
        return self._shared(self._numbered(entry, address, number))

    def _poll_s(self, entry: UnitEntry) -> float:
        return self._catalogue.timings.poll_s if entry.key.poll_s is None else entry.key.poll_s

    def _nanoseconds(self, seconds: float) -> Nanoseconds:
        return self._shared(Nanoseconds(round(seconds * SECOND_NS)))

    def _shared(self, value: _T) -> _T:
        """The first value that was equal to this one."""
        return self._known.setdefault(value, value)  # type: ignore[return-value]  # equal values have one type here


def _system_name(entry: UnitEntry, number: int, mac: str) -> str:
    if entry.system_name is None:
        return words.system_name_of(mac)
    return words.numbered(entry.system_name, number) if entry.count is not None else entry.system_name
