"""What was known when, and what changed in between: against the simulated FINRA's truth, on every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from itertools import permutations
from typing import Any, cast

import pytest

from finra_core import (
    TIERS,
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
from finra_core.history.asof import analyses_as_of, as_of, judgments_as_of, nth_release, releases
from finra_core.history.choosing import choose, last_two
from finra_core.history.diff import diff
from finra_core.history.impact import impact
from finra_core.history.restatements import restatements
from finra_core.history.vintages import Instant, Release, end_of_day, parse_when
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


@pytest.fixture(scope="module")
def store(new_store_url: str) -> Iterator[Store]:
    """A store after twelve daily runs over one week. Tests only read it."""
    with open_store(new_store_url) as opened:
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


def sums(partition: Partition, at: datetime) -> tuple[dict[tuple[str, ...], int], int, Fraction, Fraction]:
    """Volume by venue, trades and the interval of HHI, added up from the simulator's rows."""
    volumes: dict[tuple[str, ...], int] = {}
    trades = 0
    for _security, (kind, mpid, crd, name), shares, count, _day in truth(partition, at):
        venue = (kind, mpid, crd, name if kind == "DE_MINIMIS" else "")
        volumes[venue] = volumes.get(venue, 0) + shares
        trades += count
    total = sum(volumes.values())
    named = {venue: shares for venue, shares in volumes.items() if venue[0] != "DE_MINIMIS"}
    rest = total - sum(named.values())
    largest = max((venue for venue in named if venue[0] == "NON_ATS"), key=lambda venue: named[venue])
    least = sum(Fraction(shares, total) ** 2 for shares in named.values())
    with_rest = {**named, largest: named[largest] + rest}
    return volumes, trades, Fraction(least), Fraction(sum(Fraction(s, total) ** 2 for s in with_rest.values()))


def test_the_impact_is_what_the_rows_add_up_to(store: Store) -> None:
    days = [0, 3, 6, 10]
    with store.read() as view:
        captures = releases(view, OTC)
        for (one, was), (other, becomes) in permutations(zip(captures, days, strict=True), 2):
            found = impact(view, diff(view, one, other))
            old, old_trades, old_hhi, old_upper = sums(OTC, START + timedelta(days=was))
            new, new_trades, new_hhi, new_upper = sums(OTC, START + timedelta(days=becomes))

            assert (found.shares_before, found.shares_after) == (sum(old.values()), sum(new.values()))
            assert (found.trades_before, found.trades_after) == (old_trades, new_trades)
            assert (found.hhi_before, found.hhi_after) == (float(old_hhi), float(new_hhi))
            assert (found.hhi_upper_before, found.hhi_upper_after) == (float(old_upper), float(new_upper))
            moved = {tuple(venue_identity(v.venue)): (v.shares_before, v.shares_after) for v in found.venues}
            for venue in old.keys() | new.keys():
                shares = old.get(venue, 0), new.get(venue, 0)
                assert moved.get(venue, (shares[0], shares[0])) == shares
            shares_of = {tuple(venue_identity(v.venue)): (v.share_before, v.share_after) for v in found.venues}
            for venue, pair in shares_of.items():
                fractions = (
                    Fraction(old.get(venue, 0), sum(old.values())),
                    Fraction(new.get(venue, 0), sum(new.values())),
                )
                assert pair == tuple(map(float, fractions))
            sizes = [abs(row.shares_delta) for row in found.causes]
            assert sizes == sorted(sizes, reverse=True)
            assert sum(row.shares_delta for row in found.causes) == found.shares_after - found.shares_before


def test_the_impact_needs_no_stored_analytics(store: Store) -> None:
    class Unanalyzed:
        def __init__(self, view: ReadView) -> None:
            self.view = view

        def __getattr__(self, name: str) -> Any:
            return getattr(self.view, name)

        def analyses(self, _weeks: object = None) -> list[Any]:
            return []

    with store.read() as view:
        found = diff(view, *releases(view, OTC)[:2])
        assert impact(cast("ReadView", Unanalyzed(view)), found) == impact(view, found)


def test_analytics_are_those_that_were_there_then(store: Store) -> None:
    with store.read() as view:
        for day in range(DAYS):
            run = START + timedelta(days=day)
            known = as_of(view, run + timedelta(hours=1), weeks=[WEEK])
            found = {analysis.tier: analysis for analysis in analyses_as_of(view, known)}
            assert list(found) == ["NMS_TIER_1", "NMS_TIER_2", "OTC", "ALL"]
            volumes, trades, hhi, upper = sums(OTC, run)
            own = found["OTC"]
            assert (own.shares_micros, own.trades) == (sum(volumes.values()), trades)
            assert (own.hhi, own.hhi_upper) == (float(hhi), float(upper))
            assert found["ALL"].shares_micros == sum(
                sum(row[2] for row in truth(Partition(WEEK, tier), run)) for tier in TIERS
            )


def test_analytics_of_a_release_rest_on_it_alone(store: Store) -> None:
    with store.read() as view:
        first, second, last = (as_of(view, Release(number)) for number in (1, 2, -1))
        assert [a.tier for a in analyses_as_of(view, first)] == ["NMS_TIER_1", "NMS_TIER_2", "OTC", "ALL"]
        # Tier 2 was never restated; nothing over all tiers rests on second releases alone.
        assert [a.tier for a in analyses_as_of(view, second)] == ["NMS_TIER_1", "OTC"]
        for known in (first, second, last):
            numbers = {capture.number for capture in known.captures}
            assert all(set(analysis.inputs) <= numbers for analysis in analyses_as_of(view, known))


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
    # Taken back, the rows bear their old dates again: the capture is of Thursday 2025-12-25.
    assert otc[0].days_late == 10
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
    when = parse_when(text)
    assert isinstance(when, Instant)
    assert when.at == at


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-12-30", "2025-12-30"),  # by FINRA's clock a date is FINRA's own day
        ("2025-12-30T12:00:00Z", "2025-12-29"),  # noon: only the day before is over in New York
        ("2025-12-30T04:59:59Z", "2025-12-28"),  # before midnight in New York
        ("2025-12-30T05:00:00Z", "2025-12-29"),
    ],
)
def test_of_finras_days_the_last_that_was_over_is_meant(text: str, day: str) -> None:
    when = parse_when(text)
    assert isinstance(when, Instant)
    assert when.finra_day.isoformat() == day


@pytest.mark.parametrize(("text", "number"), [("first", 1), ("latest", -1), ("release:2", 2), ("release:-2", -2)])
def test_a_release_has_a_number_from_either_end(text: str, number: int) -> None:
    assert parse_when(text) == Release(number)
    assert str(Release(number)) == text


@pytest.mark.parametrize("text", ["release:0", "release:", "release:x", "release:1.5"])
def test_a_number_that_no_release_has_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="release"):
        parse_when(text)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-02-30", "2025-12-30T10:30:00", "10:30Z", "2025-12-30TZ", "20251230"]
)
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="give 2025-12-30, 2025-12-30T10:30:00Z, first"):
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
