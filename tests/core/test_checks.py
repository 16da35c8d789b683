"""What checks make of the anomalies known so far: four rules of one function."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from attrs import evolve

from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Check, Severity, Stage, settle
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier

OTC = Scope.partition(Partition(date(2025, 12, 26), Tier.OTC))
LATE = Anomaly(Severity.WARN, Category.LATE, OTC, Stage.RAW, "late: was due on 2026-01-26")
DOWN = Anomaly(Severity.ERROR, Category.SOURCE_UNAVAILABLE, OTC, Stage.RAW, "API fetch failed (HTTP 503)")
MONDAY = datetime(2026, 2, 2, 15, tzinfo=timezone.utc)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = TUESDAY + timedelta(days=1)


def found(*anomalies: Anomaly) -> Check:
    return Check(OTC, Stage.RAW, anomalies)


def opened(anomaly: Anomaly = LATE) -> AnomalyRecord:
    [record] = settle([found(anomaly)], [], MONDAY)
    return record


def test_a_finding_is_opened() -> None:
    assert opened() == AnomalyRecord(
        fingerprint=LATE.fingerprint, anomaly=LATE, first_seen=MONDAY, last_seen=MONDAY, occurrences=1
    )


def test_found_again_it_is_renewed_with_what_is_found_now() -> None:
    worse = evolve(LATE, severity=Severity.ERROR, message="very late")
    [record] = settle([found(worse)], [opened()], TUESDAY)
    assert record == evolve(opened(), anomaly=worse, last_seen=TUESDAY, occurrences=2)


def test_what_a_passing_check_does_not_find_is_resolved_once() -> None:
    [record] = settle([found()], [opened()], TUESDAY)
    assert record == evolve(opened(), resolved_at=TUESDAY)
    assert settle([found()], [record], WEDNESDAY) == []


def test_what_comes_back_is_reopened() -> None:
    resolved = evolve(opened(), resolved_at=TUESDAY)
    [record] = settle([found(LATE)], [resolved], WEDNESDAY)
    assert record == evolve(opened(), last_seen=WEDNESDAY, occurrences=2)


def test_a_check_resolves_nothing_of_another_subject_or_stage() -> None:
    other = Scope.partition(Partition(date(2025, 12, 26), Tier.NMS_TIER_1))
    assert settle([Check(other, Stage.RAW), Check(OTC, Stage.CALC)], [opened()], TUESDAY) == []


def test_a_check_resolves_only_what_it_looks_for() -> None:
    veto = opened(evolve(LATE, severity=Severity.CRITICAL, category=Category.PIPELINE_ERROR, message="a veto"))
    passing = Check(OTC, Stage.RAW, looks_for=frozenset({Category.LATE}))
    assert [r.fingerprint for r in settle([passing], [veto, opened()], TUESDAY)] == [LATE.fingerprint]


def test_one_of_two_findings_that_is_gone_is_resolved_and_the_other_renewed() -> None:
    records = settle([found(DOWN)], [opened(), opened(DOWN)], TUESDAY)
    assert {r.fingerprint: r.is_open for r in records} == {LATE.fingerprint: False, DOWN.fingerprint: True}


def test_of_two_checks_of_one_subject_the_later_has_the_last_word() -> None:
    [record] = settle([found(LATE), found()], [], MONDAY)
    assert not record.is_open


def test_of_findings_with_one_fingerprint_the_worst_stays() -> None:
    worse = evolve(LATE, severity=Severity.ERROR)
    [record] = settle([found(worse, LATE)], [], MONDAY)
    assert record.anomaly.severity is Severity.ERROR


ACKNOWLEDGED = Acknowledgment("known", MONDAY)


def test_an_acknowledgment_stays_while_the_facts_are_the_same() -> None:
    [record] = settle(
        [found(evolve(LATE, message="otherwise put"))], [evolve(opened(), acknowledged=ACKNOWLEDGED)], TUESDAY
    )
    assert record.acknowledged == ACKNOWLEDGED


def test_other_facts_are_news_that_nobody_has_acknowledged() -> None:
    news = evolve(LATE, details={"days": 9})
    [record] = settle([found(news)], [evolve(opened(), acknowledged=ACKNOWLEDGED)], TUESDAY)
    assert record.acknowledged is None


def test_what_comes_back_is_news_too() -> None:
    resolved = evolve(opened(), acknowledged=ACKNOWLEDGED, resolved_at=TUESDAY)
    [record] = settle([found(LATE)], [resolved], WEDNESDAY)
    assert record.acknowledged is None


def test_an_acknowledgment_holds_through_its_last_day() -> None:
    record = evolve(opened(), acknowledged=Acknowledgment("known", MONDAY, date(2026, 2, 5)))
    held = [record.is_acknowledged(date(2026, 2, 4) + timedelta(days=i)) for i in range(3)]
    assert held == [True, True, False]
    assert evolve(record, acknowledged=ACKNOWLEDGED).is_acknowledged(date(2099, 1, 1))
    assert not opened().is_acknowledged(date(2026, 2, 4))
