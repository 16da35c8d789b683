"""`finra db`: upgrade, check and sql, on the stores that have a schema."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from finra_cli.main import main
from finra_core import open_store
from finra_sql.migrate import HEAD
from support.postgres import Server


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing of ours in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'finra.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    name = server.new_empty_database()
    yield server.url(name)
    server.drop_database(name)


def test_a_database_is_checked_upgraded_and_checked_again(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [main(["db", action, "--store", empty]) for action in ("check", "check", "upgrade", "upgrade", "check")]
    said = capsys.readouterr().out.splitlines()
    assert codes == [1, 1, 0, 0, 0]
    assert ["no schema yet" in line for line in said] == [True, True, False, False, False]
    assert said[-1] == f"schema {HEAD} is current"


def test_a_schema_newer_than_the_library_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "finra.db"
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE finra_schema_version SET version_num = '9999'")
    assert main(["db", "check", "--store", f"sqlite:///{path}"]) == 1
    assert "upgrade finra-core" in capsys.readouterr().out


def test_a_check_can_be_read_by_programs(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "upgrade", "--store", empty, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["db", "check", "--store", empty, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["database_version"] == HEAD


def test_a_database_that_cannot_be_reached_is_critical(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "check", "--store", "postgresql://u:secret@127.0.0.1:1/finra"]) == 2
    captured = capsys.readouterr()
    assert "cannot be reached" in captured.err
    assert "secret" not in captured.err + captured.out


def test_the_sql_is_printed_without_a_database_and_makes_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "sql", "--store", "sqlite:"]) == 0
    with closing(sqlite3.connect(tmp_path / "finra.db")) as connection:
        connection.executescript(capsys.readouterr().out)
    assert main(["db", "check", "--store", f"sqlite:///{tmp_path / 'finra.db'}"]) == 0


@pytest.mark.parametrize("url", ["memory:", "nonsense:"])
def test_a_store_without_a_schema_has_no_sql(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "sql", "--store", url]) == 2
    assert "those that have one are postgres, postgresql, sqlite" in capsys.readouterr().err


def test_a_store_in_memory_has_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "check", "--store", "memory:"]) == 2
    assert "no schema to look after" in capsys.readouterr().err
