"""A `SqlDialect` is all that a further SQL store has to write."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

import finra_sql
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    T1,
    ask,
    captures_of,
    judgment,
    put_analysis,
    put_judgments,
    put_normalized,
    row,
)
from finra_core.testing.store import StoreContract
from finra_sql.store import SqlStore
from finra_sql.view import SqlView
from finra_sql.views import NAMES
from support.third_dialect import NAME, open_store

DATABASES = ("sqlite", "postgres", "psycopg", "duckdb", "mysql", NAME)


class TestThirdStore(StoreContract):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> Callable[[], Store]:
        numbers = count()
        return lambda: open_store(f"{NAME}:{tmp_path / f'{next(numbers)}.db'}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(f"{NAME}:{tmp_path / 'third.db'}") as store:
        yield store


def test_its_views_can_be_queried(store: SqlStore) -> None:
    put_normalized(store, T1, 0, [row(shares=2)])
    put_analysis(store, [put_normalized(store, T1, 1, [row(shares=3)])])
    put_judgments(store, judgment())
    with store.read() as view:
        assert isinstance(view, SqlView)
        connection = view._session.connection
        for name in NAMES:
            assert connection.exec_driver_sql(f"SELECT * FROM {name}").all(), name
        (shares,) = connection.exec_driver_sql("SELECT shares FROM finra_otc_transparency_normalized_latest").one()
    assert shares == 3


def test_it_is_read_alone(tmp_path: Path, store: SqlStore) -> None:
    capture = put_normalized(store)
    with open_store(store.url, read_only=True) as reader:
        assert captures_of(reader) == [capture]
    with open_store(f"{NAME}:{tmp_path / 'nothing.db'}", read_only=True) as reader:
        assert ask(reader, lambda view: view.runs()) == []
    assert not (tmp_path / "nothing.db").exists()


def modules() -> list[Path]:
    return sorted(Path(finra_sql.__path__[0]).rglob("*.py"))


def test_the_modules_of_finra_sql_are_found() -> None:
    assert {"dialect.py", "schema.py", "views.py", "v0001_first_schema.py"} <= {path.name for path in modules()}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_finra_sql_names_no_database_outside_its_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = [
        text
        for node in ast.walk(tree)
        if node not in docstrings
        for text in (
            getattr(node, "id", None),
            getattr(node, "attr", None),
            getattr(node, "arg", None),
            getattr(node, "module", None),
            getattr(node, "name", None),
            node.value if isinstance(node, ast.Constant) else None,
        )
        if isinstance(text, str)
    ]
    assert [text for text in said if any(database in text.lower() for database in DATABASES)] == []
