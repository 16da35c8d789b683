"""What a PostgreSQL store holds: the declared schema in types of its own, the promised SQL, an index for each query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.errors import StoreUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports import RunRecord, Store
from finra_core.testing.examples import (
    RUN_DATE,
    T1,
    T2,
    UBSA,
    Row,
    add_analysis,
    add_capture,
    add_normalized,
    analysis_of,
    at,
    new_capture,
    payload,
    records,
    row,
)
from finra_postgres import open_store
from finra_sql import ddl
from finra_sql.store import SqlStore
from support.postgres import Server

_CATALOG = (
    """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, k.collname,
              pg_get_expr(d.adbin, d.adrelid)
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
       LEFT JOIN pg_collation k ON k.oid = a.attcollation
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1, a.attnum""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "SELECT version_num FROM finra_schema_version",
)
_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "postgres.md"


@pytest.fixture
def url(postgres: Server, postgres_database: str) -> str:
    return postgres.url(postgres_database)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def database(postgres: Server, postgres_database: str) -> Iterator[psycopg.Connection]:
    with postgres.connect(postgres_database) as connection:
        yield connection


def rows(database: psycopg.Connection, statement: Any) -> list[tuple[Any, ...]]:
    return database.execute(statement).fetchall()


def test_the_migrated_schema_is_the_declared_one_and_the_printed_one(
    postgres: Server, database: psycopg.Connection
) -> None:
    name = postgres.new_empty_database()
    with postgres.connect(name) as by_hand:
        by_hand.execute(ddl.postgresql())
        for query in _CATALOG:
            assert rows(by_hand, query) == rows(database, query)
            assert rows(by_hand, query)
    open_store(postgres.url(name)).close()
    postgres.drop_database(name)


def test_every_value_has_a_type_of_its_own(store: Store, database: psycopg.Connection) -> None:
    add_normalized(
        store, rows=[((str(i), "", ""), UBSA, micros, 1, "2026-01-12") for i, micros in enumerate([3_000_000, 1])]
    )
    found = rows(
        database,
        "SELECT week_ending, shares, shares_micros, last_update_date, captured_at"
        " FROM finra_otc_transparency_normalized_latest ORDER BY symbol",
    )
    assert found[0][:4] == (date(2025, 12, 26), Decimal("3.000000"), 3_000_000, date(2026, 1, 12))
    assert found[0][4] == datetime(2026, 1, 20, 12, 0, 0, 123456, tzinfo=timezone.utc)
    assert str(found[1][1]) == "0.000001"


def test_fractions_of_large_quantities_add_up_exactly(store: Store, database: psycopg.Connection) -> None:
    quantities = [100_001] * 10 + [9_007_199_254_740_993, 2**63 - 1 - 10**17]
    given: list[Row] = [((str(i), "", ""), UBSA, micros, 1, "2026-01-12") for i, micros in enumerate(quantities)]
    add_normalized(store, rows=given)
    found = rows(database, "SELECT sum(shares) FROM finra_otc_transparency_normalized_latest")
    assert found == [(Decimal(sum(quantities)).scaleb(-6),)]


def test_the_documents_queries_run_with_postgresqls_json(store: Store, database: psycopg.Connection) -> None:
    monday = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251230"
    with store.transaction(T1.key) as transaction:
        capture = transaction.add_capture(new_capture(T1, 0, capture_id=monday), payload())
        transaction.add_records(capture, records([row(shares=1)]), [], at(0))
    add_capture(store, T1, 60)
    add_normalized(store, T2, 90)
    of_week = (
        "FROM core_manifest WHERE domain = 'finra.otc_transparency' AND stage = 'RAW'"
        " AND partition_key ->> 'week_ending' = '2025-12-26'"
    )
    newest = f"{of_week} AND partition_key ->> 'tier' = 'NMS_TIER_1' ORDER BY captured_at DESC LIMIT 1"
    assert rows(database, f"SELECT metadata_json ->> 'content_hash' {newest}") == [(f"{60:064x}",)]
    tiers = rows(database, f"SELECT DISTINCT partition_key ->> 'tier' {of_week}")
    assert sorted(tiers) == [("NMS_TIER_1",), ("NMS_TIER_2",)]
    as_of = (
        "SELECT shares FROM finra_otc_transparency_normalized WHERE week_ending = '2025-12-26'"
        " AND tier = 'NMS_TIER_1' AND capture_id LIKE '%:20251230'"
    )
    assert rows(database, as_of) == [(1,)]


@pytest.mark.parametrize("setting", [True, False])
def test_a_judgment_that_a_user_inserts_is_read(store: Store, database: psycopg.Connection, setting: bool) -> None:
    database.execute(
        "INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present,"
        " all_stages_complete, no_critical_anomalies)"
        """ VALUES ('finra.otc_transparency', '{"week_ending": "2025-12-26"}', %s, 'trading', true, true, true)""",
        [setting],
    )
    assert [(r.week_ending, r.is_ready, r.blocking_issues) for r in store.readiness()] == [
        (T1.week_ending, setting, ())
    ]


def test_a_restatement_of_three_rows_writes_three_row_versions(store: Store, database: psycopg.Connection) -> None:
    given = [row((f"S{i:04}", "", ""), UBSA, i + 1) for i in range(2_000)]
    add_normalized(store, T1, 0, given)
    restated = [row(each[0], UBSA, 9_999) if i in {7, 500, 1_999} else each for i, each in enumerate(given)]
    add_normalized(store, T1, 1, restated)
    assert rows(database, "SELECT count(*), count(to_capture) FROM finra_otc_row_versions") == [(2_003, 3)]


