"""As-of and restatements in plain SQL: on both databases as the library answers, and as the simulated FINRA showed it.

The clock of these histories ticks, so that the phases of a run are at different instants. After each step of each run
the latest views are kept aside: what they showed then is what an as-of of that instant has to say for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from attrs import define, field, frozen

from finra_core import CaptureQuery, Event, Partition, Scope, Store, Tier, UnitOfWork, open_store
from finra_core.domain.records import Record, Security, Venue
from finra_core.domain.tiers import TIERS
from finra_core.domain.timestamps import parse_utc_text, utc_text
from finra_core.history.asof import as_of, judgments_as_of
from finra_core.history.restatements import restatements
from finra_core.ports.observer import AnalysisStored, RecordsStored, WeekJudged
from finra_core.ports.store import Lock
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    IBM,
    T1,
    UBSA,
    ask,
    at,
    judgment,
    put_analysis,
    put_capture,
    put_judgments,
    put_normalized,
    put_whole_week,
    row,
)
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, StandIn, as_record
from support.postgres import Server
from support.sql import Database, connected

START = datetime(2025, 12, 16, 12, tzinfo=timezone.utc)
WEEKS = (date(2025, 11, 7), date(2025, 11, 14))
DAYS = 9
P = "finra_otc_transparency_"
ROW = (
    "week_ending, tier, symbol, issue_name, coalesce(product_type, ''), venue_type, coalesce(mpid, ''),"
    " coalesce(crd, ''), venue_name, shares_micros, trades, last_update_date"
)
KEYS = {
    "normalized": "symbol, issue_name, product_type, venue_type, mpid, crd, venue_name",
    "venue_volume": "venue_type, mpid, crd, venue_name",
    "venue_share": "venue_type, mpid, crd, venue_name",
    "hhi": "0",
    "weekly_totals": "0",
}
"""What tells the rows of one week and tier apart in each view."""
VENUE = "coalesce(mpid, ''), coalesce(crd, ''), venue_name, shares_micros"
COLUMNS = {
    "normalized": ROW,
    "venue_volume": f"capture_id, revision, week_ending, tier, venue_type, {VENUE}, trades, symbols",
    "venue_share": f"capture_id, revision, week_ending, tier, venue_type, {VENUE}, share",
    "hhi": "capture_id, revision, week_ending, tier, hhi, hhi_upper, venues",
    "weekly_totals": "capture_id, revision, week_ending, tier, shares_micros, trades, venues, symbols",
}
"""What a view and its history have to agree on. A row's history names the capture in which the row began."""
JUDGMENT = "ready_for, is_ready, all_partitions_present, all_stages_complete, blocking_issues, ready_on, captures"


@define
class Ticking(Clock):
    """Each look at the clock is a second after the one before."""

    def __call__(self) -> datetime:
        return self.forward(seconds=1)


def random_events(seed: int) -> tuple[Restatement, ...]:
    """Restatements of any kind, at most one of a partition a day."""
    random = Random(seed)
    partitions = [Partition(week, tier) for week in WEEKS for tier in TIERS]
    days = random.sample([(p, day) for p in partitions for day in range(1, DAYS)], 9)
    return tuple(
        Restatement(
            partition,
            START + timedelta(days=day, hours=-3),
            changed=random.randrange(3),
            added=random.randrange(1, 3),
            withdrawn=random.randrange(3),
        )
        for partition, day in sorted(days, key=lambda each: each[1])
    )


@define
class Snapshots:
    """An observer that keeps what the latest views show after each step."""

    database: Database
    clock: Clock
    taken: list[tuple[datetime, dict[str, list[Any]]]] = field(factory=list)

    def on_event(self, event: Event) -> None:
        if isinstance(event, RecordsStored | AnalysisStored | WeekJudged):
            self.take()

    def take(self) -> None:
        latest = {
            name: sorted(self.database.rows(f"SELECT {own} FROM {P}{name}_latest")) for name, own in COLUMNS.items()
        }
        latest["readiness"] = sorted(self.database.rows(f"SELECT {JUDGMENT} FROM core_data_readiness"))
        self.taken.append((self.clock.now, latest))


