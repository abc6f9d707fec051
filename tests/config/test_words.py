"""Words of a configuration, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.config import words


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("+00:00", 0), ("-00:30", -30), ("+05:45", 345), ("-12:00", -720), ("+14:00", 840)],
)
def test_offsets(text: str, minutes: int) -> None:
    assert words.utc_offset_minutes(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "Z", "01:00", "+1:00", "+01:60", "+14:01", "-12:01", "+01:00 ", "+\u0660\u0661:00"]
)
def test_what_is_no_offset(text: str) -> None:
    assert words.utc_offset_minutes(text) is None


@pytest.mark.parametrize("text", ["02:00:5E:10:00:0f", "02-00-5e-10-00-0F", "02005e10000f"])
def test_mac_addresses_in_every_usual_form(text: str) -> None:
    assert words.mac_address(text) == "02:00:5e:10:00:0f"


@pytest.mark.parametrize("text", ["", "03:00:5e:10:00:0f", "02:00:5e:10:00", "02:00-5e:10:00:0f", "02:00:5e:10:00:0g"])
def test_what_is_no_mac_address(text: str) -> None:
    assert words.mac_address(text) is None


@given(st.text())
def test_what_is_derived_from_a_name_is_sound(name: str) -> None:
    mac = words.derived_mac(name)
    assert words.mac_address(mac) == mac
    assert int(mac[:2], 16) & 2, "locally administered"
    assert words.serial_problem(words.derived_serial(name)) is None


def test_derived_values_are_part_of_the_interface() -> None:
    assert words.derived_mac("bench-1") == "2e:f4:1c:75:9c:78"
    assert words.derived_serial("bench-1") == "1295823543"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ("{n}", "7"), ("{n:03}", "007"), ("{n}-{n:02}", "7-07"), ("{m}{n:3}{n:{n}}", "{m}{n:3}{n:7}")],
)
def test_numbers_in_texts(text: str, expected: str) -> None:
    assert words.numbered(text, 7) == expected
    assert words.is_numbered(text) is (text != expected)


@pytest.mark.parametrize(
    "url", ["mqtt://broker", "mqtts://broker:8884", "mqtt://me:secret@[::1]:1883", "MQTT://broker/"]
)
def test_addresses_of_brokers(url: str) -> None:
    assert words.broker_url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "broker:1883",
        "mqtt:broker",
        "tcp://broker",
        "mqtt://:1883",
        "mqtt://b:x",
        "mqtt://[::1",
        "mqtt://b?q",
        "mqtt://me:secret@b/x",
    ],
)
def test_what_is_no_address_of_a_broker(url: str) -> None:
    problem = words.broker_url_problem(url)
    assert problem is not None
    assert "secret" not in problem


@pytest.mark.parametrize("prefix", ["ipo-sim", "a/b/c", "büro", "a$"])
def test_topic_prefixes(prefix: str) -> None:
    assert words.topic_prefix_problem(prefix) is None


@pytest.mark.parametrize("prefix", ["", "/a", "a/", "a//b", "a b", "+", "a/#", "$SYS", "a\0"])
def test_what_starts_no_topic(prefix: str) -> None:
    assert words.topic_prefix_problem(prefix) is not None


@pytest.mark.parametrize("port", ["/dev/ttyACM0", "serial:///dev/fkc0", "socket://host:1", "socket://[::1]:7000"])
def test_ports(port: str) -> None:
    assert words.port_problem(port) is None


@pytest.mark.parametrize(
    "port", ["", "COM3", "socket://host", "socket://host:0", "socket://h:1/x", "http://h:1", "//h/x"]
)
def test_what_is_no_port(port: str) -> None:
    assert words.port_problem(port) is not None
