"""Which licence of the catalogue is meant, and what is wrong with a string that is no key."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ipo_sim.catalogue.types import Catalogue, LicenceType
from ipo_sim.cli.failure import UsageError
from ipo_sim.licensing.key import ALPHABET, KEY_LENGTH, normalise

# More names than this help nobody.
MAX_SHOWN = 8


def find_licence(catalogue: Catalogue, text: str) -> LicenceType:
    """The licence of that name, part of a name, `code:N`, `id:N`, or number; UsageError: there is none, or several."""
    kind, colon, number = text.partition(":")
    if colon and kind in ("code", "id"):
        found = _by_number(catalogue, number, codes=kind == "code", ids=kind == "id")
    elif text.isascii() and text.isdecimal():
        found = _by_number(catalogue, text, codes=True, ids=True)
    else:
        found = _by_name(catalogue, text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text!r} can be any of these: {_names(found)}")
    raise UsageError(f"there is no licence {text!r}{_nearest(catalogue, text)}")


def known_name(catalogue: Catalogue, code: int) -> str | None:
    """The name of the licence with that code."""
    row = catalogue.licences.get(code)
    return row.name if row is not None else None


def why_unrecognised(text: str) -> str:
    """What keeps a string from being one of our keys."""
    bare = normalise(text)
    strange = sorted(
        {letter for letter in bare.upper().translate(str.maketrans("ILO", "110")) if letter not in ALPHABET}
    )
    if strange:
        return f"no key holds {', '.join(map(repr, strange))}"
    if len(bare) != KEY_LENGTH:
        return f"a key has {KEY_LENGTH} characters, this has {len(bare)}"
    return "mistyped, or not issued by ipo-sim: its check does not hold"


def _by_number(catalogue: Catalogue, text: str, *, codes: bool, ids: bool) -> list[LicenceType]:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    rows = catalogue.licences.values()
    return [row for row in rows if (codes and row.code == number) or (ids and row.licence_id == number)]


def _by_name(catalogue: Catalogue, text: str) -> list[LicenceType]:
    wanted = " ".join(text.split()).casefold()
    rows = catalogue.licences.values()
    exact = [row for row in rows if row.name.casefold() == wanted]
    return exact or [row for row in rows if wanted and wanted in row.name.casefold()]


def _names(rows: Iterable[LicenceType]) -> str:
    shown = [f"{row.name} (code:{row.code})" for row in rows]
    more = f", and {len(shown) - MAX_SHOWN} more" if len(shown) > MAX_SHOWN else ""
    return ", ".join(shown[:MAX_SHOWN]) + more


def _nearest(catalogue: Catalogue, text: str) -> str:
    folded = {name.casefold(): name for name in catalogue.licences_by_name}
    near = [folded[name] for name in get_close_matches(text.casefold(), folded, n=3, cutoff=0.4)]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ": `ipo-sim licence list` shows all"
