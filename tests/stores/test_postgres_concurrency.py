"""Two processes at one PostgreSQL store, each with a connection of its own, in the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from finra_core.domain.anomalies import Category
from finra_core.domain.errors import StoreError
from finra_core.domain.scopes import Scope
from finra_core.ports.store import Lock, ReadView
from finra_core.testing.examples import (
    T1,
    T2,
    analysis_of,
    anomaly,
    ask,
    captures_of,
    new_capture,
    payload,
    put_analysis,
    put_normalized,
    put_rows,
    row,
    rows_of,
    seen,
    writing,
)
from finra_postgres import open_store
from finra_sql.store import SqlStore
from support.postgres import Server


@pytest.fixture
def stores(postgres: Server, postgres_database: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    url = postgres.url(postgres_database)
    with closing(open_store(url)) as one, closing(open_store(url)) as other:
        yield one, other


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def wait_until_it_waits(late: Future[Any], server: Server, database: str) -> None:
    """Until what was begun late waits for a lock of the database."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with server.connect() as connection:
        while connection.execute(waiting, [database]).fetchone() is None:
            assert not late.done()


def test_the_same_analytics_by_two_are_stored_once(
    postgres: Server, postgres_database: str, stores: tuple[SqlStore, SqlStore], pool: ThreadPoolExecutor
) -> None:
    one, other = stores
    analysis = analysis_of(one, [put_normalized(one)])

    def put() -> None:
        with writing(other) as unit:
            unit.put_analysis(analysis)

    with writing(one) as unit:
        unit.put_analysis(analysis)
        late = pool.submit(put)
        wait_until_it_waits(late, postgres, postgres_database)
    with pytest.raises(StoreError, match="stored already"):
        late.result()
    assert ask(one, lambda view: view.analyses()) == [analysis]


def test_whoever_waited_for_a_lock_sees_what_its_holder_committed(
    postgres: Server, postgres_database: str, stores: tuple[SqlStore, SqlStore], pool: ThreadPoolExecutor
) -> None:
    one, other = stores
    found = [seen(anomaly(category=category)) for category in (Category.BAD_DATA, Category.LATE)]

    def put() -> list[str]:
        with writing(other) as unit:
            unit.put_anomalies(found[1:])  # the transaction has begun, and seen that there is none
            before = unit.anomalies()
            unit.hold(Lock.ANOMALIES)
            return [record.fingerprint for record in unit.anomalies() if record not in before]

    with writing(one) as unit:
        unit.hold(Lock.ANOMALIES)
        unit.put_anomalies(found[:1])
        late = pool.submit(put)
        wait_until_it_waits(late, postgres, postgres_database)
    assert late.result() == [found[0].fingerprint]


def test_two_that_store_the_same_payload_securities_and_venues_for_two_partitions_both_can(
    postgres: Server, postgres_database: str, stores: tuple[SqlStore, SqlStore], pool: ThreadPoolExecutor
) -> None:
    one, other = stores

    def put() -> None:
        with writing(other, Scope.partition(T2)) as unit:
            put_rows(unit, unit.put_capture(new_capture(T2), payload()), [row()])

    with writing(one, Scope.partition(T1)) as unit:
        capture = unit.put_capture(new_capture(T1), payload())
        late = pool.submit(put)
        wait_until_it_waits(late, postgres, postgres_database)
        put_rows(unit, capture, [row()])
    late.result()
    captures = captures_of(one)
    assert [rows_of(one, capture) for capture in captures] == [[row()], [row()]]
    assert ask(one, lambda view: {view.payload(capture) for capture in captures}) == {payload().documents}


def everything(view: ReadView) -> list[object]:
    captures = view.captures()
    return [captures, [list(view.records(capture).rows()) for capture in captures], view.analyses()]


def test_a_view_sees_one_state_whatever_is_committed_between_its_queries(stores: tuple[SqlStore, SqlStore]) -> None:
    reader, writer = stores
    put_normalized(writer)
    before = ask(reader, everything)
    commits: list[str] = []

    @event.listens_for(reader._engine, "before_cursor_execute")
    def commit_before_each_query(*arguments: Any) -> None:
        if arguments[2].startswith("SELECT") and len(commits) < 6:
            commits.append(arguments[2])
            put_analysis(writer, [put_normalized(writer, minute=len(commits))])

    assert ask(reader, everything) == before
    assert len(commits) > 3
    assert ask(reader, everything) != before
