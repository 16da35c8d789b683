"""One week and tier, and one symbol over all weeks, are looked up by the bitemporal views, not searched for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from finra_core import Partition, Tier, open_store
from finra_core.domain.records import Security
from finra_core.testing.examples import NEXT_WEEK, put_analysis, put_normalized, row
from support.postgres import Server
from support.sql import AS_OF, Database, connected

P = "finra_otc_transparency_"
WEEK = "week_ending = '2020-01-03' AND tier = 'NMS_TIER_1'"
NOW = AS_OF.format(at="2030-01-01T00:00:00.000000Z")
QUERIES = {
    "rows of a week": f"SELECT * FROM {P}normalized_history WHERE {WEEK} AND {NOW}",
    "rows of a symbol": f"SELECT * FROM {P}normalized_history WHERE symbol = 'S0042' AND {NOW}",
    "versions of a symbol": f"SELECT * FROM {P}normalized_history WHERE symbol = 'S0042'",
    "restatements of a week": f"SELECT * FROM {P}restatements WHERE {WEEK}",
    "restatements of a symbol": f"SELECT * FROM {P}restatements WHERE symbol = 'S0042'",
    **{
        f"{name} of a week": f"SELECT * FROM {P}{name}_history WHERE {WEEK} AND {NOW}"
        for name in ("venue_volume", "venue_share", "hhi", "weekly_totals")
    },
    "judgments of a week": f"SELECT * FROM core_data_readiness_history WHERE week_ending = '2020-01-03' AND {NOW}",
}
LARGE = ("finra_otc_row_versions", "finra_otc_analyses", "finra_otc_analysis_venues", "core_readiness_history")
"""The tables that grow with weeks and rows; a list of captures or of names is small beside them."""


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('plans') / 'finra.db'}"
    rows = [row(Security(f"S{i:04}", "", "")) for i in range(300)]
    with open_store(url) as store:
        for week in range(3):
            partition = Partition(NEXT_WEEK + timedelta(days=7 * week), Tier.OTC)
            put_analysis(store, [put_normalized(store, partition, 2 * week, rows)])
            put_analysis(
                store, [put_normalized(store, partition, 2 * week + 1, [row(rows[0][0], shares=7), *rows[1:]])]
            )
    with connected(url) as database:
        yield database


@pytest.mark.parametrize("name", QUERIES)
def test_sqlite_searches_no_large_table(sqlite: Database, name: str) -> None:
    plan = sqlite.plan(QUERIES[name])
    scanned = [step.split()[1] for step in plan if step.startswith("SCAN ")]
    # p: partitions, all of which a symbol may be in. The view itself: the rows that its parts have given.
    assert set(scanned) <= {"p", f"{P}restatements"}, "\n".join(plan)
    if "week" in name:
        assert "p" not in scanned, "\n".join(plan)


def test_sqlite_goes_through_the_rows_of_a_partition_once_and_not_once_for_each_capture(sqlite: Database) -> None:
    """A capture is looked up by the row: in the order of the plan, rows come before captures."""
    steps = [step.split()[1] for step in sqlite.plan(QUERIES["rows of a week"]) if step.startswith("SEARCH ")]
    assert steps.index("r") < steps.index("c")


@pytest.fixture(scope="module")
def years(postgres: Server) -> Iterator[Database]:
    """Three tiers of years, as PostgreSQL's planner sees them, with some rows restated."""
    name = postgres.new_database()
    script = Path(__file__).parents[1] / "stores" / "years.sql"
    with connected(postgres.url(name)) as database:
        database.connection.execute(script.read_bytes())
        database.connection.execute(
            "INSERT INTO finra_otc_row_versions"
            " SELECT p, s, v, 3 * p - 2, CASE WHEN (s + v) % 50 = 0 THEN 3 * p - 1 END, 1, 1, '2026-01-12'"
            " FROM generate_series(21, 40) p, generate_series(1, 500) s, generate_series(1, 10) v"
        )
        # Partitions without rows, which no store has so many of, would make looking into each seem dear.
        database.connection.execute("SET session_replication_role = replica")
        database.connection.execute("DELETE FROM finra_otc_partitions WHERE partition_no > 40")
        database.connection.execute("UPDATE finra_otc_securities SET symbol = 'S' || lpad(substr(symbol, 2), 4, '0')")
        database.connection.execute("ANALYZE")
        yield database
    postgres.drop_database(name)


@pytest.mark.parametrize("name", QUERIES)
def test_postgresql_searches_no_large_table(years: Database, name: str) -> None:
    plan = years.plan(QUERIES[name])
    assert not [line for line in plan for table in LARGE if f"Seq Scan on {table}" in line], "\n".join(plan)


def test_the_queries_find_something(sqlite: Database, years: Database) -> None:
    assert len(years.rows(QUERIES["versions of a symbol"])) == 40 * 10
    assert len(years.rows(QUERIES["rows of a week"])) == 5_000
    for name in ("rows of a symbol", "versions of a symbol"):
        assert len(sqlite.rows(QUERIES[name])) == 3
    week = NEXT_WEEK.isoformat()
    query = QUERIES["restatements of a week"].replace(WEEK, f"week_ending = '{week}' AND tier = 'OTC'")
    assert len(sqlite.rows(query)) == 1
