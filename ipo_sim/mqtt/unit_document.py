"""The AsyncAPI document that a unit publishes: made once by `schema`, shipped as a file, filled in here."""

from __future__ import annotations

import json

from ipo_sim.package_data import package_data

DOCUMENT = "asyncapi.json"

# What the shipped document says in place of a unit's own prefix and name.
PREFIX_MARK = "@prefix@"
UNIT_MARK = "@unit@"


def unit_document(prefix: str, unit: str) -> bytes:
    """The document of one unit, as JSON; read anew each time, since hardly anybody wants it twice."""
    document = package_data("ipo_sim.mqtt", DOCUMENT)
    for mark, value in ((PREFIX_MARK, prefix), (UNIT_MARK, unit)):
        document = document.replace(mark.encode(), json.dumps(value)[1:-1].encode())
    return document
