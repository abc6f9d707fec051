"""Arguments of commands, as they come: JSON from a client, or `key=value` text from a command line."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ipo_sim.core.acquisition import MAX_INSTANCES
from ipo_sim.core.model import SECOND_NS, ExtensionKind, Reserve
from ipo_sim.core.people import BASIC, MAX_FULL_NAME, MAX_USER_NAME
from ipo_sim.runtime.clock import MAX_ADVANCE_NS, MAX_SCALE, MIN_SCALE
from ipo_sim.runtime.duration import parse_duration

# Where a card stands that set-fault makes unreadable.
FEATURE_KEY = "feature-key"
# The longest path is `slots/4/daughter`, a licence feature's or an alarm's some dozen characters more.
MAX_PATH = 128
MAX_PART = 32
# A licence key has 32 characters; one that was pasted with blanks or dashes has some more.
MAX_KEY = 128
MAX_TEXT = 64
# What a person asks in one go; each is computed on a copy of the unit.
MAX_HYPOTHESES = 100
MAX_LINE = 512
# A request stays below the size that brokers carry; longer lists come in several.
MAX_KEYS = 5_000
# Moments of one `step`: a boot has a handful, a day with polls some thousand.
MAX_STEPS = 10_000

# A command line has text only.
_Lines = BeforeValidator(lambda value: value.split(";") if isinstance(value, str) else value)
_Nothing = BeforeValidator(lambda value: None if value in ("", "null", "none") else value)

_Words = BeforeValidator(lambda value: [word for word in value.split(",") if word] if isinstance(value, str) else value)

Path = Annotated[str, Field(min_length=1, max_length=MAX_PATH, description="Entity, such as `slots/1`.")]
PartCode = Annotated[str, Field(min_length=1, max_length=MAX_PART, description="Catalogue code, such as `DS8`.")]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"^[ -~]+$")]
Holder = Annotated[Text, Field(description="Who holds them, a name of your choice.")]
CallId = Annotated[Text, Field(description="The call, a name of your choice.")]
Feature = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="Pool, such as `vcm-channels`.")]
Channels = Annotated[int, Field(ge=0, le=MAX_INSTANCES)]
UserText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_USER_NAME, description=f"Name of the user, up to {MAX_USER_NAME} characters."),
]
# Seconds, or a length such as 2h30m.
_Duration = BeforeValidator(lambda value: _seconds(value) if isinstance(value, str) else value)
Lasting = Annotated[float, Field(ge=0, le=MAX_ADVANCE_NS / SECOND_NS, allow_inf_nan=False), _Duration]
# A command line's number is a number until it is asked for as text.
_Digits = BeforeValidator(str)
Number = Annotated[
    str, Field(pattern=r"^[0-9]{1,9}$", description="Number of the IP extension, 1 to 9 digits."), _Digits
]


def _seconds(text: str) -> float | str:
    """A length of time in seconds; a text that says a number as it is. ValueError for anything else."""
    try:
        float(text)
    except ValueError:
        return parse_duration(text) / SECOND_NS
    return text


def _alternatives(annotation: object) -> tuple[object, ...]:
    """The members of a union, or the one type that is none."""
    return get_args(annotation) or (annotation,)


class Arguments(BaseModel):
    """No arguments; the base of all others."""

    # Schemas are built when a command is first used or described: a start that needs none does not pay for them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_numbers(cls, data: object) -> object:
        """JSON's true is no number, though Python takes it for 1."""
        if isinstance(data, dict):
            for name, value in data.items():
                field = cls.model_fields.get(name)
                if isinstance(value, bool) and field is not None and bool not in _alternatives(field.annotation):
                    raise ValueError(f"{name}: {str(value).lower()} is neither a number nor a text")
        return data


class Power(Arguments):
    """Mains power."""

    on: Annotated[bool, Field(description="Apply or remove power.")]


