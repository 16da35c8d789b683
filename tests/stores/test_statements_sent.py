"""How many statements the stores send: what each costs grows with the distance to the server, whatever the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import event

from finra_core import open_store
from finra_core.domain.anomalies import Anomaly, Category, Check, Severity, Stage
from finra_core.domain.partitions import week_key
from finra_core.testing.examples import T1, UBSA, Row, add_capture, add_normalized, add_records, at, row
from finra_sql.store import SqlStore

PASSING = [Check(week_key(date(2020, 1, 3) + timedelta(weeks=i)), Stage.CALC, ()) for i in range(50)]


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    if store_url == "memory:":
        pytest.skip("a store in memory sends none")
    store = cast("SqlStore", open_store(store_url))
    yield store
    store.close()


@contextmanager
def statements(store: SqlStore) -> Iterator[list[tuple[str, int]]]:
    """Each statement and with how many sets of parameters it was sent."""
    sent: list[tuple[str, int]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        sent.append((statement, len(parameters) if many else 1))

    event.listen(store._engine, "before_cursor_execute", note)
    yield sent
    event.remove(store._engine, "before_cursor_execute", note)


def test_checks_that_pass_cost_one_statement_however_many_they_are(store: SqlStore) -> None:
    with statements(store) as for_one, store.transaction() as transaction:
        transaction.record_checks(PASSING[:1], at(0))
    with statements(store) as for_all, store.transaction() as transaction:
        transaction.record_checks(PASSING, at(0))
    assert len(for_all) == len(for_one)


def test_a_check_that_passes_after_another_of_its_key_found_something_resolves_it(store: SqlStore) -> None:
    key = PASSING[0].partition_key
    found = Anomaly(Severity.WARN, Category.INCOMPLETE_INPUT, key, Stage.CALC, "missing")
    with store.transaction() as transaction:
        transaction.record_checks([Check(key, Stage.CALC, (found,)), PASSING[0]], at(0))
    assert store.anomalies() == []


def test_a_server_is_told_in_one_statement_which_rows_a_restatement_ended(store: SqlStore) -> None:
    if store.url.startswith("sqlite:"):
        pytest.skip("no server")
    add_normalized(store, T1, 0, numbered(changed=0))
    capture = add_capture(store, T1, 1)
    with statements(store) as sent:
        changes = add_records(store, capture, numbered(changed=600))
    assert changes is not None
    assert changes.withdrawn == 600
    assert [times for statement, times in sent if statement.startswith("UPDATE finra_otc_row_versions")] == [1]


def numbered(changed: int) -> list[Row]:
    return [row((f"S{i:03}", "", ""), UBSA, 2 if i < changed else 1) for i in range(700)]
