"""`ipo-sim init`: a first configuration to go on from."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ipo_sim.cli.failure import EXIT_OK, UsageError
from ipo_sim.config.template import new_configuration
from ipo_sim.errors import ConfigError


def main(arguments: Namespace) -> int:
    """Write the file and say what to do with it."""
    try:
        text = new_configuration(
            arguments.model,
            name=arguments.name,
            release_profile=arguments.profile,
            serial=arguments.serial,
            state=arguments.state,
        )
    except ConfigError as error:
        raise UsageError(str(error)) from None
    if arguments.file == "-":
        print(text, end="")
        return EXIT_OK
    path = Path(arguments.file)
    _write(path, text, overwrite=arguments.force)
    print(f"{path} is written. Start it: ipo-sim run {path}")
    return EXIT_OK


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already: --force overwrites it") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
