"""What a store is as an object: opened, opened again elsewhere, closed."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from finra_core.domain.errors import ConfigurationError
from finra_core.ports.store import Store
from finra_core.testing.examples import (
    ask,
    captures_of,
    payload,
    put_analysis,
    put_capture,
    put_normalized,
    rows_of,
)
from finra_core.testing.store_fixtures import StoreFixtures


class _StopError(Exception):
    """Raised by the tests themselves."""


class OpeningContract(StoreFixtures):
    """A store is a context manager that says where it is and how it is opened elsewhere."""

    def test_it_has_a_url_of_one_line(self, store: Store) -> None:
        """Messages name it by that."""
        assert ":" in store.url
        assert store.url.isprintable()

    def test_it_is_a_context_manager_of_itself(self, new_store: Callable[[], Store]) -> None:
        """Leaving it closes it."""
        store = new_store()
        with store as entered:
            assert entered is store

    def test_a_block_that_raises_lets_the_error_through(self, new_store: Callable[[], Store]) -> None:
        """Closed or not."""
        with pytest.raises(_StopError), new_store():
            raise _StopError

    def test_every_new_store_is_empty(self, new_store: Callable[[], Store]) -> None:
        """The tests rest on it."""
        with new_store() as store:
            put_capture(store)
        with new_store() as store:
            assert captures_of(store) == []

    def test_another_process_opens_what_it_holds(self, store: Store, other: Store) -> None:
        """Through what its reopener pickles into."""
        capture = put_normalized(store)
        analysis = put_analysis(store, [capture])
        assert captures_of(other) == [capture]
        assert ask(other, lambda view: view.payload(capture)) == payload().documents
        assert rows_of(other, capture) == rows_of(store, capture)
        assert ask(other, lambda view: view.analyses()) == [analysis]

    def test_another_process_writes_into_it(self, store: Store, other: Store) -> None:
        """What one commits the other sees, both ways, though both have looked before."""
        assert captures_of(store) == captures_of(other) == []
        made = [put_capture(other, minute=0)]
        assert captures_of(store) == captures_of(other) == made
        made.append(put_capture(store, minute=1))
        assert captures_of(store) == captures_of(other) == made

    def test_what_it_holds_outlives_it(self, new_store: Callable[[], Store], reopens: bool) -> None:
        """The first object is closed by then."""
        if not reopens:
            pytest.skip("this store ends with its object")
        with new_store() as store:
            capture, opener = put_normalized(store), store.reopener(same_machine=True)
        with opener() as other:
            assert captures_of(other) == [capture]

    @pytest.mark.parametrize("same_machine", [True, False])
    def test_a_store_that_cannot_be_opened_elsewhere_says_so(
        self, store: Store, reopens: bool, same_machine: bool
    ) -> None:
        """As a ConfigurationError; a reopener that it does give pickles and opens it."""
        capture = put_capture(store)
        if same_machine and not reopens:
            with pytest.raises(ConfigurationError):
                store.reopener(same_machine=True)
            return
        try:
            opener = store.reopener(same_machine=same_machine)
        except ConfigurationError:
            assert not same_machine
            return
        with pickle.loads(pickle.dumps(opener))() as other:  # noqa: S301  made by this test
            assert captures_of(other) == [capture]
