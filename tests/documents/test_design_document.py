"""The design document's own functions and SQL, on a store that `finra run` made.

What the document gets wrong about FINRA (Saturdays for Fridays) is given right here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from finra_core import calculate_target_weeks, compute_content_hash, generate_capture_id
from support.command import STORE, Command

DOMAIN = "finra.otc_transparency"
WEEK = "2025-11-14"
AT_RUN = "simulator:?symbols=4&rate=0&now=2025-12-30T15:30:00Z"
RESTATED = "simulator:?symbols=4&rate=1&now=2026-01-20T15:30:00Z"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 2025-12-30, and one three weeks later, when FINRA had restated every week."""
    finra = Command(tmp_path_factory.mktemp("document"))
    finra.ok("run", "--run-date", "2025-12-30", "--source", AT_RUN)
    finra.ok("run", "--run-date", "2026-01-20", "--source", RESTATED)
    return finra.folder / STORE


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    """What the document's functions take; nothing that they write is kept."""
    with closing(sqlite3.connect(database)) as opened:
        yield opened


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


@pytest.mark.parametrize("today", [date(2026, 1, 5), date(2026, 1, 2)])
def test_1b_target_weeks(today: date) -> None:
    assert calculate_target_weeks(4, today) == days("2026-01-02", "2025-12-26", "2025-12-19", "2025-12-12")


@pytest.mark.parametrize(
    ("week", "tier", "run_date", "printed"),
    [
        ("2025-12-26", "NMS_TIER_1", "2025-12-30", "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251230"),
        ("2025-12-19", "OTC", "2025-12-30", "finra.otc_transparency:OTC:2025-12-19:20251230"),
        ("2025-12-26", "NMS_TIER_1", "2025-12-31", "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251231"),
    ],
)
def test_3a_capture_ids(week: str, tier: str, run_date: str, printed: str) -> None:
    assert generate_capture_id(DOMAIN, date.fromisoformat(week), tier, date.fromisoformat(run_date)) == printed


def test_2c_content_hash_is_16_hex_digits_of_sha_256() -> None:
    # FIPS 180-4's example: the digest of "abc".
    assert compute_content_hash(b"abc") == "ba7816bf8f01cfea"


def test_2b_the_latest_captures_metadata(connection: sqlite3.Connection) -> None:
    stored_last_updated, captured_at = connection.execute(
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
        (WEEK, "OTC"),
    ).fetchone()

    assert datetime.fromisoformat(stored_last_updated).date() > date(2025, 12, 15)
    assert captured_at.endswith("Z")


def test_2b_the_metadata_that_the_manifest_keeps(connection: sqlite3.Connection) -> None:
    for (text,) in connection.execute("SELECT metadata_json FROM core_manifest WHERE stage = 'RAW'"):
        metadata = json.loads(text)
        assert metadata.keys() >= {"source_last_updated", "source_url", "content_hash", "file_size_bytes"}
        assert len(metadata["content_hash"]) == 64
        assert metadata["file_size_bytes"] > 0


def test_2c_the_latest_captures_hash(connection: sqlite3.Connection) -> None:
    (stored_hash,) = connection.execute(
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
        (WEEK, "OTC"),
    ).fetchone()

    newest = connection.execute(
        "SELECT content_hash FROM core_captures WHERE capture_id = ?", (f"{DOMAIN}:OTC:{WEEK}:20260120",)
    ).fetchone()
    assert (stored_hash,) == newest


AS_OF = """
    SELECT *
    FROM finra_otc_transparency_normalized
    WHERE week_ending = '2025-11-14'
      AND tier = 'OTC'
      AND capture_id LIKE '%:20251230'
"""
LATEST = """
    SELECT *
    FROM finra_otc_transparency_normalized_latest
    WHERE week_ending = '2025-11-14'
      AND tier = 'OTC'
"""


