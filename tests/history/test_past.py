"""What was known when, and what changed in between: against the simulated FINRA's truth, on every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import pytest

from finra_core import (
    Capture,
    CaptureQuery,
    ConfigurationError,
    Partition,
    ReadView,
    Store,
    Tier,
    open_store,
)
from finra_core.domain.records import Record, venue_identity
from finra_core.history.asof import as_of, judgments_as_of, nth_release, releases
from finra_core.history.choosing import choose, last_two
from finra_core.history.diff import diff
from finra_core.history.impact import impact
from finra_core.history.restatements import restatements
from finra_core.history.vintages import Instant, end_of_day, parse_when
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, as_record
from support.harness import Record as Row

START = datetime(2025, 12, 16, 12, tzinfo=timezone.utc)
WEEK = date(2025, 11, 14)
OTC, T1 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_1)
DAYS = 12
EVENTS = (
    Restatement(OTC, START + timedelta(days=2), changed=2, added=1),
    Restatement(OTC, START + timedelta(days=5), changed=0, withdrawn=2),
    Restatement(T1, START + timedelta(days=7), changed=1),
    Restatement(OTC, START + timedelta(days=9), restores=True),
)
WORLD = World(seed=4, symbols=12, ats=4, firms=4, restatement_rate=0.0, events=EVENTS)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store after twelve daily runs over one week, with an answer of each day kept aside."""
    with open_store(store_url) as opened:
        bench = Bench(opened, WORLD, Clock(START))
        for _ in range(DAYS):
            bench.run(weeks=(WEEK,))
            bench.clock.forward(days=1)
        yield opened


def truth(partition: Partition, at: datetime) -> list[Row]:
    return sorted(map(as_record, WORLD.rows(partition, at)))


def rows(view: ReadView, capture: Capture) -> list[Record]:
    return sorted(view.records(capture).rows())


def test_as_of_a_day_is_what_finra_showed_at_that_days_run(store: Store) -> None:
    with store.read() as view:
        for day in range(DAYS):
            run = START + timedelta(days=day)
            known = as_of(view, end_of_day(run.date()), tiers=[Tier.OTC])
            (capture,) = known.captures
            assert rows(view, capture) == truth(OTC, run), f"day {day}"


def test_before_the_first_run_nothing_was_known_and_the_answer_says_since_when_something_is(store: Store) -> None:
    with store.read() as view:
        known = as_of(view, START - timedelta(days=1))
    assert known.captures == ()
    assert known.begins is not None
    assert known.begins.date() == START.date()


def test_no_later_capture_changes_an_answer_about_the_past(store_url: str) -> None:
    answers = {}
    with open_store(store_url) as store:
        bench = Bench(store, WORLD, Clock(START))
        for _ in range(DAYS):
            bench.run(weeks=(WEEK,))
            at = bench.clock.forward(hours=12)
            with store.read() as view:
                answers[at] = [str(capture) for capture in as_of(view, at).captures], judgments_as_of(view, at)
            bench.clock.forward(hours=12)
        with store.read() as view:
            for at, answer in answers.items():
                now = [str(capture) for capture in as_of(view, at).captures], judgments_as_of(view, at)
                assert now == answer, at


def test_releases_are_the_captures_in_their_order(store: Store) -> None:
    with store.read() as view:
        assert len(releases(view, OTC)) == 4
        assert len(releases(view, T1)) == 2
        assert [c.partition.tier for c in nth_release(view, 2)] == [Tier.NMS_TIER_1, Tier.OTC]
        assert nth_release(view, -1) == view.captures(CaptureQuery(newest=True))
        with pytest.raises(ConfigurationError, match="the first release is 1"):
            nth_release(view, 0)


def applied(before: list[Record], view: ReadView, one: Capture, other: Capture) -> list[Record]:
    """These rows with the changes between two captures made by hand."""
    held = {(row.security, venue_identity(row.venue)): row for row in before}
    found = diff(view, one, other).rows
    for row in found:
        if row.before is not None:
            del held[row.before.security, venue_identity(row.before.venue)]
    for row in found:
        if row.after is not None:
            held[row.after.security, venue_identity(row.after.venue)] = row.after
    return sorted(held.values())


