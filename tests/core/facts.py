"""Whatever can happen to a unit, at random: the facts, keys, parts and makes that test machines draw from."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.core.dect_events import (
    BaseStationConfigured,
    BaseStationLost,
    BaseStationReachable,
    BaseStationRemoved,
    DectLicenceEntered,
    DectLicenceRemoved,
)
from ipo_sim.core.events import (
    CallEnded,
    CallStarted,
    ConfigurationLoaded,
    DateSet,
    ExtensionConfigured,
    ExtensionRemoved,
    Fact,
    FaultCleared,
    FaultSet,
    FeatureKeyInserted,
    FeatureKeyRemoved,
    FeatureKeyUnreadable,
    InstancesReleased,
    InstancesRequested,
    KeyServerPollMissed,
    LicenceAdded,
    LicenceRemoved,
    LicencesImported,
    PartConfigured,
    PartFitted,
    PartWithdrawn,
    PhoneRegistered,
    PhoneUnregistered,
    PowerApplied,
    PowerRemoved,
    ReaderAttached,
    ReaderLost,
    RestartRequested,
    ShutdownRequested,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.fault_events import FaultInjected, FaultWithdrawn
from ipo_sim.core.faults import TARGETS
from ipo_sim.core.model import (
    SECOND_NS,
    ExtensionKind,
    KeyReason,
    Nanoseconds,
    PartDefinition,
    Reserve,
)
from ipo_sim.core.signal_events import EventReported, PortPhoneChanged
from tests.core.bench import OTHER_SERIAL, SERIAL, VOICEMAIL_PRO, key
from tests.core.dect_bench import MACS, OTHER_PARK, PARK, dect_key

EXPIRY = date(2026, 1, 7)
KEYS = [
    key(),
    key(serial=OTHER_SERIAL),
    key(expiry=EXPIRY, nonce=2),
    key(VOICEMAIL_PRO, instances=4),
    key("Additional Voicemail Pro (ports)", instances=8),
    key("Essential Edition"),
    key("Preferred Edition"),
    key("Advanced Edition"),
    key("Small Office Edition WiFi"),
    key("Small Office Edition VCM", instances=4),
    key("Power User", instances=1),
    key("Receptionist", instances=2),
    key("3rd Party IP Endpoints", instances=1),
    key("IP500 VCM Channels", instances=4),
    "Z" * 32,
]
PATHS = [
    *(f"slots/{n}" for n in range(1, 5)),
    *(f"slots/{n}/daughter" for n in range(1, 5)),
    "slots/1/trunk",
    "slots/1/vcm",
    "slots/3/vcm",
    *(f"expansion/{n}" for n in (1, 2, 8, 9, 12)),
    "expansion/99",
]
PARTS = ["DS8", "POT8", "VCM64", "EXP4", "CARRIER", "PRI-1", "ATM4", "DS30V2", "PHONE16", "S08", "DS9"]
PARTS += ["VCM16", "IP400-E1-1"]
# Model, release profile, reader.
MAKES = [
    *(("ip500", profile, "virtual") for profile in ("r4", "r5", "r6")),
    ("ip500v2", "r6", "virtual"),
    ("ip403", "r4", "key-server"),
    ("ip406v2", "r5", "key-server"),
    ("ip412", "r6", "virtual"),
    ("soe", "r5", "key-server"),
]
MODULES = tuple(PartDefinition(f"expansion/{n}", "DS30V2") for n in (1, 2, 3))
FITTED = {
    "ip500": (
        PartDefinition("slots/1", "DS8"),
        PartDefinition("slots/1/daughter", "PRI-1"),
        PartDefinition("slots/2", "POT8", "DS8"),
        *MODULES,
    ),
    "ip500v2": (
        PartDefinition("slots/1", "DS8"),
        PartDefinition("slots/1/daughter", "PRI-2"),
        PartDefinition("slots/2", "POT8"),
        PartDefinition("slots/2/daughter", "ATM4V2"),
        *MODULES,
    ),
    "ip403": (PartDefinition("slots/1", "IP400-E1-1"), PartDefinition("slots/2", "VCM16"), *MODULES),
    "ip406v2": (PartDefinition("slots/2", "IP400-E1-1"), PartDefinition("slots/3", "VCM16"), *MODULES),
    "ip412": (PartDefinition("slots/3", "VCM16"), PartDefinition("slots/4", "VCM30"), *MODULES),
    "soe": (PartDefinition("slots/1", "IP400-E1-1"),),
}

FEATURE = st.sampled_from(["vcm-channels", "voicemail-pro-ports", "power-user", "phone-manager-pro", "no-feature"])
HOLDER = st.sampled_from(["anna", "bert", "c1"])
PROFILE = st.sampled_from(["basic", "power-user", "receptionist", "mobility-features", "vcm-channels"])
NUMBER = st.sampled_from(["201", "202", "203", "x"])
DECT_KEYS = [dect_key(), dect_key(bases=4), dect_key(MACS[:1], 1), dect_key(park=OTHER_PARK), "Z" * 64]
BASE = st.sampled_from(MACS[:4])
PORT = st.sampled_from([0, 1, 2, 3, 9, 10])
# Trunks, and faults that only tell, with a reason or a port where they have one.
TRUNK = st.sampled_from(["slots/1/daughter", "slots/2/daughter", "slots/1", ""])
TOLD = [kind for kind in load_catalogue().faults.values() if kind.alarm is not None or kind.key_form is not None]
TOLD += [load_catalogue().faults[name] for name in ("software-missing", "port-failed")]


@st.composite
def told(draw: st.DrawFn) -> FaultInjected:
    kind = draw(st.sampled_from(TOLD))
    options = {name: str(draw(st.integers(row.low, row.high))) for name, row in kind.options.items()}
    if "port" in options:
        options["port"] = str(draw(PORT))
    target = TARGETS.get(kind.target) or draw(TRUNK)
    return FaultInjected(kind.name, target, tuple(options.items()))


PATH, PART = st.sampled_from(PATHS), st.sampled_from(PARTS)
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.sampled_from(
        [
            PowerApplied(),
            PowerRemoved(),
            RestartRequested(),
            ShutdownRequested(),
            ShutdownRequested(5),
            ShutdownRequested(3),
            ReaderAttached("virtual"),
            ReaderLost("gone"),
            FeatureKeyInserted(SERIAL),
            FeatureKeyInserted(OTHER_SERIAL, law="mulaw"),
            FeatureKeyInserted("12"),
            FeatureKeyInserted(SERIAL, kind="dongle-usb"),
            FeatureKeyInserted(OTHER_SERIAL, kind="dongle-serial"),
            ReaderLost("refused: another was first"),
            KeyServerPollMissed(1),
            FeatureKeyRemoved(),
            ConfigurationLoaded(),
        ]
    ),
    st.builds(FeatureKeyUnreadable, st.sampled_from(KeyReason)),
    st.builds(LicenceAdded, st.sampled_from(KEYS)),
    st.builds(LicenceRemoved, st.sampled_from(KEYS)),
    st.builds(PartFitted, PATH, PART),
    st.builds(PartWithdrawn, PATH),
    st.builds(PartConfigured, PATH, st.none() | PART),
    st.builds(FaultSet, PATH, st.sampled_from(["failed", "no response", ""])),
    st.builds(FaultCleared, PATH),
    st.builds(LicencesImported, st.lists(st.sampled_from(KEYS), min_size=1, max_size=3).map(tuple)),
    st.builds(InstancesRequested, FEATURE, HOLDER, st.integers(0, 5), st.sampled_from(["", "r1"])),
    st.builds(InstancesReleased, FEATURE, HOLDER, st.sampled_from([None, "", "r1"])),
    st.builds(CallStarted, HOLDER, st.integers(0, 3), st.integers(0, 5), st.integers(0, 2)),
    st.builds(CallStarted, HOLDER, extension=NUMBER),
    st.builds(CallStarted, HOLDER, vcm=st.integers(0, 1), trunk=TRUNK, port=PORT),
    st.builds(CallEnded, HOLDER),
    st.builds(PortPhoneChanged, PATH, PORT, st.sampled_from(["", "2410", "5410"])),
    st.builds(EventReported, st.sampled_from([19, 22, 50, 58]), st.sampled_from(["unit", "slots/1", "slots/1/port/3"])),
    told(),
    st.sampled_from([*(kind.name for kind in TOLD), "link-down-1", "trunk-failed-slots-1-daughter-9"]).map(
        FaultWithdrawn
    ),
    st.builds(DectLicenceEntered, st.sampled_from(DECT_KEYS), st.sampled_from(["", PARK, OTHER_PARK])),
    st.just(DectLicenceRemoved()),
    st.builds(BaseStationConfigured, BASE, st.booleans(), reachable=st.booleans()),
    st.builds(BaseStationRemoved, BASE),
    st.builds(BaseStationLost, BASE),
    st.builds(BaseStationReachable, BASE),
    st.builds(UserConfigured, HOLDER, profile=PROFILE, features=st.lists(PROFILE, unique=True, max_size=2).map(tuple)),
    st.builds(UserRemoved, HOLDER),
    st.builds(ExtensionConfigured, NUMBER, st.sampled_from(ExtensionKind), st.sampled_from(Reserve)),
    st.builds(ExtensionRemoved, NUMBER),
    st.builds(PhoneRegistered, NUMBER),
    st.builds(PhoneUnregistered, NUMBER),
    st.builds(DateSet, st.integers(-3 * 86_400, 3 * 86_400).map(lambda s: Nanoseconds(s * SECOND_NS))),
)
PAUSES = st.sampled_from([0, 1, 5, 60, 3_600, 7_200, 86_400]).map(lambda seconds: seconds * SECOND_NS)
