"""Where state is kept when nobody says."""

from __future__ import annotations

import os
from pathlib import Path


def default_state_dir() -> Path:
    """`ipo-sim` below XDG_STATE_HOME; that is ~/.local/state unless set to an absolute path."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification has relative paths ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state"
    return root / "ipo-sim"
