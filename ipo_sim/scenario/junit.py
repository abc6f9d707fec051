"""Outcomes as JUnit XML, as CI servers read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ipo_sim.scenario.outcome import Outcome
from ipo_sim.scenario.targets import value_text

# XML 1.0 has no room for these.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(outcomes: Sequence[Outcome]) -> str:
    """One suite with a case for each scenario; its class name is the file."""
    suite = ET.Element("testsuite", {"name": "ipo-sim scenarios", **_sums(outcomes)})
    for outcome in outcomes:
        suite.append(_case(outcome))
    root = ET.Element("testsuites", {"name": "ipo-sim", **_sums(outcomes)})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _sums(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(not outcome.passed for outcome in outcomes)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    }


def _case(outcome: Outcome) -> ET.Element:
    scenario = outcome.scenario
    case = ET.Element(
        "testcase",
        name=_text(scenario.name),
        classname=_text(str(scenario.path)),
        file=_text(str(scenario.path)),
        assertions=str(outcome.checks),
        time=f"{outcome.seconds:.3f}",
    )
    properties = ET.SubElement(case, "properties")
    for name, value in scenario.values.items():
        ET.SubElement(properties, "property", name=f"param.{name}", value=_text(value_text(value)))
    if outcome.digest is not None:
        ET.SubElement(properties, "property", name="journal", value=outcome.digest)
    for failure in outcome.failures:
        element = ET.SubElement(case, "failure", message=_text(failure.message), type="expectation")
        element.text = _text("\n".join(failure.lines()))
    return case


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
