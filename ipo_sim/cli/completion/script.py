"""`ipo-sim completion`: the script by which a shell asks this program what could stand where TAB is pressed."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from ipo_sim.cli.command_line import ANSWER
from ipo_sim.cli.completion.answer import Asked, candidates
from ipo_sim.cli.completion.shells import SCRIPTS, bash_words, tcsh_words, told_words, words_of_line
from ipo_sim.cli.failure import EXIT_OK, UsageError


def main(arguments: Namespace) -> int:
    """Print the script of the shell; or, for such a script, one line for each word that could stand there."""
    if arguments.shell == ANSWER:
        shell, *given = arguments.words or [""]
        sys.stdout.writelines(f"{line}\n" for line in _answer(shell, given))
        return EXIT_OK
    if arguments.words:
        raise UsageError(f"not understood: {' '.join(arguments.words)}")
    print(SCRIPTS[arguments.shell], end="")
    return EXIT_OK


def _answer(shell: str, given: Sequence[str]) -> list[str]:
    """Bash asks with the word as it sees it and the line to the cursor, tcsh with the line, the others with words."""
    match shell, given:
        case "bash", [part, line]:
            asked = _asked(words_of_line(line))
            return bash_words(asked.last, candidates(asked), part)
        case "tcsh", [line]:
            asked = _asked(words_of_line(line))
            return tcsh_words(asked.last, candidates(asked))
        case (("zsh" | "fish"), [_, _, *_]):
            return told_words(candidates(_asked(given)))
    raise UsageError("completion answer is what completion scripts ask")


def _asked(words: Sequence[str]) -> Asked:
    """Without the program's name."""
    return Asked(tuple(words[1:-1]), words[-1])
