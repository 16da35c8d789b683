"""Opening a store: what its URL may say, what reading alone leaves untouched, and each way in which it can fail."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from finra_core.domain.errors import (
    ConfigurationError,
    FinraError,
    StoreError,
    StoreLockedError,
    StoreSchemaError,
    StoreUnavailableError,
)
from finra_core.domain.records import MAX_INTEGER
from finra_core.ports import Store
from finra_core.testing.examples import T1, UBSA, add_capture, add_normalized, at, new_capture, payload, records
from finra_sqlite import open_store
from finra_sqlite.errors import translate
from finra_sqlite.location import Location, parse_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "finra.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def stored(url: str) -> None:
    """A store with one normalized capture, closed."""
    with closing(open_store(url)) as store:
        add_normalized(store)


def test_a_relative_path_is_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///finra.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["finra.db"]


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "what#.db", "Ärzte.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    open_store(f"sqlite:///{tmp_path / name}").close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:finra.db",
        "sqlite:///:memory:",
        "sqlite:///x.db?timeout=soon",
        "sqlite:///x.db?timeout=-1",
        "sqlite:///x.db?timeout=inf",
        "sqlite:///x.db?mode=ro",
    ],
)
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed store URL"):
        open_store(url)


def test_the_time_to_wait_for_a_lock_is_an_option() -> None:
    assert [parse_url(f"sqlite:////a.db{query}").timeout for query in ("", "?timeout=0.5")] == [30.0, 0.5]


def test_a_store_stays_one_file(path: Path, stored: None) -> None:
    assert [found.name for found in path.parent.iterdir()] == ["finra.db"]


def test_opening_a_current_store_does_not_load_the_migrations(url: str, stored: None) -> None:
    script = (
        f"import sys; from finra_sqlite import open_store; open_store({url!r}).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_reading_alone_makes_no_file(path: Path, url: str) -> None:
    with closing(open_store(url, read_only=True)) as store:
        assert (store.captures(), store.weeks(), store.runs()) == ([], [], [])
    assert list(path.parent.iterdir()) == []


def test_reading_alone_writes_no_byte(path: Path, url: str, stored: None) -> None:
    before = _folder(path.parent)
    with closing(open_store(url, read_only=True)) as store:
        capture = store.captures()[0]
        assert len(store.records(capture)) == 1
        assert store.documents(capture)
        assert store.week_states(store.weeks(), 1)
    assert _folder(path.parent) == before


def test_reading_alone_refuses_transactions(url: str, stored: None) -> None:
    with (
        closing(open_store(url, read_only=True)) as store,
        pytest.raises(StoreUnavailableError, match="read-only"),
        store.transaction(),
    ):
        pass


def test_reading_alone_takes_a_database_without_our_tables_as_an_empty_store(path: Path, url: str) -> None:
    _execute(path, "CREATE TABLE somebody_elses (x)")
    before = _folder(path.parent)
    with closing(open_store(url, read_only=True)) as store:
        assert store.captures() == []
    assert _folder(path.parent) == before


def test_a_store_can_live_beside_other_tables(path: Path, url: str) -> None:
    _execute(path, "CREATE TABLE somebody_elses (x)")
    with closing(open_store(url)) as store:
        assert add_capture(store) == store.captures()[0]


@pytest.mark.parametrize("read_only", [False, True])
class TestFailures:
    """The error says which file and what to do, on one line; the driver's own error is its cause."""

    def test_a_schema_newer_than_the_library(self, path: Path, url: str, stored: None, read_only: bool) -> None:
        _execute(path, "UPDATE finra_schema_version SET version_num = '9999'")
        _fails(url, StoreSchemaError, "upgrade finra-core", read_only=read_only)

    def test_tables_of_our_names_that_are_not_ours(self, path: Path, url: str, read_only: bool) -> None:
        _execute(path, "CREATE TABLE core_manifest (x)")
        _fails(url, StoreSchemaError, "core_manifest", read_only=read_only)

    def test_a_folder_where_the_file_should_be(self, path: Path, url: str, read_only: bool) -> None:
        path.mkdir()
        _fails(url, StoreUnavailableError, "is a folder", read_only=read_only)

    def test_a_file_that_is_no_database(self, path: Path, url: str, read_only: bool) -> None:
        path.write_bytes(b"tierDescription|issueSymbolIdentifier\n" * 100)
        _fails(url, StoreUnavailableError, "no SQLite database", read_only=read_only)

    def test_a_damaged_file(self, path: Path, url: str, stored: None, read_only: bool) -> None:
        content = path.read_bytes()
        path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        _fails(url, StoreUnavailableError, "damaged", read_only=read_only)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    _fails(f"sqlite:///{tmp_path / 'no' / 'finra.db'}", StoreUnavailableError, "cannot be opened", read_only=False)