@frozen
class Past:
    """A store with a history, and what was seen while it was made."""

    store: Store
    database: Database
    world: World
    runs: Sequence[datetime]
    snapshots: Sequence[tuple[datetime, dict[str, list[Any]]]]

    def instants(self) -> list[datetime]:
        """Of the instants at which something became visible, and of those right before, 40; and others."""
        with self.store.read() as view:
            changes = {c.normalized_at for c in view.captures() if c.normalized_at}
            changes |= {analysis.computed_at for analysis in view.analyses()}
        begin, end = min(changes), max(changes)
        random = Random(1)
        between = [begin + random.random() * (end - begin) for _ in range(10)]
        edges = [instant - timedelta(microseconds=offset) for instant in changes for offset in (0, 1)]
        some = random.sample(edges, 40)
        return sorted([*some, *between, begin - timedelta(days=9), end + timedelta(days=9)])


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for a history that all tests of this module read."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('past') / 'finra.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    name = server.new_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def past(url: str) -> Iterator[Past]:
    world = World(seed=7, symbols=6, ats=2, firms=3, restatement_rate=0.0, events=random_events(7))
    clock = Ticking(START)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(url))
        database = opened.enter_context(connected(url))
        bench, snapshots, runs = Bench(store, world, clock), Snapshots(database, clock), []
        for day in range(DAYS):
            clock.now = START + timedelta(days=day)
            runs.append(clock.now)
            bench.run(weeks=WEEKS, observers=[snapshots])
            snapshots.take()
        yield Past(store, database, world, runs, snapshots.taken)


def as_row(partition: Partition, record: Record | tuple[Any, ...]) -> tuple[Any, ...]:
    security, venue, micros, trades, day = record
    return (partition.week_ending.isoformat(), partition.tier.value, *security, *venue, micros, trades, day)


def test_rows_as_of_any_instant_are_those_of_the_captures_that_the_library_names(past: Past) -> None:
    with past.store.read() as view:
        assert len(view.captures(CaptureQuery(normalized=True))) > 2 * len(WEEKS) * len(TIERS)
        for instant in past.instants():
            known = as_of(view, instant).captures
            expected = sorted(as_row(c.partition, record) for c in known for record in view.records(c).rows())
            assert past.database.as_of(ROW, f"{P}normalized_history", instant) == expected, instant


def test_rows_as_of_the_end_of_a_run_are_what_finra_showed_at_that_run(past: Past) -> None:
    partitions = [Partition(week, tier) for week in WEEKS for tier in TIERS]
    for began in past.runs:
        truth = [as_row(p, as_record(each)) for p in partitions for each in past.world.rows(p, began)]
        found = past.database.as_of(ROW, f"{P}normalized_history", began + timedelta(hours=12))
        assert found == sorted(truth), began


@pytest.mark.parametrize("name", COLUMNS)
def test_what_a_latest_view_showed_at_an_instant_is_what_is_known_of_that_instant_for_ever(
    past: Past, name: str
) -> None:
    assert len({str(shown[name]) for _instant, shown in past.snapshots}) > 3
    for instant, shown in past.snapshots:
        assert past.database.as_of(COLUMNS[name], f"{P}{name}_history", instant) == shown[name], instant


def test_the_judgments_that_held_at_an_instant_are_those_of_the_history(past: Past) -> None:
    columns = f"week_ending, {JUDGMENT}"
    for instant, shown in past.snapshots:
        known = past.database.as_of(columns, "core_data_readiness_history", instant)
        assert sorted(each[1:] for each in known) == shown["readiness"], instant
        with past.store.read() as view:
            held = [each.readiness for each in judgments_as_of(view, instant)]
        assert [each[:3] for each in known] == sorted(
            (each.week_ending.isoformat(), each.ready_for, int(each.is_ready)) for each in held
        )
    assert {known for _instant, shown in past.snapshots for known in [each[1] for each in shown["readiness"]]} == {0, 1}


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_current_is_the_latest(past: Past, name: str) -> None:
    latest = sorted(past.database.rows(f"SELECT {COLUMNS[name]} FROM {P}{name}_latest"))
    assert sorted(past.database.rows(f"SELECT {COLUMNS[name]} FROM {P}{name}_history WHERE known_to IS NULL")) == latest
    assert past.database.as_of(COLUMNS[name], f"{P}{name}_history", past.runs[-1] + timedelta(days=1)) == latest


