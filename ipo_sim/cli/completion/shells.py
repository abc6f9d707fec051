"""What differs between shells: the scripts that ask, how a line falls into words, and how words are given back.

Answers are lines, a word each, behind a tab what it means. A first line `:files` or `:directories` leaves the rest to
the shell, which knows its own ways with paths; tcsh, which does not, is told the paths. A word that ends in `=` or `/`
is to be continued, so no blank follows it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipo_sim.cli.completion.candidate import DIRECTORIES, FILES, Candidate

_BASH = """\
# bash completion for ipo-sim
_ipo_sim() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT}
    COMPREPLY=($("$1" completion answer bash "$2" "$line" 2>/dev/null))
    case ${COMPREPLY[0]-} in
        :files | :directories)
            local kind=-f
            [[ ${COMPREPLY[0]} == :directories ]] && kind=-d
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen "$kind" -- "$2"))
            ;;
        *[=/]) compopt -o nospace 2>/dev/null ;;
    esac
}
complete -F _ipo_sim ipo-sim
"""

_ZSH = """\
#compdef ipo-sim
# zsh completion for ipo-sim
_ipo_sim() {
    local line word
    local -a answer words_done shown_done words_open shown_open
    answer=("${(@f)$("${(Q)words[1]}" completion answer zsh "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    case ${answer[1]} in
        :files) _files; return ;;
        :directories) _files -/; return ;;
    esac
    for line in "${answer[@]}"; do
        word=${line%%$'\\t'*}
        [[ -n $word ]] || continue
        [[ $line == *$'\\t'* ]] && line="$word  -- ${line#*$'\\t'}"
        if [[ $word == *[=/] ]]; then
            words_open+=("$word"); shown_open+=("$line")
        else
            words_done+=("$word"); shown_done+=("$line")
        fi
    done
    (( $#words_done )) && compadd -l -d shown_done -a words_done
    (( $#words_open )) && compadd -l -S '' -d shown_open -a words_open
    return 0
}
if [[ ${funcstack[1]} == _ipo_sim || ${funcstack[1]} == _ipo-sim ]]; then
    _ipo_sim "$@"
else
    compdef _ipo_sim ipo-sim
fi
"""

_FISH = """\
# fish completion for ipo-sim
function __ipo_sim_complete
    set -l words (commandline -opc)
    set -l answer (command $words[1] completion answer fish $words (commandline -ct) 2>/dev/null)
    switch "$answer[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :directories
            __fish_complete_directories (commandline -ct)
        case '*'
            test -n "$answer"; and printf '%s\\n' $answer
    end
end
complete -c ipo-sim -f -a '(__ipo_sim_complete)'
"""

_TCSH = """\
# tcsh completion for ipo-sim
complete ipo-sim 'p@*@`ipo-sim completion answer tcsh "$COMMAND_LINE"`@'
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "tcsh": _TCSH}

_SPECIAL = re.compile(r"([^\w@%+=:,./-])")


def words_of_line(line: str) -> list[str]:
    """The words of a line up to the cursor, the last one as far as it is typed; a quote that is open closes there."""
    for end in ("", '"', "'"):
        lexer = shlex.shlex(line + end, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters = True, ""
        try:
            words = list(lexer)
        except ValueError:
            continue
        is_new = not end and (not line or (line[-1].isspace() and not line.endswith("\\ ")))
        return [*words, ""] if is_new or not words else words
    return [*line.split(), ""]


def bash_words(last: str, found: Sequence[Candidate], part: str) -> list[str]:
    """`part` is what bash takes for the last word: without what stands before `=` or `:`, and with quotes."""
    part = "" if part in ("=", ":") else part
    before = last[: len(last) - len(part)] if last.endswith(part) else ""
    words = [word.removeprefix(before) for word, _ in found]
    return words if part.startswith(("'", '"')) else [_escaped(word) for word in words]


def told_words(found: Sequence[Candidate]) -> list[str]:
    """Each with its meaning; zsh and fish show that, and quote words themselves."""
    return [f"{word}\t{text}" if text else word for word, text in found]


def tcsh_words(last: str, found: Sequence[Candidate]) -> list[str]:
    """Bare, and paths as paths; what has blanks would fall apart."""
    if found and found[0].word in (FILES, DIRECTORIES):
        return _paths(last, only_directories=found[0].word == DIRECTORIES)
    return [word for word, _ in found if not _SPECIAL.search(word)]


def _escaped(word: str) -> str:
    return word if word in (FILES, DIRECTORIES) else _SPECIAL.sub(r"\\\1", word)


def _paths(begun: str, *, only_directories: bool) -> list[str]:
    """What there is in the folder that is named so far."""
    folder, slash, start = begun.rpartition("/")
    try:
        items = sorted(Path(folder + slash or ".").expanduser().iterdir())
    except OSError:
        return []
    return [
        f"{folder}{slash}{item.name}{'/' if item.is_dir() else ''}"
        for item in items
        if item.name.startswith(start) and (start or item.name[0] != ".") and (item.is_dir() or not only_directories)
    ]
