"""What a store does with the records of captures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import MAX_INTEGER, SecurityKey, VenueKey
from finra_core.domain.tiers import Tier
from finra_core.ports import RowChanges, Store
from finra_core.testing.examples import (
    AAPL,
    CITADEL,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    T2,
    UBSA,
    Row,
    add_capture,
    add_normalized,
    add_records,
    at,
    records,
    row,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.weekly_summary.delimited import Reject

UBSA_RENAMED: VenueKey = ("ATS", "UBSA", "", "UBSA UBS ATS INC.")

_Values = tuple[str, int, int, str]
"""What may change in a row: the venue's name, micro-shares, trades, last update date."""
_Contents = Mapping[tuple[SecurityKey, tuple[str, str, str]], _Values]

_symbols = st.sampled_from(["", "A", "TPC", "TpC", "BRK.B", "Ä", "'; --"])
_securities = st.tuples(_symbols, st.sampled_from(["", "Name", "Name, Inc."]), st.sampled_from(["", "UTP"]))
_venues = st.sampled_from([("ATS", "UBSA", ""), ("ATS", "JPBX", ""), ("NON_ATS", "", "116797")])
_micros = st.integers(0, 5) | st.integers(0, 10**15)
_values = st.tuples(
    st.sampled_from(["", "one", "another"]), _micros, st.integers(0, 3), st.sampled_from(["2026-01-12", "2026-01-20"])
)
_contents = st.dictionaries(st.tuples(_securities, _venues), _values, max_size=8)


# Every example opens a store of its own, so that nothing passes from one to the next through the fixture, nor
# through the subclasses of several stores, which are one test to Hypothesis.
_example_by_example = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
)


