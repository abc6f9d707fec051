"""What a sound configuration comes to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config import load
from ipo_sim.config.build import RELEASES
from ipo_sim.config.settings import BrokerSettings, HttpSettings, ReaderSettings, Settings, TlsSettings
from ipo_sim.core.model import BootPolicy, Card, PartDefinition, UnitDefinition
from ipo_sim.errors import ConfigError
from ipo_sim.licensing.key import DEFAULT_SECRET

KEY = "04002001000000FR876BDQYYHKF0Y5E4"
OTHER_KEY = "0400401W000000PAH0MSJGH8K5CP0H4E"


def settings(text: str, folder: Path | None = None) -> Settings:
    return load.load_text(dedent(text), "x.yaml", folder)


def unit(text: str) -> UnitDefinition:
    (only,) = settings(text).units
    return only


def test_everything_but_the_model_has_a_default() -> None:
    loaded = settings("units: [{model: ip500}]")
    assert loaded.units == (
        UnitDefinition(
            name="unit-1",  # type: ignore[arg-type]  # a name is a text at run time
            model="ip500",
            release_profile="r5",
            mac="1e:99:82:0e:67:16",
            system_name="1E99820E6716",
            release="5.0(8)",
            secret=DEFAULT_SECRET,
            boot_policy=BootPolicy.HALT,
            grace_ns=7_200_000_000_000,  # type: ignore[arg-type]  # durations are integers at run time
            poll_ns=10_000_000_000,  # type: ignore[arg-type]  # as above
            utc_offset_minutes=0,
            reader_kind="virtual",
            reader_name="virtual",
            card=Card("2915150856", "alaw"),
            parts=(),
            licences=(),
        ),
    )
    assert loaded == Settings(
        units=loaded.units,
        readers={loaded.units[0].name: ReaderSettings("virtual", "virtual")},
        mqtt=BrokerSettings(),
        time_scale=None,
        state_dir=None,
    )


def test_a_unit_in_full() -> None:
    full = unit(f"""
        units:
          - name: bench-1
            model: ip500v2
            release_profile: r6
            release: 6.1(20)
            system_name: The bench
            mac: 02-00-5E-10-00-01
            timezone: "-03:30"
            key: {{boot_policy: unlicensed, grace_s: 0.25, poll_s: 60, secret: of this unit}}
            feature_key: {{serial: "1234567890", law: mulaw}}
            slots:
              2: VCM32
              1: {{card: DS8, daughter: PRI-1, configured: POT8}}
              3: {{daughter: {{configured: BRI-4}}, card: DS8}}
            expansion:
              2: DS30V2
              1: {{module: DS16, configured: DS30}}
              3: {{configured: WAN3}}
            licences: [{KEY}, {OTHER_KEY}]
        bench: {{secret: of the bench}}
    """)
    assert (full.release_profile, full.release, full.system_name) == ("r6", "6.1(20)", "The bench")
    assert (full.mac, full.utc_offset_minutes) == ("02:00:5e:10:00:01", -210)
    assert (full.boot_policy, full.grace_ns, full.poll_ns) == (BootPolicy.UNLICENSED, 250_000_000, 60_000_000_000)
    assert full.secret == b"of this unit"
    assert full.card == Card("1234567890", "mulaw")
    assert full.parts == (
        PartDefinition("slots/1", "DS8", "POT8"),
        PartDefinition("slots/2", "VCM32"),
        PartDefinition("slots/3", "DS8"),
        PartDefinition("slots/1/daughter", "PRI-1"),
        PartDefinition("slots/3/daughter", None, "BRI-4"),
        PartDefinition("expansion/1", "DS16", "DS30"),
        PartDefinition("expansion/2", "DS30V2"),
        PartDefinition("expansion/3", None, "WAN3"),
    )
    assert full.licences == (KEY, OTHER_KEY)


def test_the_secret_of_the_bench_holds_for_units_without_one() -> None:
    loaded = settings("""
        units: [{model: ip500}, {model: ip500, key: {secret: mine}}]
        bench: {secret: ours}
    """)
    assert [unit.secret for unit in loaded.units] == [b"ours", b"mine"]
    assert "ours" not in repr(loaded)


@pytest.mark.parametrize("name", ["licences", "licenses"])
def test_both_spellings(name: str) -> None:
    assert unit(f"units: [{{model: ip500, {name}: [{KEY}]}}]").licences == (KEY,)


def test_american_licences_are_minted_too() -> None:
    text = "units: [{{model: ip500, count: 1, {}: [{{{}: Receptionist, instances: 4}}]}}]"
    assert unit(text.format("licenses", "license")) == unit(text.format("licences", "licence"))


def test_keys_are_kept_as_they_would_be_entered() -> None:
    groups = "-".join(KEY[i : i + 4] for i in range(0, 32, 4)).lower()
    strange = "2vAHyzUXcjjyyV3pkFLbZzFQ6wkRRRRR"
    assert unit(f"units: [{{model: ip500, licences: [{groups}, {strange}]}}]").licences == (KEY, strange)


def test_a_setting_without_a_value_stands_for_its_default() -> None:
    bare = "{name: null, key: null, feature_key: null, slots: {1: null}, expansion: null, licences: null}"
    assert unit(f"units: [{{model: ip500, <<: {bare}}}]\nmqtt:\ntime:\n") == unit("units: [{model: ip500}]")


def test_anchors_and_merge_keys_save_writing() -> None:
    first, second = settings("""
        units:
          - &make
            name: a
            model: ip500
            slots: {1: DS8}
          - <<: *make
            name: b
    """).units
    assert (first.name, second.name) == ("a", "b")
    assert first.parts == second.parts == (PartDefinition("slots/1", "DS8"),)


def test_places_may_be_numbered_in_quotes_as_json_must() -> None:
    assert unit('units: [{"model": "ip500", "slots": {"1": "DS8"}}]').parts == (PartDefinition("slots/1", "DS8"),)


def test_a_card_that_is_not_in_the_reader() -> None:
    assert unit('units: [{model: ip500, feature_key: {serial: "1234567890", present: false}}]').card is None


def test_a_serial_reader() -> None:
    loaded = settings("units: [{model: ip500, feature_key: {reader: serial, port: /dev/fkc0, law: mulaw}}]")
    (only,) = loaded.units
    assert (only.reader_kind, only.reader_name, only.card) == ("serial", "/dev/fkc0", None)
    assert loaded.readers[only.name] == ReaderSettings("serial", "/dev/fkc0", "/dev/fkc0", "mulaw")


def test_every_profile_has_a_release() -> None:
    assert set(RELEASES) == {name for model in load_catalogue().models.values() for name in model.release_profiles}


def test_broker_clock_and_state(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("top secret\r\nsecond line\n")
    loaded = settings(
        """
        units: [{model: ip500}]
        mqtt:
          url: mqtts://user@broker:8884
          prefix: site/ipo-sim
          username: me
          password_file: password
          client_id: bench.1
          version: 5
          keepalive: 60
          connection: shared
          tls: {ca: ca.pem, cert: /etc/ssl/me.pem, key: me.key, insecure: true}
        time: {scale: 60}
        state_dir: state
        """,
        tmp_path,
    )
    assert loaded.mqtt == BrokerSettings(
        url="mqtts://user@broker:8884",
        prefix="site/ipo-sim",
        username="me",
        password="top secret",
        client_id="bench.1",
        version=5,
        keepalive_s=60,
        connection="shared",
        tls=TlsSettings(tmp_path / "ca.pem", Path("/etc/ssl/me.pem"), tmp_path / "me.key", insecure=True),
    )
    assert (loaded.time_scale, loaded.state_dir) == (60.0, tmp_path / "state")
    assert "top secret" not in repr(loaded)


@pytest.mark.parametrize("text", ["3.1.1", '"3.1.1"', "null"])
def test_mqtt_is_3_1_1_by_default(text: str) -> None:
    assert settings(f"units: [{{model: ip500}}]\nmqtt: {{version: {text}}}").mqtt.version == 4


def test_a_password_in_the_file() -> None:
    assert settings('units: [{model: ip500}]\nmqtt: {password: ""}').mqtt.password == ""


def test_warnings_name_what_is_allowed_and_probably_not_meant() -> None:
    loaded = settings(f"""\
        units:
          - model: ip500
            slots: {{1: DS8, 2: DS8, 3: DS8, 4: DS8}}
            licences:
              - {KEY}
              - {OTHER_KEY}
              - {KEY}
    """)
    assert tuple(map(str, loaded.warnings)) == (
        "x.yaml:3:40: units[0].slots[4].card: at most 3 of DS8 in one unit: present, but not operational",
        "x.yaml:7:9: units[0].licences[2].key: the same key as units[0].licences[0]: it counts once",
    )
    assert loaded.units[0].licences == (KEY, OTHER_KEY)


def test_a_file_with_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    path.write_bytes(b"\xef\xbb\xbfunits:\r\n  - model: ip500\r\n")
    assert len(load.load_config(path).units) == 1


def test_files_named_in_a_file_stand_beside_it(tmp_path: Path) -> None:
    (tmp_path / "bench.yaml").write_text("units: [{model: ip500}]\nstate_dir: state")
    assert load.load_config(tmp_path / "bench.yaml").state_dir == tmp_path / "state"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"units:\n  - name: \xfc\n")
    for path, reason in (
        (tmp_path / "none.yaml", "none.yaml: No such file or directory"),
        (tmp_path, "Is a directory"),
        (latin, "latin.yaml:2: not UTF-8 text"),
    ):
        with pytest.raises(ConfigError) as caught:
            load.load_config(path)
        assert str(caught.value).endswith(reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff", "not UTF-8 text"), (None, "No such file or directory")],
    ids=["bytes", "nothing"],
)
def test_password_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        settings("units: [{model: ip500}]\nmqtt: {password_file: password}", tmp_path)
    assert str(caught.value) == f"x.yaml:2:23: mqtt.password_file: {tmp_path / 'password'}: {reason}"


def test_http_is_off_until_it_is_asked_for(tmp_path: Path) -> None:
    assert settings("units: [{model: ip500}]").http is None
    assert settings("units: [{model: ip500}]\nhttp: {port: 8080}").http == HttpSettings(8080, "127.0.0.1", None)
    (tmp_path / "token").write_text("0123456789abcdef\n")
    text = "units: [{model: ip500}]\nhttp: {port: 0, host: 0.0.0.0, token_file: token}"
    loaded = settings(text, tmp_path).http
    assert loaded == HttpSettings(0, "0.0.0.0", "0123456789abcdef")  # noqa: S104 - with a token
    assert "0123456789abcdef" not in repr(loaded)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("short", "the token has 5 characters, at least 16 are needed: `openssl rand -hex 16` makes one"),
        ("", "the token has 0 characters, at least 16 are needed: `openssl rand -hex 16` makes one"),
        ("a blank in the middle", "a token has at most 512 letters, digits and -._~+/= characters"),
        ("a" * 513, "a token has at most 512 letters, digits and -._~+/= characters"),
    ],
    ids=["short", "empty", "blank", "long"],
)
def test_a_token_that_is_none(tmp_path: Path, token: str, problem: str) -> None:
    (tmp_path / "token").write_text(f"{token}\n")
    with pytest.raises(ConfigError) as caught:
        settings("units: [{model: ip500}]\nhttp: {port: 1, token_file: token}", tmp_path)
    assert str(caught.value) == f"x.yaml:2:29: http.token_file: {problem}"


def test_a_password_file_of_an_impossible_name() -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.password_file: .*null byte"):
        settings('units: [{model: ip500}]\nmqtt: {password_file: "a\\0b"}')


def test_what_only_mistakes_and_tools_need_is_not_loaded() -> None:
    code = "import sys, ipo_sim.config.load; print({'difflib', 'jsonschema', 'ssl'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
