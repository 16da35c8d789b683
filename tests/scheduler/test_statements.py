"""How many statements a run sends to a database: each costs the distance to it, whatever the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import evolve
from sqlalchemy import event

from finra_core import Outcome, Tier, open_store
from finra_core.runs import carrying_out
from finra_simulator import Restatement, World
from finra_sql.store import SqlStore
from support.harness import MONDAY_MORNING, Bench, captures_of, contents, partition

QUIET = World(symbols=4, ats=2, firms=2, restatement_rate=0.0, first_week=date(2024, 12, 6))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Bench]:
    with open_store(f"sqlite:///{tmp_path / 'finra.db'}") as store:
        yield Bench(store, QUIET)


@contextmanager
def statements(bench: Bench) -> Iterator[list[str]]:
    """Those sent, but for what begins and ends transactions."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "PRAGMA", "SELECT 1 FROM sqlite_master")):
            sent.append(statement)

    engine = cast("SqlStore", bench.store)._engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_a_first_ingest_sends_less_than_forty_a_partition(sqlite: Bench) -> None:
    with statements(sqlite) as sent:
        report = sqlite.run()
    assert report.count(Outcome.INGESTED) == 20
    assert len(sent) < 40 * 20


def _payloads_read(sent: list[str]) -> int:
    return sum(statement.startswith("SELECT") and "core_raw_payloads" in statement for statement in sent)


def test_what_a_run_has_fetched_it_does_not_read_back(sqlite: Bench) -> None:
    with statements(sqlite) as sent:
        sqlite.run()
    assert _payloads_read(sent) == 0


def test_what_is_beyond_the_bound_is_read_back_and_ends_alike(
    sqlite: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.run()
    rows = sum(capture.row_count for capture in captures_of(sqlite.store))
    monkeypatch.setattr(carrying_out, "_ROWS_AT_HAND", rows // 2)
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as store:
        other = Bench(store, QUIET)
        with statements(other) as sent:
            other.run()
        assert 0 < _payloads_read(sent) < len(captures_of(store))
        assert contents(store) == contents(sqlite.store)


@pytest.mark.parametrize("weeks", [6, 52])
def test_an_unchanged_run_sends_as_many_however_much_is_stored(sqlite: Bench, weeks: int) -> None:
    """With the sweep: one older partition has its content compared, others are asked for their version."""
    sqlite.run(lookback_weeks=weeks)
    sqlite.clock.forward(days=2)
    sqlite.run()
    sqlite.clock.forward(days=1)

    with statements(sqlite) as sent:
        report = sqlite.run()

    assert report.count(Outcome.SKIPPED) == len(report.partitions) >= 20
    assert len(sent) <= 40


def test_a_restatement_sends_forty_more(sqlite: Bench) -> None:
    restated = [
        Restatement(partition("2025-11-28", tier), MONDAY_MORNING + timedelta(days=3), changed=1) for tier in Tier
    ]
    sqlite.world = evolve(QUIET, events=tuple(restated))
    sqlite.run()
    sqlite.clock.forward(days=2)
    sqlite.run()
    sqlite.clock.forward(days=2)

    with statements(sqlite) as sent:
        report = sqlite.run()

    assert report.count(Outcome.INGESTED) == 3
    assert len(sent) <= 40 + 3 * 40
