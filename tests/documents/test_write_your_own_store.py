"""The test file that docs/write-your-own-store.md shows runs as it is printed, against a store that exists."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from finra_core import registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "write-your-own-store.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_test_file_runs(tmp_path: Path) -> None:
    (tmp_path / "finra_mine.py").write_text("from finra_memory import open_store as open_store\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(block("python"), encoding="utf-8")
    # The properties are run with our own stores.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not hypothesis"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"^\d{2,} passed, 1 skipped", ended.stdout, re.MULTILINE), ended.stdout


def test_the_test_file_has_fifteen_lines() -> None:
    assert len(block("python").splitlines()) <= 15


def test_the_entry_point_is_in_the_group_that_is_looked_up() -> None:
    assert f'[project.entry-points."{registry.STORES}"]' in block("toml")


@pytest.mark.parametrize("group", [registry.SOURCES, registry.EXECUTORS])
def test_the_other_groups_are_named(group: str) -> None:
    assert f"`{group}`" in PAGE


def test_names_in_the_page_exist() -> None:
    for dotted in sorted(set(re.findall(r"`(finra_core(?:\.\w+)*\.[A-Z]\w+)`", PAGE))):
        module, _, name = dotted.rpartition(".")
        assert hasattr(import_module(module), name), dotted
