"""What a store does with anomalies, with decisions, and with the ledger of runs."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import evolve

from finra_core.domain.anomalies import Acknowledgment, AnomalyRecord, Category, Detail, Severity, Stage
from finra_core.domain.captures import SourceVersion
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import ALL_TIERS, Tier
from finra_core.ports.store import AnomalyQuery, DecisionQuery, DecisionRecord, RunQuery, RunRecord, Store
from finra_core.testing.examples import (
    NEXT_WEEK,
    OTC,
    RUN_DATE,
    T1,
    T2,
    WEEK,
    anomaly,
    ask,
    at,
    decision_record,
    put_anomalies,
    put_decisions,
    put_runs,
    run_record,
    seen,
)
from finra_core.testing.store_fixtures import StoreFixtures

SCOPES = [
    Scope.partition(T1),
    Scope.week(WEEK),
    Scope.across_tiers(WEEK),
    Scope.at("2025/week 52.csv"),
    Scope(NEXT_WEEK, "OTC", 'a "quoted" Ä'),
    STORE,
]
"""Each kind of subject."""


class AnomaliesContract(StoreFixtures):
    """Anomalies are put and read. What opens, renews and resolves them is not asked here."""

    def test_an_anomaly_is_read_back_as_it_was(self, store: Store) -> None:
        """Open, seen several times, acknowledged until a day."""
        put = evolve(
            seen(anomaly(Severity.ERROR, Category.BAD_DATA)),
            last_seen=at(5),
            occurrences=3,
            acknowledged=Acknowledgment("known: 'FINRA' says so, Ä", at(4), date(2026, 3, 1)),
        )
        put_anomalies(store, put)
        assert _anomalies(store) == [put]

    def test_a_resolved_anomaly_is_read_back_as_it_was(self, store: Store) -> None:
        """And an acknowledgment without an end."""
        put = evolve(seen(anomaly()), resolved_at=at(9), acknowledged=Acknowledgment("for ever", at(1)))
        put_anomalies(store, put)
        assert _anomalies(store) == [put]

    @pytest.mark.parametrize("scope", SCOPES, ids=str)
    def test_an_anomaly_is_about_any_subject(self, store: Store, scope: Scope) -> None:
        """A partition, a week, a place in a source, the store."""
        put = seen(anomaly(scope=scope))
        put_anomalies(store, put)
        assert _anomalies(store) == [put]

    @pytest.mark.parametrize("severity", Severity)
    @pytest.mark.parametrize("stage", Stage)
    def test_severity_and_stage_are_kept(self, store: Store, severity: Severity, stage: Stage) -> None:
        """Any of them."""
        put = seen(anomaly(severity, stage=stage))
        put_anomalies(store, put)
        assert _anomalies(store) == [put]

    def test_details_keep_their_types(self, store: Store) -> None:
        """True is not 1, and 1 is not 1.0."""
        details: dict[str, Detail] = {
            "rows": 1,
            "share": 1.0,
            "whole": True,
            "name": "Ä\n'\"",
            "none": None,
            "big": 2**53 + 1,
        }
        put = seen(evolve(anomaly(), details=details))
        put_anomalies(store, put)
        found = _anomalies(store)[0].anomaly.details
        assert {name: (type(value), value) for name, value in found.items()} == {
            name: (type(value), value) for name, value in details.items()
        }

    def test_an_anomaly_takes_the_place_of_the_one_with_its_fingerprint(self, store: Store) -> None:
        """All of it, and no other's."""
        put_anomalies(store, seen(anomaly()), seen(anomaly(stage=Stage.CALC)))
        worse = evolve(anomaly(Severity.ERROR), message="still", details={"days": 2})
        again = evolve(seen(worse, 3), first_seen=at(0), occurrences=2)
        put_anomalies(store, again)
        assert _anomalies(store) == [again, seen(anomaly(stage=Stage.CALC))]

    def test_an_anomaly_is_stored_as_it_is_said(self, store: Store) -> None:
        """Counted down, resolved before it was seen: whether that makes sense is not the store's to know."""
        put_anomalies(store, evolve(seen(anomaly(), 5), occurrences=7, resolved_at=at(6)))
        odd = evolve(seen(anomaly(Severity.INFO), 2), occurrences=1, resolved_at=None)
        put_anomalies(store, odd)
        assert _anomalies(store) == [odd]

    def test_anomalies_are_latest_seen_first_then_by_fingerprint(self, store: Store) -> None:
        """Whatever the order in which they were put."""
        together = sorted((seen(anomaly(stage=stage), 1) for stage in Stage), key=lambda record: record.fingerprint)
        newer = seen(anomaly(category=Category.BAD_DATA), 2)
        put_anomalies(store, *reversed(together), newer)
        assert _anomalies(store) == [newer, *together]

    def test_anomalies_can_be_had_of_some_subjects(self, store: Store) -> None:
        """A week is another subject than its partitions."""
        put_anomalies(store, *(seen(anomaly(scope=scope)) for scope in SCOPES))
        found = _anomalies(store, AnomalyQuery(scopes=frozenset([SCOPES[1], SCOPES[3], STORE, Scope.partition(OTC)])))
        assert {record.anomaly.scope for record in found} == {SCOPES[1], SCOPES[3], STORE}

    def test_anomalies_can_be_had_of_some_weeks(self, store: Store) -> None:
        """Of their tiers too, and of all tiers together."""
        put_anomalies(store, *(seen(anomaly(scope=scope)) for scope in SCOPES))
        found = _anomalies(store, AnomalyQuery(weeks=frozenset([WEEK])))
        assert {record.anomaly.scope.tier for record in found} == {"NMS_TIER_1", None, ALL_TIERS}
        assert {record.anomaly.scope.week_ending for record in found} == {WEEK}

    def test_anomalies_can_be_had_by_fingerprint(self, store: Store) -> None:
        """One that is not there is left out."""
        put = [seen(anomaly(stage=stage)) for stage in Stage]
        put_anomalies(store, *put)
        wanted = frozenset([put[1].fingerprint, "0" * 16])
        assert _anomalies(store, AnomalyQuery(fingerprints=wanted)) == [put[1]]

    def test_anomalies_can_be_had_of_some_severities(self, store: Store) -> None:
        """As they are now, not as they were first found."""
        put_anomalies(store, *(seen(anomaly(severity, scope=SCOPES[i])) for i, severity in enumerate(Severity)))
        put_anomalies(store, seen(anomaly(Severity.CRITICAL, scope=SCOPES[3])))
        wanted = frozenset([Severity.CRITICAL, Severity.ERROR])
        found = _anomalies(store, AnomalyQuery(severities=wanted))
        assert {record.anomaly.scope for record in found} == {SCOPES[0], SCOPES[1], SCOPES[3]}

    def test_open_anomalies_can_be_had_alone(self, store: Store) -> None:
        """Acknowledged ones among them."""
        known = evolve(seen(anomaly(stage=Stage.RAW)), acknowledged=Acknowledgment("known", at(1)))
        put_anomalies(store, known, evolve(seen(anomaly(stage=Stage.CALC)), resolved_at=at(1)))
        assert _anomalies(store, AnomalyQuery(open_only=True)) == [known]

    @pytest.mark.parametrize(
        "query",
        [
            AnomalyQuery(scopes=frozenset()),
            AnomalyQuery(weeks=frozenset()),
            AnomalyQuery(fingerprints=frozenset()),
            AnomalyQuery(severities=frozenset()),
            AnomalyQuery(scopes=frozenset([Scope.partition(T1)]), weeks=frozenset([NEXT_WEEK])),
        ],
    )
    def test_anomalies_of_nothing_are_none(self, store: Store, query: AnomalyQuery) -> None:
        """Conditions must all hold, and an empty one holds for none."""
        put_anomalies(store, seen(anomaly()))
        assert _anomalies(store, query) == []