def assert_apart(rows: Sequence[tuple[Any, ...]]) -> None:
    """The intervals of one key, which is all but the last two columns, do not meet, and only the last is open."""
    intervals = defaultdict(list)
    for each in rows:
        intervals[each[:-2]].append(each[-2:])
    assert intervals
    for key, found in intervals.items():
        found.sort()
        assert all(end is None or begin < end for begin, end in found), key
        assert all(end is not None and end <= begin for (_b, end), (begin, _e) in pairwise(found)), key


@pytest.mark.parametrize("name", KEYS)
def test_the_intervals_of_one_key_never_overlap(past: Past, name: str) -> None:
    assert_apart(
        past.database.rows(f"SELECT week_ending, tier, {KEYS[name]}, known_from, known_to FROM {P}{name}_history")
    )


def test_the_intervals_of_judgments_never_overlap(past: Past) -> None:
    columns = "week_ending, ready_for, known_from, known_to"
    assert_apart(past.database.rows(f"SELECT {columns} FROM core_data_readiness_history"))


LEDGER = (
    "capture_id, revision, week_ending, tier, known_from, kind, symbol, issue_name, coalesce(product_type, ''),"
    " venue_type, coalesce(mpid, ''), coalesce(crd, ''), venue_name, coalesce(shares_micros_before, -1),"
    " coalesce(shares_micros_after, -1), coalesce(trades_before, -1), coalesce(trades_after, -1),"
    " coalesce(CAST(last_update_date AS text), '')"
)


def ledger(store: Store) -> list[tuple[Any, ...]]:
    """The library's ledger of restatements, row by row."""
    with store.read() as view:
        return sorted(
            (
                entry.after.capture_id,
                entry.after.revision,
                entry.partition.week_ending.isoformat(),
                entry.partition.tier.value,
                utc_text(entry.known_from),
                change.kind.value,
                *shown.security,
                *shown.venue,
                change.before.shares_micros if change.before else -1,
                change.after.shares_micros if change.after else -1,
                change.before.trades if change.before else -1,
                change.after.trades if change.after else -1,
                change.after.last_update_date if change.after else "",
            )
            for entry in restatements(view)
            for change in entry.changes
            for shown in [change.after or change.before]
            if shown
        )


def test_the_restatements_are_those_of_the_librarys_ledger(past: Past) -> None:
    found = sorted(past.database.rows(f"SELECT {LEDGER} FROM {P}restatements"))
    assert found == ledger(past.store)
    counts = {kind: sum(each[5] == kind for each in found) for kind in ("added", "changed", "withdrawn")}
    assert counts == {
        kind: sum(getattr(event, kind) for event in past.world.events if isinstance(event, Restatement))
        for kind in counts
    }


def test_what_a_restatement_moved_is_after_less_before(past: Past) -> None:
    for before, after, delta, trades_before, trades_after, trades_delta in past.database.rows(
        "SELECT coalesce(shares_micros_before, 0), coalesce(shares_micros_after, 0), shares_micros_delta,"
        f" coalesce(trades_before, 0), coalesce(trades_after, 0), trades_delta FROM {P}restatements"
    ):
        assert (after - before, trades_after - trades_before) == (delta, trades_delta)
    shares = past.database.rows(f"SELECT shares_before, shares_after, shares_delta FROM {P}restatements")
    micros = past.database.rows(
        f"SELECT shares_micros_before, shares_micros_after, shares_micros_delta FROM {P}restatements"
    )
    assert [[n if n is None else float(n) for n in each] for each in shares] == [
        [n if n is None else n / 1e6 for n in each] for each in micros
    ]


# Hand-made histories ----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store that has SQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'finra.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("postgres_database"))


