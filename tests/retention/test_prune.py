"""Pruning a store: what is asked about the day and later keeps its answer, what is older is refused, on every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from finra_core import (
    Capture,
    ConfigurationError,
    Partition,
    ReadView,
    Scope,
    Severity,
    Store,
    Tier,
    open_store,
)
from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Stage
from finra_core.domain.retention import RemovedCapture
from finra_core.history.asof import as_of, nth_release, releases
from finra_core.history.choosing import choose
from finra_core.history.export import ExportRequest, Versions, parts
from finra_core.history.intervals import analyses_in_force
from finra_core.history.problems import ProblemKind
from finra_core.history.prune import plan_prune
from finra_core.history.pruned import history_begins
from finra_core.history.restatements import ledger, restatements
from finra_core.history.verify import verify
from finra_core.runs.prune import pin, prune, remove_pin
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, contents, everything

START = datetime(2025, 12, 16, 12, tzinfo=timezone.utc)
WEEK, OTHER = date(2025, 11, 14), date(2025, 11, 7)
OTC, T1 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_1)
DAYS = 9
EVENTS = (
    Restatement(OTC, START + timedelta(days=1), changed=2, added=1),
    Restatement(OTC, START + timedelta(days=3), changed=1, withdrawn=1),
    Restatement(OTC, START + timedelta(days=5), restores=True),
    Restatement(OTC, START + timedelta(days=7), changed=1),
    Restatement(T1, START + timedelta(days=4), changed=1),
)
WORLD = World(seed=4, symbols=6, ats=3, firms=3, restatement_rate=0.0, events=EVENTS)
NOW = START + timedelta(days=30)


@pytest.fixture
def bench(store: Store) -> Bench:
    """After nine daily runs."""
    return live(store)


def live(store: Store, days: int = DAYS) -> Bench:
    bench = Bench(store, WORLD, Clock(START))
    for _ in range(days):
        bench.run(weeks=(WEEK, OTHER))
        bench.clock.forward(days=1)
    return bench


@pytest.fixture
def memory() -> Iterator[Store]:
    with open_store("memory:") as store:
        live(store)
        yield store


def day(number: int) -> date:
    return (START + timedelta(days=number)).date()


def instants(since: date) -> list[datetime]:
    """Every six hours from that day on."""
    begin = datetime(since.year, since.month, since.day, tzinfo=timezone.utc)
    return [begin + timedelta(hours=hours) for hours in range(0, 24 * (DAYS + 2), 6)]


def answers(view: ReadView, since: date) -> list[Any]:
    """All that can be asked about this day and later, by names in place of numbers."""
    names = {capture.number: str(capture) for capture in view.captures()}
    in_force = [each for week in (OTHER, WEEK) for each in analyses_in_force(view.analyses([week]))]
    found: list[Any] = []
    for at in instants(since):
        captures = as_of(view, at).captures
        found.append([(str(c), c.captured_at, sorted(view.records(c).rows()), view.rejects(c)) for c in captures])
        found.append([view.payload(capture) for capture in captures])
        found.append(
            sorted(
                (a.value.capture_id, a.value.revision, [names[n] for n in a.value.inputs], a.value.hhi, a.value.trades)
                for a in in_force
                if a.holds(at)
            )
        )
    return found


@pytest.mark.parametrize("before", [1, 4, DAYS])
def test_from_the_day_on_every_answer_stays_and_before_it_none_is_given(bench: Bench, before: int) -> None:
    store = bench.store
    with store.read() as view:
        expected = answers(view, day(before))
        later = [r.changes for r in restatements(view) if r.known_from.date() > day(before)]
        planned = [c for each in plan_prune(view, day(before)) for c in each.remove]
        all_before = view.captures()

    done = prune(store, day(before), NOW)

    with store.read() as view:
        assert answers(view, day(before)) == expected
        assert [r.changes for r in restatements(view) if r.known_from.date() > day(before)] == later
        assert ledger(view).begins == history_begins(view)
        assert ledger(view, since=day(before)).begins is None
        assert view.captures() == [c for c in all_before if c not in planned]
        assert [r for record in done for r in record.removed] == [RemovedCapture.of(c) for c in planned]
        assert view.prunes() == done
        assert history_begins(view) == (day(before) if planned else None)
        if planned:
            instant = instants(day(before))[0] - timedelta(microseconds=1)
            with pytest.raises(ConfigurationError, match=rf"history before {day(before)} was pruned: ask for that day"):
                as_of(view, instant)
            assert as_of(view, instant, weeks=[OTHER]).captures
    assert bool(planned) == (before > 1)
    assert prune(store, day(before), NOW) == []


def test_the_runs_after_it_do_what_they_would_have_done(bench: Bench, memory: Store) -> None:
    prune(bench.store, day(6), bench.clock.now)

    for store in (bench.store, memory):
        bench.run(store=store, weeks=(WEEK, OTHER), verify=True)

    pruned, whole = contents(bench.store), contents(memory)
    assert pruned["readiness"] == whole["readiness"]
    assert pruned["open anomalies"] == whole["open anomalies"]
    assert [c for c in whole["captures"] if c in pruned["captures"]] == pruned["captures"]
    assert {name: whole["records"][name] for name in pruned["records"]} == pruned["records"]


def test_an_older_day_then_says_nothing_more_and_a_later_one_goes_on(bench: Bench) -> None:
    assert prune(bench.store, day(4), NOW)
    assert prune(bench.store, day(2), NOW) == []
    assert prune(bench.store, day(8), NOW)
    with bench.store.read() as view:
        assert history_begins(view) == day(8)
        assert {record.before for record in view.prunes()} == {day(4), day(8)}


def test_what_counts_from_the_first_release_says_where_history_begins(memory: Store) -> None:
    prune(memory, day(6), NOW)
    with memory.read() as view:
        assert history_begins(view, weeks=[OTHER]) is None
        with pytest.raises(ConfigurationError, match=f"history before {day(6)} was pruned, and first releases"):
            choose(view, OTC, "first")
        with pytest.raises(ConfigurationError, match="first releases"):
            nth_release(view, 1)
        assert nth_release(view, 1, weeks=[OTHER])
        assert nth_release(view, -1)
        assert choose(view, OTC, "latest") == releases(view, OTC)[-1]
        request = ExportRequest(versions=Versions.AS_OF, at=START)
        with pytest.raises(ConfigurationError, match="was pruned"):
            list(parts(view, request))


def test_pins_protect_a_capture_until_they_are_taken_away(memory: Store) -> None:
    with memory.read() as view:
        first, second, *_rest = releases(view, OTC)
    made = pin(memory, first.capture_id, None, " evidence ", NOW)
    assert made.reason == "evidence"

    done = prune(memory, day(6), NOW)

    with memory.read() as view:
        assert releases(view, OTC)[0] == first
        assert view.records(first)
        assert view.pins() == [made]
        assert second not in releases(view, OTC)
        (planned,) = [each for each in plan_prune(view, day(6)) if each.partition == OTC]
    assert (planned.remove, planned.pinned) == ((), 1)
    assert first.capture_id not in {r.capture_id for record in done for r in record.removed}
    assert remove_pin(memory, first.capture_id, 1, NOW) == made
    (record,) = prune(memory, day(6), NOW)
    assert [each.capture_id for each in record.removed] == [first.capture_id]


@pytest.mark.parametrize(
    ("name", "revision", "reason", "message"),
    [
        ("x", None, "why", "no capture 'x'"),
        ("first", 7, "why", "of this revision"),
        ("first", None, "  ", "needs a reason"),
    ],
)
def test_a_pin_that_means_nothing_is_refused(
    memory: Store, name: str, revision: int | None, reason: str, message: str
) -> None:
    with memory.read() as view:
        known = releases(view, OTC)[0].capture_id
    with pytest.raises(ConfigurationError, match=message):
        pin(memory, known if name == "first" else name, revision, reason, NOW)
    with pytest.raises(ConfigurationError, match="no pinned capture"):
        remove_pin(memory, known, None, NOW)


def test_a_day_that_is_to_come_is_refused(memory: Store) -> None:
    before = everything(memory)
    with pytest.raises(ConfigurationError, match="is to come"):
        prune(memory, NOW.date() + timedelta(days=1), NOW)
    assert everything(memory) == before


def test_analytics_that_still_hold_on_that_day_keep_their_captures(memory: Store) -> None:
    """A capture that was analyzed late: until then the older one's analytics are what was known."""
    with memory.read() as view:
        _first, second, third, *_rest = releases(view, OTC)
        kept = [a for a in view.analyses([WEEK]) if third.number not in a.inputs]
        late = [a for a in view.analyses([WEEK]) if third.number in a.inputs]
    assert second.number in {n for each in plan_of(memory, 4) for n in each}
    memory._state.analyses = {a.key: a for a in kept}  # type: ignore[attr-defined]
    with memory.write(Scope()) as unit:
        for analysis in late:
            unit.put_analysis(evolve(analysis, computed_at=analysis.computed_at + timedelta(days=2)))

    assert second.number not in {n for each in plan_of(memory, 4) for n in each}


