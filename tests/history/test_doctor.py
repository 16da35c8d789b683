"""What a history lacks, and that the commands that are named mend it: on every store, against the simulated FINRA."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone

import pytest

from finra_core import (
    CaptureQuery,
    Partition,
    Scheduler,
    Tier,
    acknowledge,
)
from finra_core.history.doctor import Examination, LostWeeks, examine
from finra_core.history.gaps import GapKind, HistoryGap, Remedy, group, ranges
from finra_core.runs.heal import Healing, heal
from finra_core.runs.ledger import offered_from
from finra_core.runs.request import RunRequest
from finra_simulator import Delay, LateHalf, Outage, Restatement, SimulatorSource, World
from support.harness import Bench, ProcessDiedError, SerialExecutor
from support.priced import DiesBefore, Priced

NOW = datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)
T1, T2, OTC = Tier
WEEK = timedelta(weeks=1)
NOVEMBER = date(2025, 11, 14)
"""A week that is due in all tiers, and in the window of a default run on that day."""

Lacking = dict[tuple[str, str], str]


def small(**events: object) -> World:
    return World(symbols=2, ats=2, firms=2, restatement_rate=0.0, **events)  # type: ignore[arg-type]


def examination(bench: Bench) -> Examination:
    with bench.store.read() as view:
        return examine(view, bench.clock(), offered_from=offered_from(view))


def lacking(bench: Bench) -> Lacking:
    return {(str(gap.week_ending), gap.tier): str(gap.kind) for gap in examination(bench).gaps}


def commands(bench: Bench) -> list[str]:
    return [each.command for each in group(examination(bench).gaps)]


def mended(bench: Bench, *, source: SimulatorSource | None = None, max_bytes: int | None = None) -> Healing:
    used = source or bench.source
    scheduler = Scheduler(source=used, store=bench.store, executor=SerialExecutor(), clock=bench.clock)
    return heal(scheduler, used, group(examination(bench).gaps), RunRequest(), max_bytes=max_bytes)


def fridays(first: str, last: str) -> list[str]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [str(begin + i * WEEK) for i in range((end - begin).days // 7 + 1)]


def all_tiers(weeks: Collection[str], kind: GapKind) -> Lacking:
    return {(week, tier.value): str(kind) for week in weeks for tier in Tier}


def test_an_empty_store_and_one_after_a_daily_run_lack_nothing(bench: Bench) -> None:
    assert examination(bench) == Examination(begins=None, gaps=(), lost=())
    bench.world = small()
    bench.run()
    assert examination(bench) == Examination(begins=date(2025, 10, 31), gaps=(), lost=())


def test_a_hole_of_weeks_that_no_run_asked_for_is_one_command_and_weeks_before_the_first_are_no_gap(
    bench: Bench,
) -> None:
    bench.world = small()
    bench.run(weeks=(date(2025, 9, 5),))
    bench.run(weeks=(date(2025, 10, 17),), tiers=(OTC,))
    bench.run()

    hole = all_tiers(fridays("2025-09-12", "2025-10-24"), GapKind.NEVER_ASKED)
    del hole["2025-10-17", "OTC"]
    assert lacking(bench) == hole
    assert commands(bench) == [
        "finra run --weeks 2025-10-24",
        "finra run --weeks 2025-10-17 --tiers NMS_TIER_1,NMS_TIER_2",
        "finra run --weeks 2025-09-12..2025-10-10",
    ]

    healing = mended(bench)

    assert [each.command for each in healing.mended] == [
        "finra run --weeks 2025-10-24",
        "finra run --weeks 2025-10-17 --tiers NMS_TIER_1,NMS_TIER_2",
        "finra run --weeks 2025-09-12..2025-10-10",
    ]
    assert healing.exit_code == 0
    assert examination(bench) == Examination(begins=date(2025, 9, 5), gaps=(), lost=())


def test_days_of_grace_are_no_gap_and_after_them_a_week_is_late_until_finra_has_it(bench: Bench) -> None:
    late = Partition(NOVEMBER + 3 * WEEK, OTC)  # due on 2026-01-05, late after 2026-01-08
    bench.world = small(events=(Delay(late, NOW + timedelta(days=9)),))
    bench.run()
    bench.clock.forward(days=3)
    assert lacking(bench) == {}
    bench.clock.forward(days=1)

    (gap,) = examination(bench).gaps
    assert (gap.kind, gap.remedy, gap.command) == (GapKind.LATE, Remedy.WINDOW, "finra run")
    assert gap.message == "due on 2026-01-05, not there on 2026-01-05, when a run last asked"

    healing = mended(bench)
    assert (healing.exit_code, lacking(bench)) == (0, {("2025-12-05", "OTC"): "late"})
    bench.clock.forward(days=6)
    assert mended(bench).exit_code == 0
    assert ("2025-12-05", "OTC") not in lacking(bench)


def test_grace_days_are_those_of_the_settings(bench: Bench) -> None:
    bench.world = small(events=(Delay(Partition(NOVEMBER + 3 * WEEK, OTC), NOW + timedelta(days=30)),))
    bench.run()
    bench.clock.forward(days=5)
    with bench.store.read() as view:
        found = examine(view, bench.clock(), grace_days={OTC: 14})
    assert found.gaps == ()
    assert len(lacking(bench)) == 1


def test_a_late_week_that_has_left_the_window_is_asked_for_by_name(bench: Bench) -> None:
    late = Partition(NOVEMBER, OTC)
    bench.world = small(events=(Delay(late, NOW + timedelta(days=700)),))
    bench.run()
    bench.clock.forward(days=70)
    bench.run()

    (gap,) = [gap for gap in examination(bench).gaps if gap.week_ending == NOVEMBER]
    assert (gap.kind, gap.command) == (GapKind.LATE, "finra run --weeks 2025-11-14 --tiers OTC")


def test_an_outage_leaves_failures_that_a_later_run_mends(bench: Bench) -> None:
    bench.world = small()
    down = Partition(NOVEMBER, T2)
    bench.outages = (Outage(down, NOW, NOW + timedelta(days=1)),)
    assert bench.run().exit_code == 1

    (gap,) = examination(bench).gaps
    assert (gap.week_ending, gap.tier, gap.kind) == (NOVEMBER, "NMS_TIER_2", GapKind.FAILED)
    assert "HTTP 503" in gap.message
    assert gap.command == "finra run --weeks 2025-11-14 --tiers NMS_TIER_2"
    assert mended(bench).exit_code == 1
    assert lacking(bench) == {("2025-11-14", "NMS_TIER_2"): "failed"}

    bench.clock.forward(days=2)
    assert mended(bench).exit_code == 0
    assert lacking(bench) == {}


def test_a_source_that_was_down_as_a_whole_fails_every_week_even_without_a_capture(bench: Bench) -> None:
    bench.world = small()
    bench.outages = (Outage(None, NOW, NOW + timedelta(hours=1)),)
    bench.run(weeks=(NOVEMBER, NOVEMBER - WEEK))

    found = examination(bench)
    assert found.begins is None
    assert lacking(bench) == all_tiers(fridays("2025-11-07", "2025-11-14"), GapKind.FAILED)
    assert [each.command for each in group(found.gaps)] == ["finra run --weeks 2025-11-07..2025-11-14"]


def test_a_failure_that_a_person_knows_is_no_gap_until_the_acknowledgment_ends(bench: Bench) -> None:
    bench.world = small()
    bench.outages = (Outage(Partition(NOVEMBER, T2), NOW, NOW + timedelta(days=900)),)
    bench.run()
    (gap,) = examination(bench).gaps
    acknowledge(bench.store, str(gap.fingerprint), "FINRA knows", bench.clock(), until=date(2026, 1, 10))

    assert lacking(bench) == {}
    bench.clock.forward(days=7)
    assert lacking(bench)["2025-11-14", "NMS_TIER_2"] == "failed"


def test_a_week_that_finras_list_never_had_is_for_a_person_and_no_run_is_made_for_it(bench: Bench) -> None:
    bench.world = small(first_week=date(2025, 10, 31))
    bench.run()
    bench.run(weeks=(date(2025, 3, 7),), tiers=(OTC,))

    (gap,) = examination(bench).gaps
    assert (gap.kind, gap.remedy) == (GapKind.FAILED, Remedy.ACKNOWLEDGE)
    assert gap.command == f"finra anomalies ack {gap.fingerprint} --reason TEXT"
    healing = mended(bench)
    assert (healing.mended, healing.by_hand, healing.exit_code) == ((), (gap,), 0)


def test_weeks_that_the_list_lost_are_told_apart_and_those_that_it_may_lose_come_first(bench: Bench) -> None:
    bench.world = small(first_week=date(2025, 6, 6))
    bench.run(weeks=(date(2025, 6, 6),))
    bench.world = small(first_week=date(2025, 9, 5))  # FINRA's list has moved on
    bench.run()

    found = examination(bench)

    assert found.lost == (
        LostWeeks(first=date(2025, 6, 13), last=date(2025, 8, 29), tiers=("NMS_TIER_1", "NMS_TIER_2", "OTC")),
    )
    assert lacking(bench) == {
        **all_tiers(fridays("2025-09-05", "2025-09-26"), GapKind.SOON_NOT_OFFERED),
        **all_tiers(fridays("2025-10-03", "2025-10-24"), GapKind.NEVER_ASKED),
    }
    assert commands(bench) == ["finra run --weeks 2025-09-05..2025-09-26", "finra run --weeks 2025-10-03..2025-10-24"]
    assert mended(bench).exit_code == 0
    assert examination(bench).gaps == ()


@pytest.mark.parametrize(
    ("before", "kind", "tier"),
    [
        ("put_records", GapKind.NOT_NORMALIZED, "OTC"),
        ("put_analysis", GapKind.NOT_ANALYZED, "OTC"),
        ("put_judgments", GapKind.NOT_JUDGED, "ALL"),
    ],
)
def test_a_run_that_was_killed_between_the_stages_leaves_a_week_behind(
    bench: Bench, before: str, kind: GapKind, tier: str
) -> None:
    bench.world = small()
    with pytest.raises(ProcessDiedError):
        bench.run(store=DiesBefore(bench.store, before), weeks=(NOVEMBER,), tiers=(OTC,))

    gaps = [gap for gap in examination(bench).gaps if gap.week_ending == NOVEMBER and gap.tier in ("OTC", "ALL")]

    assert [(gap.kind, gap.tier) for gap in gaps] == [(kind, tier)]
    assert gaps[0].command == f"finra run --weeks 2025-11-14{' --tiers OTC' if tier == 'OTC' else ''}"
    mended(bench)
    assert lacking(bench) == {}


def test_a_restated_week_that_no_run_has_judged_again_could_be_ready_and_is_a_gap(bench: Bench) -> None:
    bench.world = small(events=(Restatement(Partition(NOVEMBER, OTC), NOW + timedelta(hours=3), changed=1),))
    bench.run()
    bench.clock.forward(days=1)
    with pytest.raises(ProcessDiedError):  # after the first call, which withdraws the judgments
        bench.run(store=DiesBefore(bench.store, "put_judgments", 1))

    assert lacking(bench) == {("2025-11-14", "ALL"): "not_judged"}
    mended(bench)
    assert lacking(bench) == {}


def test_a_week_without_analytics_across_tiers_is_behind_as_a_whole(bench: Bench) -> None:
    bench.world = small()
    with pytest.raises(ProcessDiedError):
        bench.run(store=DiesBefore(bench.store, "put_analysis", 3), weeks=(NOVEMBER,))

    assert {(g.tier, g.kind) for g in examination(bench).gaps if g.week_ending == NOVEMBER} == {
        ("ALL", GapKind.NOT_ANALYZED)
    }
    mended(bench)
    assert lacking(bench) == {}


def test_a_restated_week_and_a_late_half_are_no_gaps(bench: Bench) -> None:
    restated = Restatement(Partition(NOVEMBER, OTC), NOW + timedelta(hours=3), changed=1)
    bench.world = small(events=(restated, LateHalf(Partition(NOVEMBER, T2), NOW + timedelta(hours=4))))
    bench.run()
    assert lacking(bench) == {}  # the half that is not there yet keeps the week from being ready, and no run is behind
    bench.clock.forward(days=1)
    bench.run()
    with bench.store.read() as view:
        assert len(view.captures(CaptureQuery(partitions=frozenset({Partition(NOVEMBER, OTC)})))) == 2
        assert len(view.captures(CaptureQuery(partitions=frozenset({Partition(NOVEMBER, T2)})))) == 2
    assert lacking(bench) == {}


def test_a_content_that_was_not_compared_for_400_days_is_compared_by_verifying(bench: Bench) -> None:
    bench.world = small()
    bench.run(weeks=(NOVEMBER,))
    bench.clock.forward(days=400)
    unverified = {key for key, kind in lacking(bench).items() if kind == "never_verified"}
    assert unverified == set()
    bench.clock.forward(days=1)

    unverified = {key for key, kind in lacking(bench).items() if kind == "never_verified"}
    assert unverified == {("2025-11-14", tier.value) for tier in Tier}
    verify = [each for each in group(examination(bench).gaps) if each.kind is GapKind.NEVER_VERIFIED]
    assert [each.command for each in verify] == ["finra run --weeks 2025-11-14 --verify"]
    heal(bench.scheduler(), bench.source, verify, RunRequest())
    assert "never_verified" not in lacking(bench).values()


def test_what_finra_no_longer_offers_cannot_be_compared(bench: Bench) -> None:
    bench.world = small()
    bench.run(weeks=(NOVEMBER,))
    bench.clock.forward(days=500)
    with bench.store.read() as view:
        gone = dict.fromkeys(Tier, NOVEMBER + WEEK)
        gaps = examine(view, bench.clock(), offered_from=gone).gaps
    assert not [gap for gap in gaps if gap.kind is GapKind.NEVER_VERIFIED]


def test_healing_keeps_to_its_budget_and_says_what_it_left_out(bench: Bench) -> None:
    bench.world = small()
    bench.run(weeks=(date(2025, 10, 3),))
    bench.run()
    hole = fridays("2025-10-10", "2025-10-24")
    source = Priced(bench.source, bytes_each=1_000)

    healing = mended(bench, source=source, max_bytes=6_500)  # type: ignore[arg-type]  # two weeks of three tiers

    assert [each.command for each in healing.mended] == ["finra run --weeks 2025-10-17..2025-10-24"]
    assert [(str(each.week_ending), each.expected_bytes) for each in healing.left_out] == [("2025-10-10", 3_000)]
    assert healing.left_out[0].command == "finra run --weeks 2025-10-10"
    assert healing.exit_code == 0
    assert source.usage().bytes_received == 6_000
    assert lacking(bench) == all_tiers(hole[:1], GapKind.NEVER_ASKED)


def test_ranges_are_what_the_command_takes() -> None:
    weeks = [date(2025, 11, 14), date(2025, 11, 28), date(2025, 11, 7), date(2026, 1, 2), date(2025, 12, 26)]
    assert ranges(weeks) == "2025-11-07..2025-11-14,2025-11-28,2025-12-26..2026-01-02"


def test_groups_are_of_one_kind_in_neighboring_weeks_and_the_same_tiers() -> None:
    def gap(week: str, tier: str, kind: GapKind = GapKind.NEVER_ASKED) -> HistoryGap:
        return HistoryGap(week_ending=date.fromisoformat(week), tier=tier, kind=kind, message="m")

    gaps = [
        gap("2025-11-21", "OTC"),
        gap("2025-11-14", "OTC"),
        gap("2025-11-14", "NMS_TIER_1", GapKind.FAILED),
        gap("2025-11-07", "NMS_TIER_1"),
        gap("2025-11-07", "OTC"),
        gap("2025-10-24", "NMS_TIER_1"),
        gap("2025-10-24", "OTC"),
    ]
    assert [(str(each.kind), each.command) for each in group(gaps)] == [
        ("failed", "finra run --weeks 2025-11-14 --tiers NMS_TIER_1"),
        ("never_asked", "finra run --weeks 2025-11-14..2025-11-21 --tiers OTC"),
        ("never_asked", "finra run --weeks 2025-11-07 --tiers NMS_TIER_1,OTC"),
        ("never_asked", "finra run --weeks 2025-10-24 --tiers NMS_TIER_1,OTC"),
    ]
