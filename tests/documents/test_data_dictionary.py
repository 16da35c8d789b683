"""The data dictionary has each table and view that users query, and each of their columns; its page is what it says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from finra_core import open_store
from finra_sql.dictionary import RELATIONS, column_comment
from finra_sql.schema import metadata
from finra_sql.views import NAMES
from support.data_dictionary import PAGE, page
from support.postgres import Server

PUBLIC = {name for name in metadata.tables if name.startswith("core_")} | set(NAMES)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("dictionary") / "finra.db"
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_it_has_each_public_table_and_view_and_no_other() -> None:
    assert RELATIONS.keys() == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_it_has_each_column_in_its_order_and_no_other(database: sqlite3.Connection, name: str) -> None:
    found = [column[0] for column in database.execute(f"SELECT * FROM {name} LIMIT 0").description]
    assert list(RELATIONS[name].columns) == found


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_its_texts_are_sentences_that_fit_a_statement_and_a_table(name: str) -> None:
    relation = RELATIONS[name]
    for text in (relation.meaning, *(column.meaning for column in relation.columns.values())):
        assert re.fullmatch(r"[A-Za-z0-9][^\n|%]*\.", text), text
        assert not re.search(r":\w", text), f"{text}: a colon before a word is a parameter"


def test_the_page_is_made_from_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: cd tests && python -m support.data_dictionary"


def test_postgresql_keeps_it_as_comments(postgres: Server, postgres_database: str) -> None:
    with postgres.connect(postgres_database) as connection:
        of_relations = connection.execute(
            "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        ).fetchall()
        of_columns = connection.execute(
            "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')"
        ).fetchall()
    relations = dict(of_relations)
    assert {name: relations[name] for name in PUBLIC} == {name: RELATIONS[name].meaning for name in PUBLIC}
    assert {(name, column): text for name, column, text in of_columns if name in PUBLIC} == {
        (name, column): column_comment(entry)
        for name, relation in RELATIONS.items()
        for column, entry in relation.columns.items()
    }