def plan_of(store: Store, number: int) -> list[list[int]]:
    with store.read() as view:
        return [[c.number for c in each.remove] for each in plan_prune(view, day(number))]


def _finding(capture: Capture, acknowledged: Acknowledgment | None, resolved: datetime | None) -> AnomalyRecord:
    details = {"capture_no": capture.number}
    scope = Scope.partition(capture.partition)
    anomaly = Anomaly(Severity.WARN, Category.PARTIAL_COVERAGE, scope, Stage.CALC, "only some", details)
    return AnomalyRecord(
        fingerprint=anomaly.fingerprint,
        anomaly=anomaly,
        first_seen=START,
        last_seen=START,
        occurrences=1,
        resolved_at=resolved,
        acknowledged=acknowledged,
    )


def test_while_a_coverage_finding_is_open_its_partition_is_left_alone(memory: Store) -> None:
    with memory.read() as view:
        first = releases(view, OTC)[0]
    with memory.write(Scope()) as unit:
        unit.put_anomalies([_finding(first, None, None)])

    with memory.read() as view:
        (planned,) = [each for each in plan_prune(view, day(6)) if each.partition == OTC]
    assert (planned.remove, planned.is_short) == ((), True)


def test_a_capture_that_a_person_accepted_as_it_is_stays_because_later_ones_are_compared_with_it(
    memory: Store,
) -> None:
    with memory.read() as view:
        first = releases(view, OTC)[0]
    accepted = Acknowledgment(reason="a holiday", at=START, until=None)
    with memory.write(Scope()) as unit:
        unit.put_anomalies([_finding(first, accepted, START)])

    prune(memory, day(6), NOW)

    with memory.read() as view:
        assert releases(view, OTC)[0] == first


def test_a_pruned_store_verifies_and_one_whose_captures_just_went_does_not(bench: Bench) -> None:
    assert prune(bench.store, day(6), NOW)
    assert verify(bench.store).ok
    with bench.store.write(Scope.partition(OTC)) as unit:  # past the chain
        unit.remove_captures([releases(unit, OTC)[0]])

    found = verify(bench.store)

    assert {problem.kind for problem in found.problems} == {ProblemKind.DROPPED}
