"""What a feature key server decides (licensing.md 8): the first unit, refusals with a reason, replays, secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.licensing.key_server_line import Line
from ipo_sim.licensing.key_server_messages import (
    Delay,
    Discover,
    DongleState,
    Hello,
    Insert,
    Key,
    Message,
    Offer,
    Poll,
    Refused,
    Remove,
    Request,
    State,
    Status,
    Welcome,
)
from ipo_sim.licensing.key_server_rules import HeldDongle, KeyServer, Verdict, judge

A, B = "00E007000001", "00E007000002"
SECRET = b"secret"
NONCE = "0" * 32
DONGLE = HeldDongle("dongle-usb", DongleState.PRESENT, "1234567890", "alaw", 1)


class Bench:
    """A server, and what units say to it; `restart` is a start with another seed."""

    def __init__(self, secret: bytes | None = None) -> None:
        self.secret = secret
        self.starts = 0
        self.restart()

    def restart(self) -> None:
        self.starts += 1
        seed = bytes((self.starts,)) * 32
        self.server = KeyServer(seed, f"{self.starts:016x}", DONGLE, 50_800, "test", self.secret)

    def judge(self, data: bytes, *, local: bool = True) -> Verdict:
        verdict = judge(self.server, data, local=local)
        self.server = verdict.server
        return verdict

    def say(self, message: Message) -> Message:
        answer = self.judge(message.to_bytes(self.secret)).answer
        assert answer is not None
        return answer

    def challenge(self, nonce: str = NONCE) -> str:
        answer = self.say(Hello(nonce))
        assert isinstance(answer, Welcome)
        assert (answer.nonce, answer.boot) == (nonce, self.server.boot)
        return answer.challenge

    def poll(self, unit: str) -> Message:
        """A poll in a session of its own."""
        return self.say(Poll(NONCE, self.challenge(), 1, unit))


def code_of(answer: Message | None) -> str:
    assert isinstance(answer, Refused)
    return answer.code


def test_the_first_unit_that_polls_is_validated_and_no_other() -> None:
    bench = Bench()
    assert isinstance(bench.poll(A), Key)
    refused = bench.poll(B)
    assert code_of(refused) == "other-unit"
    assert refused == Refused("other-unit", f"this server validates unit {A} alone until it is restarted", NONCE, 1)
    assert isinstance(bench.poll(A), Key), "it keeps its place, refusals between or not"
    assert (bench.server.first, bench.server.polls, bench.server.refusals) == (A, 2, 1)


def test_after_a_restart_the_second_may_be_the_first() -> None:
    bench = Bench()
    bench.poll(A)
    bench.restart()
    assert isinstance(bench.poll(B), Key)
    assert code_of(bench.poll(A)) == "other-unit"


def test_nobody_becomes_first_by_less_than_a_poll() -> None:
    bench = Bench()
    challenge = bench.challenge()
    bench.say(Discover(NONCE, B))
    bench.say(Status(NONCE, challenge, 1))
    bench.say(Poll(NONCE, "inventedforthisverypurpose", 1, B))
    assert bench.server.first is None
    assert isinstance(bench.poll(A), Key)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (DONGLE, ("present", "dongle-usb", 1, "1234567890", "alaw", None)),
        (HeldDongle("dongle-parallel", counter=4), ("absent", "dongle-parallel", 4, None, None, None)),
        (
            HeldDongle("dongle-usb", DongleState.UNREADABLE, counter=2, reason=9),
            ("unreadable", "dongle-usb", 2, None, None, 9),
        ),
    ],
    ids=["present", "absent", "unreadable"],
)
def test_the_answer_tells_the_dongle(held: HeldDongle, told: tuple[Any, ...]) -> None:
    bench = Bench()
    bench.server = replace(bench.server, dongle=held)
    assert bench.poll(A) == Key(NONCE, 1, bench.server.boot, *told)


def test_offers_say_whether_the_server_is_free() -> None:
    bench = Bench()
    assert bench.say(Discover(NONCE, B)) == Offer(NONCE, bench.server.boot, 50_800, "yes", "test")
    bench.poll(A)
    free = {unit: bench.say(Discover(NONCE, unit)) for unit in (A, B, None)}
    assert [offer.free for offer in free.values() if isinstance(offer, Offer)] == ["yes", "no", "yes"]


def test_a_recorded_poll_is_stale() -> None:
    bench = Bench(SECRET)
    challenge = bench.challenge()
    first = Poll(NONCE, challenge, 1, A)
    assert isinstance(bench.say(first), Key)
    assert code_of(bench.say(first)) == "stale"
    assert isinstance(bench.say(Poll(NONCE, challenge, 5, A)), Key), "numbers may be left out"
    assert code_of(bench.say(Poll(NONCE, challenge, 4, A))) == "stale", "and do not go back"
    bench.poll(A)
    assert code_of(bench.say(Poll(NONCE, challenge, 6, A))) == "stale", "an older session is over"
    assert bench.server.polls == 3


def test_a_recorded_poll_of_a_refused_unit_does_not_make_it_first_after_a_restart() -> None:
    bench = Bench(SECRET)
    bench.poll(A)
    recorded = Poll(NONCE, bench.challenge(), 1, B)
    assert code_of(bench.say(recorded)) == "other-unit"
    bench.restart()
    bench.challenge()
    bench.challenge()
    assert code_of(bench.say(recorded)) == "stale"
    assert bench.server.first is None


def test_a_challenge_belongs_to_its_nonce() -> None:
    bench = Bench()
    assert code_of(bench.say(Poll("1" * 32, bench.challenge(), 1, A))) == "stale"


def test_refused_units_do_not_disturb_the_first_ones_session() -> None:
    bench = Bench()
    challenge = bench.challenge()
    bench.say(Poll(NONCE, challenge, 1, A))
    bench.poll(B)
    bench.poll(B)
    assert isinstance(bench.say(Poll(NONCE, challenge, 2, A)), Key)


@pytest.mark.parametrize("secret", [None, b"other"], ids=["unsigned", "another-secret"])
@pytest.mark.parametrize("kind", ["hello", "poll", "remove"])
def test_without_the_secret_nothing_is_to_be_had(secret: bytes | None, kind: str) -> None:
    bench = Bench(SECRET)
    challenge = bench.challenge()
    requests: dict[str, Message] = {
        "hello": Hello(NONCE),
        "poll": Poll(NONCE, challenge, 1, A),
        "remove": Remove(NONCE, challenge, 1),
    }
    before = bench.server
    verdict = bench.judge(requests[kind].to_bytes(secret))
    assert code_of(verdict.answer) == "authentication"
    assert not verdict.understood
    assert verdict.control is None
    assert replace(bench.server, refusals=0) == before


def test_answers_are_signed_by_the_caller_and_bear_no_secret() -> None:
    bench = Bench(SECRET)
    assert b"secret" not in repr(bench.server).encode()
    line = Line.from_bytes(bench.poll(A).to_bytes(SECRET))
    assert line.is_signed_with(SECRET)


@pytest.mark.parametrize(
    "control",
    [Insert("", "", 1), Insert("", "", 1, "0" * 10), Remove("", "", 1), Delay("", "", 1, 9)],
    ids=["insert", "insert-other", "remove", "delay"],
)
def test_commands_are_handed_on_once(control: Request) -> None:
    bench = Bench()
    command = replace(control, nonce=NONCE, challenge=bench.challenge())
    verdict = bench.judge(command.to_bytes())
    assert (verdict.answer, verdict.control) == (None, command)
    again = bench.judge(command.to_bytes())
    assert (code_of(again.answer), again.control) == ("stale", None)


def test_commands_from_afar_need_a_secret() -> None:
    bench = Bench()
    verdict = bench.judge(Remove(NONCE, bench.challenge(), 1).to_bytes(), local=False)
    assert (code_of(verdict.answer), verdict.control) == ("forbidden", None)
    secured = Bench(SECRET)
    verdict = secured.judge(Remove(NONCE, secured.challenge(), 1).to_bytes(SECRET), local=False)
    assert isinstance(verdict.control, Remove)


def test_a_delay_has_its_limit() -> None:
    bench = Bench()
    assert code_of(bench.say(Delay(NONCE, bench.challenge(), 1, 600_001))) == "impossible"


def test_the_status_tells_everything() -> None:
    bench = Bench()
    bench.poll(A)
    bench.poll(B)
    status = bench.say(Status(NONCE, bench.challenge(), 1))
    boot = bench.server.boot
    assert status == State(NONCE, 1, boot, "present", "dongle-usb", 1, "1234567890", "alaw", None, A, 1, 1, 0)


@pytest.mark.parametrize(
    ("data", "code"), [(b"FKS/9 HELLO nonce=1", "version"), (b"\xff\x00", "malformed"), (b"FKS/1 KEY x=y", "malformed")]
)
def test_what_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    verdict = Bench().judge(data)
    assert code_of(verdict.answer) == code
    assert not verdict.understood


@given(st.lists(st.tuples(st.sampled_from([A, B, "00E007000003"]), st.booleans()), max_size=30))
def test_whoever_polls_and_however_often_there_is_one_first_a_start(history: list[tuple[str, bool]]) -> None:
    bench = Bench()
    first: str | None = None
    for unit, restarts in history:
        if restarts:
            bench.restart()
            first = None
        first = first or unit
        assert isinstance(bench.poll(unit), Key if unit == first else Refused)
        assert bench.server.first == first


@given(st.binary(max_size=200), st.integers(0, 250), st.integers(0, 250))
def test_no_damage_to_a_signed_poll_makes_anybody_first(noise: bytes, at: int, length: int) -> None:
    bench = Bench(SECRET)
    good = Poll(NONCE, bench.challenge(), 1, A).to_bytes(SECRET)
    damaged = good[:at] + noise + good[at + length :]
    verdict = bench.judge(damaged)
    assert bench.server.first is None or damaged.rstrip(b"\r\n") == good.rstrip(b"\n")
    assert verdict.control is None
