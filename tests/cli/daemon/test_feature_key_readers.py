"""Readers of a fleet speak some units at a time: a command that is there first takes nothing from its unit."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.daemon.feature_key_readers import UNITS_AT_A_TIME, FeatureKeyReaders
from ipo_sim.config.load import load_config
from ipo_sim.runtime.assembly import open_runtime
from ipo_sim.runtime.clock import stepped
from ipo_sim.runtime.commands import execute
from tests.core.bench import NOON
from tests.runtime.test_pump import until


async def test_a_reader_is_attached_also_where_a_command_was_there_first(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(f"units: [{{name: 'u-{{n}}', model: ip500, count: {2 * UNITS_AT_A_TIME}}}]")
    settings = load_config(path)
    runtime = open_runtime(None, settings.units, load_catalogue(), clock=stepped(NOON))
    last = settings.units[-1].name
    with closing(runtime), closing(FeatureKeyReaders(settings.readers, runtime, {})) as readers:
        tasks = [asyncio.create_task(runtime.pump.run())]
        try:
            await execute(runtime.context, last, "insert-card", {"serial": "9999999999"})
            tasks.append(asyncio.create_task(readers.run()))
            await until(runtime, lambda: all(runtime.engine.unit(unit.name).reader.attached for unit in settings.units))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert runtime.engine.unit(last).key.serial == "9999999999"
