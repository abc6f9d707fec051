"""Where the process begins: Ctrl-C ends it without a traceback while the program is still being imported, too."""

from __future__ import annotations


def main() -> int:
    """The program for the words of this process; its exit code."""
    try:
        from ipo_sim.cli.main import main as program  # noqa: PLC0415 - so that a signal meets the handler below
    except KeyboardInterrupt:
        from ipo_sim.cli.failure import EXIT_INTERRUPTED  # noqa: PLC0415 - as above

        return EXIT_INTERRUPTED
    return program()
