"""The suite that any Store has to pass.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def new_store(self, tmp_path):
            return lambda: open_store(f"mine:{tmp_path / uuid4().hex}")

and, where what is stored outlives the object, a fixture `reopen` besides: a function from an open store to a
second one on the same data.
"""

from __future__ import annotations

from finra_core.testing.store_analytics import AnalyticsContract
from finra_core.testing.store_captures import CapturesContract
from finra_core.testing.store_findings import FindingsContract
from finra_core.testing.store_judgments import JudgmentsContract
from finra_core.testing.store_records import RecordsContract
from finra_core.testing.store_transactions import TransactionsContract


class StoreContract(
    CapturesContract,
    RecordsContract,
    AnalyticsContract,
    JudgmentsContract,
    FindingsContract,
    TransactionsContract,
):
    """All of a store's behavior, one test for each."""
