"""What a capture covers, against sums made row by row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.coverage import HalfCoverage, coverage_of
from finra_core.domain.records import Record, Records, Security, Venue, half_of
from finra_core.domain.tiers import Half, VenueType

UBSA = Venue("ATS", "UBSA", "", "UBS ATS")
SEVEN = Venue("NON_ATS", "", "7", "Seven")
SMALL = Venue("DE_MINIMIS", "", "", "De Minimis Firms")
NOTHING = {half: HalfCoverage(half=half, rows=0, venues=0, symbols=0, shares_micros=0) for half in Half}

venues = st.sampled_from(
    [UBSA, UBSA._replace(name="another"), UBSA._replace(mpid="JPBX"), SEVEN, SEVEN._replace(crd="8"), SMALL]
)
securities = st.builds(Security, st.sampled_from(["", "A", "TPC", "TpC"]), st.sampled_from("xy"), st.just("UTP"))
rows = st.lists(st.builds(Record, securities, venues, st.integers(0, 2**70), st.integers(0, 9), st.just("2026-01-12")))


@given(rows)
def test_both_halves_are_counted_for_themselves(found: list[Record]) -> None:
    for half, covered in zip(("ATS", "NON_ATS"), coverage_of(Records.of(found)), strict=True):
        own = [row for row in found if (row.venue.venue_type == "ATS") == (half == "ATS")]
        assert covered.half.value == half
        assert covered.rows == len(own)
        assert covered.symbols == len({row.security.symbol for row in own})
        assert covered.venues == len({(row.venue.mpid, row.venue.crd) for row in own if row.venue != SMALL})
        assert covered.shares_micros == sum(row.shares_micros for row in own)


def test_a_half_without_rows_counts_zeros() -> None:
    assert coverage_of(Records.of([])) == (NOTHING[Half.ATS], NOTHING[Half.NON_ATS])
    only_ats = coverage_of(Records.of([Record(Security("A", "", ""), UBSA, 5, 1, "2026-01-12")]))
    assert only_ats == (
        HalfCoverage(half=Half.ATS, rows=1, venues=1, symbols=1, shares_micros=5),
        NOTHING[Half.NON_ATS],
    )


def test_an_aggregate_of_firms_is_volume_of_the_other_half_and_no_venue() -> None:
    rows = [Record(Security("A", "", ""), venue, 5, 1, "2026-01-12") for venue in (SEVEN, SMALL)]
    assert coverage_of(Records.of(rows)) == (
        NOTHING[Half.ATS],
        HalfCoverage(half=Half.NON_ATS, rows=2, venues=1, symbols=1, shares_micros=10),
    )


def test_a_venue_under_two_names_is_one() -> None:
    names = ("UBS ATS", "UBS ATS INC.")
    rows = [Record(Security(n, "", ""), UBSA._replace(name=n), 1, 1, "2026-01-12") for n in names]
    assert coverage_of(Records.of(rows))[0].venues == 1


def test_every_type_of_venue_reports_in_one_half() -> None:
    assert {kind: half_of(kind.value) for kind in VenueType} == {
        VenueType.ATS: Half.ATS,
        VenueType.NON_ATS: Half.NON_ATS,
        VenueType.DE_MINIMIS: Half.NON_ATS,
    }
