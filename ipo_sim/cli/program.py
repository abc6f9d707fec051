"""How this program is called."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """How this program is called from where the user is now: `ipo-sim` if the shell finds this one."""
    called = Path(sys.argv[0])
    found = shutil.which("ipo-sim")
    if found is not None and called.exists() and called.samefile(found):
        return "ipo-sim"
    if called.name == "__main__.py":
        return f"{_near(Path(sys.executable))} -m ipo_sim"
    return shlex.quote(str(_near(called)))


def _near(path: Path) -> Path:
    """The path from the working directory if it lies below it."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path
