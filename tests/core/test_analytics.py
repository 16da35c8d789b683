"""Venue shares, concentration and totals, against exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timezone
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.analytics import (
    CALC_VERSION,
    Analysis,
    VenueVolume,
    Volumes,
    add_volumes,
    analyze,
    analyze_across_tiers,
    rests_on_newest,
    volumes_of,
)
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Record, Records, Security, Venue
from finra_core.domain.tiers import Tier
from support.captures import a_capture

WEEK = date(2025, 12, 26)
RUN_DATE = date(2026, 2, 3)
NOW = datetime(2026, 2, 3, 12, tzinfo=timezone.utc)
HALF_ULP = Fraction(1, 2**53)
A_CAPTURE = a_capture(7, Partition(WEEK, Tier.NMS_TIER_1), revision=2, normalized=True)
ONE_PER_TIER = [
    a_capture(number, Partition(WEEK, tier), normalized=True) for number, tier in zip((7, 3, 11), Tier, strict=True)
]

positive = st.integers(1, 10**7) | st.integers(1, 2**80)
positive_volumes = st.lists(positive, min_size=1, max_size=60)
volumes = st.lists(st.just(0) | positive, max_size=60)


def venues_with(micros: Sequence[int], trades: int = 1) -> Volumes:
    venues = tuple(
        VenueVolume("ATS", f"M{i:03}", "", f"Venue {i}", shares, trades, symbols=1) for i, shares in enumerate(micros)
    )
    return Volumes(venues, symbols=1)


def analysis_of(micros: Sequence[int]) -> Analysis:
    return analyze(A_CAPTURE, venues_with(micros), NOW)


def is_nearest_double(actual: float | None, exact: Fraction) -> bool:
    return actual is not None and abs(Fraction(actual) - exact) <= exact * HALF_ULP


@given(positive_volumes)
def test_venue_shares_sum_to_one(micros: list[int]) -> None:
    shares = analysis_of(micros).venue_shares
    assert abs(math.fsum(share for share in shares if share is not None) - 1) < 1e-12


@given(volumes.filter(any))
def test_each_share_is_the_double_nearest_to_the_exact_fraction(micros: list[int]) -> None:
    analysis = analysis_of(micros)
    assert len(analysis.venue_shares) == len(micros)
    for share, volume in zip(analysis.venue_shares, micros, strict=True):
        assert is_nearest_double(share, Fraction(volume, sum(micros)))


@given(volumes.filter(any))
def test_hhi_is_the_double_nearest_to_the_exact_sum_of_squares(micros: list[int]) -> None:
    exact = sum((Fraction(volume, sum(micros)) ** 2 for volume in micros), Fraction())
    assert is_nearest_double(analysis_of(micros).hhi, exact)


@given(positive_volumes)
def test_hhi_lies_between_that_of_equal_venues_and_that_of_one(micros: list[int]) -> None:
    hhi = analysis_of(micros).hhi
    assert hhi is not None
    assert 1 / len(micros) <= hhi <= 1


@given(st.integers(1, 300), positive)
def test_equal_venues_have_exactly_one_nth_each_and_hhi_one_nth(n: int, each: int) -> None:
    analysis = analysis_of([each] * n)
    assert set(analysis.venue_shares) == {1 / n}
    assert analysis.hhi == 1 / n


def test_a_hand_made_week() -> None:
    # 50, 30 and 20 shares: 0.25 + 0.09 + 0.04.
    analysis = analysis_of([50_000_000, 30_000_000, 20_000_000])
    assert analysis.venue_shares == (0.5, 0.3, 0.2)
    assert analysis.hhi == 0.38
    assert analysis.shares_micros == 100_000_000


def test_one_micro_share_beyond_what_a_double_can_hold_still_counts() -> None:
    analysis = analysis_of([2**53, 1])
    assert analysis.shares_micros == 2**53 + 1
    assert analysis.venue_shares[1] == float(Fraction(1, 2**53 + 1))


@given(volumes, st.integers(0, 2**70))
def test_totals_are_exact_sums(micros: list[int], trades: int) -> None:
    analysis = analyze(A_CAPTURE, venues_with(micros, trades), NOW)
    assert analysis.shares_micros == sum(micros)
    assert analysis.trades == trades * len(micros)


@given(volumes.filter(any))
def test_the_order_of_venues_changes_no_digit_of_the_index(micros: list[int]) -> None:
    shuffled = sorted(micros)
    assert analysis_of(shuffled).hhi == analysis_of(micros).hhi == analysis_of(shuffled[::-1]).hhi


@pytest.mark.parametrize("n", [0, 1, 5])
def test_where_nothing_was_traded_there_are_no_shares_and_no_index(n: int) -> None:
    analysis = analysis_of([0] * n)
    assert analysis.venue_shares == (None,) * n
    assert analysis.hhi is None
    assert analysis.shares_micros == 0


def test_a_venue_without_volume_has_a_share_of_zero_and_not_none() -> None:
    assert analysis_of([5, 0]).venue_shares == (1.0, 0.0)


def test_one_tiers_analytics_bear_the_capture_id_they_rest_on() -> None:
    analysis = analysis_of([1])
    assert (analysis.capture_id, analysis.revision) == (A_CAPTURE.capture_id, 2)
    assert (analysis.tier, analysis.week_ending, analysis.inputs) == ("NMS_TIER_1", WEEK, (7,))


def test_analytics_across_tiers_bear_the_runs_date_and_name_their_inputs_in_tier_order() -> None:
    analysis = analyze_across_tiers(ONE_PER_TIER, venues_with([1]), [], RUN_DATE, NOW)
    assert (analysis.capture_id, analysis.revision) == ("finra.otc_transparency:ALL:2025-12-26:20260203", 1)
    assert (analysis.tier, analysis.week_ending, analysis.inputs) == ("ALL", WEEK, (7, 3, 11))


def test_analytics_across_tiers_of_one_run_date_count_their_revisions() -> None:
    first = analyze_across_tiers(ONE_PER_TIER, venues_with([1]), [analysis_of([1])], RUN_DATE, NOW)
    second = analyze_across_tiers(ONE_PER_TIER, venues_with([2]), [first], RUN_DATE, NOW)
    next_day = analyze_across_tiers(ONE_PER_TIER, venues_with([2]), [first, second], date(2026, 2, 4), NOW)
    assert [each.revision for each in (first, second, next_day)] == [1, 2, 1]
    assert first.capture_id == second.capture_id != next_day.capture_id


def test_an_analysis_is_told_from_others_by_its_key() -> None:
    assert analysis_of([1]).key == (WEEK, "NMS_TIER_1", (7,), CALC_VERSION)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [((7,), True), ((6,), False), ((7, 3, 11), True), ((7, 2, 11), False), ((), True)],
)
def test_analytics_rest_on_the_newest_normalized_captures_or_they_are_outdated(
    inputs: tuple[int, ...], expected: bool
) -> None:
    older = [
        a_capture(number, tier.partition, normalized=True)
        for number, tier in zip((6, 2, 10), ONE_PER_TIER, strict=True)
    ]
    raw = [a_capture(20, A_CAPTURE.partition)]
    assert rests_on_newest(inputs, [*raw, *ONE_PER_TIER, *older]) == expected


# The index as an interval ------------------------------------------------------------------------------


def index_of(*venues: tuple[str, int]) -> tuple[float | None, float | None]:
    """Of venues by their type and shares."""
    found = tuple(
        VenueVolume(kind, f"M{i}" if kind == "ATS" else "", f"{i}" if kind == "NON_ATS" else "", f"V{i}", shares, 1, 1)
        for i, (kind, shares) in enumerate(venues)
    )
    analysis = analyze(A_CAPTURE, Volumes(found, 1), NOW)
    return analysis.hhi, analysis.hhi_upper


def test_without_an_aggregate_both_bounds_are_the_index() -> None:
    # 50, 30 and 20 of 100: 0.25 + 0.09 + 0.04.
    assert index_of(("ATS", 50), ("NON_ATS", 30), ("NON_ATS", 20)) == (0.38, 0.38)


def test_an_aggregate_adds_nothing_to_the_lower_bound_and_all_to_the_largest_firm_in_the_upper() -> None:
    # Lower: 0.4^2 + 0.3^2 + 0.1^2. Upper: the firm with 0.3 has 0.5, and the ATS is no firm.
    assert index_of(("ATS", 40), ("NON_ATS", 30), ("NON_ATS", 10), ("DE_MINIMIS", 20)) == (0.26, 0.42)


def test_several_aggregates_are_one_firms_too_in_the_upper_bound() -> None:
    # Upper: 0.5^2 + (0.3 + 0.1 + 0.1)^2.
    assert index_of(("ATS", 50), ("NON_ATS", 30), ("DE_MINIMIS", 10), ("DE_MINIMIS", 10)) == (0.34, 0.5)


def test_an_aggregate_without_a_named_firm_is_one_firm_in_the_upper_bound() -> None:
    assert index_of(("ATS", 50), ("DE_MINIMIS", 50)) == (0.25, 0.5)
    assert index_of(("DE_MINIMIS", 7)) == (0.0, 1.0)


venue_kinds = st.sampled_from(["ATS", "NON_ATS", "DE_MINIMIS"])


@given(st.lists(st.tuples(venue_kinds, st.integers(1, 10**15)), min_size=1, max_size=12), st.randoms())
def test_the_index_of_any_way_to_divide_the_aggregate_lies_between_the_bounds(
    venues: list[tuple[str, int]], chance: Random
) -> None:
    """Its shares may be those of firms that are named elsewhere, of others, or of one of them."""
    lower, upper = index_of(*venues)
    firms = [shares for kind, shares in venues if kind == "NON_ATS"]
    left = sum(shares for kind, shares in venues if kind == "DE_MINIMIS")
    while left:
        part = chance.randint(1, left)
        left -= part
        if firms and chance.random() < 0.5:
            firms[chance.randrange(len(firms))] += part
        else:
            firms.append(part)
    total = sum(shares for _kind, shares in venues)
    ats = [shares for kind, shares in venues if kind == "ATS"]
    index = sum(Fraction(shares, total) ** 2 for shares in [*ats, *firms])
    assert lower is not None
    assert upper is not None
    assert Fraction(lower) * (1 - HALF_ULP) <= index <= Fraction(upper) * (1 + HALF_ULP)
    assert 0 <= lower <= upper <= 1


def test_an_aggregate_counts_in_volumes_and_is_no_venue() -> None:
    found = volumes_of(Records.of([row("AAPL", UBSA, 1), row("AAPL", SMALL, 4), row("IBM", SMALL, 5)]))
    assert found.venues == (VenueVolume(*UBSA, 1, 1, 1), VenueVolume(*SMALL, 9, 2, 2))
    assert (found.venue_count, found.symbols) == (1, 2)


def test_aggregates_are_told_apart_by_their_names() -> None:
    other = SMALL._replace(name="Other Firms")
    found = volumes_of(Records.of([row("AAPL", SMALL, 1), row("AAPL", other, 2)]))
    assert [(venue.venue_name, venue.shares_micros) for venue in found.venues] == [(SMALL.name, 1), (other.name, 2)]
    assert add_volumes([found, found]).venues[1].shares_micros == 4


# Volumes ------------------------------------------------------------------------------------------------


def test_analytics_say_when_and_by_which_calculation_they_were_made() -> None:
    analysis = analysis_of([1])
    assert (analysis.computed_at, analysis.calc_version) == (NOW, CALC_VERSION)


UBSA = Venue("ATS", "UBSA", "", "UBSA UBS ATS")
JPBX = Venue("ATS", "JPBX", "", "JPBX JPB-X")
CITADEL = Venue("NON_ATS", "", "116797", "CITADEL SECURITIES LLC")
SMALL = Venue("DE_MINIMIS", "", "", "De Minimis Firms")


def row(symbol: str, venue: Venue, micros: int, trades: int = 1, name: str = "") -> Record:
    return Record(Security(symbol, name, "UTP"), venue, micros, trades, "2026-01-12")


def test_volumes_are_sums_per_venue_and_count_a_symbol_once() -> None:
    rows = [row("AAPL", CITADEL, 1, 1), row("AAPL", UBSA, 2, 2), row("IBM", UBSA, 3, 4), row("AAPL", JPBX, 5, 8)]
    found = volumes_of(Records.of(rows))
    assert found.venues == (VenueVolume(*JPBX, 5, 8, 1), VenueVolume(*UBSA, 5, 6, 2), VenueVolume(*CITADEL, 1, 1, 1))
    assert found.symbols == 2


def test_one_symbol_with_two_issue_names_is_one_symbol() -> None:
    """A ticker reassigned in mid-week."""
    found = volumes_of(Records.of([row("RNA", UBSA, 1, name="Avidity"), row("RNA", UBSA, 1, name="Atrium")]))
    assert (found.symbols, found.venues[0].symbols) == (1, 1)


def test_a_venue_is_its_type_and_numbers_and_bears_the_least_of_its_names() -> None:
    renamed = UBSA._replace(name="UBSA UBS ATS INC.")
    found = volumes_of(Records.of([row("AAPL", renamed, 1), row("AAPL", UBSA, 2), row("IBM", UBSA, 4)]))
    assert found.venues == (VenueVolume(*UBSA, 7, 3, 2),)


def test_shares_add_up_exactly() -> None:
    """Ten times a tenth and a millionth, beside a quantity that no double tells from its neighbor."""
    large = 9_007_199_254_740_993
    quantities = [100_001] * 10 + [large]
    found = volumes_of(Records.of(row(str(i), UBSA, micros) for i, micros in enumerate(quantities)))
    assert [venue.shares_micros for venue in found.venues] == [large + 1_000_010]


def test_nothing_has_no_volume() -> None:
    assert volumes_of(Records.of([])) == Volumes((), 0) == add_volumes([])


symbols = st.sampled_from(["AAPL", "IBM", "F", "TPC", "TpC", ""])
rows_of_a_tier = st.lists(
    st.builds(
        row,
        symbols,
        st.sampled_from([UBSA, JPBX, CITADEL, UBSA._replace(name="A"), SMALL, SMALL._replace(name="Other Firms")]),
        st.integers(0, 9),
        name=st.sampled_from("ab"),
    ),
    max_size=12,
)


def known_as(venue: Venue) -> tuple[str, ...]:
    """An ATS by its MPID, a firm by its CRD number, an aggregate by its name."""
    return venue.venue_type, venue.mpid, venue.crd, venue.name if venue.venue_type == "DE_MINIMIS" else ""


@given(rows_of_a_tier)
def test_volumes_agree_with_sums_made_row_by_row(rows: list[Record]) -> None:
    found = volumes_of(Records.of(rows))
    assert found.symbols == len({each.security.symbol for each in rows})
    keys = sorted({known_as(each.venue) for each in rows})
    assert [known_as(Venue(v.venue_type, v.mpid, v.crd, v.venue_name)) for v in found.venues] == keys
    for venue, key in zip(found.venues, keys, strict=True):
        own = [each for each in rows if known_as(each.venue) == key]
        assert venue.venue_name == min(each.venue.name for each in own)
        assert venue.shares_micros == sum(each.shares_micros for each in own)
        assert venue.trades == sum(each.trades for each in own)
        assert venue.symbols == len({each.security.symbol for each in own})


@given(st.lists(rows_of_a_tier, max_size=3))
def test_volumes_of_tiers_without_a_common_symbol_add_up(tiers: list[list[Record]]) -> None:
    apart = [
        [each._replace(security=each.security._replace(symbol=f"{i}{each.security.symbol}")) for each in rows]
        for i, rows in enumerate(tiers)
    ]
    parts = [volumes_of(Records.of(rows)) for rows in apart]
    assert add_volumes(parts) == volumes_of(Records.of(each for rows in apart for each in rows))


def test_volumes_add_up_by_venue_and_a_venue_bears_the_least_of_its_names() -> None:
    one = Volumes(
        (VenueVolume("ATS", "UBSA", "", "UBS ATS", 1, 2, 3), VenueVolume("NON_ATS", "", "7", "Seven", 4, 5, 6)), 7
    )
    other = Volumes(
        (VenueVolume("ATS", "JPBX", "", "JPB-X", 10, 20, 30), VenueVolume("ATS", "UBSA", "", "UBS", 40, 50, 60)), 70
    )
    assert add_volumes([one, other]) == Volumes(
        (
            VenueVolume("ATS", "JPBX", "", "JPB-X", 10, 20, 30),
            VenueVolume("ATS", "UBSA", "", "UBS", 41, 52, 63),
            VenueVolume("NON_ATS", "", "7", "Seven", 4, 5, 6),
        ),
        77,
    )
