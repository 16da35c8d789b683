"""Who serves a scheme, and what happens where two say that they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from finra_core import ConfigurationError, open_store


def install(folder: Path, name: str, value: str) -> None:
    """Put a distribution into a folder of the import path: one that says that it serves `mine:` stores."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[finra_core.stores]\nmine = {value}\n")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_one_that_serves_a_scheme_is_asked(path: Path) -> None:
    install(path, "mine", "mine_store:Mine")
    (path / "mine_store.py").write_text("class Mine:\n    def __init__(self, url, *, read_only): self.url = url")
    assert open_store("mine:there").url == "mine:there"


def test_two_packages_that_claim_a_scheme_are_both_named(path: Path) -> None:
    install(path, "mine", "mine_store:open_store")
    install(path, "theirs", "their_store:open_store")
    with pytest.raises(ConfigurationError, match=r"claimed by mine \(mine_store:.*\) and theirs \(their_store:.*\)"):
        open_store("mine:there")


def test_one_package_that_is_there_twice_is_no_conflict(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    for folder in (path, other):
        install(folder, "again", "other_store:Other")
    monkeypatch.syspath_prepend(other)
    (path / "other_store.py").write_text("class Other:\n    def __init__(self, url, *, read_only): self.url = url")
    assert open_store("mine:again").url == "mine:again"
