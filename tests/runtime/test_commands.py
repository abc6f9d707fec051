from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from ipo_sim.core.model import SECOND_NS, KeyPresence, KeyReason, Lifecycle, Nanoseconds, UnitName
from ipo_sim.errors import CommandRejected, JournalError
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import COMMANDS, execute, parse_line
from tests.core.bench import NOON, OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, key
from tests.core.dect_bench import dect_key, system
from tests.runtime.bench import A, B, boot, open_bench, small
from tests.runtime.test_pump import running

START = NOON + 20 * SECOND_NS


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    serial_reader = replace(small(B), reader_kind="serial")
    runtime = open_bench(None, replace(small(A), dect=system(licence=dect_key(bases=4))), serial_reader)
    boot(runtime)
    async with running(runtime.pump):
        yield runtime
    runtime.close()


async def ask(runtime: Runtime, line: str, unit: UnitName = A) -> dict[str, Any]:
    """The answer to a command as it is typed; every answer is JSON."""
    verb, arguments = parse_line(line)
    answer = await execute(runtime.context, unit, verb, arguments)
    assert json.loads(json.dumps(answer)) == answer
    return answer


async def refusal(runtime: Runtime, line: str, unit: UnitName = A) -> tuple[str, str]:
    """Reason and text of a refusal, which changed nothing."""
    units = [runtime.engine.unit(name) for name in runtime.engine.names()]
    with pytest.raises(CommandRejected) as refused:
        await ask(runtime, line, unit)
    assert [runtime.engine.unit(name) for name in runtime.engine.names()] == units
    return refused.value.reason, str(refused.value)


def field(runtime: Runtime, path: str, name: str) -> Any:
    return getattr(runtime.bus.latest(A)[path].value, name)


PHONE_MANAGER = [f"add-licence key={key('Phone Manager Pro (users)')}", "load-configuration"]
VCM_CARD = ["fit path=slots/2 part=VCM32", "restart", "advance seconds=10"]


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("advance", {"seconds": True}), ("acquire", {"feature": "x", "holder": "y", "instances": True})],
    ids=["seconds", "instances"],
)
async def test_true_is_no_number(runtime: Runtime, verb: str, arguments: dict[str, object]) -> None:
    with pytest.raises(CommandRejected, match="true is neither a number nor a text") as refused:
        await execute(runtime.context, A, verb, arguments)
    assert refused.value.reason == "bad-arguments"


