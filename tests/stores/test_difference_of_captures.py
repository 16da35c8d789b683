"""The README's SQL for the difference of two captures says what a view's `changes` says, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text

from finra_core import open_store
from finra_core.domain.captures import Capture
from finra_core.domain.records import Record, Security, Venue
from finra_core.testing.examples import AAPL, CITADEL, IBM, OTC, T1, UBSA, ask, put_normalized, row
from finra_sql.store import SqlStore
from finra_sql.view import SqlView

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
(SQL,) = [found for found in re.findall(r"^```sql\n(.*?)^```", README, re.MULTILINE | re.DOTALL) if ":earlier" in found]

FIRST = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 2), row(IBM, UBSA, 3)]
SECOND = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 20), row(IBM, CITADEL, 4)]
THIRD = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 2), row(IBM, CITADEL, 4)]

Rows = list[tuple[str, Record]]


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    if store_url == "memory:":
        pytest.skip("a store in memory has no SQL")
    with open_store(store_url) as store:
        yield cast("SqlStore", store)


def by_sql(store: SqlStore, earlier: Capture, later: Capture) -> Rows:
    with store.read() as view:
        connection = cast("SqlView", view)._session.connection
        found = connection.execute(text(SQL), {"earlier": earlier.number, "later": later.number})
        return [
            (each[0], Record(Security(*each[1:4]), Venue(*each[4:8]), each[8], each[9], str(each[10])))
            for each in found
        ]


def by_view(store: SqlStore, earlier: Capture, later: Capture) -> Rows:
    changes = ask(store, lambda view: view.changes(earlier, later))
    return [
        (side, record)
        for change in changes
        for side, record in (("before", change.before), ("after", change.after))
        if record is not None
    ]


def test_a_changed_row_is_shown_before_and_after(store: SqlStore) -> None:
    first, second = put_normalized(store, T1, 0, FIRST), put_normalized(store, T1, 1, SECOND)
    expected = [("before", FIRST[1]), ("after", SECOND[1]), ("after", SECOND[2]), ("before", FIRST[2])]
    assert by_sql(store, first, second) == expected
    assert sorted(by_view(store, first, second)) == sorted(expected)


def test_what_changed_and_changed_back_between_the_two_is_no_difference(store: SqlStore) -> None:
    first = put_normalized(store, T1, 0, FIRST)
    put_normalized(store, OTC, 1, SECOND)
    put_normalized(store, T1, 2, SECOND)
    third = put_normalized(store, T1, 3, THIRD)
    put_normalized(store, T1, 4, SECOND)
    expected = [("after", THIRD[2]), ("before", FIRST[2])]
    assert by_sql(store, first, third) == expected
    assert sorted(by_view(store, first, third)) == sorted(expected)


def test_captures_of_different_partitions_have_none(store: SqlStore) -> None:
    assert by_sql(store, put_normalized(store, T1, 0, FIRST), put_normalized(store, OTC, 1, SECOND)) == []
