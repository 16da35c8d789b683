"""The bounds of docs/coverage.md, each at its edge, and what a person's word changes about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from attrs import evolve

from finra_core.domain.captures import Capture
from finra_core.domain.completeness import (
    DEFAULT_BOUNDS,
    CoverageBounds,
    Measure,
    Shortfall,
    shortfalls,
)
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Half, Tier
from support.captures import WEEK, a_capture

ROWS, VENUES, SYMBOLS, SHARES = Measure
MICROS = 1_000_000
NOTHING = HalfCoverage(half=Half.ATS, rows=0, venues=0, symbols=0, shares_micros=0)


def half(rows: int = 4_800, venues: int = 150, symbols: int = 2_400, shares: int = 9_000_000) -> HalfCoverage:
    return HalfCoverage(half=Half.ATS, rows=rows, venues=venues, symbols=symbols, shares_micros=shares * MICROS)


FIRMS = evolve(half(rows=900, venues=40), half=Half.NON_ATS)


def covering(number: int, ats: HalfCoverage, firms: HalfCoverage = FIRMS, week: date = WEEK) -> Capture:
    capture = a_capture(number, Partition(week, Tier.OTC), normalized=True)
    return evolve(capture, coverage=(evolve(ats, half=Half.ATS), evolve(firms, half=Half.NON_ATS)))


def measures(found: Sequence[Shortfall]) -> list[Measure]:
    return [each.measure for each in found]


WHOLE = covering(1, half())


# Against the capture before ---------------------------------------------------------------------------


def test_the_documents_45_of_150_venues_are_a_shortfall() -> None:
    found = shortfalls([WHOLE, covering(2, half(venues=45))], [])
    assert found == (Shortfall(Half.ATS, VENUES, 45, 150, WHOLE),)


def test_a_real_download_that_was_cut_off_lacks_something_of_all_measures() -> None:
    """59 of the 5,328 rows of FINRA's OTC week of 2025-11-10: docs/coverage.md."""
    whole = covering(1, half(5_328, 9, 3_111, 1_335_995_901), firms=NOTHING)
    cut_off = covering(2, half(59, 4, 30, 13_920_647), firms=NOTHING)
    assert measures(shortfalls([whole, cut_off], [])) == [ROWS, VENUES, SYMBOLS, SHARES]


@pytest.mark.parametrize("lost", Half)
def test_a_half_that_is_gone_is_one_shortfall_that_says_so(lost: Half) -> None:
    halves = {Half.ATS: half(), Half.NON_ATS: FIRMS} | {lost: NOTHING}
    [found] = shortfalls([WHOLE, covering(2, halves[Half.ATS], halves[Half.NON_ATS])], [])
    rows = {Half.ATS: 4_800, Half.NON_ATS: 900}[lost]
    assert (found, found.lost_half) == (Shortfall(lost, ROWS, 0, rows, WHOLE), True)


def test_a_half_of_a_single_row_can_be_lost_too() -> None:
    one_row = covering(1, half(1, 1, 1, 5))
    [found] = shortfalls([one_row, covering(2, NOTHING)], [])
    assert found.lost_half


def test_a_half_that_never_was_there_is_not_lost() -> None:
    assert shortfalls([covering(1, NOTHING), covering(2, NOTHING)], []) == ()


def test_a_half_that_comes_later_is_no_loss_of_the_other() -> None:
    assert shortfalls([covering(1, half(), NOTHING), WHOLE], []) == ()


# Each measure with its bound as docs/coverage.md has it, in a half where no slack matters.
BOUNDS = [(ROWS, "rows", 95), (VENUES, "venues", 90), (SYMBOLS, "symbols", 95), (SHARES, "shares", 50)]


@pytest.mark.parametrize(("measure", "name", "percent"), BOUNDS)
def test_a_measure_may_fall_to_its_bound_and_not_below(measure: Measure, name: str, percent: int) -> None:
    large = {"rows": 100_000, "venues": 100_000, "symbols": 100_000, "shares": 100_000}
    before = covering(1, half(**large))
    at_bound, below = ({**large, name: percent * 1_000 - missing} for missing in (0, 1))
    assert shortfalls([before, covering(2, half(**at_bound))], []) == ()
    assert measures(shortfalls([before, covering(2, half(**below))], [])) == [measure]


@pytest.mark.parametrize(
    ("measure", "name", "slack"), [(ROWS, "rows", 20), (VENUES, "venues", 2), (SYMBOLS, "symbols", 10)]
)
def test_in_a_small_half_a_few_may_be_missing_whatever_their_fraction(measure: Measure, name: str, slack: int) -> None:
    small = {"rows": 50, "venues": 25, "symbols": 25, "shares": 1_000}
    before = covering(1, half(**small))
    within, beyond = ({**small, name: small[name] - slack - more} for more in (0, 1))
    assert shortfalls([before, covering(2, half(**within))], []) == ()
    assert measures(shortfalls([before, covering(2, half(**beyond))], [])) == [measure]


@pytest.mark.parametrize(("rows", "found"), [(20, []), (21, [SHARES])])
def test_the_volume_of_a_half_of_few_rows_is_not_judged(rows: int, found: list[Measure]) -> None:
    before, after = (covering(number, half(rows, 5, 5, shares)) for number, shares in ((1, 1_000), (2, 1)))
    assert measures(shortfalls([before, after], [])) == found


