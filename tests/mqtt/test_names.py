"""Topics, connection settings, the plan of connections, and waits: pure, so held without a broker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipo_sim.api.paths import cascade_rank
from ipo_sim.core.model import UnitName
from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.backoff import Backoff
from ipo_sim.mqtt.link import Identity
from ipo_sim.mqtt.plan import MAX_OWN_CONNECTIONS, identities
from ipo_sim.mqtt.settings import ConnectionMode, MqttSettings
from ipo_sim.mqtt.topics import Address, Topics, command_verb, entity_path

UNIT = UnitName("bench-1")


def test_every_topic_is_where_the_table_says() -> None:
    topics = Topics("lab/ipo")
    assert topics.entity(UNIT, "slots/1/daughter") == "lab/ipo/bench-1/slots/1/daughter"
    assert topics.availability(UNIT) == "lab/ipo/bench-1/availability"
    assert topics.events(UNIT) == "lab/ipo/bench-1/events"
    assert topics.schema(UNIT) == "lab/ipo/bench-1/schema"
    assert topics.command("+", "+") == "lab/ipo/+/commands/+"
    assert topics.reply(UNIT, "power") == "lab/ipo/bench-1/commands/power/reply"


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("lab/ipo/bench-1/unit", Address(UNIT, "unit")),
        ("lab/ipo/bench-1/slots/1/daughter", Address(UNIT, "slots/1/daughter")),
        ("lab/ipo/bench-1", None),
        ("lab/ipo/bench-1/", None),
        ("lab/ipo//unit", None),
        ("lab/ipox/bench-1/unit", None),
        ("lab/ipo", None),
        ("other/bench-1/unit", None),
        ("", None),
    ],
)
def test_a_topic_is_read_back(topic: str, address: Address | None) -> None:
    assert Topics("lab/ipo").parse(topic) == address


@given(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), st.from_regex(r"[a-z]+(/[a-z0-9]+){0,3}", fullmatch=True))
def test_what_is_written_is_what_is_read(unit: str, path: str) -> None:
    topics = Topics("a/b")
    assert topics.parse(topics.entity(UnitName(unit), path)) == Address(UnitName(unit), path)


@pytest.mark.parametrize("name", ["anna jones", "100 %", "%20", "%2520 %", "a  b", "\u00fcber"])
def test_a_name_comes_through_a_topic_without_blanks(name: str) -> None:
    topics = Topics("a")
    topic = topics.entity(UNIT, f"users/{name}")
    assert " " not in topic
    address = topics.parse(topic)
    assert address is not None
    assert entity_path(address.rest) == f"users/{name}"


@pytest.mark.parametrize("prefix", ["", "/", "a//b", "/a", "a/", "a/+", "a/#", "#", "$SYS", "a b", "a\x00"])
def test_a_prefix_that_no_topic_can_start_with_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="mqtt prefix"):
        Topics(prefix)


@pytest.mark.parametrize(
    ("rest", "verb"),
    [
        ("commands/power", "power"),
        ("commands/power/reply", None),
        ("commands/", None),
        ("unit", None),
        ("x/power", None),
    ],
)
def test_a_verb_is_one_level_below_commands(rest: str, verb: str | None) -> None:
    assert command_verb(rest) == verb


def test_a_cascade_goes_from_the_key_to_the_unit() -> None:
    words = (
        "feature-key reader licences/9 features/x users/a extensions/1 dect slots/1 expansion/1 leds/c alarms/1 unit"
    )
    order = words.split()
    assert len({cascade_rank(path) for path in order}) == len(order) - 1
    assert [cascade_rank(path) for path in order] == sorted(cascade_rank(path) for path in order)
    assert cascade_rank("slots/1/daughter") == cascade_rank("expansion/1")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mqtt://broker", "mqtt://broker:1883"),
        ("mqtts://broker", "mqtts://broker:8883"),
        ("mqtt://[::1]:99/", "mqtt://[::1]:99"),
        ("mqtt://u%40x:p%3A@broker:1", "mqtt://broker:1"),
    ],
)
def test_a_url_is_taken_apart_and_shown_without_secrets(url: str, shown: str) -> None:
    assert str(MqttSettings(url=url).endpoint()) == shown


def test_user_and_password_of_the_url_stand_behind_those_set() -> None:
    url = "mqtt://u%40x:p%3A@broker"
    assert (MqttSettings(url=url).endpoint().username, MqttSettings(url=url).endpoint().password) == ("u@x", "p:")
    endpoint = MqttSettings(url=url, username="me", password="mine").endpoint()
    assert (endpoint.username, endpoint.password) == ("me", "mine")
    assert "mine" not in repr(MqttSettings(url="mqtt://broker", password="mine"))
    assert "mine" not in repr(endpoint)


@pytest.mark.parametrize(
    "url", ["broker", "http://broker", "mqtt://", "mqtt://b:x", "mqtt://b:70000", "mqtt://b/p?q=1"]
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtt url"):
        MqttSettings(url=url)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="mqtt version 3"):
        MqttSettings(version=3)


def names(count: int) -> list[UnitName]:
    return [UnitName(f"u{number}") for number in range(count)]


def test_few_units_have_a_connection_each_and_many_share_one() -> None:
    own = identities(MqttSettings(), names(MAX_OWN_CONNECTIONS))
    assert own[3] == Identity("ipo-sim-u3", "u3", (UnitName("u3"),))
    assert len(own) == MAX_OWN_CONNECTIONS
    many = names(MAX_OWN_CONNECTIONS + 1)
    assert identities(MqttSettings(), many) == (Identity("ipo-sim-u0", "ipo-sim-u0", tuple(many)),)


def test_the_mode_can_be_chosen() -> None:
    assert len(identities(MqttSettings(connection=ConnectionMode.SHARED), names(2))) == 1
    assert len(identities(MqttSettings(connection=ConnectionMode.PER_UNIT), names(40))) == 40


def test_a_client_id_of_ones_own_is_whole_for_one_and_a_beginning_for_several() -> None:
    settings = MqttSettings(client_id="me")
    assert [identity.client_id for identity in identities(settings, names(1))] == ["me"]
    assert [identity.client_id for identity in identities(settings, names(2))] == ["me-u0", "me-u1"]
    assert [identity.client_id for identity in identities(settings, names(20))] == ["me"]


def test_a_shared_client_id_cannot_be_a_units_name() -> None:
    with pytest.raises(ConfigError, match="a unit has that name"):
        identities(MqttSettings(client_id="u1", connection=ConnectionMode.SHARED), names(2))


def test_waits_grow_to_their_cap_and_start_again() -> None:
    backoff = Backoff("seed", base_s=1.0, cap_s=8.0)
    waits = [backoff.next() for _ in range(200)]
    assert all(wait <= min(8.0, 2.0**number) for number, wait in enumerate(waits))
    assert max(waits) > 7.0
    assert backoff.failures == 200
    backoff.reset()
    assert backoff.next() <= 1.0


def test_waits_are_the_same_for_the_same_seed_and_differ_for_others() -> None:
    first, again, other = (Backoff(seed) for seed in ("a", "a", "b"))
    waits = [first.next() for _ in range(5)]
    assert waits == [again.next() for _ in range(5)]
    assert waits != [other.next() for _ in range(5)]


def test_waits_stay_finite_for_ever() -> None:
    backoff = Backoff("seed")
    backoff.failures = 100_000
    assert 0 <= backoff.next() <= 30.0
