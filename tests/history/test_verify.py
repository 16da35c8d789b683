"""`verify` on every store: nothing in sound histories, the right words about damage, and what it records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import define, evolve, field
from sqlalchemy import create_engine, text

from finra_core import (
    AnomalyQuery,
    CaptureQuery,
    ConfigurationError,
    Partition,
    Payload,
    Severity,
    SourceVersion,
    Store,
    Tier,
    acknowledge,
    open_store,
)
from finra_core.domain.scopes import Scope
from finra_core.history.checks import record_anomaly
from finra_core.history.problems import ProblemKind
from finra_core.history.verify import Verification, VerifyRequest, verify
from finra_core.history.verify_captures import CheckedCapture
from finra_core.runs.damage import needs_record, record_damage
from finra_core.testing.examples import T1, new_capture, payload
from finra_simulator import Restatement, SimulatorSource, World
from support.harness import Bench, Clock, everything, readiness_of
from support.postgres import Server

START = datetime(2025, 12, 23, 12, tzinfo=timezone.utc)
WEEKS = (date(2025, 11, 7), date(2025, 11, 14))
OTC = Partition(WEEKS[1], Tier.OTC)


@define
class _Spoiling(SimulatorSource):
    """Now and then a row has no date."""

    chance: random.Random = field(factory=random.Random, kw_only=True)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        fetched = super().fetch(partition, expected)
        if self.chance.random() < 0.7:
            return fetched
        day = b"|2025-12-15\n"
        return evolve(fetched, documents=[document.replace(day, b"|soon\n", 1) for document in fetched.documents])


def live(store: Store, seed: int) -> Bench:
    """A random history: runs over some weeks and tiers, restatements, forced captures, acknowledgments, findings."""
    chance = random.Random(seed)
    partitions = [Partition(week, tier) for week in WEEKS for tier in Tier]
    events = tuple(
        Restatement(chance.choice(partitions), START + timedelta(days=chance.randrange(6)), changed=chance.randrange(3))
        for _ in range(chance.randrange(5))
    )
    world = World(seed=seed, symbols=chance.randint(2, 6), ats=2, firms=2, restatement_rate=0.3, events=events)
    bench = Bench(store, world, Clock(START))
    source = _Spoiling(world, bench.clock, chance=chance)
    for _ in range(chance.randint(1, 6)):
        tiers = tuple(tier for tier in Tier if chance.random() < 0.8) or (Tier.OTC,)
        force = chance.random() < 0.2
        bench.run(
            weeks=tuple(chance.sample(WEEKS, chance.randint(1, 2))),
            tiers=tiers,
            source=source,
            verify=chance.random() < 0.3,
            force=force,
            reason="again" if force else None,
        )
        _disturb(store, bench, chance)
        bench.clock.forward(hours=chance.choice([0, 1, 26]))
    return bench


def _disturb(store: Store, bench: Bench, chance: random.Random) -> None:
    with store.read() as view:
        found = view.anomalies(AnomalyQuery(open_only=True))
    if found and chance.random() < 0.5:
        until = None if chance.random() < 0.5 else bench.clock().date() + timedelta(days=1)
        acknowledge(store, chance.choice(found).fingerprint, "known: Ä 'x'", bench.clock(), until=until)
    if chance.random() < 0.3:
        record_anomaly(
            store,
            severity=Severity.WARN,
            category="LATE",
            message="a person's own",
            week_ending=WEEKS[0],
            details={"n": 0.1, "Ä": 2**60},
            at=bench.clock(),
        )


def messages(found: Verification) -> list[str]:
    return [f"{each.kind}: {each.message}" for each in found.problems]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_wrong_with_a_sound_history(store: Store, seed: int) -> None:
    live(store, seed)
    before = everything(store)
    found = verify(store)
    assert messages(found) == []
    assert found.ok
    assert found.checked.captures > 0
    assert everything(store) == before


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
def test_nothing_is_wrong_with_two_hundred_sound_histories(store: Store, seed: int) -> None:
    live(store, seed)
    assert messages(verify(store)) == []


def test_runs_side_by_side_leave_one_chain(store: Store) -> None:
    world = World(symbols=3, ats=2, firms=2, restatement_rate=0.0)

    def run(week: date) -> int:
        return Bench(store, world, Clock(START)).run(weeks=(week,)).exit_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, WEEKS)) == [0, 0]
    assert messages(verify(store)) == []


def test_nothing_is_wrong_with_an_empty_store(store: Store) -> None:
    assert verify(store).ok


@pytest.fixture
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('damaged') / 'finra.db'}") as store:
        yield store


def damage(store: Store, statement: str) -> None:
    """Change a database behind the library's back."""
    engine = create_engine(store.url.replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    engine.dispose()


OF_OTC = (
    f"partition_no = (SELECT partition_no FROM finra_otc_partitions WHERE tier = 'OTC' AND week_ending = '{WEEKS[1]}')"
)
DAMAGES = {
    "trades": (f"UPDATE finra_otc_row_versions SET trades = trades + 1 WHERE {OF_OTC}", ProblemKind.RECORDS),
    "dropped rows": (f"DELETE FROM finra_otc_row_versions WHERE {OF_OTC}", ProblemKind.RECORDS),
    "ended rows": (
        f"UPDATE finra_otc_row_versions SET to_capture = from_capture WHERE {OF_OTC}",
        ProblemKind.ROW_VERSIONS,
    ),
    "orphans": (
        f"UPDATE finra_otc_row_versions SET security_no = security_no + 9000 WHERE {OF_OTC}",
        ProblemKind.ORPHAN,
    ),
    "hash": ("UPDATE core_captures SET content_hash = 'x' WHERE tier = 'OTC'", ProblemKind.CONTENT_HASH),
    "count": ("UPDATE core_captures SET row_count = row_count + 1 WHERE tier = 'OTC'", ProblemKind.COUNTS),
    "visibility": ("UPDATE core_captures SET normalized_at = '2026-01-01T00:00:00.000000Z'", ProblemKind.CHANGED),
    "analytics": ("UPDATE finra_otc_analyses SET hhi = hhi / 2 WHERE tier = 'OTC'", ProblemKind.ANALYTICS),
    "share": ("UPDATE finra_otc_analysis_venues SET share = share / 2", ProblemKind.ANALYTICS),
    "across": ("UPDATE finra_otc_analyses SET trades = trades + 1 WHERE tier = 'ALL'", ProblemKind.ANALYTICS),
    "coverage": ("UPDATE core_capture_coverage SET venues = venues + 1", ProblemKind.COVERAGE),
    "manifest": ("DELETE FROM core_manifest WHERE stage = 'CALC'", ProblemKind.MANIFEST),
    "decision": ("UPDATE core_decisions SET reason = 'because'", ProblemKind.CHANGED),
    "dropped decisions": ("DELETE FROM core_decisions WHERE tier = 'OTC'", ProblemKind.DROPPED),
    "anomaly": ("UPDATE core_anomalies SET message = 'all is well'", ProblemKind.CHANGED),
    "judgment": ("UPDATE core_data_readiness SET is_ready = NOT is_ready", ProblemKind.COPY),
    "run": ("UPDATE core_runs SET exit_code = 1", ProblemKind.CHANGED),
    "chain": ("UPDATE core_chain SET subject = '[]' WHERE seq = 2", ProblemKind.CHAIN),
    "end of the chain": ("DELETE FROM core_chain WHERE seq = (SELECT max(seq) FROM core_chain)", ProblemKind.ADDED),
}


@pytest.fixture(scope="module")
def lived_in(postgres: Server) -> Iterator[str]:
    """The name of a PostgreSQL database with a sound history, to be copied."""
    name = postgres.new_database()
    with open_store(postgres.url(name)) as store:
        live(store, 3)
        Bench(store, World(seed=3, symbols=3, ats=2, firms=2, restatement_rate=0.0), Clock(START)).run(weeks=WEEKS)
        assert verify(store).ok
    yield name
    postgres.drop_database(name)


@pytest.mark.parametrize(("statement", "kind"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_on_postgresql_too(postgres: Server, lived_in: str, statement: str, kind: ProblemKind) -> None:
    name = postgres.new_database(lived_in)
    with open_store(postgres.url(name)) as store:
        damage(store, statement)
        found = verify(store)
    postgres.drop_database(name)
    assert not found.ok
    assert kind in {each.kind for each in found.problems}, messages(found)


def test_a_capture_put_past_the_chain_is_named(store: Store) -> None:
    with store.write(Scope.partition(T1)) as unit:
        unit.put_capture(new_capture(), payload())
    found = verify(store)
    assert ProblemKind.ADDED in {each.kind for each in found.problems}
    assert any("is not in the chain" in message for message in messages(found))


def test_what_was_not_asked_for_is_counted(store: Store) -> None:
    bench = live(store, 5)
    with store.read() as view:
        captures = view.captures()
    drawn = VerifyRequest(sample=1, seed=7)
    found = verify(store, drawn)
    assert (found.checked.captures, found.checked.of_captures) == (1, len(captures))
    left = f"{len(captures) - 1} of {len(captures)} captures were not asked for (drawn with seed 7)"
    assert left in found.notes
    assert drawn.select(captures) == VerifyRequest(sample=1, seed=7).select(captures)
    otc = VerifyRequest(weeks=frozenset(WEEKS[1:]), tiers=(Tier.OTC,)).select(captures)
    assert {capture.partition for capture in otc} <= {OTC}
    assert VerifyRequest(since=bench.clock() + timedelta(days=1)).select(captures) == []


def test_a_verification_goes_on_where_another_stopped(store: Store) -> None:
    live(store, 5)
    done: list[CheckedCapture] = []

    def stop(checked: CheckedCapture) -> None:
        done.append(checked)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(store, on_capture=stop)
    later: list[CheckedCapture] = []
    whole = verify(store)
    assert verify(store, VerifyRequest(done=tuple(done)), on_capture=later.append) == whole
    assert len(later) == whole.checked.captures - 2


def test_several_workers_find_the_same(store: Store) -> None:
    live(store, 5)
    with ThreadPoolExecutor(2) as executor:
        assert verify(store, executor=executor, workers=2) == verify(store)


def criticals(store: Store) -> list[str]:
    with store.read() as view:
        found = view.anomalies(AnomalyQuery(severities=frozenset({Severity.CRITICAL}), open_only=True))
    return sorted(str(record.anomaly.scope) for record in found)


def test_damage_blocks_its_week_until_it_is_mended(sqlite: Store) -> None:
    bench = Bench(sqlite, World(symbols=3, ats=2, firms=2, restatement_rate=0.0), Clock(START))
    bench.run(weeks=WEEKS)
    assert [readiness_of(sqlite)[week].is_ready for week in WEEKS] == [True, True]
    with sqlite.read() as view:
        assert not needs_record(view, verify(sqlite))

    damage(sqlite, f"UPDATE finra_otc_row_versions SET trades = trades + 1 WHERE {OF_OTC}")
    bench.clock.forward(hours=1)
    record_damage(sqlite, VerifyRequest(), verify(sqlite), bench.clock())
    assert criticals(sqlite) == [f"{WEEKS[1]} / OTC"]
    assert [readiness_of(sqlite)[week].is_ready for week in WEEKS] == [True, False]

    damage(sqlite, f"UPDATE finra_otc_row_versions SET trades = trades - 1 WHERE {OF_OTC}")
    bench.clock.forward(hours=1)
    elsewhere = VerifyRequest(weeks=frozenset(WEEKS[:1]))
    record_damage(sqlite, elsewhere, verify(sqlite, elsewhere), bench.clock())
    assert criticals(sqlite) == [f"{WEEKS[1]} / OTC"], "another week says nothing about this one"
    found = verify(sqlite)
    with sqlite.read() as view:
        assert needs_record(view, found)
    record_damage(sqlite, VerifyRequest(), found, bench.clock())
    assert criticals(sqlite) == []
    assert [readiness_of(sqlite)[week].is_ready for week in WEEKS] == [True, True]
    assert verify(sqlite).ok


def test_a_run_does_not_resolve_damage(sqlite: Store) -> None:
    bench = Bench(sqlite, World(symbols=3, ats=2, firms=2, restatement_rate=0.0), Clock(START))
    bench.run(weeks=WEEKS)
    damage(sqlite, "UPDATE core_chain SET subject = '[]' WHERE seq = 2")
    record_damage(sqlite, VerifyRequest(), verify(sqlite), bench.clock())
    bench.clock.forward(days=1)
    bench.run(weeks=WEEKS)
    assert criticals(sqlite)


def test_amcheck_is_used_where_it_is_installed(postgres: Server, postgres_database: str) -> None:
    with open_store(postgres.url(postgres_database)) as store:
        live(store, 1)
        assert any("amcheck" in note for note in verify(store).notes)
        with suppress(ConfigurationError):
            engine = create_engine(store.url.replace("postgresql:", "postgresql+psycopg:", 1))
            with engine.begin() as connection:
                if not connection.execute(
                    text("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'")
                ).scalar():
                    pytest.skip("this server comes without amcheck")
                connection.execute(text("CREATE EXTENSION amcheck"))
            engine.dispose()
        found = verify(store)
        assert (messages(found), found.notes) == ([], ())
        assert _captures(store)


def _captures(store: Store) -> int:
    with store.read() as view:
        return len(view.captures(CaptureQuery()))
