"""The packaging metadata: requirements, extras, versions, tools, and what a release contains."""

import ast
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import skimgcls

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
WORKFLOWS = ROOT / ".github" / "workflows"
YAML_FILES = [
    ROOT / ".pre-commit-config.yaml",
    ROOT / "CITATION.cff",
    *sorted((ROOT / ".github").rglob("*.yml")),
]

# The folders whose scripts are run, and the extras that are installed for them.
SCRIPTS = {
    "skimgcls": ("plots", "imbalance", "backbones", "audit", "explain", "onnx", "app"),
    "tests": ("test", "plots"),
    "examples": ("docs", "plots"),
    "docs": ("docs", "plots"),
}
# Imported, and installed by a requirement that cannot be used without them.
COMES_WITH = {
    "pyarrow": "streamlit",
    "huggingface-hub": "timm",
    "joblib": "scikit-learn",
    "scipy": "scikit-learn",
    "starlette": "streamlit",
}
# Not part of a distribution: environments, build files and caches.
NOT_RELEASED = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", "*.egg-info", "__pycache__", "build", "dist",
    "_build", "auto_examples", "generated", "results",
)  # fmt: skip


def requirements(*extras):
    """Return the requirements of the package itself and of extras."""
    lines = [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    return [Requirement(line) for line in PROJECT["dependencies"] + lines]


def oldest():
    text = (ROOT / "tests" / "oldest-requirements.txt").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {pin.name: pin for pin in map(Requirement, filter(None, lines))}


def lower_bound(requirement):
    (bound,) = (spec.version for spec in requirement.specifier if spec.operator == ">=")
    return bound


def read_yaml(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def imported_packages(path):
    """Yield the top-level names that a file imports, also by ``pytest.importorskip``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
            yield node.args[0].value.partition(".")[0]


@cache
def distributions():
    return metadata.packages_distributions()


def distributions_of(name):
    """Return the names on PyPI of the packages that provide a top-level name."""
    return {canonicalize_name(found) for found in distributions().get(name, [name])}


# Requirements


def test_lower_bounds_equal_the_oldest_tested_versions():
    pinned = oldest()
    for requirement in requirements():
        (pin,) = pinned[requirement.name].specifier
        assert pin.operator == "=="
        # 1.6 and 1.6.0 name the same release.
        assert requirement.specifier.contains(pin.version)
        assert pin.version.removesuffix(".0") == lower_bound(requirement).removesuffix(".0")


@pytest.mark.parametrize("folder", SCRIPTS)
def test_every_imported_package_is_a_requirement(folder):
    files = list((ROOT / folder).rglob("*.py"))
    own = {path.stem for path in files} | {"skimgcls"}
    imported = {name for path in files for name in imported_packages(path)}
    required = {canonicalize_name(r.name) for r in requirements(*SCRIPTS[folder])}
    required |= {name for name, parent in COMES_WITH.items() if parent in required}
    assert {
        name
        for name in imported - own - sys.stdlib_module_names
        if required.isdisjoint(distributions_of(name))
    } == set()


def test_packages_that_come_with_a_requirement_are_required_by_it():
    for name, parent in COMES_WITH.items():
        required = map(Requirement, metadata.requires(parent))
        assert name in {canonicalize_name(r.name) for r in required if r.marker is None}


# Versions


def test_citation_has_the_version_of_the_package():
    assert read_yaml(ROOT / "CITATION.cff")["version"] == skimgcls.__version__


def test_workflows_run_every_supported_python_on_every_system():
    listed = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    matrix = read_yaml(WORKFLOWS / "test.yml")["jobs"]["latest"]["strategy"]["matrix"]
    assert matrix["python"] == listed
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    supported = SpecifierSet(PROJECT["requires-python"])
    assert all(supported.contains(version) for version in listed)
    assert lower_bound(Requirement(f"python{supported}")) == listed[0]


# Tools


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_yaml_files_are_valid(path):
    assert isinstance(read_yaml(path), dict)


def test_pre_commit_runs_the_checks_of_make_lint_with_the_same_versions():
    hooks = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    required = {requirement.name: requirement for requirement in requirements("test")}
    for hook in hooks:
        (line,) = hook["additional_dependencies"]
        assert Requirement(line) == required[Requirement(line).name]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\nlint:")[2].partition("\n\n")[0]
    commands = [line.partition("$(BIN)/")[2] for line in recipe.splitlines()[1:]]
    assert [" ".join(hook["entry"].split()[:2]) for hook in hooks] == [
        command.removesuffix(" .").removesuffix(" --check") for command in commands
    ]


# Distributions


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that builds a distribution of a copy of the repository and returns its path."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "copy", ignore=NOT_RELEASED)

    def build(kind):
        code = f"import setuptools.build_meta as m; m.build_{kind}({str(folder)!r})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder / "copy",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        (path,) = folder.glob({"sdist": "*.tar.gz", "wheel": "*.whl"}[kind])
        return path, folder / "copy"

    return build


def files_in(root, *folders):
    paths = (path for folder in folders for path in (root / folder).rglob("*"))
    released = (path for path in paths if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(root).as_posix() for path in released}


def test_the_sdist_contains_tests_docs_and_examples(build):
    path, root = build("sdist")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("skimgcls", "tests", "docs", "examples", "benchmarks", ".github")
    expected = files_in(root, *folders)
    assert {"tests/conftest.py", "docs/conf.py", "examples/plot_quickstart.py"} <= expected
    expected |= {"README.md", "LICENSE", "Makefile", "CITATION.cff", "pyproject.toml"}
    assert expected - names == set()


def test_the_wheel_contains_the_package_alone(build):
    path, root = build("wheel")
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == files_in(root, "skimgcls")
    # The list of public names, which is not a Python file.
    assert "skimgcls/__init__.pyi" in names
