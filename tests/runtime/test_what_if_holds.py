"""What a what-if answers is what then happens: over units, histories and commands drawn by lot from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ipo_sim.core.model import DectDefinition, PartDefinition
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import COMMANDS, execute, parse_line
from ipo_sim.runtime.view import view
from tests.core.bench import OTHER_SERIAL, SERIAL, definition
from tests.core.dect_bench import MACS, dect_key, system
from tests.core.facts import KEYS
from tests.runtime.bench import A, boot, open_bench
from tests.runtime.histories import Action, actions, play
from tests.runtime.test_pump import running

PARTS = (
    PartDefinition("slots/1", "DS8"),
    PartDefinition("slots/1/daughter", "PRI-1"),
    PartDefinition("slots/2", "VCM32"),
    PartDefinition("expansion/1", "DS30V2"),
)
PATHS = st.sampled_from(["slots/1", "slots/1/daughter", "slots/2", "slots/3", "expansion/1", "expansion/2"])
KEY = st.sampled_from(KEYS)
NAME = st.sampled_from(["anna", "bert"])
NUMBER = st.sampled_from(["201", "202"])
FEATURE = st.sampled_from(["vcm-channels", "voicemail-pro-ports", "power-user", "phone-manager-pro"])
PROFILE = st.sampled_from(["basic", "power-user", "receptionist"])
MAC = st.sampled_from(MACS[:4])
CODE = st.sampled_from(["DS8", "POT8", "VCM64", "PRI-1", "DS30V2"])


def given_as(**arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(arguments))


# Arguments that meet each other; a command without any here is drawn as its example says.
ARGUMENTS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "power": given_as(on=st.booleans()),
    "restart": given_as(),
    "shutdown": given_as(minutes=st.sampled_from([0, 3, 5, 60])),
    "insert-card": st.one_of(given_as(), given_as(serial=st.sampled_from([SERIAL, OTHER_SERIAL]))),
    "remove-card": given_as(),
    "fit": given_as(path=PATHS, part=CODE),
    "withdraw": given_as(path=PATHS),
    "configure": given_as(path=PATHS, part=st.none() | CODE),
    "add-licence": given_as(key=KEY),
    "remove-licence": given_as(key=KEY),
    "load-configuration": given_as(),
    "set-fault": st.one_of(given_as(path=PATHS, fault=st.just("wet")), st.just({"path": "feature-key", "fault": "3"})),
    "clear-fault": given_as(path=PATHS | st.just("feature-key")),
    "set-time": given_as(date=st.sampled_from(["2026-01-07T23:59:58", "2027-03-01", "1999-12-31", "never"])),
    "advance": st.one_of(
        given_as(seconds=st.sampled_from([0, 1, 10, 3_600, 7_200, 200_000])), given_as(to=st.just("next-deadline"))
    ),
    "import-licences": given_as(keys=st.lists(KEY, min_size=1, max_size=4)),
    "acquire": given_as(feature=FEATURE, holder=NAME, instances=st.integers(1, 5)),
    "release": given_as(feature=FEATURE, holder=NAME),
    "start-call": given_as(call=NAME, vcm=st.integers(0, 5), pri=st.integers(0, 9), voicemail=st.integers(0, 3)),
    "end-call": given_as(call=NAME),
    "configure-user": given_as(name=NAME, profile=PROFILE),
    "remove-user": given_as(name=NAME),
    "configure-extension": given_as(
        extension=NUMBER,
        kind=st.sampled_from(["avaya-ip", "third-party-ip", "dect"]),
        reserve=st.sampled_from(["none", "avaya", "both"]),
    ),
    "remove-extension": given_as(extension=NUMBER),
    "register-phone": given_as(extension=NUMBER),
    "unregister-phone": given_as(extension=NUMBER),
    "enter-dect-licence": given_as(key=st.sampled_from([dect_key(), dect_key(MACS[:2], 2), "x"])),
    "add-base": given_as(mac=MAC, admm=st.booleans()),
    "remove-base": given_as(mac=MAC),
    "set-base": given_as(mac=MAC, state=st.sampled_from(["lost", "reachable"])),
}
Event = dict[str, Any]
IMAGINABLE = [verb for verb, command in COMMANDS.items() if command.intent is not None or verb == "advance"]


def event_of(verb: str) -> st.SearchStrategy[Event]:
    arguments = ARGUMENTS.get(verb, st.just(parse_line(COMMANDS[verb].example)[1]))
    return arguments.map(lambda drawn: {"command": verb, "arguments": drawn})


EVENTS: st.SearchStrategy[list[Event]] = st.lists(
    st.sampled_from(IMAGINABLE).flatmap(event_of), min_size=1, max_size=10
)


def seen(runtime: Runtime) -> dict[str, Any]:
    """All that clients see of the unit, as they see it."""
    offset = runtime.engine.unit(A).clock_offset_ns
    entries = runtime.bus.latest(A)
    return {path: view(entry.value, offset) for path, entry in entries.items() if entry.value is not None}


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is different, as the answer to a what-if has it."""
    found: dict[str, tuple[Any, Any]] = {}
    for path in {**after, **before}:
        old, new = before.get(path), after.get(path)
        if old is None or new is None:
            if old != new:
                found[path] = old, new
        elif fields := [name for name in new if new[name] != old[name]]:
            found[path] = {name: old[name] for name in fields}, {name: new[name] for name in fields}
    return found


