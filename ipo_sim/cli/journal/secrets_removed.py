"""Texts without the secrets that are known: passwords, secrets of licence keys and key servers, tokens, the home."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

import yaml

from ipo_sim.errors import ConfigError
from ipo_sim.licensing import dect_key, key

REMOVED = "(removed)"
# A shorter one stands in many texts by chance: it is removed where it is a word of its own, and told nowhere else.
MIN_CHARACTERS = 8

_SECRET = re.compile(r"secret|passw|token|credential|private", re.IGNORECASE)
# The path of a file is no secret, what is in it is.
_FILE = re.compile(r"_file$", re.IGNORECASE)
_KEY = re.compile(rf"\b(?:[0-9A-Za-z]{{{dect_key.DECT_KEY_LENGTH}}}|[0-9A-Za-z]{{{key.KEY_LENGTH}}})\b")


class Secrets:
    """What is known to be secret, and what has become of licence keys that were issued with a secret."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._known: dict[str, None] = {}
        self._keys = keys
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """One more; an empty one is none, and neither is the public one."""
        if secret and secret != key.DEFAULT_SECRET.decode():
            self._known[secret] = None
            self._pattern = None

    def learn(self, data: object, folder: Path) -> None:
        """All secrets of a configuration; files that it names are relative to `folder`."""
        for name, value in _scalars(data):
            text = str(value)
            if _SECRET.search(name) and not _FILE.search(name):
                self.add(text)
            elif _SECRET.search(name):
                self.add(_first_line(folder / text))
            for password in _passwords(text):
                self.add(password)

    def text(self, text: str) -> str:
        """The text without them, without licence keys that were issued with them, and without the user's home."""
        if self._known:
            text = _KEY.sub(lambda match: self._key(match[0]), self.words_removed(text))
        return text.replace(str(Path.home()), "~")

    def words_removed(self, text: str) -> str:
        """The text without the secrets themselves."""
        return self._expression().sub(REMOVED, text) if self._known else text

    def data(self, value: Any, name: str = "") -> Any:  # noqa: ANN401 - as YAML has it
        """A configuration without them."""
        if isinstance(value, dict):
            return {self._name(name): self.data(item, str(name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self.data(item, name) for item in value]
        if _SECRET.search(name) and not _FILE.search(name) and value is not None:
            return REMOVED
        return self.text(value) if isinstance(value, str) else value

    def left_in(self, text: str) -> bool:
        """Whether one of them is in the text all the same."""
        return any(form in text for secret in self._known if len(secret) >= MIN_CHARACTERS for form in forms(secret))

    def _name(self, name: object) -> object:
        return self.text(name) if isinstance(name, str) else name

    def _key(self, text: str) -> str:
        known = self._keys.get(key.normalise(text)) or self._keys.get(text)
        if known is not None:
            return known
        is_key = key.recognise(text) is not None or dect_key.recognise(text) is not None
        return REMOVED if is_key else text

    def _expression(self) -> re.Pattern[str]:
        if self._pattern is None:
            found = []
            for secret in self._known:
                if len(secret) >= MIN_CHARACTERS:
                    found += [re.escape(form) for form in forms(secret)]
                else:
                    found.append(rf"(?<!\w){re.escape(secret)}(?!\w)")
            self._pattern = re.compile("|".join(sorted(found, key=len, reverse=True)))
        return self._pattern


def forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in JSON, in a URL, in hexadecimal, in base 64."""
    raw = secret.encode()
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, *escaped, quote(secret, safe=""), quote_plus(secret), raw.hex(), base64.b64encode(raw).decode()}


def read_yaml(path: Path) -> object:
    """A configuration as data; ConfigError when it cannot be read as such."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read: {type(error).__name__}") from None


def write_yaml(data: object) -> str:
    """Data as YAML."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _scalars(data: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every value with the name of its setting."""
    if isinstance(data, dict):
        for key_of, value in data.items():
            yield from _scalars(value, str(key_of))
    elif isinstance(data, list):
        for value in data:
            yield from _scalars(value, name)
    elif data is not None:
        yield name, data


def _passwords(text: str) -> Iterator[str]:
    """Of the user in a URL, as it is written and as it is meant."""
    if "://" in text and "@" in text:
        try:
            password = urlsplit(text).password
        except ValueError:
            return
        if password:
            yield from (password, unquote(password))


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].strip("\r")
    except (OSError, UnicodeDecodeError):
        return ""
