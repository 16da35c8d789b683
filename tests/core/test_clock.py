"""The clock is asked in one place only, and gives UTC there whatever the machine's time zone."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import finra_core
from finra_core.domain.clock import new_run_id, utc_now, utc_today

CORE = Path(finra_core.__file__).parent
MODULES = sorted(path.relative_to(CORE).as_posix() for path in CORE.glob("*.py"))
"""Without the contract suites of finra_core.testing: what they test runs on machines."""
ASKING = {"today", "now", "utcnow", "time_ns", "monotonic", "perf_counter", "uuid1", "uuid4", "urandom", "getenv"}
MACHINE = {"time", "random", "secrets", "socket", "locale", "getpass"}


@pytest.fixture
def local_clock_a_day_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the local time zone cannot be set on this platform")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "BEHIND+24")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("local_clock_a_day_behind")
def test_today_is_utcs_whatever_the_local_date() -> None:
    before = datetime.now(timezone.utc).date()
    today = utc_today()
    assert before <= today <= datetime.now(timezone.utc).date()


def test_now_is_an_aware_time_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta()


def test_run_ids_do_not_repeat() -> None:
    assert len({new_run_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("module", [name for name in MODULES if name != "ambient.py"])
def test_no_other_module_of_the_core_asks_the_machine(module: str) -> None:
    tree = ast.parse((CORE / module).read_text("utf-8"))
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & ASKING
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not asked
    assert not imported & (MACHINE | {"os", "uuid"})