# Positions of refused commands, and the reasons.
Refusals = list[tuple[int, str]]


async def imagined(runtime: Runtime, events: list[Event]) -> tuple[Refusals, dict[str, Any] | None]:
    """What is said of the commands that would be carried out, and which of them would be refused."""
    left = list(enumerate(events))
    refusals: Refusals = []
    while left:
        try:
            asked = {"events": [event for _, event in left]}
            return refusals, await execute(runtime.context, A, "what-if", asked)
        except CommandRejected as refused:
            told, verb = str(refused).split(": ", 1)[0].removeprefix("event ").split(", ")
            position, event = left.pop(int(told) - 1)
            refusals.append((position, refused.reason))
            if event["command"] != verb:
                raise
    return refusals, None


async def carried_out(runtime: Runtime, events: list[Event]) -> Refusals:
    """Do it, and which commands are refused. What lacked an instance has happened all the same."""
    refusals: Refusals = []
    for position, event in enumerate(events):
        try:
            await execute(runtime.context, A, event["command"], event["arguments"])
        except CommandRejected as refused:
            if refused.reason != "no-licence":
                refusals.append((position, refused.reason))
    return refusals


@settings(max_examples=150)
@given(
    licences=st.lists(KEY, unique=True, max_size=5),
    profile=st.sampled_from(["r4", "r5", "r6"]),
    offset=st.sampled_from([0, 60, -300]),
    dect=st.booleans().map(lambda timer: system(timer=timer)),
    history=st.lists(actions, max_size=10),
    events=EVENTS,
)
async def test_the_answer_is_what_then_happens(
    licences: list[str], profile: str, offset: int, dect: DectDefinition, history: list[Action], events: list[Event]
) -> None:
    unit = definition(*licences, parts=PARTS, profile=profile, utc_offset_minutes=offset)
    runtime = open_bench(None, replace(unit, name=A, dect=dect))
    boot(runtime)
    play(runtime.engine, [(A, action) for action in history])
    async with running(runtime.pump):
        refusals, answer = await imagined(runtime, events)
        before, seq = seen(runtime), runtime.engine.unit(A).seq
        assert await carried_out(runtime, events) == refusals
        told = answer or {"events": [], "changes": []}
        changes = {change["path"]: (change["before"], change["after"]) for change in told["changes"]}
        assert changes == difference(before, seen(runtime))
        happened = range(seq + 1, runtime.engine.unit(A).seq + 1)
        assert [event["seq"] for event in told["events"]] == list(happened)
    runtime.close()
