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
from finra_core.testing.examples import T1, add_capture, add_normalized
from finra_sqlite import open_store

_WRITES = 15

_WRITER = """
import sys
from finra_core.testing.examples import T1, new_capture, payload, records, row
from finra_sqlite import open_store
store = open_store(sys.argv[1])
for minute in range(int(sys.argv[2])):
    with store.transaction(T1.key) as transaction:
        capture = transaction.add_capture(new_capture(T1, minute, capture_id="x"), payload(sys.argv[3].encode()))
        transaction.add_records(capture, records([row(shares=minute)]), [], capture.captured_at)
store.close()
"""

_HANGS_IN_TRANSACTION = """
import sys, time
from finra_core.testing.examples import T1, new_capture, payload, records, row
from finra_sqlite import open_store
store = open_store(sys.argv[1])
with store.transaction(T1.key) as transaction:
    capture = transaction.add_capture(new_capture(T1, 9), payload(b"never seen"))
    transaction.add_records(capture, records([row(shares=9)]), [], capture.captured_at)
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

_FILLS_THE_DISK = """
import os, resource, sys
from finra_core.domain.errors import StoreUnavailableError
from finra_core.testing.examples import T1, new_capture, payload
from finra_sqlite import open_store
store = open_store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with store.transaction(T1.key) as transaction:
        transaction.add_capture(new_capture(T1, 9), payload(os.urandom(2_000_000)))
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
        captures = store.captures()
        assert [capture.revision for capture in captures] == list(range(1, 2 * _WRITES + 1))
        assert (
            sorted(store.documents(capture)[0] for capture in captures) == [b"another"] * _WRITES + [b"one"] * _WRITES
        )
        assert [len(store.records(capture)) for capture in captures] == [1] * 2 * _WRITES


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_writer_killed_in_mid_transaction_leaves_the_store_unlocked_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        capture = add_normalized(store)
    before = _dump(path)
    _start_and_kill(_HANGS_IN_TRANSACTION, url)
    assert _dump(path) == before
    with closing(open_store(f"{url}?timeout=0")) as store:
        assert store.captures() == [capture]
        add_capture(store, T1, 1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_writer_killed_in_mid_commit_is_rolled_back_by_the_next_run_and_not_by_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        capture = add_normalized(store)
    _start_and_kill(_HANGS_IN_COMMIT, str(path))
    interrupted = _bytes(tmp_path)
    assert set(interrupted) == {"finra.db", "finra.db-journal"}
    with pytest.raises(StoreUnavailableError, match="interrupted: a normal run repairs it"):
        open_store(url, read_only=True)
    assert _bytes(tmp_path) == interrupted
    with closing(open_store(url)) as store:
        assert store.captures() == [capture]
    with closing(open_store(url, read_only=True)) as store:
        assert store.captures() == [capture]


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    path = tmp_path / "finra.db"
    url = f"sqlite:///{path}"
    with closing(open_store(url)) as store:
        capture = add_normalized(store)
    limit = str(path.stat().st_size + 100_000)
    done = subprocess.run(
        [sys.executable, "-c", _FILLS_THE_DISK, url, limit], capture_output=True, text=True, check=True
    )
    assert "full" in done.stdout
    assert str(path) in done.stdout
    with closing(open_store(url)) as store:
        assert store.captures() == [capture]


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
