"""The fixtures of the store suites."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import pytest

from finra_core.ports.store import Store


class StoreFixtures:
    """What a store's tests override: `new_store`, and `reopens` where a store ends with its object."""

    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        """A function that opens a new store with nothing in it, as often as it is called."""
        raise NotImplementedError

    @pytest.fixture
    def reopens(self) -> bool:
        """Whether another process on this machine can open what a store holds."""
        return True

    @pytest.fixture
    def store(self, new_store: Callable[[], Store]) -> Iterator[Store]:
        """A new store, closed after the test."""
        with new_store() as store:
            yield store

    @pytest.fixture
    def other(self, store: Store, reopens: bool) -> Iterator[Store]:
        """The same store opened a second time, as another process opens it; closed after the test."""
        if not reopens:
            pytest.skip("this store ends with its object")
        opener = pickle.loads(pickle.dumps(store.reopener(same_machine=True)))  # noqa: S301  made by this test
        with opener() as other:
            yield other
