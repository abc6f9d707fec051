"""Brokers that ask who we are, and TLS: what is refused says why, and is tried again."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ipo_sim.errors import ConfigError
from ipo_sim.mqtt.link import Link
from ipo_sim.mqtt.settings import MqttSettings, TlsSettings
from ipo_sim.runtime.bus import Bus
from tests.mqtt.brokers import HOST, Mosquitto, until
from tests.mqtt.linked import entities_only, make_link, running, settings_for, store, synchronised
from tests.mqtt.watcher import watcher
from tests.mqtt.world import LiveUnit
from tests.requirements import require

DAY = dt.timedelta(days=1)


class Authority(NamedTuple):
    """A certificate authority of the test's own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path


def authority(directory: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, key, name, is_authority=True)
    file = directory / f"{name}.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate, file)


def issued(ca: Authority, directory: Path, name: str) -> tuple[Path, Path]:
    """Certificate and key of `name` for loopback, in files."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = str(ca.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    certificate = _certificate(name, key, ca.key, issuer, is_authority=False)
    files = directory / f"{name}.crt", directory / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return files


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, issuer: str, *, is_authority: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(addresses, critical=False)
        .sign(signer, hashes.SHA256())
    )


@asynccontextmanager
async def guarded(directory: Path, extra: str) -> AsyncIterator[Mosquitto]:
    """A mosquitto with more in its configuration."""
    broker = Mosquitto(directory, extra)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.stop()


def booted(settings: MqttSettings) -> tuple[Bus, Link]:
    bus = Bus()
    LiveUnit(bus).boot()
    return bus, make_link(settings, bus)


async def refusal(settings: MqttSettings) -> str:
    """What a link says of a broker that does not take it."""
    _, link = booted(settings)
    async with running(link):
        await until(lambda: link.last_error is not None)
        assert not link.synchronised.is_set()
    return link.last_error or ""


def with_password(directory: Path, extra: str = "") -> str:
    passwords = directory / "passwords"
    tool = require("mosquitto_passwd")
    for create, user in (("-c", "unit"), (None, "reader")):
        options = ["-b", *([create] if create else []), str(passwords), user, "secret"]
        subprocess.run([tool, *options], check=True, capture_output=True)
    return f"allow_anonymous false\npassword_file {passwords}\n{extra}"


@pytest.mark.parametrize("version", [4, 5])
async def test_user_and_password_are_shown_to_the_broker(tmp_path: Path, version: int) -> None:
    async with guarded(tmp_path, with_password(tmp_path)) as broker:
        settings = settings_for(broker.port, username="unit", password="secret", version=version)
        bus, link = booted(settings)
        async with running(link), watcher(broker.port, username="reader", password="secret") as seen:
            await synchronised(link)
            await seen.until(lambda: entities_only(seen.retained) == store(bus, link))


async def test_the_url_may_hold_them_too(tmp_path: Path) -> None:
    async with guarded(tmp_path, with_password(tmp_path)) as broker:
        _, link = booted(settings_for(broker.port, url=f"mqtt://unit:secret@{HOST}:{broker.port}"))
        async with running(link):
            await synchronised(link)
            assert link.counters()["connects"] == 1


@pytest.mark.parametrize("version", [4, 5])
async def test_a_wrong_password_is_told_without_telling_it(tmp_path: Path, version: int) -> None:
    async with guarded(tmp_path, with_password(tmp_path)) as broker:
        text = await refusal(settings_for(broker.port, username="unit", password="wrong-one", version=version))
    assert f"mqtt://{HOST}:{broker.port}" in text
    assert "ot authori" in text
    assert "wrong-one" not in text


async def test_a_link_gets_in_once_its_password_is_known(tmp_path: Path) -> None:
    async with guarded(tmp_path, with_password(tmp_path)) as broker:
        _, link = booted(settings_for(broker.port, username="unit", password="later"))
        async with running(link):
            await until(lambda: link.last_error is not None)
            tool = require("mosquitto_passwd")
            process = await asyncio.create_subprocess_exec(tool, "-b", str(tmp_path / "passwords"), "unit", "later")
            assert await process.wait() == 0
            await broker.stop()
            await broker.start()
            await synchronised(link)


async def test_an_access_list_that_hides_our_own_topics_from_us_keeps_us_from_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipo_sim.mqtt.readback.SILENCE_S", 0.1)
    rules = tmp_path / "rules"
    rules.write_text(
        "user unit\ntopic write ipo-sim/#\ntopic read ipo-sim/+/commands/+\nuser reader\ntopic readwrite #\n"
    )
    async with guarded(tmp_path, with_password(tmp_path, f"acl_file {rules}\n")) as broker:
        bus, link = booted(settings_for(broker.port, username="unit", password="secret"))
        async with running(link), watcher(broker.port, username="reader", password="secret") as seen:
            await synchronised(link)
            await seen.until(lambda: entities_only(seen.retained) == store(bus, link))
            await seen.client.publish("ipo-sim/bench-1/commands/power", b'{"id": 9}', qos=1)
            reply = "ipo-sim/bench-1/commands/power/reply"
            await seen.until(lambda: bool(seen.on(reply)))
            assert json.loads(seen.on(reply)[0])["id"] == 9


class Secured(NamedTuple):
    """Files of a broker with TLS, and the authority that vouches for it."""

    ca: Authority
    configuration: str


def with_tls(directory: Path, extra: str = "") -> Secured:
    ca = authority(directory, "bench-ca")
    certificate, key = issued(ca, directory, "broker")
    files = f"cafile {ca.file}\ncertfile {certificate}\nkeyfile {key}\n"
    return Secured(ca, f"allow_anonymous true\n{files}{extra}")


def secure(broker: Mosquitto, tls: TlsSettings) -> MqttSettings:
    return settings_for(broker.port, url=f"mqtts://{HOST}:{broker.port}", tls=tls)


async def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    secured = with_tls(tmp_path)
    trust = ssl.create_default_context(cafile=secured.ca.file)
    async with guarded(tmp_path, secured.configuration) as broker:
        bus, link = booted(secure(broker, TlsSettings(ca=secured.ca.file)))
        async with running(link), watcher(broker.port, tls_context=trust) as seen:
            await synchronised(link)
            await seen.until(lambda: entities_only(seen.retained) == store(bus, link))


async def test_a_broker_that_nobody_vouches_for_is_refused_unless_that_is_asked_for(tmp_path: Path) -> None:
    other = authority(tmp_path, "other-ca")
    async with guarded(tmp_path, with_tls(tmp_path).configuration) as broker:
        for tls in (TlsSettings(), TlsSettings(ca=other.file)):
            assert "certificate verify failed" in await refusal(secure(broker, tls))
        _, link = booted(secure(broker, TlsSettings(insecure=True)))
        async with running(link):
            await synchronised(link)


async def test_a_broker_that_wants_our_certificate(tmp_path: Path) -> None:
    secured = with_tls(tmp_path, "require_certificate true\n")
    own = issued(secured.ca, tmp_path, "unit")
    async with guarded(tmp_path, secured.configuration) as broker:
        assert await refusal(secure(broker, TlsSettings(ca=secured.ca.file)))
        _, link = booted(secure(broker, TlsSettings(secured.ca.file, *own)))
        async with running(link):
            await synchronised(link)


async def test_plain_mqtt_to_a_broker_with_tls_is_told(tmp_path: Path) -> None:
    async with guarded(tmp_path, with_tls(tmp_path).configuration) as broker:
        assert f"{HOST}:{broker.port}" in await refusal(settings_for(broker.port, timeout_s=0.5))


async def test_tls_files_that_cannot_be_used_end_the_start(tmp_path: Path) -> None:
    _, link = booted(MqttSettings(url="mqtts://127.0.0.1", tls=TlsSettings(ca=tmp_path / "none.pem")))
    with pytest.raises(ConfigError, match=r"none\.pem: No such file"):
        await link.run()