class TestRegistry:
    def test_it_has_the_verbs_of_the_interface(self) -> None:
        assert " ".join(COMMANDS) == (
            "power restart shutdown insert-card remove-card fit withdraw configure add-licence remove-licence"
            " load-configuration set-fault inject-fault clear-fault send-event set-time pause resume advance step"
            " rewind why what-if import-licences export-licences acquire release start-call connect-phone"
            " disconnect-phone end-call configure-user remove-user configure-extension remove-extension register-phone"
            " unregister-phone enter-dect-licence remove-dect-licence add-base remove-base set-base status"
        )

    @pytest.mark.parametrize("verb", COMMANDS)
    async def test_the_example_of_each_can_be_typed_as_it_is(self, runtime: Runtime, verb: str) -> None:
        for line in {
            "add-licence": [],
            "remove-licence": ["add-licence key=0123456789ABCDEF0123456789ABCDEF"],
            "load-configuration": ["add-licence key=0123456789ABCDEF0123456789ABCDEF"],
            "clear-fault": ["inject-fault fault=card-mute"],
            "insert-card": ["remove-card"],
            "step": ["restart"],
            "configure": ["configure path=slots/2 part=DS8"],
            "acquire": PHONE_MANAGER,
            "release": [*PHONE_MANAGER, COMMANDS["acquire"].example],
            "start-call": VCM_CARD,
            "end-call": [*VCM_CARD, COMMANDS["start-call"].example],
            "disconnect-phone": [COMMANDS["connect-phone"].example],
            "configure-user": [],
            "remove-user": [COMMANDS["configure-user"].example],
            "remove-extension": [COMMANDS["configure-extension"].example],
            "register-phone": [COMMANDS["configure-extension"].example],
            "unregister-phone": [COMMANDS["configure-extension"].example, COMMANDS["register-phone"].example],
            "remove-dect-licence": [COMMANDS["enter-dect-licence"].example],
            "remove-base": [COMMANDS["add-base"].example],
        }.get(verb, []):
            await ask(runtime, line)
        assert await ask(runtime, COMMANDS[verb].example)

    @pytest.mark.parametrize("verb", COMMANDS)
    def test_each_explains_itself_in_a_line(self, verb: str) -> None:
        command = COMMANDS[verb]
        assert command.example.split()[0] == verb == command.verb
        assert command.help[0].isupper()
        assert len(command.help) < 100
        assert command.arguments.model_json_schema()["additionalProperties"] is False

    async def test_an_unknown_verb_gets_the_nearest_one(self, runtime: Runtime) -> None:
        reason, text = await refusal(runtime, "remove-crad")
        assert (reason, text) == ("unknown-command", "there is no command remove-crad: did you mean remove-card?")

    async def test_a_verb_like_no_other_gets_them_all(self, runtime: Runtime) -> None:
        reason, text = await refusal(runtime, "x" * 1_000)
        assert reason == "unknown-command"
        assert text == f"there is no command {'x' * 64}: there are {', '.join(COMMANDS)}"

    async def test_an_unknown_unit_is_said_first(self, runtime: Runtime) -> None:
        reason, _ = await refusal(runtime, "nonsense", UnitName("nowhere"))
        assert reason == "unknown-unit"

    async def test_the_journal_says_which_command_it_was(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "remove-card")
        entry = runtime.journal.entry(A, 1, answer["seq"])
        assert entry is not None
        assert entry.event.cause == "command:remove-card"


class TestArguments:
    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("power", "on: missing: Apply or remove power"),
            ("power on=maybe", "on: 'maybe' is not true or false"),
            ("power on=true off=true", "off: no such argument (of on)"),
            ("shutdown minute=5", "minute: no such argument, did you mean minutes?"),
            ("restart now=true", "now: no such argument (of none)"),
            ("shutdown minutes=1441", "minutes: '1441' is out of range: it must be at most 1440"),
            ("shutdown minutes=x", "minutes: 'x' is not a whole number"),
            (
                "shutdown minutes=x sauce=y",
                "minutes: 'x' is not a whole number; sauce: no such argument, did you mean source?",
            ),
            ("insert-card serial=123", "serial: '123' does not fit: 10 decimal digits"),
            ("insert-card law=blaw", "law: 'blaw' is not allowed; allowed: 'alaw', 'mulaw'"),
            ("fit path=slots/2", "part: missing: Catalogue code, such as `DS8`"),
            (f"fit path=slots/2 part={'x' * 33}", "part: too long: at most 32 characters"),
            ("set-time", "one of scale, pause and date is wanted"),
            ("set-time scale=0.01", "scale: '0.01' is out of range: it must be at least 0.1"),
            ("set-time scale=nan", "scale: 'nan' is not a number to reckon with"),
            ("set-time date=yesterday", "write it as 2030-12-31T23:59:00"),
            ("advance", "seconds or to=next-deadline is wanted"),
            ("advance seconds=-1", "seconds: '-1' is out of range: it must be at least 0"),
            ("advance seconds=1e12", "seconds: '1e12' is out of range: it must be at most 31622400"),
            ("advance to=tomorrow", "to: 'tomorrow' is not allowed; allowed: 'next-deadline'"),
            ("set-fault path=feature-key fault=2", "fault: of the feature key it is one of 3 (no_register_access)"),
        ],
    )
    async def test_a_wrong_one_is_told_in_a_line(self, runtime: Runtime, line: str, text: str) -> None:
        reason, told = await refusal(runtime, line)
        assert reason == "bad-arguments"
        assert text in told
        assert "\n" not in told

    async def test_all_mistakes_are_told_at_once(self, runtime: Runtime) -> None:
        _, told = await refusal(runtime, "fit path= part= colour=red")
        assert [mistake.split(":")[0] for mistake in told.split("; ")] == ["path", "part", "colour"]

    async def test_json_values_are_taken_as_well_as_text(self, runtime: Runtime) -> None:
        await execute(runtime.context, A, "shutdown", {"minutes": 5})
        await execute(runtime.context, A, "power", {"on": False})
        assert runtime.engine.unit(A).life.state is Lifecycle.OFF

    @pytest.mark.parametrize("line", ["fit path", "fit path=a path=b", "fit 'path=a", "", "  "])
    def test_a_line_that_is_none_is_refused(self, line: str) -> None:
        with pytest.raises(CommandRejected) as refused:
            parse_line(line)
        assert refused.value.reason == "bad-arguments"

    def test_a_line_can_quote(self) -> None:
        assert parse_line("shutdown 'source=Phone Extn 201' minutes=0") == (
            "shutdown",
            {"source": "Phone Extn 201", "minutes": "0"},
        )


