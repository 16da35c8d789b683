"""The SQL that users were promised runs on a store with sqlite3 alone, unchanged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from finra_core.domain.captures import SourceVersion
from finra_core.domain.readiness import TRADING, Readiness
from finra_core.ports import Store
from finra_core.testing.examples import (
    T1,
    T2,
    WEEK,
    add_analysis,
    add_normalized,
    at,
    new_capture,
    payload,
    records,
    row,
)
from finra_sqlite import open_store

MONDAY = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251230"
TUESDAY = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251231"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'finra.db'}")
    with store.transaction(T1.key) as transaction:
        version = SourceVersion(date(2025, 12, 23), 1)
        monday = transaction.add_capture(new_capture(T1, 0, capture_id=MONDAY, version=version), payload())
        transaction.add_records(monday, records([row(shares=1)]), [], at(0))
    with store.transaction(T1.key) as transaction:
        version = SourceVersion(date(2025, 12, 29), 1)
        tuesday = transaction.add_capture(new_capture(T1, 60, capture_id=TUESDAY, version=version), payload())
        transaction.add_records(tuesday, records([row(shares=2)]), [], at(61))
    yield store
    store.close()


@pytest.fixture
def database(store: Store) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        yield connection


def test_section_2b_the_version_of_the_latest_capture(database: sqlite3.Connection) -> None:
    found = database.execute(
        """
        SELECT
            json_extract(metadata_json, '$.source_last_updated') as stored_last_updated,
            captured_at
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = 'RAW'
          AND json_extract(partition_key, '$.week_ending') = ?
          AND json_extract(partition_key, '$.tier') = ?
        ORDER BY captured_at DESC
        LIMIT 1
    """,
        ("2025-12-26", "NMS_TIER_1"),
    ).fetchone()
    assert datetime.fromisoformat(found[0]).date() == date(2025, 12, 29)
    assert found[1] == "2026-01-20T13:00:00.123456Z"


def test_section_2c_the_hash_of_the_latest_capture(database: sqlite3.Connection) -> None:
    found = database.execute(
        """
        SELECT json_extract(metadata_json, '$.content_hash') as stored_hash
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = 'RAW'
          AND json_extract(partition_key, '$.week_ending') = ?
          AND json_extract(partition_key, '$.tier') = ?
        ORDER BY captured_at DESC
        LIMIT 1
    """,
        ("2025-12-26", "NMS_TIER_1"),
    ).fetchone()
    assert found == (f"{60:064x}",)


def test_section_3c_the_data_as_it_was_on_monday(database: sqlite3.Connection) -> None:
    database.row_factory = sqlite3.Row
    found = database.execute(
        """
        SELECT *
        FROM finra_otc_transparency_normalized
        WHERE week_ending = '2025-12-26'
          AND tier = 'NMS_TIER_1'
          AND capture_id LIKE '%:20251230';
    """
    ).fetchall()
    assert [(each["capture_id"], each["shares"]) for each in found] == [(MONDAY, 1)]


def test_section_3c_the_latest_data(database: sqlite3.Connection) -> None:
    database.row_factory = sqlite3.Row
    found = database.execute(
        """
        SELECT *
        FROM finra_otc_transparency_normalized_latest
        WHERE week_ending = '2025-12-26'
          AND tier = 'NMS_TIER_1';
    """
    ).fetchall()
    assert [(each["capture_id"], each["shares"]) for each in found] == [(TUESDAY, 2)]


@pytest.mark.parametrize(("tier", "stage", "rows"), [("NMS_TIER_1", "NORMALIZED", 1), ("OTC", "RAW", None)])
def test_section_4d_whether_a_stage_has_rows(
    database: sqlite3.Connection, tier: str, stage: str, rows: int | None
) -> None:
    found = database.execute(
        """
        SELECT row_count
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = ?
          AND json_extract(partition_key, '$.week_ending') = ?
          AND json_extract(partition_key, '$.tier') = ?
        ORDER BY captured_at DESC
        LIMIT 1
    """,
        (stage, "2025-12-26", tier),
    ).fetchone()
    assert found == (None if rows is None else (rows,))


def test_section_4d_looks_its_rows_up_in_an_index(database: sqlite3.Connection) -> None:
    plan = database.execute(
        """
        EXPLAIN QUERY PLAN
        SELECT row_count
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = ?
          AND json_extract(partition_key, '$.week_ending') = ?
          AND json_extract(partition_key, '$.tier') = ?
        ORDER BY captured_at DESC
        LIMIT 1
    """,
        ("RAW", "2025-12-26", "NMS_TIER_1"),
    ).fetchall()
    assert [step[3].split(" USING ")[0] for step in plan] == ["SEARCH core_manifest"]


def test_section_5c_the_tiers_of_a_week(store: Store, database: sqlite3.Connection) -> None:
    add_normalized(store, T2, 90)
    found = database.execute(
        """
        SELECT DISTINCT json_extract(partition_key, '$.tier') as tier
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = 'RAW'
          AND json_extract(partition_key, '$.week_ending') = ?
    """,
        ("2025-12-26",),
    ).fetchall()
    assert {tier for (tier,) in found} == {"NMS_TIER_1", "NMS_TIER_2"}


def test_section_5d_a_judgment_is_stored_and_replaced(store: Store, database: sqlite3.Connection) -> None:
    for present in (0, 1):
        database.execute(
            """
        INSERT INTO core_data_readiness (
            domain, partition_key, is_ready, ready_for,
            all_partitions_present, all_stages_complete, no_critical_anomalies
        ) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(domain, partition_key, ready_for) DO UPDATE SET
            is_ready = excluded.is_ready,
            all_partitions_present = excluded.all_partitions_present,
            all_stages_complete = excluded.all_stages_complete,
            no_critical_anomalies = excluded.no_critical_anomalies,
            updated_at = datetime('now')
    """,
            (
                "finra.otc_transparency",
                json.dumps({"week_ending": WEEK.isoformat()}),
                present,
                "trading",
                present,
                1,
                1,
            ),
        )
        database.commit()
        assert store.readiness() == [_judgment(present=bool(present))]


def test_section_5d_replaces_what_a_run_judged(store: Store, database: sqlite3.Connection) -> None:
    with store.transaction() as transaction:
        transaction.put_readiness([_judgment(present=True)], at(0))
    database.execute(
        "INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present,"
        " all_stages_complete, no_critical_anomalies) VALUES (?, ?, 0, 'trading', 0, 1, 1)"
        " ON CONFLICT(domain, partition_key, ready_for) DO UPDATE SET is_ready = excluded.is_ready,"
        " all_partitions_present = excluded.all_partitions_present",
        ("finra.otc_transparency", json.dumps({"week_ending": WEEK.isoformat()})),
    )
    database.commit()
    assert store.readiness() == [_judgment(present=False)]


def test_a_time_that_the_database_supplies_has_the_form_of_all_others(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present,"
        " all_stages_complete, no_critical_anomalies) VALUES ('d', '{}', 0, 'trading', 0, 1, 1)"
    )
    updated_at = database.execute("SELECT updated_at FROM core_data_readiness").fetchone()[0]
    assert len(updated_at) == len("2026-01-20T13:00:00.123456Z")
    datetime.strptime(updated_at, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007


def test_the_manifest_tells_every_stage_of_a_capture(store: Store, database: sqlite3.Connection) -> None:
    add_analysis(store, store.captures()[-1:])
    found = database.execute(
        "SELECT stage, row_count, captured_at, metadata_json FROM core_manifest WHERE capture_id = ? ORDER BY rowid",
        (TUESDAY,),
    ).fetchall()
    assert [(stage, rows, captured_at) for stage, rows, captured_at, _metadata in found] == [
        ("RAW", 2, "2026-01-20T13:00:00.123456Z"),
        ("NORMALIZED", 1, "2026-01-20T13:01:00.123456Z"),
        ("CALC", 1, "2026-01-20T12:00:00.123456Z"),
    ]
    assert json.loads(found[0][3]) == {
        "source_last_updated": "2025-12-29",
        "source_row_count": 1,
        "source_url": "https://api.finra.org/data",
        "content_hash": f"{60:064x}",
        "file_size_bytes": len(payload().documents[0]),
        "revision": 1,
        "reason": "No prior capture found (first ingest)",
        "run_id": "run-1",
    }
    assert json.loads(found[2][3]) == {"inputs": [store.captures()[-1].number], "calc_version": 1}


def _judgment(*, present: bool) -> Readiness:
    return Readiness(
        week_ending=WEEK,
        ready_for=TRADING,
        is_ready=present,
        all_partitions_present=present,
        all_stages_complete=True,
        no_critical_anomalies=True,
        no_rejected_rows=True,
        blocking_issues=(),
    )
