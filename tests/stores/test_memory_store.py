from __future__ import annotations

from collections.abc import Callable

import pytest

from finra_core.domain.errors import StoreUnavailableError
from finra_core.domain.scopes import STORE
from finra_core.ports.store import Store
from finra_core.testing.examples import captures_of, put_capture
from finra_core.testing.store import StoreContract
from finra_memory import open_store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def new_store(self) -> Callable[[], Store]:
        return open_store

    @pytest.fixture
    def reopens(self) -> bool:
        return False


def test_every_store_is_a_new_one() -> None:
    store, other = open_store("memory://"), open_store("memory://")
    put_capture(store)
    assert captures_of(other) == []


def test_a_read_only_store_refuses_units_of_work() -> None:
    store = open_store("memory://", read_only=True)
    with pytest.raises(StoreUnavailableError, match="read-only"), store.write(STORE):
        pass
