"""What a store says of all restatements at once."""

from __future__ import annotations

from itertools import pairwise

import pytest

from finra_core.domain.captures import RESOLUTION, Capture, by_partition
from finra_core.domain.changes import ChangeKind, RowChange
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Security
from finra_core.domain.tiers import Tier
from finra_core.ports.store import RestatementQuery, Store
from finra_core.testing.examples import (
    AAPL,
    IBM,
    NEXT_WEEK,
    OTC,
    T1,
    T2,
    UBSA,
    WEEK,
    ask,
    at,
    captures_of,
    put_capture,
    put_normalized,
    row,
)
from finra_core.testing.store_fixtures import StoreFixtures
from finra_core.testing.store_records import random_history

_HISTORIES = 6
"""Random histories of three partitions. They are the same ones each time."""


class RestatementsContract(StoreFixtures):
    """The changes of each capture against the partition's normalized capture before it."""

    def test_a_first_capture_restates_nothing(self, store: Store) -> None:
        """Nor does a second one with the same rows."""
        assert _restatements(store) == {}
        for minute in range(2):
            put_normalized(store, T1, minute, [row(AAPL), row(IBM)])
        assert _restatements(store) == {}

    def test_rows_that_came_went_and_changed_are_a_restatement(self, store: Store) -> None:
        """By security and venue, under the number of the capture that has them otherwise."""
        put_normalized(store, T1, 0, [row(AAPL), row(IBM, UBSA, 1)])
        restated = put_normalized(store, T1, 1, [row(IBM, UBSA, 2), row(Security("ZZZ", "", ""))])
        added = RowChange(ChangeKind.ADDED, None, row(Security("ZZZ", "", "")))
        assert _restatements(store) == {
            restated.number: [
                RowChange(ChangeKind.WITHDRAWN, row(AAPL), None),
                RowChange(ChangeKind.CHANGED, row(IBM, UBSA, 1), row(IBM, UBSA, 2)),
                added,
            ]
        }

    def test_a_change_that_was_taken_back_is_two_restatements(self, store: Store) -> None:
        """Each capture is compared with the one before it."""
        captures = [put_normalized(store, T1, minute, [row(shares=shares)]) for minute, shares in enumerate((1, 2, 1))]
        assert list(_restatements(store)) == [capture.number for capture in captures[1:]]

    def test_captures_without_records_do_not_count(self, store: Store) -> None:
        """The capture before is the last one that has records."""
        put_normalized(store, T1, 0, [row(shares=1)])
        put_capture(store, T1, 1)
        restated = put_normalized(store, T1, 2, [row(shares=2)])
        put_capture(store, T1, 3)
        assert _restatements(store) == {restated.number: [RowChange(ChangeKind.CHANGED, row(shares=1), row(shares=2))]}

    def test_they_are_narrowed_by_week_and_tier(self, store: Store) -> None:
        """Both have to fit."""
        later = Partition(NEXT_WEEK, Tier.NMS_TIER_1)
        restated = {partition: _restated_once(store, partition) for partition in (T1, T2, OTC, later)}
        of_week = RestatementQuery(weeks=frozenset({WEEK}))
        assert set(_restatements(store, of_week)) == {restated[p].number for p in (T1, T2, OTC)}
        of_both = RestatementQuery(weeks=frozenset({WEEK}), tiers=frozenset({Tier.NMS_TIER_1, Tier.OTC}))
        assert set(_restatements(store, of_both)) == {restated[p].number for p in (T1, OTC)}
        assert _restatements(store, RestatementQuery(weeks=frozenset())) == {}

    def test_they_are_narrowed_by_when_they_became_visible(self, store: Store) -> None:
        """To the microsecond; what was there before is still what they are compared with."""
        _restated_once(store, T1, 0)
        later = _restated_once(store, T2, 10)
        assert later.normalized_at == at(11)
        assert list(_restatements(store, RestatementQuery(known_since=at(11)))) == [later.number]
        assert _restatements(store, RestatementQuery(known_since=at(11) + RESOLUTION)) == {}

    def test_they_are_narrowed_to_a_symbol_to_the_letter(self, store: Store) -> None:
        """A capture that changed rows of other symbols alone is left out."""
        upper, lower = Security("TPC", "", ""), Security("TpC", "", "")
        put_normalized(store, T1, 0, [row(upper), row(lower)])
        restated = put_normalized(store, T1, 1, [row(upper), row(lower, UBSA, 5)])
        put_normalized(store, T1, 2, [row(upper, UBSA, 7), row(lower, UBSA, 5)])
        assert _restatements(store, RestatementQuery(symbol="TpC")) == {
            restated.number: [RowChange(ChangeKind.CHANGED, row(lower), row(lower, UBSA, 5))]
        }

    @pytest.mark.parametrize("seed", range(_HISTORIES))
    def test_they_agree_with_the_changes_of_each_pair(self, store: Store, seed: int) -> None:
        """In any history of several partitions."""
        for place, partition in enumerate((T1, T2, OTC)):
            for minute, rows in enumerate(random_history(10 * seed + place)):
                put_normalized(store, partition, minute, rows)
        with store.read() as view:
            expected = {
                after.number: view.changes(before, after)
                for captures in by_partition(view.captures()).values()
                for before, after in pairwise(captures)
            }
        assert _restatements(store) == {number: changes for number, changes in expected.items() if changes}


def _restatements(store: Store, query: RestatementQuery = RestatementQuery()) -> dict[int, list[RowChange]]:
    return ask(store, lambda view: view.restatements(query))


def _restated_once(store: Store, partition: Partition, minute: int = 0) -> Capture:
    for later, shares in enumerate((1, 2)):
        put_normalized(store, partition, minute + later, [row(shares=shares)])
    return next(capture for capture in reversed(captures_of(store)) if capture.partition == partition)
