"""The AsyncAPI document that a unit publishes, before the official parser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ipo_sim.mqtt.unit_document import unit_document
from tests.requirements import missing, require

# Node takes a second to load the parser.
pytestmark = pytest.mark.slow

PARSER = Path(__file__).parent / "asyncapi"


def findings(document: bytes) -> tuple[bool, str]:
    """Whether the parser takes the document for valid, and what it has against it."""
    node = require("node")
    if not (PARSER / "node_modules").exists():
        missing("the AsyncAPI parser is not installed: `make test` does it, or `npm ci` in tests/acceptance/asyncapi")
    run = subprocess.run([node, "validate.mjs"], cwd=PARSER, input=document, capture_output=True, check=False)
    assert run.stderr == b""
    return run.returncode == 0, run.stdout.decode()


def test_the_document_is_valid_and_gives_no_cause_for_warnings() -> None:
    assert findings(unit_document("ipo-sim", "bench-1")) == (True, "")


@pytest.mark.parametrize("part", ["info", "channels"])
def test_a_damaged_document_is_refused(part: str) -> None:
    document = json.loads(unit_document("ipo-sim", "bench-1"))
    document[part] = 1
    valid, text = findings(json.dumps(document).encode())
    assert not valid
    assert f"error {part}" in text
