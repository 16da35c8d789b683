"""What the tests of the examples under docs/ share: the examples, a simulated FINRA, one that is down."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from finra_core import JudgmentQuery, open_store
from finra_core.domain.clock import utc_now

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
SIMULATOR = f"simulator:?symbols=3&rate=0&now={utc_now() + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
"""A week ahead: whatever is due today is there, at any hour of a Monday and on holidays."""
DOWN = "http://127.0.0.1:9"
"""Nobody listens on the port for discarding: every partition fails."""
TIER_1_WEEKS = 6 + 2
"""A run's window: six weeks that are due in all tiers, and the two newer ones that are due in Tier 1 alone."""
PARTITIONS = TIER_1_WEEKS + 6 + 6


def load(name: str) -> ModuleType:
    """An example as the module that its orchestrator makes of it."""
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def runs(store_url: str) -> list[int | None]:
    """The exit codes of the runs that a store knows of, oldest first."""
    with open_store(store_url, read_only=True) as store, store.read() as view:
        return [run.exit_code for run in reversed(view.runs())]


def stored_partitions(store_url: str) -> int:
    """How many partitions a store has captures of."""
    with open_store(store_url, read_only=True) as store, store.read() as view:
        return len({capture.partition for capture in view.captures()})


def ready_weeks(store_url: str) -> list[str]:
    """The weeks that are ready for trading, newest first."""
    with open_store(store_url, read_only=True) as store, store.read() as view:
        judged = view.judgments(JudgmentQuery(ready_for="trading"))
    return [str(each.readiness.week_ending) for each in judged if each.readiness.is_ready]
