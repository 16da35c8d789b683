"""Records in columns are the same as their rows, whatever is done to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.records import (
    Record,
    Records,
    Security,
    Venue,
    canonical_venue,
    format_shares,
    venue_identity,
)

UBSA = Venue("ATS", "UBSA", "", "UBS ATS")
SEVEN = Venue("NON_ATS", "", "7", "Seven")
SMALL = Venue("DE_MINIMIS", "", "", "De Minimis Firms")

texts = st.sampled_from(["", "A", "TPC", "TpC"])
rows = st.lists(
    st.builds(
        Record,
        st.builds(Security, texts, texts, texts),
        st.sampled_from([UBSA, SEVEN, SMALL]),
        st.integers(0, 2**70),
        st.integers(0, 9),
        st.sampled_from(["2026-01-12", "2026-01-20"]),
    ),
    max_size=12,
)
columns = st.lists(texts, max_size=12)


def is_whole(column: DictionaryColumn[str]) -> bool:
    """Each value once, and every value occurs."""
    values = list(column.values)
    return len(set(values)) == len(values) and set(column.codes) == set(range(len(values)))


def are_whole(records: Records) -> bool:
    lengths = {len(records.securities), len(records.venues), len(records.shares_micros), len(records.trades)}
    dictionaries = (records.securities, records.venues, records.last_update_dates)
    return lengths == {len(records)} and all(map(is_whole, dictionaries))  # type: ignore[arg-type]


@given(rows)
def test_rows_are_read_back_as_they_were_with_their_names(found: list[Record]) -> None:
    records = Records.of(found)
    assert list(records.rows()) == found
    assert len(records) == len(found)
    assert are_whole(records)
    assert all(isinstance(row.security, Security) and isinstance(row.venue, Venue) for row in records.rows())


@given(rows, st.data())
def test_rows_can_be_left_out(found: list[Record], data: st.DataObject) -> None:
    out = data.draw(st.sets(st.sampled_from(range(len(found))))) if found else set()
    left = Records.of(found).without(out)
    assert list(left.rows()) == [row for i, row in enumerate(found) if i not in out]
    assert are_whole(left)


@given(st.lists(rows, max_size=4))
def test_several_are_joined_one_after_the_other(parts: list[list[Record]]) -> None:
    joined = Records.joined([Records.of(part) for part in parts])
    assert list(joined.rows()) == [row for part in parts for row in part]
    assert are_whole(joined)


@given(columns)
def test_a_column_is_its_distinct_values_and_their_numbers(found: list[str]) -> None:
    column = DictionaryColumn.of(found)
    assert list(column) == found
    assert list(column.values) == list(dict.fromkeys(found))
    assert is_whole(column)


@given(columns, st.data())
def test_elements_of_a_column_can_be_picked(found: list[str], data: st.DataObject) -> None:
    keep = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    picked = DictionaryColumn.of(found).only(keep)
    assert list(picked) == [value for value, kept in zip(found, keep, strict=True) if kept]
    assert is_whole(picked)


@given(st.lists(columns, max_size=4))
def test_columns_are_joined(parts: list[list[str]]) -> None:
    joined = DictionaryColumn.joined([DictionaryColumn.of(part) for part in parts])
    assert list(joined) == [value for part in parts for value in part]
    assert is_whole(joined)


@pytest.mark.parametrize(
    ("venue", "identity"),
    [
        (UBSA, ("ATS", "UBSA", "", "")),
        (SEVEN, ("NON_ATS", "", "7", "")),
        (SMALL, ("DE_MINIMIS", "", "", "De Minimis Firms")),
    ],
)
def test_a_venue_is_known_by_its_numbers_and_an_aggregate_by_its_name(venue: Venue, identity: tuple[str, ...]) -> None:
    assert venue_identity(venue) == identity


@pytest.mark.parametrize("crd", ["", "0"])
def test_firms_without_a_crd_number_are_an_aggregate_however_that_is_written(crd: str) -> None:
    assert canonical_venue(Venue("NON_ATS", "", crd, "De Minimis Firms")) == SMALL


@pytest.mark.parametrize("venue", [UBSA, SEVEN, SMALL, Venue("NON_ATS", "", "0", ""), Venue("ATS", "UBSA", "0", "x")])
def test_other_venues_are_stored_as_they_are(venue: Venue) -> None:
    assert canonical_venue(venue) == venue


def test_an_aggregate_is_not_one_venue() -> None:
    assert [venue.is_one for venue in (UBSA, SEVEN, SMALL)] == [True, True, False]


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (100_000_000, "100"), (10**19, "10000000000000")],
)
def test_shares_are_written_without_a_zero_too_many(micros: int, text: str) -> None:
    assert format_shares(micros) == text
