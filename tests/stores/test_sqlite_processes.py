"""Several processes at one store, and processes that die in the middle."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from finra_core.domain.errors import StoreUnavailableError
from finra_core.testing.examples import ask, captures_of, put_capture, put_normalized, row, rows_of
from finra_sqlite import open_store

_WRITES = 15

_WRITER = """
import sys
from finra_core.domain.scopes import Scope
from finra_core.testing.examples import T1, new_capture, payload, put_rows, row
from finra_sqlite import open_store
store = open_store(sys.argv[1])
for minute in range(int(sys.argv[2])):
    with store.write(Scope.partition(T1)) as unit:
        revision = len(unit.captures()) + 1
        new = new_capture(T1, minute, capture_id="x", revision=revision)
        capture = unit.put_capture(new, payload(sys.argv[3].encode()))
        put_rows(unit, capture, [row(shares=minute)])
store.close()
"""

_HANGS_IN_TRANSACTION = """
import sys, time
from finra_core.domain.scopes import Scope
from finra_core.testing.examples import T1, new_capture, payload, put_rows, row
from finra_sqlite import open_store
store = open_store(sys.argv[1])
with store.write(Scope.partition(T1)) as unit:
    capture = unit.put_capture(new_capture(T1, 9), payload(b"never seen"))
    put_rows(unit, capture, [row(shares=9)])
    print("in", flush=True)
    time.sleep(600)
"""

_HANGS_IN_COMMIT = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE core_captures SET reason = 'half written'")
connection.execute("CREATE TABLE filler (x)")
connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 4000,)] * 200)
print("in", flush=True)
time.sleep(600)
"""

_IS_KILLED_AFTER_A_COMMIT = """
import sys, time
from finra_core.testing.examples import put_normalized, row
from finra_sqlite import open_store
store = open_store(sys.argv[1])
put_normalized(store, minute=1, rows=[row(shares=7)])
print("in", flush=True)
time.sleep(600)
"""

_FILLS_THE_DISK = """
import os, resource, sys
from finra_core.domain.errors import StoreUnavailableError
from finra_core.domain.scopes import Scope
from finra_core.testing.examples import T1, new_capture, payload
from finra_sqlite import open_store
store = open_store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with store.write(Scope.partition(T1)) as unit:
        unit.put_capture(new_capture(T1, 9), payload(os.urandom(2_000_000)))
except StoreUnavailableError as error:
    print(error)
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'finra.db'}"
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, url, str(_WRITES), name]) for name in ("one", "another")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    with closing(open_store(url)) as store:
        captures = captures_of(store)
        assert [capture.revision for capture in captures] == list(range(1, 2 * _WRITES + 1))
        documents = sorted(ask(store, lambda view: [view.payload(capture)[0] for capture in captures]))
        assert documents == [b"another"] * _WRITES + [b"one"] * _WRITES
        assert [len(rows_of(store, capture)) for capture in captures] == [1] * 2 * _WRITES


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_writer_killed_in_mid_transaction_leaves_the_store_unlocked_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        capture = put_normalized(store)
    before = _dump(path)
    _start_and_kill(_HANGS_IN_TRANSACTION, url)
    assert _dump(path) == before
    with closing(open_store(f"{url}?timeout=0")) as store:
        assert captures_of(store) == [capture]
        put_capture(store, minute=1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_a_killed_run_had_committed_is_read_from_the_log_and_the_next_run_tidies_up(tmp_path: Path) -> None:
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        put_normalized(store)
    _start_and_kill(_IS_KILLED_AFTER_A_COMMIT, url)
    interrupted = _bytes(tmp_path)
    assert set(interrupted) == {"finra.db", "finra.db-wal", "finra.db-shm"}
    with closing(open_store(url, read_only=True)) as store:
        assert [rows_of(store, capture) for capture in captures_of(store)] == [[row()], [row(shares=7)]]
    assert _bytes(tmp_path) | {"finra.db-shm": ""} == interrupted | {"finra.db-shm": ""}  # that is the readers' own
    with closing(open_store(url)) as store:
        assert len(captures_of(store)) == 2
    assert set(_bytes(tmp_path)) == {"finra.db"}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_without_a_log_a_writer_killed_in_mid_commit_is_rolled_back_by_the_next_run_and_not_by_a_reader(
    tmp_path: Path,
) -> None:
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}?journal=delete"
    with closing(open_store(url)) as store:
        capture = put_normalized(store)
    _start_and_kill(_HANGS_IN_COMMIT, str(path))
    interrupted = _bytes(tmp_path)
    assert set(interrupted) == {"finra.db", "finra.db-journal"}
    with pytest.raises(StoreUnavailableError, match="interrupted: a normal run repairs it"):
        open_store(url, read_only=True)
    assert _bytes(tmp_path) == interrupted
    with closing(open_store(url)) as store:
        assert captures_of(store) == [capture]
    with closing(open_store(url, read_only=True)) as store:
        assert captures_of(store) == [capture]


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        capture = put_normalized(store)
    limit = str(path.stat().st_size + 100_000)
    done = subprocess.run(
        [sys.executable, "-c", _FILLS_THE_DISK, url, limit], capture_output=True, text=True, check=True
    )
    assert "full" in done.stdout
    assert str(path) in done.stdout
    with closing(open_store(url)) as store:
        assert captures_of(store) == [capture]


def _start_and_kill(script: str, argument: str) -> None:
    with subprocess.Popen([sys.executable, "-c", script, argument], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        try:
            assert writer.stdout.readline() == "in\n"
        finally:
            writer.kill()


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def _bytes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
