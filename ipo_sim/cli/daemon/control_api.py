"""The control API of a daemon, put together; the library that it needs is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipo_sim.api.answers import Execute
from ipo_sim.api.encoder import Counters, Encoder
from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.config.settings import HttpSettings
from ipo_sim.core.model import UnitName
from ipo_sim.errors import HttpError
from ipo_sim.runtime.assembly import Runtime

if TYPE_CHECKING:
    from ipo_sim.panel.server import ControlServer


def control_server(settings: HttpSettings, runtime: Runtime, counters: Counters, execute: Execute) -> ControlServer:
    """The server, not yet bound; HttpError: the extra is not installed."""
    try:
        from ipo_sim.panel import server  # noqa: PLC0415 - what is missing is told in one line
        from ipo_sim.panel.settings import HttpSettings as PanelSettings  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise HttpError(f"HTTP needs {error.name}: install the extra `http`, pip install 'ipo-sim[http]'") from error

    def seq_of(unit: UnitName) -> int:
        return runtime.engine.unit(unit).seq

    encoder = Encoder(runtime.bus, load_catalogue(), counters=counters)
    where = PanelSettings(settings.port, settings.host, settings.token)
    return server.ControlServer(where, runtime.bus, encoder, execute, seq_of)