class RecordsContract(StoreFixtures):
    """A capture's records are those that it was given, whatever came before and after."""

    def test_records_are_read_back_by_security_and_venue(self, store: Store) -> None:
        """Compared as text is in Python, by code points."""
        rows = [row(IBM, UBSA), row(AAPL, UBSA, 7, 2), row(AAPL, CITADEL), row(("aapl", "", ""), UBSA)]
        capture = add_normalized(store, rows=rows)
        assert list(store.records(capture).rows()) == [rows[1], rows[2], rows[0], rows[3]]

    def test_the_first_records_of_a_partition_are_all_added(self, store: Store) -> None:
        """Nothing was there to end or to live on."""
        changes = add_records(store, add_capture(store), [row(AAPL), row(IBM)])
        assert changes == RowChanges(added=2, withdrawn=0, unchanged=0)

    def test_changes_are_counted_against_the_records_before(self, store: Store) -> None:
        """A changed value is one row ended and one begun."""
        kept, changed, gone, new = row(AAPL), row(IBM, UBSA, 5), row(IBM, CITADEL), row(AAPL, CITADEL)
        add_normalized(store, T1, 0, [kept, changed, gone])
        changes = add_records(store, add_capture(store, T1, 1), [kept, row(IBM, UBSA, 6), new])
        assert changes == RowChanges(added=2, withdrawn=2, unchanged=1)

    @pytest.mark.parametrize(
        "restated",
        [
            pytest.param(row(shares=101), id="shares"),
            pytest.param(row(trades=2), id="trades"),
            pytest.param(row(day="2026-01-20"), id="last update date"),
            pytest.param(row(venue=UBSA_RENAMED), id="venue name"),
        ],
    )
    def test_a_change_in_any_value_is_a_change(self, store: Store, restated: Row) -> None:
        """And both captures keep their own."""
        before = add_normalized(store, T1, 0, [row()])
        after = add_capture(store, T1, 1)
        assert add_records(store, after, [restated]) == RowChanges(added=1, withdrawn=1, unchanged=0)
        assert [list(store.records(c).rows()) for c in (before, after)] == [[row()], [restated]]

    def test_a_restatement_taken_back_brings_the_old_row_back(self, store: Store) -> None:
        """In three captures."""
        contents = [[row(shares=1)], [row(shares=2)], [row(shares=1)]]
        captures = [add_normalized(store, T1, minute, rows) for minute, rows in enumerate(contents)]
        assert [list(store.records(capture).rows()) for capture in captures] == contents

    def test_captures_left_without_records_do_not_count(self, store: Store) -> None:
        """Changes are counted against the newest capture that has records."""
        add_normalized(store, T1, 0, [row(shares=1)])
        add_capture(store, T1, 1)
        changes = add_records(store, add_capture(store, T1, 2), [row(shares=1)])
        assert changes == RowChanges(added=0, withdrawn=0, unchanged=1)

    def test_a_capture_is_normalized_once(self, store: Store) -> None:
        """A second time is None, and its records and rejects stay."""
        capture = add_normalized(store, rows=[row(shares=1)])
        assert add_records(store, capture, [row(shares=2)], [Reject(0, 2, "why", "text")]) is None
        assert list(store.records(capture).rows()) == [row(shares=1)]
        assert store.rejects(capture) == []

    def test_a_capture_older_than_a_normalized_one_is_left_alone(self, store: Store) -> None:
        """Its records would end rows that a later capture has."""
        older = add_capture(store, T1, 0)
        newer = add_normalized(store, T1, 1, [row(shares=1)])
        assert add_records(store, older, [row(shares=2)]) is None
        assert list(store.records(newer).rows()) == [row(shares=1)]
        with pytest.raises(StoreError):
            store.records(older)

    def test_a_capture_of_another_partition_does_not_stand_in_the_way(self, store: Store) -> None:
        """Partitions are normalized in any order."""
        older = add_capture(store, T1, 0)
        add_normalized(store, T2, 1)
        assert add_records(store, older, [row()]) == RowChanges(added=1, withdrawn=0, unchanged=0)

    def test_the_same_row_in_two_partitions_is_two_rows(self, store: Store) -> None:
        """A restatement of one week leaves the other alone."""
        next_week = Partition(NEXT_WEEK, Tier.NMS_TIER_1)
        first, second = add_normalized(store, T1, 0, [row()]), add_normalized(store, next_week, 1, [row()])
        add_normalized(store, T1, 2, [row(shares=5)])
        assert [list(store.records(c).rows()) for c in (first, second)] == [[row()], [row()]]

    def test_records_of_a_capture_without_any_are_an_error(self, store: Store) -> None:
        """Not an empty answer: nobody has looked yet."""
        capture = add_capture(store)
        for read in (store.records, store.rejects, lambda c: store.shared_symbols([c])):
            with pytest.raises(StoreError):
                read(capture)

    def test_a_capture_may_have_no_row_left(self, store: Store) -> None:
        """All rows withdrawn is not the same as never normalized."""
        add_normalized(store, T1, 0, [row()])
        empty = add_capture(store, T1, 1)
        assert add_records(store, empty, []) == RowChanges(added=0, withdrawn=1, unchanged=0)
        assert list(store.records(empty).rows()) == []

    def test_what_the_caller_changes_later_is_not_stored(self, store: Store) -> None:
        """The columns are the caller's own lists."""
        capture, given = add_capture(store), records([row()])
        with store.transaction(T1.key) as transaction:
            transaction.add_records(capture, given, [], at(0))
        given.shares_micros[0] = 0
        assert list(store.records(capture).rows()) == [row()]

    def test_names_are_kept_to_the_letter(self, store: Store) -> None:
        """TPC is not TpC; a symbol may be empty; names have commas, quotes, double spaces and other alphabets."""
        names = ["TPC", "TpC", "tpc ", "", "A'B\"C", "Two  Spaces, Inc.", "Société", "株式"]
        rows = [row((name, name, name), ("ATS", f"M{i}", "", name)) for i, name in enumerate(names)]
        capture = add_normalized(store, rows=rows)
        assert sorted(store.records(capture).rows()) == sorted(rows)

    def test_numbers_are_kept_to_the_last_digit(self, store: Store) -> None:
        """A millionth of a share, and the largest quantity that a record may have."""
        values = [1, 9_007_199_254_740_993, MAX_INTEGER]
        rows = [((str(value), "", ""), UBSA, value, value, "2026-01-12") for value in sorted(values, key=str)]
        capture = add_normalized(store, rows=rows)
        assert list(store.records(capture).rows()) == rows

    def test_rejects_are_read_back_by_document_and_line(self, store: Store) -> None:
        """Each with its reason and its text."""
        rejects = [Reject(1, 2, "c", "x|y"), Reject(0, 10, "b", ""), Reject(0, 9, "a", "Ä|'")]
        capture = add_capture(store)
        add_records(store, capture, [row()], rejects)
        assert store.rejects(capture) == [rejects[2], rejects[1], rejects[0]]

    def test_captures_newer_than_the_newest_with_records_are_unnormalized(self, store: Store) -> None:
        """Older ones without records are past."""
        add_capture(store, T1, 0)
        add_normalized(store, T1, 1)
        left = [add_capture(store, OTC, 2), add_capture(store, T1, 3), add_capture(store, T1, 4)]
        assert store.unnormalized() == [left[1], left[2], left[0]]

    @settings(_example_by_example, max_examples=40)
    @given(st.lists(_contents, min_size=1, max_size=6))
    def test_any_capture_of_any_history_is_read_back_as_it_was_put_in(
        self, new_store: Callable[[], Store], history: list[_Contents]
    ) -> None:
        """And the changes are those of the sets of rows."""
        store = new_store()
        try:
            captures, before = [], set[Row]()
            for minute, contents in enumerate(history):
                rows = _rows(contents)
                capture = add_capture(store, T1, minute)
                changes = add_records(store, capture, rows)
                after = set(rows)
                assert changes == RowChanges(len(after - before), len(before - after), len(after & before))
                captures.append(capture)
                before = after
            assert [list(store.records(c).rows()) for c in captures] == [sorted(_rows(c)) for c in history]
        finally:
            store.close()

    def test_names_that_came_first_with_a_rolled_back_transaction_are_not_mixed_up(self, store: Store) -> None:
        """A store may number names, and a database may give a number again that was rolled back."""
        one, other = add_capture(store, T1, 0), add_capture(store, T2, 1)
        new, another = row(("NEW", "New Inc", "UTP")), row(("OTHER", "Other Inc", "UTP"))
        with pytest.raises(RuntimeError), store.transaction(T1.key) as transaction:  # noqa: PT012 - rolled back by it
            transaction.add_records(one, records([new]), [], at(0))
            raise RuntimeError
        add_records(store, other, [another])
        add_records(store, one, [new])
        assert [list(store.records(capture).rows()) for capture in (one, other)] == [[new], [another]]

    def test_symbols_are_shared_by_captures_and_not_within_one(self, store: Store) -> None:
        """A symbol is its text, whatever the security's name; case counts."""
        captures = [
            add_normalized(store, T1, 0, [row(AAPL, UBSA), row(AAPL, CITADEL), row(("TPC", "Tutor", "UTP"))]),
            add_normalized(store, T2, 1, [row(IBM), row(("TpC", "AT&T", "CTS")), row(("", "", "UTP"))]),
            add_normalized(store, OTC, 2, [row(("AAPL", "another", "OTCE")), row(("", "nameless", "OTCE"))]),
        ]
        assert store.shared_symbols(captures) == {"AAPL", ""}
        assert store.shared_symbols(captures[:2]) == frozenset()
        assert store.shared_symbols([]) == frozenset()

    def test_symbols_are_those_that_the_captures_had(self, store: Store) -> None:
        """Not those of older or newer captures of the same partitions."""
        older = add_normalized(store, T1, 0, [row(AAPL), row(IBM)])
        newer = add_normalized(store, T1, 1, [row(AAPL)])
        other = add_normalized(store, T2, 2, [row(IBM)])
        assert store.shared_symbols([older, other]) == {"IBM"}
        assert store.shared_symbols([newer, other]) == frozenset()

    @settings(_example_by_example, max_examples=20)
    @given(st.lists(_contents, min_size=1, max_size=3))
    def test_shared_symbols_agree_with_the_records(
        self, new_store: Callable[[], Store], tiers: list[_Contents]
    ) -> None:
        """Counted here from what was put in."""
        store = new_store()
        try:
            captures = [
                add_normalized(store, partition, i, _rows(contents))
                for i, (partition, contents) in enumerate(zip((T1, T2, OTC), tiers, strict=False))
            ]
            had = Counter(symbol for contents in tiers for symbol in {row[0][0] for row in _rows(contents)})
            assert store.shared_symbols(captures) == {symbol for symbol, count in had.items() if count > 1}
        finally:
            store.close()


def _rows(contents: _Contents) -> list[Row]:
    return [
        (security, (*venue, name), micros, trades, day)
        for (security, venue), (name, micros, trades, day) in contents.items()
    ]
