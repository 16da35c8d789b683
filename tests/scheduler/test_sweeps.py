"""No restatement goes unseen, whatever its age: at the next run if the source can tell, within 28 runs if it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from attrs import Factory, define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core import (
    TIERS,
    Category,
    Outcome,
    Partition,
    PartitionLockedError,
    Payload,
    Rule,
    RunReport,
    Scope,
    Severity,
    SourceBudgetError,
    SourceInfo,
    SourceKind,
    SourceUnavailableError,
    SourceVersion,
    Tier,
    UnitOfWork,
    open_store,
)
from finra_core.ports.observer import AnomalyFound
from finra_core.runs.plan import Origin
from finra_simulator import Outage, Restatement, SimulatorSource, World
from support.harness import (
    MONDAY_MORNING,
    Bench,
    Clock,
    Seen,
    StandIn,
    anomalies_of,
    as_record,
    everything,
    latest_of,
    partition,
    readiness_of,
    records_of,
)

DAYS = timedelta(days=1)
QUIET = World(symbols=5, ats=4, firms=4, restatement_rate=0.0, first_week=date(2025, 8, 1))
OLD = partition("2025-09-12", Tier.NMS_TIER_1)
"""Of the week in which FINRA's row stood that was restated 51 days after its publication."""
OLDER = 14 * 3
"""The partitions from 2025-08-01 on that are older than the window of 2026-01-12, which begins with 2025-11-07."""


@define
class Asked(SimulatorSource):
    """A source that notes what it is asked: from which day on, and which partitions' versions and contents.

    told: whether it can tell which partitions were restated.
    """

    told: bool = True
    since: list[tuple[date, date]] = Factory(list)
    probed: list[Partition] = Factory(list)
    fetched: list[Partition] = Factory(list)

    def restated_since(self, day: date, before: date) -> frozenset[Partition] | None:  # type: ignore[override]
        self.since.append((day, before))
        return super().restated_since(day, before) if self.told else None

    def probe(self, partition: Partition) -> SourceVersion | None:
        self.probed.append(partition)
        return super().probe(partition)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        self.fetched.append(partition)
        return super().fetch(partition, expected)


def filled(world: World, at: datetime = MONDAY_MORNING) -> Bench:
    """A store with all weeks that FINRA offers."""
    bench = Bench(open_store("memory:"), world, Clock(at))
    bench.run(lookback_weeks=19)
    return bench


@pytest.fixture
def stored() -> Bench:
    """A store with all weeks of a quiet FINRA, on the Monday after it was filled."""
    bench = filled(QUIET)
    bench.clock.forward(days=7)
    return bench


def changing(*events: Restatement) -> World:
    return evolve(QUIET, events=events)


def run_daily(bench: Bench, days: int, *, told: bool = True) -> list[RunReport]:
    reports = []
    for _ in range(days):
        bench.clock.forward(days=1)
        reports.append(bench.run(source=Asked(bench.world, bench.clock, told=told)))
    return reports


def ingested(report: RunReport) -> list[Partition]:
    return [p.partition for p in report.partitions if p.outcome is Outcome.INGESTED]


def origins(report: RunReport, origin: Origin) -> list[Partition]:
    return [p.partition for p in report.partitions if p.origin is origin]


@define
class Poor(Asked):
    """A source whose budget has no bytes left for contents, or for versions either, of partitions of older weeks."""

    before: date = date.max
    for_versions: bool = True

    def probe(self, partition: Partition) -> SourceVersion | None:
        if not self.for_versions and partition.week_ending < self.before:
            raise SourceBudgetError("API budget reached", partition=partition)
        return super().probe(partition)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        if partition.week_ending < self.before:
            raise SourceBudgetError("API budget reached", partition=partition)
        return super().fetch(partition, expected)


# What is found ----------------------------------------------------------------------------------------


def test_a_restatement_that_the_source_tells_of_is_stored_at_the_next_run(bench: Bench) -> None:
    stored = bench
    stored.world = QUIET
    stored.run(lookback_weeks=19)
    stored.clock.forward(days=7)
    stored.run()
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=1))
    stored.clock.forward(days=1)

    report = stored.run()

    assert origins(report, Origin.RESTATED) == [OLD] == ingested(report)
    [found] = [p for p in report.partitions if p.partition == OLD]
    assert (found.rule, found.reason) == (Rule.VERSION_CHANGED, "source updated 2026-01-12 > stored 2025-09-29")
    assert [stage.value for stage in found.stages] == ["RAW", "NORMALIZED", "CALC"]
    assert readiness_of(stored.store)[OLD.week_ending].is_ready
    rows = sorted(map(as_record, stored.world.rows(OLD, stored.clock.now)))
    assert records_of(stored.store, latest_of(stored.store)[OLD]) == rows


