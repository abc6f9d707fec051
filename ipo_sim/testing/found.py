"""Files that tests name: beside the test, or below the root folder of the run."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from ipo_sim.errors import ConfigError


def find_file(what: str, file: str | Path, folders: Iterable[Path]) -> Path:
    """The file in the first of these folders that has it; ConfigError names them, and what is written nearly so."""
    places = list(dict.fromkeys(folders))
    for folder in places:
        if (folder / file).is_file():
            return folder / file
    name = Path(file).name
    beside = [place / Path(file).parent for place in places]
    others = {other.name for folder in beside if folder.is_dir() for other in folder.iterdir() if other.is_file()}
    near = get_close_matches(name, sorted(others), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{what}: there is no file {file} in {' or '.join(map(str, places))}{hint}")
