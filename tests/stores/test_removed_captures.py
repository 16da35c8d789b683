"""In a database whose captures were removed nothing shows that they were ever there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from finra_core import Capture, Partition, Scope, Store, StoreError, Tier, open_store
from finra_core.domain.analytics import analyze, volumes_of
from finra_core.domain.coverage import coverage_of
from finra_core.domain.records import Record, Records
from finra_core.testing.examples import AAPL, UBSA, at, new_capture, payload, row
from finra_sql.schema import metadata
from support.postgres import Server

OTC = Partition(date(2025, 12, 26), Tier.OTC)
SECURITIES = [AAPL._replace(symbol=symbol) for symbol in "ABC"]
contents = st.lists(st.integers(0, 2), min_size=3, max_size=3)
"""The shares of three rows; 0 for a row that is not there."""
histories = st.lists(st.tuples(contents, st.booleans(), st.booleans()), min_size=1, max_size=7)
"""Captures: their rows, whether they have records, and whether they are removed."""

Version = tuple[list[int], bool, bool]


class Both:
    """A store from which captures are removed, and one that never has them. Each history is that of another week."""

    def __init__(self, open_one: Callable[[], Store]) -> None:
        self.opener = open_one
        self.stores = [open_one(), open_one()]
        self.places: list[dict[int, str]] = [{}, {}]
        self.weeks = (Partition(date(2020, 1, 3) + timedelta(weeks=week), Tier.OTC) for week in count())

    def live(self, history: list[Version]) -> list[dict[str, list[str]]]:
        """Give both the history, and say what their tables then have."""
        partition = next(self.weeks)
        removed = []
        for place, (shares, has_records, is_removed) in enumerate(history):
            for store in self.stores[: 1 if is_removed else 2]:
                capture = fill(store, partition, place, shares, has_records)
                self.places[self.stores.index(store)][capture.number] = f"{partition}, {place}"
                if is_removed:
                    removed.append(capture)
        with self.stores[0].write(Scope.partition(partition)) as unit:
            unit.remove_captures(removed)
        return [tables(store, places) for store, places in zip(self.stores, self.places, strict=True)]


@pytest.fixture(params=["sqlite", "postgres"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Both]]:
    databases: list[str] = []
    numbers = count()

    def open_one() -> Store:
        if request.param == "sqlite":
            return open_store(f"sqlite:///{tmp_path / f'{next(numbers)}.db'}")
        server: Server = request.getfixturevalue("postgres")
        databases.append(server.new_database())
        return open_store(server.url(databases[-1]))

    opened = [Both(open_one)]
    yield opened
    for store in (store for each in opened for store in each.stores):
        store.close()
    for database in databases:
        request.getfixturevalue("postgres").drop_database(database)


def fill(store: Store, partition: Partition, place: int, shares: list[int], has_records: bool) -> Capture:
    with store.write(Scope.partition(partition)) as unit:
        capture = unit.put_capture(new_capture(partition, place), payload(bytes([65 + place])))
        if has_records:
            records = Records.of(_rows(shares))
            unit.put_records(capture, records, [], coverage_of(records), at(place))
            unit.put_analysis(analyze(capture, volumes_of(records), at(place)))
    return capture


def _rows(shares: list[int]) -> list[Record]:
    return [row(security, UBSA, own) for security, own in zip(SECURITIES, shares, strict=True) if own]


_NUMBERS = {"capture_no", "from_capture", "to_capture", "newest_input"}
_KEYS = {"partition_no", "manifest_no", "analysis_no", "reject_no", "security_no", "venue_no"}
_OWN = {*_KEYS, "fingerprint", "body"}


def tables(store: Any, places: dict[int, str]) -> dict[str, list[str]]:
    """All rows of all tables, with the captures by their places; keys that a database gives are left out."""
    found = {}
    with closing(store._engine.connect()) as connection:
        for name, table in metadata.tables.items():
            if name in ("finra_otc_partitions", "finra_otc_securities", "finra_otc_venues"):
                continue  # surrogate keys stay
            found[name] = sorted(
                str([_plain(c, v, places) for c, v in each._mapping.items() if c not in _OWN])
                for each in connection.execute(table.select())
            )
    return found


def _plain(column: str, value: Any, places: dict[int, str]) -> Any:
    if column == "metadata_json":
        return {key: each for key, each in value.items() if key != "inputs"}
    return places.get(value, value) if column in _NUMBERS else value


_BACK_AND_FORTH = [([1, 1, 1], True, False), ([2, 1, 0], True, True), ([1, 1, 1], True, False)]


@example(_BACK_AND_FORTH)
@example([([1, 2, 0], True, False), *_BACK_AND_FORTH, ([2, 2, 2], True, False)])
@settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=histories)
def test_the_tables_are_as_if_they_had_never_been(
    both: list[Both], history: list[tuple[list[int], bool, bool]]
) -> None:
    found = both[-1].live(history)
    if found[0] != found[1]:
        both.append(Both(both[0].opener))  # what failed once would fail for ever
    assert found[0] == found[1]


def test_what_differs_from_a_damaged_payload_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    lines = [f"row {number * 7919}\n".encode() for number in range(900)]
    url = tmp_path / "finra.db"
    with open_store(f"sqlite:///{url}") as store:
        made = []
        for minute in range(2):
            with store.write(Scope.partition(OTC)) as unit:
                content = b"".join([*lines, b"last %d" % minute])
                made.append(unit.put_capture(new_capture(OTC, minute), payload(content)))
        with closing(sqlite3.connect(url)) as connection, connection:
            (differing,) = connection.execute("SELECT count(*) FROM core_raw_payloads WHERE codec = 'zstd-delta'")
            assert differing == (1,), "nothing was stored as differences"
            other = zstandard.compress(b"".join(lines[::-1]))
            connection.execute("UPDATE core_raw_payloads SET body = ? WHERE codec = 'zstd'", (other,))
        with pytest.raises(StoreError, match="is damaged"), store.write(Scope.partition(OTC)) as unit:
            unit.remove_captures(made[:1])
        with store.read() as view:
            assert view.captures() == made
