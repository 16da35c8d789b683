"""The suites that any adapter has to pass, ours and yours alike. They need pytest and nothing else.

An adapter is tested by a subclass with its fixtures in it: of `finra_core.testing.store.StoreContract`,
`finra_core.testing.source.SourceContract` or `finra_core.testing.executor.ExecutorContract`. What an adapter may
or may not be able to do is a fixture too, so that nothing is left out unsaid.
"""

import pytest

pytest.register_assert_rewrite(
    "finra_core.testing.executor",
    "finra_core.testing.source",
    "finra_core.testing.store",
    "finra_core.testing.store_analytics",
    "finra_core.testing.store_captures",
    "finra_core.testing.store_findings",
    "finra_core.testing.store_judgments",
    "finra_core.testing.store_opening",
    "finra_core.testing.store_records",
    "finra_core.testing.store_views",
)