def test_3c_the_rows_as_of_a_day_and_the_latest(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    as_of, latest = connection.execute(AS_OF).fetchall(), connection.execute(LATEST).fetchall()

    assert {row["capture_id"] for row in as_of} == {f"{DOMAIN}:OTC:{WEEK}:20251230"}
    assert {row["capture_id"] for row in latest} == {f"{DOMAIN}:OTC:{WEEK}:20260120"}
    counts = connection.execute(
        "SELECT row_count FROM core_captures WHERE week_ending = ? AND tier = 'OTC' ORDER BY capture_no", (WEEK,)
    ).fetchall()
    assert [len(as_of), len(latest)] == [count for (count,) in counts]
    assert max(row["last_update_date"] for row in as_of) < max(row["last_update_date"] for row in latest)


def stage_rows(connection: sqlite3.Connection, stage: str, week: str, tier: str) -> int | None:
    result = connection.execute(
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
        (stage, week, tier),
    ).fetchone()
    return None if result is None else int(result[0])


@pytest.mark.parametrize("stage", ["RAW", "NORMALIZED", "CALC"])
def test_4d_a_stage_that_is_done_has_rows_in_the_manifest(connection: sqlite3.Connection, stage: str) -> None:
    assert (stage_rows(connection, stage, WEEK, "OTC") or 0) > 0
    assert stage_rows(connection, stage, "2025-12-26", "OTC") is None


@pytest.mark.parametrize(
    ("week", "expected"), [(WEEK, {"NMS_TIER_1", "NMS_TIER_2", "OTC"}), ("2026-01-02", {"NMS_TIER_1"})]
)
def test_5c_the_tiers_of_a_week(connection: sqlite3.Connection, week: str, expected: set[str]) -> None:
    rows = connection.execute(
        """
        SELECT DISTINCT json_extract(partition_key, '$.tier') as tier
        FROM core_manifest
        WHERE domain = 'finra.otc_transparency'
          AND stage = 'RAW'
          AND json_extract(partition_key, '$.week_ending') = ?
        """,
        (week,),
    ).fetchall()

    assert {row[0] for row in rows} == expected


READINESS = "SELECT is_ready, updated_at FROM core_data_readiness WHERE partition_key = ? AND ready_for = 'trading'"


@pytest.mark.parametrize(("week", "ready"), [(WEEK, True), ("2099-01-02", False)])
def test_5d_readiness_takes_the_documents_upsert(connection: sqlite3.Connection, week: str, ready: bool) -> None:
    key = json.dumps({"week_ending": week})
    before = connection.execute(READINESS, (key,)).fetchall()
    assert [bool(is_ready) for is_ready, _at in before] == ([True] if ready else [])

    connection.execute(
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
        (DOMAIN, key, 0, "trading", 1, 0, 1),
    )

    ((is_ready, updated_at),) = connection.execute(READINESS, (key,)).fetchall()
    assert is_ready == 0
    assert updated_at


def test_5d_the_columns_of_readiness(connection: sqlite3.Connection) -> None:
    columns = {column[1] for column in connection.execute("PRAGMA table_info(core_data_readiness)")}

    criteria = {"all_partitions_present", "all_stages_complete", "no_critical_anomalies"}
    assert columns >= {"domain", "partition_key", "is_ready", "ready_for", "updated_at", "blocking_issues", *criteria}


@pytest.mark.parametrize("name", ["venue_volume", "venue_share", "hhi", "weekly_totals"])
@pytest.mark.parametrize("suffix", ["", "_latest"])
def test_4b_every_analytic_has_its_rows(connection: sqlite3.Connection, name: str, suffix: str) -> None:
    table = f"finra_otc_transparency_{name}{suffix}"
    tiers = {tier for (tier,) in connection.execute(f"SELECT tier FROM {table} WHERE week_ending = ?", (WEEK,))}

    assert tiers == {"NMS_TIER_1", "NMS_TIER_2", "OTC", "ALL"}
