"""The suite that any Store has to pass.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def new_store(self, tmp_path):
            return lambda: open_store(f"mine:{tmp_path / uuid4().hex}", read_only=False)

and, where what is stored ends with the object, a fixture `reopens` that is False.
"""

from __future__ import annotations

from finra_core.testing.store_analytics import AnalyticsContract
from finra_core.testing.store_captures import CapturesContract
from finra_core.testing.store_chain import ChainContract
from finra_core.testing.store_findings import AnomaliesContract, LedgerContract
from finra_core.testing.store_judgments import JudgmentsContract
from finra_core.testing.store_opening import OpeningContract
from finra_core.testing.store_records import ChangesContract, RecordsContract
from finra_core.testing.store_restatements import RestatementsContract
from finra_core.testing.store_retention import RetentionContract
from finra_core.testing.store_views import UnitsOfWorkContract, ViewsContract


class StoreContract(
    OpeningContract,
    CapturesContract,
    RecordsContract,
    ChangesContract,
    RestatementsContract,
    AnalyticsContract,
    JudgmentsContract,
    AnomaliesContract,
    LedgerContract,
    RetentionContract,
    ChainContract,
    ViewsContract,
    UnitsOfWorkContract,
):
    """All of a store's behavior, one test for each."""
