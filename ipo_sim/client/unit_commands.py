"""The commands of the registry as methods. `do` sends one; whether its answer is there or awaited is up to the unit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

# What a command comes to: its answer, or an awaitable of it.
_R = TypeVar("_R")


class UnitCommands(ABC, Generic[_R]):
    """One method for each command of a unit; arguments left out are left to the unit. CommandRejected: nothing changed.

    All arguments are explained by `ipo-sim ctl UNIT COMMAND --help`.
    """

    @abstractmethod
    def do(self, verb: str, **arguments: object) -> _R:
        """Any command, by the name that it has everywhere, such as `remove-card`."""

    def power(self, *, on: bool) -> _R:
        """Apply or remove mains power."""
        return self.do("power", on=on)

    def restart(self) -> _R:
        """Restart the unit."""
        return self.do("restart")

    def shutdown(self, minutes: int | None = None, source: str | None = None) -> _R:
        """Shut the unit down, for ever or for some minutes."""
        return self.do("shutdown", **_given(minutes=minutes, source=source))

    def insert_card(
        self,
        serial: str | None = None,
        *,
        law: str | None = None,
        kind: str | None = None,
        identity: str | None = None,
        assurance: str | None = None,
    ) -> _R:
        """Put a card into the virtual reader, the last one unless told otherwise."""
        said = _given(serial=serial, law=law, kind=kind, identity=identity, assurance=assurance)
        return self.do("insert-card", **said)

    def remove_card(self) -> _R:
        """Take the card out of the virtual reader."""
        return self.do("remove-card")

    def fit(self, path: str, part: str) -> _R:
        """Put a part into an empty place."""
        return self.do("fit", path=path, part=part)

    def withdraw(self, path: str) -> _R:
        """Pull a part out."""
        return self.do("withdraw", path=path)

    def configure(self, path: str, part: str | None) -> _R:
        """Say which part the configuration expects at a place; None: none."""
        return self.do("configure", path=path, part=part)

    def add_licence(self, key: str) -> _R:
        """Enter a licence key; it counts once the configuration is loaded."""
        return self.do("add-licence", key=key)

    def remove_licence(self, key: str) -> _R:
        """Delete a licence key."""
        return self.do("remove-licence", key=key)

    def load_configuration(self) -> _R:
        """Load the configuration, so that entered keys are checked."""
        return self.do("load-configuration")

    def set_fault(self, path: str, fault: str | int | None = None) -> _R:
        """Let a part fail, or the feature key become unreadable."""
        return self.do("set-fault", path=path, **_given(fault=fault))

    def inject_fault(  # noqa: PLR0913 - options of all faults, by name only
        self,
        fault: str,
        path: str | None = None,
        *,
        start: float | str | None = None,
        duration: float | str | None = None,
        probability: float | None = None,
        clear_after: int | None = None,
        reason: int | None = None,
        bounces: int | None = None,
        interval: float | str | None = None,
        delay: float | str | None = None,
        misses: int | None = None,
        port: int | None = None,
        ppm: int | None = None,
        serial: str | None = None,
        interface: int | None = None,
        loopback: int | None = None,
        application: int | None = None,
        card: int | None = None,
        percent: int | None = None,
    ) -> _R:
        """Inject a fault of the catalogue; lengths of time are seconds, or texts such as `10m`."""
        life = _given(start=start, duration=duration, probability=probability, clear_after=clear_after)
        contact = _given(reason=reason, bounces=bounces, interval=interval, delay=delay)
        others = _given(misses=misses, port=port, ppm=ppm, serial=serial)
        told = _given(interface=interface, loopback=loopback, application=application, card=card, percent=percent)
        return self.do("inject-fault", fault=fault, **_given(path=path), **life, **contact, **others, **told)

    def clear_fault(self, fault: str | None = None, *, path: str | None = None) -> _R:
        """Take an injected fault back by its id, or mend what `set_fault` broke at a place."""
        return self.do("clear-fault", **_given(path=path, fault=fault))

    def send_event(
        self,
        event: int,
        path: str | None = None,
        *,
        reason: int | None = None,
        severity: int | None = None,
        text: str | None = None,
        data: str | None = None,
    ) -> _R:
        """Let the unit send one of the maker's events that only tell of something."""
        said = _given(path=path, reason=reason, severity=severity, text=text, data=data)
        return self.do("send-event", event=event, **said)

    def set_time(self, *, scale: float | None = None, pause: bool | None = None, date: str | None = None) -> _R:
        """Set scale or pause of the clock of all units, or this unit's date."""
        return self.do("set-time", **_given(scale=scale, pause=pause, date=date))

    def pause(self) -> _R:
        """Let time stand for all units."""
        return self.do("pause")

    def resume(self) -> _R:
        """Let time run again for all units."""
        return self.do("resume")

    def advance(self, seconds: float | str | None = None, *, to: str | None = None) -> _R:
        """Move time ahead for all units, by seconds, by `2h30m`, or to this unit's next deadline."""
        return self.do("advance", **_given(seconds=seconds, to=to))

    def step(self, count: int | None = None) -> _R:
        """Let time stand, and go on to the next moment at which something happens to any unit."""
        return self.do("step", **_given(count=count))

    def rewind(self, seconds: float | str | None = None, *, seq: int | None = None, to: str | None = None) -> _R:
        """Take all units back by seconds or `10m`, after an event of this unit, or to a moment; time goes back too."""
        return self.do("rewind", **_given(seconds=seconds, seq=seq, to=to))

    def what_if(self, events: Sequence[str]) -> _R:
        """What commands would change, one after the other; nothing is changed."""
        return self.do("what-if", events=list(events))

    def import_licences(self, keys: Sequence[str]) -> _R:
        """Enter many licence keys at once."""
        return self.do("import-licences", keys=list(keys))

    def export_licences(self, after: int | None = None) -> _R:
        """Up to 2,000 licence keys in the order of their numbers."""
        return self.do("export-licences", **_given(after=after))

    def acquire(self, feature: str, holder: str, instances: int | None = None, *, request: str | None = None) -> _R:
        """Take instances of a feature for a holder."""
        return self.do("acquire", feature=feature, holder=holder, **_given(instances=instances, request=request))

    def release(self, feature: str, holder: str, *, request: str | None = None) -> _R:
        """Give back what a holder acquired."""
        return self.do("release", feature=feature, holder=holder, **_given(request=request))

    def start_call(  # noqa: PLR0913 - kinds of channels, by name only
        self,
        call: str,
        *,
        vcm: int | None = None,
        pri: int | None = None,
        sip: int | None = None,
        voicemail: int | None = None,
        extension: str | None = None,
        trunk: str | None = None,
        port: int | None = None,
    ) -> _R:
        """Let a call take channels, all or none, and the line at a trunk port if one is named."""
        channels = _given(vcm=vcm, pri=pri, sip=sip, voicemail=voicemail)
        said = {**channels, **_given(extension=extension, trunk=trunk, port=port)}
        return self.do("start-call", call=call, **said)

    def connect_phone(self, path: str, port: int, phone: str | None = None) -> _R:
        """Plug a phone in at a digital station port."""
        return self.do("connect-phone", path=path, port=port, **_given(phone=phone))

    def disconnect_phone(self, path: str, port: int) -> _R:
        """Unplug the phone at a port."""
        return self.do("disconnect-phone", path=path, port=port)

    def end_call(self, call: str) -> _R:
        """End a call and free its channels."""
        return self.do("end-call", call=call)

    def configure_user(
        self,
        name: str,
        *,
        full_name: str | None = None,
        extension: str | None = None,
        profile: str | None = None,
        features: Sequence[str] | None = None,
    ) -> _R:
        """Make or change a user; profile and features take licences."""
        said = _given(full_name=full_name, extension=extension, profile=profile, features=features)
        return self.do("configure-user", name=name, **said)

    def remove_user(self, name: str) -> _R:
        """Delete a user."""
        return self.do("remove-user", name=name)

    def configure_extension(self, extension: str, *, kind: str | None = None, reserve: str | None = None) -> _R:
        """Make or change an IP extension."""
        return self.do("configure-extension", extension=extension, **_given(kind=kind, reserve=reserve))

    def remove_extension(self, extension: str) -> _R:
        """Delete an IP extension."""
        return self.do("remove-extension", extension=extension)

    def register_phone(self, extension: str, *, mac: str | None = None, address: str | None = None) -> _R:
        """Let the phone of an IP extension register."""
        return self.do("register-phone", extension=extension, **_given(mac=mac, address=address))

    def unregister_phone(self, extension: str) -> _R:
        """Let the phone of an IP extension unregister."""
        return self.do("unregister-phone", extension=extension)

    def enter_dect_licence(self, key: str, *, park: str | None = None) -> _R:
        """Enter a licence key in the IP DECT system."""
        return self.do("enter-dect-licence", key=key, **_given(park=park))

    def remove_dect_licence(self) -> _R:
        """Delete the licence key of the IP DECT system."""
        return self.do("remove-dect-licence")

    def add_base(
        self,
        mac: str,
        *,
        admm: bool | None = None,
        carries_calls: bool | None = None,
        reachable: bool | None = None,
    ) -> _R:
        """Make or change a base station."""
        return self.do("add-base", mac=mac, **_given(admm=admm, carries_calls=carries_calls, reachable=reachable))

    def remove_base(self, mac: str) -> _R:
        """Delete a base station."""
        return self.do("remove-base", mac=mac)

    def set_base(self, mac: str, state: str) -> _R:
        """Let a base station be `lost`, or `reachable` again."""
        return self.do("set-base", mac=mac, state=state)


def _given(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the commands take
    """Those that are said."""
    return {name: value for name, value in arguments.items() if value is not None}
