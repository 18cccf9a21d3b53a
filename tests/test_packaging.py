"""What ``pyproject.toml`` promises."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def oldest():
    text = (ROOT / "tests" / "oldest-requirements.txt").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {pin.name: pin for pin in map(Requirement, filter(None, lines))}


def lower_bound(requirement):
    (bound,) = (spec.version for spec in requirement.specifier if spec.operator == ">=")
    return bound


def test_every_lower_bound_is_the_oldest_version_tested():
    pinned = oldest()
    for requirement in requirements():
        (pin,) = pinned[requirement.name].specifier
        assert pin.operator == "=="
        # 1.6 and 1.6.0 name the same release.
        assert requirement.specifier.contains(pin.version)
        assert pin.version.removesuffix(".0") == lower_bound(requirement).removesuffix(".0")
