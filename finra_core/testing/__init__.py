"""The suites that any adapter has to pass, ours and yours alike. They need pytest and hypothesis.

A store is tested by a subclass of `finra_core.testing.store.StoreContract` with one fixture in it.
"""

import pytest

pytest.register_assert_rewrite(
    "finra_core.testing.store",
    "finra_core.testing.store_analytics",
    "finra_core.testing.store_captures",
    "finra_core.testing.store_findings",
    "finra_core.testing.store_judgements",
    "finra_core.testing.store_records",
    "finra_core.testing.store_transactions",
)