class Shutdown(Arguments):
    """An orderly stop."""

    minutes: Annotated[int, Field(ge=0, le=1_440, description="Length, 5 to 1440; 0: until power is cycled.")] = 0
    source: Annotated[Text, Field(description="Who asks, as trap 37 says it.")] = "Manager Administrator"


class Card(Arguments):
    """A feature key card; what is left out is taken from the last card."""

    serial: Annotated[str | None, Field(pattern=r"^[0-9]{10}$", description="10 decimal digits.")] = None
    law: Annotated[Literal["alaw", "mulaw"] | None, Field(description="Its variant.")] = None
    kind: Annotated[Text | None, Field(description="What it is, as a reader says it.")] = None
    identity: Annotated[str | None, Field(max_length=MAX_PATH, description="What a reader knows it by.")] = None
    assurance: Annotated[
        Literal["identifier", "signed", "authenticated"] | None, Field(description="How sure its serial is.")
    ] = None


class Place(Arguments):
    """One entity or place for a part."""

    path: Path


class Fit(Place):
    """A part for an empty place."""

    part: PartCode


class Configure(Place):
    """The part that the configuration expects."""

    part: Annotated[PartCode | None, _Nothing, Field(description="Catalogue code, such as `DS8`; `null`: none.")]


class LicenceKeyText(Arguments):
    """A licence key."""

    key: Annotated[str, Field(min_length=1, max_length=MAX_KEY, description="The string, 32 letters and digits.")]


class LicenceKeys(Arguments):
    """Many licence keys; a command line separates them by commas."""

    keys: Annotated[
        list[Annotated[str, Field(max_length=MAX_KEY)]],
        Field(min_length=1, max_length=MAX_KEYS, description="The strings, 32 letters and digits each."),
        _Words,
    ]


class Instances(Arguments):
    """Instances of a feature for a holder; `request` tells several claims of one holder apart."""

    feature: Feature
    holder: Holder
    instances: Annotated[int, Field(ge=1, le=MAX_INSTANCES, description="How many.")] = 1
    request: Annotated[str, Field(max_length=MAX_TEXT, description="Which of several claims of the holder.")] = ""


class Release(Arguments):
    """What a holder gives back; without `request` all of the feature."""

    feature: Feature
    holder: Holder
    request: Annotated[str | None, Field(max_length=MAX_TEXT, description="Only this claim; all if left out.")] = None


class Call(Arguments):
    """Channels that a call takes."""

    call: CallId
    vcm: Annotated[Channels, Field(description="VCM channels.")] = 0
    pri: Annotated[Channels, Field(description="PRI channels.")] = 0
    sip: Annotated[Channels, Field(description="SIP trunk channels.")] = 0
    voicemail: Annotated[Channels, Field(description="Voicemail ports.")] = 0
    extension: Annotated[
        str, Field(max_length=MAX_TEXT, description="IP extension that makes it; empty: another phone."), _Digits
    ] = ""
    trunk: Annotated[
        str, Field(max_length=MAX_PATH, description="Card with the line that it takes, such as `slots/1/daughter`.")
    ] = ""
    port: Annotated[int, Field(ge=0, le=99, description="Port of that line, as printed at the socket.")] = 0


class CallName(Arguments):
    """One call."""

    call: CallId


class UserName(Arguments):
    """One user."""

    name: UserText


class UserSetting(UserName):
    """A user with the profile and features that take licences."""

    full_name: Annotated[
        str, Field(max_length=MAX_FULL_NAME, description=f"As displays show it, up to {MAX_FULL_NAME} characters.")
    ] = ""
    extension: Annotated[
        str, Field(max_length=MAX_TEXT, description="Number to dial, 1 to 9 digits; of no other user.")
    ] = ""
    profile: Annotated[
        str, Field(min_length=1, max_length=MAX_TEXT, description="`basic` or a user feature, such as `power-user`.")
    ] = BASIC
    features: Annotated[
        list[Annotated[str, Field(max_length=MAX_TEXT)]],
        Field(max_length=MAX_PART, description="User features besides, such as `mobility-features`."),
        _Words,
    ] = []


