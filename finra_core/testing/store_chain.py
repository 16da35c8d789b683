"""What a store does with the chain."""

from __future__ import annotations

import pytest
from attrs import evolve

from finra_core.domain.chain import ChainEntry, EntryKind, Vouched, next_entries
from finra_core.domain.errors import StoreError
from finra_core.ports.store import Store
from finra_core.testing.examples import ask, at, put_chain
from finra_core.testing.store_fixtures import StoreFixtures


def _entries(count: int, head: ChainEntry | None = None) -> list[ChainEntry]:
    subjects = [(EntryKind.RUNS, [Vouched(f"run 'Ä' {i}", "0" * 64)]) for i in range(count)]
    return next_entries(head, subjects, at(count))


class ChainContract(StoreFixtures):
    """Entries are put and read back to the last character, in the order of their numbers."""

    def test_a_store_without_entries_has_no_head(self, store: Store) -> None:
        """And an empty chain."""
        assert ask(store, lambda view: (view.chain(), view.chain_head())) == ([], None)

    def test_entries_are_read_back_as_they_were(self, store: Store) -> None:
        """The head is the last one."""
        put = _entries(3)
        put_chain(store, put)
        assert ask(store, lambda view: (view.chain(), view.chain_head())) == (put, put[-1])

    def test_later_entries_come_after_earlier_ones(self, store: Store) -> None:
        """Of several units of work."""
        first = _entries(2)
        put_chain(store, first)
        second = _entries(11, first[-1])
        put_chain(store, second)
        assert ask(store, lambda view: view.chain()) == [*first, *second]

    def test_a_chain_is_read_from_any_place_on(self, store: Store) -> None:
        """And not more of it than was asked for."""
        put = _entries(12)
        put_chain(store, put)
        assert ask(store, lambda view: view.chain(after=5)) == put[5:]
        assert ask(store, lambda view: view.chain(after=5, limit=3)) == put[5:8]
        assert ask(store, lambda view: view.chain(limit=1)) == put[:1]
        assert ask(store, lambda view: view.chain(after=12)) == []

    def test_a_number_is_given_once(self, store: Store) -> None:
        """What is put in its place is refused, and changes nothing."""
        put = _entries(2)
        put_chain(store, put)
        with pytest.raises(StoreError):
            put_chain(store, [evolve(put[1], subject="[]")])
        assert ask(store, lambda view: view.chain()) == put
