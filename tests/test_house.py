"""House rules that a machine can hold: sizes, names, reasons for exceptions, no test that cannot fail, no paths."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# Not ours, or made by a tool.
GENERATED = frozenset("__pycache__ build dist htmlcov node_modules state".split())
SUFFIXES = frozenset(".cfg .cff .json .md .mjs .py .rules .sh .toml .txt .yaml .yml .c .h".split())

# Names that say nothing of what is inside; whatever would go there has a better home.
DRAWERS = frozenset("common helper helpers manager managers misc util utils".split())

# A comment that only silences a tool is no reason.
DIRECTIVE = re.compile(r"#\s*(noqa\b(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|type:\s*ignore(\[[\w, -]+\])?|pragma:\s*no \w+)")
REASON = re.compile(r"\w{2,}\b.*\b\w{2,}")

HOME = re.compile(r"(?<![\w./-])(/(home|root|Users|work|farm)/|[A-Z]:\\Users\\)\w")

# The verb, and with it licensed and unlicensed, has the s in Britain too.
AMERICAN = re.compile(r"license(?!d)")

LOG_METHODS = frozenset("debug info warning error exception critical".split())

# A call by one of these words in its name makes a test fail when it should; a wait has a limit.
VERDICTS = re.compile(r"assert|check|expect|fail|raises|until|verify|warns")

# A line, and what is wrong in it.
Finding = tuple[int, str]


def tree() -> Iterator[Path]:
    """Every text file of the project."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in GENERATED and (name[0] != "." or name == ".ci")]
        scripts = Path(folder).name == ".ci"
        yield from (Path(folder, name) for name in sorted(files) if scripts or Path(name).suffix in SUFFIXES)


def sizes(path: Path, source: str) -> Iterator[Finding]:
    lines = source.count("\n")
    if lines > MAX_FILE_LINES:
        yield lines, f"a file of {lines} lines; {MAX_FILE_LINES} at most"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; {MAX_FUNCTION_LINES} at most"


def drawers(path: Path, source: str) -> Iterator[Finding]:
    words = {part for piece in path.relative_to(ROOT).parts for part in re.split(r"\W|_", piece)}
    for word in words & DRAWERS:
        yield 1, f"a module called `{word}` says nothing of what is in it"


def comments(source: str) -> dict[int, str]:
    """What each line's comment says, without what it says to tools."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: DIRECTIVE.sub("", token.string) for token in tokens if token.type == tokenize.COMMENT}


def silenced(path: Path, source: str) -> Iterator[Finding]:
    reasons = comments(source)
    for number, line in enumerate(source.splitlines(), 1):
        if number in reasons and DIRECTIVE.search(line) and not REASON.search(reasons[number]):
            yield number, "silences a tool without a reason"


def broad_handlers(path: Path, source: str) -> Iterator[Finding]:
    reasons = comments(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _passes_on(node):
            told = [reasons.get(line, "") for line in (node.lineno - 1, node.lineno, node.lineno + 1)]
            if not any(REASON.search(text) for text in told):
                yield node.lineno, "a broad except without a comment that says why"


def _is_broad(kind: ast.expr | None) -> bool:
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(name is None or ast.unparse(name) in {"Exception", "BaseException"} for name in names)


def _passes_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def composed_events(path: Path, source: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=logger, attr=method), args=[event, *_]) if method in LOG_METHODS:
                if re.search(r"(^|[._])log(ger)?$", ast.unparse(logger)) and not isinstance(event, ast.Constant):
                    yield node.lineno, "a log event is a fixed name; what varies goes into key=value"


def american(path: Path, source: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                pass
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                pass
            case _:
                continue
        if AMERICAN.search(name.lower()):
            yield node.lineno, f"`{name}`: licence is the noun"


def sleeps(path: Path, source: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="sleep") | ast.Name(id="sleep"), args=[how_long, *_]):
                if not (isinstance(how_long, ast.Constant) and how_long.value == 0):
                    yield node.lineno, "a test waits for an event, it does not sleep"


def toothless(path: Path, source: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            inner = list(ast.walk(node))
            calls = [ast.unparse(part.func) for part in inner if isinstance(part, ast.Call)]
            if not any(isinstance(part, ast.Assert) for part in inner) and not any(map(VERDICTS.search, calls)):
                yield node.lineno, f"{node.name} cannot fail"


def machine_paths(path: Path, source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.splitlines(), 1):
        if HOME.search(line):
            yield number, "a path of one machine"


Rule = Callable[[Path, str], Iterator[Finding]]


def is_code(path: Path) -> bool:
    return path.suffix == ".py"


def is_package(path: Path) -> bool:
    return is_code(path) and path.is_relative_to(ROOT / "ipo_sim")


def is_test(path: Path) -> bool:
    return is_code(path) and path.is_relative_to(ROOT / "tests")


def is_text(path: Path) -> bool:
    return True


# Each rule, and the files that it holds for.
RULES: dict[Rule, Callable[[Path], bool]] = {
    sizes: is_code,
    silenced: is_code,
    broad_handlers: is_code,
    composed_events: is_package,
    american: is_code,
    sleeps: is_test,
    toothless: is_test,
    machine_paths: is_text,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    paths = [path for path in tree() if RULES[rule](path)]
    assert paths, "the rule looks at no file"
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}" for path in paths for line, what in rule(path, path.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (sizes, "x = 1\n" * (MAX_FILE_LINES + 1)),
        (sizes, "def long():\n" + "    x = 1\n" * MAX_FUNCTION_LINES),
        (silenced, "import os  # noqa: F401"),
        (silenced, "x: int = ''  # type: ignore[assignment]"),
        (silenced, "x = 1  # pragma: no cover"),
        (broad_handlers, "try:\n    x = 1\nexcept (ValueError, Exception):  # noqa: BLE001\n    x = 2"),
        (broad_handlers, "try:\n    x = 1\nexcept:\n    x = 2"),
        (composed_events, "self._log.warning(f'lost {reader}')"),
        (american, "def add_license(key): pass"),
        (sleeps, "async def test_x():\n    await asyncio.sleep(0.1)"),
        (toothless, "def test_x():\n    print(run())"),
        (machine_paths, "state: " + "/home" + "/someone/state"),
    ],
)
def test_a_breach_is_seen(rule: Rule, source: str) -> None:
    assert len(list(rule(ROOT / "x.py", source))) == 1


def test_no_module_is_a_drawer() -> None:
    assert [finding for path in tree() for finding in drawers(path, "")] == []
    assert list(drawers(ROOT / "ipo_sim" / "mqtt" / "topic_utils.py", ""))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (silenced, "import os  # noqa: F401 - re-exported for users"),
        (broad_handlers, "try:\n    x = 1\nexcept Exception:  # a boundary: logged, and the reader goes on\n    x = 2"),
        (broad_handlers, "try:\n    x = 1\nexcept ValueError:\n    x = 2"),
        (broad_handlers, "try:\n    x = 1\nexcept BaseException:\n    rollback()\n    raise"),
        (composed_events, "log.info('card-inserted', serial=serial)"),
        (american, "def licensed_ports(): return count(licences)"),
        (sleeps, "async def test_x():\n    await asyncio.sleep(0)"),
        (toothless, "def test_x():\n    with pytest.raises(ValueError):\n        run()"),
        (machine_paths, "state: ./state"),
    ],
)
def test_right_code_is_let_through(rule: Rule, source: str) -> None:
    assert list(rule(ROOT / "x.py", source)) == []
