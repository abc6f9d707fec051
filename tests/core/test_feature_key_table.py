"""Losing and regaining the key: every row of the table, at once, in the grace and after it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    PowerApplied,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
)
from ipo_sim.core.model import BootPolicy, KeyReason, Lifecycle, Severity
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

RUNNING, AWAITING = Lifecycle.RUNNING, Lifecycle.AWAITING_FEATURE_KEY
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
VALID, INVALID = LicenceStatus.VALID, LicenceStatus.INVALID

# Modules stop: traps 20 (entity failure) and 46 (service failure) for each; they come back: 21 and 47.
MODULES_STOP = {20, 46}
MODULES_RETURN = {21, 47}


@dataclass(frozen=True)
class Expected:
    """What a management tool sees at one moment. `traps`: event numbers sent since the moment before."""

    state: Lifecycle
    alarm: tuple[Severity, int] | None
    licences: LicenceStatus
    edition: str
    modules: int
    traps: frozenset[int]


def expect(
    state: Lifecycle,
    alarm: tuple[Severity, int] | None,
    licences: LicenceStatus,
    edition: str,
    modules: int,
    traps: set[int],
) -> Expected:
    return Expected(state, alarm, licences, edition, modules, frozenset(traps))


def full(alarm: tuple[Severity, int] | None, traps: set[int]) -> Expected:
    return expect(RUNNING, alarm, VALID, "professional", 8, traps)


def halted(reason: int, traps: set[int]) -> Expected:
    return expect(AWAITING, (CRITICAL, reason), INVALID, "standard", 0, traps)


def standard(traps: set[int], *, alarm: tuple[Severity, int] | None = None) -> Expected:
    return expect(RUNNING, alarm, INVALID, "standard", 0, traps)


@dataclass(frozen=True)
class Row:
    """One situation: `before` puts the unit there, `what` happens, then three looks, then possibly `later`."""

    name: str
    before: tuple[Fact | float, ...]
    what: tuple[Fact, ...]
    at_once: Expected
    in_grace: Expected | None = None
    after_grace: Expected | None = None
    later: tuple[Fact, ...] = ()
    finally_: Expected | None = None
    policy: BootPolicy = BootPolicy.HALT

    def __str__(self) -> str:
        return self.name


BOOT = 10.0
IN_ORDER: tuple[Fact | float, ...] = (ReaderAttached("virtual"), FeatureKeyInserted(SERIAL), PowerApplied(), BOOT)
KEYLESS: tuple[Fact | float, ...] = (ReaderAttached("virtual"), PowerApplied(), BOOT)
IN_GRACE: tuple[Fact | float, ...] = (*IN_ORDER, FeatureKeyRemoved(), 3_600.0)
GRACE_OVER: tuple[Fact | float, ...] = (*IN_ORDER, FeatureKeyRemoved(), 7_200.0)
UNLICENSED = BootPolicy.UNLICENSED
RIGHT, WRONG = FeatureKeyInserted(SERIAL), FeatureKeyInserted(OTHER_SERIAL)
UNREADABLE = FeatureKeyUnreadable

ROWS = [
    Row(
        "boot, no sound key, policy halt: no grace, boots by itself when a sound key appears",
        before=(ReaderAttached("virtual"), PowerApplied()),
        what=(),
        at_once=halted(2, {15, 40, 46}),
        later=(RIGHT,),
        finally_=full(None, {40, 47}),
    ),
    Row(
        "boot, unreadable key, policy halt",
        before=(ReaderAttached("virtual"), UNREADABLE(KeyReason.INVALID_REGISTERS), PowerApplied()),
        what=(),
        at_once=halted(4, {15, 40, 46}),
        later=(RIGHT,),
        finally_=full(None, {40, 47}),
    ),
    Row(
        "boot, no sound key, policy unlicensed: runs as Standard Edition, modules come with the key",
        before=(ReaderAttached("virtual"), PowerApplied()),
        what=(),
        policy=UNLICENSED,
        at_once=standard({15, 40, 46}, alarm=(CRITICAL, 2)),
        after_grace=standard(set(), alarm=(CRITICAL, 2)),
        later=(RIGHT,),
        finally_=full(None, {40, 47}),
    ),
    Row(
        "key removed while running, policy halt",
        before=IN_ORDER,
        what=(FeatureKeyRemoved(),),
        at_once=full((WARNING, 2), {40}),
        in_grace=full((WARNING, 2), set()),
        after_grace=halted(2, {40} | MODULES_STOP),
    ),
    Row(
        "key removed while running, policy unlicensed: the same",
        before=IN_ORDER,
        what=(FeatureKeyRemoved(),),
        policy=UNLICENSED,
        at_once=full((WARNING, 2), {40}),
        in_grace=full((WARNING, 2), set()),
        after_grace=halted(2, {40} | MODULES_STOP),
    ),
    Row(
        "key removed while running, then a restart: the grace ends, the boot finds no key",
        before=IN_GRACE,
        what=(RestartRequested(),),
        at_once=halted(2, {16, 40, 46}),
    ),
    Row(
        "present but no register access",
        before=IN_ORDER,
        what=(UNREADABLE(KeyReason.NO_REGISTER_ACCESS),),
        at_once=full((WARNING, 3), {40}),
        in_grace=full((WARNING, 3), set()),
        after_grace=halted(3, {40} | MODULES_STOP),
    ),
    Row(
        "present but invalid registers",
        before=IN_ORDER,
        what=(UNREADABLE(KeyReason.INVALID_REGISTERS),),
        at_once=full((WARNING, 4), {40}),
        in_grace=full((WARNING, 4), set()),
        after_grace=halted(4, {40} | MODULES_STOP),
    ),
    Row(
        "present but failing for no stated reason",
        before=IN_ORDER,
        what=(UNREADABLE(KeyReason.NON_SPECIFIC_ERROR),),
        at_once=full((WARNING, 9), {40}),
        in_grace=full((WARNING, 9), set()),
        after_grace=halted(9, {40} | MODULES_STOP),
    ),
    Row(
        "reader lost: the key is out of reach",
        before=IN_ORDER,
        what=(ReaderLost("gone"),),
        at_once=full((WARNING, 9), {40}),
        in_grace=full((WARNING, 9), set()),
        after_grace=halted(9, {40} | MODULES_STOP),
    ),
    Row(
        "changed reason in the grace: the event again, the timer not",
        before=IN_GRACE,
        what=(UNREADABLE(KeyReason.INVALID_REGISTERS),),
        at_once=full((WARNING, 4), {40}),
        after_grace=halted(4, {40} | MODULES_STOP),
    ),
    Row(
        "right card back within the grace: cleared, and a new grace is a whole one",
        before=IN_GRACE,
        what=(RIGHT,),
        at_once=full(None, {40}),
        after_grace=full(None, set()),
        later=(FeatureKeyRemoved(),),
        finally_=full((WARNING, 2), {40}),
    ),
    Row(
        "right card back after the grace: all as it was, without a restart",
        before=GRACE_OVER,
        what=(RIGHT,),
        at_once=full(None, {40} | MODULES_RETURN),
    ),
    Row(
        "another serial at boot",
        before=(*IN_ORDER, FeatureKeyRemoved(), WRONG, RestartRequested()),
        what=(),
        at_once=standard({16, 46}),
        later=(RIGHT,),
        finally_=full(None, {23, 47}),
    ),
    Row(
        "another serial while running",
        before=IN_ORDER,
        what=(WRONG,),
        at_once=standard({23} | MODULES_STOP),
        after_grace=standard(set()),
        later=(RIGHT,),
        finally_=full(None, {23} | MODULES_RETURN),
    ),
    Row(
        "another serial in the grace: no rest of it",
        before=IN_GRACE,
        what=(WRONG,),
        at_once=standard({40, 23} | MODULES_STOP),
        after_grace=standard(set()),
        later=(RIGHT,),
        finally_=full(None, {23} | MODULES_RETURN),
    ),
    Row(
        "another serial while halted",
        before=GRACE_OVER,
        what=(WRONG,),
        at_once=standard({40, 23}),
        later=(RIGHT,),
        finally_=full(None, {23} | MODULES_RETURN),
    ),
    Row(
        "another serial while halted since boot",
        before=KEYLESS,
        what=(WRONG,),
        at_once=standard({40}),
        later=(RIGHT,),
        finally_=full(None, {23, 47}),
    ),
]


def seen(bench: Bench) -> Expected:
    alarm = bench.alarm("40-feature-key")
    statuses = {licence.status for licence in bench.unit.licences}
    assert len(statuses) == 1
    assert bench.unit.status.telephony is (bench.state is RUNNING)
    return Expected(
        bench.state,
        None if alarm is None or alarm.reason is None else (alarm.severity, alarm.reason),
        statuses.pop(),
        bench.unit.edition.name,
        bench.modules_in_service,
        frozenset(number for number, _, _ in bench.notified()),
    )


def perform(bench: Bench, doings: tuple[Fact | float, ...]) -> None:
    for doing in doings:
        if isinstance(doing, float):
            bench.advance(doing)
        else:
            bench.apply(doing)


def finish_boot(bench: Bench) -> None:
    if bench.state is Lifecycle.STARTING:
        bench.advance(BOOT)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    bench = Bench(definition(key(), key(VOICEMAIL_PRO, instances=4), policy=row.policy))
    perform(bench, row.before)
    bench.notified()
    if not row.what:
        # What happens is the boot itself, which `before` has set off: look at the traps of its end.
        assert bench.state is Lifecycle.STARTING
    perform(bench, row.what)
    finish_boot(bench)
    assert seen(bench) == row.at_once
    if row.in_grace is not None:
        bench.advance(3_600)
        assert seen(bench) == row.in_grace
    if row.after_grace is not None:
        bench.advance(3_600)
        assert seen(bench) == row.after_grace
    if row.finally_ is not None:
        perform(bench, row.later)
        assert seen(bench) == row.finally_


def test_another_card_makes_its_own_licences_valid_and_the_others_invalid() -> None:
    bench = Bench(definition(key(), key(VOICEMAIL_PRO, serial=OTHER_SERIAL), key(serial=OTHER_SERIAL))).boot()
    assert [licence.status for licence in bench.unit.licences] == [VALID, INVALID, INVALID]
    bench.apply(WRONG)
    assert [licence.status for licence in bench.unit.licences] == [INVALID, VALID, VALID]
    assert bench.modules_in_service == 8


def test_the_traps_of_a_wrong_card_name_key_and_modules() -> None:
    bench = Bench().boot()
    bench.notified()
    bench.apply(WRONG)
    traps = bench.notified()
    assert (23, 4, "feature-key") in traps
    for port in range(1, 9):
        assert (20, 4, f"expansion/{port}") in traps
        assert (46, 4, f"expansion/{port}") in traps
    assert len(traps) == 17


def test_causes_lead_from_the_module_to_the_event() -> None:
    bench = Bench().boot()
    removed = bench.apply(FeatureKeyRemoved()).seq
    bench.advance(hours=2)
    assert bench.part("expansion/3").service.cause == (
        "licence:IP500 Upgrade Standard to Professional",
        "feature-key",
        f"event:{removed}",
    )
    assert bench.licence().cause == ("feature-key", f"event:{removed}")
    assert bench.unit.status.cause == ("feature-key", f"event:{removed}")
    assert bench.part("slots/1").service.cause == ("feature-key", f"event:{removed}")
    assert bench.part("slots/1/daughter").service.cause == ("feature-key", f"event:{removed}")


def test_why_a_card_is_unreadable_is_told_where_people_look() -> None:
    bench = Bench().boot()
    bench.apply(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, "piv:41 is not enrolled"))
    assert bench.unit.key.detail == "piv:41 is not enrolled"
    alarm = bench.alarm("40-feature-key")
    assert alarm is not None
    assert alarm.text == "feature key registers not in order: piv:41 is not enrolled"
    # Another card that is no better is news, the same one is not.
    bench.apply(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, "piv:42 is not enrolled"))
    assert bench.unit.key.detail == "piv:42 is not enrolled"
    with pytest.raises(CommandRejected, match="unreadable already"):
        bench.apply(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, "piv:42 is not enrolled"))
    bench.apply(FeatureKeyRemoved())
    assert bench.unit.key.detail is None


def test_grace_is_counted_from_the_removal_and_not_from_the_last_reason() -> None:
    bench = Bench().boot()
    bench.apply(FeatureKeyRemoved())
    until = bench.unit.key.grace_until
    bench.advance(7_199)
    bench.apply(FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS))
    assert bench.unit.key.grace_until == until
    bench.advance(1)
    assert bench.state is AWAITING


def test_without_grace_a_removed_key_stops_the_unit_at_the_same_moment() -> None:
    bench = Bench(definition(key(), grace_s=0)).boot()
    bench.apply(FeatureKeyRemoved())
    bench.advance(0)
    assert bench.state is AWAITING
