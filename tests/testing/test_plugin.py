"""The plugin as its users have it: whole test runs, with its options, markers, reports, and other plugins beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ipo_sim.config.load import load_config
from ipo_sim.testing.plugin import pytest_addoption
from tests.testing.runs import INI, run

CONFIGS = Path(__file__).parents[2] / "configs"

FIRST_TEST = """
    def test_pulling_the_card(ipo_unit, ipo_clock):
        ipo_unit.remove_card()
        assert ipo_unit.edition == "professional"
        ipo_clock.advance(hours=2)
        assert ipo_unit.state == "awaiting_feature_key"
        assert ipo_unit.expansion[1].cause[0].startswith("licence:")
"""
FAILING = """
    def test_it(ipo_unit, ipo_random):
        ipo_unit.remove_card()
        print("drawn", ipo_random.random())
        assert ipo_unit.state == "off"
"""
HEAVY = "pydantic aiomqtt paho yaml structlog sqlite3 asyncio ipo_sim.core ipo_sim.runtime ipo_sim.mqtt ipo_sim.client"


def has_virtual_readers(config: Path) -> bool:
    return {reader.kind for reader in load_config(config).readers.values()} == {"virtual"}


@pytest.fixture(autouse=True)
def _ini(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)


def test_the_first_test_of_a_user_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIRST_TEST)
    run(pytester).assert_outcomes(passed=1)


def test_nothing_heavy_is_imported_before_a_fixture_is_used() -> None:
    code = f"import sys, ipo_sim.testing.plugin\nprint(*(name for name in '{HEAVY}'.split() if name in sys.modules))"
    bare = "import sys, pytest\nprint(*(name for name in '" + HEAVY + "'.split() if name in sys.modules))"
    said = [
        subprocess.run([sys.executable, "-c", each], check=True, capture_output=True, text=True).stdout.split()
        for each in (bare, code)
    ]
    assert said[1] == said[0]
    assert "pydantic" not in said[1]


def test_units_without_a_broker_do_not_pay_for_one() -> None:
    code = "import sys, ipo_sim.testing.bench; print('aiomqtt' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "False"


def test_a_run_that_does_not_use_it_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\n\n"
        "def test_lean():\n"
        "    mine = [name for name in sys.modules if name.startswith('ipo_sim.')]\n"
        "    assert mine == ['ipo_sim.testing', 'ipo_sim.testing.plugin'], mine\n"
        "    assert 'aiomqtt' not in sys.modules\n"
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=1)


class TestTheMarker:
    @pytest.mark.parametrize(
        "arguments",
        [
            "model='ip500', slots={1: 'DS8', 2: {'card': 'VCM32'}}",
            "{'units': [{'name': 'bench-1', 'model': 'ip500', 'slots': {1: 'DS8'}}]}",
            "'units:\\n  - {name: bench-1, model: ip500, slots: {1: DS8}}\\n'",
            "'lab.yaml'",
            "Path('lab.yaml')",
        ],
    )
    def test_it_takes_settings_in_every_form(self, pytester: pytest.Pytester, arguments: str) -> None:
        pytester.path.joinpath("lab.yaml").write_text("units:\n  - {name: bench-1, model: ip500, slots: {1: DS8}}\n")
        pytester.makepyfile(
            f"""
            from pathlib import Path
            import pytest

            @pytest.mark.ipo_config({arguments})
            def test_it(ipo_unit):
                assert ipo_unit.name == "bench-1"
                assert ipo_unit.slots[1].fitted == "DS8"
                assert ipo_unit.state == "running"
            """
        )
        run(pytester, "--strict-markers").assert_outcomes(passed=1)

    def test_the_nearest_one_counts(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import pytest

            pytestmark = pytest.mark.ipo_config(slots={1: "DS8"})

            def test_module(ipo_unit):
                assert ipo_unit.slots[1].fitted == "DS8"

            @pytest.mark.ipo_config(slots={1: "POT8"})
            def test_own(ipo_unit):
                assert ipo_unit.slots[1].fitted == "POT8"
            """
        )
        run(pytester).assert_outcomes(passed=2)

    def test_a_unit_can_be_met_at_power_up_and_at_any_time(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import pytest

            @pytest.mark.ipo_config(boot=False, time="2031-02-03T04:05:06Z")
            def test_it(ipo_unit, ipo_clock):
                assert ipo_unit.state == "starting"
                assert ipo_clock.now.isoformat() == "2031-02-03T04:05:06+00:00"
            """
        )
        run(pytester).assert_outcomes(passed=1)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ("slots={1: 'DSS8'}", "did you mean 'DS8'?"),
            ("'no.yaml'", "there is no file no.yaml in"),
            ("'a.yaml', slots={}", "or the settings of one unit by name, not both"),
            ("'a.yaml', 'b.yaml'", "ipo_config takes one file"),
            ("7", "a file, a text or a mapping is wanted, not 7"),
            ("boot='no'", "boot is True or False, not 'no'"),
            ("time='soon'", "time 'soon' is none; write it as 2026-"),
            ("modle='ip500'", "did you mean 'model'?"),
        ],
    )
    def test_mistakes_are_told_without_a_traceback(self, pytester: pytest.Pytester, arguments: str, told: str) -> None:
        pytester.makepyfile(
            f"import pytest\n\n@pytest.mark.ipo_config({arguments})\ndef test_it(ipo_unit):\n    pass\n"
        )
        result = run(pytester)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*{told.replace('[', '[[]')}*"])
        assert "Traceback" not in result.stdout.str()
        assert "configuration.py" not in result.stdout.str()


class TestTheConfigurationOfARun:
    SHOWS = "def test_it(ipo_unit):\n    assert ipo_unit.name == {name!r}\n"

    def test_it_is_that_of_the_option_before_that_of_the_ini_file(self, pytester: pytest.Pytester) -> None:
        for name in ("one", "two"):
            pytester.path.joinpath(f"{name}.yaml").write_text(f"units: [{{name: {name}, model: ip500}}]\n")
        ini = f"{INI}ipo_config = one.yaml\n"
        pytester.makepyfile(self.SHOWS.format(name="one"))
        run(pytester, ini=ini).assert_outcomes(passed=1)
        pytester.makepyfile(self.SHOWS.format(name="two"))
        run(pytester, "--ipo-config=two.yaml", ini=ini).assert_outcomes(passed=1)

    def test_a_file_that_is_not_there_is_told(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(self.SHOWS.format(name="one"))
        result = run(pytester, "--ipo-config=three.yaml")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*three.yaml*No such file*"])

    @pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.yaml") if has_virtual_readers(path)))
    def test_every_ready_configuration_with_virtual_readers_can_be_tested(
        self, pytester: pytest.Pytester, name: str
    ) -> None:
        pytester.makepyfile("def test_it(ipo_units):\n    assert all(unit.state for unit in ipo_units.values())\n")
        run(pytester, f"--ipo-config={CONFIGS / name}").assert_outcomes(passed=1)


class TestTheReportOfAFailure:
    def test_it_holds_the_journal_and_how_to_see_it_again(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(FAILING)
        result = run(pytester, "--ipo-seed=7")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                "*- ipo-sim bench-1 -*",
                "running, edition professional, alarms: 40-feature-key",
                "*1  2026-01-05T12:00:00.000Z  power was applied (start)",
                "*5  2026-01-05T12:00:08.000Z  the feature key was removed (command:remove-card)*",
                "*- ipo-sim: again with -*",
                "pytest *test_it* --ipo-seed=7",
            ]
        )

    def test_the_command_is_for_the_folder_in_which_the_run_was_started(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytester.makepyfile(FAILING)
        below = pytester.mkdir("below")
        monkeypatch.chdir(below)
        result = run(pytester, "--rootdir", str(pytester.path), str(pytester.path))
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["pytest ../*::test_it* --ipo-seed=0"])

    @pytest.mark.slow
    @pytest.mark.timeout(120)
    def test_the_command_that_it_tells_reproduces_it(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(FAILING)
        first = pytester.runpytest_subprocess("--ipo-seed=11")
        (command,) = [line for line in first.outlines if line.startswith("pytest ")]
        assert "--randomly-seed=" in command
        again = pytester.run(sys.executable, "-m", *command.split())
        again.assert_outcomes(failed=1)
        drawn = [line for line in first.outlines if line.startswith("drawn ")]
        assert drawn == [line for line in again.outlines if line.startswith("drawn ")]
        assert len(drawn) == 1

    def test_a_long_history_is_cut_at_its_beginning(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            def test_it(ipo_unit, ipo_reader):
                ipo_reader.bounce(20)
                assert False
            """
        )
        result = run(pytester)
        result.stdout.fnmatch_lines(["*... 24 earlier events"])
        assert len([line for line in result.outlines if "command:" in line]) == 20

    def test_it_is_there_too_when_a_later_fixture_fails(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import pytest

            @pytest.fixture
            def tool(ipo_unit):
                ipo_unit.remove_card()
                raise RuntimeError("no tool")

            def test_it(tool):
                pass
            """
        )
        result = run(pytester)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*the feature key was removed (command:remove-card)*"])

    @pytest.mark.parametrize(
        ("option", "source", "shown"),
        [
            ("never", FAILING, False),
            ("on-failure", FIRST_TEST, False),
            ("always", FIRST_TEST, True),
        ],
    )
    def test_when_it_is_wanted(self, pytester: pytest.Pytester, option: str, source: str, *, shown: bool) -> None:
        pytester.makepyfile(source)
        result = run(pytester, f"--ipo-journal={option}", "-rP")
        assert ("ipo-sim bench-1" in result.stdout.str()) is shown

    def test_a_failure_without_units_is_left_alone(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile("def test_it():\n    assert False\n")
        assert "ipo-sim:" not in run(pytester).stdout.str()


class TestSeed:
    DRAWS = """
        import pytest

        @pytest.mark.parametrize("n", [1, 2])
        def test_it(ipo_random, n):
            print("drawn", n, ipo_random.random())
    """

    def test_chance_hangs_on_seed_and_test_only(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(self.DRAWS)

        def drawn(*options: str) -> list[str]:
            result = pytester.runpytest_inprocess("-rP", *options)
            return sorted(line for line in result.outlines if line.startswith("drawn"))

        plain = drawn("-p", "no:randomly")
        assert len({line.split()[2] for line in plain}) == 2
        assert drawn("-p", "no:randomly", "--ipo-seed=0") == plain
        assert drawn("--randomly-seed=99") == plain
        assert drawn("-p", "no:randomly", "--ipo-seed=1") != plain

    STRIKES = """
        def test_it(ipo_unit, ipo_reader):
            ipo_unit.inject_fault("card-mute", probability=0.5)
            struck = []
            for _ in range(20):
                ipo_reader.remove()
                ipo_reader.insert()
                struck.append(str(int(ipo_unit.feature_key.presence != "present")))
            print("struck", "".join(struck))
    """

    def test_faults_strike_by_it(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(self.STRIKES)

        def struck(*options: str) -> list[str]:
            return [line for line in run(pytester, "-rP", *options).outlines if line.startswith("struck")]

        plain = struck()
        assert len(plain) == 1
        assert struck("--ipo-seed=0") == plain
        assert struck("--ipo-seed=1") != plain


class TestOtherPlugins:
    def test_asyncio_tests_use_the_same_fixtures(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import asyncio
            import pytest

            @pytest.mark.asyncio
            async def test_it(ipo_unit, ipo_clock):
                ipo_unit.remove_card()
                await asyncio.sleep(0)
                ipo_clock.advance("2h")
                assert ipo_unit.state == "awaiting_feature_key"
            """
        )
        run(pytester).assert_outcomes(passed=1)

    @pytest.mark.slow
    @pytest.mark.timeout(60)
    def test_it_needs_no_plugin_for_asyncio(self, pytester: pytest.Pytester) -> None:
        pytester.makeini("[pytest]\n")
        pytester.makepyfile(FIRST_TEST)
        result = pytester.runpytest_subprocess("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:timeout")
        result.assert_outcomes(passed=1)

    @pytest.mark.slow
    @pytest.mark.timeout(120)
    def test_workers_share_nothing_and_order_does_not_matter(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import pytest

            @pytest.mark.parametrize("n", range(40))
            def test_it(ipo_unit, ipo_clock, n):
                assert len(ipo_unit.licences) == 8
                ipo_unit.remove_card()
                ipo_clock.advance(hours=n)
                assert (ipo_unit.state == "running") is (n < 2)
                ipo_unit.remove_licence(ipo_unit.licences[1].key)
            """
        )
        for seed in (1, 2):
            result = pytester.runpytest_subprocess("-n", "2", f"--randomly-seed={seed}", timeout=100)
            result.assert_outcomes(passed=40)

    @pytest.mark.slow
    @pytest.mark.timeout(120)
    def test_the_journal_comes_back_from_a_worker(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(FAILING)
        result = pytester.runpytest_subprocess("-n", "1", timeout=100)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*the feature key was removed (command:remove-card)*", "pytest *--ipo-seed=0*"])


def test_all_options_are_explained(pytester: pytest.Pytester) -> None:
    parser = pytest.Parser(_ispytest=True)
    pytest_addoption(parser)
    page = (Path(__file__).parents[2] / "docs" / "reference" / "pytest-plugin.md").read_text()
    help_text = run(pytester, "--help").stdout.str()
    for option in ("--ipo-config", "--ipo-seed", "--ipo-reader", "--ipo-broker-url", "--ipo-journal"):
        assert option in help_text
        assert f"`{option}" in page
