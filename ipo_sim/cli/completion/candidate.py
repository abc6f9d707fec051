"""A word that could stand where TAB is pressed."""

from __future__ import annotations

from typing import NamedTuple

# Instead of words: paths, which the shell finds itself.
FILES, DIRECTORIES = ":files", ":directories"


class Candidate(NamedTuple):
    """A word, and what it means, if there is anything to say."""

    word: str
    text: str = ""
