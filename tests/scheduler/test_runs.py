"""What a run does, rule by rule, on every store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from unittest.mock import ANY

import pytest
from attrs import define, evolve, field

from finra_core import (
    ConfigurationError,
    Listing,
    Outcome,
    Partition,
    Payload,
    Policy,
    RunReport,
    RunRequest,
    Scheduler,
    Scope,
    SourceError,
    SourceInfo,
    SourceKind,
    SourceVersion,
    StoreError,
    Tier,
    UnitOfWork,
    open_store,
)
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.errors import SourceDataError, SourceUnavailableError, StoreInterruptedError
from finra_core.domain.readiness import Readiness
from finra_core.ports.observer import Phase, PhaseStarted
from finra_core.runs.transactions import record_checks
from finra_simulator import Delay, Outage, Restatement, SimulatorSource, World
from support.harness import (
    MONDAY_MORNING,
    Bench,
    Clock,
    ProcessDiedError,
    SerialExecutor,
    StandIn,
    When,
    anomalies_of,
    captures_of,
    contents,
    everything,
    partition,
    readiness_of,
    records_of,
)

WEEK = date(2025, 11, 28)
OTC = partition("2025-11-28", Tier.OTC)
T1 = partition("2025-11-28", Tier.NMS_TIER_1)
QUIET = World(symbols=4, ats=2, firms=2, restatement_rate=0.0)


def with_events(*events: Restatement | Delay) -> World:
    return evolve(QUIET, events=events)


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    bench.world = QUIET
    return bench


def issues_of(readiness: Readiness) -> list[str]:
    return [issue.message for issue in readiness.blocking_issues]


def outcome_of(report: RunReport, asked: Partition) -> Outcome:
    return next(p.outcome for p in report.partitions if (p.week_ending, p.tier) == (asked.week_ending, asked.tier))


# Which partitions -------------------------------------------------------------------------------------


def test_by_default_the_six_newest_weeks_due_in_all_tiers_and_the_newer_ones_are_looked_at(quiet: Bench) -> None:
    report = quiet.run()

    weeks = {tier: [p.week_ending for p in report.partitions if p.tier is tier] for tier in Tier}
    assert {tier: len(found) for tier, found in weeks.items()} == {
        Tier.NMS_TIER_1: 8,
        Tier.NMS_TIER_2: 6,
        Tier.OTC: 6,
    }
    assert {min(found) for found in weeks.values()} == {date(2025, 10, 31)}
    newest = {tier: max(p.week_ending for p in report.partitions if p.tier is tier) for tier in Tier}
    assert newest == {
        Tier.NMS_TIER_1: date(2025, 12, 19),
        Tier.NMS_TIER_2: date(2025, 12, 5),
        Tier.OTC: date(2025, 12, 5),
    }


def test_a_calendar_window_is_the_documents_six_fridays_of_which_eight_partitions_exist(quiet: Bench) -> None:
    report = quiet.run(window="calendar")

    assert {p.week_ending for p in report.partitions} == {date(2026, 1, 2) - timedelta(weeks=i) for i in range(6)}
    assert report.count(Outcome.INGESTED) == 8
    assert report.count(Outcome.NOT_DUE) == 10
    assert report.exit_code == 0


def test_weeks_are_named_by_any_of_their_dates_and_override_the_look_back(quiet: Bench) -> None:
    report = quiet.run(weeks=[date(2025, 11, 24), date(2025, 11, 23)], lookback_weeks=3, tiers=[Tier.OTC])

    assert [(p.week_ending, p.tier) for p in report.partitions] == [
        (date(2025, 11, 28), Tier.OTC),
        (date(2025, 11, 21), Tier.OTC),
    ]


def test_a_week_that_is_not_over_is_refused_before_anything_is_read(quiet: Bench) -> None:
    with pytest.raises(ConfigurationError, match="2026-01-09 is not over on 2026-01-05"):
        quiet.run(weeks=[date(2026, 1, 5)])
    assert everything(quiet.store)["runs"] == []


@pytest.mark.parametrize(
    "wrong", [{"lookback_weeks": 0}, {"lookback_weeks": -1}, {"lookback_weeks": 100_000}, {"tiers": []}, {"workers": 0}]
)
def test_a_request_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        RunRequest(**wrong)  # type: ignore[arg-type]


def test_a_partition_that_is_not_due_is_no_failure_and_its_week_waits_for_a_named_day(quiet: Bench) -> None:
    report = quiet.run(weeks=[date(2025, 12, 19)])

    assert report.exit_code == 0
    assert outcome_of(report, partition("2025-12-19", Tier.OTC)) is Outcome.NOT_DUE
    # 2026-01-19 is Martin Luther King Day.
    assert issues_of(report.readiness[0]) == [
        "Waiting for tier: NMS_TIER_2, due 2026-01-20",
        "Waiting for tier: OTC, due 2026-01-20",
    ]
    assert report.readiness[0].ready_on == date(2026, 1, 20)


DUE = datetime(2025, 12, 29, 15, 30, tzinfo=MONDAY_MORNING.tzinfo)
"""Half past ten in New York on the day on which OTC is due to be published."""


@pytest.mark.parametrize(
    ("days_after_due", "outcome", "warnings"),
    [(0, Outcome.NOT_DUE, 1), (3, Outcome.NOT_DUE, 1), (4, Outcome.LATE, 2)],
)
def test_a_due_partition_is_late_once_three_days_have_passed(
    quiet: Bench, days_after_due: int, outcome: Outcome, warnings: int
) -> None:
    quiet.world = with_events(Delay(OTC, DUE + timedelta(days=30)))
    quiet.clock.now = DUE + timedelta(days=days_after_due)

    report = quiet.run()

    assert outcome_of(report, OTC) is outcome
    assert report.anomalies["WARN"] == warnings  # that the tier is missing, and that it is late
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("days_after_due", "outcome", "exit_code"),
    [(0, Outcome.NOT_DUE, 0), (3, Outcome.NOT_DUE, 0), (4, Outcome.FAILED, 1)],
)
def test_a_late_partition_that_was_asked_for_by_name_is_an_error(
    quiet: Bench, days_after_due: int, outcome: Outcome, exit_code: int
) -> None:
    quiet.world = with_events(Delay(OTC, DUE + timedelta(days=30)))
    quiet.clock.now = DUE + timedelta(days=days_after_due)

    report = quiet.run(weeks=[WEEK])

    assert outcome_of(report, OTC) is outcome
    assert report.exit_code == exit_code


def test_what_was_not_there_by_name_is_no_finding_any_more_once_it_is_there(quiet: Bench) -> None:
    quiet.world = with_events(Delay(OTC, DUE + timedelta(days=5)))
    quiet.clock.now = DUE + timedelta(days=4)
    quiet.run(weeks=[WEEK])
    assert [a.message for a in anomalies_of(quiet.store, Severity.ERROR)] == [
        "asked for by name, but late: was due on 2025-12-29"
    ]

    quiet.clock.forward(days=1)

    assert quiet.run(weeks=[WEEK]).exit_code == 0
    assert anomalies_of(quiet.store, Severity.ERROR) == []


def test_days_of_grace_are_the_tiers_own(quiet: Bench) -> None:
    quiet.world = with_events(Delay(OTC, DUE + timedelta(days=30)))
    quiet.clock.now = DUE + timedelta(days=4)

    assert outcome_of(quiet.run(grace_days={Tier.OTC: 4}), OTC) is Outcome.NOT_DUE
    assert outcome_of(quiet.run(grace_days={Tier.NMS_TIER_2: 9}), OTC) is Outcome.LATE


def test_weeks_before_the_sources_list_are_not_offered_and_an_error_only_by_name(quiet: Bench) -> None:
    quiet.world = evolve(QUIET, first_week=date(2025, 11, 28))

    windowed = quiet.run()
    named = quiet.run(weeks=[date(2025, 11, 21)])

    before = [p for p in windowed.partitions if p.week_ending < date(2025, 11, 28)]
    assert len(before) == 12
    assert {(p.outcome, p.reason) for p in before} == {
        (Outcome.NOT_OFFERED, "not offered; FINRA's list begins 2025-11-28")
    }
    assert (windowed.exit_code, windowed.anomalies["WARN"], windowed.anomalies["ERROR"]) == (0, 0, 0)
    assert {(p.outcome, p.reason) for p in named.partitions} == {
        (Outcome.FAILED, "not offered; FINRA's list begins 2025-11-28")
    }
    assert (named.exit_code, named.anomalies["ERROR"]) == (1, 3)


def test_a_partition_that_the_source_no_longer_offers_keeps_its_captures(quiet: Bench) -> None:
    quiet.run(weeks=[WEEK])
    quiet.world = evolve(QUIET, first_week=date(2025, 12, 5))

    report = quiet.run(weeks=[WEEK])

    assert [p.outcome for p in report.partitions] == [Outcome.SKIPPED] * 3
    assert report.readiness[0].is_ready


# What changed -----------------------------------------------------------------------------------------


def test_an_unchanged_partition_is_fetched_again_only_while_its_last_day_may_still_change(quiet: Bench) -> None:
    fetched: list[Partition] = []

    @define
    class Watched(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            fetched.append(partition)
            return super().fetch(partition, expected)

    published = datetime(2025, 12, 29, 15, 30, tzinfo=MONDAY_MORNING.tzinfo)
    fetches = []
    for hours in (0, 1, 24, 48):
        quiet.clock.now = published + timedelta(hours=hours)
        fetched.clear()
        quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=Watched(quiet.world, quiet.clock))
        fetches.append(len(fetched))

    # At once; the same day, since the day is not over; the day after, to make sure; then never again.
    assert fetches == [1, 1, 1, 0]
    assert len(captures_of(quiet.store)) == 1


def test_a_reading_that_began_before_the_day_had_ended_is_not_trusted_however_late_it_ended(quiet: Bench) -> None:
    # Tuesday in New York, 22:50, when the first of two changes of that day is there; the second comes at 23:30.
    began = datetime(2026, 1, 7, 3, 50, tzinfo=MONDAY_MORNING.tzinfo)
    first = Restatement(OTC, began - timedelta(hours=5), changed=1)
    second = Restatement(OTC, began + timedelta(minutes=40), changed=1)
    quiet.world = with_events(first, second)
    quiet.clock.now = began

    @define
    class Slow(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            quiet.clock.forward(hours=2)
            return payload

    quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=Slow(quiet.world, quiet.clock))
    quiet.clock.forward(hours=8)
    report = quiet.run(weeks=[WEEK], tiers=[Tier.OTC])

    assert report.count(Outcome.INGESTED) == 1
    assert len(captures_of(quiet.store)) == 2


def test_another_content_on_the_same_run_date_is_a_revision_and_the_first_one_stays_readable(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=2))
    quiet.run(weeks=[WEEK])
    first = records_of(quiet.store, captures_of(quiet.store, OTC)[0])

    quiet.clock.forward(hours=2)
    report = quiet.run(weeks=[WEEK])

    captures = captures_of(quiet.store, OTC)
    assert [(c.capture_id, c.revision) for c in captures] == [
        ("finra.otc_transparency:OTC:2025-11-28:20260105", 1),
        ("finra.otc_transparency:OTC:2025-11-28:20260105", 2),
    ]
    assert outcome_of(report, OTC) is Outcome.INGESTED
    assert records_of(quiet.store, captures[0]) == first
    assert records_of(quiet.store, captures[1]) != first


def test_a_second_run_on_the_same_day_stores_nothing(quiet: Bench) -> None:
    quiet.run()
    before = everything(quiet.store)

    report = quiet.run()

    after = everything(quiet.store)
    assert report.count(Outcome.SKIPPED) == 20
    assert [c.number for c in after["captures"]] == [c.number for c in before["captures"]]
    assert after["analyses"] == before["analyses"]


def test_a_change_that_the_version_does_not_show_is_found_by_verify_and_warned_about(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1, silent=True))
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=3)

    unseen = quiet.run(weeks=[WEEK])
    verified = quiet.run(weeks=[WEEK], verify=True)

    assert unseen.count(Outcome.INGESTED) == 0
    assert outcome_of(verified, OTC) is Outcome.INGESTED
    assert verified.anomalies["WARN"] == 1
    assert [a.category for a in anomalies_of(quiet.store, Severity.WARN)] == [Category.SILENT_REVISION]


def test_a_withdrawn_row_is_gone_from_the_newest_capture_and_there_in_the_one_before(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=0, withdrawn=2))
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)
    quiet.run(weeks=[WEEK])

    before, after = captures_of(quiet.store, OTC)
    assert len(records_of(quiet.store, before)) - len(records_of(quiet.store, after)) == 2


def test_force_stores_a_new_capture_of_unchanged_content_with_its_reason(quiet: Bench) -> None:
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=10)

    report = quiet.run(weeks=[WEEK], force=True, reason="audit 7")

    assert report.count(Outcome.INGESTED) == 3
    assert [c.reason for c in captures_of(quiet.store, OTC)] == [
        "No prior capture found (first ingest)",
        "Forced: audit 7",
    ]


# Who fails --------------------------------------------------------------------------------------------


def test_a_failing_partition_does_not_stop_the_others(quiet: Bench) -> None:
    quiet.outages = (Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + timedelta(hours=1), 503),)

    report = quiet.run()

    assert report.count(Outcome.FAILED) == 1
    assert report.count(Outcome.INGESTED) == 19
    assert report.exit_code == 1


def test_a_source_that_does_not_answer_at_all_fails_every_partition_and_not_the_run(quiet: Bench) -> None:
    quiet.outages = (Outage(None, MONDAY_MORNING, MONDAY_MORNING + timedelta(hours=1), 503),)

    report = quiet.run()

    assert report.count(Outcome.FAILED) == 20
    assert report.anomalies["ERROR"] == 20
    assert report.exit_code == 1


def test_an_unexpected_exception_in_one_partition_is_that_partitions_error(quiet: Bench) -> None:
    @define
    class Buggy(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            if partition == OTC:
                raise ZeroDivisionError("a bug")
            return super().fetch(partition, expected)

    report = quiet.run(weeks=[WEEK], source=Buggy(quiet.world, quiet.clock))

    assert outcome_of(report, OTC) is Outcome.FAILED
    assert report.count(Outcome.INGESTED) == 2
    [error] = anomalies_of(quiet.store, Severity.ERROR)
    assert error.category is Category.PIPELINE_ERROR
    assert error.message == "ZeroDivisionError: a bug"


def test_a_payload_with_fewer_rows_than_the_source_counts_is_refused(quiet: Bench) -> None:
    @define
    class Truncating(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            return evolve(payload, documents=[payload.documents[0].rsplit(b"\n", 2)[0]])

    report = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=Truncating(quiet.world, quiet.clock))

    assert report.partitions[0].outcome is Outcome.FAILED
    assert report.partitions[0].reason.startswith("not whole: ")
    assert captures_of(quiet.store) == []


def test_a_payload_of_another_week_is_refused(quiet: Bench) -> None:
    @define
    class Confused(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            return super().fetch(Partition(partition.week_ending - timedelta(weeks=1), partition.tier), expected)

    report = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=Confused(quiet.world, quiet.clock))

    assert report.partitions[0].outcome is Outcome.FAILED
    assert "weekStartDate is '2025-11-17' where '2025-11-24' is asked for" in report.partitions[0].reason


@define
class Mangling(SimulatorSource):
    """Spoils each document of OTC by replacing `old` with `new`, once."""

    old: bytes = b""
    new: bytes = b""

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        if partition.tier is not Tier.OTC:
            return payload
        return evolve(payload, documents=[d.replace(self.old, self.new, 1) for d in payload.documents])


def test_a_bad_row_is_kept_with_its_reason_and_its_week_is_not_ready_until_it_is_mended(quiet: Bench) -> None:
    spoilt = Mangling(quiet.world, quiet.clock, old=b"|2025-12-29\n", new=b"|soon\n")

    report = quiet.run(weeks=[WEEK], source=spoilt)

    [capture] = captures_of(quiet.store, OTC)
    with quiet.store.read() as view:
        [reject] = view.rejects(capture)
    assert reject.reason == "lastUpdateDate 'soon' is not a date"
    assert len(records_of(quiet.store, capture)) == capture.row_count - 1
    assert report.exit_code == 0
    assert report.anomalies["WARN"] == 1
    assert issues_of(report.readiness[0]) == [f"OTC: 1 row rejected in {capture.capture_id}"]

    quiet.clock.forward(days=1)
    assert quiet.run(weeks=[WEEK], verify=True).readiness[0].is_ready


def test_a_capture_without_a_usable_row_fails_its_partition_until_a_better_one_comes(quiet: Bench) -> None:
    @define
    class Garbled(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            return evolve(payload, documents=[payload.documents[0].replace(b"|2025-12-29\n", b"|never\n")])

    garbled = Garbled(quiet.world, quiet.clock)
    first = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=garbled)
    again = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], source=garbled)
    quiet.clock.forward(days=1)
    mended = quiet.run(weeks=[WEEK], tiers=[Tier.OTC], verify=True)

    assert [first.exit_code, again.exit_code, mended.exit_code] == [1, 1, 0]
    assert len(captures_of(quiet.store)) == 2
    assert anomalies_of(quiet.store, Severity.ERROR) == []


def test_a_store_that_fails_ends_the_run(quiet: Bench) -> None:
    class FullDisk(StandIn):
        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            raise StoreError("disk full")
            yield

    with pytest.raises(StoreError, match="disk full"):
        quiet.run(store=FullDisk(quiet.store))


@pytest.mark.parametrize("committed", [False, True], ids=["before its commit", "after its commit"])
def test_a_transaction_that_the_database_breaks_off_is_done_again(quiet: Bench, committed: bool) -> None:
    class BreaksOff(StandIn):
        """Every transaction is broken off once; whether it was committed, only the store knows."""

        breaks = False

        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            self.breaks = breaks = not self.breaks
            with self.store.write(scope) as unit:
                yield unit
                if breaks and not committed:
                    raise StoreInterruptedError("the connection was lost")
            if breaks:
                raise StoreInterruptedError("the connection was lost")

    report = quiet.run(store=BreaksOff(quiet.store))

    undisturbed = Bench(open_store("memory:"), QUIET)
    assert report.partitions == tuple(evolve(p, stages=ANY) for p in undisturbed.run().partitions)
    assert contents(quiet.store) == contents(undisturbed.store)
    decided = [decision.partition for decision in everything(quiet.store)["decisions"]]
    assert len(decided) == len(set(decided)) == len(report.partitions)


def test_a_transaction_that_is_broken_off_again_and_again_ends_the_run(quiet: Bench) -> None:
    class Hopeless(StandIn):
        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            with self.store.write(scope) as unit:
                yield unit
                if scope != Scope():
                    raise StoreInterruptedError("deadlock")

    with pytest.raises(StoreInterruptedError, match="deadlock"):
        quiet.run(store=Hopeless(quiet.store))
    assert captures_of(quiet.store) == []


# Readiness --------------------------------------------------------------------------------------------


def test_a_restatement_unreadies_its_week_until_it_is_analyzed_again(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1))
    quiet.run(weeks=[WEEK])
    quiet.clock.forward(days=1)
    seen: list[bool] = []
    ingested = When(
        PhaseStarted,
        {"phase": Phase.NORMALIZATION},
        lambda: seen.append(readiness_of(quiet.store)[WEEK].is_ready),
    )

    report = quiet.run(weeks=[WEEK], observers=[ingested])

    assert seen == [False]
    assert report.readiness[0].is_ready


def test_a_use_that_does_not_need_a_tier_is_not_withdrawn_when_it_is_restated(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(T1, MONDAY_MORNING + timedelta(hours=1), changed=1))
    policies = (Policy(name="trading"), Policy(name="pink sheets", tiers=(Tier.OTC,)))
    quiet.run(weeks=[WEEK], policies=policies)
    quiet.clock.forward(days=1)
    seen: list[bool] = []
    ingested = When(
        PhaseStarted,
        {"phase": Phase.NORMALIZATION},
        lambda: seen.extend(readiness_of(quiet.store, use)[WEEK].is_ready for use in ("trading", "pink sheets")),
    )

    quiet.run(weeks=[WEEK], policies=policies, observers=[ingested])

    assert seen == [False, True]
    assert [readiness_of(quiet.store, use)[WEEK].is_ready for use in ("trading", "pink sheets")] == [True, True]


def test_a_run_on_one_tier_does_not_complain_of_the_others(quiet: Bench) -> None:
    report = quiet.run(weeks=[WEEK], tiers=[Tier.OTC])

    assert report.anomalies["WARN"] == 0
    assert issues_of(report.readiness[0]) == ["Missing tier: NMS_TIER_1", "Missing tier: NMS_TIER_2"]


@pytest.mark.parametrize("scope", [Scope.partition(OTC), Scope.week(WEEK)], ids=["of a tier", "of the week"])
def test_an_open_critical_anomaly_blocks_its_week(quiet: Bench, scope: Scope) -> None:
    critical = Anomaly(Severity.CRITICAL, Category.PIPELINE_ERROR, scope, Stage.CALC, "an auditor's veto")
    with quiet.store.write(Scope()) as unit:
        record_checks(unit, [Check(scope, Stage.CALC, (critical,))], quiet.clock())

    report = quiet.run(weeks=[WEEK])

    assert not report.readiness[0].no_critical_anomalies
    assert issues_of(report.readiness[0]) == ["1 unresolved CRITICAL anomaly"]


# The whole --------------------------------------------------------------------------------------------


def test_week_by_week_ends_where_stage_by_stage_does(quiet: Bench) -> None:
    quiet.run()
    other = Bench(open_store("memory:"), QUIET)
    other.run(order="chained")

    assert contents(other.store) == contents(quiet.store)


def test_threads_end_where_a_single_thread_does(quiet: Bench) -> None:
    threaded = Scheduler(source=quiet.source, store=quiet.store, clock=quiet.clock).run(RunRequest(workers=8))
    other = Bench(open_store("memory:"), QUIET)
    serial = other.run()

    assert contents(quiet.store) == contents(other.store)
    assert threaded.partitions == serial.partitions


def test_the_report_survives_json(quiet: Bench) -> None:
    quiet.outages = (Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + timedelta(hours=1), 503),)
    report = quiet.run()

    assert RunReport.from_json(report.to_json()) == report
    assert everything(quiet.store)["runs"][0].report_json == report.to_json()


@pytest.mark.parametrize("order", ["phased", "chained"])
def test_what_an_earlier_run_left_is_finished_even_outside_the_weeks_asked_for(quiet: Bench, order: str) -> None:
    def stop() -> None:
        raise ProcessDiedError

    with pytest.raises(ProcessDiedError):
        quiet.run(weeks=[WEEK], observers=[When(PhaseStarted, {"phase": Phase.NORMALIZATION}, stop)])
    quiet.run(weeks=[WEEK - timedelta(weeks=1), WEEK - timedelta(weeks=2)], order=order)

    assert readiness_of(quiet.store)[WEEK].is_ready


def test_an_older_content_never_replaces_what_another_run_stored_meanwhile(quiet: Bench) -> None:
    quiet.world = with_events(Restatement(OTC, MONDAY_MORNING + timedelta(hours=1), changed=1))
    slow = Bench(quiet.store, quiet.world, Clock())

    @define
    class Overtaken(SimulatorSource):
        """While this run has its old content in hand, another one captures the restated content."""

        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            payload = super().fetch(partition, expected)
            quiet.clock.forward(hours=2)
            quiet.run(weeks=[WEEK], tiers=[Tier.OTC])
            return payload

    report = slow.run(weeks=[WEEK], tiers=[Tier.OTC], source=Overtaken(slow.world, slow.clock))

    assert report.partitions[0].outcome is Outcome.SKIPPED
    assert len(captures_of(quiet.store)) == 1
    assert quiet.run(weeks=[WEEK], tiers=[Tier.OTC]).count(Outcome.INGESTED) == 0


@define
class Archive(SimulatorSource):
    """What a folder is: a fixed collection, some of it unusable."""

    problems: tuple[SourceError, ...] = ()
    info: SourceInfo = field(factory=lambda: SourceInfo(label="files", kind=SourceKind.ARCHIVE))

    def list_partitions(self) -> Listing:
        weeks = (date(2025, 10, 3), date(2025, 10, 10))
        return Listing(frozenset(Partition(week, Tier.OTC) for week in weeks), self.problems)


def test_an_archive_is_taken_whole_unless_a_window_is_asked_for(quiet: Bench) -> None:
    archive = Archive(quiet.world, quiet.clock)

    whole = quiet.run(source=archive)
    windowed = quiet.run(source=archive, lookback_weeks=1, tiers=[Tier.OTC])

    assert [(p.week_ending.isoformat(), p.outcome) for p in whole.partitions] == [
        ("2025-10-10", Outcome.INGESTED),
        ("2025-10-03", Outcome.INGESTED),
    ]
    assert [p.week_ending.isoformat() for p in windowed.partitions] == ["2025-12-05"]


def test_what_a_source_holds_but_cannot_offer_is_an_error_of_the_run(quiet: Bench) -> None:
    lost = SourceDataError("a.csv names no week")
    known = SourceUnavailableError("b.csv: unreadable", partition=OTC)
    archive = Archive(quiet.world, quiet.clock, problems=(lost, known))

    report = quiet.run(source=archive)

    assert report.problems == ("a.csv names no week",)
    assert outcome_of(report, OTC) is Outcome.FAILED
    assert report.anomalies["ERROR"] == 2
    assert report.exit_code == 1


def test_a_problem_of_a_partition_that_was_not_asked_for_is_none_of_the_runs(quiet: Bench) -> None:
    known = SourceUnavailableError("b.csv: unreadable", partition=OTC)

    archive = Archive(quiet.world, quiet.clock, problems=(known,))
    report = quiet.run(source=archive, weeks=[date(2025, 10, 3)], tiers=[Tier.OTC])

    assert report.problems == ()
    assert report.exit_code == 0


def test_a_run_that_ended_in_an_error_leaves_no_step_behind_on_the_callers_executor(quiet: Bench) -> None:
    fetched: list[Partition] = []

    @define
    class Counting(SimulatorSource):
        def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
            fetched.append(partition)
            return super().fetch(partition, expected)

    class FullDisk(StandIn):
        @contextmanager
        def write(self, scope: Scope) -> Iterator[UnitOfWork]:
            if scope != Scope():
                raise StoreError("disk full")
            with self.store.write(scope) as unit:
                yield unit

    source = Counting(quiet.world, quiet.clock)
    with ThreadPoolExecutor(1) as executor:
        scheduler = Scheduler(source=source, store=FullDisk(quiet.store), executor=executor, clock=quiet.clock)
        with pytest.raises(StoreError, match="disk full"):
            scheduler.run()
        when_it_ended = len(fetched)

    assert len(fetched) == when_it_ended


def test_an_executor_of_the_callers_is_used_and_left_open(quiet: Bench) -> None:
    class Counting(SerialExecutor):
        submitted = 0

        def submit(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            Counting.submitted += 1
            return super().submit(*args, **kwargs)  # type: ignore[arg-type]

        def shutdown(self, *_args: object, **_kwargs: object) -> None:
            raise AssertionError("not ours to shut down")

    Scheduler(source=quiet.source, store=quiet.store, executor=Counting(), clock=quiet.clock).run()

    assert Counting.submitted == 61  # one that goes ahead, 20 probes, 20 fetches, 20 normalizations
