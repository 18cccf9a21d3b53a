"""The files in ``docs/changelog``, which towncrier reads and ignores if their name is wrong."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
FOLDER = ROOT / CONFIG["directory"]
TYPES = [entry["directory"] for entry in CONFIG["type"]]
NAME = re.compile(rf"\+[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(TYPES)})\.rst")


def problem_of(path):
    """Return what is wrong with an entry, or None."""
    if not NAME.fullmatch(path.name):
        return f"{path.name}: expected +NAME.TYPE.rst, with a type of {TYPES}"
    if not path.read_text(encoding="utf-8").strip():
        return f"{path.name}: is empty"
    return None


def test_every_entry_has_a_valid_name_and_text():
    paths = [path for path in FOLDER.iterdir() if path.name != "README.rst"]
    assert list(filter(None, map(problem_of, paths))) == []


@pytest.mark.parametrize(
    ("name", "text", "is_valid"),
    [
        ("+cache-size.fix.rst", "Text.", True),
        ("+cache-size.fix.rst", "\n", False),
        ("+cache-size.bug.rst", "Text.", False),
        ("+cache_size.fix.rst", "Text.", False),
        ("+cache-size.fix.md", "Text.", False),
        ("cache-size.fix.rst", "Text.", False),
        ("+cache-size.rst", "Text.", False),
    ],
)
def test_wrong_entries_are_found(tmp_path, name, text, is_valid):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert (problem_of(path) is None) == is_valid


def test_the_readme_lists_every_type_in_order():
    readme = (FOLDER / "README.rst").read_text(encoding="utf-8")
    assert re.findall(r"^``(\w+)``  ", readme, re.MULTILINE) == TYPES


def test_whats_new_marks_where_a_release_adds_its_section():
    page = (ROOT / CONFIG["filename"]).read_text(encoding="utf-8")
    assert page.count("\n.. towncrier release notes start\n") == 1