ANY_OLD = st.builds(
    Partition,
    st.integers(0, 12).map(lambda weeks: date(2025, 8, 1) + timedelta(weeks=weeks)),
    st.sampled_from(TIERS),
)


@given(
    restated=ANY_OLD,
    first_hour=st.integers(0, 23),
    after=st.integers(1, 48 * 60),
    pauses=st.lists(st.integers(4, 48), min_size=1, max_size=4),
)
@settings(max_examples=25)
def test_at_whatever_hour_it_is_stored_by_the_first_run_after_it(
    restated: Partition, first_hour: int, after: int, pauses: list[int]
) -> None:
    """Runs at any hours, evenings in New York included, and the restatement at any minute between them."""
    bench = filled(QUIET, MONDAY_MORNING.replace(hour=first_hour))
    instant = bench.clock.now + timedelta(minutes=after)
    bench.world = changing(Restatement(restated, instant, changed=1))

    reports: list[RunReport] = []
    while bench.clock.now < instant:
        bench.clock.forward(hours=pauses[len(reports) % len(pauses)])
        reports.append(bench.run())

    assert [restated in ingested(report) for report in reports] == [False] * (len(reports) - 1) + [True]
    assert latest_of(bench.store)[restated].version == bench.world.version(restated, bench.clock.now)


@given(restated=ANY_OLD, after=st.integers(1, 10 * 24 * 60), kind=st.sampled_from(["changed", "added", "withdrawn"]))
@settings(max_examples=10)
def test_a_source_that_cannot_tell_is_found_out_within_28_daily_runs(
    restated: Partition, after: int, kind: str
) -> None:
    bench = filled(QUIET)
    instant = bench.clock.now + timedelta(minutes=after)
    bench.world = changing(Restatement(restated, instant, **cast("Any", {"changed": 0, kind: 1})))
    bench.clock.now = max(bench.clock.now, instant)

    reports = run_daily(bench, 28, told=False)

    assert [restated in ingested(report) for report in reports].count(True) == 1
    assert not any(origins(report, Origin.RESTATED) for report in reports)
    assert {report.exit_code for report in reports} == {0}


def test_a_withdrawn_row_is_found_by_the_rotation_though_the_source_can_tell(stored: Bench) -> None:
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=0, withdrawn=1))

    found = [OLD in ingested(report) for report in run_daily(stored, 28)]

    assert found.count(True) == 1


def test_a_change_without_a_date_is_found_when_the_contents_turn_comes_and_warned_about() -> None:
    bench = filled(changing(Restatement(OLD, MONDAY_MORNING + DAYS / 2, changed=1, silent=True)))

    reports = run_daily(bench, OLDER)

    [report] = [report for report in reports if OLD in ingested(report)]
    [found] = [p for p in report.partitions if p.partition == OLD]
    assert (found.rule, found.origin) == (Rule.SILENT_REVISION, Origin.ROTATION)
    assert [(finding.category, finding.week_ending, finding.tier) for finding in report.findings] == [
        ("SILENT_REVISION", OLD.week_ending, "NMS_TIER_1")
    ]


def test_of_two_partitions_in_rotation_one_is_verified_and_both_are_checked(stored: Bench) -> None:
    before = latest_of(stored.store)

    rotated = origins(stored.run(), Origin.ROTATION)

    after = latest_of(stored.store)
    assert len(rotated) == 2
    assert [after[p].checked_at > before[p].checked_at for p in rotated] == [True, True]
    assert sorted(after[p].verified_at > before[p].verified_at for p in rotated) == [False, True]


# What it costs ----------------------------------------------------------------------------------------


def test_a_run_probes_one_older_partition_in_28_and_fetches_one(stored: Bench) -> None:
    source = Asked(stored.world, stored.clock)

    report = stored.run(source=source)

    assert report.sweep is not None
    assert report.sweep.older == OLDER
    window = date(2025, 11, 7)
    assert len([p for p in source.probed if p.week_ending < window]) == 2
    assert len([p for p in source.fetched if p.week_ending < window]) == 1
    assert len(source.since) == 1


