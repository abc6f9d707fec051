"""Ctrl-C before the program is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.daemons import ROOT, environment

# The signal comes while the command line is imported, which is most of what comes before any command.
INTERRUPTED = """\
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "ipo_sim.cli.command_line":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from ipo_sim.cli.entry import main
sys.exit(main())
"""


def test_an_interrupted_import_is_silent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, "--version"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=20, cwd=ROOT, env=environment(tmp_path)
    )
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")
