"""The README's SQL for the difference of two captures, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text

from finra_core import open_store
from finra_core.domain.captures import Capture
from finra_core.testing.examples import AAPL, CITADEL, IBM, OTC, T1, UBSA, add_normalized, row
from finra_sql.store import SqlStore

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
(SQL,) = re.findall(r"^```sql\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

FIRST = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 2), row(IBM, UBSA, 3)]
SECOND = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 20), row(IBM, CITADEL, 4)]
THIRD = [row(AAPL, UBSA, 1), row(AAPL, CITADEL, 2), row(IBM, CITADEL, 4)]


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    if store_url == "memory:":
        pytest.skip("a store in memory has no SQL")
    store = cast("SqlStore", open_store(store_url))
    yield store
    store.close()


def difference(store: SqlStore, earlier: Capture, later: Capture) -> list[tuple[object, ...]]:
    with store._reading() as connection:
        found = connection.execute(text(SQL), {"earlier": earlier.number, "later": later.number})
        return [(each[0], tuple(each[1:4]), tuple(each[4:8]), *each[8:10], str(each[10])) for each in found]


def test_a_changed_row_is_shown_before_and_after(store: SqlStore) -> None:
    first, second = add_normalized(store, T1, 0, FIRST), add_normalized(store, T1, 1, SECOND)
    assert difference(store, first, second) == [
        ("before", *FIRST[1]),
        ("after", *SECOND[1]),
        ("after", *SECOND[2]),
        ("before", *FIRST[2]),
    ]


def test_what_changed_and_changed_back_between_the_two_is_no_difference(store: SqlStore) -> None:
    first = add_normalized(store, T1, 0, FIRST)
    add_normalized(store, OTC, 1, SECOND)
    add_normalized(store, T1, 2, SECOND)
    third = add_normalized(store, T1, 3, THIRD)
    add_normalized(store, T1, 4, SECOND)
    assert difference(store, first, third) == [("after", *THIRD[2]), ("before", *FIRST[2])]


def test_captures_of_different_partitions_have_none(store: SqlStore) -> None:
    assert difference(store, add_normalized(store, T1, 0, FIRST), add_normalized(store, OTC, 1, SECOND)) == []