def test_in_28_daily_runs_every_older_partition_is_probed(stored: Bench) -> None:
    probed: set[Partition] = set()
    for _ in range(28):
        stored.clock.forward(days=1)
        source = Asked(stored.world, stored.clock)
        stored.run(source=source)
        probed |= set(source.probed)

    assert probed >= latest_of(stored.store).keys()


@pytest.mark.parametrize("request_", [{"weeks": [date(2025, 12, 5)]}, {"sweep": False}], ids=["by name", "unwanted"])
def test_who_asks_for_weeks_or_for_no_sweep_gets_none(stored: Bench, request_: dict[str, Any]) -> None:
    source = Asked(stored.world, stored.clock)

    report = stored.run(source=source, **request_)

    assert report.sweep is None
    assert source.since == []
    assert {p.origin for p in report.partitions} == {Origin.ASKED}
    assert everything(stored.store)["runs"][0].sweep_from is None


def test_an_archive_is_not_swept(stored: Bench) -> None:
    files = Asked(stored.world, stored.clock, info=SourceInfo(label="files", kind=SourceKind.ARCHIVE))

    report = stored.run(source=files, lookback_weeks=1)

    assert report.sweep is None
    assert files.since == []


def test_force_does_not_reach_older_weeks(stored: Bench) -> None:
    report = stored.run(force=True, reason="audit")

    assert {p.outcome for p in report.partitions if p.origin is Origin.ASKED} == {Outcome.INGESTED}
    assert {p.outcome for p in report.partitions if p.origin is Origin.ROTATION} == {Outcome.SKIPPED}


def test_a_week_that_is_no_longer_offered_is_not_looked_at(stored: Bench) -> None:
    stored.world = evolve(QUIET, first_week=date(2025, 10, 3))

    probed = [p for report in run_daily(stored, 28) for p in origins(report, Origin.ROTATION)]

    assert probed
    assert min(p.week_ending for p in probed) == date(2025, 10, 3)


# Where the next one begins ----------------------------------------------------------------------------


def swept_from(bench: Bench) -> date | None:
    found: date | None = everything(bench.store)["runs"][0].sweep_from
    return found


def asked_since(bench: Bench, source: Asked | None = None, **request: Any) -> date | None:
    """From which day on a run asks; None where it does not ask."""
    source = source or Asked(bench.world, bench.clock)
    bench.run(source=source, **request)
    return source.since[0][0] if source.since else None


def test_each_sweep_asks_from_where_the_last_one_ended_to_before_the_window(stored: Bench) -> None:
    source = Asked(stored.world, stored.clock)
    stored.run(source=source)
    stored.clock.forward(days=3)
    stored.run(source=source)

    window = date(2025, 11, 7)
    assert source.since == [(date(2026, 1, 5), window), (date(2026, 1, 12), window)]
    assert swept_from(stored) == date(2026, 1, 15)


def test_a_sweep_late_in_new_yorks_evening_is_followed_by_one_from_that_evening_on(stored: Bench) -> None:
    stored.clock.now = datetime(2026, 1, 14, 3, 30, tzinfo=timezone.utc)  # Tuesday the 13th, 22:30
    stored.run()

    assert swept_from(stored) == date(2026, 1, 13)


def test_the_first_sweep_looks_back_to_when_the_weeks_were_captured(bench: Bench) -> None:
    bench.world = QUIET
    bench.run(weeks=[OLD.week_ending])
    bench.clock.forward(days=40)

    assert asked_since(bench) == date(2026, 1, 4)


def test_a_run_of_one_tier_leaves_the_others_days_to_the_next(stored: Bench) -> None:
    stored.run()
    stored.clock.forward(days=1)
    stored.world = changing(Restatement(OLD, stored.clock.now - timedelta(hours=2), changed=1))
    stored.clock.forward(days=2)
    assert asked_since(stored, tiers=[Tier.OTC]) == date(2026, 1, 12)
    stored.clock.forward(days=2)

    source = Asked(stored.world, stored.clock)
    report = stored.run(source=source)

    assert source.since[0][0] == date(2026, 1, 12)
    assert OLD in ingested(report)


