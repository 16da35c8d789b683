"""What SQL of users' own finds in the tables of the bookkeeping, and what stores make of what it writes there.

tests/documents runs the document's SQL on a store that a run made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Severity, Stage
from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.errors import StoreError
from finra_core.domain.readiness import BlockingIssue, IssueKind, Readiness
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.store import DecisionRecord, JudgmentQuery, Store
from finra_core.testing.examples import (
    T1,
    WEEK,
    ask,
    at,
    judgment,
    new_capture,
    payload,
    put_analysis,
    put_anomalies,
    put_decisions,
    put_judgments,
    put_rows,
    row,
    writing,
)
from finra_sqlite import open_store

CAPTURE_ID = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251231"
PARTITION_KEY = '{"week_ending": "2025-12-26", "tier": "NMS_TIER_1"}'
WEEK_KEY = json.dumps({"week_ending": WEEK.isoformat()})
UPSERT = """
    INSERT INTO core_data_readiness (
        domain, partition_key, is_ready, ready_for,
        all_partitions_present, all_stages_complete, no_critical_anomalies
    ) VALUES ('finra.otc_transparency', ?, ?, 'trading', ?, 1, 1)
    ON CONFLICT(domain, partition_key, ready_for) DO UPDATE SET
        is_ready = excluded.is_ready,
        all_partitions_present = excluded.all_partitions_present,
        updated_at = datetime('now')
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store:
        yield store


@pytest.fixture
def database(store: Store) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        yield connection


@pytest.fixture
def capture(store: Store) -> Capture:
    """A capture of one row whose version the source told."""
    version = SourceVersion(date(2025, 12, 29), 1)
    with writing(store, Scope.partition(T1)) as unit:
        capture = unit.put_capture(new_capture(T1, 60, capture_id=CAPTURE_ID, version=version), payload())
        put_rows(unit, capture, [row()], minute=61)
    return capture


def readiness_of(store: Store) -> list[Readiness]:
    return [found.readiness for found in ask(store, lambda view: view.judgments())]


def test_the_newest_stage_of_a_partition_is_looked_up_in_an_index(database: sqlite3.Connection) -> None:
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


def test_the_manifest_tells_every_stage_of_a_capture(
    store: Store, capture: Capture, database: sqlite3.Connection
) -> None:
    put_analysis(store, [capture])
    found = database.execute(
        "SELECT stage, row_count, captured_at, partition_key, metadata_json FROM core_manifest"
        " WHERE capture_id = ? ORDER BY rowid",
        (CAPTURE_ID,),
    ).fetchall()
    assert [each[:3] for each in found] == [
        ("RAW", 2, "2026-01-20T13:00:00.123456Z"),
        ("NORMALIZED", 1, "2026-01-20T13:01:00.123456Z"),
        ("CALC", 1, "2026-01-20T12:00:00.123456Z"),
    ]
    assert {each[3] for each in found} == {PARTITION_KEY}
    assert json.loads(found[0][4]) == {
        "source_last_updated": "2025-12-29",
        "source_row_count": 1,
        "source_url": "https://api.finra.org/data",
        "content_hash": f"{60:064x}",
        "file_size_bytes": len(payload().documents[0]),
        "revision": 1,
        "reason": "No prior capture found (first ingest)",
        "run_id": "run-1",
    }
    assert json.loads(found[2][4]) == {"inputs": [capture.number], "calc_version": 1}


def test_coverage_can_be_queried(capture: Capture, database: sqlite3.Connection) -> None:
    found = database.execute("SELECT * FROM core_capture_coverage ORDER BY half").fetchall()
    assert found == [(capture.number, "ATS", 1, 1, 1, 100_000_000), (capture.number, "NON_ATS", 0, 0, 0, 0)]


@pytest.mark.parametrize("ready", [False, True])
def test_a_judgment_that_a_user_inserts_or_changes_is_read(
    store: Store, database: sqlite3.Connection, ready: bool
) -> None:
    for is_ready in (not ready, ready):
        database.execute(UPSERT, (WEEK_KEY, is_ready, is_ready))
        database.commit()
    (found,) = readiness_of(store)
    assert (found.week_ending, found.ready_for, found.is_ready) == (WEEK, "trading", ready)
    assert (found.all_partitions_present, found.blocking_issues, found.captures) == (ready, (), ())


def test_a_user_overrules_what_a_run_judged_and_the_history_keeps_what_it_judged(
    store: Store, database: sqlite3.Connection
) -> None:
    put_judgments(store, judgment())
    database.execute(UPSERT, (WEEK_KEY, 0, 0))
    database.commit()
    assert [found.is_ready for found in readiness_of(store)] == [False]
    history = ask(store, lambda view: view.judgments(JudgmentQuery(history=True)))
    assert history == [judgment()]


