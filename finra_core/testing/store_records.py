"""What a store does with the records of captures, and with what changed from one capture to another."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from attrs import evolve

from finra_core.domain.captures import Capture
from finra_core.domain.changes import ChangeKind, RowChange, compare_records
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import MAX_INTEGER, Record, Records, Security, Venue, venue_identity
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Half, Tier
from finra_core.ports.store import ReadView, RowCounts, Store
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    DE_MINIMIS,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    T2,
    UBSA,
    ask,
    at,
    captures_of,
    put_capture,
    put_normalized,
    put_records,
    put_rows,
    row,
    rows_of,
    writing,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.weekly_summary.delimited import Reject

UBSA_RENAMED = UBSA._replace(name="UBSA UBS ATS INC.")

_HISTORIES = 12
"""Random histories for each test of any history. They are the same ones each time."""


class RecordsContract(StoreFixtures):
    """A capture's records are those that it was given, whatever came before and after."""

    def test_records_are_read_back_by_security_and_venue(self, store: Store) -> None:
        """Compared as text is in Python, by code points."""
        rows = [row(IBM), row(AAPL, UBSA, 7, 2), row(AAPL, CITADEL), row(Security("aapl", "", ""))]
        capture = put_normalized(store, rows=rows)
        assert rows_of(store, capture) == [rows[1], rows[2], rows[0], rows[3]]

    def test_records_are_read_back_as_named_values(self, store: Store) -> None:
        """Securities and venues have names for their fields, wherever they have been."""
        capture = put_normalized(store)
        records = ask(store, lambda view: view.records(capture))
        assert (records.securities.values[0].symbol, records.venues.values[0].mpid) == ("AAPL", "UBSA")

    def test_a_normalized_capture_says_so(self, store: Store) -> None:
        """When, with how many rejected rows, and what it covers as it was put."""
        covered = (
            HalfCoverage(half=Half.ATS, rows=1, venues=2, symbols=3, shares_micros=MAX_INTEGER),
            HalfCoverage(half=Half.NON_ATS, rows=0, venues=0, symbols=0, shares_micros=0),
        )
        capture = put_capture(store)
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_records(capture, Records.of([row()]), [Reject(0, 2, "why", "text")], covered, at(7))
        found = captures_of(store)[0]
        assert (found.normalized_at, found.rejected_rows, found.coverage) == (at(7), 1, covered)

    def test_the_first_records_of_a_partition_are_all_added(self, store: Store) -> None:
        """Nothing was there to end or to live on."""
        counts = put_records(store, put_capture(store), [row(AAPL), row(IBM)])
        assert counts == RowCounts(added=2, withdrawn=0, unchanged=0)

    def test_rows_are_counted_against_the_records_before(self, store: Store) -> None:
        """A changed value is one row ended and one begun."""
        kept, changed, gone, new = row(AAPL), row(IBM, UBSA, 5), row(IBM, CITADEL), row(AAPL, CITADEL)
        put_normalized(store, T1, 0, [kept, changed, gone])
        counts = put_records(store, put_capture(store, T1, 1), [kept, row(IBM, UBSA, 6), new])
        assert counts == RowCounts(added=2, withdrawn=2, unchanged=1)

    @pytest.mark.parametrize(
        "restated",
        [
            pytest.param(row(shares=101), id="shares"),
            pytest.param(row(trades=2), id="trades"),
            pytest.param(row(day="2026-01-20"), id="last update date"),
            pytest.param(row(venue=UBSA_RENAMED), id="venue name"),
        ],
    )
    def test_a_change_in_any_value_is_a_change(self, store: Store, restated: Record) -> None:
        """And both captures keep their own."""
        before = put_normalized(store, T1, 0, [row()])
        after = put_capture(store, T1, 1)
        assert put_records(store, after, [restated]) == RowCounts(added=1, withdrawn=1, unchanged=0)
        assert [rows_of(store, capture) for capture in (before, after)] == [[row()], [restated]]

    def test_a_restatement_taken_back_brings_the_old_row_back(self, store: Store) -> None:
        """In three captures."""
        contents = [[row(shares=1)], [row(shares=2)], [row(shares=1)]]
        captures = [put_normalized(store, T1, minute, rows) for minute, rows in enumerate(contents)]
        assert [rows_of(store, capture) for capture in captures] == contents

    def test_captures_left_without_records_do_not_count(self, store: Store) -> None:
        """Rows are counted against the newest capture that has records."""
        put_normalized(store, T1, 0, [row(shares=1)])
        put_capture(store, T1, 1)
        counts = put_records(store, put_capture(store, T1, 2), [row(shares=1)])
        assert counts == RowCounts(added=0, withdrawn=0, unchanged=1)

    def test_a_capture_is_normalized_once(self, store: Store) -> None:
        """A second time is an error, and its records and rejects stay."""
        capture = put_normalized(store, rows=[row(shares=1)])
        with pytest.raises(StoreError):
            put_records(store, capture, [row(shares=2)], [Reject(0, 2, "why", "text")])
        assert rows_of(store, capture) == [row(shares=1)]
        assert ask(store, lambda view: view.rejects(capture)) == []

    def test_a_capture_older_than_a_normalized_one_gets_no_records(self, store: Store) -> None:
        """They would end rows that a later capture has."""
        older = put_capture(store, T1, 0)
        newer = put_normalized(store, T1, 1, [row(shares=1)])
        with pytest.raises(StoreError):
            put_records(store, older, [row(shares=2)])
        assert [c.is_normalized for c in captures_of(store)] == [False, True]
        assert rows_of(store, newer) == [row(shares=1)]

    def test_a_capture_of_another_partition_does_not_stand_in_the_way(self, store: Store) -> None:
        """Partitions are normalized in any order."""
        older = put_capture(store, T1, 0)
        put_normalized(store, T2, 1)
        assert put_records(store, older, [row()]) == RowCounts(added=1, withdrawn=0, unchanged=0)

    def test_the_same_row_in_two_partitions_is_two_rows(self, store: Store) -> None:
        """A restatement of one week leaves the other alone."""
        next_week = Partition(NEXT_WEEK, Tier.NMS_TIER_1)
        first, second = put_normalized(store, T1, 0, [row()]), put_normalized(store, next_week, 1, [row()])
        put_normalized(store, T1, 2, [row(shares=5)])
        assert [rows_of(store, capture) for capture in (first, second)] == [[row()], [row()]]

    @pytest.mark.parametrize(
        "read",
        [
            pytest.param(lambda view, capture: view.records(capture), id="records"),
            pytest.param(lambda view, capture: view.rejects(capture), id="rejects"),
            pytest.param(lambda view, capture: view.symbols(capture), id="symbols"),
            pytest.param(lambda view, capture: view.changes(capture, capture), id="changes"),
        ],
    )
    def test_records_of_a_capture_without_any_are_an_error(
        self, store: Store, read: Callable[[ReadView, Capture], object]
    ) -> None:
        """Not an empty answer: nobody has looked yet."""
        put_normalized(store, T1, 0)
        capture = put_capture(store, T1, 1)
        with store.read() as view, pytest.raises(StoreError):
            read(view, capture)

    def test_a_capture_may_have_no_row_left(self, store: Store) -> None:
        """All rows withdrawn is not the same as never normalized."""
        put_normalized(store, T1, 0, [row()])
        empty = put_capture(store, T1, 1)
        assert put_records(store, empty, []) == RowCounts(added=0, withdrawn=1, unchanged=0)
        assert rows_of(store, empty) == []

    def test_what_the_caller_changes_later_is_not_stored(self, store: Store) -> None:
        """The columns are the caller's own lists."""
        capture, given = put_capture(store), Records.of([row()])
        shares_micros = list(given.shares_micros)
        with writing(store, Scope.partition(T1)) as unit:
            unit.put_records(capture, evolve(given, shares_micros=shares_micros), [], [], at(0))
        shares_micros[0] = 0
        assert rows_of(store, capture) == [row()]

    def test_names_are_kept_to_the_letter(self, store: Store) -> None:
        """TPC is not TpC; a symbol may be empty; names have commas, quotes, double spaces and other alphabets."""
        names = ["TPC", "TpC", "tpc ", "", "A'B\"C", "Two  Spaces, Inc.", "Société", "株式"]
        rows = [row(Security(name, name, name), Venue("ATS", f"M{i}", "", name)) for i, name in enumerate(names)]
        capture = put_normalized(store, rows=rows)
        assert sorted(rows_of(store, capture)) == sorted(rows)

    def test_aggregates_of_firms_are_told_apart_by_name(self, store: Store) -> None:
        """De Minimis Firms have neither an MPID nor a CRD number."""
        rows = [row(AAPL, DE_MINIMIS, 1), row(AAPL, DE_MINIMIS._replace(name="Other Firms"), 2)]
        assert rows_of(store, put_normalized(store, rows=rows)) == rows

    def test_numbers_are_kept_to_the_last_digit(self, store: Store) -> None:
        """A millionth of a share, and as much as a partition may have in all."""
        values = [1, 9_007_199_254_740_993, MAX_INTEGER - 9_007_199_254_740_994]
        rows = [
            Record(Security(str(value), "", ""), UBSA, value, value, "2026-01-12") for value in sorted(values, key=str)
        ]
        assert rows_of(store, put_normalized(store, rows=rows)) == rows

    def test_rejects_are_read_back_by_document_and_line(self, store: Store) -> None:
        """Each with its reason and its text."""
        rejects = [Reject(1, 2, "c", "x|y"), Reject(0, 10, "b", ""), Reject(0, 9, "a", "Ä|'")]
        capture = put_capture(store)
        put_records(store, capture, [row()], rejects)
        assert ask(store, lambda view: view.rejects(capture)) == [rejects[2], rejects[1], rejects[0]]

    def test_rejects_are_those_of_one_capture(self, store: Store) -> None:
        """A restatement without bad rows has none."""
        before, after = put_capture(store, T1, 0), put_capture(store, T1, 1)
        put_records(store, before, [row()], [Reject(0, 2, "why", "text")])
        put_records(store, after, [row()])
        assert ask(store, lambda view: view.rejects(after)) == []
        assert [capture.rejected_rows for capture in captures_of(store)] == [1, 0]

    def test_names_that_came_first_with_a_rolled_back_unit_of_work_are_not_mixed_up(self, store: Store) -> None:
        """A store may number names, and a database may give a number again that was rolled back."""
        one, other = put_capture(store, T1, 0), put_capture(store, T2, 1)
        new, another = row(Security("NEW", "New Inc", "UTP")), row(Security("OTHER", "Other Inc", "UTP"))
        with pytest.raises(RuntimeError), writing(store, Scope.partition(T1)) as unit:  # noqa: PT012  rolled back by it
            put_rows(unit, one, [new])
            raise RuntimeError
        put_records(store, other, [another])
        put_records(store, one, [new])
        assert [rows_of(store, capture) for capture in (one, other)] == [[new], [another]]

    @pytest.mark.parametrize("seed", range(_HISTORIES))
    def test_any_capture_of_any_history_is_read_back_as_it_was_put(self, store: Store, seed: int) -> None:
        """And the counts are those of the sets of rows."""
        history = random_history(seed)
        captures, before = [], set[Record]()
        for minute, rows in enumerate(history):
            captures.append(put_capture(store, T1, minute))
            after = set(rows)
            counts = put_records(store, captures[-1], rows)
            assert counts == RowCounts(len(after - before), len(before - after), len(after & before))
            before = after
        assert [rows_of(store, capture) for capture in captures] == [sorted(rows) for rows in history]


