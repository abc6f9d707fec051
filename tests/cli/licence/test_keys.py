"""`ipo-sim licence`: keys that units accept, explained and judged."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.main import main
from ipo_sim.licensing import dect_key
from ipo_sim.licensing.key import DEFAULT_SECRET, TAG_LETTERS, recognise, verify
from ipo_sim.licensing.key import issue as mint

SERIAL = "1234567890"
# Of docs/reference/licence-key.md, issued for that card with the public secret.
PROFESSIONAL = "04002001000000FR876BDQYYHKF0Y5E4"
VCM = "0400401W000000PAH0MSJGH8K5CP0H4E"
SIP = "SIP Trunk Channels"


def issue(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["licence", "issue", "--serial", SERIAL, *options]) == 0
    return capsys.readouterr().out.split()


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_an_issued_key_is_valid_for_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = issue(capsys, "--licence", SIP, "--instances", "20", "--expires", "2030-12-31")
    key = recognise(text)
    assert key is not None
    assert key.licence_code == load_catalogue().licences_by_name[SIP].code
    assert (key.instances, str(key.expiry)) == (20, "2030-12-31")
    assert verify(key, SERIAL, DEFAULT_SECRET)


def test_keys_of_one_call_differ_in_nothing_but_their_nonces(capsys: pytest.CaptureFixture[str]) -> None:
    texts = issue(capsys, "--licence", SIP, "--count", "50")
    assert len(set(texts)) == 50
    keys = [recognise(text) for text in texts]
    assert {(key.licence_code, key.instances, key.expiry) for key in keys if key} == {(8, 1, None)}


@pytest.mark.parametrize(("licence", "instances"), [("IP500 VCM Channels", 4), (SIP, 1), ("Audix Voicemail", 1)])
def test_without_a_number_a_key_holds_the_smallest_pack(
    licence: str, instances: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (text,) = issue(capsys, "--licence", licence)
    key = recognise(text)
    assert key is not None
    assert key.instances == instances


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SIP Trunk Channels", SIP),
        ("  sip   trunk channels ", SIP),
        ("sip trunk", SIP),
        ("code:8", SIP),
        ("id:45", SIP),
        ("8", SIP),
        ("86", "Essential Edition"),
        ("code:18", "VMPro TTS (ScanSoft)"),
        ("Essential Edition", "Essential Edition"),
    ],
)
def test_a_licence_is_found_by_what_users_know_of_it(text: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (key,) = issue(capsys, "--licence", text)
    assert main(["licence", "show", "--json", key]) == 0
    assert printed(capsys)[0]["licence"] == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("18", "'18' can be any of these: Voicemail Pro (4 ports) (code:9), "),
        ("id:41", "IP500 Voice Networking (base 4 channels) (code:4), IP500 Voice Networking (additional channels)"),
        ("ip500", "IP500 Upgrade Standard to Professional (code:1), "),
        ("e", ", and "),
        ("code:60000", "there is no licence 'code:60000'"),
        ("code:x", "there is no licence 'code:x'"),
        ("sip trnk channels", "did you mean 'SIP Trunk Channels'"),
        ("", "there is no licence ''"),
    ],
)
def test_a_licence_that_is_not_clear_is_asked_back(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "issue", "--serial", SERIAL, "--licence", text]) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("serial", ["1", "12345678901", "abcdefghij", "123456789\u0660", ""])
def test_a_serial_is_ten_digits(serial: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "issue", "--serial", serial, "--licence", SIP]) == 2
    assert "10 decimal digits" in capsys.readouterr().err
    assert main(["licence", "verify", "--serial", serial, PROFESSIONAL]) == 2


@pytest.mark.parametrize("expires", ["1999-01-01", "2500-01-01"])
def test_what_a_key_cannot_hold_is_refused(expires: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "issue", "--serial", SERIAL, "--licence", SIP, "--expires", expires]) == 2
    assert "a licence can end after" in capsys.readouterr().err


def test_the_secret_comes_from_the_line_else_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (plain,) = issue(capsys, "--licence", SIP)
    (ours,) = issue(capsys, "--licence", SIP, "--secret", "ours")
    monkeypatch.setenv("IPO_SIM_SECRET", "ours")
    assert main(["licence", "verify", "--serial", SERIAL, ours]) == 0
    assert main(["licence", "verify", "--serial", SERIAL, plain]) == 1
    assert main(["licence", "verify", "--serial", SERIAL, "--secret", "theirs", ours]) == 1
    monkeypatch.setenv("IPO_SIM_SECRET", "")
    assert main(["licence", "issue", "--serial", SERIAL, "--licence", SIP]) == 2
    assert "the secret" in capsys.readouterr().err


def test_issue_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "issue", "--serial", SERIAL, "--licence", SIP, "--expires", "2030-12-31", "--json"]) == 0
    (facts,) = printed(capsys)
    key = facts.pop("key")
    assert recognise(key) is not None
    assert facts == {"licence": SIP, "code": 8, "instances": 1, "expires": "2030-12-31", "serial": SERIAL}


def test_show_explains_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "show", VCM.lower()]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown == [
        VCM,
        "  licence    IP500 VCM Channels (code 2, id 1002)",
        "  kind       ports",
        "  instances  60",
        "  expires    never",
        "  needs      IP500 Upgrade Standard to Professional",
        "  used by    r4, r5 on ip500, ip500v2",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AAAA", "a key has 32 characters, this has 4"),
        (VCM[:-1] + "F", "its check does not hold"),
        (VCM[:-1] + "U", "no key holds 'U'"),
        (VCM[:-1] + "!", "no key holds '!'"),
    ],
)
def test_show_says_why_a_string_is_no_key(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    if told.startswith("its check"):  # the last characters are of the tag, which needs a card
        text = "1" + text[1:]
    assert main(["licence", "show", text]) == 0
    assert told in capsys.readouterr().out


def test_show_knows_keys_that_the_catalogue_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    key = mint(licence_code=60_000, instances=1, expiry=None, serial=SERIAL, secret=DEFAULT_SECRET, nonce=0).text
    assert main(["licence", "show", key]) == 0
    assert "licence code 60000, which this catalogue does not have" in capsys.readouterr().out
    assert main(["licence", "verify", "--serial", SERIAL, key]) == 1
    assert "this catalogue has no licence code 60000" in capsys.readouterr().out


def test_verify_judges_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    (expired,) = issue(capsys, "--licence", SIP, "--expires", "2020-12-31")
    other = PROFESSIONAL
    assert main(["licence", "verify", "--serial", SERIAL, "--json", PROFESSIONAL, "nonsense", expired]) == 1
    valid, nonsense, late = printed(capsys)
    assert (valid["status"], valid["licence"]) == ("Valid", "IP500 Upgrade Standard to Professional")
    assert (nonsense["status"], nonsense["licence"]) == ("Invalid", "Invalid")
    assert (late["status"], late["why"]) == ("Expired", "it was valid until 2020-12-31")
    assert main(["licence", "verify", "--serial", "1234567891", other]) == 1
    assert "Invalid  IP500 Upgrade Standard to Professional  issued for another card" in capsys.readouterr().out


def test_a_mistake_in_the_part_that_only_the_card_can_check_is_named_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    for place in range(-TAG_LETTERS, 0):
        typo = PROFESSIONAL[:place] + ("0" if PROFESSIONAL[place] != "0" else "1") + PROFESSIONAL[place:][1:]
        assert main(["licence", "verify", "--serial", SERIAL, typo]) == 1
        told = capsys.readouterr().out
        assert "mistyped, or not issued" in told or f"mistyped in its last {TAG_LETTERS} characters" in told
    assert main(["licence", "verify", "--serial", SERIAL, PROFESSIONAL[:-1] + "5"]) == 1
    assert f"mistyped in its last {TAG_LETTERS} characters" in capsys.readouterr().out


@pytest.mark.parametrize(("day", "code"), [("2030-12-31", 0), ("2031-01-01", 1)])
def test_a_key_is_valid_to_the_end_of_its_last_day(day: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    (key,) = issue(capsys, "--licence", SIP, "--expires", "2030-12-31")
    assert main(["licence", "verify", "--serial", SERIAL, "--on", day, key]) == code


def test_keys_can_come_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PROFESSIONAL}\n\n  {VCM}  \n"))
    assert main(["licence", "verify", "--serial", SERIAL, "-"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{PROFESSIONAL}  Valid  IP500 Upgrade Standard to Professional",
        f"{VCM}  Valid  IP500 VCM Channels",
    ]


def test_list_shows_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["CODE", "ID", "LICENCE", "KIND", "PACKS", "PROFILES", "NEEDS"]
    assert len(rows) == len(load_catalogue().licences)
    assert main(["license", "list", "--json"]) == 0
    assert {row["licence"] for row in printed(capsys)} == set(load_catalogue().licences_by_name)


def test_list_keeps_to_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["licence", "list", "--profile", "r6", "--json"]) == 0
    rows = printed(capsys)
    assert rows
    assert all("r6" in row["profiles"] for row in rows)
    assert "IP500 VCM Channels" not in {row["licence"] for row in rows}
    assert main(["licence", "list", "--profile", "r9"]) == 2
    assert "there is no release profile r9: r4, r5, r6" in capsys.readouterr().err


DECT = ["licence", "dect", "--park", "1f-10-0a-4c-32"]
MACS = ["02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"]


def test_a_key_of_an_ip_dect_system_is_minted_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DECT, *MACS, "--bases", "4"]) == 0
    text = capsys.readouterr().out.strip()
    key = dect_key.recognise(text)
    assert key is not None
    assert (key.park, key.macs, key.bases) == ("1F100A4C32", tuple(MACS), 4)
    assert dect_key.verify(key, "1F100A4C32", DEFAULT_SECRET)
    assert main(["licence", "show", text.lower()]) == 0
    shown = capsys.readouterr().out
    assert "entered in the IP DECT system, not in the unit" in shown
    assert f"proved by  2 of {', '.join(MACS)}" in shown
    assert main(["licence", "show", "--json", text]) == 0
    (facts,) = printed(capsys)
    assert (facts["licence"], facts["bases"], facts["required"], facts["recognised"]) == ("IP DECT", 4, 2, True)


def test_the_number_of_base_stations_is_that_of_the_macs_and_the_secret_is_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPO_SIM_SECRET", "mine")
    assert main([*DECT, MACS[0], "--json"]) == 0
    made = printed(capsys)
    key = dect_key.recognise(made["key"])
    assert key is not None
    assert (made["bases"], made["macs"]) == (1, [MACS[0]])
    assert dect_key.verify(key, "1F100A4C32", b"mine")
    assert not dect_key.verify(key, "1F100A4C32", DEFAULT_SECRET)


def test_what_no_key_of_an_ip_dect_system_can_be_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DECT, *MACS[:2], "--bases", "3"]) == 2
    assert "a key for 3 base stations is bound to the MACs of 3, not 2" in capsys.readouterr().err
    assert main(["licence", "dect", "--park", "xyz", MACS[0]]) == 2
    assert "a PARK has 10 hexadecimal digits" in capsys.readouterr().err


def test_keys_of_an_ip_dect_system_are_judged_for_its_park(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DECT, *MACS]) == 0
    text = capsys.readouterr().out.strip()
    assert main(["licence", "verify", "--park", "1F100A4C32", text]) == 0
    assert capsys.readouterr().out.split() == [text, "Valid", "IP", "DECT"]
    assert main(["licence", "verify", "--park", "1F100A4C32", "--serial", SERIAL, text, VCM]) == 0
    capsys.readouterr()
    assert main(["licence", "verify", "--park", "0000000001", "--json", text]) == 1
    (facts,) = printed(capsys)
    assert (facts["status"], facts["why"]) == ("Invalid", "issued for PARK 1F100A4C32")
    assert main(["licence", "verify", "--park", "1F100A4C32", "--secret", "other", text]) == 1
    assert "issued with another secret" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--serial says for which card, --park for which IP DECT system"),
        (["--serial", SERIAL], "is a key of an IP DECT system: --park says of which"),
        (["--park", "1F"], "--park: a PARK has 10 hexadecimal digits"),
    ],
)
def test_what_verify_has_to_be_told(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DECT, *MACS]) == 0
    text = capsys.readouterr().out.strip()
    assert main(["licence", "verify", *options, text]) == 2
    assert said in capsys.readouterr().err
    assert main(["licence", "verify", "--park", "1F100A4C32", VCM]) == 2
    assert "is a key of a unit: --serial says for which card" in capsys.readouterr().err
