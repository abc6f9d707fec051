"""The life of the unit: power, boot, restart, shutdown. The table is the state diagram of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from ipo_sim.catalogue.types import ModelType, PlaceKind
from ipo_sim.core.draft import MINUTE_NS, Draft
from ipo_sim.core.events import PowerApplied, PowerRemoved, RestartRequested, ShutdownRequested
from ipo_sim.core.feature_key import KEY_PATH, forget_check, recheck
from ipo_sim.core.model import SECOND_NS, BootPolicy, KeyPresence, Life, Lifecycle, Nanoseconds, Part
from ipo_sim.core.people import reserve_at_start
from ipo_sim.errors import CommandRejected

# Half the cost of a named tuple's own constructor, where a start makes one for each part.
_new = tuple.__new__
CONTROLLER_PATH = "unit"
CONTROLLER_NAME = "Controller"
CONTROLLER_INDEX = 1
COLD_START = 15
WARM_START = 16
SHUTDOWN_ACCEPTED = 37

# state -> trigger -> states it can lead to. Triggers: the facts below, and what the unit's own deadlines do.
TRANSITIONS: Mapping[Lifecycle, Mapping[str, tuple[Lifecycle, ...]]] = {
    Lifecycle.OFF: {PowerApplied.TYPE: (Lifecycle.STARTING,)},
    Lifecycle.STARTING: {
        PowerRemoved.TYPE: (Lifecycle.OFF,),
        "boot-done": (Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY),
    },
    Lifecycle.AWAITING_FEATURE_KEY: {
        PowerRemoved.TYPE: (Lifecycle.OFF,),
        RestartRequested.TYPE: (Lifecycle.STARTING,),
        ShutdownRequested.TYPE: (Lifecycle.SHUTTING_DOWN,),
        "key-sound": (Lifecycle.RUNNING,),
    },
    Lifecycle.RUNNING: {
        PowerRemoved.TYPE: (Lifecycle.OFF,),
        RestartRequested.TYPE: (Lifecycle.STARTING,),
        ShutdownRequested.TYPE: (Lifecycle.SHUTTING_DOWN,),
        "grace-over": (Lifecycle.AWAITING_FEATURE_KEY,),
    },
    Lifecycle.SHUTTING_DOWN: {
        PowerRemoved.TYPE: (Lifecycle.OFF,),
        "shutdown-done": (Lifecycle.SHUTDOWN,),
    },
    Lifecycle.SHUTDOWN: {
        PowerRemoved.TYPE: (Lifecycle.OFF,),
        "restart-due": (Lifecycle.STARTING,),
    },
}


# How who can ask for it says it; what the unit does by itself nobody can ask for.
_WORDS: Mapping[str, str] = {
    PowerApplied.TYPE: "power on",
    PowerRemoved.TYPE: "power off",
    RestartRequested.TYPE: "restart",
    ShutdownRequested.TYPE: "shutdown",
}


def require(draft: Draft, trigger: str) -> None:
    """Reject a trigger that the table does not know for this state."""
    state = draft.life.state
    if trigger not in TRANSITIONS[state]:
        allowed = ", ".join(_WORDS[known] for known in TRANSITIONS[state] if known in _WORDS)
        words = f"{_WORDS[trigger]} is not possible while the unit is {_adjective(state)}; possible: {allowed}"
        raise CommandRejected("wrong-state", words)


def _adjective(state: Lifecycle) -> str:
    return state.replace("_", " ")


def apply_power(draft: Draft, _fact: PowerApplied) -> None:
    """Cold start."""
    require(draft, PowerApplied.TYPE)
    _start(draft, cold=True)


def remove_power(draft: Draft, _fact: PowerRemoved) -> None:
    """Everything stops at once."""
    require(draft, PowerRemoved.TYPE)
    draft.life = Life(Lifecycle.OFF, draft.seq, last_start=draft.life.last_start)
    forget_check(draft)


def request_restart(draft: Draft, _fact: RestartRequested) -> None:
    """Warm start; a grace that runs is over with it."""
    require(draft, RestartRequested.TYPE)
    _start(draft, cold=False)


def request_shutdown(draft: Draft, fact: ShutdownRequested) -> None:
    """Orderly stop: all calls go, then the unit waits for power to be cycled or for the time to be over."""
    require(draft, ShutdownRequested.TYPE)
    timings = draft.catalogue.timings
    low, high = timings.shutdown_minutes_min, timings.shutdown_minutes_max
    if fact.minutes != 0 and not low <= fact.minutes <= high:
        raise CommandRejected(
            "bad-minutes", f"a shutdown lasts {low} to {high} minutes, or 0 for ever, not {fact.minutes}"
        )
    seconds = timings.shutdown_ucm_s if _has_ucm(draft.parts) else timings.shutdown_s
    draft.notify(
        SHUTDOWN_ACCEPTED,
        CONTROLLER_PATH,
        CONTROLLER_NAME,
        CONTROLLER_INDEX,
        text=f"shutdown for {fact.minutes} minutes" if fact.minutes else "shutdown until power is cycled",
        data=fact.source,
    )
    draft.life = Life(
        Lifecycle.SHUTTING_DOWN,
        draft.seq,
        until=_after(draft, seconds),
        shutdown_minutes=fact.minutes,
        last_start=draft.life.last_start,
    )
    forget_check(draft)


def go_on(draft: Draft) -> None:
    """The deadline of the present state has come."""
    state = draft.life.state
    if state is Lifecycle.STARTING:
        _finish_boot(draft)
    elif state is Lifecycle.SHUTTING_DOWN:
        minutes = draft.life.shutdown_minutes
        until = Nanoseconds(draft.at + minutes * MINUTE_NS) if minutes else None
        draft.life = Life(Lifecycle.SHUTDOWN, draft.seq, until, minutes, draft.life.last_start)
    else:
        _start(draft, cold=False)


def start_anew(draft: Draft) -> None:
    """A start that waited goes on from its beginning."""
    _start(draft, cold=draft.life.cold)


def _start(draft: Draft, *, cold: bool) -> None:
    timings = draft.catalogue.timings
    fitted = any(part.fitted for part in draft.parts)
    seconds = timings.module_delay_s + (timings.card_initialisation_s if fitted else 0.0)
    draft.life = Life(Lifecycle.STARTING, draft.seq, until=_after(draft, seconds), cold=cold, last_start=draft.seq)
    forget_check(draft)
    draft.parts = tuple([_forget(part) if part.detected or part.failed else part for part in draft.parts])


def _forget(part: Part) -> Part:
    """A part as the unit knows it while it starts: not seen yet."""
    place, fitted, configured, _, seq, service, fault, surplus, _ = part
    return _new(Part, (place, fitted, configured, False, seq, service, fault, surplus, False))


def _finish_boot(draft: Draft) -> None:
    """Parts are detected, the configuration is loaded, then the key decides (hardware.md 6)."""
    draft.parts = tuple([part if part.fitted is None else _detect(part) for part in draft.parts])
    draft.licences = tuple(licence if licence.loaded else licence._replace(loaded=True) for licence in draft.licences)
    may_halt = draft.definition.boot_policy is BootPolicy.HALT and not _model(draft).runs_without_key
    halted = may_halt and draft.key.presence is not KeyPresence.PRESENT
    state = Lifecycle.AWAITING_FEATURE_KEY if halted else Lifecycle.RUNNING
    trap = COLD_START if draft.life.cold else WARM_START
    draft.life = Life(state, draft.seq, last_start=draft.life.last_start)
    draft.notify(trap, CONTROLLER_PATH, CONTROLLER_NAME, CONTROLLER_INDEX)
    reserve_at_start(draft)
    recheck(draft, booting=True)


def _detect(part: Part) -> Part:
    place, fitted, configured, _, seq, service, fault, surplus, failed = part
    return _new(Part, (place, fitted, configured or fitted, True, seq, service, fault, surplus, failed))


def life_cause(draft: Draft) -> tuple[str, ...]:
    """Why the unit is not running, from near to far; empty while it is."""
    life = draft.life
    if life.state is Lifecycle.RUNNING:
        return ()
    if life.state is Lifecycle.AWAITING_FEATURE_KEY:
        return (KEY_PATH, *draft.key.cause)
    if life.state is Lifecycle.STARTING and life.until is None:
        faults = (fault for fault in draft.faults if fault.fault == "software-missing")
        return next(((f"faults/{fault.id}", *fault.cause) for fault in faults), (f"event:{life.seq}",))
    return (f"event:{life.seq}",)


def _has_ucm(parts: tuple[Part, ...]) -> bool:
    return any(
        part.fitted is not None and part.place.kind is PlaceKind.SLOT and part.fitted.code.startswith("UCM")
        for part in parts
    )


def _model(draft: Draft) -> ModelType:
    return draft.catalogue.models[draft.definition.model]


def _after(draft: Draft, seconds: float) -> Nanoseconds:
    return Nanoseconds(draft.at + round(seconds * SECOND_NS))
