"""Hand-made partitions, captures, records and findings for the suites, and short ways to put and read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import TypeVar

from attrs import evolve

from finra_core.domain.analytics import CALC_VERSION, Analysis, analyze, analyze_across_tiers, volumes_of
from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Category, Severity, Stage
from finra_core.domain.captures import Capture, NewCapture, SourceVersion
from finra_core.domain.chain import ChainEntry
from finra_core.domain.coverage import coverage_of
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import TRADING
from finra_core.domain.readiness import BlockingIssue, Judgment, Readiness
from finra_core.domain.records import MICROS, Record, Records, Security, Venue
from finra_core.domain.revision import Action, Decision, Rule
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.store import DecisionRecord, Lock, ReadView, RowCounts, RunRecord, Store, UnitOfWork
from finra_core.weekly_summary.delimited import Reject
from finra_core.weekly_summary.payload import Payload

T = TypeVar("T")

WEEK = date(2025, 12, 26)
NEXT_WEEK = date(2026, 1, 2)
T1 = Partition(WEEK, Tier.NMS_TIER_1)
T2 = Partition(WEEK, Tier.NMS_TIER_2)
OTC = Partition(WEEK, Tier.OTC)
START = datetime(2026, 1, 20, 12, 0, 0, 123456, tzinfo=timezone.utc)
RUN_DATE = START.date()

AAPL = Security("AAPL", "Apple Inc. Common Stock", "UTP")
IBM = Security("IBM", "International Business Machines Corporation Common Stock", "CTS")
UBSA = Venue("ATS", "UBSA", "", "UBSA UBS ATS")
CITADEL = Venue("NON_ATS", "", "116797", "CITADEL SECURITIES LLC")
DE_MINIMIS = Venue("DE_MINIMIS", "", "", "De Minimis Firms")

READING = timedelta(seconds=30)
"""How long before it was stored a capture's reading began."""


def at(minutes: int) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


# Values ----------------------------------------------------------------------------------------------


def new_capture(
    partition: Partition = T1,
    minute: int = 0,
    *,
    capture_id: str | None = None,
    revision: int = 1,
    version: SourceVersion | None = None,
) -> NewCapture:
    """A capture made so many minutes after the start, with an identifier of its own unless one is given."""
    return NewCapture(
        capture_id=capture_id or f"{partition.tier}:{partition.week_ending}:{minute}",
        revision=revision,
        partition=partition,
        captured_at=at(minute),
        verified_at=at(minute) - READING,
        content_hash=f"{minute:064x}",
        version=version,
        row_count=2,
        run_id="run-1",
        reason="No prior capture found (first ingest)",
    )


def payload(*documents: bytes) -> Payload:
    """These documents, or one small one."""
    return Payload(documents or (b"MPID|issueSymbolIdentifier\nUBSA|AAPL\n",), "https://api.finra.org/data")


def row(
    security: Security = AAPL, venue: Venue = UBSA, shares: int = 100, trades: int = 1, day: str = "2026-01-12"
) -> Record:
    """A record of whole shares."""
    return Record(security, venue, shares * MICROS, trades, day)


def anomaly(
    severity: Severity = Severity.WARN,
    category: Category = Category.LATE,
    scope: Scope | None = None,
    stage: Stage = Stage.RAW,
) -> Anomaly:
    """A finding about the first tier's partition, unless another scope is given."""
    return Anomaly(severity, category, Scope.partition(T1) if scope is None else scope, stage, f"{category} it is")


def seen(found: Anomaly, minute: int = 0) -> AnomalyRecord:
    """The record of a finding that one check has made."""
    return AnomalyRecord(
        fingerprint=found.fingerprint, anomaly=found, first_seen=at(minute), last_seen=at(minute), occurrences=1
    )


def judgment(
    week_ending: date = WEEK,
    *issues: BlockingIssue,
    ready_for: str = TRADING.name,
    minute: int = 0,
    captures: Sequence[Capture] = (),
) -> Judgment:
    """A week that is ready, unless there are issues."""
    readiness = Readiness(
        week_ending=week_ending,
        ready_for=ready_for,
        is_ready=not issues,
        all_partitions_present=not issues,
        all_stages_complete=True,
        no_critical_anomalies=True,
        no_rejected_rows=not issues,
        blocking_issues=issues,
        captures=tuple(capture.number for capture in captures),
    )
    return Judgment(readiness=readiness, judged_at=at(minute))


def decision_record(partition: Partition = T1, minute: int = 0, *, run_id: str = "run-1") -> DecisionRecord:
    """A first ingest, decided so many minutes after the start."""
    return DecisionRecord(
        run_id=run_id,
        partition=partition,
        decision=Decision(Action.INGEST, Rule.FIRST_CAPTURE),
        reason="No prior capture found (first ingest)",
        decided_at=at(minute),
    )


