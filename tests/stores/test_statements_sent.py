"""How many statements the stores send: what each costs grows with the distance to the server, whatever the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, cast

import pytest
from attrs import evolve
from sqlalchemy import event

from finra_core import open_store
from finra_core.domain.anomalies import Category
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import BlockingIssue, IssueKind
from finra_core.domain.records import Record, Security
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.doctor import examine
from finra_core.history.explain import explain
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    JudgmentQuery,
    Lock,
    ReadView,
    RestatementQuery,
    UnitOfWork,
)
from finra_core.testing.examples import (
    T1,
    UBSA,
    analysis_of,
    anomaly,
    ask,
    at,
    captures_of,
    decision_record,
    judgment,
    new_capture,
    payload,
    put_analysis,
    put_anomalies,
    put_capture,
    put_judgments,
    put_normalized,
    put_rows,
    row,
    run_record,
    seen,
    writing,
)
from finra_sql.store import SqlStore

WEEKS = [date(2020, 1, 3) + timedelta(weeks=i) for i in range(60)]
PARTITIONS = frozenset(Partition(week, tier) for week in WEEKS for tier in TIERS)
BLOCKED = BlockingIssue(IssueKind.MISSING_TIER, Tier.OTC, "Missing tier: OTC", "wait")


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    if store_url == "memory:":
        pytest.skip("a store in memory sends none")
    with open_store(store_url) as store:
        yield cast("SqlStore", store)


@contextmanager
def statements(store: SqlStore) -> Iterator[list[str]]:
    """The statements sent, but for those that begin a transaction or hold a lock."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if not statement.startswith(("BEGIN", "SET ", "SELECT pg_", "SELECT 1 FROM sqlite_master")):
            sent.append(statement)

    event.listen(store._engine, "before_cursor_execute", note)
    yield sent
    event.remove(store._engine, "before_cursor_execute", note)


def test_a_question_is_one_statement_however_much_it_asks_for(store: SqlStore) -> None:
    first, second = put_normalized(store), put_normalized(store, minute=1, rows=[row(shares=5)])
    put_analysis(store, [first])
    put_anomalies(store, seen(anomaly()))
    put_judgments(store, judgment(T1.week_ending, BLOCKED))
    weeks = frozenset(WEEKS) | {T1.week_ending}
    scopes = frozenset(Scope.partition(partition) for partition in PARTITIONS | {T1})
    questions: list[Callable[[ReadView], object]] = [
        lambda view: view.captures(),
        lambda view: view.captures(CaptureQuery(partitions=PARTITIONS | {T1}, weeks=weeks, newest=True)),
        lambda view: view.payload(first),
        lambda view: view.symbols(first),
        lambda view: view.changes(first, second),
        lambda view: view.restatements(RestatementQuery(weeks=weeks, tiers=frozenset(Tier), known_since=at(0))),
        lambda view: view.analysis_keys(weeks),
        lambda view: view.judgments(JudgmentQuery(weeks=weeks)),
        lambda view: view.judgments(JudgmentQuery(weeks=weeks, history=True)),
        lambda view: view.anomalies(AnomalyQuery(scopes=scopes, open_only=True)),
        lambda view: view.decisions(),
        lambda view: view.runs(),
    ]
    for question in questions:
        with statements(store) as sent:
            ask(store, question)
        assert len(sent) == 1, sent


def test_records_are_three_statements_and_analyses_two(store: SqlStore) -> None:
    """Names in a statement of their own: repeated in each row they would take most of the time."""
    capture = put_normalized(store)
    put_analysis(store, [capture])
    with statements(store) as sent:
        ask(store, lambda view: view.records(capture))
    assert len(sent) == 3
    with statements(store) as sent:
        ask(store, lambda view: view.analyses())
    assert len(sent) == 2


