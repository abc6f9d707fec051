"""The feature key behind a key server and the dongles of IP400 systems: licensing.md 8, sentence by sentence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ipo_sim.core.events import (
    Fact,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    KeyServerPollMissed,
    PowerApplied,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
)
from ipo_sim.core.model import BootPolicy, KeyReason, Lifecycle, PartDefinition, Severity
from ipo_sim.errors import CommandRejected
from ipo_sim.licensing.status import LicenceStatus
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, Bench, definition, key

VALID, INVALID = LicenceStatus.VALID, LicenceStatus.INVALID
WARNING, MAJOR, CRITICAL, CLEARED = Severity.WARNING, Severity.MAJOR, Severity.CRITICAL, Severity.CLEARED
SERVER = "key-server"
IP406 = (
    PartDefinition("slots/1", "IP400-E1-1"),
    PartDefinition("slots/3", "VCM16"),
    PartDefinition("expansion/1", "DS30V2"),
)

# Event number, severity, reason: what is sent.
Trap = tuple[int, Severity, int | None]
LINK_LOST: Trap = (24, MAJOR, None)
LINK_BACK: Trap = (25, CLEARED, None)
POLL_MISSED: Trap = (26, WARNING, None)
DONGLE_CHANGED: Trap = (27, MAJOR, None)
KEY_BACK: Trap = (40, CLEARED, 1)

ATTACHED, LOST = ReaderAttached("192.168.42.10:50800"), ReaderLost("3 polls unanswered")
REFUSED = ReaderLost("refused: bench-2 was here first")
RIGHT = FeatureKeyInserted(SERIAL, kind="dongle-usb")
OTHER = FeatureKeyInserted(OTHER_SERIAL, kind="dongle-usb")
PULLED = FeatureKeyRemoved()
MISSED = KeyServerPollMissed(1)

HOUR, GRACE = 3_600.0, 7_200.0
BOOT = 10.0
Doings = tuple[Fact | float, ...]
IN_ORDER: Doings = (ATTACHED, RIGHT, PowerApplied(), BOOT)
SERVERLESS: Doings = (LOST, PowerApplied(), BOOT)
DONGLELESS: Doings = (ATTACHED, PowerApplied(), BOOT)


@dataclass(frozen=True)
class Row:
    """After `before`, what `what` sends in this order, and how the licences stand then; the unit runs all the time."""

    name: str
    before: Doings
    what: Doings
    traps: tuple[Trap, ...]
    licences: LicenceStatus

    def __str__(self) -> str:
        return self.name


def warned(reason: int) -> Trap:
    return (40, WARNING, reason)


def over(reason: int) -> Trap:
    return (40, CRITICAL, reason)


ROWS = [
    Row("in order: no alarm", (ATTACHED, RIGHT, PowerApplied()), (BOOT,), ((15, MAJOR, None),), VALID),
    Row("link lost: trap 24 at once, the grace begins", IN_ORDER, (LOST,), (warned(9), LINK_LOST), VALID),
    Row("link lost: everything goes on in the grace", (*IN_ORDER, LOST), (GRACE - 1,), (), VALID),
    Row("link back in the grace: trap 25", (*IN_ORDER, LOST, HOUR), (ATTACHED, RIGHT), (LINK_BACK, KEY_BACK), VALID),
    Row("link lost, grace over: event 40 critical reason 9", (*IN_ORDER, LOST), (GRACE,), (over(9),), INVALID),
    Row(
        "link back after the grace: valid again as soon as it is",
        (*IN_ORDER, LOST, GRACE + HOUR),
        (ATTACHED, RIGHT),
        (LINK_BACK, KEY_BACK),
        VALID,
    ),
    Row("a single missed poll: trap 26 and nothing else", IN_ORDER, (MISSED,), (POLL_MISSED,), VALID),
    Row(
        "polls missed one after the other, then the link is lost",
        IN_ORDER,
        (MISSED, KeyServerPollMissed(2), LOST),
        (POLL_MISSED, POLL_MISSED, warned(9), LINK_LOST),
        VALID,
    ),
    Row("dongle pulled at a reachable server: warning reason 2", IN_ORDER, (PULLED,), (warned(2),), VALID),
    Row("dongle pulled, grace over: critical reason 2", (*IN_ORDER, PULLED), (GRACE,), (over(2),), INVALID),
    Row("dongle back in the grace", (*IN_ORDER, PULLED, HOUR), (RIGHT,), (KEY_BACK,), VALID),
    Row("dongle back after the grace", (*IN_ORDER, PULLED, GRACE), (RIGHT,), (KEY_BACK,), VALID),
    Row(
        "dongle unreadable at a reachable server",
        IN_ORDER,
        (FeatureKeyUnreadable(KeyReason.NO_REGISTER_ACCESS),),
        (warned(3),),
        VALID,
    ),
    Row("another serial: trap 27, Invalid at once", IN_ORDER, (OTHER,), (DONGLE_CHANGED,), INVALID),
    Row(
        "another serial in the grace: no rest of it",
        (*IN_ORDER, PULLED, HOUR),
        (OTHER,),
        (DONGLE_CHANGED, KEY_BACK),
        INVALID,
    ),
    Row("the right serial again", (*IN_ORDER, OTHER), (RIGHT,), (DONGLE_CHANGED,), VALID),
    Row("refused by the server: as a lost link", IN_ORDER, (REFUSED,), (warned(9), LINK_LOST), VALID),
    Row("refused, grace over", (*IN_ORDER, REFUSED), (GRACE,), (over(9),), INVALID),
    Row("lost, then refused: told once", (*IN_ORDER, LOST), (REFUSED,), (), VALID),
    Row(
        "link lost in the grace of a pulled dongle: the time is not begun anew",
        (*IN_ORDER, PULLED, HOUR),
        (LOST, HOUR),
        (warned(9), LINK_LOST, over(9)),
        INVALID,
    ),
    Row(
        "the server back without its dongle: the reason changes, the time does not",
        (*IN_ORDER, LOST, HOUR),
        (ATTACHED, PULLED, HOUR),
        (LINK_BACK, warned(2), over(2)),
        INVALID,
    ),
    Row(
        "boot without a dongle: boots and runs, unlicensed",
        (ATTACHED, PowerApplied()),
        (BOOT,),
        ((15, MAJOR, None), over(2)),
        INVALID,
    ),
    Row(
        "boot without a server: the same, and trap 24",
        (LOST, PowerApplied()),
        (BOOT,),
        ((15, MAJOR, None), over(9), LINK_LOST),
        INVALID,
    ),
    Row("the server comes after the boot", SERVERLESS, (ATTACHED, RIGHT), (LINK_BACK, KEY_BACK), VALID),
    Row("the dongle comes after the boot", DONGLELESS, (RIGHT,), (KEY_BACK,), VALID),
    Row(
        "a restart ends the grace",
        (*IN_ORDER, LOST, HOUR),
        (RestartRequested(), BOOT),
        ((16, MAJOR, None), over(9), LINK_LOST),
        INVALID,
    ),
]


def unit(model: str = "ip406v2", *, reader: str = SERVER, profile: str = "r5") -> Bench:
    parts = IP406 if model == "ip406v2" else ()
    # `halt` is what an IP400 system does not do, whatever a definition says.
    policy = BootPolicy.HALT
    licence = key(VOICEMAIL_PRO, instances=4)
    return Bench(definition(licence, parts=parts, model=model, reader=reader, profile=profile, policy=policy))


def perform(bench: Bench, doings: Doings) -> None:
    for doing in doings:
        if isinstance(doing, float):
            bench.advance(doing)
        else:
            bench.apply(doing)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    bench = unit()
    perform(bench, row.before)
    bench.sent.clear()
    perform(bench, row.what)
    assert tuple((trap.event, trap.severity, trap.reason) for trap in bench.sent) == row.traps
    assert bench.licence().status is row.licences
    assert bench.state is Lifecycle.RUNNING
    assert bench.modules_in_service == 1


@pytest.mark.parametrize("model", ["ip403", "ip406v2", "ip412", "soe"])
def test_no_ip400_system_halts_at_boot_or_after_the_grace(model: str) -> None:
    bench = unit(model, profile="r4")
    perform(bench, DONGLELESS)
    assert (bench.state, bench.licence().status) == (Lifecycle.RUNNING, INVALID)
    perform(bench, (RIGHT, PULLED, GRACE))
    assert (bench.state, bench.licence().status) == (Lifecycle.RUNNING, INVALID)
    assert bench.unit.status.telephony


def test_alarm_24_stands_while_the_link_is_lost_and_says_why() -> None:
    bench = unit()
    perform(bench, (*IN_ORDER, LOST))
    alarm = bench.alarm("24-reader")
    assert alarm is not None
    assert (alarm.severity, alarm.entity, alarm.reason) == (MAJOR, "reader", None)
    assert alarm.text == "licence key server 192.168.42.10:50800 lost: 3 polls unanswered"
    assert alarm.cause == (f"event:{bench.unit.seq}",)
    bench.apply(REFUSED)
    told = bench.alarm("24-reader")
    assert told is not None
    assert (told.seq, told.text.split(": ", 1)[1]) == (alarm.seq, "refused: bench-2 was here first")
    bench.apply(ATTACHED)
    assert bench.alarm("24-reader") is None


def test_a_server_that_was_never_asked_is_not_lost() -> None:
    bench = unit()
    perform(bench, (PowerApplied(), BOOT))
    assert bench.alarm("24-reader") is None


def test_what_the_traps_of_the_link_say() -> None:
    bench = unit()
    perform(bench, IN_ORDER)
    bench.sent.clear()
    bench.apply(MISSED, OTHER)
    missed, changed = bench.sent
    assert (missed.name, missed.text) == (
        "ipoGenLKSCommsErrorSvcEvent",
        "licence key server 192.168.42.10:50800: 1 in a row unanswered",
    )
    assert (changed.name, changed.text) == (
        "ipoGenLKSCommsChangeSvcEvent",
        f"licence key server 192.168.42.10:50800: dongle changed from {SERIAL} to {OTHER_SERIAL}",
    )


def test_a_missed_poll_changes_nothing_that_can_be_seen() -> None:
    bench = unit()
    perform(bench, IN_ORDER)
    assert bench.apply(MISSED).changes == {}


def test_a_unit_that_is_down_tells_of_no_missed_poll() -> None:
    bench = unit()
    bench.apply(ATTACHED, MISSED)
    assert bench.sent == []


@pytest.mark.parametrize(
    ("reader", "before", "misses", "reason"),
    [("virtual", (), 1, "no-key-server"), (SERVER, (LOST,), 1, "reader-lost"), (SERVER, (ATTACHED,), 0, "bad-count")],
)
def test_a_missed_poll_that_cannot_be(reader: str, before: Doings, misses: int, reason: str) -> None:
    bench = unit(reader=reader)
    perform(bench, before)
    with pytest.raises(CommandRejected) as caught:
        bench.apply(KeyServerPollMissed(misses))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("ip500", "dongle-parallel"),
        ("ip500", "dongle-usb"),
        ("ip500", "dongle-serial"),
        ("ip500v2", "dongle-usb"),
        ("ip403", "dongle-serial"),
        ("ip406v2", "dongle-telepathic"),
    ],
)
def test_a_dongle_goes_only_where_its_plug_fits(model: str, kind: str) -> None:
    bench = unit(model, profile="r4")
    with pytest.raises(CommandRejected, match=f"takes no {kind}, only ") as caught:
        bench.apply(FeatureKeyInserted(SERIAL, kind=kind))
    assert caught.value.reason == "wrong-key"


@pytest.mark.parametrize("kind", ["dongle-parallel", "dongle-usb", "dongle-serial", "virtual", "24c16"])
def test_what_an_ip406_v2_takes_for_its_dongle(kind: str) -> None:
    bench = unit(reader="virtual")
    perform(bench, (ReaderAttached("virtual"), FeatureKeyInserted(SERIAL, kind=kind), PowerApplied(), BOOT))
    assert (bench.unit.key.kind, bench.licence().status) == (kind, VALID)


def test_a_serial_dongle_on_the_unit_is_told_of_by_trap_23_and_by_none_of_the_link() -> None:
    bench = unit(reader="virtual")
    serial, other = (FeatureKeyInserted(number, kind="dongle-serial") for number in (SERIAL, OTHER_SERIAL))
    perform(bench, (ReaderAttached("virtual"), serial, PowerApplied(), BOOT))
    bench.sent.clear()
    bench.apply(other, ReaderLost("gone"), ReaderAttached("virtual"))
    assert [trap.event for trap in bench.sent] == [23, 40]


def test_an_ip500_ignores_the_server() -> None:
    bench = unit("ip500", reader="virtual")
    perform(bench, (ReaderAttached("virtual"), FeatureKeyInserted(SERIAL), PowerApplied(), BOOT))
    bench.sent.clear()
    for fact in (MISSED, FeatureKeyInserted(SERIAL, kind="dongle-usb")):
        with pytest.raises(CommandRejected):
            bench.apply(fact)
    bench.apply(ReaderLost("gone"))
    assert [trap.event for trap in bench.sent] == [40]
    bench.advance(GRACE)
    assert bench.state is Lifecycle.AWAITING_FEATURE_KEY
