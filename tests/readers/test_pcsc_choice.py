"""Which reader a pattern means, and that it serves one unit alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ipo_sim.errors import ReaderError
from ipo_sim.readers.pcsc_choice import Claim, matching, none_fits

PICC = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
SAM = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00"
OMNIKEY = "OMNIKEY AG CardMan 3121 02 00"
ALL = (SAM, OMNIKEY, PICC)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (OMNIKEY, [OMNIKEY]),
        ("omnikey", [OMNIKEY]),
        ("ACS", [PICC, SAM]),
        ("[ACR1252 Dual Reader SAM]", [SAM]),
        ("acs*picc", [PICC]),
        ("0? 00", [PICC, SAM, OMNIKEY]),
        ("*", [PICC, SAM, OMNIKEY]),
        ("Gemalto", []),
        ("[AC]", []),
    ],
)
def test_a_pattern_means_these(pattern: str, found: list[str]) -> None:
    assert matching(pattern, ALL) == found


def test_a_whole_name_is_that_reader_alone() -> None:
    assert matching("ACS 00", ["ACS 00 01", "ACS 00"]) == ["ACS 00"]


def test_a_pattern_that_means_nothing_is_answered_by_what_there_is() -> None:
    assert none_fits("x", ALL) == f"no PC/SC reader fits 'x'; there are: {PICC}, {SAM}, {OMNIKEY}"
    assert none_fits("*", []) == "no PC/SC reader is there"
    assert none_fits("x", []) == "no PC/SC reader is there, let alone one that fits 'x'"


def test_a_reader_serves_one_unit_until_it_is_given_back() -> None:
    refusal = r"PICC\] 00 00 serves another unit already: this daemon's own"
    with Claim(PICC), Claim(SAM), pytest.raises(ReaderError, match=refusal):
        Claim(PICC)
    with Claim(PICC):
        pass


HOLD = """
import sys
from ipo_sim.readers.pcsc_choice import Claim
with Claim(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_named_and_its_death_gives_the_reader_back() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, PICC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ReaderError, match=rf"serves another unit already: that of process {other.pid}$"):
            Claim(PICC)
        other.kill()
        other.wait()
        with Claim(PICC):
            pass


def test_readers_of_two_services_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", "first")
    with Claim(PICC):
        os.environ["PCSCLITE_CSOCK_NAME"] = "second"
        with Claim(PICC):
            pass
        os.environ["PCSCLITE_CSOCK_NAME"] = "first"
        with pytest.raises(ReaderError):
            Claim(PICC)
