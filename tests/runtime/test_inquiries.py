"""`why` and `what-if`: what the user is told of causes, real ones and imagined ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.core.events import Fact
from ipo_sim.core.model import Alarm, Led, UnitName
from ipo_sim.errors import CommandRejected
from ipo_sim.runtime import what_if as what_if_module
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.commands import execute
from ipo_sim.runtime.describe import describe
from ipo_sim.runtime.store import Entry
from ipo_sim.runtime.why import _TEXTS, cause_of
from tests.core.bench import PROFESSIONAL, SERIAL, VOICEMAIL_PRO, key
from tests.core.dect_bench import ADMM, FOURTH, OTHER_PARK, SECOND, THIRD, dect_key, system
from tests.runtime.bench import A, boot, open_bench, small
from tests.runtime.histories import Action, actions, histories, play
from tests.runtime.test_commands import ask, refusal
from tests.runtime.test_pump import running


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    runtime = open_bench(None, small(A, key(), key(VOICEMAIL_PRO)))
    boot(runtime)
    async with running(runtime.pump):
        yield runtime
    runtime.close()


class TestWhy:
    async def chain(self, runtime: Runtime, path: str) -> list[tuple[str, str]]:
        answer = await ask(runtime, f"why path={path}")
        assert answer["path"] == path
        return [(link["cause"], link["text"]) for link in answer["chain"]]

    async def test_a_module_without_its_licence_leads_back_to_the_hand_that_did_it(self, runtime: Runtime) -> None:
        removed = await ask(runtime, f"remove-licence key={key()}")
        assert await self.chain(runtime, "expansion/1") == [
            (
                "licence:IP500 Upgrade Standard to Professional",
                "there is no licence IP500 Upgrade Standard to Professional",
            ),
            (f"event:{removed['seq']}", f"licence {key()} was removed"),
        ]

    async def test_the_event_says_when_and_by_whom(self, runtime: Runtime) -> None:
        removed = await ask(runtime, "remove-card")
        answer = await ask(runtime, "why path=feature-key")
        assert answer["in_order"] is False
        assert answer["chain"][-1] == {
            "cause": f"event:{removed['seq']}",
            "text": "the feature key was removed",
            "at": "2026-01-05T12:00:20.000Z",
            "by": "command:remove-card",
        }

    async def test_after_the_grace_the_whole_chain_is_told(self, runtime: Runtime) -> None:
        removed = await ask(runtime, "remove-card")
        await ask(runtime, "advance seconds=7200")
        texts = [text for _, text in await self.chain(runtime, "expansion/1")]
        assert texts == [
            f"licence {PROFESSIONAL} is Invalid",
            "the feature key is absent, its condition not in order",
            "the feature key was removed",
        ]
        assert (await self.chain(runtime, "expansion/1"))[-1][0] == f"event:{removed['seq']}"

    async def test_what_is_in_order_tells_the_event_that_made_it_so(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "why path=slots/1")
        assert answer["in_order"] is True
        assert [link["text"] for link in answer["chain"]] == ["a deadline of the unit was reached"]

    async def test_what_never_changed_is_as_it_was_configured(self) -> None:
        runtime = open_bench(None, small(A))
        assert await self.chain(runtime, "reader") == [("event:0", "the unit is as it was configured")]
        runtime.close()

    @pytest.mark.parametrize(
        ("lines", "path", "text"),
        [
            (["set-fault path=slots/1 fault=wet"], "slots/1", "it has the fault wet"),
            (["configure path=slots/1 part=POT8"], "slots/1", "the configuration expects POT8"),
            (
                ["fit path=slots/2 part=POT8"],
                "slots/2",
                "it was not there at the last start and waits for the next one",
            ),
            (["power on=false"], "slots/1", "the unit was off"),
            ([f"add-licence key={'X' * 32}"], "licences/3", "the configuration has not been loaded since"),
            ([f"add-licence key={'X' * 32}", "load-configuration"], "licences/3", "the string is no licence key"),
            (
                ["insert-card serial=9999999999"],
                "licences/1",
                "feature key 9999999999 is in order, but the licence was issued for another one, or is mistyped",
            ),
        ],
    )
    async def test_every_kind_of_cause_has_its_words(
        self, runtime: Runtime, lines: list[str], path: str, text: str
    ) -> None:
        for line in lines:
            await ask(runtime, line)
        assert text in [told for _, told in await self.chain(runtime, path)]

    async def test_an_unknown_path_gets_the_nearest(self, runtime: Runtime) -> None:
        assert await refusal(runtime, "why path=slots/9") == (
            "unknown-path",
            "the unit has no slots/9; did you mean slots/4?",
        )
        assert await refusal(runtime, "why path=zzzzzzzzzz") == ("unknown-path", "the unit has no zzzzzzzzzz")

    async def test_an_event_that_is_gone_is_said_to_be(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        runtime.journal._connection.execute("DELETE FROM events")
        ((_, text),) = await self.chain(runtime, "feature-key")
        assert text.endswith("is not in the journal")

    @given(histories)
    async def test_nothing_is_without_words(self, history: list[tuple[UnitName, Action]]) -> None:
        runtime = open_bench()
        play(runtime.engine, history)
        for path, entry in dict(runtime.bus.latest(A)).items():
            assert entry.value is not None
            heads = {item.split(":")[0] for item in cause_of(entry.value)}
            assert heads <= {"event", *_TEXTS, *runtime.bus.latest(A)}, path
            answer = await ask(runtime, f"why path={path}")
            assert all(link["text"] for link in answer["chain"])
        runtime.close()

    def test_leds_have_no_causes(self) -> None:
        assert cause_of(Led("cpu", "green", "on")) == ()
        assert not hasattr(Led, "cause")
        assert hasattr(Alarm, "cause")


@given(st.data())
def test_every_fact_has_words(data: st.DataObject) -> None:
    fact = data.draw(actions.filter(lambda action: isinstance(action, get_args(Fact))))
    assert describe(fact)  # type: ignore[arg-type]  # filtered above, which mypy does not follow


class TestDect:
    @pytest.fixture
    async def dect(self) -> AsyncIterator[Runtime]:
        runtime = open_bench(None, replace(small(A), dect=system(timer=True)))
        boot(runtime)
        async with running(runtime.pump):
            yield runtime
        runtime.close()

    async def test_why_leads_from_the_system_to_the_base_station_to_the_hand_that_did_it(self, dect: Runtime) -> None:
        await ask(dect, f"set-base mac={SECOND} state=lost")
        lost = await ask(dect, f"set-base mac={THIRD} state=lost")
        answer = await ask(dect, "why path=dect")
        assert [(link["cause"], link["text"]) for link in answer["chain"]] == [
            (f"dect/bases/{THIRD}", f"base station {THIRD} does not answer"),
            (f"event:{lost['seq']}", f"base station {THIRD} was lost"),
        ]
        answer = await ask(dect, f"why path=dect/bases/{THIRD}")
        assert [link["cause"] for link in answer["chain"]] == [f"event:{lost['seq']}"]

    @pytest.mark.parametrize(
        ("commands", "text"),
        [
            (["remove-dect-licence"], "no licence key is entered in the IP DECT system"),
            ([f"enter-dect-licence key={dect_key(park=OTHER_PARK)}"], "the key was issued for another PARK"),
            ([f"set-base mac={ADMM} state=lost"], f"base station {ADMM}, the ADMM, does not answer"),
            ([f"remove-base mac={m}" for m in (SECOND, THIRD, ADMM)], "the IP DECT system has no base station"),
            ([f"remove-base mac={SECOND}"], f"the IP DECT system has no base station {SECOND}"),
            ([f"add-base mac={FOURTH}"], "it is one too many: the licence is for 3 base stations"),
        ],
        ids=["no licence", "another PARK", "the ADMM", "no base at all", "a base deleted", "one too many"],
    )
    async def test_each_cause_has_a_text(self, dect: Runtime, commands: list[str], text: str) -> None:
        answers = [await ask(dect, command) for command in commands]
        chain = (await ask(dect, "why path=dect"))["chain"]
        assert chain[0]["text"].startswith(text)
        assert chain[-1]["cause"] == f"event:{answers[-1]['seq']}"

    async def test_what_if_tells_what_a_lost_base_station_would_do_and_when(self, dect: Runtime) -> None:
        steps = [f"set-base mac={SECOND} state=lost", f"set-base mac={THIRD} state=lost", "advance to=next-deadline"]
        answer = await ask(dect, f"what-if 'events={';'.join(steps)}'")
        assert answer["events"][-1]["at"] == "2026-01-08T12:00:20.000Z"
        assert answer["events"][-1]["text"] == "the moment at which the violation timer of IP DECT has run down"
        change = next(change for change in answer["changes"] if change["path"] == "dect")
        assert (change["before"]["state"], change["after"]["state"]) == ("ok", "voice_blocked")
        assert change["after"]["timer"] == {"left_s": 0, "violated": True, "until": None}
        assert any(change["path"] == "alarms/46-dect" for change in answer["changes"])
        back = f"what-if 'events={steps[0]};{steps[1]};advance seconds=60;set-base mac={SECOND} state=reachable'"
        assert "violation timer of IP DECT is full again" in (await ask(dect, back))["next"]["text"]
        status = (await ask(dect, "status"))["entities"]
        assert (status["dect"]["state"], status["dect"]["timer"]["left_s"]) == ("ok", 259_200)


class TestWhatIf:
    async def test_it_tells_what_would_differ_and_changes_nothing(self, runtime: Runtime) -> None:
        unit, now, seq = runtime.engine.unit(A), runtime.clock.now(), runtime.journal.last_seq(A, 1)
        answer = await ask(runtime, "what-if 'events=remove-card; advance seconds=7200'")
        assert [event["text"] for event in answer["events"]] == [
            "the feature key was removed",
            "the end of the feature key's grace",
        ]
        assert answer["events"][1] == {
            "seq": seq + 2,
            "at": "2026-01-05T14:00:20.000Z",
            "text": "the end of the feature key's grace",
        }
        assert answer["next"] is None
        changes = {change["path"]: change for change in answer["changes"]}
        assert changes["unit"]["before"]["state"] == "running"
        assert changes["unit"]["after"]["state"] == "awaiting_feature_key"
        assert "model" not in changes["unit"]["before"]
        assert changes["expansion/1"]["after"]["availability"] == "dependency"
        assert next(iter(changes)) == "feature-key"
        assert list(changes)[-1] == "unit"
        assert (runtime.engine.unit(A), runtime.clock.now(), runtime.journal.last_seq(A, 1)) == (unit, now, seq)

    async def test_what_would_come_and_go_is_shown_whole(self, runtime: Runtime) -> None:
        answer = await ask(runtime, f"what-if 'events=remove-licence key={key()}; set-fault path=slots/1'")
        gone = [change for change in answer["changes"] if change["after"] is None]
        come = [change for change in answer["changes"] if change["before"] is None]
        assert "licences/1" in [change["path"] for change in gone]
        assert come
        assert all(change["path"].startswith("alarms/") for change in come)
        assert "entity_name" in come[0]["after"]

    async def test_commands_come_as_objects_too(self, runtime: Runtime) -> None:
        events: list[Any] = [{"command": "fit", "arguments": {"path": "slots/2", "part": "POT8"}}, "remove-card"]
        answer = await execute(runtime.context, A, "what-if", {"events": events})
        assert [event["text"] for event in answer["events"]] == [
            "POT8 was fitted at slots/2",
            "the feature key was removed",
        ]

    async def test_an_imagined_card_is_the_last_one_there(self, runtime: Runtime) -> None:
        answer = await ask(
            runtime, "what-if 'events=insert-card serial=9999999999; remove-card; insert-card law=mulaw'"
        )
        assert answer["events"][-1]["text"] == "feature key 9999999999 was inserted"
        assert (await ask(runtime, "what-if 'events=remove-card; insert-card law=mulaw'"))["events"][-1]["text"] == (
            f"feature key {SERIAL} was inserted"
        )

    async def test_changes_say_what_stands_there(self, runtime: Runtime) -> None:
        answer = await ask(runtime, f"what-if 'events=remove-licence key={key()}'")
        what = {change["path"]: change["what"] for change in answer["changes"]}
        assert what["licences/1"] == what["features/professional-upgrade"] == PROFESSIONAL
        assert what["licences/2"] == VOICEMAIL_PRO
        assert what["expansion/1"] == "DS30V2"
        assert what["unit"] == ""

    async def test_what_would_happen_next_by_itself_is_told_in_unit_time(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "what-if 'events=set-time date=2027-03-01T10:00:00; remove-card'")
        assert [event["at"] for event in answer["events"]] == ["2027-03-01T10:00:00.000Z"] * 2
        assert answer["next"] == {"at": "2027-03-01T12:00:00.000Z", "text": "the end of the feature key's grace"}

    async def test_a_use_that_would_be_refused_is_told_with_its_licence(self, runtime: Runtime) -> None:
        line = "acquire feature=phone-manager-pro holder=anna"
        answer = await ask(runtime, f"what-if 'events={line}'")
        assert answer["events"][0]["refused"] == ["Phone Manager Pro (users)"]
        assert (await refused_with_an_event(runtime, line)) == "no-licence"

    async def test_time_can_go_to_the_next_deadline(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "what-if 'events=remove-card; advance to=next-deadline'")
        assert answer["events"][-1]["at"] == "2026-01-05T14:00:20.000Z"

    async def test_the_date_can_be_imagined(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "what-if 'events=set-time date=2031-01-01'")
        assert answer["events"][0]["text"] == "the unit's date was set"

    @pytest.mark.parametrize(
        ("events", "reason", "text"),
        [
            ("remove-card; remove-card", "no-card", "event 2, remove-card: no card is in the reader"),
            ("remove-card; status", "not-imaginable", "event 2, status: status cannot be part of a what-if"),
            ("what-if events=restart", "not-imaginable", "event 1, what-if: what-if cannot be part of a what-if"),
            ("set-time scale=5", "bad-arguments", "here only date can be set"),
            ("advance to=next-deadline", "no-deadline", "event 1, advance: nothing would happen by itself"),
            ("remove-crad", "unknown-command", "did you mean remove-card?"),
            ("fit path=slots/2", "bad-arguments", "part: missing: Catalogue code"),
            ("", "bad-arguments", "a command is wanted"),
        ],
    )
    async def test_what_would_be_refused_is_refused(
        self, runtime: Runtime, events: str, reason: str, text: str
    ) -> None:
        told = await refusal(runtime, f"what-if 'events={events}'")
        assert told[0] == reason
        assert text in told[1]

    async def test_a_question_has_an_end(self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(what_if_module, "MAX_EVENTS", 3)
        events = ";".join(["remove-card", "insert-card"] * 2)
        assert (await refusal(runtime, f"what-if 'events={events}'"))[0] == "too-long"
        assert (await refusal(runtime, f"what-if 'events={';'.join(['remove-card'] * 101)}'"))[0] == "bad-arguments"

    async def test_what_would_be_is_what_will_be(self, runtime: Runtime) -> None:
        before: dict[str, Entry] = dict(runtime.bus.latest(A))
        imagined = await ask(runtime, "what-if 'events=remove-card; advance seconds=9000; restart; advance seconds=60'")
        for line in ("remove-card", "advance seconds=9000", "restart", "advance seconds=60"):
            await ask(runtime, line)
        after = runtime.bus.latest(A)
        changed = [path for path in {**after, **before} if _value(before, path) != _value(after, path)]
        assert {change["path"] for change in imagined["changes"]} == set(changed)


async def refused_with_an_event(runtime: Runtime, line: str) -> str:
    with pytest.raises(CommandRejected) as refused:
        await ask(runtime, line)
    return refused.value.reason


def _value(store: Any, path: str) -> Any:
    return store[path].value if path in store else None