_YEARS = Path(__file__).with_name("years.sql")
_READ_WHOLE = {"finra_otc_securities", "finra_otc_venues"}
"""Dimension tables, of which a partition's rows name most of the rows."""


def test_every_query_of_a_partition_or_a_week_finds_its_rows_by_an_index(
    store: SqlStore, database: psycopg.Connection
) -> None:
    database.execute(_YEARS.read_bytes())
    partition = Partition(date(2020, 1, 3), Tier.NMS_TIER_1)
    plans: dict[str, list[str]] = {}

    @event.listens_for(store._engine, "before_cursor_execute")
    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if re.match(r"SELECT (?!pg_)|UPDATE|WITH", statement):
            values = parameters[0] if many else parameters
            with connection.connection.cursor() as cursor:
                plan = cursor.execute(f"EXPLAIN {statement}", values).fetchall()
            plans[statement] = [line for (line,) in plan]

    newest = store.latest_captures([partition])[partition]
    use_everything(store, partition)

    assert len(plans) > 30
    scanned = {
        (statement, table)
        for statement, plan in plans.items()
        for table in re.findall(r"Seq Scan on (\w+)", "\n".join(plan))
        if table not in _READ_WHOLE
    }
    assert scanned == set(), "\n".join("\n".join(plans[statement]) for statement, _table in scanned)
    assert newest.number == 3


def use_everything(store: SqlStore, partition: Partition) -> None:
    """Every reading of a partition or a week, and every change."""
    key, week = partition.key, partition.week_ending
    capture = store.captures([partition])[-1]
    store.unnormalized(), store.week_states([week], 1), store.documents(capture)
    store.records(capture), store.rejects(capture), store.shared_symbols([capture])
    store.analyses([week]), store.readiness([week]), store.anomalies()
    run = RunRecord(
        run_id="mine",
        started_at=at(0),
        finished_at=None,
        mode="run",
        run_date=RUN_DATE,
        exit_code=None,
        report_json=None,
    )
    with store.transaction(key) as transaction:
        transaction.latest_capture(partition)
        transaction.mark_verified(capture, at(1))
        for minute, shares in ((2, 1), (3, 2)):
            added = transaction.add_capture(new_capture(partition, minute), payload())
            transaction.add_records(added, records([row(shares=shares)]), [], at(minute))
        transaction.withdraw_readiness(week, "why", at(3))
        bad = Anomaly(Severity.ERROR, Category.BAD_DATA, key, Stage.RAW, "bad")
        transaction.record_checks([Check(key, Stage.RAW, (bad,))], at(3))
        transaction.start_run(run)
        transaction.finish_run(run)
    with store.transaction() as transaction:
        transaction.add_analysis(analysis_of(store, [added], calc_version=CALC_VERSION))


def test_the_history_of_one_symbol_can_be_looked_up_by_an_index(store: Store, database: psycopg.Connection) -> None:
    database.execute(_YEARS.read_bytes())
    select = "SELECT * FROM finra_otc_transparency_normalized_latest WHERE symbol = 'S42'"
    database.execute("SET enable_seqscan = off")  # from about a million rows on, the planner needs no telling
    plan = "\n".join(line for (line,) in rows(database, f"EXPLAIN {select}"))
    assert len(rows(database, select)) == 200
    assert "Index Cond: (security_no = s.security_no)" in plan


def test_the_documents_roles_have_what_they_need_and_no_more(postgres: Server) -> None:
    roles, grants, query = re.findall(r"```sql\n(.*?)```", _DOCUMENT.read_text("utf-8"), re.DOTALL)
    password = postgres.running.passfile.read_text().strip().rpartition(":")[2]
    owner, writer, reader = (postgres.url("finra", f"finra_{name}") for name in ("owner", "writer", "reader"))
    with postgres.connect() as superuser:
        try:
            for statement in filter(str.strip, roles.split(";")):
                superuser.execute(statement.replace("LOGIN", f"LOGIN PASSWORD '{password}'"))
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute(grants)
            with pytest.raises(StoreUnavailableError, match="permission denied"):
                open_store(writer)
            open_store(owner).close()
            _writes(writer)
            _reads(reader, query)
        finally:
            superuser.execute("DROP DATABASE IF EXISTS finra WITH (FORCE)")
            superuser.execute("DROP ROLE IF EXISTS finra_owner, finra_writer, finra_reader")


def _writes(url: str) -> None:
    """Every change that a run makes; and no deletion."""
    with closing(open_store(url)) as store:
        use_everything_small(store)
    with psycopg.connect(url, autocommit=True) as connection:
        for forbidden in ("DELETE FROM core_captures", "DROP TABLE core_captures", "CREATE TABLE x (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


def use_everything_small(store: SqlStore) -> None:
    add_analysis(store, [add_normalized(store, T1)])
    use_everything(store, T1)


def _reads(url: str, query: str) -> None:
    with closing(open_store(url, read_only=True)) as store:
        assert len(store.records(store.captures()[0])) == 1
        assert len(store.analyses()) == 2
    with psycopg.connect(url, autocommit=True) as connection:
        assert [row[0] for row in connection.execute(query)] == ["NMS_TIER_1"]
        assert connection.execute("SELECT count(*) FROM finra_otc_transparency_hhi_latest").fetchone() == (1,)
        for forbidden in ("UPDATE core_captures SET reason = ''", "DELETE FROM core_runs", "CREATE TABLE x (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
