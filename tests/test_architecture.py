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
    9: ["app"],
    8: ["inspection/_report"],
    7: ["inspection/_explanations", "inspection/_audit"],
    6: ["datasets", "persistence", "export", "estimator_checks", "inspection/_plots"],
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
# The `__init__` of a folder that holds others, such as `inspection`, lists their public names. An
# import of it imports all of them, so it counts as an import of the highest.
OUTER_LAYER_OF = {
    outer: max(LAYER_OF[name] for name in LAYER_OF if name.startswith(f"{outer}/"))
    for outer in {name.split("/")[0] for name in LAYER_OF if "/" in name}
}

SOURCES = sorted(PACKAGE.rglob("*.py"))
every_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)


def folder_of(path):
    """Return the name in the table for a file: ``nets`` for ``nets/_mlp.py``."""
    folder = path.relative_to(PACKAGE).parent.as_posix()
    return path.stem if folder == "." else folder


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


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
    """Yield the folders that a file imports, as named in the table; the package is ``__init__``."""
    for line, dotted in imported_modules(parse(path)):
        parts = dotted.split(".")
        if parts[0] != "skimgcls":
            continue
        names = ["/".join(parts[1:end]) for end in range(len(parts), 1, -1)]
        folders = LAYER_OF.keys() | OUTER_LAYER_OF.keys()
        yield line, next((name for name in names if name in folders), PACKAGE_INIT)


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
    found = {folder_of(path) for path in SOURCES} - {PACKAGE_INIT}
    assert found == LAYER_OF.keys() | OUTER_LAYER_OF.keys()


def test_the_documentation_shows_the_table():
    assert folders_on_page() == LAYERS


# Imports


def test_number_of_folders_and_top_level_modules():
    assert len(LAYER_OF) <= MOST_FOLDERS
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "exceptions.py"}
    for outer in OUTER_LAYER_OF:
        assert {path.name for path in (PACKAGE / outer).glob("*.py")} == {"__init__.py"}


@every_source
def test_folders_import_from_lower_layers_only(path):
    here = folder_of(path)
    if here == PACKAGE_INIT:
        return
    if here in OUTER_LAYER_OF:
        assert all(there.startswith(f"{here}/") for _, there in imported_folders(path))
        return
    layers = LAYER_OF | OUTER_LAYER_OF
    wrong = [
        f"line {line}: {here} (L{layers[here]}) imports {there}"
        for line, there in imported_folders(path)
        if there != here and layers.get(there, max(LAYERS)) >= layers[here]
    ]
    assert not wrong


def test_imports_between_folders_are_found():
    """The rule above would pass if no imports were found."""
    seen = {(folder_of(path), there) for path in SOURCES for _, there in imported_folders(path)}
    assert {
        ("classifiers", "_training"),
        ("classifiers", "nets"),
        ("inspection/_report", "inspection/_plots"),
        ("app", "inspection"),
    } <= seen


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
        folder_of(path)
        for path in SOURCES
        if "skorch" in {name for _, name in third_party_imports(path)}
    }
    assert users
    assert users <= SKORCH_FOLDERS


def test_nets_import_only_torch():
    nets = [path for path in SOURCES if folder_of(path) == "nets"]
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
    is_exempt = folder_of(path).startswith("_") or folder_of(path) in {"exceptions", "utils"}
    assert is_exempt or len(public_classes(path)) <= 1


def test_the_public_classifiers_are_found():
    found = {
        name
        for path in SOURCES
        if folder_of(path) == "classifiers"
        for name in public_classes(path)
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
