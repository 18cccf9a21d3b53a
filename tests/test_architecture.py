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
FRONT_DOOR = "__init__"

MOST_ROOMS = 20
SKORCH_ROOM = {"_training"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
# The files that may use private names of another library.
COMPAT_FILES = {"sklearn": "_sklearn_compat.py", "torch": "_torch_compat.py"}

LAYER_OF = {name: layer for layer, rooms in LAYERS.items() for name in rooms}
# The `__init__` of a folder that holds rooms, such as `inspection`, lists their public names. An
# import of the folder imports all of its rooms, so it counts as an import of the highest.
OUTER_LAYER_OF = {
    outer: max(LAYER_OF[name] for name in LAYER_OF if name.startswith(f"{outer}/"))
    for outer in {name.split("/")[0] for name in LAYER_OF if "/" in name}
}

SOURCES = sorted(PACKAGE.rglob("*.py"))
every_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)


def room_of(path):
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


def own_imports(path):
    """Yield the rooms that a file imports, as named in the table; the package is ``__init__``."""
    for line, dotted in imported_modules(parse(path)):
        parts = dotted.split(".")
        if parts[0] != "skimgcls":
            continue
        names = ["/".join(parts[1:end]) for end in range(len(parts), 1, -1)]
        rooms = LAYER_OF.keys() | OUTER_LAYER_OF.keys()
        yield line, next((name for name in names if name in rooms), FRONT_DOOR)


def foreign_imports(path):
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


def page_rooms():
    """Return the folders as the documentation lists them: ``L5  classifiers | preprocessing``."""
    drawn = {}
    for line in ARCHITECTURE_PAGE.read_text(encoding="utf-8").splitlines():
        match = re.match(r"\s+L(\d)\s{2,}(\S.*?)(?:\s{2,}.*)?$", line)
        if match:
            drawn[int(match[1])] = [name.strip() for name in match[2].split("|")]
    return drawn


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


def test_the_table_and_the_package_have_the_same_rooms():
    found = {room_of(path) for path in SOURCES} - {FRONT_DOOR}
    assert found == LAYER_OF.keys() | OUTER_LAYER_OF.keys()


def test_the_documentation_draws_the_same_rooms():
    assert page_rooms() == LAYERS


# Imports


def test_there_are_few_rooms_and_no_loose_modules():
    assert len(LAYER_OF) <= MOST_ROOMS
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "exceptions.py"}
    for outer in OUTER_LAYER_OF:
        assert {path.name for path in (PACKAGE / outer).glob("*.py")} == {"__init__.py"}


@every_source
def test_imports_go_down(path):
    here = room_of(path)
    if here == FRONT_DOOR:
        return
    if here in OUTER_LAYER_OF:
        assert all(there.startswith(f"{here}/") for _, there in own_imports(path))
        return
    layers = LAYER_OF | OUTER_LAYER_OF
    wrong = [
        f"line {line}: {here} (L{layers[here]}) imports {there}"
        for line, there in own_imports(path)
        if there != here and layers.get(there, max(LAYERS)) >= layers[here]
    ]
    assert not wrong


def test_the_rooms_do_import_each_other():
    """The rule above would pass if no imports were found."""
    seen = {(room_of(path), there) for path in SOURCES for _, there in own_imports(path)}
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


def test_skorch_has_one_room():
    users = {
        room_of(path) for path in SOURCES if "skorch" in {name for _, name in foreign_imports(path)}
    }
    assert users
    assert users <= SKORCH_ROOM


def test_nets_know_torch_alone():
    nets = [path for path in SOURCES if room_of(path) == "nets"]
    assert {name for path in nets for _, name in foreign_imports(path)} == {"torch"}


@every_source
@pytest.mark.parametrize("library", COMPAT_FILES)
def test_private_names_of_other_libraries_have_one_file(path, library):
    lines = list(private_names(parse(path), library))
    assert bool(lines) == (path.name == COMPAT_FILES[library])


def test_importing_the_package_is_light():
    heavy = ["torch", "torchvision", "skorch", "sklearn", "pandas", "numpy", "scipy"]
    code = f"import sys, skimgcls; print(*(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# Size


@every_source
def test_one_public_class_a_file(path):
    """Private folders, the exceptions and the utilities are exempt."""
    is_exempt = room_of(path).startswith("_") or room_of(path) in {"exceptions", "utils"}
    assert is_exempt or len(public_classes(path)) <= 1


def test_the_public_classifiers_are_found():
    found = {
        name for path in SOURCES if room_of(path) == "classifiers" for name in public_classes(path)
    }
    assert {"BaseImageClassifier", "CNNImageClassifier"} <= found


@every_source
def test_a_function_fits_in_the_eye(path):
    lengths = {function.name: body_length(function) for function in functions(parse(path))}
    long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert not long


def test_the_lengths_are_measured():
    source = 'def f():\n    """Doc."""\n    a = 1\n\n    return a\n'
    assert body_length(functions(ast.parse(source))[0]) == 3


@every_source
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_source
def test_the_package_does_not_print(path):
    names = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Name)]
    assert [node.lineno for node in names if node.id == "print"] == []
