"""Events in plain words, for people who ask why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipo_sim.core import dect_events as d
from ipo_sim.core import events as e
from ipo_sim.core import fault_events as f
from ipo_sim.core import signal_events as s
from ipo_sim.core.events import Fact


def _key_inserted(fact: e.FeatureKeyInserted) -> str:
    return f"feature key {fact.serial} was inserted"


def _poll_missed(fact: e.KeyServerPollMissed) -> str:
    return f"the licence key server left poll {fact.misses} in a row unanswered"


def _shutdown_requested(fact: e.ShutdownRequested) -> str:
    length = f"for {fact.minutes} minutes" if fact.minutes else "until power is cycled"
    return f"a shutdown {length} was asked for by {fact.source}"


def _event_reported(fact: s.EventReported) -> str:
    return f"event {fact.number} of {fact.path} was sent" + (f": {fact.text}" if fact.text else "")


def _phone_changed(fact: s.PortPhoneChanged) -> str:
    here = f"port {fact.port} of {fact.path}"
    return f"phone {fact.phone} was plugged in at {here}" if fact.phone else f"the phone at {here} was unplugged"


def _configured(fact: e.PartConfigured) -> str:
    return f"{fact.part or 'nothing'} was configured at {fact.path}"


# The value type is Any because each text takes its own fact only.
_TEXTS: Mapping[type[Fact], Callable[[Any], str]] = {
    e.PowerApplied: lambda _: "power was applied",
    e.PowerRemoved: lambda _: "power was removed",
    e.RestartRequested: lambda _: "a restart was asked for",
    e.ShutdownRequested: _shutdown_requested,
    e.DeadlineReached: lambda _: "a deadline of the unit was reached",
    e.ReaderAttached: lambda fact: f"reader {fact.name} was attached",
    e.ReaderLost: lambda fact: f"the reader was lost: {fact.error}",
    e.KeyServerPollMissed: _poll_missed,
    e.FeatureKeyInserted: _key_inserted,
    e.FeatureKeyRemoved: lambda _: "the feature key was removed",
    e.FeatureKeyUnreadable: lambda fact: (
        f"the feature key could not be read (reason {int(fact.reason)})" + (f": {fact.detail}" if fact.detail else "")
    ),
    e.LicenceAdded: lambda fact: f"licence {fact.key} was added",
    e.LicenceRemoved: lambda fact: f"licence {fact.key} was removed",
    e.ConfigurationLoaded: lambda _: "the configuration was loaded",
    e.PartFitted: lambda fact: f"{fact.part} was fitted at {fact.path}",
    e.PartWithdrawn: lambda fact: f"the part at {fact.path} was withdrawn",
    e.PartConfigured: _configured,
    e.FaultSet: lambda fact: f"a fault was set at {fact.path}: {fact.fault}",
    e.FaultCleared: lambda fact: f"the fault at {fact.path} was cleared",
    e.LicencesImported: lambda fact: f"{len(fact.keys)} licences were imported",
    e.InstancesRequested: lambda fact: f"{fact.holder} asked for {fact.instances} of {fact.feature}",
    e.InstancesReleased: lambda fact: f"{fact.holder} released {fact.feature}",
    e.CallStarted: lambda fact: f"call {fact.call} began",
    e.CallEnded: lambda fact: f"call {fact.call} ended",
    e.UserConfigured: lambda fact: f"user {fact.name} was configured with profile {fact.profile}",
    e.UserRemoved: lambda fact: f"user {fact.name} was deleted",
    e.ExtensionConfigured: lambda fact: f"extension {fact.number} was configured",
    e.ExtensionRemoved: lambda fact: f"extension {fact.number} was deleted",
    e.PhoneRegistered: lambda fact: f"the phone of extension {fact.extension} registered",
    e.PhoneUnregistered: lambda fact: f"the phone of extension {fact.extension} unregistered",
    d.DectLicenceEntered: lambda _: "a licence key was entered in the IP DECT system",
    d.DectLicenceRemoved: lambda _: "the licence key of the IP DECT system was deleted",
    d.BaseStationConfigured: lambda fact: f"base station {fact.mac} was configured",
    d.BaseStationRemoved: lambda fact: f"base station {fact.mac} was deleted",
    d.BaseStationReachable: lambda fact: f"base station {fact.mac} answered again",
    d.BaseStationLost: lambda fact: f"base station {fact.mac} was lost",
    f.FaultInjected: lambda fact: f"fault {fact.fault} was injected at {fact.target}",
    f.FaultWithdrawn: lambda fact: f"the injected fault {fact.id} was taken back",
    s.EventReported: _event_reported,
    s.PortPhoneChanged: _phone_changed,
    e.DateSet: lambda _: "the unit's date was set",
}


def describe(fact: Fact) -> str:
    """What happened, as one clause in the past tense."""
    return _TEXTS[type(fact)](fact)
