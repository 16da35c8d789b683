"""What a capture lacks, against the partition's last complete capture and the tier's recent weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.captures import Capture
from finra_core.domain.completeness import (
    DEFAULT_BOUNDS,
    CoverageBounds,
    Measure,
    Shortfall,
    recent_captures,
    shortfalls,
)
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import Half
from support.captures import WEEK, a_capture

WHOLE = (5_000, 40, 2_000, 10**12)
"""Rows, venues, symbols and micro-shares of each half."""


def covering(number: int, ats: Sequence[int] = WHOLE, non_ats: Sequence[int] = WHOLE) -> Capture:
    names = ("rows", "venues", "symbols", "shares_micros")
    counts = {Half.ATS: ats, Half.NON_ATS: non_ats}
    halves = [HalfCoverage(half=half, **dict(zip(names, own, strict=True))) for half, own in counts.items()]
    return evolve(a_capture(number, normalized=True), coverage=tuple(halves))


def part(fraction: float) -> tuple[int, ...]:
    return tuple(int(count * fraction) for count in WHOLE)


def measures(found: Sequence[Shortfall]) -> list[tuple[str, str]]:
    return [(each.half.value, each.measure.value) for each in found]


def test_a_first_capture_has_nothing_to_be_compared_with() -> None:
    assert shortfalls([covering(1, part(0.01))], []) == ()


def test_captures_without_records_are_not_looked_at() -> None:
    assert shortfalls([], []) == shortfalls([a_capture(1)], []) == ()
    assert shortfalls([covering(1), a_capture(2)], []) == ()


def test_an_equal_or_larger_capture_lacks_nothing() -> None:
    assert shortfalls([covering(1), covering(2), covering(3, part(2))], []) == ()


def test_a_lost_half_is_named_once() -> None:
    [lost] = shortfalls([covering(1), covering(2, non_ats=(0, 0, 0, 0))], [])
    assert (lost.half, lost.measure, lost.found, lost.expected) == (Half.NON_ATS, Measure.ROWS, 0, 5_000)
    assert lost.lost_half
    assert lost.reference == covering(1)


def test_a_truncated_half_falls_short_in_every_measure_that_shrank() -> None:
    """59 of 5,328 rows of a week that was downloaded again."""
    before = covering(1, ats=(5_328, 40, 2_000, 10**12))
    after = covering(2, ats=(59, 4, 30, 10**9))
    found = shortfalls([before, after], [])
    assert measures(found) == [("ATS", "rows"), ("ATS", "venues"), ("ATS", "symbols"), ("ATS", "shares")]
    assert not any(each.lost_half for each in found)


def test_venues_alone_may_fall_short() -> None:
    """12 of 40 venues are left."""
    assert measures(shortfalls([covering(1), covering(2, ats=(5_000, 12, 2_000, 10**12))], [])) == [("ATS", "venues")]


def test_a_bound_is_the_least_that_passes() -> None:
    bounds = CoverageBounds(slack={})
    least = (4_750, 36, 1_900, int(10**12 * DEFAULT_BOUNDS.previous[Measure.SHARES]))
    assert shortfalls([covering(1), covering(2, ats=least)], [], bounds) == ()
    less = [count - 1 for count in least]
    found = shortfalls([covering(1), covering(2, ats=less)], [], bounds)
    assert measures(found) == [("ATS", "rows"), ("ATS", "venues"), ("ATS", "symbols"), ("ATS", "shares")]


def test_a_few_rows_may_be_missing_whatever_their_fraction() -> None:
    small = (30, 5, 12, 10**6)
    assert shortfalls([covering(1, small), covering(2, (10, 3, 2, 10**5))], []) == ()
    assert shortfalls([covering(1, small), covering(2, (9, 3, 2, 10**5))], []) != ()


def test_a_capture_that_shrank_is_no_reference_for_the_next_one() -> None:
    small = covering(2, part(0.1))
    found = shortfalls([covering(1), small, covering(3, part(0.1))], [])
    assert {each.reference for each in found} == {covering(1)}
    assert shortfalls([covering(1), small, covering(3)], []) == ()


def test_a_capture_that_a_person_accepted_lacks_nothing_and_is_a_reference() -> None:
    captures = [covering(1), covering(2, part(0.1))]
    assert shortfalls(captures, [], accepted={2}) == ()
    assert shortfalls([*captures, covering(3, part(0.1))], [], accepted={2}) == ()


def test_a_first_capture_is_compared_with_the_tiers_recent_weeks() -> None:
    recent = [covering(number) for number in range(10, 14)]
    found = shortfalls([covering(1, ats=(2_499, 27, 1_199, 10**11))], recent)
    assert measures(found) == [("ATS", "rows"), ("ATS", "venues"), ("ATS", "symbols"), ("ATS", "shares")]
    assert {each.reference for each in found} == {None}
    assert [each.expected for each in found] == list(WHOLE)


def test_with_few_recent_weeks_there_is_no_comparison() -> None:
    recent = [covering(number) for number in range(10, 13)]
    assert shortfalls([covering(1, part(0.1))], recent) == ()


def test_recent_weeks_without_the_half_do_not_count() -> None:
    recent = [covering(number, ats=(0, 0, 0, 0)) for number in range(10, 18)]
    assert shortfalls([covering(1, part(0.01))], recent) == ()


def test_one_odd_week_among_the_recent_ones_changes_nothing() -> None:
    recent = [covering(10, part(50)), *(covering(number) for number in range(11, 15))]
    assert shortfalls([covering(1)], recent) == ()


counts = st.tuples(st.integers(0, 9_000), st.integers(0, 60), st.integers(0, 4_000), st.integers(0, 10**13))


@given(counts, counts, counts, st.sampled_from(Measure))
def test_a_stricter_bound_finds_as_much_or_more(
    before: tuple[int, ...], ats: tuple[int, ...], non_ats: tuple[int, ...], measure: Measure
) -> None:
    captures = [covering(1, before, before), covering(2, ats, non_ats)]
    strict = CoverageBounds(previous={**DEFAULT_BOUNDS.previous, measure: 1.0})
    assert set(measures(shortfalls(captures, []))) <= set(measures(shortfalls(captures, [], strict)))


@given(counts, counts)
def test_what_is_said_to_be_missing_is_missing(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    names = dict(zip(("rows", "venues", "symbols", "shares"), range(4), strict=True))
    for each in shortfalls([covering(1, before, before), covering(2, after, after)], []):
        place = names[each.measure.value]
        assert (each.found, each.expected) == (after[place], before[place])
        assert each.found < each.expected


@pytest.mark.parametrize("least", [-0.1, 1.1])
def test_a_bound_is_a_fraction(least: float) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        CoverageBounds(previous={Measure.ROWS: least})


def test_recent_weeks_are_those_just_before_newest_first() -> None:
    weeks = [WEEK - timedelta(weeks=back) for back in (0, 1, 3, 8, 9)]
    newest = {week: a_capture(i) for i, week in enumerate(weeks)}
    assert [capture.number for capture in recent_captures(newest, WEEK, DEFAULT_BOUNDS)] == [1, 2, 3]
    assert recent_captures({date(2026, 1, 2): a_capture()}, WEEK, DEFAULT_BOUNDS) == []