def test_a_whole_history_is_examined_and_a_week_explained_in_as_many_statements_as_one(store: SqlStore) -> None:
    """One for each question that a view is asked, however many weeks, decisions and findings there are."""
    found = [seen(anomaly(scope=Scope.partition(Partition(week, Tier.OTC)))) for week in WEEKS[:20]]
    put_capture(store, Partition(WEEKS[0], Tier.OTC))
    with writing(store) as unit:
        unit.put_decisions([decision_record(Partition(week, tier)) for week in WEEKS for tier in TIERS for _ in "abc"])
        unit.put_judgments([judgment(week) for week in WEEKS])
    at = datetime.combine(WEEKS[-1] + timedelta(weeks=8), time(), timezone.utc)
    counts = []
    for few in (True, False):
        if not few:
            put_anomalies(store, *found)
            for week in WEEKS[1::2]:
                put_normalized(store, Partition(week, Tier.NMS_TIER_1))
        with statements(store) as sent:
            examined = ask(store, lambda view: examine(view, at))
        with statements(store) as told:
            ask(store, lambda view: explain(view, Partition(WEEKS[0], Tier.OTC), at.date()))
        assert len(examined.gaps) > len(WEEKS)
        counts.append((len(sent), len(told)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 6


def test_many_values_are_put_in_as_many_statements_as_one(store: SqlStore) -> None:
    captures = [put_capture(store, Partition(week, Tier.OTC)) for week in WEEKS[:5]]
    checked = [evolve(capture, checked_at=capture.captured_at) for capture in captures]
    found = [seen(anomaly(scope=Scope.week(week), category=Category.INCOMPLETE_INPUT)) for week in WEEKS]
    judged = [judgment(week) for week in WEEKS]
    decided = [decision_record(Partition(week, Tier.OTC)) for week in WEEKS]
    puts: list[tuple[int, Callable[[UnitOfWork, slice], object]]] = [
        (1, lambda unit, some: unit.put_checked(checked[some])),
        (1, lambda unit, some: unit.put_anomalies(found[some])),
        (3, lambda unit, some: unit.put_judgments(judged[some])),
        (1, lambda unit, some: unit.put_decisions(decided[some])),
        (1, lambda unit, _some: unit.put_run(run_record())),
    ]
    for expected, put in puts:
        for some in (slice(0, 1), slice(0, None), slice(0, 0)):
            with statements(store) as sent, writing(store) as unit:
                unit.hold(Lock.ANOMALIES)
                put(unit, some)
            assert len(sent) <= expected, sent


def test_a_capture_of_a_known_partition_is_stored_in_four_statements_and_normalized_in_five(store: SqlStore) -> None:
    """The payload before, payload, capture, manifest; then place, rows, coverage, capture, manifest."""
    put_normalized(store)
    with statements(store) as sent, writing(store, Scope.partition(T1)) as unit:
        capture = unit.put_capture(new_capture(T1, 1), payload(b"other"))
    assert len(sent) == 4, sent
    with statements(store) as sent, writing(store, Scope.partition(T1)) as unit:
        put_rows(unit, capture, [row()], minute=1)
    assert len(sent) == 5, sent


def test_analytics_are_stored_in_four_statements(store: SqlStore) -> None:
    analysis = analysis_of(store, [put_normalized(store)])
    with statements(store) as sent, writing(store) as unit:
        unit.put_analysis(analysis)
    assert len(sent) == 4, sent


def test_a_server_is_told_in_one_statement_which_rows_a_restatement_ended(store: SqlStore) -> None:
    put_normalized(store, T1, 0, numbered(changed=0))
    capture = put_capture(store, T1, 1)
    with statements(store) as sent, writing(store, Scope.partition(T1)) as unit:
        counts = put_rows(unit, capture, numbered(changed=600))
    assert counts.withdrawn == 600
    assert len([each for each in sent if each.startswith("UPDATE finra_otc_row_versions")]) == 1
    assert captures_of(store)[-1].is_normalized


def numbered(changed: int) -> list[Record]:
    return [row(Security(f"S{i:03}", "", ""), UBSA, 2 if i < changed else 1) for i in range(700)]
