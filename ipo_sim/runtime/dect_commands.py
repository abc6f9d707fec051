"""Commands of the IP DECT system: its licence key, and its base stations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ipo_sim.core import dect_events as e
from ipo_sim.core.events import Fact
from ipo_sim.runtime.arguments import MAX_KEY, MAX_TEXT, Arguments
from ipo_sim.runtime.carry_out import apply
from ipo_sim.runtime.command import Command, Situation


class DectLicence(Arguments):
    """The licence key of the IP DECT system."""

    key: Annotated[str, Field(min_length=1, max_length=MAX_KEY, description="The key, 64 letters and digits.")]
    park: Annotated[str, Field(max_length=MAX_TEXT, description="PARK, 10 hexadecimal digits; as it is if empty.")] = ""


class BaseAddress(Arguments):
    """One base station."""

    mac: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="MAC address of the base station.")]


class BaseSetting(BaseAddress):
    """A base station; the ADMM takes over from the one before."""

    admm: Annotated[bool, Field(description="Whether it manages the others; the first one does.")] = False
    carries_calls: Annotated[bool, Field(description="Whether it has voice channels.")] = True
    reachable: Annotated[bool, Field(description="Whether it answers.")] = True


class BaseReach(BaseAddress):
    """Whether a base station answers."""

    state: Annotated[Literal["reachable", "lost"], Field(description="Whether it answers.")]


def _enter_licence(_: Situation, args: DectLicence) -> Fact:
    return e.DectLicenceEntered(args.key, args.park)


def _remove_licence(_: Situation, _args: Arguments) -> Fact:
    return e.DectLicenceRemoved()


def _add_base(_: Situation, args: BaseSetting) -> Fact:
    return e.BaseStationConfigured(args.mac, args.admm, args.carries_calls, args.reachable)


def _remove_base(_: Situation, args: BaseAddress) -> Fact:
    return e.BaseStationRemoved(args.mac)


def _set_base(_: Situation, args: BaseReach) -> Fact:
    return e.BaseStationReachable(args.mac) if args.state == "reachable" else e.BaseStationLost(args.mac)


COMMANDS = (
    Command(
        "enter-dect-licence",
        "Enter a licence key in the IP DECT system",
        "enter-dect-licence key=T41G67RG196340G0BR80008201F100020805W4000CT3V97ADK5T56Y1BZRY0YNH",
        DectLicence,
        apply,
        _enter_licence,
    ),
    Command(
        "remove-dect-licence",
        "Delete the licence key of the IP DECT system",
        "remove-dect-licence",
        Arguments,
        apply,
        _remove_licence,
    ),
    Command(
        "add-base",
        "Add a base station to the IP DECT system, or change it",
        "add-base mac=02:00:5e:10:00:04",
        BaseSetting,
        apply,
        _add_base,
    ),
    Command(
        "remove-base",
        "Delete a base station of the IP DECT system",
        "remove-base mac=02:00:5e:10:00:04",
        BaseAddress,
        apply,
        _remove_base,
    ),
    Command(
        "set-base",
        "Let a base station of the IP DECT system be lost, or answer again",
        "set-base mac=02:00:5e:10:00:03 state=lost",
        BaseReach,
        apply,
        _set_base,
    ),
)