class ChangesContract(StoreFixtures):
    """What changed between any two captures of a partition, and which symbols one has."""

    def test_rows_that_came_went_and_changed_are_the_changes(self, store: Store) -> None:
        """By security and venue; equal rows are none."""
        kept, was, gone, new = row(AAPL, UBSA), row(AAPL, CITADEL, 5), row(IBM, UBSA), row(IBM, CITADEL)
        now_is = row(AAPL, CITADEL, 6)
        before = put_normalized(store, T1, 0, [kept, was, gone])
        after = put_normalized(store, T1, 1, [kept, now_is, new])
        assert _changes(store, before, after) == [
            RowChange(ChangeKind.CHANGED, was, now_is),
            RowChange(ChangeKind.WITHDRAWN, gone, None),
            RowChange(ChangeKind.ADDED, None, new),
        ]

    def test_changes_can_be_had_backward(self, store: Store) -> None:
        """From the newer capture to the older one."""
        before = put_normalized(store, T1, 0, [row(AAPL), row(IBM, UBSA, 1)])
        after = put_normalized(store, T1, 1, [row(IBM, UBSA, 2)])
        assert _changes(store, after, before) == [
            RowChange(ChangeKind.ADDED, None, row(AAPL)),
            RowChange(ChangeKind.CHANGED, row(IBM, UBSA, 2), row(IBM, UBSA, 1)),
        ]

    def test_a_capture_does_not_differ_from_itself(self, store: Store) -> None:
        """Nor from one with equal records."""
        captures = [put_normalized(store, T1, minute, [row()]) for minute in range(2)]
        assert _changes(store, captures[0], captures[0]) == _changes(store, *captures) == []

    def test_a_renamed_venue_is_one_changed_row(self, store: Store) -> None:
        """Its name is no part of what it is."""
        before, after = (
            put_normalized(store, T1, minute, [row(venue=venue)]) for minute, venue in enumerate((UBSA, UBSA_RENAMED))
        )
        assert _changes(store, before, after) == [RowChange(ChangeKind.CHANGED, row(), row(venue=UBSA_RENAMED))]

    def test_an_aggregate_of_another_name_is_another_row(self, store: Store) -> None:
        """Nothing but its name tells what it is."""
        other = DE_MINIMIS._replace(name="Other Firms")
        before, after = (
            put_normalized(store, T1, minute, [row(venue=venue)]) for minute, venue in enumerate((DE_MINIMIS, other))
        )
        assert {change.kind for change in _changes(store, before, after)} == {ChangeKind.WITHDRAWN, ChangeKind.ADDED}

    def test_what_happened_between_two_captures_and_was_taken_back_is_no_change(self, store: Store) -> None:
        """Two captures are compared, not their history."""
        contents = [[row(AAPL)], [row(AAPL, UBSA, 5), row(IBM)], [row(AAPL)]]
        captures = [put_normalized(store, T1, minute, rows) for minute, rows in enumerate(contents)]
        assert _changes(store, captures[0], captures[2]) == []

    def test_captures_of_two_partitions_are_not_compared(self, store: Store) -> None:
        """Their rows are about different things."""
        one, other = put_normalized(store, T1, 0), put_normalized(store, T2, 1)
        with store.read() as view, pytest.raises(StoreError):
            view.changes(one, other)

    @pytest.mark.parametrize("seed", range(_HISTORIES))
    def test_changes_agree_with_the_records(self, store: Store, seed: int) -> None:
        """Between any two captures of any history; applied to the one they give the other."""
        captures = [put_normalized(store, T1, minute, rows) for minute, rows in enumerate(random_history(seed))]
        contents = [rows_of(store, capture) for capture in captures]
        for i, before in enumerate(captures):
            for j, after in enumerate(captures):
                changes = _changes(store, before, after)
                assert changes == compare_records(contents[i], contents[j])
                assert _applied(contents[i], changes) == contents[j]

    def test_symbols_are_a_captures_own(self, store: Store) -> None:
        """Each once, to the letter; not those of older or newer captures."""
        rows = [row(AAPL, UBSA), row(AAPL, CITADEL), row(Security("TpC", "", "")), row(Security("", "nameless", ""))]
        older, newer = put_normalized(store, T1, 0, rows), put_normalized(store, T1, 1, [row(IBM)])
        put_normalized(store, OTC, 2, [row(Security("TPC", "", ""))])
        with store.read() as view:
            assert [view.symbols(capture) for capture in (older, newer)] == [{"AAPL", "TpC", ""}, {"IBM"}]


