"""Architecture rules, checked on the source without running it.

``docs/developers/architecture.rst`` shows the folders and layers. A test compares the table here
with that page.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "skimgcls"
ARCHITECTURE_PAGE = ROOT / "docs" / "developers" / "architecture.rst"

# Layer -> its folders, or modules of the package root, listed from the top layer down.
LAYERS = {
    7: ["app"],
    6: ["datasets", "inspection", "persistence", "export", "estimator_checks"],
    5: ["classifiers", "preprocessing"],
    4: ["_training", "_backbones"],
    3: ["nets", "_augmentation"],
    2: ["_images"],
    1: ["utils", "exceptions"],
}
# The package's `__init__` may import from every folder, and no folder may import from it.
PACKAGE_INIT = "__init__"

MOST_FOLDERS = 20
SKORCH_FOLDERS = {"_training"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
# The files that may use private names of another library.
COMPAT_FILES = {"sklearn": "_sklearn_compat.py", "torch": "_torch_compat.py"}

LAYER_OF = {name: layer for layer, folders in LAYERS.items() for name in folders}

SOURCES = sorted(PACKAGE.rglob("*.py"))
every_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)


def top_name(path):
    """Return the name in the table for a file: ``nets`` for ``nets/_mlp.py``."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def is_module(dotted):
    where = ROOT.joinpath(*dotted.split("."))
    return where.is_dir() or where.with_suffix(".py").is_file()


def imported_modules(tree):
    """Yield every dotted name that a file imports, as ``(line, name)``, at any level of the code.

    ``from a.b import c`` yields ``a.b.c``, whether c is a module, a function or a class.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imported_folders(path):
    """Yield the folders of ``skimgcls`` that a file imports; the package is ``__init__``."""
    for line, dotted in imported_modules(parse(path)):
        parts = dotted.split(".")
        if parts[0] != "skimgcls":
            continue
        inside = len(parts) > 1 and is_module(".".join(parts[:2]))
        yield line, parts[1] if inside else PACKAGE_INIT


def third_party_imports(path):
    """Yield the third-party packages that a file imports, with their lines."""
    for line, dotted in imported_modules(parse(path)):
        package = dotted.split(".")[0]
        if package not in sys.stdlib_module_names and package != "skimgcls":
            yield line, package


def functions(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def public_classes(path):
    classes = [node.name for node in parse(path).body if isinstance(node, ast.ClassDef)]
    return [name for name in classes if not name.startswith("_")]


def body_length(function):
    """Return the number of lines from the first statement to the last, without the docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def folders_on_page():
    """Return the folders as the documentation lists them: ``L5  classifiers | preprocessing``."""
    listed = {}
    for line in ARCHITECTURE_PAGE.read_text(encoding="utf-8").splitlines():
        match = re.match(r"\s+L(\d)\s{2,}(\S.*?)(?:\s{2,}.*)?$", line)
        if match:
            listed[int(match[1])] = [name.strip() for name in match[2].split("|")]
    return listed


def private_names(tree, library):
    """Yield the lines on which a file imports or accesses a private name of a library."""
    for line, dotted in imported_modules(tree):
        parts = dotted.split(".")
        if parts[0] == library and any(is_private(part) for part in parts):
            yield line
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id == library:
                yield node.lineno


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


# The table


def test_the_table_lists_all_folders():
    found = {top_name(path) for path in SOURCES} - {PACKAGE_INIT}
    assert found == set(LAYER_OF)


def test_the_documentation_shows_the_table():
    assert folders_on_page() == LAYERS


# Imports


def test_number_of_folders_and_top_level_modules():
    assert len(LAYER_OF) <= MOST_FOLDERS
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "exceptions.py"}


@every_source
def test_folders_import_from_lower_layers_only(path):
    here = top_name(path)
    if here == PACKAGE_INIT:
        return
    wrong = [
        f"line {line}: {here} (L{LAYER_OF[here]}) imports {there}"
        for line, there in imported_folders(path)
        if there != here and LAYER_OF.get(there, 9) >= LAYER_OF[here]
    ]
    assert not wrong


def test_imports_between_folders_are_found():
    """The rule above would pass if no imports were found."""
    seen = {(top_name(path), there) for path in SOURCES for _, there in imported_folders(path)}
    assert {("classifiers", "_training"), ("classifiers", "nets")} <= seen


@every_source
def test_no_relative_imports(path):
    relative = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not relative


def test_only_one_folder_imports_skorch():
    users = {
        top_name(path)
        for path in SOURCES
        if "skorch" in {name for _, name in third_party_imports(path)}
    }
    assert users
    assert users <= SKORCH_FOLDERS


def test_nets_import_only_torch():
    nets = [path for path in SOURCES if top_name(path) == "nets"]
    assert {name for path in nets for _, name in third_party_imports(path)} == {"torch"}


@every_source
@pytest.mark.parametrize("library", COMPAT_FILES)
def test_only_compat_files_use_private_names_of_other_libraries(path, library):
    lines = list(private_names(parse(path), library))
    assert bool(lines) == (path.name == COMPAT_FILES[library])


def test_import_of_the_package_is_light():
    heavy = ["torch", "torchvision", "skorch", "sklearn", "pandas", "numpy", "scipy"]
    code = f"import sys, skimgcls; print(*(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# Size


@every_source
def test_files_have_at_most_one_public_class(path):
    """Private folders, the exceptions and the utilities are exempt."""
    is_exempt = top_name(path).startswith("_") or top_name(path) in {"exceptions", "utils"}
    assert is_exempt or len(public_classes(path)) <= 1


def test_the_public_classifiers_are_found():
    found = {
        name for path in SOURCES if top_name(path) == "classifiers" for name in public_classes(path)
    }
    assert {"BaseImageClassifier", "CNNImageClassifier"} <= found


@every_source
def test_functions_fit_on_a_screen(path):
    lengths = {function.name: body_length(function) for function in functions(parse(path))}
    long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert not long


def test_function_length_excludes_the_docstring():
    source = 'def f():\n    """Doc."""\n    a = 1\n\n    return a\n'
    assert body_length(functions(ast.parse(source))[0]) == 3


@every_source
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_source
def test_the_package_does_not_print(path):
    names = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Name)]
    assert [node.lineno for node in names if node.id == "print"] == []