@pytest.fixture
def database(store: Store, store_url: str) -> Iterator[Database]:
    with connected(store_url) as opened:
        yield opened


SMALL = Venue("DE_MINIMIS", "", "", "De Minimis Firms")


def test_a_venue_with_another_name_is_changed_and_an_aggregate_with_another_name_is_another(
    store: Store, database: Database
) -> None:
    renamed, other = CITADEL._replace(name="CITADEL SECURITIES"), SMALL._replace(name="Other Firms")
    put_normalized(store, T1, 0, [row(AAPL, CITADEL, 5), row(AAPL, SMALL, 7), row(AAPL, UBSA, 9)])
    put_normalized(store, T1, 1, [row(AAPL, renamed, 5), row(AAPL, other, 7), row(AAPL, UBSA, 8)])
    columns = "kind, venue_name, shares_micros_before, shares_micros_after"
    million = 1_000_000
    assert sorted(database.rows(f"SELECT {columns} FROM {P}restatements")) == [
        ("added", "Other Firms", None, 7 * million),
        ("changed", "CITADEL SECURITIES", 5 * million, 5 * million),
        ("changed", UBSA.name, 9 * million, 8 * million),
        ("withdrawn", "De Minimis Firms", 7 * million, None),
    ]
    assert sorted(database.rows(f"SELECT {LEDGER} FROM {P}restatements")) == ledger(store)


def test_a_security_with_another_name_is_another_row(store: Store, database: Database) -> None:
    put_normalized(store, T1, 0, [row(Security("X", "Old", "UTP")), row(IBM)])
    put_normalized(store, T1, 1, [row(Security("X", "New", "UTP")), row(IBM)])
    found = sorted(database.rows(f"SELECT kind, issue_name FROM {P}restatements"))
    assert found == [("added", "New"), ("withdrawn", "Old")]
    assert sorted(database.rows(f"SELECT {LEDGER} FROM {P}restatements")) == ledger(store)


def test_a_value_that_comes_back_is_a_version_of_its_own(store: Store, database: Database) -> None:
    for minute, shares in enumerate((1, 2, 1)):
        put_normalized(store, T1, minute, [row(shares=shares), row(IBM)])
    columns = "shares_micros, known_from, known_to"
    history = database.rows(f"SELECT {columns} FROM {P}normalized_history WHERE symbol = 'AAPL' ORDER BY known_from")
    times = [utc_text(at(minute)) for minute in range(3)]
    assert history == [(1_000_000, *times[:2]), (2_000_000, *times[1:]), (1_000_000, times[2], None)]
    assert len(database.rows(f"SELECT 1 FROM {P}normalized_history WHERE symbol = 'IBM'")) == 1


def test_a_capture_without_records_is_not_known_and_ends_nothing(store: Store, database: Database) -> None:
    put_normalized(store, T1, 0)
    before = database.rows(f"SELECT * FROM {P}normalized_history")
    put_capture(store, T1, 1)
    assert database.rows(f"SELECT * FROM {P}normalized_history") == before
    assert database.rows(f"SELECT * FROM {P}restatements") == []


def totals(database: Database, minute: int) -> list[tuple[Any, ...]]:
    return database.as_of("tier, shares_micros / 1000000", f"{P}weekly_totals_history", at(minute))


def test_analytics_that_come_after_those_of_a_newer_capture_were_never_known(store: Store, database: Database) -> None:
    older, newer = put_normalized(store, T1, 0, [row(shares=1)]), put_normalized(store, T1, 1, [row(shares=2)])
    put_analysis(store, [newer], minute=5)
    put_analysis(store, [older], minute=6)
    assert [totals(database, minute) for minute in (4, 5, 6, 9)] == [[], *[[("NMS_TIER_1", 2)]] * 3]
    assert len(database.rows(f"SELECT * FROM {P}hhi_history")) == 1


