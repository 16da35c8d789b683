from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from finra_core.ports.store import Store
from finra_core.testing.store import StoreContract
from finra_sqlite import open_store


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> Callable[[], Store]:
        numbers = count()
        return lambda: open_store(f"sqlite:///{tmp_path / f'{next(numbers)}.db'}")
