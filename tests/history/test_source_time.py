"""What FINRA had published by a day, by its own dates: against the simulated FINRA's truth on that day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from random import Random

import pytest

from finra_core import TIERS, Half, Partition, Store, Tier, open_store
from finra_core.domain.publication import publication_date
from finra_core.domain.records import Record, venue_identity
from finra_core.history.source_time import Basis, Published, PublishedState, published_by
from finra_simulator import Delay, LateHalf, Restatement, World
from support.harness import Bench, Clock, as_record

FIRST = date(2025, 5, 2)
WEEKS = tuple(FIRST + timedelta(weeks=i) for i in range(10))
BACKFILL = datetime(2026, 7, 6, 15, tzinfo=timezone.utc)
WORLD = World(seed=9, symbols=4, ats=3, firms=3, first_week=FIRST, restatement_rate=0.8, late_restatement_rate=0.6)
DAYS = [FIRST + timedelta(days=29 * i + 20) for i in range(13)]
Key = tuple[tuple[str, ...], tuple[str, ...]]


def end_of(day: date) -> datetime:
    """Midnight in New York; the simulator changes nothing at night."""
    return datetime.combine(day + timedelta(days=1), time(4), timezone.utc)


def rows_at(world: World, partition: Partition, at: datetime) -> set[Record]:
    return {Record(*row) for row in map(as_record, world.rows(partition, at))}  # type: ignore[arg-type]


def truth(world: World, partition: Partition, day: date) -> set[Record]:
    return rows_at(world, partition, end_of(day))


def key(row: Record) -> Key:
    (kind, mpid, crd, name) = row.venue
    return tuple(row.security), (kind, mpid, crd, name if kind == "DE_MINIMIS" else "")


def unknown_keys(found: Published) -> set[Key]:
    return {(tuple(row.security), tuple(venue_identity(row.venue))) for row in found.unknown}


def check(world: World, found: Published) -> None:
    """What is shown as known is the truth; what else was there is marked, unless the capture no longer has it."""
    true, shown = truth(world, found.partition, found.day), set(found.records.rows())
    assert shown <= true, f"look-ahead in {found.partition} on {found.day}"
    assert len(shown) == len(found.records)
    kept = {key(row) for row in rows_at(world, found.partition, found.capture.captured_at)}
    missing = {key(row) for row in true - shown}
    assert {each for each in missing if each in kept} <= unknown_keys(found)
    assert not {key(row) for row in shown} & unknown_keys(found)


@pytest.fixture(scope="module")
def backfilled(new_store_url: str) -> Iterator[Store]:
    """A store that one run has filled with weeks that FINRA restated for a year."""
    with open_store(new_store_url) as store:
        Bench(store, WORLD, Clock(BACKFILL)).run(weeks=WEEKS)
        yield store


def test_a_backfill_has_no_look_ahead_and_knows_its_unknowns(backfilled: Store) -> None:
    states = set()
    unknown = 0
    with backfilled.read() as view:
        for day in DAYS:
            for found in published_by(view, day):
                check(WORLD, found)
                assert found.basis is Basis.DATES
                assert (found.state is PublishedState.NOT_PUBLISHED) == (not truth(WORLD, found.partition, day))
                states.add(found.state)
                unknown += len(found.unknown)
    assert states == {PublishedState.PUBLISHED, PublishedState.NOT_PUBLISHED}
    assert unknown > 50, "the world has restatements to be unknown"


def test_before_its_publication_no_row_of_a_partition_is_unknown(backfilled: Store) -> None:
    with backfilled.read() as view:
        for tier in TIERS:
            due = publication_date(Partition(FIRST, tier))
            (eve,) = published_by(view, due - timedelta(days=1), weeks=[FIRST], tiers=[tier])
            (day,) = published_by(view, due, weeks=[FIRST], tiers=[tier])
            assert (eve.state, len(eve.records), eve.unknown) == (PublishedState.NOT_PUBLISHED, 0, ())
            assert day.state is PublishedState.PUBLISHED
            assert len(day.records) > 0


def test_a_restated_row_says_when_and_not_what(backfilled: Store) -> None:
    with backfilled.read() as view:
        for found in published_by(view, DAYS[5]):
            for row in found.unknown:
                assert row.restated_on is not None
                assert row.restated_on > DAYS[5]
                assert not hasattr(row, "shares_micros")


WEEK = date(2025, 11, 14)
OTC, T1 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_1)
START = datetime(2025, 12, 16, 15, tzinfo=timezone.utc)
WATCHED = World(
    seed=4,
    symbols=8,
    ats=3,
    firms=3,
    restatement_rate=0.0,
    events=(
        Restatement(OTC, START + timedelta(days=2), changed=2, added=1),
        Restatement(OTC, START + timedelta(days=5), changed=1, withdrawn=2),
        Restatement(T1, START + timedelta(days=7, hours=2), changed=3),
    ),
)
RUNS = (0, 1, 3, 4, 6, 8, 9)
"""Days after the start. On some days between nobody looked."""


def test_an_own_capture_of_that_day_knows_every_row_and_no_later_run_changes_the_answer(store_url: str) -> None:
    settled: dict[tuple[Partition, date], object] = {}
    bases = set()
    with open_store(store_url) as store:
        bench = Bench(store, WATCHED, Clock(START))
        for run in RUNS:
            bench.clock.now = START + timedelta(days=run)
            bench.run(weeks=(WEEK,))
            with store.read() as view:
                for day in (START.date() + timedelta(days=i) for i in range(-1, 11)):
                    for found in published_by(view, day):
                        answer = found.basis, found.capture.number, list(found.records.rows()), found.unknown
                        place = found.partition, day
                        assert settled.get(place, answer) == answer, place
                        bases.add(found.basis)
                        if found.basis is not Basis.UNSETTLED:
                            settled[place] = answer
                            check(WATCHED, found)
                        if found.basis is Basis.CAPTURE:
                            assert set(found.records.rows()) == truth(WATCHED, found.partition, day)
                            assert not found.unknown
    assert bases == set(Basis)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_so_it_is_in_any_world_and_whenever_somebody_looks(seed: int) -> None:
    """Restatements are drawn, those that withdraw rows and that come late too, and runs come on random days."""
    chance = Random(seed)
    first = date(2025, 6, 6)
    world = World(seed=seed, symbols=3, ats=2, firms=2, first_week=first, restatement_rate=1, late_restatement_rate=0.8)
    weeks = [first + timedelta(weeks=i) for i in range(3)]
    settled: dict[tuple[Partition, date], object] = {}
    with open_store("memory:") as store:
        bench = Bench(store, world, Clock(datetime(2025, 7, 20, 15, tzinfo=timezone.utc)))
        for _ in range(14):
            bench.clock.forward(days=chance.choice([1, 1, 2, 5, 40]), hours=chance.randint(0, 23))
            bench.run(weeks=tuple(weeks))
            days = [first + timedelta(days=chance.randint(10, 420)) for _ in range(25)]
            with store.read() as view:
                for day in [*days, *{place[1] for place in settled}]:
                    for found in published_by(view, day):
                        if found.basis is Basis.UNSETTLED:
                            continue
                        answer = found.basis, found.capture.number, list(found.records.rows()), found.unknown
                        assert settled.setdefault((found.partition, day), answer) == answer
                        check(world, found)
                        if found.basis is Basis.CAPTURE:
                            assert set(found.records.rows()) == truth(world, found.partition, day)
    assert settled


def test_a_row_withdrawn_between_two_captures_is_marked(store_url: str) -> None:
    """Nobody looked on the day after which it was gone."""
    with open_store(store_url) as store:
        bench = Bench(store, WATCHED, Clock(START + timedelta(days=4)))
        bench.run(weeks=(WEEK,))
        bench.clock.forward(days=3)
        bench.run(weeks=(WEEK,))
        day = START.date() + timedelta(days=4)
        with store.read() as view:
            (found,) = published_by(view, day, tiers=[Tier.OTC])
    gone = {key(row) for row in truth(WATCHED, OTC, day)} - {key(row) for row in truth(WATCHED, OTC, BACKFILL.date())}
    assert len(gone) == 2
    assert {(tuple(r.security), tuple(venue_identity(r.venue))) for r in found.unknown if r.restated_on is None} == gone


def test_a_partition_that_came_late_is_unknown_and_not_unpublished() -> None:
    late = World(symbols=4, ats=2, firms=2, events=(Delay(OTC, START + timedelta(days=6)),), restatement_rate=0.0)
    with open_store("memory:") as store:
        Bench(store, late, Clock(START + timedelta(days=30))).run(weeks=(WEEK,))
        with store.read() as view:
            (found,) = published_by(view, publication_date(OTC) - timedelta(days=1), tiers=[Tier.OTC])
            assert (found.state, found.unknown) == (PublishedState.NOT_PUBLISHED, ())
            (found,) = published_by(view, publication_date(OTC), tiers=[Tier.OTC])
            assert found.state is PublishedState.UNKNOWN
            assert len(found.unknown) == len(late.rows(OTC, START + timedelta(days=30)))
            (found,) = published_by(view, START.date() + timedelta(days=6), tiers=[Tier.OTC])
            assert (found.state, found.unknown) == (PublishedState.PUBLISHED, ())


def test_a_half_that_came_late_is_named() -> None:
    late = World(symbols=4, ats=2, firms=2, events=(LateHalf(OTC, START + timedelta(days=6)),), restatement_rate=0.0)
    with open_store("memory:") as store:
        Bench(store, late, Clock(START + timedelta(days=30))).run(weeks=(WEEK,))
        with store.read() as view:
            (found,) = published_by(view, START.date(), tiers=[Tier.OTC])
            check(late, found)
            assert found.unknown_halves == (Half.NON_ATS,)
            (found,) = published_by(view, START.date() + timedelta(days=6), tiers=[Tier.OTC])
            assert found.unknown_halves == ()