class ExtensionNumber(Arguments):
    """One IP extension."""

    extension: Number


class ExtensionSetting(ExtensionNumber):
    """An IP extension; what is reserved holds from the next start on."""

    kind: Annotated[ExtensionKind, Field(description="What phone registers there.")] = ExtensionKind.AVAYA_IP
    reserve: Annotated[Reserve, Field(description="Endpoint licences that are kept for it.")] = Reserve.NONE


class Phone(ExtensionNumber):
    """A phone that registers."""

    mac: Annotated[str, Field(max_length=MAX_TEXT, description="Its MAC address, such as 00:1b:4f:00:00:01.")] = ""
    address: Annotated[str, Field(max_length=MAX_TEXT, description="Its IP address.")] = ""


class Fault(Place):
    """A fault of a part, or of the feature key."""

    fault: Annotated[
        str | int,
        Field(union_mode="left_to_right", description="Name; for `feature-key` a reason of event 40: 3, 4 or 9."),
    ] = "failed"


class Injection(Arguments):
    """A fault of the catalogue, its life, and its options."""

    fault: Annotated[Text, Field(description="Name, such as `card-mute`; `ipo-sim faults list` tells them all.")]
    path: Annotated[
        str | None, Field(min_length=1, max_length=MAX_PATH, description="Place of a part; else it is clear.")
    ] = None
    start: Annotated[Lasting | None, Field(description="How long until it begins; at once by default.")] = None
    duration: Annotated[Lasting | None, Field(description="How long it lasts; until it is cleared by default.")] = None
    probability: Annotated[
        float, Field(gt=0, le=1, allow_inf_nan=False, description="Of a strike whenever it may strike.")
    ] = 1.0
    clear_after: Annotated[int | None, Field(ge=1, le=1_000_000, description="Strikes after which it is over.")] = None
    reason: Annotated[int | None, Field(description="Reason of the maker's event, for a card 3, 4 or 9.")] = None
    bounces: Annotated[int | None, Field(description="How often the contact opens and closes.")] = None
    interval: Annotated[Lasting | None, Field(description="Between two bounces, or two looks at the clock.")] = None
    delay: Annotated[Lasting | None, Field(description="How late a card is read, or a message published.")] = None
    misses: Annotated[int | None, Field(description="Polls in a row that lose the key server.")] = None
    port: Annotated[int | None, Field(description="Number of the port, from 1.")] = None
    ppm: Annotated[int | None, Field(description="Millionths that the clock is too fast.")] = None
    serial: Annotated[str | None, Field(pattern=r"^[0-9]{10}$", description="10 decimal digits.")] = None
    interface: Annotated[int | None, Field(description="1 LAN, 2 WAN.")] = None
    loopback: Annotated[int | None, Field(description="Bit of event 28: 1-4 near end, 5-6 far end.")] = None
    application: Annotated[
        int | None,
        Field(description="1 voicemail, 2 Delta Server, 3 Customer Call Reporter, 4 one-X Portal."),
    ] = None
    card: Annotated[int | None, Field(description="Memory card: 2 System SD, 3 Optional SD.")] = None
    percent: Annotated[int | None, Field(description="How full a memory card is.")] = None


class PortOf(Place):
    """A port of a card or module."""

    port: Annotated[int, Field(ge=1, le=99, description="Its number, as printed at the socket.")]


class StationPhone(PortOf):
    """A phone at a port."""

    phone: Annotated[str, Field(min_length=1, max_length=MAX_PART, description="Its type."), _Digits] = "2410"


