"""The three runs that section 6 of the design document prints, played on the simulator.

Its six weeks of three tiers are 18 partitions. Here they are 20: the six newest weeks that are due in all tiers, and
the two newer ones of tier 1. A partition older than that is looked at in rotation, once the store has one.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta, timezone

import pytest

from finra_cli.presenters.run import report_page
from finra_core import Outcome, Partition, RunReport, Severity, Store, Tier
from finra_core.runs.plan import Origin
from finra_simulator import Outage, Restatement, World
from support.harness import Bench, Clock, anomalies_of, everything, partition

MONDAY = datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)
TUESDAY = MONDAY + timedelta(days=1)
RESTATED = (partition("2025-12-05", Tier.NMS_TIER_1), partition("2025-12-05", Tier.OTC))


def bench_at(store: Store, at: datetime, *events: Restatement) -> Bench:
    return Bench(store, World(symbols=8, ats=3, firms=3, restatement_rate=0.0, events=events), Clock(at))


@pytest.fixture
def two_restated(store: Store) -> Bench:
    """Everything captured on Monday; on Tuesday morning FINRA restates three rows in each of two partitions."""
    events = [Restatement(p, TUESDAY - timedelta(hours=1), changed=3) for p in RESTATED]
    bench = bench_at(store, MONDAY, *events)
    bench.run()
    bench.clock.now = TUESDAY
    return bench


@pytest.fixture
def one_down(store: Store) -> Bench:
    """Everything captured on Friday; on Monday FINRA publishes three partitions and answers 503 for one of them."""
    bench = bench_at(store, MONDAY - timedelta(days=3))
    bench.run()
    bench.clock.now = MONDAY
    bench.outages = (Outage(partition("2025-12-05", Tier.OTC), MONDAY, TUESDAY, 503),)
    return bench


def summary(report: RunReport) -> list[str]:
    return report_page(report).plain().splitlines()


def outcomes(report: RunReport, outcome: Outcome) -> set[Partition]:
    return {Partition(p.week_ending, p.tier) for p in report.partitions if p.outcome is outcome}


def test_a_typical_run_ingests_the_two_restated_partitions_of_twenty(two_restated: Bench) -> None:
    report = two_restated.run()

    assert report.exit_code == 0
    assert outcomes(report, Outcome.INGESTED) == set(RESTATED)
    assert report.count(Outcome.SKIPPED) == 18
    assert report.anomalies == {"CRITICAL": 0, "ERROR": 0, "WARN": 0, "INFO": 18}
    assert {r.week_ending.isoformat() for r in report.readiness if r.is_ready} == {
        "2025-12-05",
        "2025-11-28",
        "2025-11-21",
        "2025-11-14",
        "2025-11-07",
        "2025-10-31",
    }


def test_a_typical_run_prints_the_documents_summary(two_restated: Bench) -> None:
    lines = summary(two_restated.run())

    assert lines[0] == "[SUMMARY]"
    for line in (
        "Partitions ingested: 2 / 20 (revision detected)",
        "Partitions skipped: 18 / 20 (unchanged)",
        "Failures: 0",
        "Anomalies: 0 CRITICAL, 0 ERROR, 0 WARN, 18 INFO",
        "Exit code: 0",
    ):
        assert line in lines


@pytest.mark.parametrize(
    "wording",
    [
        r"Target weeks: 2025-12-19, 2025-12-12, 2025-12-05, .*",
        r"Phase 1: Ingestion",
        r"  2025-12-05 / NMS_TIER_1: Fetching from simulator\.\.\.",
        r"  2025-12-05 / NMS_TIER_1: Revision needed \(source updated 2026-01-06 > stored 2025-12-22\)",
        r"  2025-12-05 / OTC: ✓ Ingested \d+ rows \(capture: finra\.otc_transparency:OTC:2025-12-05:20260106\)",
        r"  2025-12-05 / NMS_TIER_2: Content unchanged \(hash [0-9a-f]{8}\), skipping",
        r"  2025-11-28 / OTC: Source unchanged since 2025-12-29, skipping",
        r"Phase 2: Normalization",
        r"  2025-12-05 / NMS_TIER_1: ✓ Normalized \d+ rows",
        r"Phase 3: Analytics",
        r"  2025-12-05 / ALL: ✓ Computed venue_volume \(\d+ venues\)",
        r"  2025-12-05 / OTC: ✓ Computed venue_share \(sum=1\.0\)",
        r"  2025-12-05: ✓ Computed HHI \(NMS_TIER_1: 0\.\d{3}\)",
        r"Readiness Evaluation:",
        r"  2025-12-05: ✓ Ready for trading",
        r"  2025-11-28: ✓ Already ready \(no changes\)",
        r"  2025-12-12: NOT READY \(all_partitions_present=0, blocking_issues: "
        r"\[\"Waiting for tier: NMS_TIER_2, due 2026-01-12\", \"Waiting for tier: OTC, due 2026-01-12\"\]\)",
    ],
)
def test_a_typical_run_logs_in_the_documents_wording(
    two_restated: Bench, caplog: pytest.LogCaptureFixture, wording: str
) -> None:
    with caplog.at_level(logging.DEBUG, "finra_core"):
        two_restated.run()

    assert any(re.fullmatch(wording, message) for message in caplog.messages), caplog.text


def test_one_tier_down_fails_its_partition_and_leaves_its_week_not_ready(one_down: Bench) -> None:
    report = one_down.run()

    assert report.exit_code == 1
    assert outcomes(report, Outcome.INGESTED) == {
        partition("2025-12-19", Tier.NMS_TIER_1),
        partition("2025-12-05", Tier.NMS_TIER_2),
    }
    assert outcomes(report, Outcome.FAILED) == {partition("2025-12-05", Tier.OTC)}
    assert [(p.partition, p.outcome) for p in report.partitions if p.origin is Origin.ROTATION] == [
        (partition("2025-10-24", Tier.NMS_TIER_1), Outcome.SKIPPED)
    ]
    assert report.anomalies == {"CRITICAL": 0, "ERROR": 1, "WARN": 1, "INFO": 18}
    week = next(r for r in report.readiness if r.week_ending.isoformat() == "2025-12-05")
    assert not week.is_ready
    assert not week.all_partitions_present
    assert [issue.message for issue in week.blocking_issues] == ["Missing tier: OTC"]


@pytest.mark.parametrize(
    "wording",
    [
        r"  2025-12-05 / OTC: API fetch failed \(HTTP 503\)",
        r"  Anomaly recorded: SOURCE_UNAVAILABLE",
        r"  2025-12-05 / NMS_TIER_2: ✓ Normalized \d+ rows",
        r"  2025-12-05: Missing tier OTC, skipping cross-tier analytics",
        r"  2025-12-05: NOT READY \(all_partitions_present=0, blocking_issues: \[\"Missing tier: OTC\"\]\)",
    ],
)
def test_one_tier_down_is_logged_in_the_documents_wording(
    one_down: Bench, caplog: pytest.LogCaptureFixture, wording: str
) -> None:
    with caplog.at_level(logging.DEBUG, "finra_core"):
        one_down.run()

    assert any(re.fullmatch(wording, message) for message in caplog.messages), caplog.text


def test_one_tier_down_prints_the_documents_summary(one_down: Bench) -> None:
    lines = summary(one_down.run())

    for line in (
        "Partitions ingested: 2 / 21 (revision detected)",
        "Partitions failed: 1 / 21",
        "Anomalies: 0 CRITICAL, 1 ERROR, 1 WARN, 18 INFO",
        "Exit code: 1 (partial failure)",
    ):
        assert line in lines


def test_the_tier_that_was_down_is_made_good_by_the_next_run(one_down: Bench) -> None:
    one_down.run()
    one_down.clock.now = TUESDAY

    report = one_down.run()

    assert report.exit_code == 0
    assert outcomes(report, Outcome.INGESTED) == {partition("2025-12-05", Tier.OTC)}
    assert anomalies_of(one_down.store, Severity.ERROR, Severity.WARN) == []


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(two_restated: Bench) -> None:
    before = everything(two_restated.store)

    report = two_restated.run(mode="dry-run")

    assert everything(two_restated.store) == before
    assert report.exit_code == 0
    lines = summary(report)
    assert lines[0].startswith("[DRY-RUN] Would process weeks: 2025-12-19, 2025-12-12, ")
    assert "[DRY-RUN] Would ingest 2025-12-05 / OTC (source updated 2026-01-06 > stored 2026-01-05)" in lines
    assert "[DRY-RUN] Would skip 2025-11-28 / OTC (Source unchanged since 2025-12-29)" in lines
    assert lines[-3:] == ["[DRY-RUN] Summary: 2 ingests, 18 skips", "No database writes performed.", "Exit code: 0"]
