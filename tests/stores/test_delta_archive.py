"""The archive in both databases: a restatement is a difference, and every payload comes back byte for byte."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from finra_core import Capture, Scope, Store, StoreError
from finra_core.testing.examples import OTC, T1, new_capture, payload
from finra_sql.deltas import deltas, expand
from support.postgres import Server

HEADER = b"issueSymbolIdentifier|MPID|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate\n"


def rows(count: int, seed: int = 1) -> list[bytes]:
    draw = random.Random(seed)
    return [b"S%d|V%d|%d|%d|2025-12-15\n" % (i, i % 7, draw.getrandbits(30), i) for i in range(count)]


def document(lines: Sequence[bytes]) -> bytes:
    return HEADER + b"".join(lines)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The stores that keep an archive in a database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'archive.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("postgres_database"))


def put(store: Store, minute: int, *documents: bytes) -> Capture:
    with store.write(Scope.partition(OTC)) as unit:
        return unit.put_capture(new_capture(OTC, minute), payload(*documents))


def read(store: Store, capture: Capture) -> tuple[bytes, ...]:
    with store.read() as view:
        return view.payload(capture)


def stored(url: str) -> list[tuple[str, str, str | None, int]]:
    """The archive: each row's payload, codec, base, and size in bytes, the latest payload last."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    query = """
        SELECT DISTINCT capture_no, ordinal, p.payload_hash, codec, base_hash, length(body)
        FROM core_raw_payloads p JOIN core_captures c ON c.payload_hash = p.payload_hash ORDER BY capture_no, ordinal
    """
    with engine.connect() as connection:
        found = [(row[2], row[3], row[4], row[5]) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def change(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    engine.dispose()


def test_a_restatement_of_three_rows_takes_a_hundredth_of_the_first_capture(store: Store, store_url: str) -> None:
    lines = rows(5_000)
    first = put(store, 1, document(lines))
    for i in (10, 2_000, 4_999):
        lines[i] = b"S%d|V1|7|7|2026-01-05\n" % i
    second = put(store, 2, document(lines))
    third = put(store, 3, document(lines[:-1]))

    whole, *changed = stored(store_url)
    assert whole[1:3] == ("zstd", None)
    assert [(row[1], row[2]) for row in changed] == [("zstd-delta", whole[0])] * 2  # the third's base is whole too
    assert all(row[3] < whole[3] / 100 for row in changed)
    assert read(store, first)[0] == document(rows(5_000))
    assert read(store, second)[0] == document(lines)
    assert read(store, third)[0] == document(lines[:-1])


def test_pages_are_differences_to_the_whole_payload_before(store: Store, store_url: str) -> None:
    """A row that FINRA adds moves all later rows to other places, and some of them to other pages."""
    lines = rows(6_000)
    pages = [document(lines[i : i + 1_000]) for i in range(0, 6_000, 1_000)]
    put(store, 1, *pages)
    lines.insert(3, b"NEW|V1|1|1|2026-01-05\n")
    moved = [document(lines[i : i + 1_000]) for i in range(0, 6_001, 1_000)]
    second = put(store, 2, *moved)
    archive = stored(store_url)
    assert {row[1] for row in archive[6:]} == {"zstd-delta"}
    assert sum(row[3] for row in archive[6:]) < sum(row[3] for row in archive[:6]) / 20
    assert read(store, second) == tuple(moved)


def test_a_content_that_has_little_in_common_is_stored_whole(store: Store, store_url: str) -> None:
    put(store, 1, document(rows(3_000, seed=1)))
    other = put(store, 2, document(rows(3_000, seed=2)))
    third = put(store, 3, document([*rows(3_000, seed=2), b"NEW|V1|1|1|2026-01-05\n"]))
    archive = stored(store_url)
    assert [row[1:3] for row in archive] == [("zstd", None), ("zstd", None), ("zstd-delta", archive[1][0])]
    assert read(store, other)[0] == document(rows(3_000, seed=2))
    assert read(store, third)[0].startswith(read(store, other)[0])


def test_the_same_bytes_are_stored_once(store: Store, store_url: str) -> None:
    captures = [put(store, minute, document(rows(100))) for minute in (1, 2)]
    assert len({row[0] for row in stored(store_url)}) == 1
    assert read(store, captures[0]) == read(store, captures[1])


def test_another_tiers_payload_is_no_base(store: Store, store_url: str) -> None:
    put(store, 1, document(rows(3_000)))
    with store.write(Scope.partition(T1)) as unit:
        unit.put_capture(new_capture(T1, 2), payload(document(rows(3_001))))
    assert {row[1] for row in stored(store_url)} == {"zstd"}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("codec = 'zstd' AND base_hash IS NULL", "that it differs from is not what was stored"),
        ("codec = 'zstd-delta'", "its stored payload is damaged"),
    ],
)
def test_damage_of_a_base_or_of_a_difference_is_named(store: Store, store_url: str, what: str, message: str) -> None:
    put(store, 1, document(rows(2_000)))
    second = put(store, 2, document(rows(2_001)))
    table = "core_raw_payloads"
    whole_of_another = f"(SELECT body FROM {table} WHERE NOT ({what}))"
    change(store_url, f"UPDATE {table} SET body = {whole_of_another} WHERE {what}")
    with pytest.raises(StoreError, match=message):
        read(store, second)


def test_after_a_damaged_base_the_next_payload_is_stored_whole(store: Store, store_url: str) -> None:
    put(store, 1, document(rows(2_000)))
    change(store_url, "UPDATE core_raw_payloads SET body = substr(body, 1, 50)")
    second = put(store, 2, document(rows(2_001)))
    assert read(store, second) == (document(rows(2_001)),)


def test_a_base_that_is_missing_is_named(store: Store, store_url: str) -> None:
    put(store, 1, document(rows(2_000)))
    second = put(store, 2, document(rows(2_001)))
    change(store_url, "DELETE FROM core_raw_payloads WHERE base_hash IS NULL")
    with pytest.raises(StoreError, match="that it differs from is not what was stored"):
        read(store, second)


_LINES = st.lists(st.integers(0, 30), min_size=1, max_size=40)


@given(contents=st.lists(st.lists(_LINES, min_size=1, max_size=3), min_size=1, max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_payload_comes_back_byte_for_byte(store: Store, contents: list[list[list[int]]]) -> None:
    """Random documents of a few kinds of lines, so that some are nearly alike and others are not."""
    block = rows(2_000)
    put_now = []
    with store.read() as view:
        before = len(view.captures())
    for number, documents in enumerate(contents):
        texts = tuple(document([line for i in lines for line in block[i * 60 : i * 60 + 60]]) for lines in documents)
        put_now.append((put(store, before + number, *texts), texts))
    for capture, texts in put_now:
        assert read(store, capture) == texts


@given(st.binary(min_size=1, max_size=2_000), st.lists(st.binary(max_size=2_000), max_size=4))
def test_a_difference_expands_to_its_document(base: bytes, documents: list[bytes]) -> None:
    found = deltas(base, documents)
    assert found is not None
    assert [expand(base, delta) for delta in found] == documents


def test_no_difference_is_made_to_nothing_or_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deltas(b"", [b"text"]) is None
    monkeypatch.setattr("finra_sql.deltas.LARGEST", 100)
    assert deltas(b"x" * 60, [b"y" * 40]) is not None
    assert deltas(b"x" * 60, [b"y" * 41]) is None