def test_a_run_with_a_failed_partition_leaves_its_days_to_the_next(stored: Bench) -> None:
    stored.run()
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=1))
    stored.clock.forward(days=1)
    stored.outages = (Outage(OLD, stored.clock.now, stored.clock.now + timedelta(hours=1)),)
    failed = stored.run()
    stored.clock.forward(days=3)

    source = Asked(stored.world, stored.clock)
    report = stored.run(source=source)

    assert (failed.exit_code, swept_from(stored)) == (1, date(2026, 1, 16))
    assert source.since[0][0] == date(2026, 1, 12)
    assert OLD in ingested(report)


def test_a_run_that_left_a_partition_to_another_one_leaves_its_days_to_the_next(stored: Bench) -> None:
    class InUse(StandIn):
        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            if scope == Scope.partition(OLD):
                raise PartitionLockedError(f"{OLD}: another run is writing it")
            with self.store.write(scope) as unit:
                yield unit

    stored.run()
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=1))
    stored.clock.forward(days=1)
    left = stored.run(store=InUse(stored.store))
    stored.clock.forward(days=3)

    assert left.exit_code == 0
    assert asked_since(stored) == date(2026, 1, 12)
    assert latest_of(stored.store)[OLD].version == stored.world.version(OLD, stored.clock.now)


def test_a_source_that_cannot_tell_today_is_asked_for_the_same_days_tomorrow(stored: Bench) -> None:
    stored.run()
    stored.clock.forward(days=1)
    assert asked_since(stored, Asked(stored.world, stored.clock, told=False)) == date(2026, 1, 12)
    stored.clock.forward(days=1)

    assert asked_since(stored) == date(2026, 1, 12)


def test_a_source_that_could_not_tell_for_28_days_is_asked_for_no_more_than_those(stored: Bench) -> None:
    stored.run()
    for _ in range(29):
        stored.clock.forward(days=1)
        stored.run(source=Asked(stored.world, stored.clock, told=False))
    stored.clock.forward(days=1)

    assert asked_since(stored) == date(2026, 2, 10)


# When it fails ----------------------------------------------------------------------------------------


@define
class Unswept(Asked):
    """A source whose answer to the sweep's one request is an error."""

    error: Exception = field(factory=lambda: SourceUnavailableError("API fetch failed (HTTP 503)", status_code=503))

    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        super().restated_since(day, before)
        raise self.error


@pytest.mark.parametrize(
    "error",
    [SourceUnavailableError("API fetch failed (HTTP 503)"), ZeroDivisionError("a bug")],
    ids=["ours", "foreign"],
)
def test_a_sweep_that_fails_is_a_warning_and_the_next_run_sweeps_the_same_days(stored: Bench, error: Exception) -> None:
    stored.run()
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=1))
    stored.clock.forward(days=1)
    seen = Seen()

    report = stored.run(source=Unswept(stored.world, stored.clock, error=error), observers=[seen])

    assert report.exit_code == 0
    [finding] = report.findings
    assert (finding.severity, finding.category) == (Severity.WARN, "SOURCE_UNAVAILABLE")
    assert finding.message.startswith("older weeks were not swept for restatements: ")
    assert finding.message.endswith("; the next run sweeps them")
    assert [
        event.anomaly.fingerprint for event in seen.of(AnomalyFound) if event.anomaly.severity is Severity.WARN
    ] == [finding.fingerprint]
    assert [a.category for a in anomalies_of(stored.store, Severity.WARN)] == [Category.SOURCE_UNAVAILABLE]

    stored.clock.forward(days=3)
    source = Asked(stored.world, stored.clock)
    mended = stored.run(source=source)

    assert source.since[0][0] == date(2026, 1, 12)
    assert OLD in ingested(mended)
    assert anomalies_of(stored.store, Severity.WARN) == []


def test_a_first_sweep_that_fails_is_made_good_by_the_next(bench: Bench) -> None:
    bench.world = changing(Restatement(OLD, MONDAY_MORNING + 3 * DAYS, changed=1))
    bench.run(weeks=[OLD.week_ending])
    bench.clock.forward(days=40)
    failed = bench.run(source=Unswept(bench.world, bench.clock))
    bench.clock.forward(days=1)

    source = Asked(bench.world, bench.clock)
    bench.run(source=source)

    assert failed.sweep is not None
    assert failed.sweep.next_from is None
    assert source.since[0][0] <= date(2026, 1, 8)


def test_a_dry_run_tells_that_the_sweep_fails(stored: Bench) -> None:
    report = stored.run(mode="dry-run", source=Unswept(stored.world, stored.clock))

    assert [finding.category for finding in report.findings] == ["SOURCE_UNAVAILABLE"]
    assert (report.exit_code, report.anomalies["WARN"]) == (0, 1)


