"""The pytest plugin. It costs a test run that does not use it next to nothing: all else is imported by its fixtures."""

from __future__ import annotations

import os
import random
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ipo_sim.testing.bench import Bench, Units
    from ipo_sim.testing.broker import BrokerServer, BrokerUnderTest
    from ipo_sim.testing.clock import VirtualClock
    from ipo_sim.testing.place import HttpUnderTest
    from ipo_sim.testing.reader import ReaderUnderTest
    from ipo_sim.testing.scenario import ScenarioPlayer
    from ipo_sim.testing.unit import SimulatedUnit

MARKER = "ipo_config"
_MARKER_HELP = (
    f"{MARKER}(source=None, *, boot=True, time=..., **settings): the units of the test: a configuration file, text or "
    "mapping, or the settings of one unit; boot=False: the test begins at power-up; time: when that is"
)
# Reports of what tests failed in are made while their units are still there.
_BENCH = pytest.StashKey["Bench"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and settings of a run."""
    group = parser.getgroup("ipo-sim", "simulated IP Office units")
    group.addoption("--ipo-config", metavar="FILE", help="configuration of the units; the marker ipo_config goes first")
    group.addoption("--ipo-seed", metavar="N", type=int, default=0, help="seed of all that is left to chance; 0")
    group.addoption(
        "--ipo-reader",
        metavar="KIND[:WHICH]",
        default="virtual",
        help="reader of the first unit's card: virtual, or such as serial:/dev/ttyUSB0, pcsc, cassette:FILE",
    )
    group.addoption("--ipo-broker-url", metavar="URL", help="broker of ipo_broker, mqtt://HOST:PORT; default: its own")
    group.addoption(
        "--ipo-journal",
        choices=("on-failure", "always", "never"),
        default="on-failure",
        help="when reports hold the journals of the units; on-failure",
    )
    parser.addini(MARKER, "configuration of the units, below the root folder; --ipo-config goes first")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER_HELP)


@pytest.fixture
def ipo_random(request: pytest.FixtureRequest) -> random.Random:
    """Chance that is the same for this test whenever `--ipo-seed` is."""
    return random.Random(f"{request.config.getoption('--ipo-seed')}:{request.node.nodeid}")  # noqa: S311 - no secret


@pytest.fixture
def _ipo_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The units of the test with their clock; those below are its parts."""
    broker = request.getfixturevalue("ipo_broker") if "ipo_broker" in request.fixturenames else None
    bench = _open(request, broker, http="ipo_http" in request.fixturenames)
    request.node.stash[_BENCH] = bench
    try:
        yield bench
    finally:
        del request.node.stash[_BENCH]
        bench.close()


@pytest.fixture(scope="session")
def _ipo_broker_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerServer]:
    """The broker of this process's tests: the one of `--ipo-broker-url`, or one that is brought for them."""
    from ipo_sim.errors import BrokerError, ConfigError  # noqa: PLC0415 - a fixture is used
    from ipo_sim.testing.broker import open_server  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        url = request.config.getoption("--ipo-broker-url")
        try:
            server = stack.enter_context(open_server(url, tmp_path_factory.mktemp("ipo-broker")))
        except (BrokerError, ConfigError) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield server


@pytest.fixture
def ipo_broker(_ipo_broker_server: BrokerServer) -> Iterator[BrokerUnderTest]:
    """An MQTT broker; the units of a test that has it are on it, below a prefix of their own."""
    from ipo_sim.testing.broker import broker_for_a_test  # noqa: PLC0415 - a fixture is used

    with broker_for_a_test(_ipo_broker_server) as broker:
        yield broker


@pytest.fixture
def ipo_http(_ipo_bench: Bench) -> HttpUnderTest:
    """The control API of the units of the test, which are offered over HTTP as well; it needs the extra `http`."""
    from ipo_sim.testing.place import HttpUnderTest  # noqa: PLC0415 - a fixture is used

    if _ipo_bench.http_url is None:
        raise pytest.fail.Exception("ipo_http has to be among the arguments of the test or its fixtures", pytrace=False)
    return HttpUnderTest(_ipo_bench.http_url)


