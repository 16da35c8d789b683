"""Memory, SQLite and PostgreSQL side by side: the same changes, and after each the same answers to everything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from finra_core import open_store
from finra_core.domain.analytics import CALC_VERSION
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.partitions import Partition, cross_tier_key, week_key
from finra_core.domain.readiness import TRADING, Readiness, WeekState
from finra_core.domain.records import MAX_INTEGER
from finra_core.domain.tiers import TIERS
from finra_core.domain.timestamps import utc_text
from finra_core.ports import RunRecord, Store, Transaction
from finra_core.testing.examples import RUN_DATE, analysis_of, at, new_capture, payload, records
from finra_core.weekly_summary.delimited import Reject
from finra_simulator import World
from finra_sql.schema import metadata
from finra_sql.views import definitions
from support.harness import Bench, Clock
from support.postgres import Server

WEEKS = (date(2025, 12, 26), date(2026, 1, 2))
PARTITIONS = [Partition(week, tier) for week in WEEKS for tier in TIERS]
KEYS = [*(partition.key for partition in PARTITIONS), *map(week_key, WEEKS), *map(cross_tier_key, WEEKS)]

partitions = st.sampled_from(PARTITIONS)
weeks = st.sampled_from(WEEKS)
names = st.sampled_from(["", "A", "TPC", "TpC", "Ä", "a b", "'; --", "Z, Inc."])
venues = st.sampled_from([("ATS", "UBSA", ""), ("ATS", "JPBX", ""), ("NON_ATS", "", "116797"), ("NON_ATS", "", "9")])
quantities = st.integers(0, 5) | st.integers(0, MAX_INTEGER // 20)
contents = st.dictionaries(
    st.tuples(st.tuples(names, names, st.sampled_from(["", "UTP"])), venues),
    st.tuples(names, quantities, quantities, st.sampled_from(["2026-01-12", "2026-01-20"])),
    max_size=6,
)
rejected = st.lists(st.builds(Reject, st.integers(0, 2), st.integers(2, 9), names, names), max_size=3)
versions = st.none() | st.builds(SourceVersion, st.dates(date(2025, 1, 1), date(2026, 1, 1)), st.integers(0, 10**6))
details = st.dictionaries(names, st.integers() | names | st.booleans() | st.none(), max_size=2)
messages = st.sampled_from(["bad", "worse", "Ä\n'"])
severities = st.sampled_from(Severity)
stages = st.sampled_from(Stage)


class _StopError(Exception):
    """Raised by the machine itself."""


class Agreement(RuleBasedStateMachine):
    """Captures have another number in each store, so here they go by the order in which they were made."""

    open_stores: Callable[[], list[Store]]

    @initialize()
    def begin(self) -> None:
        self.stores = type(self).open_stores()
        self.order: list[dict[int, int]] = [{} for _ in self.stores]
        self.captures: list[tuple[Capture, ...]] = []
        self.minute = 0

    def now(self) -> datetime:
        self.minute += 1
        return at(self.minute)

    def everywhere(self, change: Callable[[Transaction, int], Any], key: str | None = None, *, fail: bool) -> list[Any]:
        """Make a change in every store; all return the same, or, when it is to fail, nothing is changed."""
        results = []
        for i, store in enumerate(self.stores):
            with suppress(_StopError), store.transaction(key) as transaction:
                results.append(change(transaction, i))
                if fail:
                    raise _StopError
        return results

    @rule(
        partition=partitions,
        name=st.sampled_from("ab"),
        version=versions,
        body=st.binary(max_size=3),
        fail=st.booleans(),
    )
    def capture(self, partition: Partition, name: str, version: SourceVersion | None, body: bytes, fail: bool) -> None:
        self.minute += 1
        new = new_capture(partition, self.minute, capture_id=f"{partition}{name}", version=version)

        def add(transaction: Transaction, _i: int) -> Capture:
            return transaction.add_capture(new, payload(body, b"second"))

        made = self.everywhere(add, partition.key, fail=fail)
        if not fail:
            for numbers, capture in zip(self.order, made, strict=True):
                numbers[capture.number] = len(self.captures)
            self.captures.append(tuple(made))

    @rule(data=st.data(), rows=contents, rejects=rejected, fail=st.booleans())
    def normalize(self, data: st.DataObject, rows: Mapping[Any, Any], rejects: list[Reject], fail: bool) -> None:
        if not self.captures:
            return
        copies = data.draw(st.sampled_from(self.captures))
        given = [
            (security, (*venue, n), micros, trades, day) for (security, venue), (n, micros, trades, day) in rows.items()
        ]
        now = self.now()

        def add(transaction: Transaction, i: int) -> object:
            return transaction.add_records(copies[i], records(given), rejects, now)

        changes = self.everywhere(add, copies[0].partition.key, fail=fail)
        assert all(change == changes[0] for change in changes)

    @rule(data=st.data(), calc_version=st.integers(1, 2), fail=st.booleans())
    def analyze_one(self, data: st.DataObject, calc_version: int, fail: bool) -> None:
        normalized = [copies for copies in self.captures if self.is_normalized(copies)]
        if normalized:
            self.analyze([data.draw(st.sampled_from(normalized))], calc_version, fail)

    @rule(week=weeks, fail=st.booleans())
    def analyze_across(self, week: date, fail: bool) -> None:
        states = [store.week_states([week], CALC_VERSION)[week] for store in self.stores]
        inputs = [state.cross_tier_inputs() for state in states]
        if inputs[0] is not None:
            self.analyze(list(zip(*(own or () for own in inputs), strict=True)), CALC_VERSION, fail)

    def analyze(self, inputs: list[tuple[Capture, ...]], calc_version: int, fail: bool) -> None:
        self.minute += 1
        analyses = [
            analysis_of(store, [copies[i] for copies in inputs], minute=self.minute, calc_version=calc_version)
            for i, store in enumerate(self.stores)
        ]
        added = self.everywhere(lambda transaction, i: transaction.add_analysis(analyses[i]), fail=fail)
        assert len(set(added)) == 1

    @rule(data=st.data(), minutes=st.integers(-5, 5))
    def verify(self, data: st.DataObject, minutes: int) -> None:
        if self.captures:
            copies = data.draw(st.sampled_from(self.captures))
            when = self.now() + timedelta(minutes=minutes)
            self.everywhere(lambda transaction, i: transaction.mark_verified(copies[i], when), fail=False)

    @rule(week=weeks, flags=st.tuples(*[st.booleans()] * 5), issues=st.lists(messages, max_size=2), fail=st.booleans())
    def judge(self, week: date, flags: tuple[bool, ...], issues: list[str], fail: bool) -> None:
        judged = Readiness(
            week_ending=week,
            ready_for=TRADING,
            is_ready=flags[0],
            all_partitions_present=flags[1],
            all_stages_complete=flags[2],
            no_critical_anomalies=flags[3],
            no_rejected_rows=flags[4],
            blocking_issues=tuple(issues),
        )
        now = self.now()
        self.everywhere(lambda transaction, _i: transaction.put_readiness([judged], now), fail=fail)

    @rule(week=weeks, issue=messages)
    def withdraw(self, week: date, issue: str) -> None:
        now = self.now()
        self.everywhere(lambda transaction, _i: transaction.withdraw_readiness(week, issue, now), fail=False)

    @rule(
        key=st.sampled_from(KEYS),
        stage=stages,
        found=st.lists(st.tuples(severities, st.sampled_from(Category), messages, details), max_size=2),
        fail=st.booleans(),
    )
    def check(self, key: str, stage: Stage, found: list[tuple[Any, ...]], fail: bool) -> None:
        anomalies = tuple(Anomaly(severity, category, key, stage, *rest) for severity, category, *rest in found)
        now = self.now()
        self.everywhere(
            lambda transaction, _i: transaction.record_checks([Check(key, stage, anomalies)], now), fail=fail
        )

    @rule(finish=st.booleans(), report=st.none() | st.just('{"b": 1.50, "a": "Ä"}'), fail=st.booleans())
    def run(self, finish: bool, report: str | None, fail: bool) -> None:
        now = self.now()
        run = RunRecord(
            run_id=f"run-{self.minute}", started_at=now, finished_at=None, mode="run", run_date=RUN_DATE,
            exit_code=None, report_json=None,
        )  # fmt: skip

        def enter(transaction: Transaction, _i: int) -> None:
            transaction.start_run(run)
            if finish:
                transaction.finish_run(evolve(run, finished_at=now, exit_code=1, report_json=report))

        self.everywhere(enter, fail=fail)

    @invariant()
    def all_stores_give_the_same_answers(self) -> None:
        answers = [list(self.answers(i)) for i in range(len(self.stores))]
        for answer, *others in zip(*answers, strict=True):
            assert all(other == answer for other in others)

    def answers(self, i: int) -> Iterator[object]:
        store = self.stores[i]
        numbers = self.order[i]
        yield [self.named(c, i) for c in store.captures()]
        yield [self.named(c, i) for c in store.captures(PARTITIONS[::2])]
        yield {p: self.named(c, i) for p, c in store.latest_captures(PARTITIONS[1:]).items()}
        yield [self.named(c, i) for c in store.unnormalized()]
        yield [[self.named(c, i) for c in store.unanalyzed(version)] for version in (1, 2)]
        yield store.weeks()
        yield {week: self.named_state(state, i) for week, state in store.week_states(WEEKS, 1).items()}
        for copies in self.captures:
            yield store.documents(copies[i])
            if self.is_normalized(copies):
                yield (list(store.records(copies[i]).rows()), store.rejects(copies[i]))
        yield store.shared_symbols([copies[i] for copies in self.captures if self.is_normalized(copies)])
        for wanted in (None, WEEKS[1:]):
            yield [evolve(a, inputs=tuple(numbers[n] for n in a.inputs)) for a in store.analyses(wanted)]
            yield store.readiness(wanted)
        yield store.anomalies()
        yield store.anomalies(include_resolved=True)
        yield store.runs()

    def named(self, capture: Capture, i: int) -> Capture:
        return evolve(capture, number=self.order[i][capture.number])

    def named_state(self, state: WeekState, i: int) -> WeekState:
        tiers = {
            tier: evolve(
                own,
                newest=self.named(own.newest, i),
                normalized=self.named(own.normalized, i) if own.normalized else None,
            )
            for tier, own in state.tiers.items()
        }
        return evolve(state, tiers=tiers)

    def is_normalized(self, copies: tuple[Capture, ...]) -> bool:
        """As the memory says."""
        unanalyzed = self.stores[0].unanalyzed(99)
        return copies[0].number in {capture.number for capture in unanalyzed}

    def teardown(self) -> None:
        for store in getattr(self, "stores", ()):
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
    agree(postgres, tmp_path, settings(max_examples=12, stateful_step_count=15))


@pytest.mark.soak
def test_all_stores_agree_on_everything_for_long(postgres: Server, tmp_path: Path) -> None:
    agree(postgres, tmp_path, settings(max_examples=60, stateful_step_count=30))


# Numbers that each database gives in its own way, and lists of them.
_IDS = {"from_capture", "to_capture", "newest_input", "inputs"}


def test_one_history_has_the_same_contents_in_every_table_and_view_of_both_databases(
    postgres: Server, postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [f"sqlite:///{tmp_path / 'finra.db'}", postgres.url(postgres_database)]
    for url in urls:
        run_numbers = count()
        monkeypatch.setattr("finra_core.runs.scheduler.new_run_id", lambda numbers=run_numbers: f"run-{next(numbers)}")
        with closing(open_store(url)) as store:
            bench = Bench(store, World(symbols=12, ats=3, firms=3, restatement_rate=1.0), Clock())
            for _day in range(4):
                bench.run()
                bench.clock.forward(days=4)
    with closing(sqlite3.connect(tmp_path / "finra.db")) as one, postgres.connect(postgres_database) as other:
        for name in [*metadata.tables, *definitions("sqlite")]:
            found = [_contents(connection.execute(f"SELECT * FROM {name}")) for connection in (one, other)]
            assert found[0] == found[1], name
            assert found[0] or name == "finra_otc_rejected_rows", name


def _contents(cursor: Any) -> list[str]:
    names = [column[0] for column in cursor.description]
    kept = [i for i, name in enumerate(names) if not name.endswith("_no") and name not in _IDS]
    return sorted(json.dumps({names[i]: _plain(names[i], row[i]) for i in kept}, sort_keys=True) for row in cursor)


def _plain(name: str, value: Any) -> Any:
    """A value of either database as JSON has it."""
    if isinstance(value, str) and name in {"partition_key", "metadata_json", "details_json", "blocking_issues"}:
        value = json.loads(value)
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if key != "inputs"}
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value
