"""Where the entities of a unit stand: the paths that topics, URLs and commands share."""

from __future__ import annotations

UNIT = "unit"
READER = "reader"
FEATURE_KEY = "feature-key"

# Groups of entities that come and go, in the order of a cascade. The other entities always exist, so that what somebody
# keeps of these groups is all that can be out of date.
GROUPS = (
    "licences",
    "features",
    "users",
    "extensions",
    "dect",
    "slots",
    "expansion",
    "ports",
    "leds",
    "faults",
    "alarms",
)

_RANK = {
    name: rank
    for rank, names in enumerate(
        (
            (FEATURE_KEY,),
            (READER,),
            ("licences",),
            ("features",),
            ("users",),
            ("extensions",),
            ("dect",),
            ("slots", "expansion"),
            ("ports",),
            ("leds",),
            ("faults",),
            ("alarms",),
        )
    )
    for name in names
}
_LAST = len(_RANK)


def cascade_rank(path: str) -> int:
    """Where an entity stands in a cascade: feature key, reader, licences, ..., alarms, `unit` last."""
    return _RANK.get(path.partition("/")[0], _LAST)
