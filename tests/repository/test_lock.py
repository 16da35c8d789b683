"""requirements/ci.txt has what pyproject.toml and ci.in ask for, in a version that they take, for each Python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def project() -> dict[str, object]:
    read: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return read


def requirements(path: Path) -> Iterator[tuple[str, Requirement]]:
    """The lines of a requirements file with their options, and what they require."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        code = line.partition("#")[0].strip()
        if code:
            yield code, Requirement(code.partition("--hash")[0])


def asked_for() -> list[Requirement]:
    about = project()
    extras = about["optional-dependencies"]
    assert isinstance(extras, dict)
    everything = [about["dependencies"], *extras.values()]
    ours = [Requirement(text) for texts in everything if isinstance(texts, list) for text in texts]
    return [each for each in ours if each.name != about["name"]] + [
        each for _, each in requirements(ROOT / "requirements" / "ci.in")
    ]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_all_that_is_asked_for(python: str) -> None:
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0", "extra": ""}

    def applies(requirement: Requirement) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({k: str(v) for k, v in environment.items()})

    locked = {
        canonicalize_name(each.name): next(iter(each.specifier)).version
        for _, each in requirements(ROOT / "requirements" / "ci.txt")
        if applies(each)
    }
    lacking = [
        str(each)
        for each in asked_for()
        if applies(each) and not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"))
    ]
    assert not lacking, "tox -e lock"


def test_every_version_of_the_lock_has_hashes() -> None:
    lines = [line for line, _ in requirements(ROOT / "requirements" / "ci.txt")]
    assert len(lines) > 50
    assert [line for line in lines if "--hash=sha256:" not in line] == []


def test_the_pythons_that_are_claimed_are_those_that_are_tested() -> None:
    classifiers = project()["classifiers"]
    assert isinstance(classifiers, list)
    claimed = [text.rpartition(" :: ")[2] for text in classifiers if "Python :: 3." in text]
    assert claimed == list(PYTHONS)
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    matrix = ", ".join(f'"{each}"' for each in PYTHONS)
    assert f"python-version: [{matrix}]" in workflow
