"""A first configuration to go on from: a commented file with a card of its own and fresh bench keys for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from secrets import randbelow
from types import MappingProxyType

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.catalogue.types import SERIAL_DONGLE, ModelType
from ipo_sim.config.build import RELEASES
from ipo_sim.config.defaults import VIRTUAL, usual_profile
from ipo_sim.config.mistakes import choice
from ipo_sim.config.variants import state_problem
from ipo_sim.config.words import SERIAL_DIGITS, serial_problem, unit_name_problem
from ipo_sim.core.words import KEY_SERVER
from ipo_sim.errors import ConfigError
from ipo_sim.licensing.key import DEFAULT_SECRET, FIELD_MAX, issue


@dataclass(frozen=True, slots=True)
class _Example:
    """Hardware that a model is shown with: lines of `slots` and of `expansion`, each with what is said of them."""

    slots: tuple[str, ...]
    expansion: tuple[str, ...]
    about_slots: str = "1 to 4, from the left"
    about_expansion: str = "expansion ports; a card EXP4 in slot 4 adds 9 to 12"


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
        "ip403": _Example(
            ("1: IP400-ATM4V2", "2: VCM10"), ("1: DS30V2",), "1: trunk slot A; 2: VCM slot", "expansion ports 1 to 3"
        ),
        "ip406v2": _Example(
            ("1: IP400-E1-1", "2: IP400-ATM4V2", "3: VCM16"),
            ("1: DS30V2", "2: PHONE16V2"),
            "1, 2: trunk slots A, B; 3: VCM slot",
            "expansion ports 1 to 6",
        ),
        "ip412": _Example(
            ("1: IP400-E1-2", "3: VCM30", "4: VCM30"),
            ("1: DS30V2", "2: DS30V2", "3: PHONE30V2"),
            "1, 2: trunk slots A, B; 3, 4: VCM slots",
            "expansion ports 1 to 12",
        ),
        "soe": _Example(("1: IP400-BRI-8",), (), "1: trunk slot", "this unit has no expansion ports"),
    }
)
_IP500_LICENCES = (
    ("IP500 Upgrade Standard to Professional", 1),
    ("IP500 VCM Channels", 28),
    ("Voicemail Pro (4 ports)", 4),
)
_IP400_LICENCES = (("Voicemail Pro (4 ports)", 4), ("Phone Manager Pro (users)", 25), ("SIP Trunk Channels", 5))
_R6_LICENCES = (("Essential Edition", 1), ("Preferred Edition", 4), ("Avaya IP Endpoints", 20))

_POLICY = """\
    #   boot_policy: halt           # without a sound feature key: halt before telephony, or run unlicensed
"""
_CARD = """\
      reader: virtual               # the card goes in and out by command; serial, pcsc, pn532: a real reader
      serial: "{serial}"          # 10 digits, in quotes; the keys below are bound to it
      law: alaw                     # or mulaw
      # present: false              # start without the card
"""
_DONGLE = """\
      licence_server: 0.0.0.0       # the dongle is on the unit; or the address of the PC with the key server
      reader: virtual               # the dongle goes in and out by command; serial: a reader at `port`
      serial: "{serial}"          # 10 digits, in quotes; the keys below are bound to it
      # present: false              # start without the dongle
"""
_SERVER = """\
      reader: key-server            # a parallel or USB dongle in a PC, here with serial {serial}
      licence_server: 127.0.0.1     # address of that PC; 255.255.255.255 looks for it by broadcast
      # licence_server_port: 50800  # its port
"""

_TEXT = """\
# A configuration of ipo-sim. Check it with `ipo-sim check`, start it with `ipo-sim run`.
# Everything but the model has a default. All settings: docs/reference/configuration.md, `ipo-sim schema config`.

units:
  - name: {name:<25} # in topics and commands; unique
    model: {model:<24} # {models}
    release_profile: {profile:<14} # {profiles}
    {state:<31} # what it starts as: running, in-grace, no-card, unlicensed, ...
    # feature_set: old-release      # a poorer unit: old-release, no-expansion-card, bare, ...
    # release: {release:<20} # software version that the unit tells
    # timezone: "+01:00"            # offset of unit local time from UTC, in quotes
    # key:
{policy}    #   grace_s: 7200               # how long licences outlive a removed key

    feature_key:
{feature_key}
    slots:                          # {about_slots}
{slots}

    expansion:                      # {about_expansion}
{expansion}

    licences:                       # minted for the {key} above; more with `ipo-sim licence issue`
{licences}

# mqtt:                             # without it the daemon brings its own broker on 127.0.0.1
#   url: "mqtt://127.0.0.1:1883"
#   prefix: ipo-sim
# time:
#   scale: 60                       # an hour of unit time takes a minute; left out: as commands set it last
# state_dir: state                  # journal of what happened; `ipo-sim run --fresh` starts from this file
"""


def new_configuration(
    model: str = "ip500",
    *,
    name: str = "bench-1",
    release_profile: str | None = None,
    serial: str | None = None,
    state: str | None = None,
    draw: Callable[[int], int] = randbelow,
) -> str:
    """The text of a new file. `draw(n)` gives numbers below n, for the serial (unless given) and for the keys.

    ConfigError names a model, profile, name or serial that there cannot be.
    """
    catalogue = load_catalogue()
    kind = catalogue.models.get(model)
    if kind is None:
        raise ConfigError(f"{model!r} is not a control unit; {choice(catalogue.models, model)}")
    profile = release_profile or usual_profile(kind)
    if profile not in kind.release_profiles:
        raise ConfigError(f"{profile!r} is not a release profile; {choice(kind.release_profiles, profile)}")
    if serial is None:
        serial = f"{draw(10**SERIAL_DIGITS):0{SERIAL_DIGITS}}"
    problem = unit_name_problem(name) or serial_problem(serial) or (state and state_problem(state, _reader(kind)))
    if problem:
        raise ConfigError(problem)
    hardware = _HARDWARE.get(model, _Example((), ()))
    return _TEXT.format(
        name=name,
        model=model,
        profile=profile,
        state="# state: running" if state is None else f"state: {state}",
        release=f'"{RELEASES[profile]}"',
        models=" or ".join(catalogue.models),
        policy="" if kind.runs_without_key else _POLICY,
        feature_key=_feature_key(kind).format(serial=serial),
        key="dongle" if kind.dongles else "card",
        about_slots=hardware.about_slots,
        about_expansion=hardware.about_expansion,
        profiles=", ".join(kind.release_profiles),
        slots=_lines(hardware.slots),
        expansion=_lines(hardware.expansion),
        licences=_lines(_keys(_licences(kind, profile), serial, draw)),
    )


def _reader(model: ModelType) -> str:
    return VIRTUAL if not model.dongles or SERIAL_DONGLE in model.dongles else KEY_SERVER


def _feature_key(model: ModelType) -> str:
    if not model.dongles:
        return _CARD
    return _DONGLE if SERIAL_DONGLE in model.dongles else _SERVER


def _licences(model: ModelType, profile: str) -> tuple[tuple[str, int], ...]:
    """Licences that the model has use for in the release."""
    if profile == "r6":
        return _R6_LICENCES
    return _IP400_LICENCES if model.dongles else _IP500_LICENCES


def _keys(wanted: tuple[tuple[str, int], ...], serial: str, draw: Callable[[int], int]) -> Iterator[str]:
    """One line for each licence, its key in quotes lest it look like a number."""
    licences = load_catalogue().licences_by_name
    for name, instances in wanted:
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
