"""The program `ipo-sim`: reads the command line, runs one command, and turns whatever goes wrong into an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from ipo_sim.cli.command_line import parse
from ipo_sim.cli.failure import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, UsageError
from ipo_sim.errors import ConfigError, IpoSimError, LicenceFormatError

# Objects between two looks for garbage, for what may be garbage of a unit's cascade is some hundreds; and how many such
# looks between two at what has survived one: it is state as a rule, and of an import of licences all of it.
GARBAGE_THRESHOLDS = 10_000, 50
# Wrong input, as opposed to a run that failed.
_USAGE_ERRORS = (UsageError, ConfigError, LicenceFormatError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (`argv` without the program's name; None: that of the process) and return its exit code.

    0: done. 1: it failed, or the answer is no. 2: the command line or a configuration is wrong. Nothing is raised but
    what `--help` and a wrong command line do: SystemExit.
    """
    if argv is None:
        _lighten_imports()
    arguments = sys.argv[1:] if argv is None else list(argv)
    debug = "--debug" in arguments or bool(os.environ.get("IPO_SIM_DEBUG"))
    try:
        code = _run(parse(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a boundary: users see one line, whoever looks for the defect the traceback
        return _failed(error, debug=debug)
    return code


def _run(arguments: Namespace) -> int:
    """The command's module is imported now: nobody pays for the others."""
    command: Callable[[Namespace], int] = import_module(arguments.module).main
    return command(arguments)


def _lighten_imports() -> None:
    """Save a tenth of what imports cost: only for a process of our own, since it is the whole process that changes."""
    # Most of what imports make stays, and so does what a cascade makes: no use to look for garbage all the time.
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Other packages' plugins have no business in our models, and the look for them reads all that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _failed(error: Exception, *, debug: bool) -> int:
    if debug:
        import traceback  # noqa: PLC0415 - only on the way out

        traceback.print_exception(error)
    if isinstance(error, ConfigError):
        # Each of its lines begins with file and line, as editors like it.
        print(error, file=sys.stderr)
    elif isinstance(error, IpoSimError):
        print(f"ipo-sim: {error}", file=sys.stderr)
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" for {error.filename}" if error.filename else ""
        print(f"ipo-sim: no space is left{where or ' where the output goes'}", file=sys.stderr)
        return _reader_gone()
    else:
        what = f"{type(error).__name__}: {error}"
        print(f"ipo-sim: internal error, {what}; --debug before the command shows where", file=sys.stderr)
    return EXIT_USAGE if isinstance(error, _USAGE_ERRORS) else EXIT_FAILED


def _reader_gone() -> int:
    """Whoever read our output has enough, as `head` has; the interpreter must not try to write the rest at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_FAILED


__all__ = ["EXIT_OK", "main"]
