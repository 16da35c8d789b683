"""The fixtures of the store suites."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from finra_core.ports import Store


class StoreFixtures:
    """What a store's tests override: `new_store`, and `reopen` where a store outlives its object."""

    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        """A function that opens a new store with nothing in it, as often as it is called."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Callable[[Store], Store]:
        """A function that opens what an open store has stored a second time, as another process would."""
        pytest.skip("this store ends with its object")

    @pytest.fixture
    def store(self, new_store: Callable[[], Store]) -> Iterator[Store]:
        """A new store, closed after the test."""
        store = new_store()
        yield store
        store.close()
