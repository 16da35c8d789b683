"""Memory, SQLite and PostgreSQL side by side: the same changes, and after each the same answers to everything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from finra_core import open_store
from finra_core.domain.analytics import analyze, analyze_across_tiers, volumes_of
from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Check, Severity, Stage, settle
from finra_core.domain.captures import Capture, SourceVersion, by_partition, next_revision
from finra_core.domain.coverage import HalfCoverage, coverage_of
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import BlockingIssue, IssueKind, Judgment, Readiness
from finra_core.domain.records import MAX_INTEGER, Record, Records, Security, Venue, venue_identity
from finra_core.domain.retention import Pin, PruneRecord, RemovedCapture
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import TIERS, Half, Tier
from finra_core.domain.timestamps import utc_text
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    Lock,
    ReadView,
    RowCounts,
    RunQuery,
    RunRecord,
    Store,
    UnitOfWork,
)
from finra_core.testing.examples import RUN_DATE, at, new_capture, payload
from finra_core.weekly_summary.delimited import Reject
from finra_simulator import World
from finra_sql.schema import metadata
from finra_sql.views import NAMES as VIEWS
from support.harness import Bench, Clock
from support.postgres import Server

WEEKS = (date(2025, 12, 26), date(2026, 1, 2))
PARTITIONS = [*(Partition(WEEKS[0], tier) for tier in TIERS), Partition(WEEKS[1], Tier.OTC)]
"""Few, so that they meet again."""
SCOPES = [
    *map(Scope.partition, PARTITIONS[1:3]),
    *map(Scope.week, WEEKS),
    *map(Scope.across_tiers, WEEKS),
    Scope.at("a'b.csv"),
    STORE,
]

partitions, weeks = st.sampled_from(PARTITIONS), st.sampled_from(WEEKS)
names = st.sampled_from(["", "A", "TPC", "TpC", "Ä", "a b", "'; --", "Z, Inc."])
lines = st.sampled_from(["bad", "worse", "Ä\n'"])
uses, run_ids = st.sampled_from(["trading", "research"]), st.sampled_from(["run-a", "run-b", "run-c"])
minutes, flags = st.integers(0, 30), st.booleans()
fails = st.sampled_from([False, False, False, True])
days = st.dates(date(2025, 1, 1), date(2026, 1, 1))
quantities = st.integers(0, 5) | st.integers(0, MAX_INTEGER // 20)
venues = st.sampled_from(
    [
        Venue("ATS", "UBSA", "", ""),
        Venue("ATS", "JPBX", "", ""),
        Venue("NON_ATS", "", "116797", ""),
        Venue("DE_MINIMIS", "", "", "De Minimis Firms"),
        Venue("DE_MINIMIS", "", "", "Other Firms"),
    ]
)


def _row(security: Security, venue: Venue, name: str, *values: Any) -> Record:
    return Record(security, venue if venue.name else venue._replace(name=name), *values)


rows = st.lists(
    st.builds(
        _row,
        st.builds(Security, names, names, st.sampled_from(["", "UTP"])),
        venues,
        names,
        quantities,
        quantities,
        st.sampled_from(["2026-01-12", "2026-01-20"]),
    ),
    max_size=6,
    unique_by=lambda record: (record.security, venue_identity(record.venue)),
)
rejected = st.lists(st.builds(Reject, st.integers(0, 2), st.integers(2, 9), names, names), max_size=3)
versions = st.none() | st.builds(SourceVersion, days, st.none() | st.integers(0, 10**6))
half_coverages = {
    half: st.builds(
        HalfCoverage, half=st.just(half), rows=quantities, venues=minutes, symbols=minutes, shares_micros=quantities
    )
    for half in Half
}
coverages = st.none() | st.tuples(*half_coverages.values())
details = st.dictionaries(names, st.integers(-(2**60), 2**60) | names | flags | st.none() | st.just(1.5), max_size=2)
instants = st.builds(at, minutes)
anomalies = st.builds(
    Anomaly,
    st.sampled_from(Severity),
    st.sampled_from([Category.LATE, Category.BAD_DATA]),
    st.sampled_from(SCOPES),
    st.sampled_from(Stage),
    lines,
    details,
)
acknowledgments = st.none() | st.builds(Acknowledgment, lines, instants, st.none() | days)
issues = st.lists(
    st.builds(BlockingIssue, st.sampled_from(IssueKind), st.none() | st.sampled_from(Tier), lines, lines), max_size=2
)
maybe_days = st.none() | days
readinesses = st.builds(
    Readiness,
    week_ending=weeks,
    ready_for=uses,
    is_ready=flags,
    all_partitions_present=flags,
    all_stages_complete=flags,
    no_critical_anomalies=flags,
    no_rejected_rows=flags,
    no_partial_coverage=flags,
    blocking_issues=issues.map(tuple),
    ready_on=maybe_days,
)
references = st.none() | st.builds(
    CaptureRef, number=minutes, capture_id=names, revision=minutes, content_hash=names, version=versions
)
decisions = st.builds(
    DecisionRecord,
    run_id=run_ids,
    partition=partitions,
    decision=st.builds(
        Decision,
        st.sampled_from(Action),
        st.sampled_from(Rule),
        st.builds(
            Evidence,
            latest=references,
            version=versions,
            due=maybe_days,
            offered_from=maybe_days,
            offered_in=st.none() | names,
            note=st.none() | lines,
        ),
    ),
    reason=lines,
    decided_at=instants,
)
runs = st.builds(
    RunRecord,
    run_id=run_ids,
    started_at=instants,
    finished_at=st.none() | instants,
    mode=st.just("run"),
    run_date=days,
    exit_code=st.none() | st.integers(0, 2),
    report_json=st.none() | st.just('{"b": 1.50, "a": "Ä"}'),
    sweep_from=maybe_days,
)
limits = st.none() | st.integers(1, 3)
capture_queries = st.builds(
    CaptureQuery,
    partitions=st.none() | st.frozensets(partitions),
    weeks=st.none() | st.frozensets(weeks),
    captured_by=st.none() | instants,
    newest=flags,
)
anomaly_queries = st.builds(
    AnomalyQuery,
    scopes=st.none() | st.frozensets(st.sampled_from(SCOPES)),
    weeks=st.none() | st.frozensets(weeks),
    severities=st.none() | st.frozensets(st.sampled_from(Severity)),
    open_only=flags,
)
judgment_queries = st.builds(
    JudgmentQuery, weeks=st.none() | st.frozensets(weeks), ready_for=st.none() | uses, history=flags
)
decision_queries = st.builds(
    DecisionQuery,
    run_id=st.none() | run_ids,
    partition=st.none() | partitions,
    weeks=st.none() | st.frozensets(weeks),
    newest=flags,
    limit=limits,
)
run_queries = st.builds(RunQuery, run_id=st.none() | run_ids, swept=flags, limit=limits)

Change = Callable[[UnitOfWork, int], object]
Copies = tuple[Capture, ...]


def _given(records: Records, _unit: UnitOfWork, _i: int) -> Records:
    return records


class _StopError(Exception):
    """Raised by the machine itself."""


class Agreement(RuleBasedStateMachine):
    """Captures have another number in each store, so here they go by the order in which they were made.

    What a unit of work answers before it ends is compared as well, and so is what views say that stay open.
    """

    open_stores: Callable[[], list[Store]]

    @initialize(contents=st.tuples(*[rows] * len(TIERS)))
    def begin(self, contents: tuple[list[Record], ...]) -> None:
        """With a week that has been captured and normalized."""
        self.stores = type(self).open_stores()
        self.order: list[dict[int, int]] = [{} for _ in self.stores]
        self.captures: list[Copies] = []
        self.minute = 0
        self.views: list[ReadView] = []
        self.seen: list[object] = []
        self.open_views = ExitStack()
        for partition, found in zip(PARTITIONS, contents, strict=False):
            self.put_both(partition, partial(_given, Records.of(found)))

    def now(self) -> datetime:
        self.minute += 1
        return at(self.minute)

    def everywhere(self, change: Change, scope: Scope = STORE, *, fail: bool = False) -> list[Any]:
        """Make a change in every store. All return the same, refuse it, or, when it is to fail, leave nothing."""
        results: list[Any] = []
        inside = []
        for i, store in enumerate(self.stores):
            with suppress(_StopError, StoreError), store.write(scope) as unit:
                results.append("refused")
                results[-1] = change(unit, i)
                new = results[-1][0] if isinstance(results[-1], tuple) else results[-1]
                inside.append([*self.answers(unit, i, new=new)])
                if fail:
                    raise _StopError
        assert all(each == inside[0] for each in inside)
        return results

    # Changes

    @rule(partition=partitions, name=st.sampled_from("ab"), version=versions, body=st.binary(max_size=3), fail=fails)
    def put_capture(
        self, partition: Partition, name: str, version: SourceVersion | None, body: bytes, fail: bool
    ) -> None:
        self.minute += 1
        capture_id = f"{partition}{name}"
        revision = next_revision((copies[0] for copies in self.captures), capture_id)
        new = new_capture(partition, self.minute, capture_id=capture_id, revision=revision, version=version)
        made = self.everywhere(
            lambda unit, _i: unit.put_capture(new, payload(body, b"second")), Scope.partition(partition), fail=fail
        )
        if not fail:
            self.remember(made)

    def remember(self, made: Sequence[Capture]) -> None:
        for numbers, capture in zip(self.order, made, strict=True):
            numbers[capture.number] = len(self.captures)
        self.captures.append(tuple(made))

    @precondition(lambda self: self.captures)
    @rule(data=st.data(), found=rows, rejects=rejected, covered=coverages, fail=fails)
    def put_records(
        self,
        data: st.DataObject,
        found: list[Record],
        rejects: list[Reject],
        covered: tuple[HalfCoverage, ...] | None,
        fail: bool,
    ) -> None:
        copies = data.draw(st.sampled_from(self.captures))
        now, records = self.now(), Records.of(found)
        coverage = coverage_of(records) if covered is None else covered
        counts = self.everywhere(
            lambda unit, i: unit.put_records(copies[i], records, rejects, coverage, now),
            Scope.partition(copies[0].partition),
            fail=fail,
        )
        assert all(count == counts[0] for count in counts)

    @precondition(lambda self: self.normalized())
    @rule(data=st.data(), changed=rows, kept=st.lists(flags, min_size=9, max_size=9), fail=fails)
    def restate(self, data: st.DataObject, changed: list[Record], kept: list[bool], fail: bool) -> None:
        """As a run does it, though in one unit of work: some rows stay, some go, some are new or have new values."""
        newest = {copies[0].partition: copies for copies in self.normalized()}
        copies = newest[data.draw(st.sampled_from(sorted(newest, key=str)))]

        def restated(unit: UnitOfWork, i: int) -> Records:
            before = [row for row, stays in zip(unit.records(copies[i]).rows(), kept, strict=False) if stays]
            return Records.of({(r.security, venue_identity(r.venue)): r for r in [*before, *changed]}.values())

        self.put_both(copies[0].partition, restated, fail=fail)

    def put_both(
        self, partition: Partition, content: Callable[[UnitOfWork, int], Records], *, fail: bool = False
    ) -> None:
        now = self.now()
        new = new_capture(partition, self.minute, capture_id=f"{partition} {self.minute}")

        def put(unit: UnitOfWork, i: int) -> tuple[Capture, RowCounts]:
            own, found = unit.put_capture(new, payload(b"both")), content(unit, i)
            return own, unit.put_records(own, found, [], coverage_of(found), now)

        made = self.everywhere(put, Scope.partition(partition), fail=fail)
        assert all(counts == made[0][1] for _own, counts in made)
        if not fail:
            self.remember([own for own, _counts in made])

    @precondition(lambda self: self.captures)
    @rule(data=st.data(), verified=instants, checked=instants)
    def put_checked(self, data: st.DataObject, verified: datetime, checked: datetime) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.captures), min_size=1, max_size=2, unique_by=id))
        self.everywhere(
            lambda unit, i: unit.put_checked(
                [evolve(copies[i], verified_at=verified, checked_at=checked) for copies in chosen]
            )
        )

    @precondition(lambda self: self.normalized())
    @rule(data=st.data(), calc_version=st.integers(1, 2), fail=fails)
    def put_analysis(self, data: st.DataObject, calc_version: int, fail: bool) -> None:
        copies, now = data.draw(st.sampled_from(self.normalized()[:3])), self.now()

        def put(unit: UnitOfWork, i: int) -> None:
            analysis = analyze(copies[i], volumes_of(unit.records(copies[i])), now)
            unit.put_analysis(evolve(analysis, calc_version=calc_version))

        results = self.everywhere(put, Scope.partition(copies[0].partition), fail=fail)
        assert len(set(results)) == 1

    @precondition(lambda self: self.normalized())
    @rule(data=st.data(), week=weeks, fail=fails)
    def put_analysis_across_tiers(self, data: st.DataObject, week: date, fail: bool) -> None:
        of_tier = [
            [copies for copies in self.normalized() if copies[0].partition == Partition(week, tier)] for tier in TIERS
        ]
        if not all(of_tier):
            return
        inputs, now = [data.draw(st.sampled_from(found)) for found in of_tier], self.now()

        def put(unit: UnitOfWork, i: int) -> None:
            captures = [copies[i] for copies in inputs]
            volumes = volumes_of(Records.joined([unit.records(capture) for capture in captures]))
            unit.put_analysis(analyze_across_tiers(captures, volumes, unit.analyses([week]), RUN_DATE, now))

        results = self.everywhere(put, Scope.across_tiers(week), fail=fail)
        assert len(set(results)) == 1

    @rule(data=st.data(), readiness=readinesses, fail=fails)
    def put_judgment(self, data: st.DataObject, readiness: Readiness, fail: bool) -> None:
        rests_on = data.draw(st.lists(st.sampled_from(self.captures), max_size=2)) if self.captures else []
        now = self.now()

        def put(unit: UnitOfWork, i: int) -> None:
            unit.hold(Lock.JUDGMENTS)
            own = evolve(readiness, captures=tuple(copies[i].number for copies in rests_on))
            unit.put_judgments([Judgment(readiness=own, judged_at=now)])

        self.everywhere(put, fail=fail)

    @rule(
        found=st.lists(anomalies, max_size=2, unique_by=lambda anomaly: anomaly.fingerprint),
        seen=st.tuples(instants, instants, minutes, st.none() | instants),
        acknowledged=acknowledgments,
        fail=fails,
    )
    def put_anomalies(
        self, found: list[Anomaly], seen: tuple[Any, ...], acknowledged: Acknowledgment | None, fail: bool
    ) -> None:
        records = [
            AnomalyRecord(
                fingerprint=anomaly.fingerprint,
                anomaly=anomaly,
                first_seen=seen[0],
                last_seen=seen[1],
                occurrences=seen[2],
                resolved_at=seen[3],
                acknowledged=acknowledged,
            )
            for anomaly in found
        ]
        self.everywhere(lambda unit, _i: unit.put_anomalies(records), fail=fail)

    @rule(scope=st.sampled_from(SCOPES), stage=st.sampled_from(Stage), found=st.lists(anomalies, max_size=2))
    def check(self, scope: Scope, stage: Stage, found: list[Anomaly]) -> None:
        """As a run does it: read what is known, and put what has become of it."""
        now = self.now()
        checks = [Check(scope, stage, tuple(evolve(anomaly, scope=scope, stage=stage) for anomaly in found))]
        fingerprints = frozenset(anomaly.fingerprint for anomaly in checks[0].found)

        def put(unit: UnitOfWork, _i: int) -> None:
            unit.hold(Lock.ANOMALIES)
            known = unit.anomalies(AnomalyQuery(scopes=frozenset({scope}), open_only=True))
            known += unit.anomalies(AnomalyQuery(fingerprints=fingerprints))
            unit.put_anomalies(settle(checks, known, now))

        self.everywhere(put)

    @rule(records=st.lists(decisions, max_size=2), run=runs, fail=fails)
    def put_decisions_and_run(self, records: list[DecisionRecord], run: RunRecord, fail: bool) -> None:
        def put(unit: UnitOfWork, _i: int) -> None:
            unit.put_decisions(records)
            unit.put_run(run)

        self.everywhere(put, fail=fail)

    @precondition(lambda self: self.captures)
    @rule(data=st.data(), fail=fails)
    def remove_captures(self, data: st.DataObject, fail: bool) -> None:
        partition = data.draw(st.sampled_from(sorted({copies[0].partition for copies in self.captures}, key=str)))
        own = [copies for copies in self.captures if copies[0].partition == partition]
        # Never the last one of all: databases may give its number to the next.
        own = [copies for copies in own if copies is not self.captures[-1]]
        if own:
            chosen = data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique_by=id))
            results = self.everywhere(
                lambda unit, i: unit.remove_captures([copies[i] for copies in chosen]),
                Scope.partition(partition),
                fail=fail,
            )
            assert len(set(results)) == 1
            if not fail and results[0] is None:
                self.captures = [copies for copies in self.captures if copies not in chosen]

    @rule(name=names, revision=st.integers(1, 2), reason=lines, fail=fails)
    def put_and_remove_pins(self, name: str, revision: int, reason: str, fail: bool) -> None:
        pin = Pin(capture_id=name, revision=revision, partition=PARTITIONS[0], reason=reason, pinned_at=self.now())
        removed = RemovedCapture(
            capture_id=name,
            revision=revision,
            captured_at=self.now(),
            normalized_at=None,
            content_hash="0",
            row_count=1,
            size_bytes=2**40,
        )
        record = PruneRecord(
            partition=PARTITIONS[-1], before=date(2026, 1, 1), pruned_at=self.now(), removed=(removed,)
        )

        def put(unit: UnitOfWork, _i: int) -> None:
            unit.remove_pin(evolve(pin, revision=3 - revision))
            unit.put_pin(pin)
            unit.put_prune(record)

        self.everywhere(put, fail=fail)

    # Views that stay open

    @precondition(lambda self: not self.views)
    @rule()
    def open_views_that_stay(self) -> None:
        self.views = [self.open_views.enter_context(store.read()) for store in self.stores]
        self.seen = [list(self.answers(view, i)) for i, view in enumerate(self.views)]

    @precondition(lambda self: self.views)
    @rule()
    def close_views(self) -> None:
        self.open_views.close()
        self.views, self.seen = [], []

    # Answers

    @rule(
        captures=capture_queries,
        anomaly=anomaly_queries,
        judgment=judgment_queries,
        decision=decision_queries,
        run=run_queries,
    )
    def ask(
        self,
        captures: CaptureQuery,
        anomaly: AnomalyQuery,
        judgment: JudgmentQuery,
        decision: DecisionQuery,
        run: RunQuery,
    ) -> None:
        answers = []
        for i, store in enumerate(self.stores):
            with store.read() as view:
                named = self.named(view.captures(captures), i)
                judged = [self.judged(each, i) for each in view.judgments(judgment)]
                answers.append([named, judged, view.anomalies(anomaly), view.decisions(decision), view.runs(run)])
        assert all(answer == answers[0] for answer in answers)

    @invariant()
    def all_stores_give_the_same_answers(self) -> None:
        answers = []
        for i, store in enumerate(self.stores):
            with store.read() as view:
                answers.append(list(self.answers(view, i)))
        for answer, *others in zip(*answers, strict=True):
            assert all(other == answer for other in others)

    @invariant()
    def open_views_stay_as_they_were(self) -> None:
        assert [list(self.answers(view, i)) for i, view in enumerate(self.views)] == self.seen

    def answers(self, view: ReadView, i: int, new: object = None) -> Iterator[object]:
        """All that a view says. new: a capture that has no number in the order yet."""
        captures = view.captures()
        yield self.named(captures, i, new)
        for capture in captures:
            yield view.payload(capture)
            if capture.is_normalized:
                yield (list(view.records(capture).rows()), view.rejects(capture), view.symbols(capture))
        for same in by_partition(capture for capture in captures if capture.is_normalized).values():
            for one, other in combinations(same[-3:], 2):
                yield (view.changes(one, other), view.changes(other, one))
        restated = view.restatements()
        yield [restated.get(capture.number) for capture in captures]
        for wanted in (None, WEEKS[1:]):
            yield [evolve(a, inputs=self.numbered(a.inputs, i)) for a in view.analyses(wanted)]
            yield [key._replace(inputs=self.numbered(key.inputs, i)) for key in view.analysis_keys(wanted)]
        yield [self.judged(judgment, i) for judgment in view.judgments(JudgmentQuery(history=True))]
        yield (view.anomalies(), view.decisions(), view.runs(), view.pins(), view.prunes())
        for instant in (None, at(3), at(9)):
            yield self.named(view.captures(CaptureQuery(newest=True, captured_by=instant)), i, new)
        yield [self.judged(judgment, i) for judgment in view.judgments()]
        yield (
            view.anomalies(AnomalyQuery(open_only=True)),
            view.runs(RunQuery(swept=True)),
            view.runs(RunQuery(limit=2)),
        )
        yield [view.decisions(DecisionQuery(partition=partition, limit=2)) for partition in PARTITIONS[:2]]

    def numbered(self, numbers: Sequence[int], i: int) -> tuple[int, ...]:
        return tuple(self.order[i][number] for number in numbers)

    def named(self, captures: Sequence[Capture], i: int, new: object = None) -> list[Capture]:
        last = {new.number: len(self.captures)} if isinstance(new, Capture) else {}
        return [evolve(capture, number=({**self.order[i], **last})[capture.number]) for capture in captures]

    def judged(self, judgment: Judgment, i: int) -> Judgment:
        numbers = self.numbered(judgment.readiness.captures, i)
        return evolve(judgment, readiness=evolve(judgment.readiness, captures=numbers))

    def normalized(self) -> list[Copies]:
        """As the memory says."""
        with self.stores[0].read() as view:
            done = {capture.number for capture in view.captures() if capture.is_normalized}
        return [copies for copies in self.captures if copies[0].number in done]

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            self.open_views.close()
            for store in self.stores:
                store.close()


def agree(postgres: Server, folder: Path, effort: settings) -> None:
    numbers = count()
    databases: list[str] = []

    def open_stores() -> list[Store]:
        while databases:
            postgres.drop_database(databases.pop())
        databases.append(postgres.new_database())
        urls = ["memory:", f"sqlite:///{folder / f'{next(numbers)}.db'}", postgres.url(databases[0])]
        return [open_store(url) for url in urls]

    machine = type("Agreement", (Agreement,), {"open_stores": staticmethod(open_stores)})
    run_state_machine_as_test(machine, settings=effort)


def test_all_stores_agree_on_everything(postgres: Server, tmp_path: Path) -> None:
    agree(postgres, tmp_path, settings(max_examples=8, stateful_step_count=12))


@pytest.mark.soak
def test_all_stores_agree_on_everything_for_long(postgres: Server, tmp_path: Path) -> None:
    agree(postgres, tmp_path, settings(max_examples=60, stateful_step_count=30))


_AS_JSON = {"partition_key", "metadata_json", "details_json", "blocking_issues", "evidence"}
_SHARES = {"shares", "shares_before", "shares_after", "shares_delta"}
# Numbers that each database gives in its own way, and lists of them.
_IDS = {"captures", "from_capture", "inputs", "newest_input", "to_capture"}


def test_one_history_has_the_same_contents_in_every_table_and_view_of_both_databases(
    postgres: Server, postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"sqlite:///{tmp_path / 'finra.db'}", postgres.url(postgres_database)]
    for url in urls:
        run_numbers = count()
        monkeypatch.setattr("finra_core.runs.scheduler.new_run_id", lambda numbers=run_numbers: f"run-{next(numbers)}")
        with open_store(url) as store:
            bench = Bench(store, World(symbols=12, ats=3, firms=3, restatement_rate=1.0), Clock())
            for _day in range(4):
                bench.run()
                bench.clock.forward(days=4)
    with closing(sqlite3.connect(tmp_path / "finra.db")) as one, postgres.connect(postgres_database) as other:
        for name in [*metadata.tables, *VIEWS]:
            found = [_contents(connection.execute(f"SELECT * FROM {name}")) for connection in (one, other)]
            assert found[0] == found[1], name
            assert found[0] or name in ("finra_otc_rejected_rows", "core_pins", "core_prunes"), name


def _contents(cursor: Any) -> list[str]:
    names = [column[0] for column in cursor.description]
    kept = [i for i, name in enumerate(names) if not name.endswith("_no") and name not in _IDS]
    return sorted(json.dumps({names[i]: _plain(names[i], row[i]) for i in kept}, sort_keys=True) for row in cursor)


def _plain(name: str, value: Any) -> Any:
    """A value of either database as JSON has it."""
    if isinstance(value, str) and name in _AS_JSON:
        value = json.loads(value)
    if isinstance(value, dict):
        return {key: _plain(key, each) for key, each in value.items() if key not in {"inputs", "number"}}
    if name in _SHARES and value is not None:
        # SQLite has no exact fractions: there it is the double nearest to PostgreSQL's numeric.
        return float(value)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value