class PassingEvent(Arguments):
    """One of the maker's events that pass."""

    event: Annotated[int, Field(description="Its number, such as 58.")]
    path: Annotated[Path, Field(description="What it is about: `unit`, `slots/1`, `slots/1/port/3`.")] = "unit"
    reason: Annotated[int | None, Field(description="Reason, of event 31 the application's event, 1 to 79.")] = None
    severity: Annotated[int | None, Field(description="1 cleared, 3 critical, 4 major, 5 minor, 6 warning.")] = None
    text: Annotated[str, Field(max_length=255, description="What happened, in your words.")] = ""
    data: Annotated[str, Field(max_length=255, description="The licence, entity or trunk that it names.")] = ""


def _fault_id(value: str | None) -> str | None:
    """Ids of faults and the places that set-fault breaks are never alike, so that either can be said alone."""
    if value is not None and ("/" in value or value == FEATURE_KEY):
        raise ValueError(f"{value} is a place, and no id: path={value} mends what set-fault broke there")
    return value


class FaultName(Arguments):
    """A part whose fault was set, or an injected fault by its id."""

    fault: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_PATH, description="Injected fault, such as `card-mute`."),
        AfterValidator(_fault_id),
    ] = None
    path: Annotated[
        str | None, Field(min_length=1, max_length=MAX_PATH, description="Part or `feature-key` that set-fault broke.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> FaultName:
        if (self.fault is None) == (self.path is None):
            raise ValueError("either fault or path is wanted")
        return self


class Time(Arguments):
    """Scale and pause of the whole daemon, date of this unit."""

    scale: Annotated[
        float | None,
        Field(ge=MIN_SCALE, le=MAX_SCALE, allow_inf_nan=False, description="How much faster than the wall clock."),
    ] = None
    pause: Annotated[bool | None, Field(description="Let time stand, or run again.")] = None
    date: Annotated[str | None, Field(max_length=MAX_TEXT, description="RFC 3339; unit local time without offset.")] = (
        None
    )

    @model_validator(mode="after")
    def _something(self) -> Time:
        if self.scale is None and self.pause is None and self.date is None:
            raise ValueError("one of scale, pause and date is wanted")
        return self


class Advance(Arguments):
    """How far time moves."""

    seconds: Annotated[
        float | None,
        Field(ge=0, le=MAX_ADVANCE_NS / SECOND_NS, allow_inf_nan=False, description="How far; `2h30m` will do."),
        _Duration,
    ] = None
    to: Annotated[
        Literal["next-deadline"] | None, Field(description="The next deadline of this unit, within `seconds` if given.")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Advance:
        if self.seconds is None and self.to is None:
            raise ValueError("seconds or to=next-deadline is wanted")
        return self


class Steps(Arguments):
    """How many moments."""

    count: Annotated[int, Field(ge=1, le=MAX_STEPS, description="At how many moments something is to happen.")] = 1


class Rewind(Arguments):
    """How far back."""

    seconds: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="So much before now; `2h30m` will do."), _Duration
    ] = None
    seq: Annotated[int | None, Field(ge=1, description="After this event of the unit.")] = None
    to: Annotated[str | None, Field(max_length=MAX_TEXT, description="RFC 3339; UTC without offset.")] = None

    @model_validator(mode="after")
    def _one(self) -> Rewind:
        if [self.seconds, self.seq, self.to].count(None) != 2:  # noqa: PLR2004 - one of three is wanted
            raise ValueError("one of seconds, seq and to is wanted")
        return self


class Hypothesis(Arguments):
    """One command of a what-if."""

    command: Annotated[str, Field(max_length=MAX_TEXT)]
    arguments: dict[str, object] = {}


class Hypotheses(Arguments):
    """Commands, in order, each as object or as the line that a command line takes: `fit path=slots/2 part=DS8`."""

    events: Annotated[
        list[Annotated[str, Field(max_length=MAX_LINE)] | Hypothesis],
        Field(min_length=1, max_length=MAX_HYPOTHESES, description="Commands with their arguments, in order."),
        _Lines,
    ]
