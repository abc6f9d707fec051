"""Units of a test over HTTP, for the tool that is tested."""

from __future__ import annotations

import json
from urllib.request import urlopen

import pytest

from ipo_sim.testing.broker import BrokerUnderTest
from ipo_sim.testing.clock import VirtualClock
from ipo_sim.testing.place import HttpUnderTest
from ipo_sim.testing.unit import SimulatedUnit
from tests.testing.runs import run


def presence(http: HttpUnderTest) -> object:
    with urlopen(f"{http.url}/units/bench-1/feature-key") as answer:  # noqa: S310 - our own
        return json.load(answer)["presence"]


def test_a_tool_sees_the_units_of_the_test(
    ipo_unit: SimulatedUnit, ipo_clock: VirtualClock, ipo_http: HttpUnderTest
) -> None:
    assert presence(ipo_http) == "present"
    ipo_unit.remove_card()
    assert presence(ipo_http) == "absent"
    ipo_clock.advance(hours=2)
    with urlopen(f"{ipo_http.url}/units") as answer:  # noqa: S310 - our own
        assert json.load(answer)["units"]["bench-1"]["state"] == "awaiting_feature_key"


def test_they_can_be_on_a_broker_too(
    ipo_unit: SimulatedUnit, ipo_http: HttpUnderTest, ipo_broker: BrokerUnderTest
) -> None:
    ipo_unit.remove_card()
    assert presence(ipo_http) == "absent"
    assert ipo_broker.url.startswith("mqtt://")


def test_it_has_to_be_said_beforehand(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(ipo_unit, request):\n    request.getfixturevalue('ipo_http')\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ipo_http has to be among the arguments of the test or its fixtures*"])


def test_without_the_extra_it_is_named(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys\nsys.modules['aiohttp'] = None\n")
    pytester.makepyfile("def test_it(ipo_http):\n    pass\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*HTTP needs aiohttp: install the extra `http`, pip install 'ipo-sim?http?'*"])