def test_a_difference_applied_to_one_side_gives_the_other_whichever_way(store: Store) -> None:
    with store.read() as view:
        captures = releases(view, OTC)
        for one in captures:
            for other in captures:
                assert applied(rows(view, one), view, one, other) == rows(view, other)
                assert bool(diff(view, one, other).rows) == (rows(view, one) != rows(view, other))


def test_the_summary_counts_what_the_script_did(store: Store) -> None:
    with store.read() as view:
        first, second, third, fourth = releases(view, OTC)
        added = diff(view, first, second).summary
        withdrawn = diff(view, second, third).summary
        assert diff(view, second, fourth).summary.shares_before == diff(view, second, fourth).summary.shares_after
    assert (added.added, added.changed, added.withdrawn, added.renamed) == (1, 2, 0, 0)
    assert (withdrawn.added, withdrawn.changed, withdrawn.withdrawn, withdrawn.renamed) == (0, 0, 2, 0)
    shares = [sum(row[2] for row in truth(OTC, START + timedelta(days=day))) for day in (0, 3)]
    assert [added.shares_before, added.shares_after] == shares


def test_the_impact_is_the_difference_of_the_stored_analytics(store: Store) -> None:
    with store.read() as view:
        before, after = releases(view, OTC)[:2]
        found = impact(view, diff(view, before, after))
        stored = {analysis.inputs: analysis for analysis in view.analyses([WEEK])}
    old, new = stored[before.number,], stored[after.number,]
    assert (found.hhi_before, found.hhi_after) == (old.hhi, new.hhi)
    assert (found.hhi_upper_before, found.hhi_upper_after) == (old.hhi_upper, new.hhi_upper)
    assert (found.shares_before, found.shares_after) == (old.shares_micros, new.shares_micros)
    moved = sum(venue.shares_after - venue.shares_before for venue in found.venues)
    assert moved == new.shares_micros - old.shares_micros
    sizes = [
        abs((c.after.shares_micros if c.after else 0) - (c.before.shares_micros if c.before else 0))
        for c in found.causes
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_the_ledger_has_each_restatement_once_latest_first(store: Store) -> None:
    with store.read() as view:
        ledger = restatements(view)
        since = restatements(view, since=(START + timedelta(days=6)).date())
        otc = restatements(view, tiers=[Tier.OTC])
    assert [each.partition for each in ledger] == [OTC, T1, OTC, OTC]
    assert ledger[:2] == since
    assert len(otc) == 3
    # Published on Monday 2025-12-15; the changed rows are dated two days after the first run, a Tuesday.
    assert otc[-1].days_late == 3
    symbol = otc[-1].changes[0].key[0].symbol
    with store.read() as view:
        own = restatements(view, symbol=symbol)
    assert {change.key[0].symbol for each in own for change in each.changes} == {symbol}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-12-30", datetime(2025, 12, 30, 23, 59, 59, 999999, tzinfo=timezone.utc)),
        ("2025-12-30T10:30:00Z", datetime(2025, 12, 30, 10, 30, tzinfo=timezone.utc)),
        ("2025-12-30T10:30:00+01:00", datetime(2025, 12, 30, 9, 30, tzinfo=timezone.utc)),
    ],
)
def test_a_day_means_all_of_it_and_an_instant_itself(text: str, at: datetime) -> None:
    assert parse_when(text) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2025-02-30", "2025-12-30T10:30:00", "10:30Z", "2025-12-30TZ"])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="give 2025-12-30 or 2025-12-30T10:30:00Z"):
        parse_when(text)


def test_captures_are_chosen_by_name_by_day_and_by_place(store: Store) -> None:
    with store.read() as view:
        first, second, *_rest, latest = releases(view, OTC)
        assert choose(view, OTC, "first") == first
        assert choose(view, OTC, "latest") == latest
        assert choose(view, OTC, str(second)) == second
        assert choose(view, OTC, (START + timedelta(days=3)).date().isoformat()) == second
        assert last_two(view, OTC)[1] == latest
        for named, message in [("2020-01-01", "nothing of .* was known"), ("a:b:c", "no capture 'a:b:c'")]:
            with pytest.raises(ConfigurationError, match=message):
                choose(view, OTC, named)
        with pytest.raises(ConfigurationError, match="has no capture with records"):
            choose(view, Partition(date(2020, 1, 3), Tier.OTC), "first")
