"""Commands of the service tools: many licences in, and all of them out, in parts that every broker carries."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import Annotated

from pydantic import Field

from ipo_sim.core.events import Fact, LicencesImported
from ipo_sim.core.licence_store import MAX_NUMBER
from ipo_sim.runtime import arguments as a
from ipo_sim.runtime.carry_out import apply
from ipo_sim.runtime.command import Call, Command, Situation
from ipo_sim.runtime.requests import Answer

# Rows of one answer, some 100 bytes each.
MAX_ROWS = 2_000

_number = attrgetter("number")


class LicencesAfter(a.Arguments):
    """Where to go on."""

    after: Annotated[int, Field(ge=0, le=MAX_NUMBER, description="Number of the last licence that is known.")] = 0


def _import_licences(_: Situation, args: a.LicenceKeys) -> Fact:
    return LicencesImported(tuple(args.keys))


async def _export_licences(call: Call) -> Answer:
    unit = call.context.engine.unit(call.unit)
    first = bisect_right(unit.licences, call.arguments.after, key=_number)
    part = unit.licences[first : first + MAX_ROWS]
    rows = [{"number": row.number, "type": row.type_name, "key": row.text, "status": row.status} for row in part]
    return {"seq": unit.seq, "licences": rows, "more": first + MAX_ROWS < len(unit.licences)}


COMMANDS = (
    Command(
        "import-licences",
        "Enter many licence keys at once; those that are there already are passed over",
        "import-licences keys=0123456789ABCDEF0123456789ABCDEF,FEDCBA9876543210FEDCBA9876543210",
        a.LicenceKeys,
        apply,
        _import_licences,
    ),
    Command(
        "export-licences",
        f"Tell up to {MAX_ROWS:,} licence keys in the order of their numbers, and whether there are more",
        "export-licences after=2000",
        LicencesAfter,
        _export_licences,
        changes=False,
    ),
)
