"""Writes the journal that is kept of each schema version: `python -m tests.runtime.write_journal` below the root.

It refuses to write over one: a file that an older version wrote is what the tests of later ones stand on.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

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
from ipo_sim.core.model import (
    SECOND_NS,
    ExtensionKind,
    KeyReason,
    Nanoseconds,
    UnitDefinition,
    UnitName,
    UserDefinition,
)
from ipo_sim.runtime.assembly import Runtime
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.journal_file import JOURNAL_NAME
from ipo_sim.runtime.journal_schema import SCHEMA_VERSION
from ipo_sim.runtime.lock import LOCK_NAME
from tests.core.bench import SERIAL, VOICEMAIL_PRO, definition, key
from tests.core.dect_bench import FOURTH, SECOND, THIRD, dect_key, system
from tests.runtime.bench import HOUR, SMALL, A, B, boot, open_bench, small

JOURNALS = Path(__file__).with_name("journals")
SERVED = UnitName("served")

Step = Fact | Nanoseconds

SHORT, DAY = Nanoseconds(20 * SECOND_NS), Nanoseconds(24 * HOUR)


def definitions() -> tuple[UnitDefinition, ...]:
    """A unit with all that units have, one that changes, and an IP400 that asks a key server."""
    full = replace(
        small(A, key(), key(VOICEMAIL_PRO)),
        dect=system(timer=True),
        users=(UserDefinition("anna", "Anna Karenina", "201"),),
    )
    served = replace(
        definition(key(), parts=(), model="ip412", profile="r4", reader="key-server"),
        name=SERVED,
        licence_server="10.0.0.9",
    )
    return full, small(B), served


def present_definitions() -> tuple[UnitDefinition, ...]:
    """The units as the second run of the daemon has them: one of them has lost a part."""
    full, other, served = definitions()
    return full, replace(other, parts=SMALL[:1]), served


def steps() -> Iterable[tuple[UnitName, Step]]:
    """Facts of every type, and time between them."""
    yield from ((A, step) for step in _hardware())
    yield from ((A, step) for step in _licences())
    yield from ((A, step) for step in _people())
    yield from ((A, step) for step in _dect())
    yield from ((SERVED, KeyServerPollMissed(misses)) for misses in (1, 2))
    yield SERVED, ReaderLost("no answer to three polls")
    yield A, FeatureKeyRemoved(1)
    yield A, Nanoseconds(HOUR)
    yield B, FeatureKeyUnreadable(KeyReason.INVALID_REGISTERS, "the register does not end")
    yield B, Nanoseconds(2 * HOUR)


def _hardware() -> Iterable[Step]:
    yield from (FaultSet("slots/1", "overheated"), FaultCleared("slots/1"))
    yield from (PartWithdrawn("expansion/1"), PartConfigured("expansion/1", None), PartFitted("slots/2", "POT8"))
    yield from (RestartRequested(), SHORT, ShutdownRequested(5), SHORT, Nanoseconds(HOUR))
    yield from (PowerRemoved(), PowerApplied(), SHORT, PartFitted("expansion/1", "DS30V2"), RestartRequested(), SHORT)


def _licences() -> Iterable[Step]:
    yield from (LicenceAdded("X" * 32), LicenceRemoved("X" * 32))
    yield from (LicencesImported((key(nonce=1), key(VOICEMAIL_PRO, nonce=1))), ConfigurationLoaded())
    yield DateSet(DAY)


def _people() -> Iterable[Step]:
    yield from (UserConfigured("boris", "Борис", "202"), UserRemoved("anna"))
    yield from (ExtensionConfigured("301", ExtensionKind.DECT), PhoneRegistered("301", "02:00:5e:00:00:01", "10.0.0.7"))
    yield from (PhoneUnregistered("301"), ExtensionRemoved("301"))
    yield from (InstancesRequested("voicemail-pro-ports", "test"), InstancesReleased("voicemail-pro-ports", "test"))
    yield from (CallStarted("call 1", voicemail=1), CallEnded("call 1"))


def _dect() -> Iterable[Step]:
    yield from (BaseStationLost(SECOND), BaseStationLost(THIRD), Nanoseconds(HOUR), BaseStationReachable(SECOND))
    yield from (BaseStationConfigured(FOURTH), BaseStationRemoved(FOURTH))
    yield from (DectLicenceRemoved(), DectLicenceEntered(dect_key()))


def live(runtime: Runtime) -> None:
    """All steps; CommandRejected when a unit does not accept one."""
    for name in (A, B):
        boot(runtime, name)
    runtime.engine.apply(SERVED, ReaderAttached("10.0.0.9:50800"), "key-server")
    runtime.engine.apply(SERVED, FeatureKeyInserted(SERIAL, kind="dongle-usb"), "key-server")
    for name, step in steps():
        if isinstance(step, int):
            runtime.clock.advance(Nanoseconds(step))
            runtime.engine.run_due()
        else:
            runtime.engine.apply(name, step, f"test:{step.TYPE}")


def write(state_dir: Path) -> None:
    """A journal with two epochs of unit `b`, closed."""
    runtime = open_bench(state_dir, *definitions())
    live(runtime)
    now = runtime.clock.now()
    runtime.close()
    runtime = open_bench(state_dir, *present_definitions(), clock=stepped(now))
    boot(runtime, B)
    runtime.close()


def main() -> int:
    """Write the file of this schema version."""
    target = JOURNALS / f"schema-{SCHEMA_VERSION}.sqlite"
    if target.exists():
        print(f"{target.name} is there: it is not written over", file=sys.stderr)  # noqa: T201 - this is a program
        return 1
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        assert {path.name for path in Path(folder).iterdir()} == {JOURNAL_NAME, LOCK_NAME}
        target.write_bytes(Path(folder, JOURNAL_NAME).read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
