"""What is expected, and what is told when it is not so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.scenarios import outcome_of

MINUTE_NS = 60 * 10**9


@pytest.mark.parametrize(
    "expectation",
    [
        "{unit.state: running}",
        "{value: {unit.state: running}}",
        "[{value: {unit.state: running}}, {value: {unit.edition: professional}}]",
        "{unit.state: {one_of: [starting, running]}, licences/2.instances: {at_least: 60, at_most: 60}}",
        "{unit.state: {not: starting}, unit.release: {matches: '^5', contains: '0('}, unit.until: null}",
        "{alarms/40-feature-key: absent, slots/1: present, slots/1.ports.0.kind: DS}",
        "{never: {unit.state: starting}}",
        "{eventually: {unit.state: running}}",
        "{never: {unit.state: running, unit.telephony: false}}",
    ],
)
def test_what_is_so_is_expected(tmp_path: Path, expectation: str) -> None:
    outcome = outcome_of(tmp_path, f"steps: [{{at: 1m, expect: {expectation}}}]")
    assert outcome.passed, "\n".join(outcome.failures[0].lines())


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ("{unit.state: starting}", "not as expected"),
        ("{unit.state: {one_of: [starting]}}", "not as expected"),
        ("{unit.telephony: 1}", "not as expected"),
        ("{licences/2.instances: {at_least: 61}}", "not as expected"),
        ("{alarms/40-feature-key: present}", "not as expected"),
        ("{never: {unit.state: running}}", "it never should be so, and was"),
        ("{eventually: {unit.state: shutdown}}", "it was not so at any time until the end"),
        ("{eventually: {unit.state: shutdown}, within: 1h}", "it was not so at any time within 1h"),
        ("{change: {unit.state: running}, within: 1m}", "no change within 1m: it was so before"),
        ("{change: {unit.state: shutdown}, within: 1m}", "it did not become so within 1m"),
    ],
)
def test_what_is_not_so_is_told(tmp_path: Path, expectation: str, message: str) -> None:
    outcome = outcome_of(tmp_path, f"steps: [{{at: 1m, expect: {expectation}}}]")
    assert [failure.message for failure in outcome.failures] == [message]


def test_a_failure_tells_what_was_and_what_was_expected_why_and_what_happened(tmp_path: Path) -> None:
    text = """\
        setup: {do: [power on=false]}
        steps:
          - do: power on=true
          - at: 1m
            name: Pulled
            do: remove-card
          - at: 3h
            expect:
              expansion/1.oper_state: enabled
        """
    (failure,) = outcome_of(tmp_path, text).failures
    assert failure.lines().__next__() == f"{tmp_path}/x.yaml:9: at 3h: not as expected"
    told = "\n".join(failure.lines())
    assert (
        "expansion/1.oper_state\n    expected: enabled\n    was:      disabled (event 8, 2026-01-01T02:01:00Z)" in told
    )
    assert "1. licence IP500 Upgrade Standard to Professional is Invalid (licence IP500 Upgrade" in told
    assert "2. the feature key is absent, its condition not in order (feature-key)" in told
    assert "3. the feature key was removed (event 7)" in told
    assert told.endswith("2h1m  bench-1  event 8: a deadline of the unit was reached, by clock")
    assert "event 7: the feature key was removed, by command:remove-card" in told


def test_never_sees_what_is_over_at_once(tmp_path: Path) -> None:
    text = """\
        steps:
          - at: 1m
            expect: {never: {feature-key.presence: absent}}
          - at: 2m
            do: [remove-card, insert-card]
        """
    (failure,) = outcome_of(tmp_path, text).failures
    assert failure.at == 2 * MINUTE_NS
    assert "was:      present" in "\n".join(failure.lines())
    assert "it was so in between" in "\n".join(failure.lines())


def test_a_change_counts_from_before_the_commands_of_its_step(tmp_path: Path) -> None:
    text = """\
        steps:
          - at: 1m
            do: remove-card
            expect: {change: {feature-key.condition: grace}, within: 0}
        """
    assert outcome_of(tmp_path, text).passed


def test_a_change_at_the_last_moment_of_its_span_is_in_time(tmp_path: Path) -> None:
    text = "steps: [{expect: {change: {unit.state: running}, within: 8s}}]"
    assert outcome_of(tmp_path, text).passed
    assert not outcome_of(tmp_path, text.replace("8s", "7999ms")).passed


def test_a_never_ends_with_its_span(tmp_path: Path) -> None:
    text = "{{steps: [{{expect: {{never: {{unit.state: running}}, within: {}}}}}], end: 1m}}"
    assert outcome_of(tmp_path, text.format("7999ms")).passed
    (failure,) = outcome_of(tmp_path, text.format("8s")).failures
    assert failure.at == 8 * 10**9


def test_refusals_are_expected_or_told(tmp_path: Path) -> None:
    text = "steps: [{{at: 1m, do: {}}}]"
    assert outcome_of(tmp_path, text.format("power on=true, refused: wrong-state")).passed
    messages = [
        outcome_of(tmp_path, text.format(step)).failures[0].message
        for step in ("power on=true", "power on=true, refused: busy", "remove-card, refused: no-card")
    ]
    assert messages[0].startswith("power on=true: refused (wrong-state): power on is not possible")
    assert messages[1].startswith("power on=true: refused (wrong-state, not busy): ")
    assert messages[2] == "remove-card: done, where it should have been refused (no-card)"


def test_it_ends_with_the_moment_that_failed(tmp_path: Path) -> None:
    text = """\
        steps:
          - expect: [{unit.state: running}, {unit.telephony: true}]
          - at: 1h
            do: power on=false
        """
    outcome = outcome_of(tmp_path, text)
    assert len(outcome.failures) == 2
    assert outcome.lasted == 0


def test_units_of_one_configuration_play_together(tmp_path: Path) -> None:
    config = tmp_path / "two.yaml"
    config.write_text("units: [{model: ip500, name: a, slots: {1: DS8}}, {model: ip500, name: b}]")
    text = """\
        setup: {config: two.yaml}
        steps:
          - at: 5s
            unit: b
            expect: {unit.state: running}
          - at: 8s
            unit: a
            do: remove-card
            expect:
              - feature-key.presence: absent
              - unit: b
                value: {feature-key.presence: present}
        """
    assert outcome_of(tmp_path, text).passed


def test_readers_that_are_not_virtual_have_a_stand_in(tmp_path: Path) -> None:
    config = tmp_path / "serial.yaml"
    config.write_text("units: [{model: ip500, name: a, feature_key: {reader: serial, port: /dev/null}}]")
    text = "{{setup: {{config: serial.yaml{}}}, steps: [{{at: 1m, expect: {{unit.state: {}}}}}]}}"
    assert outcome_of(tmp_path, text.format(', serial: "1234567890"', "running")).passed
    assert outcome_of(tmp_path, text.format("", "awaiting_feature_key")).passed
