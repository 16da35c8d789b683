"""What changed between two captures: applied to the one it gives the other."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.changes import ChangeKind, RowChange, compare_records
from finra_core.domain.records import Record, Security, Venue

AAPL = Security("AAPL", "Apple Inc.", "UTP")
UBSA = Venue("ATS", "UBSA", "", "UBS ATS")
RENAMED = UBSA._replace(name="UBS ATS INC.")
SMALL = Venue("DE_MINIMIS", "", "", "De Minimis Firms")
OTHERS = SMALL._replace(name="Other Firms")


def row(venue: Venue = UBSA, micros: int = 1, trades: int = 1, day: str = "2026-01-12") -> Record:
    return Record(AAPL, venue, micros, trades, day)


def key_of(record: Record) -> tuple[Security, tuple[str, ...]]:
    """A venue's name is no part of what it is, unless it is an aggregate of firms."""
    venue = record.venue
    name = venue.name if venue in (SMALL, OTHERS) else ""
    return record.security, (venue.venue_type, venue.mpid, venue.crd, name)


securities = st.builds(Security, st.sampled_from(["", "A", "TPC", "TpC"]), st.sampled_from(["", "x"]), st.just("UTP"))
venues = st.sampled_from([UBSA, RENAMED, UBSA._replace(mpid="JPBX"), Venue("NON_ATS", "", "7", "Seven"), SMALL, OTHERS])
rows = st.builds(
    Record, securities, venues, st.integers(0, 3), st.integers(0, 2), st.sampled_from(["2026-01-12", "2026-01-20"])
)
captures = st.lists(rows, max_size=10, unique_by=key_of)


def applied(before: list[Record], changes: list[RowChange]) -> list[Record]:
    left = list(before)
    for change in changes:
        if change.before is not None:
            left.remove(change.before)
        if change.after is not None:
            left.append(change.after)
    return sorted(left)


@given(captures, captures)
def test_changes_applied_to_the_one_capture_give_the_other(before: list[Record], after: list[Record]) -> None:
    assert applied(before, compare_records(before, after)) == sorted(after)


@given(captures, captures)
def test_backward_they_are_the_same_changes_turned_round(before: list[Record], after: list[Record]) -> None:
    turned = {"added": "withdrawn", "withdrawn": "added", "changed": "changed"}
    backward = [(turned[change.kind.value], change.after, change.before) for change in compare_records(after, before)]
    assert backward == [(change.kind.value, change.before, change.after) for change in compare_records(before, after)]


@given(captures, st.randoms())
def test_a_capture_does_not_differ_from_itself_in_another_order(capture: list[Record], chance: Random) -> None:
    shuffled = list(capture)
    chance.shuffle(shuffled)
    assert compare_records(capture, shuffled) == []


@given(captures, captures)
def test_each_row_is_told_of_once_in_the_order_of_security_and_venue(before: list[Record], after: list[Record]) -> None:
    keys = [change.key for change in compare_records(before, after)]
    assert keys == sorted(set(keys))


@given(captures, captures)
def test_the_kind_says_on_which_side_the_row_is(before: list[Record], after: list[Record]) -> None:
    sides = {ChangeKind.ADDED: (False, True), ChangeKind.WITHDRAWN: (True, False), ChangeKind.CHANGED: (True, True)}
    for change in compare_records(before, after):
        assert (change.before is not None, change.after is not None) == sides[change.kind]
        assert change.before in {None, *before}
        assert change.after in {None, *after}


@given(captures, captures)
def test_equal_rows_may_be_left_out_of_both_sides(before: list[Record], after: list[Record]) -> None:
    same = set(before) & set(after)
    fewer = [[each for each in side if each not in same] for side in (before, after)]
    assert compare_records(*fewer) == compare_records(before, after)


@pytest.mark.parametrize(
    "now_is",
    [
        pytest.param(row(micros=2), id="shares"),
        pytest.param(row(trades=2), id="trades"),
        pytest.param(row(day="2026-01-20"), id="date"),
        pytest.param(row(RENAMED), id="venue name"),
    ],
)
def test_another_value_is_one_changed_row(now_is: Record) -> None:
    assert compare_records([row()], [now_is]) == [RowChange(ChangeKind.CHANGED, row(), now_is)]


def test_an_aggregate_of_another_name_is_another_row() -> None:
    assert compare_records([row(SMALL)], [row(OTHERS)]) == [
        RowChange(ChangeKind.WITHDRAWN, row(SMALL), None),
        RowChange(ChangeKind.ADDED, None, row(OTHERS)),
    ]


def test_a_change_is_known_by_its_security_and_its_venue_without_the_name() -> None:
    [change] = compare_records([row()], [row(RENAMED)])
    assert change.key == (AAPL, UBSA._replace(name=""))
    assert [each.key for each in compare_records([], [row(SMALL)])] == [(AAPL, SMALL)]