def run_record(run_id: str = "run-1", minute: int = 0) -> RunRecord:
    """A run that began so many minutes after the start and has not ended."""
    return RunRecord(
        run_id=run_id,
        started_at=at(minute),
        finished_at=None,
        mode="run",
        run_date=RUN_DATE,
        exit_code=None,
        report_json=None,
    )


# Putting and reading, each in a unit of work or a view of its own --------------------------------------


def ask(store: Store, question: Callable[[ReadView], T]) -> T:
    """The answer of a view opened now."""
    with store.read() as view:
        return question(view)


def captures_of(store: Store) -> list[Capture]:
    """All captures."""
    return ask(store, lambda view: view.captures())


def rows_of(store: Store, capture: Capture) -> list[Record]:
    """A capture's records."""
    return ask(store, lambda view: list(view.records(capture).rows()))


@contextmanager
def writing(store: Store, scope: Scope = STORE) -> Iterator[UnitOfWork]:
    """A unit of work, for the store as a whole unless another scope is given."""
    with store.write(scope) as unit:
        yield unit


def put_capture(store: Store, partition: Partition = T1, minute: int = 0) -> Capture:
    """Put a capture."""
    with writing(store, Scope.partition(partition)) as unit:
        return unit.put_capture(new_capture(partition, minute), payload())


def put_records(
    store: Store, capture: Capture, rows: Iterable[Record], rejects: Sequence[Reject] = (), minute: int = 0
) -> RowCounts:
    """Put a capture's records."""
    with writing(store, Scope.partition(capture.partition)) as unit:
        return put_rows(unit, capture, rows, rejects, minute)


def put_rows(
    unit: UnitOfWork, capture: Capture, rows: Iterable[Record], rejects: Sequence[Reject] = (), minute: int = 0
) -> RowCounts:
    """Put a capture's records with the coverage that they have."""
    records = Records.of(rows)
    return unit.put_records(capture, records, rejects, coverage_of(records), at(minute))


def put_normalized(
    store: Store, partition: Partition = T1, minute: int = 0, rows: Iterable[Record] | None = None
) -> Capture:
    """Put a capture with records, one unless they are given. It is returned as it is stored."""
    capture = put_capture(store, partition, minute)
    put_records(store, capture, [row()] if rows is None else rows, minute=minute)
    return next(stored for stored in captures_of(store) if stored.number == capture.number)


def put_whole_week(store: Store, week: date = WEEK) -> list[Capture]:
    """One normalized capture of each tier, in tier order."""
    return [put_normalized(store, Partition(week, tier), minute) for minute, tier in enumerate(TIERS)]


def analysis_of(
    store: Store, captures: Sequence[Capture], *, minute: int = 0, calc_version: int = CALC_VERSION
) -> Analysis:
    """The analytics of one capture, or across the tiers of several."""
    volumes = volumes_of(ask(store, lambda view: Records.joined([view.records(capture) for capture in captures])))
    if len(captures) == 1:
        analysis = analyze(captures[0], volumes, at(minute))
    else:
        analysis = analyze_across_tiers(captures, volumes, ask(store, lambda v: v.analyses()), RUN_DATE, at(minute))
    return evolve(analysis, calc_version=calc_version)


def put_analysis(
    store: Store, captures: Sequence[Capture], *, minute: int = 0, calc_version: int = CALC_VERSION
) -> Analysis:
    """Put the analytics of these captures."""
    analysis = analysis_of(store, captures, minute=minute, calc_version=calc_version)
    with writing(store) as unit:
        unit.put_analysis(analysis)
    return analysis


def put_anomalies(store: Store, *records: AnomalyRecord) -> None:
    """Put anomalies."""
    with writing(store) as unit:
        unit.put_anomalies(records)


def put_judgments(store: Store, *judgments: Judgment) -> None:
    """Put judgments."""
    with writing(store) as unit:
        unit.put_judgments(judgments)


def put_decisions(store: Store, *records: DecisionRecord) -> None:
    """Put decisions."""
    with writing(store) as unit:
        unit.put_decisions(records)


def put_runs(store: Store, *runs: RunRecord) -> None:
    """Put runs."""
    with writing(store) as unit:
        for run in runs:
            unit.put_run(run)


def put_chain(store: Store, entries: Sequence[ChainEntry]) -> None:
    """Add entries to the chain."""
    with writing(store) as unit:
        unit.hold(Lock.CHAIN)
        unit.put_chain(entries)
