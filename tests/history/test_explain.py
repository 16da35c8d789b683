"""Why a week of a tier stands as it does: hand-made histories between the simulated FINRA and every store."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from finra_core import (
    Action,
    AnomalyQuery,
    Category,
    Half,
    Partition,
    Policy,
    Rule,
    Severity,
    Tier,
    acknowledge,
    record_anomaly,
)
from finra_core.domain.anomalies import Stage
from finra_core.history.explain import Explanation, Next, explain
from finra_simulator import Delay, LateHalf, Outage, Restatement, World
from support.harness import MONDAY_MORNING, Bench, ProcessDiedError
from support.priced import DiesBefore

OTC = Partition(date(2025, 11, 14), Tier.OTC)
PUBLISHED = date(2025, 12, 15)
"""35 days after its Monday, 2025-11-10."""


def small(**changed: object) -> World:
    return World(symbols=3, ats=2, firms=2, restatement_rate=0.0, **changed)  # type: ignore[arg-type]


def explained(bench: Bench, partition: Partition = OTC, **asked: object) -> Explanation:
    with bench.store.read() as view:
        return explain(view, partition, bench.clock().date(), **asked)  # type: ignore[arg-type]


def daily(bench: Bench, runs: int, partition: Partition = OTC) -> None:
    for _ in range(runs):
        bench.run(weeks=(partition.week_ending,), tiers=(partition.tier,))
        bench.clock.forward(days=1)


def spans(found: Explanation) -> list[tuple[str, str, int]]:
    return [(str(span.decision.action), str(span.decision.rule), span.count) for span in found.decisions]


def test_of_a_week_that_nobody_asked_for_there_is_its_calendar_alone(bench: Bench) -> None:
    found = explained(bench)

    assert (found.publication.due_on, found.publication.late_after) == (PUBLISHED, date(2025, 12, 18))
    assert found.publication.first_at is found.publication.absent_at is found.publication.dated is None
    assert not [*found.decisions, *found.captures, *found.anomalies, *found.judgments]
    assert found.next == Next(action="finra run --weeks 2025-11-14 --tiers OTC asks for it", on=date(2026, 1, 5))


def test_a_week_waits_for_its_day_then_for_the_days_of_grace_then_it_is_asked_for(bench: Bench) -> None:
    bench.clock.now = datetime(2025, 12, 12, 12, tzinfo=timezone.utc)
    bench.world = small(events=(Delay(OTC, bench.clock.now + timedelta(days=20)),))
    bench.run(weeks=(OTC.week_ending,))
    assert explained(bench).next == Next(action="wait for FINRA's publication", on=PUBLISHED)
    bench.clock.forward(days=3)
    bench.run(weeks=(OTC.week_ending,))
    found = explained(bench)
    assert spans(found) == [("wait", "not_there_yet", 1), ("wait", "not_due", 1)]
    assert found.next.action == "finra run looks again each time; it is late after 2025-12-18"
    assert found.publication.absent_at == bench.clock()
    assert explained(bench, grace_days={Tier.OTC: 10}).publication.late_after == date(2025, 12, 25)
    bench.clock.forward(days=4)
    assert explained(bench).next == Next(
        action="finra run --weeks 2025-11-14 --tiers OTC asks for it", on=date(2025, 12, 19)
    )


def test_long_runs_of_equal_decisions_are_one_with_their_number_and_their_days(bench: Bench) -> None:
    change = MONDAY_MORNING + timedelta(days=4, hours=-2)
    bench.world = small(events=(Restatement(OTC, change, changed=1),))
    daily(bench, 9)

    found = explained(bench)

    # On the day of the change FINRA's date cannot tell whether it will change again: the content is compared once more.
    assert spans(found) == [
        ("skip", "version_unchanged", 3),
        ("skip", "content_unchanged", 1),
        ("ingest", "version_changed", 1),
        ("skip", "version_unchanged", 3),
        ("ingest", "first_capture", 1),
    ]
    skips = found.decisions[3]
    assert (skips.first_at.date(), skips.last_at.date()) == (date(2026, 1, 6), date(2026, 1, 8))
    assert skips.reason == "Source unchanged since 2025-12-15"
    assert skips.decision.evidence.latest is not None
    assert skips.decision.evidence.latest.capture_id == "finra.otc_transparency:OTC:2025-11-14:20260105"
    assert len(set(skips.run_ids)) == 3
    assert sum(span.count for span in found.decisions) == 9
    assert found.publication.absent_at is None


def test_captures_have_their_stages_and_what_they_cover(bench: Bench) -> None:
    bench.world = small(events=(Restatement(OTC, MONDAY_MORNING + timedelta(hours=2), changed=0, withdrawn=1),))
    daily(bench, 2)

    found = explained(bench)

    rows = [len(bench.world.rows(OTC, at)) for at in (MONDAY_MORNING, bench.clock())]
    assert [state.capture.row_count for state in found.captures] == rows == [rows[0], rows[0] - 1]
    assert all(state.stages == (Stage.RAW, Stage.NORMALIZED, Stage.CALC) for state in found.captures)
    for state, at in zip(found.captures, (MONDAY_MORNING, bench.clock()), strict=True):
        is_ats = [row.summary_type == "ATS_W_SMBL_FIRM" for row in bench.world.rows(OTC, at)]
        assert {h.half: h.rows for h in state.capture.coverage} == {
            Half.ATS: sum(is_ats),
            Half.NON_ATS: len(is_ats) - sum(is_ats),
        }
    assert found.publication.dated == PUBLISHED
    assert found.publication.first_at == found.captures[0].capture.captured_at


@pytest.mark.parametrize(
    ("method", "stages"),
    [("put_records", (Stage.RAW,)), ("put_analysis", (Stage.RAW, Stage.NORMALIZED))],
)
def test_a_run_that_was_killed_between_the_stages_shows_in_them_and_a_run_is_next(
    bench: Bench, method: str, stages: tuple[Stage, ...]
) -> None:
    bench.world = small()
    with pytest.raises(ProcessDiedError):
        bench.run(store=DiesBefore(bench.store, method), weeks=(OTC.week_ending,))

    found = explained(bench, Partition(OTC.week_ending, Tier.NMS_TIER_1))

    assert found.captures[0].stages == stages
    assert found.next == Next(action="finra run --weeks 2025-11-14 finishes it", on=date(2026, 1, 5))
    assert not found.judgments
    daily(bench, 1)
    assert explained(bench).next == Next(action="nothing to do: the week is ready for every use", on=None)


def test_a_half_that_is_late_blocks_the_week_until_it_comes(bench: Bench) -> None:
    bench.world = small(events=(LateHalf(OTC, MONDAY_MORNING + timedelta(days=2)),))
    bench.run(weeks=(OTC.week_ending,))

    found = explained(bench)
    assert found.readiness[0].blocking_issues[0].message.startswith("OTC: the NON_ATS half")
    assert "with a source that has both halves" in found.next.action

    bench.clock.forward(days=3)
    bench.run(weeks=(OTC.week_ending,))
    assert explained(bench).next.on is None


def test_a_failure_is_next_until_it_is_mended_and_stays_in_the_anomalies_as_resolved(bench: Bench) -> None:
    bench.world = small()
    bench.outages = (Outage(OTC, MONDAY_MORNING, MONDAY_MORNING + timedelta(days=2, hours=1)),)
    daily(bench, 3)

    found = explained(bench)
    assert spans(found) == [("fail", "source_failed", 3)]
    (failure,) = found.anomalies
    assert (failure.is_open, failure.occurrences, failure.anomaly.severity) == (True, 3, Severity.ERROR)
    assert found.next.action == "finra run --weeks 2025-11-14 --tiers OTC tries it again"

    acknowledge(bench.store, failure.fingerprint, "FINRA knows", bench.clock())
    assert explained(bench).next.action == "finra run --weeks 2025-11-14 --tiers OTC asks for it"

    daily(bench, 1)
    after = explained(bench)
    (mended,) = [each for each in after.anomalies if each.fingerprint == failure.fingerprint]
    assert mended.resolved_at is not None
    assert after.next.action.startswith("nothing for this tier; of the week: Missing tier: NMS_TIER_1")


def test_an_acknowledged_finding_is_shown_with_its_reason_and_blocks_no_more(bench: Bench) -> None:
    bench.world = small()
    bench.run(weeks=(OTC.week_ending,))
    found = record_anomaly(
        bench.store,
        severity=Severity.WARN,
        category=Category.PARTIAL_COVERAGE,
        message="half of the venues are gone",
        week_ending=OTC.week_ending,
        tier=OTC.tier,
        stage=Stage.CALC,
        at=bench.clock(),
    )
    assert "finra anomalies ack" in explained(bench).next.action

    acknowledge(bench.store, found.fingerprint, "two ATSs closed", bench.clock())

    (known,) = [each for each in explained(bench).anomalies if each.anomaly.category is Category.PARTIAL_COVERAGE]
    assert known.acknowledged is not None
    assert known.acknowledged.reason == "two ATSs closed"
    assert explained(bench).next == Next(action="nothing to do: the week is ready for every use", on=None)


def test_readiness_is_told_for_every_use_and_judgments_are_those_of_runs(bench: Bench) -> None:
    alone = Policy(name="otc", tiers=(Tier.OTC,))
    bench.world = small()
    daily(bench, 1)
    bench.run(weeks=(OTC.week_ending,), policies=(alone,))

    found = explained(bench, policies=(alone, Policy(name="trading")))

    assert [(each.ready_for, each.is_ready) for each in found.readiness] == [("otc", True), ("trading", True)]
    judged = [(judgment.readiness.ready_for, judgment.readiness.is_ready) for judgment in found.judgments]
    assert {("otc", True), ("trading", False)} <= set(judged)
    assert [judgment.judged_at for judgment in found.judgments] == sorted(
        (judgment.judged_at for judgment in found.judgments), reverse=True
    )


def test_findings_about_other_tiers_and_weeks_are_not_shown_and_those_of_the_week_are(bench: Bench) -> None:
    subjects = [("OTC", OTC.week_ending), (None, OTC.week_ending), ("NMS_TIER_1", OTC.week_ending), ("OTC", None)]
    for tier, week in [*subjects, ("OTC", date(2025, 11, 21))]:
        record_anomaly(
            bench.store,
            severity=Severity.WARN,
            category=Category.BAD_DATA,
            message=f"{tier} {week}",
            week_ending=week,
            tier=tier,
            at=bench.clock(),
        )

    shown = {each.anomaly.message for each in explained(bench).anomalies}

    assert shown == {"OTC 2025-11-14", "None 2025-11-14"}
    with bench.store.read() as view:
        assert len(view.anomalies(AnomalyQuery())) == 5


def test_what_a_decision_rests_on_is_told(bench: Bench) -> None:
    bench.world = small()
    bench.run(weeks=(OTC.week_ending,))
    bench.run(weeks=(OTC.week_ending,), force=True, reason="audit")

    forced, first = explained(bench).decisions

    assert (forced.decision.action, forced.decision.rule, forced.reason) == (
        Action.INGEST,
        Rule.FORCED,
        "Forced: audit",
    )
    version = bench.world.version(OTC, MONDAY_MORNING)
    assert forced.decision.evidence.version == first.decision.evidence.version == version
