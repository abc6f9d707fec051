"""A first configuration to go on from: a commented file with a card of its own and fresh bench keys for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from secrets import randbelow
from types import MappingProxyType

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.build import RELEASES
from ipo_sim.config.defaults import DEFAULT_PROFILE
from ipo_sim.config.mistakes import choice
from ipo_sim.config.words import SERIAL_DIGITS, serial_problem, unit_name_problem
from ipo_sim.errors import ConfigError
from ipo_sim.licensing.key import DEFAULT_SECRET, FIELD_MAX, issue


@dataclass(frozen=True, slots=True)
class _Example:
    """Hardware that a model of that name is shown with: lines of `slots` and of `expansion`."""

    slots: tuple[str, ...]
    expansion: tuple[str, ...]


_HARDWARE: Mapping[str, _Example] = MappingProxyType(
    {
        "ip500": _Example(
            ("1: {card: DS8, daughter: PRI-1}", "2: {card: POT8, daughter: ATM4}", "3: VCM32"),
            ("1: DS30V2", "2: PHONE16V2"),
        ),
        "ip500v2": _Example(
            ("1: COMBO", "2: {card: DS8, daughter: PRI-1}", "3: VCM32V2"),
            ("1: DS30V2", "2: PHONE16V2"),
        ),
    }
)
_EDITION_LICENCES = (
    ("IP500 Upgrade Standard to Professional", 1),
    ("IP500 VCM Channels", 28),
    ("Voicemail Pro (4 ports)", 1),
)
_LICENCES: Mapping[str, tuple[tuple[str, int], ...]] = MappingProxyType(
    {
        "r4": _EDITION_LICENCES,
        "r5": _EDITION_LICENCES,
        "r6": (("Essential Edition", 1), ("Preferred Edition", 1), ("Avaya IP Endpoints", 20)),
    }
)

_TEXT = """\
# A configuration of ipo-sim. Check it with `ipo-sim check`, start it with `ipo-sim run`.
# Everything but the model has a default. All settings: docs/reference/configuration.md, `ipo-sim schema config`.

units:
  - name: {name:<25} # in topics and commands; unique
    model: {model:<24} # {models}
    release_profile: {profile:<14} # {profiles}
    # release: {release:<20} # software version that the unit tells
    # timezone: "+01:00"            # offset of unit local time from UTC, in quotes
    # key:
    #   boot_policy: halt           # without a sound feature key: halt before telephony, or run unlicensed
    #   grace_s: 7200               # how long licences outlive a removed key

    feature_key:
      reader: virtual               # the card goes in and out by command; serial: a reader at `port`
      serial: "{serial}"          # 10 digits, in quotes; the keys below are bound to it
      law: alaw                     # or mulaw
      # present: false              # start without the card

    slots:                          # 1 to 4, from the left
{slots}

    expansion:                      # expansion ports; a card EXP4 in slot 4 adds 9 to 12
{expansion}

    licences:                       # minted for the card above; more with `ipo-sim licence issue`
{licences}

# mqtt:                             # without it the daemon brings its own broker on 127.0.0.1
#   url: "mqtt://127.0.0.1:1883"
#   prefix: ipo-sim
# time:
#   scale: 1.0                      # 60: an hour of unit time takes a minute
# state_dir: state                  # journal of what happened; `ipo-sim run --fresh` starts from this file
"""


def new_configuration(
    model: str = "ip500",
    *,
    name: str = "bench-1",
    release_profile: str | None = None,
    serial: str | None = None,
    draw: Callable[[int], int] = randbelow,
) -> str:
    """The text of a new file. `draw(n)` gives numbers below n, for the serial (unless given) and for the keys.

    ConfigError names a model, profile, name or serial that there cannot be.
    """
    catalogue = load_catalogue()
    kind = catalogue.models.get(model)
    if kind is None:
        raise ConfigError(f"{model!r} is not a control unit; {choice(catalogue.models, model)}")
    profile = release_profile or (
        DEFAULT_PROFILE if DEFAULT_PROFILE in kind.release_profiles else kind.release_profiles[0]
    )
    if profile not in kind.release_profiles:
        raise ConfigError(f"{profile!r} is not a release profile; {choice(kind.release_profiles, profile)}")
    if serial is None:
        serial = f"{draw(10**SERIAL_DIGITS):0{SERIAL_DIGITS}}"
    problem = unit_name_problem(name) or serial_problem(serial)
    if problem is not None:
        raise ConfigError(problem)
    hardware = _HARDWARE.get(model, _Example((), ()))
    return _TEXT.format(
        name=name,
        model=model,
        profile=profile,
        release=f'"{RELEASES[profile]}"',
        serial=serial,
        models=" or ".join(catalogue.models),
        profiles=", ".join(kind.release_profiles),
        slots=_lines(hardware.slots),
        expansion=_lines(hardware.expansion),
        licences=_lines(_keys(profile, serial, draw)),
    )


def _keys(profile: str, serial: str, draw: Callable[[int], int]) -> Iterator[str]:
    """One line for each licence of the profile, its key in quotes lest it look like a number."""
    licences = load_catalogue().licences_by_name
    for name, instances in _LICENCES.get(profile, ()):
        key = issue(
            licence_code=licences[name].code,
            instances=instances,
            expiry=None,
            serial=serial,
            secret=DEFAULT_SECRET,
            nonce=draw(FIELD_MAX + 1),
        )
        yield f'- "{key.text}"   # {name}, {instances}'


def _lines(lines: Iterator[str] | tuple[str, ...]) -> str:
    return "\n".join(f"      {line}" for line in lines)