def test_another_writer_that_does_not_let_go(path: Path, url: str, stored: None) -> None:
    with closing(open_store(f"{url}?timeout=0")) as store, _locked(path, "IMMEDIATE"):
        assert len(store.captures()) == 1
        with pytest.raises(StoreLockedError, match=r"finra\.db: locked by another process"), store.transaction():
            pass


def test_a_reader_that_meets_a_commit_that_does_not_end(path: Path, url: str, stored: None) -> None:
    with closing(open_store(f"{url}?timeout=0")) as store, _locked(path, "EXCLUSIVE"), pytest.raises(StoreLockedError):
        store.captures()


def test_a_transaction_of_any_size_lets_others_read_until_it_ends(url: str) -> None:
    noise = random.Random(0).randbytes(6_000_000)  # beyond SQLite's cache, however well compressed
    with closing(open_store(f"{url}?timeout=0")) as store:
        with store.transaction(T1.key) as transaction:
            transaction.add_capture(new_capture(), payload(noise))
            assert store.captures() == []
        assert store.documents(store.captures()[0]) == (noise,)


def test_another_thread_that_does_not_let_go(url: str) -> None:
    with (
        closing(open_store(f"{url}?timeout=0")) as store,
        store.transaction(),
        pytest.raises(StoreLockedError, match="another thread"),
        store.transaction(),
    ):
        pass


def test_a_failed_statement_undoes_the_transaction_even_if_its_error_is_swallowed(store: Store) -> None:
    capture = add_capture(store)
    too_large = records([(("X", "", ""), UBSA, MAX_INTEGER + 1, 1, "2026-01-12")])

    def swallow() -> None:
        with store.transaction(T1.key) as transaction:
            transaction.mark_verified(capture, at(9))
            with pytest.raises(StoreError):
                transaction.add_records(capture, too_large, [], at(1))

    with pytest.raises(StoreError, match="64 bits"):
        swallow()
    assert store.captures() == [capture]


@pytest.mark.parametrize(
    ("message", "expected", "advice"),
    [
        ("database is locked", StoreLockedError, "try again"),
        ("database table is locked: core_captures", StoreLockedError, "try again"),
        ("unable to open database file", StoreUnavailableError, "folder"),
        ("attempt to write a readonly database", StoreUnavailableError, "permissions"),
        ("database or disk is full", StoreUnavailableError, "make room"),
        ("disk I/O error", StoreUnavailableError, "disk"),
        ("file is not a database", StoreUnavailableError, "check the path"),
        ("database disk image is malformed", StoreUnavailableError, "backup"),
        ("no such\ntable: x", StoreError, "no such table: x"),
    ],
)
def test_each_of_sqlites_errors_has_a_meaning(
    tmp_path: Path, message: str, expected: type[FinraError], advice: str
) -> None:
    location = Location(tmp_path / "finra.db", 30.0)
    error = translate(sqlite3.OperationalError(message), location, read_only=False)
    assert type(error) is expected
    assert advice in str(error)
    assert str(error).startswith(f"{location.path}: ")
    assert "\n" not in str(error)


def test_errors_that_are_not_the_stores_are_left_alone(tmp_path: Path) -> None:
    assert translate(ValueError("ours"), Location(tmp_path, 1), read_only=False) is None


def test_a_capture_number_of_another_store_is_an_error(store: Store) -> None:
    capture = evolve(add_capture(store), number=77)
    with pytest.raises(StoreError, match="not in this store"):
        store.documents(capture)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened


def _fails(url: str, expected: type[FinraError], advice: str, *, read_only: bool) -> None:
    with pytest.raises(expected, match=advice) as caught, closing(open_store(url, read_only=read_only)) as store:
        store.captures()
    assert "finra.db" in str(caught.value)
    assert "\n" not in str(caught.value)


def _locked(path: Path, mode: str) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"BEGIN {mode}")
    return closing(connection)


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def _folder(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and time of change of every file."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in folder.iterdir()
    }