class TestLife:
    async def test_power_goes_and_comes(self, runtime: Runtime) -> None:
        off = await ask(runtime, "power on=false")
        assert runtime.engine.unit(A).life.state is Lifecycle.OFF
        on = await ask(runtime, "power on=true")
        assert on == {"seq": off["seq"] + 1, "at": "2026-01-05T12:00:20.000Z"}
        assert runtime.engine.unit(A).life.state is Lifecycle.STARTING

    async def test_what_the_unit_refuses_is_passed_on(self, runtime: Runtime) -> None:
        assert (await refusal(runtime, "power on=true"))[0] == "wrong-state"

    async def test_a_restart_starts(self, runtime: Runtime) -> None:
        await ask(runtime, "restart")
        assert runtime.engine.unit(A).life.state is Lifecycle.STARTING

    async def test_a_shutdown_says_who_asked(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "shutdown minutes=5 'source=Phone Extn 201'")
        entry = runtime.journal.entry(A, 1, answer["seq"])
        assert entry is not None
        assert entry.event.fact.source == "Phone Extn 201"  # type: ignore[union-attr]  # it is a ShutdownRequested
        assert runtime.engine.unit(A).life.shutdown_minutes == 5


class TestCard:
    async def test_the_last_card_comes_back_as_it_was(self, runtime: Runtime) -> None:
        await ask(runtime, f"insert-card serial={OTHER_SERIAL} law=mulaw assurance=signed")
        await ask(runtime, "remove-card")
        await ask(runtime, "insert-card")
        key = runtime.engine.unit(A).key
        assert (key.serial, key.law, key.assurance, key.counter) == (OTHER_SERIAL, "mulaw", "signed", 2)

    async def test_what_is_said_about_the_last_card_wins(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        await ask(runtime, "insert-card law=mulaw")
        key = runtime.engine.unit(A).key
        assert (key.serial, key.law) == (SERIAL, "mulaw")

    async def test_without_a_last_one_it_is_the_configured_one(self, runtime: Runtime) -> None:
        fresh = open_bench(None, small(A))
        async with running(fresh.pump):
            await ask(fresh, "insert-card")
        assert fresh.engine.unit(A).key.serial == SERIAL
        fresh.close()

    async def test_without_any_card_its_serial_is_wanted(self, runtime: Runtime) -> None:
        fresh = open_bench(None, replace(small(A), card=None))
        async with running(fresh.pump):
            assert (await refusal(fresh, "insert-card"))[0] == "no-card"
            await ask(fresh, f"insert-card serial={SERIAL}")
        fresh.close()

    @pytest.mark.parametrize(
        "line",
        ["insert-card", "remove-card", "set-fault path=feature-key fault=3", "clear-fault path=feature-key"],
    )
    async def test_a_real_reader_is_not_commanded(self, runtime: Runtime, line: str) -> None:
        assert await refusal(runtime, line, B) == (
            "reader-not-virtual",
            "unit b has a serial reader: a card goes in and out there",
        )

    @pytest.mark.parametrize("fault", [3, 4, 9, "4"], ids=repr)
    async def test_it_can_become_unreadable_and_readable_again(self, runtime: Runtime, fault: int | str) -> None:
        await execute(runtime.context, A, "set-fault", {"path": "feature-key", "fault": fault})
        key = runtime.engine.unit(A).key
        assert (key.presence, key.reason) == (KeyPresence.UNREADABLE, KeyReason(int(fault)))
        await ask(runtime, "clear-fault path=feature-key")
        assert runtime.engine.unit(A).key.serial == SERIAL

    async def test_a_card_that_reads_well_has_no_fault_to_clear(self, runtime: Runtime) -> None:
        assert (await refusal(runtime, "clear-fault path=feature-key"))[0] == "no-fault"

    async def test_a_journal_that_does_not_read_is_told(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise JournalError("no such file")

        await ask(runtime, "remove-card")
        monkeypatch.setattr(runtime.journal, "last_card", fail)
        assert await refusal(runtime, "insert-card") == ("journal-unavailable", "no such file")


class TestParts:
    async def test_parts_go_in_and_out(self, runtime: Runtime) -> None:
        await ask(runtime, "fit path=slots/2 part=POT8")
        assert field(runtime, "slots/2", "fitted").code == "POT8"
        await ask(runtime, "withdraw path=slots/2")
        assert field(runtime, "slots/2", "fitted") is None

    @pytest.mark.parametrize("nothing", ["null", "none", ""])
    async def test_the_configuration_can_expect_nothing(self, runtime: Runtime, nothing: str) -> None:
        await ask(runtime, "configure path=slots/2 part=POT8")
        assert field(runtime, "slots/2", "configured").code == "POT8"
        await ask(runtime, f"configure path=slots/2 part={nothing}")
        assert field(runtime, "slots/2", "configured") is None

    async def test_faults_come_and_go(self, runtime: Runtime) -> None:
        await ask(runtime, "set-fault path=slots/1 fault=overheated")
        assert field(runtime, "slots/1", "fault") == "overheated"
        await ask(runtime, "clear-fault path=slots/1")
        assert field(runtime, "slots/1", "fault") is None

    async def test_licences_are_entered_loaded_and_deleted(self, runtime: Runtime) -> None:
        text = key(VOICEMAIL_PRO)
        await ask(runtime, f"add-licence key={text}")
        assert field(runtime, "licences/2", "status") == "Unknown"
        await ask(runtime, "load-configuration")
        assert field(runtime, "licences/2", "status") == "Valid"
        await ask(runtime, f"remove-licence key={text}")
        assert "licences/2" not in runtime.bus.latest(A)


class TestStatus:
    async def test_it_shows_everything(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        answer = await ask(runtime, "status")
        assert (answer["unit"], answer["time"], answer["paused"]) == (A, "2026-01-05T12:00:20.000Z", True)
        assert list(answer["entities"]) == list(runtime.bus.latest(A))
        assert answer["entities"]["feature-key"]["grace_until"] == "2026-01-05T14:00:20.000Z"
        assert answer["entities"]["slots/1"] == {
            "seq": 4,
            "at": "2026-01-05T12:00:08.000Z",
            "fitted": "DS8",
            "configured": "DS8",
            "entity_name": "Controller, Slot 1, DS8",
            "entity_index": 101,
            "detected": True,
            "fault": None,
            "oper_state": "enabled",
            "availability": None,
            "hold": None,
            "cause": [],
        }
        (alarm,) = [value for path, value in answer["entities"].items() if path.startswith("alarms/")]
        assert (alarm["severity"], alarm["since"]) == ("warning", "2026-01-05T12:00:20.000Z")

    async def test_moments_are_in_unit_time(self, runtime: Runtime) -> None:
        await ask(runtime, "set-time date=2030-01-01T00:00:00")
        await ask(runtime, "remove-card")
        entities = (await ask(runtime, "status"))["entities"]
        assert entities["feature-key"]["at"] == "2030-01-01T00:00:00.000Z"
        assert entities["feature-key"]["grace_until"] == "2030-01-01T02:00:00.000Z"


def test_start_is_where_the_tests_think() -> None:
    runtime = open_bench()
    boot(runtime)
    assert runtime.clock.now() == Nanoseconds(START)
    runtime.close()
