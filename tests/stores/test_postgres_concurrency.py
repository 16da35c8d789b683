"""Two processes at one PostgreSQL store, each with a connection of its own, in the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.testing.examples import (
    T1,
    T2,
    add_analysis,
    add_normalized,
    analysis_of,
    at,
    new_capture,
    payload,
    records,
    row,
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
    analysis = analysis_of(one, [add_normalized(one)])

    def add() -> bool:
        with other.transaction() as transaction:
            return transaction.add_analysis(analysis)

    with one.transaction() as transaction:
        assert transaction.add_analysis(analysis)
        late: Future[bool] = pool.submit(add)
        wait_until_it_waits(late, postgres, postgres_database)
    assert not late.result()
    assert one.analyses() == [analysis]


def test_checks_by_two_that_each_resolve_what_the_other_found_wait_for_each_other(
    postgres: Server, postgres_database: str, stores: tuple[SqlStore, SqlStore], pool: ThreadPoolExecutor
) -> None:
    one, other = stores
    found = [
        Anomaly(Severity.ERROR, category, T1.key, Stage.RAW, "bad") for category in (Category.BAD_DATA, Category.LATE)
    ]

    def check(anomaly: Anomaly, minute: int) -> None:
        with other.transaction() as transaction:
            transaction.record_checks([Check(T1.key, Stage.RAW, (anomaly,))], at(minute))

    with one.transaction() as transaction:
        transaction.record_checks([Check(T1.key, Stage.RAW, (found[0],))], at(0))
        late = pool.submit(check, found[1], 1)
        wait_until_it_waits(late, postgres, postgres_database)
    late.result()
    assert [record.anomaly for record in one.anomalies()] == [found[1]]


def test_two_that_store_the_same_payload_securities_and_venues_for_two_partitions_both_can(
    postgres: Server, postgres_database: str, stores: tuple[SqlStore, SqlStore], pool: ThreadPoolExecutor
) -> None:
    one, other = stores

    def add() -> None:
        with other.transaction(T2.key) as transaction:
            capture = transaction.add_capture(new_capture(T2), payload())
            transaction.add_records(capture, records([row()]), [], at(0))

    with one.transaction(T1.key) as transaction:
        capture = transaction.add_capture(new_capture(T1), payload())
        late = pool.submit(add)
        wait_until_it_waits(late, postgres, postgres_database)
        transaction.add_records(capture, records([row()]), [], at(0))
    late.result()
    assert [list(one.records(capture).rows()) for capture in one.captures()] == [[row()], [row()]]
    assert {one.documents(capture) for capture in one.captures()} == {payload().documents}


def test_a_reading_method_sees_one_state_whatever_is_committed_between_its_queries(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    reader, writer = stores
    before = reader.week_states([T1.week_ending], 1)
    commits = [1]

    @event.listens_for(reader._engine, "before_cursor_execute")
    def commit_before_the_last_query(*arguments: Any) -> None:
        if "FROM core_captures" in arguments[2] and commits:
            commits.clear()
            add_analysis(writer, [add_normalized(writer)])

    assert reader.week_states([T1.week_ending], 1) == before
    assert commits == []
    assert reader.week_states([T1.week_ending], 1) != before
