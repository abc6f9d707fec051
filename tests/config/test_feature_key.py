"""Readers of the feature key and the three meanings of the licence server's address, by model."""

from __future__ import annotations

import pytest

from ipo_sim.config.load import load_text
from ipo_sim.config.settings import KeyServerSettings, ReaderSettings, Settings
from ipo_sim.core.model import BootPolicy, Card
from ipo_sim.errors import ConfigError


def settings(model: str, feature_key: str = "{}", more: str = "") -> Settings:
    return load_text(f"units: [{{name: a, model: {model}, feature_key: {feature_key}{more}}}]", "x.yaml")


def reader(model: str, feature_key: str = "{}") -> ReaderSettings:
    return settings(model, feature_key).readers[settings(model, feature_key).units[0].name]


def mistake(model: str, feature_key: str = "{}", more: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        settings(model, feature_key, more)
    return str(caught.value).partition(" units[0].")[2]


@pytest.mark.parametrize("model", ["ip403", "ip406v2", "ip412", "soe"])
def test_an_ip400_system_looks_for_its_key_server_unless_told_otherwise(model: str) -> None:
    found = reader(model)
    assert found == ReaderSettings(
        "key-server", "255.255.255.255:50800", key_server=KeyServerSettings("255.255.255.255", 50_800, 10.0)
    )
    (unit,) = settings(model).units
    assert (unit.reader_kind, unit.licence_server, unit.card) == ("key-server", "255.255.255.255", None)


def test_the_address_of_a_pc_with_port_secret_and_poll() -> None:
    text = "{licence_server: 192.168.42.10, licence_server_port: 50801, licence_server_transport: udp, "
    text += "licence_server_secret: between us}"
    loaded = settings("ip412", text, ", key: {poll_s: 2.5}")
    (unit,) = loaded.units
    server = loaded.readers[unit.name].key_server
    assert server == KeyServerSettings("192.168.42.10", 50_801, 2.5, b"between us", "udp")
    assert (unit.licence_server, unit.reader_name) == ("192.168.42.10", "192.168.42.10:50801")
    assert "between us" not in repr(loaded)


@pytest.mark.parametrize("model", ["ip406v2", "ip412", "soe"])
@pytest.mark.parametrize("text", ["{licence_server: 0.0.0.0}", "{reader: virtual}"])
def test_a_serial_dongle_on_the_unit(model: str, text: str) -> None:
    loaded = settings(model, text)
    (unit,) = loaded.units
    assert (unit.reader_kind, unit.licence_server) == ("virtual", "0.0.0.0")  # noqa: S104 - nothing binds to it
    assert unit.card == Card("7244985855", "alaw", "dongle-serial")
    assert loaded.warnings == ()


def test_a_serial_dongle_behind_a_real_reader() -> None:
    loaded = settings("soe", "{licence_server: 0.0.0.0, reader: serial, port: /dev/fkc0}")
    (unit,) = loaded.units
    assert (unit.reader_kind, unit.card) == ("serial", None)
    assert loaded.readers[unit.name] == ReaderSettings("serial", "/dev/fkc0", "/dev/fkc0")


def test_many_units_each_with_a_server_of_its_own() -> None:
    loaded = load_text(
        'units: [{name: "a-{n}", model: ip403, count: 3, first: 7, feature_key: {licence_server: "127.0.0.{n}"}}]', "x"
    )
    assert [unit.licence_server for unit in loaded.units] == ["127.0.0.7", "127.0.0.8", "127.0.0.9"]
    assert [server.name for server in loaded.readers.values()] == [f"127.0.0.{n}:50800" for n in (7, 8, 9)]


def test_american_spelling() -> None:
    text = "{licence_server: 10.0.0.1, licence_server_port: 7, licence_server_secret: x}"
    assert reader("ip403", text) == reader("ip403", text.replace("licence", "license"))


@pytest.mark.parametrize("model", ["ip500", "ip500v2"])
@pytest.mark.parametrize(
    "setting", ["licence_server: 192.168.42.10", "licence_server_port: 7", "licence_server_transport: udp"]
)
def test_an_ip500_ignores_the_server_and_a_warning_says_so(model: str, setting: str) -> None:
    loaded = settings(model, f"{{{setting}}}")
    (warning,) = map(str, loaded.warnings)
    assert f"units[0].feature_key.{setting.partition(':')[0]}: IP500" in warning
    assert warning.endswith("and ignores it")
    assert loaded.readers[loaded.units[0].name] == ReaderSettings("virtual", "virtual")


def test_a_port_beside_a_dongle_on_the_unit_warns() -> None:
    (warning,) = map(str, settings("soe", "{reader: virtual, licence_server_port: 7}").warnings)
    assert warning.endswith("feature_key.licence_server_port: the dongle is on the unit: no key server is asked")


NO_PORT = "IP403 has no serial port for a dongle: it needs a key server"
BOTH = "0.0.0.0 says that the dongle is on the unit, reader says that a key server is asked"
NO_ADDRESS = (
    "'pc' is not the IPv4 address of a PC; 255.255.255.255 looks for it by broadcast, "
    "0.0.0.0 is for a dongle on the unit"
)
ON_UNIT = "a virtual reader is on the unit itself: write 0.0.0.0, or reader: key-server"
OWN_CARD = "IP500 has its own smart-card and asks no key server; allowed: cassette, pcsc, pn532, serial, virtual"


@pytest.mark.parametrize(
    ("model", "text", "said"),
    [
        ("ip500", "{reader: key-server}", f"feature_key.reader: {OWN_CARD}"),
        ("ip403", "{licence_server: 0.0.0.0}", f"feature_key.licence_server: {NO_PORT}"),
        ("ip403", "{reader: virtual}", f"feature_key.reader: {NO_PORT}"),
        ("ip403", "{reader: serial, port: /dev/x}", f"feature_key.reader: {NO_PORT}"),
        ("soe", "{reader: key-server, licence_server: 0.0.0.0}", f"feature_key.licence_server: {BOTH}"),
        ("soe", "{reader: virtual, licence_server: 10.0.0.1}", f"feature_key.licence_server: {ON_UNIT}"),
        ("soe", "{licence_server: pc}", f"feature_key.licence_server: {NO_ADDRESS}"),
        ("soe", '{serial: "1234567890"}', "feature_key.serial: the key server tells that out by itself: leave it out"),
        ("soe", "{port: /dev/x}", "feature_key.port: a key server has none; did you mean licence_server_port?"),
    ],
)
def test_what_does_not_go_together(model: str, text: str, said: str) -> None:
    assert mistake(model, text) == said


@pytest.mark.parametrize(
    ("model", "profile", "said"),
    [
        ("ip403", "r5", "'r5' is no release of IP403; allowed: r4"),
        ("soe", "r6", "'r6' is no release of Small Office Edition; allowed: r4, r5"),
        ("ip406v2", "r7", "'r7' is not a release profile; allowed: r4, r5, r6"),
    ],
)
def test_a_release_that_a_model_does_not_run_is_refused(model: str, profile: str, said: str) -> None:
    assert mistake(model, more=f", release_profile: {profile}") == f"release_profile: {said}"


@pytest.mark.parametrize(
    ("model", "profile"), [("ip403", "r4"), ("ip406v2", "r5"), ("ip412", "r5"), ("soe", "r5"), ("ip500", "r5")]
)
def test_a_model_has_a_release_that_it_runs_by_default(model: str, profile: str) -> None:
    assert settings(model).units[0].release_profile == profile


def test_an_ip400_system_never_halts() -> None:
    assert settings("ip403").units[0].boot_policy is BootPolicy.UNLICENSED
    assert settings("ip500").units[0].boot_policy is BootPolicy.HALT
    said = "key.boot_policy: IP403 runs without a feature key and never halts; allowed: unlicensed"
    assert mistake("ip403", more=", key: {boot_policy: halt}") == said


@pytest.mark.parametrize(
    ("model", "parts", "said"),
    [
        (
            "ip500",
            "slots: {1: {card: CARRIER, vcm: VCM17}}",
            "slots[1].vcm.card: 'VCM17' is not an IP400 trunk or",
        ),
        ("ip406v2", "slots: {1: DS8}", "slots[1].card: DS8 is not offered for model ip406v2, only for ip500, ip500v2"),
        ("ip406v2", "slots: {1: VCM16}", "slots[1].card: VCM16 goes into a VCM slot; slots/1 is Trunk Slot A"),
        (
            "ip406v2",
            "slots: {1: {card: IP400-E1-1, daughter: PRI-1}}",
            "slots[1].daughter.card: the slots of IP406 V2 carry no card on another",
        ),
        (
            "ip500",
            "slots: {1: {card: CARRIER, vcm: IP400-E1-1}}",
            "slots[1].vcm.card: IP400-E1-1 goes into a trunk",
        ),
        ("ip500", "slots: {1: {card: DS8, trunk: IP400-E1-1}}", "slots[1].trunk.card: DS8 in slots/1 carries no IP400"),
        ("ip406v2", "slots: {4: VCM16}", "slots[4]: IP406 V2 has slots 1 to 3"),
        ("soe", "slots: {2: VCM16}", "slots[2]: Small Office Edition has slot 1"),
        ("soe", "expansion: {1: DS30}", "expansion[1]: Small Office Edition has no expansion port"),
        ("ip403", "expansion: {4: DS30}", "expansion[4]: IP403 has expansion ports 1 to 3"),
        ("ip403", "slots: {1: VCM99}", "slots[1].card: 'VCM99' is not an IP400 trunk or VCM card; did you mean "),
    ],
)
def test_parts_that_an_ip400_system_does_not_take(model: str, parts: str, said: str) -> None:
    assert mistake(model, more=f", {parts}").startswith(said)


def test_ip400_cards_on_the_carrier_of_an_ip500() -> None:
    (unit,) = settings("ip500", more=", slots: {2: {card: CARRIER, trunk: IP400-E1-1, vcm: {card: VCM16}}}").units
    assert [(part.path, part.fitted) for part in unit.parts] == [
        ("slots/2", "CARRIER"),
        ("slots/2/trunk", "IP400-E1-1"),
        ("slots/2/vcm", "VCM16"),
    ]
