"""docs/write-your-own-store.md suffices: a store made from it passes the suite, and what the page shows runs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from finra_core import registry
from finra_core.ports.store import ReadView, Store, UnitOfWork

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "write-your-own-store.md").read_text(encoding="utf-8")
JSON_STORE = (DOCS / "examples" / "json_store.py").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The example, installed as the page says."""
    (tmp_path / "finra_mine.py").write_text(JSON_STORE, encoding="utf-8")
    info = tmp_path / "finra_mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: finra-mine\nVersion: 1.0\n", encoding="utf-8")
    group = re.search(r'^\[project\.entry-points\."(.+)"\]\n(.+)\n', block("toml"), re.MULTILINE)
    assert group is not None
    (info / "entry_points.txt").write_text(f"[{group[1]}]\n{group[2].replace(chr(34), '')}\n", encoding="utf-8")
    return tmp_path


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)


def test_a_store_made_from_the_page_passes_the_suite_by_the_test_file_of_the_page(package: Path) -> None:
    (package / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    (package / "test_mine.py").write_text(block("python"), encoding="utf-8")
    # As if nothing but pytest were installed.
    (package / "conftest.py").write_text("import sys\nsys.modules['hypothesis'] = None\n", encoding="utf-8")
    ended = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"^2\d\d passed in", ended.stdout, re.MULTILINE), ended.stdout


def test_it_is_opened_by_its_scheme(package: Path) -> None:
    script = "from finra_core import open_store\nwith open_store('mine:x.json') as store: print(type(store).__name__)"
    assert run(package, "-c", script).stdout == "JsonStore\n"


def test_a_damaged_file_is_an_error_of_one_line(package: Path) -> None:
    (package / "x.json").write_text('{"captures": {"1": {"number": "x"}}}', encoding="utf-8")
    script = (
        "from finra_core import StoreError, open_store\n"
        "try:\n"
        "    with open_store('mine:x.json') as store, store.read(): pass\n"
        "except StoreError as error: print(error)"
    )
    ended = run(package, "-c", script)
    assert re.fullmatch(r"mine:x\.json: not this store's JSON, or damaged: [^\n]+\n", ended.stdout), ended


def test_the_store_is_about_300_lines() -> None:
    assert len(JSON_STORE.splitlines()) <= 330


def test_the_test_file_has_fifteen_lines() -> None:
    assert len(block("python").splitlines()) <= 15


@pytest.mark.parametrize("port", [Store, ReadView, UnitOfWork])
def test_every_method_of_the_port_is_explained(port: type) -> None:
    methods = {name for name in vars(port) if not name.startswith("_")}
    assert {name for name in methods if not re.search(rf"`{name}[(`]", PAGE)} == set()


def test_the_entry_point_is_in_the_group_that_is_looked_up() -> None:
    assert f'[project.entry-points."{registry.STORES}"]' in block("toml")


@pytest.mark.parametrize("group", [registry.SOURCES, registry.EXECUTORS])
def test_the_other_groups_are_named(group: str) -> None:
    assert f"`{group}`" in PAGE


def test_names_in_the_page_exist() -> None:
    dotted_names = set(re.findall(r"`(finra_core(?:\.\w+)*\.\w+)[`(]", PAGE)) - {registry.SOURCES, registry.EXECUTORS}
    for dotted in sorted(dotted_names - {"finra_core.domain"}):
        module, _, name = dotted.rpartition(".")
        assert hasattr(import_module(module), name) or import_module(dotted), dotted