def test_analytics_calculated_anew_are_known_from_then_on(store: Store, database: Database) -> None:
    capture = put_normalized(store)
    put_analysis(store, [capture], minute=1, calc_version=1)
    put_analysis(store, [capture], minute=5, calc_version=2)
    times = [utc_text(at(minute)) for minute in (1, 5)]
    found = database.rows(f"SELECT known_from, known_to FROM {P}hhi_history ORDER BY known_from")
    assert found == [(times[0], times[1]), (times[1], None)]


def test_analytics_across_tiers_are_known_from_when_they_were_stored_not_from_their_captures(
    store: Store, database: Database
) -> None:
    captures = put_whole_week(store)
    put_analysis(store, captures, minute=10)
    captures[0] = put_normalized(store, T1, 20, [row(shares=5)])
    put_analysis(store, captures, minute=30)
    assert [totals(database, minute) for minute in (9, 10, 29, 30)] == [
        [], [("ALL", 300)], [("ALL", 300)], [("ALL", 205)],
    ]  # fmt: skip


def test_a_judgment_that_held_for_no_time_is_no_history(store: Store, database: Database) -> None:
    put_judgments(store, judgment(minute=1), judgment(minute=1, captures=[]), judgment(minute=3))
    times = [utc_text(at(minute)) for minute in (1, 3)]
    found = database.rows("SELECT known_from, known_to FROM core_data_readiness_history ORDER BY known_from")
    assert found == [(times[0], times[1]), (times[1], None)]


@define(slots=False)
class Waiting(StandIn):
    """A store whose locks are held by another for five minutes each, but the chain's for no longer than a commit."""

    clock: Clock
    waits: list[tuple[datetime, datetime]] = field(factory=list)

    def wait(self) -> None:
        began = self.clock.now
        self.waits.append((began, self.clock.forward(minutes=5)))

    @contextmanager
    def write(self, scope: Scope) -> Iterator[UnitOfWork]:
        self.wait()
        with self.store.write(scope) as unit:
            yield cast("UnitOfWork", _Held(unit, self.wait))
        self.clock.forward(seconds=1)


@define
class _Held:
    unit: UnitOfWork
    wait: Callable[[], None]

    def hold(self, lock: Lock) -> None:
        if lock is not Lock.CHAIN:
            self.wait()
        self.unit.hold(lock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unit, name)


def test_no_analytics_and_no_judgment_are_known_from_an_instant_at_which_they_waited_for_a_lock(bench: Bench) -> None:
    waiting = Waiting(bench.store, bench.clock)
    bench.run(store=waiting, weeks=WEEKS[:1])
    with bench.store.read() as view:
        known = [analysis.computed_at for analysis in view.analyses()]
        known += [judgment.judged_at for judgment in view.judgments()]
    assert len(known) == 4 + 2
    assert not [instant for instant in known for began, ended in waiting.waits if began <= instant < ended]


def test_whatever_the_clock_does_nothing_is_known_before_what_it_rests_on(tmp_path: Path) -> None:
    partition = Partition(WEEKS[0], Tier.OTC)
    world = World(
        seed=3, symbols=4, ats=2, firms=2, restatement_rate=0.0,
        events=(Restatement(partition, START - timedelta(days=2), changed=1),),
    )  # fmt: skip
    url = f"sqlite:///{tmp_path / 'finra.db'}"
    with open_store(url) as store, connected(url) as database:
        bench = Bench(store, world, Ticking(START - timedelta(days=3)))
        bench.run(weeks=WEEKS[:1])
        bench.clock.now = START
        behind = Clock(START - timedelta(days=30))
        Bench(store, world, behind).run(weeks=WEEKS[:1], source=bench.source, verify=True)
        captures = {c.number: c for c in ask(store, lambda view: view.captures())}
        assert len(captures) == 4
        for analysis in ask(store, lambda view: view.analyses()):
            inputs = [captures[number].normalized_at for number in analysis.inputs]
            assert all(known is not None and known <= analysis.computed_at for known in inputs)
        columns = "week_ending, ready_for, judged_at, superseded_at"
        for _week, _use, begin, end in database.rows(f"SELECT {columns} FROM core_readiness_history"):
            assert end is None or parse_utc_text(begin) <= parse_utc_text(end)