@pytest.fixture
def ipo_units(_ipo_bench: Bench) -> Units:
    """All units of the configuration, by name: started, their cards in, and their time standing still."""
    return _ipo_bench.units


@pytest.fixture
def ipo_unit(_ipo_bench: Bench) -> SimulatedUnit:
    """The first unit of the configuration; by default a full IP500 that runs as Professional Edition."""
    return _ipo_bench.units[0]


@pytest.fixture
def ipo_clock(_ipo_bench: Bench) -> VirtualClock:
    """The clock of all units of the test."""
    return _ipo_bench.clock


@pytest.fixture
def ipo_reader(_ipo_bench: Bench) -> ReaderUnderTest:
    """The feature key reader of the first unit."""
    return _ipo_bench.reader()


@pytest.fixture
def ipo_scenario(request: pytest.FixtureRequest) -> ScenarioPlayer:
    """Plays scenario files, found beside the test or below the root folder, in units and a time of their own."""
    from ipo_sim.testing.scenario import ScenarioPlayer  # noqa: PLC0415 - a fixture is used

    return ScenarioPlayer((request.path.parent, request.config.rootpath))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put into the report of a failure what happened to the units."""
    report = yield
    when = item.config.getoption("--ipo-journal")
    bench = item.stash.get(_BENCH, None)
    if bench is not None and report.when != "teardown" and (when == "always" or (report.failed and when != "never")):
        from ipo_sim.testing.report import sections  # noqa: PLC0415 - only for failures

        report.sections += sections(bench, _command(item))
    return report


def _open(request: pytest.FixtureRequest, broker: BrokerUnderTest | None, *, http: bool) -> Bench:
    """The units that the test asks for, booted if it wants them so."""
    from ipo_sim.errors import BrokerError, ConfigError, HttpError  # noqa: PLC0415 - a fixture is used
    from ipo_sim.testing.bench import Bench  # noqa: PLC0415 - as above
    from ipo_sim.testing.configuration import Wanted, settings_for  # noqa: PLC0415 - as above

    config = request.config
    marker = request.node.get_closest_marker(MARKER)
    folders = (request.path.parent, config.rootpath)
    try:
        wanted = Wanted.of(marker.args, marker.kwargs) if marker is not None else Wanted()
        reader, seed = config.getoption("--ipo-reader"), config.getoption("--ipo-seed")
        settings, cassettes = settings_for(wanted, folders, _default(config), reader, seed)
        place = broker.place if broker is not None else None
        bench = Bench.open(settings, cassettes, wanted.start, place, http=http)
    except (BrokerError, ConfigError, HttpError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    try:
        if wanted.boot:
            bench.boot()
    except BaseException:
        bench.close()
        raise
    return bench


def _default(config: pytest.Config) -> Path | None:
    """The configuration of the run, if it has one."""
    given: str | None = config.getoption("--ipo-config")
    if given:
        return config.invocation_params.dir / given
    setting: str = config.getini(MARKER)
    return config.rootpath / setting if setting else None


def _command(item: pytest.Item) -> list[str]:
    """What to type, where this run was started, to see a failure again, alone."""
    option = item.config.getoption
    file, *names = item.nodeid.split("::")
    file = os.path.relpath(item.config.rootpath / file, item.config.invocation_params.dir)
    words = ["pytest", "::".join((file, *names)), f"--ipo-seed={option('--ipo-seed')}"]
    words += [f"{name}={option(name)}" for name in ("--ipo-config", "--ipo-broker-url") if option(name)]
    if option("--ipo-reader") != "virtual":
        words.append(f"--ipo-reader={option('--ipo-reader')}")
    seed = getattr(item.config.option, "randomly_seed", None)
    if isinstance(seed, int):
        words.append(f"--randomly-seed={seed}")
    return words
