"""Opening a store: what its URL may say, what reading alone leaves untouched, and each way in which it can fail."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from finra_core.domain.captures import Capture
from finra_core.domain.errors import (
    ConfigurationError,
    FinraError,
    StoreError,
    StoreInterruptedError,
    StoreLockedError,
    StoreSchemaError,
    StoreUnavailableError,
)
from finra_core.domain.records import MAX_INTEGER, Record, Security
from finra_core.domain.scopes import STORE, Scope
from finra_core.ports.store import CaptureQuery, ReadView, Store
from finra_core.registry import open_schema
from finra_core.testing.examples import (
    T1,
    UBSA,
    ask,
    at,
    captures_of,
    new_capture,
    payload,
    put_capture,
    put_normalized,
    put_rows,
    rows_of,
    run_record,
    writing,
)
from finra_sql.migrate import HEAD
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
        put_normalized(store)


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
        "sqlite:///x.db?journal=off",
    ],
)
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed store URL"):
        open_store(url)


def test_a_password_in_a_malformed_url_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store("sqlite://user:secret@host/finra")
    assert "secret" not in str(caught.value)


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
        assert ask(store, everything) == [[]] * 7
        with pytest.raises(StoreError, match="not in this store"):
            ask(store, lambda view: view.payload(made_elsewhere(path)))
    assert [found.name for found in path.parent.iterdir()] == ["elsewhere.db"]


def test_reading_alone_writes_no_byte(path: Path, url: str, stored: None) -> None:
    before = _folder(path.parent)
    with closing(open_store(url, read_only=True)) as store:
        (capture,) = captures_of(store)
        assert len(rows_of(store, capture)) == 1
        assert ask(store, lambda view: view.payload(capture)) == payload().documents
    assert _folder(path.parent) == before


def test_reading_alone_refuses_transactions(url: str, stored: None) -> None:
    with (
        closing(open_store(url, read_only=True)) as store,
        pytest.raises(StoreUnavailableError, match="read-only"),
        store.write(STORE),
    ):
        pass


def test_reading_alone_takes_a_database_without_our_tables_as_an_empty_store(path: Path, url: str) -> None:
    _execute(path, "CREATE TABLE somebody_elses (x)")
    before = _folder(path.parent)
    with closing(open_store(url, read_only=True)) as store:
        assert captures_of(store) == []
    assert _folder(path.parent) == before


def test_a_store_can_live_beside_other_tables(path: Path, url: str) -> None:
    _execute(path, "CREATE TABLE somebody_elses (x)")
    with closing(open_store(url)) as store:
        assert put_capture(store) == captures_of(store)[0]


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


@pytest.mark.parametrize("read_only", [False, True])
def test_a_path_that_no_file_can_have(tmp_path: Path, read_only: bool) -> None:
    _fails(
        f"sqlite:///{tmp_path / ('x' * 300)}finra.db", StoreUnavailableError, "cannot be opened", read_only=read_only
    )


def test_another_writer_that_does_not_let_go(path: Path, url: str, stored: None) -> None:
    with closing(open_store(f"{url}?timeout=0")) as store, _locked(path, "IMMEDIATE"):
        assert len(captures_of(store)) == 1
        with pytest.raises(StoreLockedError, match=r"finra\.db: locked by another process"), store.write(STORE):
            pass


def test_a_commit_that_does_not_end_keeps_nobody_from_reading(path: Path, url: str, stored: None) -> None:
    with closing(open_store(f"{url}?timeout=0")) as store, _locked(path, "EXCLUSIVE"):
        assert len(captures_of(store)) == 1


def test_a_transaction_of_any_size_lets_others_read_until_it_ends(url: str) -> None:
    noise = random.Random(0).randbytes(6_000_000)  # beyond SQLite's cache, however well compressed
    with closing(open_store(f"{url}?timeout=0")) as store:
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_capture(new_capture(), payload(noise))
            assert captures_of(store) == []
        assert ask(store, lambda view: view.payload(captures_of(store)[0])) == (noise,)


def test_without_a_log_a_commit_waits_for_views_that_are_open(url: str) -> None:
    with closing(open_store(f"{url}?journal=delete&timeout=0")) as store:
        capture = put_capture(store)
        with store.read() as view:
            assert view.captures() == [capture]
            with pytest.raises(StoreLockedError, match="locked by another process"):
                put_capture(store, minute=1)
            assert view.captures() == [capture]
        put_capture(store, minute=2)
        assert [found.captured_at for found in captures_of(store)] == [at(0), at(2)]


def test_without_a_log_nothing_stands_beside_the_file_while_it_is_read(path: Path, url: str) -> None:
    with closing(open_store(f"{url}?journal=delete")) as store:
        put_capture(store)
    with closing(open_store(url, read_only=True)) as store, store.read() as view:
        assert len(view.captures()) == 1
        assert [found.name for found in path.parent.iterdir()] == ["finra.db"]


def test_another_thread_that_does_not_let_go(url: str) -> None:
    with (
        closing(open_store(f"{url}?timeout=0")) as store,
        store.write(STORE),
        pytest.raises(StoreLockedError, match="another thread"),
        store.write(STORE),
    ):
        pass


def test_a_store_that_is_only_read_sees_what_a_later_run_makes(url: str) -> None:
    with closing(open_store(url, read_only=True)) as reader:
        assert captures_of(reader) == []
        with closing(open_store(url)) as writer:
            capture = put_capture(writer)
        assert captures_of(reader) == [capture]


def test_a_failed_statement_undoes_the_transaction_even_if_its_error_is_swallowed(store: Store) -> None:
    capture = put_capture(store)
    too_large = [Record(Security("X", "", ""), UBSA, MAX_INTEGER + 1, 1, "2026-01-12")]

    def swallow() -> None:
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_run(run_record())
            with pytest.raises(StoreError):
                put_rows(unit, capture, too_large)

    with pytest.raises(StoreError, match="64 bits"):
        swallow()
    assert captures_of(store) == [capture]
    assert ask(store, lambda view: view.runs()) == []


def test_a_pipe_is_refused_and_not_waited_for(path: Path, url: str) -> None:
    os.mkfifo(path)
    for read_only in (True, False):
        _fails(url, StoreUnavailableError, "no regular file", read_only=read_only)


_AS_ANOTHER_USER = """
import os, sys
from finra_core.domain.errors import FinraError
from finra_core.testing.examples import captures_of
from finra_sqlite import open_store
path, log = sys.argv[1:]
with open_store(f"sqlite:///{path}.other") as store:  # loads all modules while they can be read
    captures_of(store)
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
os.umask(0)
with open_store(f"sqlite:///{path}", read_only=True) as store:
    try:
        with store.read() as view:
            print(len(view.captures()), flush=True)
            sys.stdin.readline()
            print(len(view.captures()), flush=True)
            sys.stdin.readline()
    except FinraError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def reader(
    path: Path, url: str, stored: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """Somebody who may read the file and write neither it nor its folder: it prints what it sees, line by line."""
    folder = path.parent
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(0o711)
    other = tmp_path_factory.mktemp("other") / "x"
    folder.chmod(0o555)
    command = [sys.executable, "-c", _AS_ANOTHER_USER.replace("{path}.other", str(other)), str(path), ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            folder.chmod(0o755)
            process.kill()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_whoever_may_not_write_the_folder_reads_all_the_same(path: Path, reader: subprocess.Popen[str]) -> None:
    assert _said(reader) == "1"
    _tell(reader)
    assert _said(reader) == "1"
    _tell(reader)
    assert reader.wait() == 0
    assert [found.name for found in path.parent.iterdir()] == ["finra.db"]


def test_whoever_cannot_see_that_a_run_writes_is_told_afterwards(
    path: Path, url: str, reader: subprocess.Popen[str]
) -> None:
    assert _said(reader) == "1"
    path.parent.chmod(0o755)
    with closing(open_store(url)) as store:
        put_normalized(store, minute=1)
    _tell(reader)
    _said(reader)
    _tell(reader)
    assert _said(reader) == StoreInterruptedError.__name__


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
    location = Location(tmp_path / "finra.db", 30.0, "sqlite:")
    error = translate(sqlite3.OperationalError(message), location, read_only=False)
    assert type(error) is expected
    assert advice in str(error)
    assert str(error).startswith(f"{location.path}: ")
    assert "\n" not in str(error)


def test_errors_that_are_not_the_stores_are_left_alone(tmp_path: Path) -> None:
    assert translate(ValueError("ours"), Location(tmp_path, 1, "sqlite:"), read_only=False) is None


def test_a_capture_number_of_another_store_is_an_error(store: Store) -> None:
    capture = evolve(put_capture(store), number=77)
    with pytest.raises(StoreError, match="not in this store"):
        ask(store, lambda view: view.payload(capture))


class TestSchemaAdmin:
    def test_a_file_that_is_not_there_has_no_version_and_is_not_made(self, path: Path, url: str) -> None:
        admin = open_schema(url)
        assert (admin.version(), admin.newest_version) == (None, HEAD)
        assert list(path.parent.iterdir()) == []

    def test_an_upgrade_makes_the_file_with_the_newest_schema(self, url: str) -> None:
        admin = open_schema(url)
        for _again in range(2):
            admin.upgrade()
            assert admin.version() == HEAD
        with closing(open_store(url, read_only=True)) as store:
            assert captures_of(store) == []

    @pytest.mark.parametrize(
        ("version", "advice"), [("9999", "upgrade finra-core"), ("0000", "none that this library ever made")]
    )
    def test_a_version_that_is_not_known(self, path: Path, url: str, stored: None, version: str, advice: str) -> None:
        _execute(path, f"UPDATE finra_schema_version SET version_num = '{version}'")
        admin = open_schema(url)
        assert admin.version() == version
        with pytest.raises(StoreSchemaError, match=advice):
            admin.upgrade()

    def test_a_store_whose_version_is_lost(self, path: Path, url: str, stored: None) -> None:
        _execute(path, "DELETE FROM finra_schema_version")
        for read_only in (True, False):
            _fails(url, StoreSchemaError, "finra_schema_version is empty: restore a backup", read_only=read_only)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened


def everything(view: ReadView) -> list[object]:
    return [
        view.captures(CaptureQuery(newest=True)),
        view.analyses(),
        view.analysis_keys(),
        view.judgments(),
        view.anomalies(),
        view.decisions(),
        view.runs(),
    ]


def made_elsewhere(path: Path) -> Capture:
    with closing(open_store(f"sqlite:///{path.with_name('elsewhere.db')}")) as store:
        return put_capture(store)


def _fails(url: str, expected: type[FinraError], advice: str, *, read_only: bool) -> None:
    with pytest.raises(expected, match=advice) as caught, closing(open_store(url, read_only=read_only)) as store:
        captures_of(store)
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
