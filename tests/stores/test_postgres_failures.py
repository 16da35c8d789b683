"""Each way in which PostgreSQL can fail, made to happen: one line that names the database and says what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from finra_core.domain.errors import (
    FinraError,
    PartitionLockedError,
    Retryable,
    StoreError,
    StoreInterruptedError,
    StoreLockedError,
    StoreSchemaError,
    StoreUnavailableError,
)
from finra_core.domain.records import MAX_INTEGER, Record, Security
from finra_core.domain.scopes import STORE, Scope
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    T1,
    T2,
    UBSA,
    ask,
    at,
    captures_of,
    new_capture,
    payload,
    put_capture,
    put_records,
    put_rows,
    put_runs,
    row,
    run_record,
    writing,
)
from finra_postgres import open_store
from support.postgres import Server


@pytest.fixture
def url(postgres: Server, postgres_database: str) -> str:
    return postgres.url(postgres_database)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened


@contextmanager
def fails(expected: type[FinraError], advice: str, database: str) -> Iterator[None]:
    with pytest.raises(expected, match=advice) as caught:
        yield
    assert type(caught.value) is expected
    assert re.match(rf"127\.0\.0\.1:\d+/{database}: ", caught.value.message)
    assert "\n" not in caught.value.message


def start_run(store: Store) -> None:
    put_runs(store, run_record())


@pytest.mark.parametrize("read_only", [False, True])
class TestConnecting:
    def test_to_a_port_at_which_nobody_listens(self, postgres: Server, read_only: bool) -> None:
        with fails(StoreUnavailableError, "cannot be reached.*Connection refused", "finra"):
            open_store("postgresql://u:secret@127.0.0.1:1/finra", read_only=read_only)

    def test_with_a_wrong_password(self, postgres: Server, postgres_database: str, read_only: bool) -> None:
        wrong = f"postgresql://postgres:not-this-one@127.0.0.1:{postgres.running.port}/{postgres_database}"
        with pytest.raises(StoreUnavailableError, match=r"password is wrong.*PGPASSWORD") as caught:
            open_store(wrong, read_only=read_only)
        assert "not-this-one" not in f"{caught.value} {caught.value.__cause__} {caught.value.__dict__}"

    def test_as_a_user_that_is_not_there(self, postgres: Server, postgres_database: str, read_only: bool) -> None:
        with fails(StoreUnavailableError, "user or password is wrong", postgres_database):
            open_store(postgres.url(postgres_database, user="nobody"), read_only=read_only)

    def test_to_a_database_that_is_not_there(self, postgres: Server, read_only: bool) -> None:
        with fails(StoreUnavailableError, "no such database: make it", "nowhere"):
            open_store(postgres.url("nowhere"), read_only=read_only)

    def test_when_no_connection_is_left(self, postgres: Server, postgres_database: str, read_only: bool) -> None:
        with (
            role(postgres, "busy", "CONNECTION LIMIT 0") as user,
            fails(StoreUnavailableError, "no connection left", postgres_database),
        ):
            open_store(postgres.url(postgres_database, user), read_only=read_only)


@pytest.mark.parametrize("last_words", ["another statement", "commit"])
def test_a_connection_that_breaks_in_mid_transaction_leaves_nothing(
    postgres: Server, postgres_database: str, store: Store, last_words: str
) -> None:
    def break_it() -> None:
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_capture(new_capture(), payload())
            postgres.disconnect(postgres_database)
            if last_words == "another statement":
                unit.captures()

    with fails(StoreInterruptedError, "connection was lost: nothing of this transaction", postgres_database):
        break_it()
    assert captures_of(store) == []
    put_capture(store)


def test_a_deadlock_ends_one_of_two_and_tells_it_to_try_again(postgres_database: str, store: Store) -> None:
    captures = [evolve(put_capture(store, each), verified_at=at(9), checked_at=at(9)) for each in (T1, T2)]
    both_have_one = threading.Barrier(2)

    def verify(first: int, second: int) -> StoreError | None:
        try:
            with writing(store) as unit:
                unit.put_checked([captures[first]])
                both_have_one.wait()
                unit.put_checked([captures[second]])
        except StoreError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        ended = [future.result() for future in (pool.submit(verify, 0, 1), pool.submit(verify, 1, 0))]
    errors = [error for error in ended if error]
    assert len(errors) == 1
    assert isinstance(errors[0], StoreInterruptedError)
    assert isinstance(errors[0], Retryable)
    assert f"{postgres_database}: this run and another waited for each other" in errors[0].message
    assert captures_of(store) == captures


def test_a_permission_that_is_missing(postgres: Server, postgres_database: str) -> None:
    with role(postgres, "guest") as user, fails(StoreUnavailableError, "permission denied.*GRANT", postgres_database):
        open_store(postgres.url(postgres_database, user))


def test_a_permission_that_is_taken_away(postgres: Server, postgres_database: str) -> None:
    with role(postgres, "clerk") as user, postgres.connect(postgres_database) as connection:
        connection.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO clerk")
        with closing(open_store(postgres.url(postgres_database, user))) as store:
            start_run(store)
            connection.execute("REVOKE INSERT ON core_captures FROM clerk")
            with fails(StoreUnavailableError, "permission denied.*core_captures", postgres_database):
                put_capture(store)
            assert captures_of(store) == []
        connection.execute("DROP OWNED BY clerk")


def test_a_server_that_can_only_be_read(postgres: Server, postgres_database: str, url: str) -> None:
    with postgres.connect(postgres_database) as connection:
        connection.execute(f"ALTER DATABASE {postgres_database} SET default_transaction_read_only = on")
    with closing(open_store(url)) as store, fails(StoreUnavailableError, "can only be read", postgres_database):
        start_run(store)


def test_a_table_that_somebody_dropped(postgres: Server, postgres_database: str, store: Store) -> None:
    with postgres.connect(postgres_database) as connection:
        connection.execute("DROP TABLE core_runs")
    with fails(StoreSchemaError, "not as this library made it.*core_runs", postgres_database):
        ask(store, lambda view: view.runs())


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(postgres: Server, store: Store) -> None:
    capture = put_capture(store)
    with small_disk(postgres) as tablespace:
        database = store.url.partition("?")[0].rpartition("/")[2]
        with postgres.connect(database) as connection:
            connection.execute(f"ALTER TABLE finra_otc_row_versions SET TABLESPACE {tablespace}")
        rows = [row(Security(f"S{i}", "", ""), UBSA) for i in range(60_000)]
        with fails(StoreUnavailableError, "disk is full: make room", database):
            put_records(store, capture, rows)
        assert captures_of(store) == [capture]
        postgres.drop_database(database)


@pytest.mark.parametrize(
    ("sqlstate", "meaning"),
    [
        ("40001", (StoreInterruptedError, "the next run goes on")),
        ("53100", (StoreUnavailableError, "make room")),
        ("53200", (StoreUnavailableError, "out of memory")),
        ("55P03", (StoreLockedError, "try again")),
        ("57014", (StoreUnavailableError, "cancelled")),
        ("57P02", (StoreInterruptedError, "connection was lost")),
        ("57P03", (StoreUnavailableError, "starting up")),
        ("58030", (StoreUnavailableError, "disk failed")),
        ("08006", (StoreInterruptedError, "connection was lost")),
        ("XX001", (StoreUnavailableError, "damaged")),
        ("P0001", (StoreError, "P0001")),
    ],
)
def test_each_of_the_servers_errors_has_a_meaning(
    postgres: Server, postgres_database: str, store: Store, sqlstate: str, meaning: tuple[type[StoreError], str]
) -> None:
    """Raised by the server itself, out of a trigger."""
    with postgres.connect(postgres_database) as connection:
        connection.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION E'on\\npurpose' USING ERRCODE = '{sqlstate}'; END $$"
        )
        connection.execute("CREATE TRIGGER fail BEFORE INSERT ON core_runs FOR EACH ROW EXECUTE FUNCTION fail()")
    expected, advice = meaning
    with fails(expected, f"{advice}.*on purpose", postgres_database):
        start_run(store)
    assert ask(store, lambda view: view.runs()) == []


@pytest.mark.parametrize("scope", [Scope.across_tiers(T1.week_ending), Scope.week(T1.week_ending)], ids=str)
def test_a_week_that_another_process_writes_is_left_to_it(url: str, store: Store, scope: Scope) -> None:
    with closing(open_store(url)) as other, store.write(scope):
        with pytest.raises(PartitionLockedError, match=f"{scope}: another run") as caught, other.write(scope):
            pass
        assert caught.value.partition is None
        put_capture(other, T1)
        with other.write(STORE):
            pass


def test_a_partition_that_another_process_writes_is_left_to_it(url: str, store: Store) -> None:
    with closing(open_store(url)) as other:
        with store.write(Scope.partition(T1)):
            with pytest.raises(PartitionLockedError, match="2025-12-26 / NMS_TIER_1: another run") as caught:
                put_capture(other, T1)
            assert caught.value.partition == T1
            put_capture(other, T2)
        put_capture(other, T1)


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


def test_text_that_postgresql_cannot_hold_is_said(postgres_database: str, store: Store) -> None:
    capture = put_capture(store)
    with fails(StoreError, "NUL", postgres_database):
        put_records(store, capture, [row(Security("A\0", "", ""))])


@contextmanager
def role(server: Server, name: str, options: str = "") -> Iterator[str]:
    """A role that may enter and has been granted nothing; the passfile has one password for all."""
    password = server.running.passfile.read_text().strip().rpartition(":")[2]
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' {options}")
        try:
            yield name
        finally:
            connection.execute(f"DROP ROLE {name}")


@contextmanager
def small_disk(server: Server) -> Iterator[str]:
    """A tablespace on a file system of a few megabytes."""
    with tempfile.TemporaryDirectory(prefix="finra-disk-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "none", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("only root may mount a small disk")
        try:
            Path(folder, "tablespace").mkdir()
            Path(folder).chmod(0o711)
            if server.running.user:
                shutil.chown(Path(folder, "tablespace"), server.running.user)
            with server.connect() as connection:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}/tablespace'")
                yield "small"
                connection.execute("DROP TABLESPACE small")
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
