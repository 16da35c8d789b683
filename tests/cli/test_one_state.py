"""A command that reads shows one state of the store, though a run commits between any two of its reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define

from finra_cli import wiring
from finra_core import RunRequest, Scheduler, open_source, open_store
from finra_core.ports.store import ReadView, Store
from support.command import CommandHere

RUN_DATE = date(2026, 1, 5)
SOURCE = "simulator:?symbols=2&rate=0&now=2026-01-05T15:30:00Z"

COMMANDS = {
    "status": ["status", "--on", "2026-01-06"],
    "status of all weeks": ["status", "--on", "2026-01-06", "--all", "--json"],
    "readiness": ["readiness"],
    "captures": ["captures"],
    "asof, rows": ["asof", "release:-1", "--rows", "--json"],
    "asof, analytics": ["asof", "2100-01-01", "--analytics", "--json"],
    "asof, by FINRA's clock": ["asof", "2100-01-01", "--source-time", "--rows", "--json"],
    "diff": ["diff", "2025-12-05", "NMS_TIER_1", "first", "latest", "--impact", "--json"],
    "restatements": ["restatements", "--json"],
    "anomalies": ["anomalies", "--severity", "INFO"],
    "runs": ["runs", "--json"],
    "explain": ["explain", "2025-12-05", "OTC", "--on", "2026-01-06"],
    "explain in JSON": ["explain", "2025-12-05", "OTC", "--on", "2026-01-06", "--json"],
    "doctor": ["doctor", "--on", "2026-03-06", "--json"],
}


@define
class InterruptedStore:
    """A store of which each view's every read is followed by a run that commits, through a connection of its own."""

    store: Store
    commit: Callable[[], None]
    views: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def __enter__(self) -> Store:
        return cast("Store", self)

    def __exit__(self, *_error: object) -> None:
        self.store.close()

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        self.views += 1
        with self.store.read() as view:
            self.commit()
            yield cast("ReadView", InterruptedView(view, self.commit))


@define
class InterruptedView:
    view: ReadView
    commit: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.view, name)

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            self.commit()
            return found

        return interrupted


def run(url: str, **request: Any) -> None:
    """One run's commits; each run's captures are new, though FINRA has changed nothing."""
    with open_source(SOURCE) as source, open_store(url) as store:
        Scheduler(source=source, store=store).run(RunRequest(run_date=RUN_DATE, **request))


@pytest.mark.parametrize("case", COMMANDS)
def test_it_shows_the_state_in_which_it_began(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finra = CommandHere(tmp_path)
    url = f"sqlite:///{tmp_path / 'finra.db'}"
    arguments = [*COMMANDS[case], "--store", url]
    weeks = (date(2025, 12, 5), date(2025, 12, 19))
    run(url, weeks=weeks)
    run(url, weeks=weeks)
    opened: list[InterruptedStore] = []

    def open_interrupted(store_url: str, *, read_only: bool) -> Store:
        store = InterruptedStore(
            open_store(store_url, read_only=read_only),
            lambda: run(url, weeks=(date(2025, 11, 28), *weeks), force=True),
        )
        opened.append(store)
        return cast("Store", store)

    before = finra.ok(*arguments)
    with monkeypatch.context() as interrupting:
        interrupting.setattr(wiring, "open_store", open_interrupted)
        assert finra.ok(*arguments) == before
    assert finra.ok(*arguments) != before
    assert [store.views for store in opened] == [1]
