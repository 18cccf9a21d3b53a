"""The documentation says what is so: its snippets run, its lists are complete."""

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest

import skimgcls

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLES = DOCS.parent / "examples"
NOT_PAGES = {"_build", "_templates", "auto_examples", "changelog", "generated"}
# Read by `include`, not by a toctree.
FRAGMENTS = {"benchmarks_table"}

PAGES = sorted(
    path for path in DOCS.rglob("*.rst") if not NOT_PAGES & set(path.relative_to(DOCS).parts)
)
GUIDE = [path for path in PAGES if path.parent.name == "user_guide" and path.stem != "index"]


def page_name(path):
    return path.relative_to(DOCS).with_suffix("").as_posix()


def directive_entries(text, directive):
    """The entries that stand under each ``.. directive::`` of a page, options left out."""
    blocks = re.findall(
        rf"^\.\. {directive}::[^\n]*\n((?:[ \t]+[^\n]*\n|\n)*)", text + "\n", re.MULTILINE
    )
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def toctree_pages(path):
    entries = directive_entries(path.read_text(encoding="utf-8"), "toctree")
    parent = path.relative_to(DOCS).parent
    return {(parent / entry).as_posix() for entry in entries}


def read_doctest(path):
    return doctest.DocTestParser().get_doctest(
        path.read_text(encoding="utf-8"), {"__name__": "__main__"}, page_name(path), str(path), 0
    )


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_snippets_run(path):
    said = []
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    assert runner.run(read_doctest(path), out=said.append).failed == 0, "".join(said)


@pytest.mark.parametrize("path", GUIDE, ids=page_name)
def test_pages_of_the_user_guide_have_examples(path):
    assert len(read_doctest(path).examples) >= 5


def test_the_api_page_lists_every_public_name_once():
    page = (DOCS / "api.rst").read_text(encoding="utf-8")
    names = {name: getattr(skimgcls, name) for name in skimgcls.__all__}
    modules = [value for value in names.values() if inspect.ismodule(value)]
    public = {name for name, value in names.items() if value not in modules}
    public.update(*(module.__all__ for module in modules))
    assert sorted(directive_entries(page, "autosummary")) == sorted(public)
    listed = re.findall(r"^\.\. automodule:: (\S+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(module.__name__ for module in modules)


def test_every_public_name_has_a_docstring():
    assert [name for name in skimgcls.__all__ if not getattr(skimgcls, name).__doc__] == []


def test_every_page_is_in_a_toctree():
    linked = set().union(*map(toctree_pages, PAGES))
    pages = {page_name(path) for path in PAGES}
    assert pages - linked == {"index"} | FRAGMENTS
    assert linked - pages == {"auto_examples/index"}


def test_every_fragment_is_included():
    included = {
        entry
        for path in PAGES
        for entry in re.findall(r"\.\. include:: (\S+)\.rst", path.read_text(encoding="utf-8"))
    }
    assert included == FRAGMENTS


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_have_a_title_and_are_run(path):
    """The gallery runs ``plot_*.py`` and makes a page of the docstring that opens it."""
    assert path.name.startswith("plot_")
    title = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    assert len(title) >= 2
    assert set(title[1]) == {"="}