def _changes(store: Store, before: Capture, after: Capture) -> list[RowChange]:
    return ask(store, lambda view: view.changes(before, after))


def _applied(rows: list[Record], changes: list[RowChange]) -> list[Record]:
    held = {(r.security, venue_identity(r.venue)): r for r in rows}
    for change in changes:
        assert held.pop(change.key, None) == change.before
        if change.after is not None:
            held[change.key] = change.after
    return sorted(held.values())


def random_history(seed: int) -> list[list[Record]]:
    """The rows of up to six captures, few enough that rows come back and names meet again."""
    chance = random.Random(seed)  # noqa: S311  no secret
    symbols, venues = ["", "A", "TPC", "TpC", "BRK.B", "Ä", "'; --"], [UBSA, CITADEL, UBSA._replace(mpid="JPBX")]

    def a_row() -> Record:
        security = Security(
            chance.choice(symbols), chance.choice(["", "Name", "Name, Inc."]), chance.choice(["", "UTP"])
        )
        venue = chance.choice(venues)._replace(name=chance.choice(["", "one", "another"]))
        micros = chance.choice([chance.randint(0, 5), chance.randint(0, 10**15)])
        return Record(security, venue, micros, chance.randint(0, 3), chance.choice(["2026-01-12", "2026-01-20"]))

    history: list[list[Record]] = []
    for _ in range(chance.randint(1, 6)):
        kept = [r for r in history[-1] if chance.randint(0, 2)] if history else []
        rows = {
            (r.security, venue_identity(r.venue)): r for r in [*kept, *(a_row() for _ in range(chance.randint(0, 4)))]
        }
        history.append(list(rows.values()))
    return history
