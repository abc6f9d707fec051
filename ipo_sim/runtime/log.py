"""Logging: one event name and key/value pairs a line; for people on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

Format = Literal["console", "json"]

LEVELS = ("debug", "info", "warning", "error")


class _Bridge(logging.Handler):
    """Hands what libraries log through the standard library to structlog, so that there is one format."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        logger = structlog.get_logger().bind(logger=record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)


def configure(form: Format | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard error) from `level` up; form None: by whether it is a terminal."""
    stream = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=_processors(form or ("console" if stream.isatty() else "json"), colors=stream.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        # Loggers are made at import and must follow a later `configure`.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Bridge()]
    # Libraries tell much on lower levels, asyncio every slow callback: that is for whoever debugs this program.
    root.setLevel(max(number, logging.WARNING) if number > logging.DEBUG else number)


def _processors(form: Format, *, colors: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    if form == "json":
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        return [*shared, stamp, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        *shared,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),
    ]