def test_a_partition_that_fails_for_ever_holds_up_no_other(stored: Bench) -> None:
    broken = partition("2025-08-01", Tier.NMS_TIER_1)  # the first whose turn it is
    stored.outages = (Outage(broken, stored.clock.now, stored.clock.now + 99 * DAYS),)

    probed = set()
    for _ in range(28):
        stored.clock.forward(days=1)
        probed |= set(origins(stored.run(), Origin.ROTATION))

    assert len(probed) >= OLDER
    assert everything(stored.store)["runs"][0].exit_code == 1


def test_it_is_tried_again_at_each_run_and_taken_up_once_it_answers(stored: Bench) -> None:
    broken = partition("2025-08-01", Tier.NMS_TIER_1)
    stored.outages = (Outage(broken, stored.clock.now, stored.clock.now + 3 * DAYS),)

    reports = run_daily_with(stored, 3)

    tried = [[p.outcome for p in report.partitions if p.partition == broken] for report in reports]
    assert tried == [[Outcome.FAILED], [Outcome.FAILED], [Outcome.SKIPPED]]
    assert anomalies_of(stored.store, Severity.ERROR) == []


def run_daily_with(bench: Bench, days: int) -> list[RunReport]:
    reports = []
    for _ in range(days):
        bench.clock.forward(days=1)
        reports.append(bench.run())
    return reports


# Without bytes left -----------------------------------------------------------------------------------

WINDOW = date(2025, 11, 7)


@pytest.mark.parametrize("for_versions", [True, False], ids=["no contents", "no versions either"])
def test_what_the_rotation_has_no_bytes_for_is_left_to_the_next_run_and_is_no_failure(
    bench: Bench, for_versions: bool
) -> None:
    stored = bench
    stored.world = QUIET
    stored.run(lookback_weeks=19)
    stored.clock.forward(days=7)
    before = {partition: (c.verified_at, c.checked_at) for partition, c in latest_of(stored.store).items()}
    poor = Poor(stored.world, stored.clock, before=WINDOW, for_versions=for_versions)

    report = stored.run(source=poor)

    left = [p.partition for p in report.partitions if p.rule is Rule.OVER_BUDGET]
    assert report.exit_code == 0
    assert not report.findings
    assert {p.outcome for p in report.partitions if p.rule is Rule.OVER_BUDGET} == {Outcome.SKIPPED}
    assert len(left) == (1 if for_versions else -(-OLDER // 28))
    assert set(left) <= set(origins(report, Origin.ROTATION))
    now = latest_of(stored.store)
    assert [(now[p].verified_at, now[p].checked_at) for p in left] == [before[p] for p in left]

    rich = Asked(stored.world, stored.clock)
    stored.run(source=rich)

    older = [partition for partition in rich.fetched if partition.week_ending < WINDOW]
    assert len(older) == 1
    assert set(older) <= set(left) <= set(rich.probed)


def test_a_dry_run_without_bytes_leaves_it_too(stored: Bench) -> None:
    report = stored.run(source=Poor(stored.world, stored.clock, before=WINDOW), mode="dry-run")
    assert (report.exit_code, [p.rule for p in report.partitions].count(Rule.OVER_BUDGET)) == (0, 1)


def test_a_restatement_that_there_are_no_bytes_for_is_a_failure(stored: Bench) -> None:
    stored.world = changing(Restatement(OLD, stored.clock.now + timedelta(hours=2), changed=1))
    stored.clock.forward(days=1)

    report = stored.run(source=Poor(stored.world, stored.clock, before=WINDOW))

    assert [p.partition for p in report.partitions if p.outcome is Outcome.FAILED] == [OLD]
    assert report.exit_code == 1


def test_an_open_error_of_a_partition_is_not_resolved_by_leaving_it(stored: Bench) -> None:
    oldest = min(latest_of(stored.store), key=lambda p: (p.week_ending, TIERS.index(p.tier)))
    stored.outages = (Outage(oldest, stored.clock.now, stored.clock.now + timedelta(hours=1)),)
    stored.run()
    stored.clock.forward(days=1)

    stored.run(source=Poor(stored.world, stored.clock, before=WINDOW, for_versions=False))

    assert [anomaly.scope for anomaly in anomalies_of(stored.store, Severity.ERROR)] == [Scope.partition(oldest)]
