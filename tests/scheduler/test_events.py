"""What observers are told of a run: values, in the order in which things happen, and the log that is made of them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from threading import Lock
from typing import Any

import pytest
from attrs import Factory, define, evolve

from finra_core import (
    Category,
    Event,
    Outcome,
    Partition,
    Payload,
    Rule,
    RunRequest,
    Scheduler,
    Severity,
    SourceVersion,
    Tier,
    open_store,
)
from finra_core.ports.observer import (
    AnalysisStored,
    AnomalyFound,
    CaptureStored,
    Decided,
    FetchStarted,
    OlderWeeksSwept,
    Phase,
    PhaseStarted,
    RecordsStored,
    RunFinished,
    RunStarted,
    SourceFailed,
    StepFinished,
    WeekJudged,
    WeeksTargeted,
)
from finra_simulator import Delay, Outage, Restatement, SimulatorSource, World
from support.harness import MONDAY_MORNING, Bench, Seen, anomalies_of, partition

WEEK = date(2025, 11, 28)
OTC = partition("2025-11-28", Tier.OTC)
QUIET = World(symbols=4, ats=2, firms=2, restatement_rate=0.0)
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def quiet() -> Bench:
    return Bench(open_store("memory:"), QUIET)


def watch(bench: Bench, **request: Any) -> list[Event]:
    seen = Seen()
    bench.run(observers=[seen], **request)
    return seen.events


def of(events: list[Event], *kinds: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kinds)]


# Order ------------------------------------------------------------------------------------------------


def test_a_run_is_told_from_its_start_to_its_end_phase_by_phase(quiet: Bench) -> None:
    events = watch(quiet, weeks=[WEEK], tiers=[Tier.OTC])

    told = [event for event in events if not isinstance(event, StepFinished)]
    assert [type(event) for event in told] == [
        RunStarted,
        PhaseStarted,
        WeeksTargeted,
        PhaseStarted,
        FetchStarted,
        CaptureStored,
        PhaseStarted,
        RecordsStored,
        PhaseStarted,
        AnalysisStored,
        PhaseStarted,
        WeekJudged,
        RunFinished,
    ]
    phases = [event.phase for event in told if isinstance(event, PhaseStarted)]
    assert phases == [Phase.PLAN, Phase.INGESTION, Phase.NORMALIZATION, Phase.ANALYTICS, Phase.READINESS]


@pytest.mark.parametrize("mode", ["run", "dry-run"])
def test_every_event_names_the_run_of_the_report(quiet: Bench, mode: str) -> None:
    seen = Seen()
    report = quiet.run(observers=[seen], mode=mode)

    assert {event.run_id for event in seen.events} == {report.run_id}
    [started], [finished] = seen.of(RunStarted), seen.of(RunFinished)
    assert (started.mode, started.run_date, finished.exit_code) == (mode, report.run_date, report.exit_code)


def test_two_runs_have_two_names(quiet: Bench) -> None:
    one, other = watch(quiet), watch(quiet)
    assert one[0].run_id != other[0].run_id


def test_steps_are_counted_to_the_number_that_there_are(quiet: Bench) -> None:
    events = watch(quiet)

    steps = of(events, StepFinished)
    counted = {phase: [(s.done, s.total) for s in steps if s.phase is phase] for phase in Phase}  # type: ignore[attr-defined]
    twenty = [(i, 20) for i in range(1, 21)]
    assert counted[Phase.PLAN] == counted[Phase.INGESTION] == counted[Phase.NORMALIZATION] == twenty


def test_a_capture_is_told_before_its_records_and_these_before_its_analysis(quiet: Bench) -> None:
    events = watch(quiet, order="chained")

    told = [
        (type(event), event.capture.partition if isinstance(event, CaptureStored | RecordsStored) else key(event))
        for event in of(events, CaptureStored, RecordsStored, AnalysisStored)
    ]
    for asked in {p for kind, p in told if kind is CaptureStored}:
        assert [kind for kind, p in told if p == asked] == [CaptureStored, RecordsStored, AnalysisStored]


def key(event: Event) -> object:
    assert isinstance(event, AnalysisStored)
    made = event.analysis
    return made.tier if made.tier == "ALL" else Partition(made.week_ending, Tier(made.tier))


# Whom what happens to ---------------------------------------------------------------------------------


@pytest.fixture
def varied(quiet: Bench) -> Bench:
    """The second run here skips, ingests, fails, waits, and misses what is late."""
    monday = MONDAY_MORNING
    quiet.world = evolve(
        QUIET,
        events=(
            Restatement(OTC, monday + AN_HOUR, changed=1),
            Delay(partition("2025-11-21", Tier.OTC), monday + timedelta(days=90)),
        ),
    )
    quiet.outages = (Outage(partition("2025-11-21", Tier.NMS_TIER_1), monday + AN_HOUR, monday + timedelta(days=9)),)
    quiet.run(window="calendar", lookback_weeks=8)
    quiet.clock.forward(days=2)
    return quiet


def test_every_partition_has_one_decision_or_one_capture(varied: Bench) -> None:
    seen = Seen()
    report = varied.run(observers=[seen], window="calendar", lookback_weeks=8)

    decided = {e.partition: (e.decision.rule, e.reason) for e in seen.of(Decided)}
    stored = {e.capture.partition: (e.decision.rule, e.reason) for e in seen.of(CaptureStored)}
    assert len(seen.of(Decided)) + len(seen.of(CaptureStored)) == len(report.partitions) == 24
    assert decided | stored == {p.partition: (p.rule, p.reason) for p in report.partitions}
    assert stored.keys() == {OTC}
    assert {p.outcome for p in report.partitions} == {
        Outcome.SKIPPED,
        Outcome.INGESTED,
        Outcome.FAILED,
        Outcome.NOT_DUE,
        Outcome.LATE,
    }


@pytest.mark.parametrize("order", ["phased", "chained"])
def test_every_finding_is_told_once_and_is_in_the_store(varied: Bench, order: str) -> None:
    seen = Seen()
    report = varied.run(observers=[seen], window="calendar", lookback_weeks=8, order=order)

    found = [event.anomaly for event in seen.of(AnomalyFound)]
    counts = Counter(str(anomaly.severity) for anomaly in found)
    assert counts == {name: number for name, number in report.anomalies.items() if number}
    assert len({anomaly.fingerprint for anomaly in found}) == len(found)
    stored = {a.fingerprint: a.message for a in anomalies_of(varied.store, *Severity)}
    assert {a.fingerprint: a.message for a in found}.items() <= stored.items()
    assert {a.category for a in found} >= {Category.LATE, Category.SOURCE_UNAVAILABLE, Category.REVISION_SKIPPED}


@define
class Committed:
    """Looks into the store when an event says that something is there."""

    bench: Bench
    missing: list[Event] = Factory(list)
    looked: int = 0

    def on_event(self, event: Event) -> None:
        if not self._is_there(event):
            self.missing.append(event)

    def _is_there(self, event: Event) -> bool:
        self.looked += isinstance(event, AnomalyFound | CaptureStored | Decided | RecordsStored | WeekJudged)
        with self.bench.store.read() as view:
            if isinstance(event, AnomalyFound):
                known = {record.fingerprint for record in view.anomalies()}
                return (event.anomaly.fingerprint in known) or not event.recorded
            if isinstance(event, CaptureStored):
                return event.capture.number in {capture.number for capture in view.captures()}
            if isinstance(event, RecordsStored):
                return next(c for c in view.captures() if c.number == event.capture.number).is_normalized
            if isinstance(event, Decided):
                return (event.run_id, event.partition) in {(d.run_id, d.partition) for d in view.decisions()}
            if isinstance(event, WeekJudged):
                return event.readiness in [judgment.readiness for judgment in view.judgments()]
        return True


def test_what_is_told_as_stored_is_committed(varied: Bench) -> None:
    committed = Committed(varied)
    varied.run(observers=[committed], window="calendar", lookback_weeks=8)

    assert committed.missing == []
    assert committed.looked > 24


def test_nothing_that_a_dry_run_finds_is_told_as_recorded(varied: Bench) -> None:
    seen = Seen()
    varied.run(observers=[seen], window="calendar", lookback_weeks=8, mode="dry-run")

    assert seen.of(AnomalyFound)
    assert not any(event.recorded for event in seen.of(AnomalyFound))


def test_a_plan_is_no_run(quiet: Bench) -> None:
    seen = Seen()
    Scheduler(source=quiet.source, store=quiet.store, clock=quiet.clock, observers=[seen]).plan()

    assert of(seen.events, RunStarted, RunFinished) == []
    assert [event.phase for event in seen.of(PhaseStarted)] == [Phase.PLAN, Phase.COMPARE]


def test_a_week_that_did_not_change_is_told_as_such(quiet: Bench) -> None:
    first, second = Seen(), Seen()
    quiet.run(observers=[first], weeks=[WEEK])
    quiet.run(observers=[second], weeks=[WEEK])

    assert [(e.readiness.is_ready, e.unchanged) for e in (*first.of(WeekJudged), *second.of(WeekJudged))] == [
        (True, False),
        (True, True),
    ]


# Threads ----------------------------------------------------------------------------------------------


@define
class Overlapping:
    """An observer that takes its time, and notices who comes while it is busy."""

    busy: Lock = Factory(Lock)
    overlaps: int = 0
    heard: int = 0

    def on_event(self, event: Event) -> None:
        if not self.busy.acquire(blocking=False):
            self.overlaps += 1
            return
        self.heard += isinstance(event, FetchStarted | CaptureStored)
        time.sleep(0.001)
        self.busy.release()


def test_observers_hear_one_event_at_a_time_though_threads_fetch(quiet: Bench) -> None:
    overlapping = Overlapping()
    scheduler = Scheduler(source=quiet.source, store=quiet.store, clock=quiet.clock, observers=[overlapping])
    scheduler.run(RunRequest(workers=8))

    assert overlapping.overlaps == 0
    assert overlapping.heard == 40


def test_all_observers_hear_the_same_in_the_same_order(quiet: Bench) -> None:
    one, other = Seen(), Seen()
    scheduler = Scheduler(source=quiet.source, store=quiet.store, clock=quiet.clock, observers=[one, other])
    scheduler.run(RunRequest(workers=8))

    assert one.events == other.events


def test_what_an_observer_raises_ends_the_run(quiet: Bench) -> None:
    class Broken:
        def on_event(self, event: Event) -> None:
            if isinstance(event, CaptureStored):
                raise ZeroDivisionError("a bug of the observer's")

    with pytest.raises(ZeroDivisionError):
        quiet.run(observers=[Broken()])
    assert quiet.run().exit_code == 0


# The log ----------------------------------------------------------------------------------------------


def lines(caplog: pytest.LogCaptureFixture) -> Mapping[str, int]:
    """The lines at INFO and above that say something of a partition, week or source, by how often they are said."""
    return Counter(r.getMessage() for r in caplog.records if r.name == "finra_core.run" and r.levelno >= logging.INFO)


@pytest.mark.parametrize("order", ["phased", "chained"])
def test_no_line_is_said_twice(varied: Bench, caplog: pytest.LogCaptureFixture, order: str) -> None:
    with caplog.at_level(logging.INFO, "finra_core"):
        varied.run(window="calendar", lookback_weeks=8, order=order)

    headings = {"Phase 1: Ingestion", "Phase 2: Normalization", "Phase 3: Analytics", "Readiness Evaluation:"}
    repeated = {line for line, times in lines(caplog).items() if times > 1 and line not in headings}
    assert repeated == set()


def levels(caplog: pytest.LogCaptureFixture, text: str) -> list[int]:
    return [record.levelno for record in caplog.records if text in record.getMessage()]


def test_levels_are_those_of_the_findings(varied: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "finra_core"):
        varied.run(window="calendar", lookback_weeks=8)

    assert levels(caplog, "2025-11-21 / OTC: late: was due on 2025-12-22") == [logging.WARNING]
    assert levels(caplog, "2025-11-21 / NMS_TIER_1: API fetch failed (HTTP 503)") == [logging.ERROR]
    assert levels(caplog, "2025-12-26 / OTC: due on 2026-01-26") == [logging.INFO]
    assert levels(caplog, "2025-11-14 / OTC: Source unchanged since 2025-12-15, skipping") == [logging.INFO]
    assert levels(caplog, "2025-12-26: NOT READY") == [logging.INFO]  # it only waits for FINRA's calendar
    assert levels(caplog, "2025-11-21: NOT READY") == [logging.WARNING]


def test_the_sweep_is_told_and_said_in_one_line(quiet: Bench, caplog: pytest.LogCaptureFixture) -> None:
    quiet.run(lookback_weeks=10)
    quiet.world = evolve(QUIET, events=(Restatement(OTC, MONDAY_MORNING + AN_HOUR, changed=1),))
    quiet.clock.forward(days=50)
    seen = Seen()

    with caplog.at_level(logging.INFO, "finra_core"):
        quiet.run(observers=[seen])

    [swept] = seen.of(OlderWeeksSwept)
    # Ten weeks of three tiers, and one more of tier 1. Two were published on the day from which on is asked.
    assert (swept.older, swept.since, swept.restated, swept.rotated) == (31, date(2026, 1, 5), 3, 2)
    said = "Older weeks: 31 partitions, 3 restated since 2026-01-05, 2 in rotation"
    assert levels(caplog, said) == [logging.INFO]


def test_without_older_weeks_nothing_is_said_of_them(quiet: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "finra_core"):
        quiet.run()

    assert levels(caplog, "Older weeks") == []


@pytest.mark.parametrize("mode", ["run", "dry-run"])
def test_a_source_that_is_down_is_said_once(quiet: Bench, caplog: pytest.LogCaptureFixture, mode: str) -> None:
    quiet.outages = (Outage(None, MONDAY_MORNING, MONDAY_MORNING + AN_HOUR, 503),)
    seen = Seen()

    with caplog.at_level(logging.INFO, "finra_core"):
        report = quiet.run(observers=[seen], mode=mode)

    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert errors == ["API fetch failed (HTTP 503)"]
    assert [event.message for event in seen.of(SourceFailed)] == errors
    assert {(e.anomaly.severity, e.told) for e in seen.of(AnomalyFound)} == {(Severity.ERROR, True)}
    assert report.count(Outcome.FAILED) == len(seen.of(AnomalyFound)) == 20


def test_a_partition_that_failed_alone_is_said_with_its_cause(quiet: Bench, caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            raise ZeroDivisionError("a bug")

    with caplog.at_level(logging.INFO, "finra_core"):
        report = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=Buggy(quiet.world, quiet.clock))

    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert errors == ["  2025-11-28 / OTC: ZeroDivisionError: a bug", "  Anomaly recorded: PIPELINE_ERROR"]
    assert report.partitions[0].rule is Rule.CONTENT_REFUSED


def test_nothing_is_recorded_by_a_dry_run_and_nothing_said_to_be(
    quiet: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    quiet.outages = (Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + AN_HOUR, 503),)

    with caplog.at_level(logging.INFO, "finra_core"):
        quiet.run(weeks=[WEEK], mode="dry-run")

    assert levels(caplog, "2025-11-28 / OTC: API fetch failed (HTTP 503)") == [logging.ERROR]
    assert levels(caplog, "Anomaly recorded") == []