def test_bounds_are_the_users() -> None:
    bounds = CoverageBounds(previous={Measure.ROWS: 0.5}, slack={})
    before = covering(1, half(100))
    assert shortfalls([before, covering(2, half(50, 1, 1, 1))], [], bounds) == ()
    assert measures(shortfalls([before, covering(2, half(49, 1, 1, 1))], [], bounds)) == [ROWS]


def test_each_capture_that_passes_is_the_reference_for_the_next() -> None:
    """FINRA may withdraw a venue now and then: what passed once is not held against the next."""
    captures = [covering(number, half(venues=count)) for number, count in enumerate((150, 140, 130), start=1)]
    assert shortfalls(captures, []) == ()
    assert measures(shortfalls([captures[0], captures[2]], [])) == [VENUES]


def test_a_capture_without_records_yet_is_not_judged_and_is_no_reference() -> None:
    raw = a_capture(2)
    assert shortfalls([raw], []) == ()
    assert shortfalls([WHOLE, raw], []) == ()
    assert shortfalls([WHOLE, raw, covering(3, half(venues=45))], [])[0].reference == WHOLE


# A person's word --------------------------------------------------------------------------------------


def test_an_accepted_capture_lacks_nothing() -> None:
    assert shortfalls([WHOLE, covering(2, half(venues=45))], [], accepted={2}) == ()


def test_an_accepted_capture_is_the_reference_for_the_next() -> None:
    accepted = covering(2, half(venues=45))
    assert shortfalls([WHOLE, accepted, covering(3, half(venues=43))], [], accepted={2}) == ()
    assert shortfalls([WHOLE, accepted, covering(3, half(venues=10))], [], accepted={2}) == (
        Shortfall(Half.ATS, VENUES, 10, 45, accepted),
    )


def test_what_was_accepted_of_one_capture_is_not_accepted_of_the_next() -> None:
    captures = [WHOLE, covering(2, half(venues=45)), covering(3, half(venues=10))]
    assert shortfalls(captures, [], accepted={2}) != ()
    assert shortfalls(captures[:2], [], accepted={3}) != ()


# Against recent weeks ---------------------------------------------------------------------------------


def weeks_before(count: int, make: Callable[[int], HalfCoverage] = lambda _back: half()) -> list[Capture]:
    return [covering(100 + back, make(back), week=WEEK - timedelta(weeks=back)) for back in range(1, count + 1)]


def test_a_first_capture_is_compared_with_the_recent_weeks_of_its_tier() -> None:
    found = shortfalls([covering(1, half(venues=45))], weeks_before(8))
    assert found == (Shortfall(Half.ATS, VENUES, 45, 150, None),)


RECENT_BOUNDS = [(ROWS, "rows", 50), (VENUES, "venues", 70), (SYMBOLS, "symbols", 60), (SHARES, "shares", 20)]


@pytest.mark.parametrize(("measure", "name", "percent"), RECENT_BOUNDS)
def test_a_week_may_differ_more_from_other_weeks_than_from_itself(measure: Measure, name: str, percent: int) -> None:
    large = {"rows": 100_000, "venues": 100_000, "symbols": 100_000, "shares": 100_000}
    recent = weeks_before(8, lambda _back: half(**large))
    at_bound, below = ({**large, name: percent * 1_000 - missing} for missing in (0, 1))
    assert shortfalls([covering(1, half(**at_bound))], recent) == ()
    assert measures(shortfalls([covering(1, half(**below))], recent)) == [measure]


def test_a_half_that_is_not_published_yet_is_not_short_of_other_weeks() -> None:
    assert shortfalls([covering(1, NOTHING)], weeks_before(8)) == ()


def test_what_is_short_of_the_capture_before_is_said_to_be_short_of_that() -> None:
    [found] = shortfalls([WHOLE, covering(2, half(venues=45))], weeks_before(8))
    assert found.reference == WHOLE


def test_a_restatement_of_a_week_that_was_short_from_the_first_is_short_too() -> None:
    small = half(venues=45)
    [found] = shortfalls([covering(1, small), covering(2, small)], weeks_before(8))
    assert found.reference is None


def test_a_restatement_of_a_week_that_a_person_accepted_is_not_compared_with_other_weeks_again() -> None:
    accepted = covering(1, half(venues=45))
    assert shortfalls([accepted, covering(2, half(venues=44))], weeks_before(8), accepted={1}) == ()


# Bounds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"previous": {Measure.ROWS: 1.5}}, "coverage bound of rows is 1.5: give a fraction from 0 to 1"),
        ({"recent": {Measure.SHARES: -0.1}}, "coverage bound of shares is -0.1: give a fraction from 0 to 1"),
        ({"slack": {Measure.VENUES: -1}}, "coverage slack of venues is -1: give 0 or more"),
        ({"recent_weeks": -1}, "coverage bound recent_weeks is -1: give 0 or more"),
        ({"fewest_weeks": 0}, "coverage bound fewest_weeks is 0: give 1 or more"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        CoverageBounds(**wrong)  # type: ignore[arg-type]
    assert raised.value.message == said


def test_bounds_do_not_share_their_tables() -> None:
    assert CoverageBounds().previous is not DEFAULT_BOUNDS.previous