def test_a_time_that_the_database_supplies_has_the_form_of_all_others(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present,"
        " all_stages_complete, no_critical_anomalies) VALUES ('d', '{}', 0, 'trading', 0, 1, 1)"
    )
    updated_at = database.execute("SELECT updated_at FROM core_data_readiness").fetchone()[0]
    assert len(updated_at) == len("2026-01-20T13:00:00.123456Z")
    datetime.strptime(updated_at, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007


def test_the_history_says_how_long_a_judgment_held_and_why_the_week_was_blocked(
    store: Store, capture: Capture, database: sqlite3.Connection
) -> None:
    issue = BlockingIssue(IssueKind.MISSING_TIER, Tier.OTC, "Missing tier: OTC", "finra run --tiers OTC")
    put_judgments(store, judgment(WEEK, issue, captures=[capture]))
    put_judgments(store, judgment(minute=5), judgment(minute=7, ready_for="compliance"), judgment(minute=8))
    found = database.execute(
        "SELECT ready_for, is_ready, captures, judged_at, superseded_at FROM core_readiness_history"
    ).fetchall()
    noon = "2026-01-20T12:{:02}:00.123456Z".format
    assert sorted(found) == [
        ("compliance", 1, "[]", noon(7), None),
        ("trading", 0, f"[{capture.number}]", noon(0), noon(5)),
        ("trading", 1, "[]", noon(5), noon(8)),
        ("trading", 1, "[]", noon(8), None),
    ]
    (blocking,) = database.execute("SELECT blocking_issues FROM core_readiness_history WHERE NOT is_ready").fetchone()
    assert json.loads(blocking) == [
        {"kind": "missing_tier", "tier": "OTC", "message": "Missing tier: OTC", "action": "finra run --tiers OTC"}
    ]


def test_decisions_can_be_queried_with_what_they_rest_on(
    store: Store, capture: Capture, database: sqlite3.Connection
) -> None:
    evidence = Evidence(latest=CaptureRef.of(capture), version=capture.version, due=date(2026, 1, 5), note="because")
    decision = Decision(Action.SKIP, Rule.VERSION_UNCHANGED, evidence)
    put_decisions(
        store, DecisionRecord(run_id="r", partition=T1, decision=decision, reason="unchanged", decided_at=at(0))
    )
    (*columns, stored) = database.execute(
        "SELECT run_id, week_ending, tier, action, rule, reason, decided_at, evidence FROM core_decisions"
    ).fetchone()
    assert columns == [
        "r", "2025-12-26", "NMS_TIER_1", "skip", "version_unchanged", "unchanged", "2026-01-20T12:00:00.123456Z",
    ]  # fmt: skip
    expected = {
        "latest": {
            "number": capture.number,
            "capture_id": CAPTURE_ID,
            "revision": 1,
            "content_hash": f"{60:064x}",
            "version": {"last_update_date": "2025-12-29", "row_count": 1},
        },
        "version": {"last_update_date": "2025-12-29", "row_count": 1},
        "content_hash": None,
        "due": "2026-01-05",
        "offered_from": None,
        "note": "because",
    }
    assert {name: value for name, value in json.loads(stored).items() if name in expected} == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (
            Scope.partition(T1),
            (PARTITION_KEY, "2025-12-26", "NMS_TIER_1", None),
        ),
        (Scope.week(WEEK), (WEEK_KEY, "2025-12-26", None, None)),
        (Scope.at("a/b.csv"), ('{"place": "a/b.csv"}', None, None, "a/b.csv")),
        (STORE, ("{}", None, None, None)),
    ],
    ids=["partition", "week", "place", "store"],
)
def test_anomalies_can_be_queried_by_what_they_are_about(
    store: Store, database: sqlite3.Connection, scope: Scope, expected: tuple[str | None, ...]
) -> None:
    anomaly = Anomaly(Severity.WARN, Category.LATE, scope, Stage.RAW, "late", {"days": 3, "tier": None})
    put_anomalies(
        store,
        AnomalyRecord(
            fingerprint=anomaly.fingerprint,
            anomaly=anomaly,
            first_seen=at(0),
            last_seen=at(1),
            occurrences=2,
            acknowledged=Acknowledgment("known", at(2), date(2026, 2, 1)),
        ),
    )
    found = database.execute("SELECT partition_key, week_ending, tier, place FROM core_anomalies").fetchall()
    assert found == [expected]
    others = database.execute(
        "SELECT details_json, acknowledged_reason, acknowledged_at, acknowledged_until FROM core_anomalies"
    ).fetchall()
    assert others == [('{"days": 3, "tier": null}', "known", "2026-01-20T12:02:00.123456Z", "2026-02-01")]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE core_captures SET tier = 'T9'",
        "UPDATE core_captures SET captured_at = 'yesterday'",
        "UPDATE core_captures SET week_ending = '2025-12-27'",
        "UPDATE core_captures SET source_last_updated = 7",
    ],
)
def test_a_value_that_no_store_wrote_is_a_store_error_that_names_the_file(
    store: Store, capture: Capture, database: sqlite3.Connection, damage: str
) -> None:
    database.execute(damage)
    database.commit()
    with pytest.raises(StoreError, match=r"finra\.db: a stored value is not as this library writes it") as caught:
        ask(store, lambda view: view.captures())
    assert "\n" not in str(caught.value)
