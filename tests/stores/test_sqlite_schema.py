"""What a store's file holds: the declared schema, the views that users query, and no row twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from finra_core.domain.partitions import Partition
from finra_core.domain.records import Record, Security, Venue
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    DE_MINIMIS,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    T2,
    UBSA,
    new_capture,
    payload,
    put_analysis,
    put_capture,
    put_normalized,
    put_records,
    put_rows,
    put_whole_week,
    row,
    writing,
)
from finra_core.weekly_summary.delimited import Reject
from finra_sql.migrate import HEAD, REVISIONS
from finra_sql.schema import metadata
from finra_sqlite import open_schema, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'finra.db'}")
    yield store
    store.close()


@pytest.fixture
def database(store: Store) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        yield connection


def test_the_tables_that_statements_name_are_those_that_migrations_make(store: Store) -> None:
    engine = create_engine(store.url)
    inspector = inspect(engine)
    made = {
        name: (
            [column["name"] for column in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
        )
        for name in inspector.get_table_names()
    }
    engine.dispose()
    del made["finra_schema_version"]
    assert made == {
        table.name: ([column.name for column in table.c], [column.name for column in table.primary_key])
        for table in metadata.tables.values()
    }


def test_the_printed_schema_is_that_of_a_store(store: Store, database: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as by_hand:
        by_hand.executescript(open_schema("sqlite:").ddl())
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name"
        assert _squeezed(by_hand, query) == _squeezed(database, query)
        assert _query(by_hand, "*", "hhi") == []


def test_every_migration_is_a_known_revision() -> None:
    folder = Path(open_store.__code__.co_filename).parents[1] / "finra_sql" / "migrations" / "versions"
    revisions = sorted(path.name.split("_")[0].removeprefix("v") for path in folder.glob("v*.py"))
    assert (tuple(revisions), revisions[-1]) == (REVISIONS, HEAD)


def test_a_restatement_of_three_rows_writes_three_row_versions(store: Store, database: sqlite3.Connection) -> None:
    rows = [row(Security(f"S{i:04}", "", ""), UBSA, i + 1) for i in range(5_000)]
    put_normalized(store, T1, 0, rows)
    restated = [row(each[0], UBSA, 9_999) if i in {7, 2_500, 4_999} else each for i, each in enumerate(rows)]
    put_normalized(store, T1, 1, restated)
    assert _count(database, "finra_otc_row_versions") == 5_003
    assert _count(database, "finra_otc_row_versions WHERE to_capture IS NOT NULL") == 3


def test_a_restatement_that_changes_nothing_writes_no_row_version(store: Store, database: sqlite3.Connection) -> None:
    for minute in range(3):
        put_normalized(store, T1, minute, [row(AAPL), row(IBM)])
    assert _count(database, "finra_otc_row_versions") == 2


def test_equal_payloads_are_stored_once(store: Store, database: sqlite3.Connection) -> None:
    for minute in range(3):
        put_capture(store, T1, minute)
    assert _count(database, "core_raw_payloads") == 1


def test_securities_and_venues_are_stored_once_for_all_weeks(store: Store, database: sqlite3.Connection) -> None:
    for minute, partition in enumerate((T1, Partition(NEXT_WEEK, Tier.NMS_TIER_1))):
        put_normalized(store, partition, minute, [row(AAPL, UBSA), row(IBM, UBSA), row(IBM, CITADEL)])
    assert [_count(database, f"finra_otc_{name}") for name in ("securities", "venues")] == [2, 2]


def test_absent_codes_are_null_and_absent_names_are_empty(store: Store, database: sqlite3.Connection) -> None:
    rows = [row(Security("", "", ""), Venue("ATS", "PPEX", "", "PPEX"), 1), row(IBM, CITADEL, 2)]
    put_normalized(store, rows=rows)
    found = _query(database, "symbol, issue_name, mpid, crd, product_type", "normalized ORDER BY shares")
    assert found == [("", "", "PPEX", None, None), (IBM[0], IBM[1], None, "116797", "CTS")]


@pytest.mark.parametrize("suffix", ["", "_latest", "_history"])
@pytest.mark.parametrize("view", ["normalized", "venue_volume", "venue_share", "weekly_totals"])
def test_shares_are_doubles_in_every_view(store: Store, database: sqlite3.Connection, view: str, suffix: str) -> None:
    rows = [
        Record(Security("A", "", ""), UBSA, 3_000_000, 1, "2026-01-12"),
        Record(Security("B", "", ""), CITADEL, 1_500_001, 1, "2026-01-12"),
    ]
    put_analysis(store, [put_normalized(store, rows=rows)])
    found = _query(database, "shares, typeof(shares), shares_micros", f"{view}{suffix} ORDER BY shares_micros")
    expected = [(1.500001, "real", 1_500_001), (3.0, "real", 3_000_000)]
    assert found == ([(4.500001, "real", 4_500_001)] if view.startswith("weekly") else expected)


def test_the_sum_of_micro_shares_is_exact(store: Store, database: sqlite3.Connection) -> None:
    quantities = [100_001] * 10 + [9_007_199_254_740_993]
    rows = [Record(Security(str(i), "", ""), UBSA, micros, 1, "2026-01-12") for i, micros in enumerate(quantities)]
    put_normalized(store, rows=rows)
    assert _query(database, "sum(shares_micros)", "normalized_latest") == [(sum(quantities),)]


def test_of_several_revisions_of_a_capture_the_newest_is_shown(store: Store, database: sqlite3.Connection) -> None:
    for minute, shares in enumerate((1, 2)):
        with writing(store, Scope.partition(T1)) as unit:
            capture = unit.put_capture(new_capture(T1, minute, capture_id="monday", revision=minute + 1), payload())
            put_rows(unit, capture, [row(shares=shares)], minute=minute)
    with writing(store, Scope.partition(T1)) as unit:
        unit.put_capture(new_capture(T1, 5, capture_id="monday", revision=3), payload())  # not normalized yet
    assert _query(database, "revision, shares", "normalized") == [(2, 2)]
    assert _query(database, "revision, shares", "normalized_revisions ORDER BY revision") == [(1, 1), (2, 2)]


def test_a_withdrawn_row_is_not_in_the_latest_view(store: Store, database: sqlite3.Connection) -> None:
    put_normalized(store, T1, 0, [row(AAPL), row(IBM)])
    put_normalized(store, T1, 1, [row(IBM)])
    assert _query(database, "symbol", "normalized_latest") == [("IBM",)]
    assert _query(database, "symbol", "normalized ORDER BY captured_at, symbol") == [("AAPL",), ("IBM",), ("IBM",)]


def test_the_latest_capture_is_the_last_one_made_whatever_its_time(store: Store, database: sqlite3.Connection) -> None:
    put_normalized(store, T1, 9, [row(shares=1)])
    put_normalized(store, T1, 0, [row(shares=2)])
    assert _query(database, "shares", "normalized_latest") == [(2,)]


def test_the_latest_view_has_the_newest_capture_of_each_partition(store: Store, database: sqlite3.Connection) -> None:
    for minute, (partition, shares) in enumerate([(T1, 1), (T2, 2), (T1, 3)]):
        put_normalized(store, partition, minute, [row(shares=shares)])
    put_capture(store, T2, 9)
    found = _query(database, "tier, shares", "normalized_latest ORDER BY tier")
    assert found == [("NMS_TIER_1", 3), ("NMS_TIER_2", 2)]


def test_analytics_can_be_queried(store: Store, database: sqlite3.Connection) -> None:
    capture = put_normalized(store, T1, 0, [row(AAPL, UBSA, 1, 2), row(IBM, UBSA, 2, 3), row(IBM, CITADEL, 1, 4)])
    put_analysis(store, [capture])
    volume = "venue_type, mpid, crd, venue_name, shares, shares_micros, trades, symbols"
    assert _query(database, volume, "venue_volume ORDER BY venue_type") == [
        ("ATS", "UBSA", None, "UBSA UBS ATS", 3, 3_000_000, 5, 2),
        ("NON_ATS", None, "116797", "CITADEL SECURITIES LLC", 1, 1_000_000, 4, 1),
    ]
    assert _query(database, "mpid, share", "venue_share ORDER BY share") == [(None, 0.25), ("UBSA", 0.75)]
    assert _query(database, "hhi, hhi_upper, venues", "hhi") == [(0.625, 0.625, 2)]
    totals = "week_ending, tier, shares, shares_micros, trades, venues, symbols"
    assert _query(database, totals, "weekly_totals") == [("2025-12-26", "NMS_TIER_1", 4, 4_000_000, 9, 2, 2)]


def test_an_aggregate_of_firms_has_volume_and_is_no_venue(store: Store, database: sqlite3.Connection) -> None:
    rows = [row(AAPL, UBSA, 50), row(AAPL, CITADEL, 30), row(AAPL, DE_MINIMIS, 20)]
    put_analysis(store, [put_normalized(store, rows=rows)])
    assert _query(database, "venue_type, venue_name, shares", "venue_volume ORDER BY shares") == [
        ("DE_MINIMIS", "De Minimis Firms", 20.0),
        ("NON_ATS", "CITADEL SECURITIES LLC", 30.0),
        ("ATS", "UBSA UBS ATS", 50.0),
    ]
    assert _query(database, "shares, venues", "weekly_totals_latest") == [(100.0, 2)]
    # Nothing of the aggregate, or all of it in the largest firm: .5**2 + .3**2, .5**2 + (.3 + .2)**2.
    assert _query(database, "hhi, hhi_upper, venues", "hhi_latest") == [(0.34, 0.5, 2)]


@pytest.mark.parametrize("view", ["venue_volume", "venue_share", "hhi", "weekly_totals"])
def test_the_latest_analytics_are_those_of_the_newest_capture(
    store: Store, database: sqlite3.Connection, view: str
) -> None:
    older, newer = put_normalized(store, T1, 0), put_normalized(store, T1, 1, [row(shares=5)])
    for capture in (newer, older):
        put_analysis(store, [capture])
    assert _query(database, "capture_id", f"{view}_latest") == [(newer.capture_id,)]
    assert _query(database, "capture_id", f"{view} ORDER BY capture_id") == [(older.capture_id,), (newer.capture_id,)]


def test_analytics_calculated_anew_are_shown_once(store: Store, database: sqlite3.Connection) -> None:
    capture = put_normalized(store)
    for version in (1, 2):
        put_analysis(store, [capture], calc_version=version)
    assert [_count(database, f"finra_otc_transparency_{view}") for view in ("hhi", "hhi_latest")] == [1, 1]


def test_analytics_across_tiers_count_their_own_revisions(store: Store, database: sqlite3.Connection) -> None:
    captures = put_whole_week(store)
    put_analysis(store, captures)
    captures[2] = put_normalized(store, OTC, 9, [row(shares=5)])
    put_analysis(store, captures)
    found = _query(database, "tier, revision, shares", "weekly_totals")
    assert found == _query(database, "tier, revision, shares", "weekly_totals_latest") == [("ALL", 2, 205)]
    assert _count(database, "finra_otc_analyses") == 2


def test_analytics_of_a_tier_have_the_revision_of_their_capture(store: Store, database: sqlite3.Connection) -> None:
    for minute in range(2):
        with writing(store, Scope.partition(T1)) as unit:
            capture = unit.put_capture(new_capture(T1, minute, capture_id="monday", revision=minute + 1), payload())
            put_rows(unit, capture, [row()], minute=minute)
    put_analysis(store, [capture])
    assert _query(database, "capture_id, revision", "hhi") == [("monday", 2)]


def test_the_history_of_one_symbol_is_looked_up_not_searched_for(store: Store, database: sqlite3.Connection) -> None:
    rows = [row(Security(f"S{i:04}", "", "")) for i in range(500)]
    for weeks in range(4):
        put_normalized(store, Partition(date.fromordinal(NEXT_WEEK.toordinal() + 7 * weeks), Tier.OTC), weeks, rows)
    select = "SELECT * FROM finra_otc_transparency_normalized_latest WHERE symbol = 'S0042'"
    plan = [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {select}")]
    assert len(database.execute(select).fetchall()) == 4
    assert [step for step in plan if step.startswith("SCAN r")] == []


def test_rejected_rows_can_be_queried(store: Store, database: sqlite3.Connection) -> None:
    capture = put_capture(store)
    put_records(store, capture, [row()], [Reject(0, 3, "not a number", "x|y")])
    found = database.execute("SELECT capture_no, document, line, reason, raw_text FROM finra_otc_rejected_rows")
    assert found.fetchall() == [(capture.number, 0, 3, "not a number", "x|y")]


def _squeezed(database: sqlite3.Connection, query: str) -> list[str]:
    return ["".join("".join(map(str, each)).split()) for each in database.execute(query).fetchall()]


def _query(database: sqlite3.Connection, columns: str, view: str) -> list[tuple[object, ...]]:
    return database.execute(f"SELECT {columns} FROM finra_otc_transparency_{view}").fetchall()


def _count(database: sqlite3.Connection, table: str) -> int:
    count: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count
