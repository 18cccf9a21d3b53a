"""The prose is plain English, in American spelling, as in scikit-learn's documentation.

``docs/developers/style.rst`` shows what to write instead. One test reads comments, docstrings and
strings of the code, and all of the documentation, for words that a reader stumbles over. The other
reads all of the text, with its identifiers, for British spelling.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("skimgcls", "tests", "examples", "benchmarks")
BUILT = {"_build", "_templates", "auto_examples", "generated"}
# The page shows the words that are not to be used, and the table is written by a script.
EXEMPT = {"docs/developers/style.rst", "docs/benchmarks_table.rst", "tests/test_language.py"}

WORDS = [
    "anew",
    "whence",
    "thereof",
    "heed(?:s|ed|ing)?",
    "comes? to bear",
    "no one's business",
    "by custom",
    "as good as",
    "against one's will",
    "of its own accord",
    "in its own way",
    "be it",
    "strangers",
    "several labels an image",
    "share of",
    "a net",
    "the net",
    "goes all the way",
]
# Parts of words in British spelling, which also occur inside identifiers.
BRITISH = [
    "analys(?=e[dr]?(?![a-z])|ing)",
    "artefact",
    "behaviour",
    "cancell(?=ed|ing)",
    "catalogue",
    "cent(?:re|ring)",
    "colour",
    "data[ -]set(?=s?(?![a-z]))",
    "favour",
    "grey(?!s)",
    "labell(?=ed|ing)",
    "learnt",
    "licence",
    "modell(?=ed|ing)",
    "neighbour",
    "spelt",
    "(?:general|initial|maxim|memor|minim|normal|quant|random|recogn|regular|serial|special"
    "|standard|summar|synchron|util|visual)is(?=e|ing|ation)",
]
BRITISH_PATTERN = re.compile("|".join(BRITISH), re.IGNORECASE)

PATTERN = re.compile(rf"(?<![\w`.])(?:{'|'.join(WORDS)})(?![\w`])", re.IGNORECASE)

SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.rst")]
    if not BUILT & set(path.relative_to(ROOT).parts)
)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def prose_of(path):
    """Return pairs of a line number and a piece of prose of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return list(enumerate(text.splitlines(), start=1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [(node.lineno, line) for line in node.value.splitlines()]
    return found


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=name_of)
def test_listed_words_are_not_used(path):
    if name_of(path) in EXEMPT:
        return
    found = [f"line {n}: {m[0]!r}" for n, text in prose_of(path) for m in PATTERN.finditer(text)]
    assert found == []


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=name_of)
def test_spelling_is_american(path):
    if name_of(path) in EXEMPT:
        return
    text = path.read_text(encoding="utf-8")
    lines = enumerate([name_of(path), *text.splitlines()])
    assert [f"line {n}: {m[0]!r}" for n, x in lines for m in BRITISH_PATTERN.finditer(x)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grey_of(Colour, centre)", ["grey", "Colour", "centre"]),
        ("a data set, two data sets", ["data set", "data set"]),
        ("unlabelled, normalisation", ["labell", "normalis"]),
        ("gray colors, labels, cmap='Greys', a dataset, data setting, optimistic analyses", []),
    ],
)
def test_british_spelling_is_found(text, expected):
    assert [m[0] for m in BRITISH_PATTERN.finditer(text)] == expected


def test_listed_words_are_found(tmp_path):
    file = tmp_path / "x.py"
    file.write_text('"""Drawn anew."""\n\n\ndef net():  # Heeds weights.\n    return "a net"\n')
    assert [m[0] for _, text in prose_of(file) for m in PATTERN.finditer(text)] == [
        "Heeds",
        "anew",
        "a net",
    ]
