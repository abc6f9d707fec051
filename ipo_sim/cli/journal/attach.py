"""`ipo-sim journal attach`: one file for a bug report, with all that tells what happened and without secrets."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ipo_sim.catalogue.load import load_catalogue
from ipo_sim.cli.daemon_file import read_daemon
from ipo_sim.cli.failure import EXIT_OK
from ipo_sim.cli.journal.secrets_removed import Secrets, read_yaml, write_yaml
from ipo_sim.cli.journal.source import EXPORT_NAME, opened
from ipo_sim.cli.state_dir import default_state_dir
from ipo_sim.cli.terminal import print_json
from ipo_sim.cli.version import version
from ipo_sim.errors import ConfigError, IpoSimError, JournalError
from ipo_sim.runtime.journal_export import export_lines
from ipo_sim.runtime.journal_reader import JournalReader
from ipo_sim.runtime.journal_replay import Replayer
from ipo_sim.runtime.journal_verify import verify
from ipo_sim.runtime.without_secrets import WithoutSecrets

# One moment for all members: the same report is the same file.
_DATE = (1980, 1, 1, 0, 0, 0)
_README = """\
A report of ipo-sim {version}, made by `ipo-sim journal attach`. Passwords, secrets and tokens were removed; licence
keys were issued anew, so that they judge as before.

  report.json    versions, whether the journal is whole, and whether it replays to the same
  journal.jsonl  the journal: ipo-sim journal show|replay|at|verify|diff --file THIS.zip
{more}"""


def main(arguments: Namespace) -> int:
    """Write the report, and say what is in it."""
    with opened(arguments) as reader:
        rewriter = WithoutSecrets(reader)
        # The keys are known once the journal has been written without them.
        for _ in export_lines(reader, version(), rewriter):
            pass
        secrets = _secrets(rewriter)
        members = {"report.json": json.dumps(_report(reader), indent=2, ensure_ascii=False) + "\n"}
        members |= _configuration(arguments, secrets) | _log(arguments, secrets)
        members = {"README.txt": _readme(members), **members}
        journal = _guarded(export_lines(reader, version(), _Scrubbed(rewriter, secrets)), secrets)
        _write(arguments.output, members, journal)
    told = {"file": str(arguments.output), "members": [*members, EXPORT_NAME]}
    if arguments.json:
        print_json(told)
    else:
        print(f"{arguments.output}: {', '.join(told['members'])}")
    return EXIT_OK


class _Scrubbed:
    """The journal without secrets, and without any that stands where none belongs."""

    def __init__(self, rewriter: WithoutSecrets, secrets: Secrets) -> None:
        self._rewriter = rewriter
        self._secrets = secrets

    def definition(self, text: str) -> str:
        return self._secrets.words_removed(self._rewriter.definition(text))

    def data(self, unit: Any, epoch: int, kind: str, text: str) -> str:  # noqa: ANN401 - passed on as it came
        return self._secrets.words_removed(self._rewriter.data(unit, epoch, kind, text))

    def cause(self, text: str) -> str:
        return self._secrets.words_removed(text)


def _secrets(rewriter: WithoutSecrets) -> Secrets:
    secrets = Secrets(rewriter.keys)
    for secret in rewriter.secrets:
        secrets.add(secret.decode(errors="replace"))
    secrets.add(os.environ.get("IPO_SIM_SECRET", ""))
    secrets.learn({"broker": os.environ.get("IPO_SIM_BROKER", "")}, Path())
    return secrets


def _report(reader: JournalReader) -> dict[str, Any]:
    verdict = verify(reader)
    return {
        "versions": _versions(),
        "schema": reader.schema,
        "events": verdict.events,
        "heads": [head._asdict() for head in verdict.heads],
        "findings": [finding._asdict() for finding in verdict.findings],
        "replay": list(_replays(reader)),
    }


def _versions() -> dict[str, str]:
    found = {
        "ipo-sim": version(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for line in _requirements():
        name = line.split(";")[0].split("[")[0].strip("!<>=~. 0123456789,")
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            continue
    return found


def _requirements() -> list[str]:
    try:
        return [line for line in requires("ipo-sim") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        return []


def _replays(reader: JournalReader) -> Iterator[dict[str, Any]]:
    replayer = Replayer(reader, load_catalogue())
    for unit in reader.units():
        try:
            replay = replayer.replay(unit)
        except JournalError as error:
            yield {"unit": unit, "error": str(error)}
            continue
        differences = [difference._asdict() for difference in replay.differences]
        yield {"unit": unit, "epoch": replay.epoch, "events": replay.events, "differences": differences}


def _configuration(arguments: Namespace, secrets: Secrets) -> dict[str, str]:
    """The configuration that is given, or that of the daemon that runs there; its secrets are known from here on."""
    daemon = None if arguments.file else read_daemon(arguments.state_dir or default_state_dir())
    path = arguments.config or (Path(daemon.config) if daemon is not None and daemon.config else None)
    if path is None:
        return {}
    try:
        data = read_yaml(path)
    except ConfigError as error:
        raise ConfigError(f"{error}; what cannot be read cannot be freed of secrets, do without --config") from None
    secrets.learn(data, path.parent)
    return {"config.yaml": write_yaml(secrets.data(data))}


def _log(arguments: Namespace, secrets: Secrets) -> dict[str, str]:
    if arguments.log is None:
        return {}
    try:
        with arguments.log.open(encoding="utf-8", errors="replace") as file:
            lines = deque(file, maxlen=arguments.lines)
    except OSError as error:
        raise JournalError(f"{arguments.log}: {error.strerror or error}") from None
    return {"log.txt": secrets.text("".join(lines))}


def _readme(members: Iterable[str]) -> str:
    words = {"config.yaml": "the configuration, without comments", "log.txt": "the last lines of the log"}
    more = "".join(f"  {name:<13}  {text}\n" for name, text in words.items() if name in members)
    return _README.format(version=version(), more=more)


def _guarded(lines: Iterable[str], secrets: Secrets) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if secrets.left_in(line):
            raise IpoSimError(f"no report is written: line {number} of it would hold a secret, as the name of a unit?")
        yield f"{line}\n"


def _write(path: Path, members: dict[str, str], journal: Iterable[str]) -> None:
    draft = path.with_name(f"{path.name}.new")
    try:
        with ZipFile(draft, "w", ZIP_DEFLATED) as report:
            for name, text in members.items():
                report.writestr(_member(name), text)
            with report.open(_member(EXPORT_NAME), "w", force_zip64=True) as file:
                for line in journal:
                    file.write(line.encode())
        draft.replace(path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name, _DATE)
    member.compress_type = ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member