class LedgerContract(StoreFixtures):
    """Runs, and what they decided."""

    def test_a_decision_is_read_back_as_it_was(self, store: Store) -> None:
        """With all that it rests on."""
        version = SourceVersion(date(2026, 1, 12), 48_765)
        evidence = Evidence(
            latest=CaptureRef(number=7, capture_id="x:y", revision=2, content_hash="ab" * 32, version=version),
            version=SourceVersion(date(2026, 1, 13), 48_764),
            content_hash="cd" * 32,
            due=date(2026, 1, 20),
            offered_from=date(2025, 1, 3),
            offered_in="FINRA's list",
            note="forced: 'why', Ä",
        )
        put = evolve(decision_record(), decision=Decision(Action.INGEST, Rule.FORCED, evidence), reason="a, b\n'c'")
        put_decisions(store, put)
        assert _decisions(store) == [put]

    def test_a_decision_may_rest_on_little(self, store: Store) -> None:
        """On versions that count no rows, on a capture of which the source says none, or on nothing."""
        latest = CaptureRef(number=7, capture_id="x:y", revision=1, content_hash="ab" * 32, version=None)
        dated = Evidence(version=SourceVersion(date(2026, 1, 12), None))
        put = [
            evolve(decision_record(T1, 2), decision=Decision(Action.COMPARE, Rule.NO_VERSION, dated)),
            evolve(decision_record(T1, 1), decision=Decision(Action.WAIT, Rule.NOT_DUE)),
            evolve(decision_record(T1, 0), decision=Decision(Action.COMPARE, Rule.VERIFY, Evidence(latest=latest))),
        ]
        put_decisions(store, *put)
        assert _decisions(store) == put

    def test_decisions_are_latest_first(self, store: Store) -> None:
        """Of one instant the latest put first."""
        put = [decision_record(T1, 1), decision_record(T2, 5), decision_record(OTC, 1), decision_record(T2, 1)]
        put_decisions(store, *put[:3])
        put_decisions(store, *put[3:])
        assert _decisions(store) == [put[1], put[3], put[2], put[0]]

    def test_a_decision_taken_again_is_there_twice(self, store: Store) -> None:
        """They are a log."""
        put = [decision_record(), decision_record()]
        put_decisions(store, *put)
        assert _decisions(store) == put

    def test_decisions_can_be_had_of_one_run_and_of_one_partition(self, store: Store) -> None:
        """Both must hold."""
        put = [
            decision_record(T1, 0, run_id="a"),
            decision_record(T2, 1, run_id="a"),
            decision_record(T1, 2, run_id="b"),
        ]
        put_decisions(store, *put)
        assert _decisions(store, DecisionQuery(run_id="a")) == [put[1], put[0]]
        assert _decisions(store, DecisionQuery(partition=T1)) == [put[2], put[0]]
        assert _decisions(store, DecisionQuery(run_id="b", partition=T1)) == [put[2]]
        assert _decisions(store, DecisionQuery(run_id="c")) == []

    def test_decisions_can_be_had_of_weeks_and_the_latest_alone_of_each_partition(self, store: Store) -> None:
        """`weeks` and `newest` narrow what is asked for; a later put is later, of one instant too."""
        put = [
            decision_record(T1, 5, run_id="a"),
            decision_record(T2, 1, run_id="a"),
            decision_record(T1, 2, run_id="b"),
            decision_record(T2, 1, run_id="b"),
            decision_record(Partition(NEXT_WEEK, Tier.OTC), 3, run_id="b"),
        ]
        put_decisions(store, *put)
        week = frozenset({T1.week_ending})
        assert _decisions(store, DecisionQuery(weeks=week)) == [put[0], put[2], put[3], put[1]]
        assert _decisions(store, DecisionQuery(weeks=frozenset())) == []
        assert _decisions(store, DecisionQuery(newest=True)) == [put[0], put[4], put[3]]
        assert _decisions(store, DecisionQuery(weeks=week, newest=True)) == [put[0], put[3]]
        assert _decisions(store, DecisionQuery(run_id="b", weeks=week, newest=True)) == [put[2], put[3]]
        assert _decisions(store, DecisionQuery(newest=True, limit=1)) == [put[0]]

    def test_a_limit_keeps_the_newest_decisions_that_are_asked_for(self, store: Store) -> None:
        """Counted after the other conditions."""
        put = [decision_record(T1, 0), decision_record(T1, 1), decision_record(T2, 2)]
        put_decisions(store, *put)
        assert _decisions(store, DecisionQuery(limit=2)) == [put[2], put[1]]
        assert _decisions(store, DecisionQuery(partition=T1, limit=1)) == [put[1]]
        assert _decisions(store, DecisionQuery(limit=9)) == put[::-1]

    def test_runs_are_latest_started_first(self, store: Store) -> None:
        """Whatever the order in which they were put."""
        put_runs(store, *(run_record(name, minute) for name, minute in (("a", 1), ("b", 2), ("c", 0))))
        assert [run.run_id for run in _runs(store)] == ["b", "a", "c"]

    def test_a_run_that_was_killed_stays_unfinished_in_the_ledger(self, store: Store) -> None:
        """All that is known of it is its start."""
        put_runs(store, run_record("a"))
        assert _runs(store) == [run_record("a")]

    def test_a_run_takes_the_place_of_the_one_with_its_run_id(self, store: Store) -> None:
        """And of no other."""
        started, other = run_record("a", 0), run_record("b", 1)
        finished = evolve(
            started, finished_at=at(2), exit_code=1, report_json='{"b": 1.50, "a": "Ä"}', sweep_from=RUN_DATE
        )
        put_runs(store, started, other)
        put_runs(store, finished)
        assert _runs(store) == [other, finished]

    def test_a_run_date_is_not_the_day_of_its_start(self, store: Store) -> None:
        """Nor are they of one zone."""
        started = datetime(2026, 1, 20, 23, tzinfo=timezone(timedelta(hours=-5)))
        put = evolve(run_record(), started_at=started, run_date=date(2025, 12, 1), mode="dry-run")
        put_runs(store, put)
        assert _runs(store) == [put]

    def test_one_run_can_be_had(self, store: Store) -> None:
        """None where it is not there."""
        put_runs(store, run_record("a", 0), run_record("b", 1))
        assert _runs(store, RunQuery(run_id="a")) == [run_record("a", 0)]
        assert _runs(store, RunQuery(run_id="c")) == []

    def test_runs_that_swept_can_be_had_alone(self, store: Store) -> None:
        """The newest of them says where the next sweep begins."""
        put = [evolve(run_record(name, i), sweep_from=day) for i, (name, day) in enumerate(_SWEPT)]
        put_runs(store, *put)
        assert _runs(store, RunQuery(swept=True)) == [put[2], put[1]]
        assert _runs(store, RunQuery(swept=True, limit=1)) == [put[2]]

    def test_a_limit_keeps_the_newest_runs(self, store: Store) -> None:
        """By their start, not by their put."""
        put_runs(store, *(run_record(name, minute) for name, minute in (("a", 1), ("b", 2), ("c", 0))))
        assert [run.run_id for run in _runs(store, RunQuery(limit=2))] == ["b", "a"]


_SWEPT = [("a", None), ("b", date(2026, 1, 13)), ("c", date(2026, 1, 14)), ("d", None)]


def _anomalies(store: Store, query: AnomalyQuery | None = None) -> list[AnomalyRecord]:
    return ask(store, lambda view: view.anomalies(query) if query else view.anomalies())


def _decisions(store: Store, query: DecisionQuery | None = None) -> list[DecisionRecord]:
    return ask(store, lambda view: view.decisions(query) if query else view.decisions())


def _runs(store: Store, query: RunQuery | None = None) -> list[RunRecord]:
    return ask(store, lambda view: view.runs(query) if query else view.runs())
