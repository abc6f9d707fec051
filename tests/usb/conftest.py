"""A guest with USB takes half a minute and packages that nobody else needs: `make test-usb` asks for it."""

from __future__ import annotations

import os

WANTED = "IPO_SIM_TEST_USB"

collect_ignore_glob = [] if os.environ.get(WANTED) else ["test_*.py"]
