"""Secrets that stand in files of their own: the first line counts."""

from __future__ import annotations

from pathlib import Path

from ipo_sim.config.mistakes import Findings, Location

# A secret is one line that somebody can still type.
MAX_BYTES = 4096


def first_line(path: Path | None, here: Location, findings: Findings) -> str | None:
    """The first line of the file of the setting at `here`; None: it names none, or `findings` say what is wrong."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode().partition("\n")[0].rstrip("\r")
    except OSError as error:
        findings.mistake(here, f"{path}: {error.strerror or error}")
    except UnicodeDecodeError:
        findings.mistake(here, f"{path}: not UTF-8 text")
    except ValueError as error:
        findings.mistake(here, f"{str(path)!r}: {error}")
    return None
