"""What the tests of the examples under docs/ share: the examples, a simulated FINRA, one that is down."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from finra_core import open_store
from finra_core.domain.clock import utc_now

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
SIMULATOR = f"simulator:?symbols=3&rate=0&now={utc_now() + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
"""A week ahead: whatever is due today is there, at any hour of a Monday and on holidays."""
DOWN = "http://127.0.0.1:9"
"""Nobody listens on the port for discarding: every partition fails."""


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
    with closing(open_store(store_url, read_only=True)) as store:
        return [run.exit_code for run in store.runs()]


def stored_partitions(store_url: str) -> int:
    """How many partitions a store has captures of."""
    with closing(open_store(store_url, read_only=True)) as store:
        return len({capture.partition for capture in store.captures()})


def ready_weeks(store_url: str) -> list[str]:
    with closing(open_store(store_url, read_only=True)) as store:
        return [str(week.week_ending) for week in store.readiness() if week.is_ready]
