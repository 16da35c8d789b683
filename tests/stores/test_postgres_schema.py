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
from attrs import evolve
from sqlalchemy import create_engine, event, inspect

from finra_core.domain.anomalies import Severity
from finra_core.domain.errors import StoreUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Record, Security
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    JudgmentQuery,
    Lock,
    RunQuery,
    Store,
)
from finra_core.testing.examples import (
    T1,
    T2,
    UBSA,
    anomaly,
    ask,
    at,
    captures_of,
    decision_record,
    judgment,
    new_capture,
    payload,
    put_analysis,
    put_capture,
    put_normalized,
    put_rows,
    row,
    rows_of,
    run_record,
    seen,
    writing,
)
from finra_postgres import open_schema, open_store
from finra_sql.schema import metadata
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


def test_the_tables_that_statements_name_are_those_that_migrations_make(url: str, store: Store) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    inspector = inspect(engine)
    made = {
        (name, column["name"], column["type"].compile(engine.dialect).partition(" COLLATE")[0])
        for name in inspector.get_table_names()
        for column in inspector.get_columns(name)
    }
    named = {
        (table.name, column.name, column.type.compile(engine.dialect).replace("FLOAT", "DOUBLE PRECISION"))
        for table in metadata.tables.values()
        for column in table.c
    }
    engine.dispose()
    assert {each for each in made if each[0] != "finra_schema_version"} == named


def test_the_printed_schema_is_that_of_a_store(postgres: Server, database: psycopg.Connection) -> None:
    name = postgres.new_empty_database()
    with postgres.connect(name) as by_hand:
        by_hand.execute(open_schema("postgresql:").ddl().encode())
        for query in _CATALOG:
            assert rows(by_hand, query) == rows(database, query)
            assert rows(by_hand, query)
    open_store(postgres.url(name)).close()
    postgres.drop_database(name)


def test_every_value_has_a_type_of_its_own(store: Store, database: psycopg.Connection) -> None:
    quantities = enumerate([3_000_000, 1])
    put_normalized(store, rows=[Record(Security(str(i), "", ""), UBSA, n, 1, "2026-01-12") for i, n in quantities])
    found = rows(
        database,
        "SELECT week_ending, shares, shares_micros, last_update_date, captured_at"
        " FROM finra_otc_transparency_normalized_latest ORDER BY symbol",
    )
    assert found[0][:4] == (date(2025, 12, 26), Decimal("3.000000"), 3_000_000, date(2026, 1, 12))
    assert found[0][4] == datetime(2026, 1, 20, 12, 0, 0, 123456, tzinfo=timezone.utc)
    assert str(found[1][1]) == "0.000001"


def test_fractions_of_large_quantities_add_up_exactly(store: Store, database: psycopg.Connection) -> None:
    quantities = [100_001] * 10 + [9_007_199_254_740_993, 2**62 - 10**17]
    given = [Record(Security(str(i), "", ""), UBSA, micros, 1, "2026-01-12") for i, micros in enumerate(quantities)]
    put_normalized(store, rows=given)
    found = rows(database, "SELECT sum(shares) FROM finra_otc_transparency_normalized_latest")
    assert found == [(Decimal(sum(quantities)).scaleb(-6),)]


def test_the_documents_queries_run_with_postgresqls_json(store: Store, database: psycopg.Connection) -> None:
    monday = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251230"
    with writing(store, Scope.partition(T1)) as unit:
        put_rows(unit, unit.put_capture(new_capture(T1, 0, capture_id=monday), payload()), [row(shares=1)])
    put_capture(store, T1, 60)
    put_normalized(store, T2, 90)
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
    (found,) = ask(store, lambda view: view.judgments())
    assert (found.readiness.week_ending, found.readiness.is_ready) == (T1.week_ending, setting)
    assert (found.readiness.blocking_issues, found.readiness.captures) == ((), ())


def test_a_restatement_of_three_rows_writes_three_row_versions(store: Store, database: psycopg.Connection) -> None:
    given = [row(Security(f"S{i:04}", "", ""), UBSA, i + 1) for i in range(2_000)]
    put_normalized(store, T1, 0, given)
    restated = [row(each[0], UBSA, 9_999) if i in {7, 500, 1_999} else each for i, each in enumerate(given)]
    put_normalized(store, T1, 1, restated)
    assert rows(database, "SELECT count(*), count(to_capture) FROM finra_otc_row_versions") == [(2_003, 3)]


_YEARS = Path(__file__).with_name("years.sql")
_READ_WHOLE = {"finra_otc_securities", "finra_otc_venues", "finra_otc_analysis_inputs"}
"""Dimension tables, of which a partition's rows name most of the rows, and one of three numbers a row."""


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

    (newest,) = ask(store, lambda v: v.captures(CaptureQuery(partitions=frozenset([partition]), newest=True)))
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
    week = partition.week_ending
    weeks = frozenset([week])
    before, capture = ask(store, lambda v: v.captures(CaptureQuery(partitions=frozenset([partition]))))[-2:]
    with store.read() as view:
        view.captures(CaptureQuery(weeks=weeks, captured_by=at(9), newest=True, normalized=True))
        view.payload(capture), view.records(capture), view.rejects(capture), view.symbols(capture)
        view.changes(before, capture), view.analyses([week]), view.analysis_keys([week])
        for history in (False, True):
            view.judgments(JudgmentQuery(weeks=weeks, ready_for="trading", history=history))
        view.anomalies(AnomalyQuery(scopes=frozenset([Scope.partition(partition)]), open_only=True))
        view.anomalies(AnomalyQuery(weeks=weeks)), view.anomalies(AnomalyQuery(fingerprints=frozenset(["f1-1"])))
        view.anomalies(AnomalyQuery(severities=frozenset([Severity.CRITICAL]), open_only=True))
        view.decisions(DecisionQuery(run_id="r7")), view.decisions(DecisionQuery(partition=partition, limit=3))
        view.decisions(DecisionQuery(weeks=weeks, newest=True))
        view.decisions(DecisionQuery(limit=3)), view.runs(RunQuery(run_id="r7")), view.runs(RunQuery(limit=1))
    with store.write(Scope.partition(partition)) as unit:
        unit.hold(Lock.ANOMALIES)
        unit.put_checked([evolve(capture, checked_at=at(1))])
        for minute, shares in ((2, 1), (3, 2)):
            added = unit.put_capture(new_capture(partition, minute), payload())
            put_rows(unit, added, [row(shares=shares)], minute=minute)
        unit.put_anomalies([seen(anomaly(scope=Scope.partition(partition)))])
        unit.put_judgments([judgment(week)])
        unit.put_decisions([decision_record(partition)])
        unit.put_run(run_record("mine"))
    put_analysis(store, [added])


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
    put_normalized(store, T1)
    put_analysis(store, [put_normalized(store, T1, 1)])
    use_everything(store, T1)


def _reads(url: str, query: str) -> None:
    with closing(open_store(url, read_only=True)) as store:
        assert len(rows_of(store, captures_of(store)[0])) == 1
        assert len(ask(store, lambda view: view.analyses())) == 2
    with psycopg.connect(url, autocommit=True) as connection:
        assert [row[0] for row in connection.execute(query)] == ["NMS_TIER_1"]
        assert connection.execute("SELECT count(*) FROM finra_otc_transparency_hhi_latest").fetchone() == (1,)
        for forbidden in ("UPDATE core_captures SET reason = ''", "DELETE FROM core_runs", "CREATE TABLE x (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
