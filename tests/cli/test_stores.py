"""Stores that cannot be used: one line, code 2, and whole again when the cause is gone."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from support.command import RUN, STORE, Command

COMMANDS = {"run": RUN, "dry run": (*RUN, "--mode", "dry-run"), "status": ("status",), "captures": ("captures",)}
each_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)


def assert_critical(finra: Command, *arguments: str, says: str, preexec_fn: Callable[[], None] | None = None) -> None:
    ended = finra(*arguments, preexec_fn=preexec_fn)
    critical = [line for line in ended.stderr.splitlines() if line.startswith("[CRITICAL]")]
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    assert len(critical) == 1
    assert STORE in critical[0]
    assert says in critical[0]


@each_command
def test_a_folder_in_the_stores_place(finra: Command, arguments: tuple[str, ...]) -> None:
    (finra.folder / STORE).mkdir()

    assert_critical(finra, *arguments, says="is a folder")


@each_command
def test_a_file_that_is_no_database(finra: Command, arguments: tuple[str, ...]) -> None:
    (finra.folder / STORE).write_bytes(b"week_ending,tier\n" * 500)

    assert_critical(finra, *arguments, says="no SQLite database")


@each_command
def test_a_truncated_database(finra_after_run: Command, arguments: tuple[str, ...]) -> None:
    path = finra_after_run.folder / STORE
    os.truncate(path, path.stat().st_size // 2)

    assert_critical(finra_after_run, *arguments, says="damaged")


def test_a_store_in_a_folder_that_is_not_there(finra: Command) -> None:
    assert_critical(finra, *RUN, "--store", f"sqlite:///nowhere/{STORE}", says="folder exists")


def test_a_store_that_another_process_writes_for_too_long(finra_after_run: Command) -> None:
    with closing(sqlite3.connect(finra_after_run.folder / STORE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        assert_critical(finra_after_run, *RUN, "--store", f"sqlite:///{STORE}?timeout=0.2", says="locked")

    finra_after_run.ok(*RUN)


@pytest.mark.parametrize("command", ["status", "readiness", "anomalies", "captures", "runs"])
def test_a_store_that_is_being_written_shows_its_committed_state(finra_after_run: Command, command: str) -> None:
    patient = ("--store", f"sqlite:///{STORE}?timeout=0.2")
    before = finra_after_run.ok(command, *patient)
    with closing(sqlite3.connect(finra_after_run.folder / STORE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM core_data_readiness")
        other.execute("DELETE FROM finra_otc_analyses")

        assert finra_after_run.ok(command, *patient) == before


def _obey_permissions() -> None:
    """Give up root's right to write what nobody may write."""
    cap_dac_override, pr_capbset_drop = 1, 24
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_override) != 0:
        raise OSError("root's rights cannot be given up")


def test_a_store_that_may_not_be_written(finra_after_run: Command) -> None:
    path = finra_after_run.folder / STORE
    path.chmod(0o444)
    before = path.read_bytes()

    assert_critical(finra_after_run, *RUN, says="permissions", preexec_fn=_obey_permissions)
    assert finra_after_run.ok("readiness", preexec_fn=_obey_permissions).count("yes") == 6
    assert path.read_bytes() == before


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("kib", [0, 100, 300])
def test_a_full_disk_ends_the_run_and_the_next_one_completes_it(finra: Command, filled: Path, kib: int) -> None:
    assert filled.stat().st_size > 300 * 1024

    assert_critical(finra, *RUN, says="full", preexec_fn=partial(_limit_files, kib * 1024))

    finra.ok(*RUN)
    undisturbed = Command(filled.parent)
    assert finra.contents() == undisturbed.contents()


@pytest.mark.parametrize("url", ["sqlite://u:hush@h/x", "postgresql://u:hush@127.0.0.1:1/x", "sqllite://u:hush@h/x"])
def test_a_password_in_a_url_is_not_repeated(finra: Command, url: str) -> None:
    ended = finra("status", "--json", "--store", url)

    assert ended.returncode == 2
    assert "hush" not in ended.stderr + ended.stdout
    assert "[WARN] --store holds a password" in ended.stderr
    assert "[WARN]" not in finra("status", env={"FINRA_STORE": url}).stderr


def test_what_the_system_refuses_is_said_in_its_words(finra: Command) -> None:
    ended = finra("status", "--store", f"sqlite:///{'a' * 5000}")

    assert ended.returncode == 2
    assert ended.stderr.startswith("[CRITICAL] ")
    assert "File name too long" in ended.stderr
    assert "unexpected" not in ended.stderr
