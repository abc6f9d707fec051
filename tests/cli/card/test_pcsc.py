"""`ipo-sim card` on a real pcscd whose reader is no hardware, with cards of all kinds in it."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ipo_sim.card.issuer import BENCH_ISSUER, BENCH_ISSUER_SEED
from ipo_sim.cli.main import main
from ipo_sim.config.load import load_config
from tests.card import emulated_cards as cards
from tests.card import ordinary_cards as ordinary
from tests.cli.card.bench import CONFIG, Output, Terminal, lines, mistake, put, told
from tests.cli.daemons import ipo_sim, started
from tests.readers.pcsc_bench import Hanging
from tests.readers.pcscd import Pcscd, SimulatedReader, directory

NAME = "Bench Reader"
FULL_NAME = f"{NAME} 00 00"
OPENPGP = ordinary.OpenPgpCard.IDENTITY


@pytest.fixture
def slot(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedReader]:
    """A reader that pcscd knows, empty."""
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(directory() / "run" / "pcscd.comm"))
    with SimulatedReader(NAME) as reader, Pcscd([reader.entry]):
        yield reader


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.yaml"
    path.write_text(CONFIG)
    return path


def test_list_shows_readers_and_their_cards(slot: SimulatedReader, capsys: Output) -> None:
    (empty,) = [row for row in told(capsys, "list")["readers"] if row["via"] == "pcsc"]
    assert empty == {"reader": FULL_NAME, "via": "pcsc", "occupied": False}
    assert f"{FULL_NAME}  empty" in lines(capsys, "list")[1]
    put(slot, cards.signed_card())
    assert lines(capsys, "list")[1].split(maxsplit=4)[4].split()[:3] == ["fkc", "fkc:1234567890", "identifier"]
    put(slot, cards.DumbCard())
    assert "no identity of a kind" in lines(capsys, "list")[1]


def test_list_without_pcscd_says_so(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(directory() / "run" / "pcscd.comm"))
    assert "pcscd does not run" in told(capsys, "list", code=1)["error"]


def test_read_tells_all_of_a_card(slot: SimulatedReader, capsys: Output) -> None:
    put(slot, cards.authenticated_card())
    issuer = cards.public_bytes(cards.ISSUER).hex()
    facts = told(capsys, "read", "--issuer", issuer)
    assert facts.pop("atr") == cards.FkcCard().atr.hex().upper()
    assert facts == {
        "reader": FULL_NAME,
        "medium": "chip card",
        "kind": "fkc",
        "identity": "fkc:1234567890",
        "serial": "1234567890",
        "law": "alaw",
        "issuer": "56475AA75463474C",
        "assurance": "authenticated",
        "doubt": None,
        "derived_serial": None,
    }
    rows = dict(line.split(maxsplit=1) for line in lines(capsys, "read"))
    assert rows["kind"] == "fkc: FKC-1 chip card"
    assert rows["assurance"] == "identifier: its issuer 56475AA75463474C is not among those that are known"
    assert "taken" not in rows


def test_read_with_the_policy_of_a_unit(slot: SimulatedReader, config: Path, capsys: Output) -> None:
    put(slot, ordinary.OpenPgpCard())
    options = ("read", "--config", str(config))
    refused = told(capsys, *options, code=1)
    assert refused["taken"] is None
    assert refused["error"] == {"reason": 4, "message": f"{OPENPGP} is not enrolled, and serials are not derived"}
    assert lines(capsys, *options, code=1)[-1].startswith(f"refused         {OPENPGP} is not enrolled")
    config.write_text(CONFIG + "      derive: true\n      law: mulaw\n")
    serial = refused["derived_serial"]
    assert told(capsys, *options, "--unit", "bench-1")["taken"] == {
        "serial": serial,
        "law": "mulaw",
        "assurance": "identifier",
    }
    *others, last = lines(capsys, *options)
    assert last.endswith(f"as {serial}, mulaw")
    assert not any(line.startswith("derived_serial") for line in others), "it is the one that is taken"


def test_read_says_why_there_is_nothing_to_read(slot: SimulatedReader, capsys: Output) -> None:
    assert mistake(capsys, "read", code=1) == f"no card is in {FULL_NAME}"
    assert "there are: Bench Reader 00 00" in mistake(capsys, "read", "--reader", "pcsc://Other", code=1)
    put(slot, cards.DumbCard())
    facts = told(capsys, "read", "--reader", "bench", code=1)
    assert facts["error"]["reason"] == 4


def test_two_cards_want_a_choice(home: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(directory() / "run" / "pcscd.comm"))
    with SimulatedReader("First") as one, SimulatedReader("Second") as two, Pcscd([one.entry, two.entry]):
        put(one, cards.identifier_card("0000000001"))
        assert told(capsys, "read")["serial"] == "0000000001"
        put(two, cards.identifier_card("0000000002"))
        assert mistake(capsys, "read") == "there are cards in First 00 00 and Second 01 00: name one by --reader"
        assert told(capsys, "read", "--reader", "second")["serial"] == "0000000002"
        config.write_text(CONFIG.replace("pcsc_reader: Bench", "pcsc_reader: Second"))
        assert told(capsys, "read", "--config", str(config))["reader"] == "Second 01 00"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["read", "--unit", "bench-1"], "--unit: of which configuration? --config CONFIG"),
        (["watch", "--unit", "bench-1"], "--unit: of which configuration? --config CONFIG"),
        (["read", "--config", "CONFIG", "--issuer", "00" * 32], "--issuer: with --config those of the unit count"),
        (["read", "--issuer", "xy"], "--issuer: 'xy' is not a public key of 64 hexadecimal digits"),
        (["read", "--config", "CONFIG", "--unit", "bench-2"], "has no unit bench-2: did you mean bench-1?"),
        (["read", "--config", "CONFIG", "--unit", "spare"], "unit spare has no reader that judges cards"),
        (["read", "--config", "CONFIG", "--reader", "/dev/fkc0"], "a serial reader judges its cards itself"),
        (["write", "--serial", "1234567890", "--reader", "/dev/fkc0"], "takes no commands"),
        (["write", "--serial", "1234567890", "--security-code", "FF"], "'FF' is not 6 hexadecimal digits"),
        (["write", "--serial", "1234567890", "--card-key", "x.pem"], "only when an issuer signs it"),
        (["write", "--serial", "1234567890", "--issuer-key", "no.pem"], "no.pem: No such file"),
        (["enrol", "CONFIG", "--identity", "fkc:1234567890"], "needs no enrolment"),
        (["enrol", "CONFIG", "--identity", "emv:1"], "is no identity"),
        (["enrol", "CONFIG", "spare", "--identity", OPENPGP], "unit spare has no reader that judges cards"),
    ],
)
def test_what_cannot_be_meant(arguments: list[str], said: str, config: Path, capsys: Output) -> None:
    given = [str(config) if argument == "CONFIG" else argument for argument in arguments]
    assert said in mistake(capsys, *given)


def test_watch_prints_what_a_unit_would_hear(slot: SimulatedReader, capsys: Output) -> None:
    put(slot, cards.identifier_card())
    assert main(["card", "watch", "--count", "2", "--json"]) == 0
    attached, inserted = map(json.loads, capsys.readouterr().out.splitlines())
    assert attached == {"event": "reader-attached", "name": FULL_NAME}
    assert (inserted["event"], inserted["serial"]) == ("feature-key-inserted", "1234567890")
    assert lines(capsys, "watch", "--count", "2", "--reader", "bench")[0].startswith("reader-attached: ")


def test_a_card_that_hangs_is_left_alone(slot: SimulatedReader, capsys: Output) -> None:
    with Hanging(cards.identifier_card()) as card:
        put(slot, card)
        assert mistake(capsys, "read", "--timeout", "0.2", code=1) == "the card has not answered for 0.2 s"
        left = next(thread for thread in threading.enumerate() if thread.name == "card")
        card.let_go()
        left.join(10)
        assert not left.is_alive()


def test_a_policy_in_a_daemon(slot: SimulatedReader, tmp_path: Path) -> None:
    config = tmp_path / "signed.yaml"
    config.write_text(CONFIG.replace("  - name: spare\n    model: ip500\n", "") + "      least_assurance: signed\n")
    with started(tmp_path / "state", config) as daemon:
        put(slot, cards.identifier_card())
        daemon.until("awaiting feature key.*card unreadable")
        why = ipo_sim("why", "--state-dir", daemon.state_dir, "bench-1", "feature-key", home=tmp_path)
        assert "is identifier, the least assurance is signed: it carries no issuer's signature" in why.stdout
        put(slot, cards.signed_card(issuer=Ed25519PrivateKey.from_private_bytes(BENCH_ISSUER_SEED)))
        daemon.until("bench-1: .*running|bench-1: starting")
        assert daemon.stop() == 0


def test_an_issuer_key_is_made_once(tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "issuer.pem"
    made = told(capsys, "issuer-key", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.pop("made")
    again = told(capsys, "issuer-key", str(file))
    assert not again.pop("made")
    assert again == made
    assert lines(capsys, "issuer-key", str(file))[1].split() == ["public", "key", made["public_key"]]
    file.write_text("no key")
    assert "no private key in PEM" in mistake(capsys, "issuer-key", str(file))
    assert "No such file" in mistake(capsys, "issuer-key", str(tmp_path / "nowhere" / "issuer.pem"))


def test_write_signs_and_reads_back(slot: SimulatedReader, tmp_path: Path, capsys: Output) -> None:
    issuer = told(capsys, "issuer-key", str(tmp_path / "issuer.pem"))
    own = tmp_path / "card.pem"
    own.write_bytes(cards.CARD_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    card = cards.FkcCard(b"", key=cards.CARD_KEY)
    put(slot, card)
    options = ("write", "--issuer-key", str(tmp_path / "issuer.pem"), "--law", "mulaw")
    facts = told(capsys, *options, "--serial", "5550001111", "--card-key", str(own))
    assert (facts["serial"], facts["law"], facts["assurance"]) == ("5550001111", "mulaw", "authenticated")
    assert facts["issuer"] == issuer["key_id"]
    # The next one takes the card's own key from the card.
    assert told(capsys, *options, "--serial", "5550002222", "--yes")["assurance"] == "authenticated"
    assert told(capsys, "read", "--issuer", issuer["public_key"])["serial"] == "5550002222"


def test_write_asks_before_it_overwrites(
    slot: SimulatedReader, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = cards.identifier_card()
    put(slot, card)
    options = ("write", "--serial", "5550001111", "--bench-issuer")
    held = f"The card in {FULL_NAME} holds serial 1234567890."
    assert mistake(capsys, *options) == f"{held} --yes overwrites it"
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert mistake(capsys, *options, code=1) == f"{held} Overwrite it? [y/N] Nothing was written."
    assert bytes(card.file) == cards.fkc_content()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert any("no protection" in line for line in lines(capsys, *options))
    assert told(capsys, "read")["assurance"] == "signed"


def test_write_a_memory_card(slot: SimulatedReader, capsys: Output) -> None:
    put(slot, cards.MemoryCard("sle4442", b""))
    options = ("write", "--serial", "5550001111")
    assert "with its security code" in mistake(capsys, *options, code=1)
    assert told(capsys, *options, "--security-code", "FFFFFF")["kind"] == "fkc-memory"
    assert "holds a serial and nothing else" in mistake(capsys, *options, "--bench-issuer", "--yes", code=1)


def test_enrol_enters_the_card_and_leaves_the_rest(slot: SimulatedReader, config: Path, capsys: Output) -> None:
    put(slot, ordinary.OpenPgpCard())
    assert lines(capsys, "enrol", str(config), "--serial", "5550001111") == [
        f"bench-1: {OPENPGP} stands for feature key 5550001111"
    ]
    assert config.read_text() == CONFIG + (
        f"      enrolled:\n        - {{identity: '{OPENPGP}', serial: '5550001111'}}\n"
    )
    assert told(capsys, "read", "--config", str(config))["taken"]["serial"] == "5550001111"
    text = config.read_text()
    assert not told(capsys, "enrol", str(config), "--serial", "5550001111")["new"]
    assert "enrolled as 5550001111 already" in mistake(capsys, "enrol", str(config), "--serial", "5550002222")
    assert config.read_text() == text
    told(capsys, "enrol", str(config), "bench-1", "--identity", "uid:04a1b2c3d4e580")
    (cards_of_unit,) = [reader.cards for reader in load_config(config).readers.values() if reader.cards is not None]
    assert [identity for identity, _ in cards_of_unit.enrolled] == [OPENPGP, "uid:04A1B2C3D4E580"]


def test_the_bench_issuer_signs_for_units_that_name_none(slot: SimulatedReader, config: Path, capsys: Output) -> None:
    put(slot, cards.FkcCard(b""))
    told(capsys, "write", "--serial", "5550001111", "--bench-issuer")
    config.write_text(CONFIG + "      least_assurance: signed\n")
    assert told(capsys, "read", "--config", str(config))["taken"]["assurance"] == "signed"
    config.write_text(CONFIG + f"      least_assurance: signed\n      issuers: ['{'00' * 32}']\n")
    refused = told(capsys, "read", "--config", str(config), code=1)
    assert "is not among those that are known" in refused["error"]["message"]
    assert BENCH_ISSUER.hex() not in refused["error"]["message"]


def test_without_the_extra_the_error_names_it(config: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, found=find_spec: None if name == "cryptography" else found(name)
    )
    config.write_text(CONFIG + "      least_assurance: signed\n")
    for arguments in (["read", "--config", str(config)], ["issuer-key", "x.pem"]):
        assert "pip install 'ipo-sim[cards]'" in mistake(capsys, *arguments)
