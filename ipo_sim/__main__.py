"""`python -m ipo_sim` is `ipo-sim`."""

from __future__ import annotations

import sys

from ipo_sim.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
