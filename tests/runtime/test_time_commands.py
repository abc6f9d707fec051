from __future__ import annotations

from dataclasses import replace

import pytest

from ipo_sim.core.events import FeatureKeyInserted, FeatureKeyRemoved
from ipo_sim.core.model import Lifecycle
from ipo_sim.runtime.assembly import Runtime
from tests.core.bench import SERIAL
from tests.runtime.bench import A, B, open_bench, small
from tests.runtime.test_commands import ask, refusal, runtime
from tests.runtime.test_pump import running

__all__ = ["runtime"]


class TestTime:
    async def test_advance_waits_for_what_happens_on_the_way(self, runtime: Runtime) -> None:
        removed = await ask(runtime, "remove-card")
        answer = await ask(runtime, "advance seconds=7200.5")
        assert answer == {
            "seq": removed["seq"] + 1,
            "time": "2026-01-05T14:00:20.500Z",
            "scale": 1.0,
            "paused": True,
        }
        assert runtime.engine.unit(A).life.state is Lifecycle.AWAITING_FEATURE_KEY

    async def test_advance_finds_the_next_deadline_of_the_unit(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        runtime.engine.apply(B, FeatureKeyRemoved(), "test")
        runtime.engine.apply(B, FeatureKeyInserted(SERIAL), "test")
        answer = await ask(runtime, "advance to=next-deadline")
        assert answer["time"] == "2026-01-05T14:00:20.000Z"
        assert await refusal(runtime, "advance to=next-deadline") == (
            "no-deadline",
            "nothing will happen to unit a by itself",
        )

    async def test_advance_goes_to_the_next_deadline_within_a_length(self, runtime: Runtime) -> None:
        await ask(runtime, "remove-card")
        assert (await ask(runtime, "advance seconds=3600 to=next-deadline"))["time"] == "2026-01-05T13:00:20.000Z"
        assert (await ask(runtime, "advance seconds=7200 to=next-deadline"))["time"] == "2026-01-05T14:00:20.000Z"
        assert (await ask(runtime, "advance seconds=60 to=next-deadline"))["time"] == "2026-01-05T14:01:20.000Z"

    async def test_the_clock_is_scaled_and_paused_for_all(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "set-time scale=2 pause=false")
        assert (answer["scale"], answer["paused"]) == (2.0, False)
        assert (runtime.clock.scale, runtime.clock.paused) == (2.0, False)
        assert (await ask(runtime, "set-time pause=true"))["paused"] is True
        kept = runtime.journal.clock()
        assert kept is not None
        assert (kept.scale, kept.paused) == (2.0, True)

    async def test_pause_and_resume_keep_the_scale(self, runtime: Runtime) -> None:
        await ask(runtime, "set-time scale=60 pause=false")
        assert (await ask(runtime, "pause"))["paused"] is True
        answer = await ask(runtime, "resume")
        assert (answer["scale"], answer["paused"]) == (60.0, False)

    async def test_advance_takes_a_length_of_time(self, runtime: Runtime) -> None:
        answer = await ask(runtime, "advance seconds=1h30m")
        assert answer["time"] == "2026-01-05T13:30:20.000Z"
        assert (await refusal(runtime, "advance seconds=soon"))[0] == "bad-arguments"

    async def test_steps_go_through_all_units_and_tell_what_happened(self, runtime: Runtime) -> None:
        await ask(runtime, "shutdown minutes=5")
        await ask(runtime, "set-time pause=false scale=0.1")
        answer = await ask(runtime, "step")
        assert answer["paused"] is True
        assert answer["events"] == len(answer["last"]) == 1
        assert answer["last"][0]["unit"] == A
        assert answer["last"][0]["seq"] == runtime.engine.unit(A).seq
        answer = await ask(runtime, "step count=100")
        assert runtime.engine.next_deadline() is None
        assert answer["events"] == len(answer["last"])
        assert await refusal(runtime, "step") == ("no-deadline", "nothing will happen by itself to any unit")

    @pytest.mark.parametrize(
        ("date", "shown"),
        [
            ("2030-12-31T23:59:00Z", "2030-12-31T23:59:00.000Z"),
            ("2030-12-31T23:59:00+01:00", "2030-12-31T22:59:00.000Z"),
            ("2030-12-31T23:59:00", "2030-12-31T22:59:00.000Z"),
            ("2030-12-31", "2030-12-30T23:00:00.000Z"),
        ],
    )
    async def test_the_date_is_the_units_own(self, date: str, shown: str) -> None:
        runtime = open_bench(None, replace(small(A), utc_offset_minutes=60), small(B))
        async with running(runtime.pump):
            answer = await ask(runtime, f"set-time date={date} scale=5")
        assert (answer["at"], answer["scale"]) == (shown, 5.0)
        assert answer["time"] == "2026-01-05T12:00:00.000Z"
        assert runtime.engine.unit(B).clock_offset_ns == 0
        runtime.close()

    async def test_a_date_that_the_unit_refuses_leaves_the_clock(self, runtime: Runtime) -> None:
        assert (await refusal(runtime, "set-time date=1969-01-01 scale=5"))[0] == "time-out-of-range"
        assert runtime.clock.scale == 1.0

    @pytest.mark.parametrize("date", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
    async def test_a_date_at_the_edge_of_the_calendar_breaks_nothing(self, runtime: Runtime, date: str) -> None:
        reason, _ = await refusal(runtime, f"set-time date={date}")
        assert reason in {"time-out-of-range", "bad-arguments"}
