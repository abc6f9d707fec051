"""Commands of those who use what is licensed: instances, calls, users, IP extensions and their phones."""

from __future__ import annotations

from ipo_sim.core import events as e
from ipo_sim.core.events import Fact
from ipo_sim.core.signal_events import PortPhoneChanged
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime.carry_out import applied, apply, happen
from ipo_sim.runtime.command import Call, Command, Situation
from ipo_sim.runtime.requests import Answer


async def _claim(call: Call) -> Answer:
    """What is refused for want of a licence is an event all the same: it raises the alarm."""
    done = await happen(call)
    if done.effects.refused:
        names = ", ".join(done.effects.refused)
        raise CommandRejected("no-licence", f"too few instances of {names} are free; refused by event {done.seq}")
    return applied(done)


async def _register(call: Call) -> Answer:
    """A phone of the maker registers without a licence too, and says so."""
    done = await happen(call)
    number = call.arguments.extension
    phone = next(known for known in call.context.engine.unit(call.unit).extensions if known.number == number)
    if phone.registered is None:
        names = ", ".join(done.effects.refused)
        raise CommandRejected("no-licence", f"no instance of {names} is free: the phone cannot register")
    return {**applied(done), "state": phone.state}


def _acquire(_: Situation, args: a.Instances) -> Fact:
    return e.InstancesRequested(args.feature, args.holder, args.instances, args.request)


def _release(_: Situation, args: a.Release) -> Fact:
    return e.InstancesReleased(args.feature, args.holder, args.request)


def _start_call(_: Situation, args: a.Call) -> Fact:
    return e.CallStarted(args.call, args.vcm, args.pri, args.sip, args.voicemail, args.extension, args.trunk, args.port)


def _end_call(_: Situation, args: a.CallName) -> Fact:
    return e.CallEnded(args.call)


def _configure_user(_: Situation, args: a.UserSetting) -> Fact:
    return e.UserConfigured(args.name, args.full_name, args.extension, args.profile, tuple(args.features))


def _remove_user(_: Situation, args: a.UserName) -> Fact:
    return e.UserRemoved(args.name)


def _configure_extension(_: Situation, args: a.ExtensionSetting) -> Fact:
    return e.ExtensionConfigured(args.extension, args.kind, args.reserve)


def _remove_extension(_: Situation, args: a.ExtensionNumber) -> Fact:
    return e.ExtensionRemoved(args.extension)


def _register_phone(_: Situation, args: a.Phone) -> Fact:
    return e.PhoneRegistered(args.extension, args.mac, args.address)


def _unregister_phone(_: Situation, args: a.ExtensionNumber) -> Fact:
    return e.PhoneUnregistered(args.extension)


def _connect_phone(_: Situation, args: a.StationPhone) -> Fact:
    return PortPhoneChanged(args.path, args.port, args.phone)


def _disconnect_phone(_: Situation, args: a.PortOf) -> Fact:
    return PortPhoneChanged(args.path, args.port)


COMMANDS = (
    Command(
        "acquire",
        "Take instances of a feature for a holder",
        "acquire feature=phone-manager-pro holder=anna",
        a.Instances,
        _claim,
        _acquire,
    ),
    Command(
        "release",
        "Give back what a holder acquired",
        "release feature=phone-manager-pro holder=anna",
        a.Release,
        apply,
        _release,
    ),
    Command(
        "start-call",
        "Let a call take channels, all or none",
        "start-call call=c1 vcm=1",
        a.Call,
        _claim,
        _start_call,
    ),
    Command(
        "connect-phone",
        "Plug a phone in at a digital station port",
        "connect-phone path=slots/1 port=3 phone=2410",
        a.StationPhone,
        apply,
        _connect_phone,
    ),
    Command(
        "disconnect-phone",
        "Unplug the phone at a port",
        "disconnect-phone path=slots/1 port=3",
        a.PortOf,
        apply,
        _disconnect_phone,
    ),
    Command("end-call", "End a call and free its channels", "end-call call=c1", a.CallName, apply, _end_call),
    Command(
        "configure-user",
        "Make or change a user; profile and features take licences",
        "configure-user name=anna extension=201 profile=power-user",
        a.UserSetting,
        _claim,
        _configure_user,
    ),
    Command("remove-user", "Delete a user", "remove-user name=anna", a.UserName, apply, _remove_user),
    Command(
        "configure-extension",
        "Make or change an IP extension",
        "configure-extension extension=201 kind=avaya-ip",
        a.ExtensionSetting,
        apply,
        _configure_extension,
    ),
    Command(
        "remove-extension",
        "Delete an IP extension",
        "remove-extension extension=201",
        a.ExtensionNumber,
        apply,
        _remove_extension,
    ),
    Command(
        "register-phone",
        "Let the phone of an IP extension register",
        "register-phone extension=201",
        a.Phone,
        _register,
        _register_phone,
    ),
    Command(
        "unregister-phone",
        "Let a registered phone go",
        "unregister-phone extension=201",
        a.ExtensionNumber,
        apply,
        _unregister_phone,
    ),
)
