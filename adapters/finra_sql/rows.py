"""The rows of captures: stored once, living from one capture to another.

Columns are numbered and compared whole; no statement is sent per row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, insert, select, union_all, update

from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture
from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.errors import StoreError
from finra_core.domain.records import Records
from finra_core.ports import RowChanges
from finra_core.weekly_summary.delimited import Reject
from finra_sql import captures as capture_rows
from finra_sql import manifest
from finra_sql.bulk_parameters import has_arrays, rows_as_table
from finra_sql.dialect import SqlDialect
from finra_sql.failures import fetch_tuples
from finra_sql.schema import captures, rejected_rows, row_versions, securities, venues
from finra_sql.surrogate_keys import NumbersInTransaction

_Version = tuple[int, int, int, int, str]
"""Security number, venue number, micro-shares, trades, last update date."""

_VERSIONS = select(
    row_versions.c.security_no,
    row_versions.c.venue_no,
    row_versions.c.shares_micros,
    row_versions.c.trades,
    row_versions.c.last_update_date,
)


def alive(partition_no: int, number: int) -> ColumnElement[bool]:
    """Whether a row version of this partition is one of the capture's."""
    return (
        (row_versions.c.partition_no == partition_no)
        & (row_versions.c.from_capture <= number)
        & (row_versions.c.to_capture.is_(None) | (row_versions.c.to_capture > number))
    )


def add(
    connection: Connection,
    dialect: SqlDialect,
    numbers: NumbersInTransaction,
    capture: Capture,
    records: Records,
    *,
    rejects: Sequence[Reject],
    at: datetime,
) -> RowChanges | None:
    """See `Transaction.add_records`."""
    previous = capture_rows.newest_normalized(connection, capture.partition)
    if previous is not None and previous >= capture.number:
        return None
    partition_no = capture_rows.partition_number(connection, capture.partition)
    versions = _versions(connection, numbers, records)
    store = _insert_first if previous is None else _insert_changes
    changes = store(connection, dialect, partition_no, capture.number, versions)
    _insert_rejects(connection, capture, rejects)
    capture_rows.mark_normalized(connection, capture, len(rejects), at)
    _enter_in_manifest(connection, capture, changes, row_count=len(records), rejected_rows=len(rejects), at=at)
    return changes


def read(connection: Connection, dialect: SqlDialect, capture: Capture) -> Records:
    """See `Store.records`. Put in order here, by the names' ranks: as integers they sort ten times as fast."""
    own = alive(normalized_partitions(connection, [capture])[capture.number], capture.number)
    security_keys, security_ranks = _ranked(connection, dialect, securities, own)
    venue_keys, venue_ranks = _ranked(connection, dialect, venues, own)
    found = fetch_tuples(connection, dialect, _VERSIONS.where(own))
    rows = sorted((security_ranks[s], venue_ranks[v], *values) for s, v, *values in found)
    ranked_securities, ranked_venues, micros, trades, days = map(list, zip(*rows, strict=True)) if rows else ([],) * 5
    return Records(
        DictionaryColumn(security_keys, ranked_securities),
        DictionaryColumn(venue_keys, ranked_venues),
        micros,
        trades,
        DictionaryColumn.of(_iso(days)),
    )


def shared_symbols(connection: Connection, captures: Sequence[Capture]) -> frozenset[str]:
    """See `Store.shared_symbols`."""
    if not captures:
        return frozenset()
    partitions = normalized_partitions(connection, captures)
    named = union_all(
        *(
            select(securities.c.symbol)
            .where(securities.c.security_no.in_(select(row_versions.c.security_no).where(alive(partition_no, number))))
            .distinct()
            for number, partition_no in partitions.items()
        )
    ).subquery()
    shared = select(named.c.symbol).group_by(named.c.symbol).having(func.count() > 1)
    return frozenset(connection.execute(shared).scalars())


def rejects_of(connection: Connection, capture: Capture) -> list[Reject]:
    """See `Store.rejects`."""
    normalized_partitions(connection, [capture])
    c = rejected_rows.c
    query = select(c.document, c.line, c.reason, c.raw_text).where(c.capture_no == capture.number)
    return [Reject(*row) for row in connection.execute(query.order_by(c.document, c.line, c.reject_no))]


def _insert_first(
    connection: Connection, dialect: SqlDialect, partition_no: int, number: int, versions: list[_Version]
) -> RowChanges:
    versions.sort()  # the order of the key, in which a tree grows densest
    _insert(connection, dialect, partition_no, number, versions)
    return RowChanges(added=len(versions), withdrawn=0, unchanged=0)


def _insert_changes(
    connection: Connection, dialect: SqlDialect, partition_no: int, number: int, versions: list[_Version]
) -> RowChanges:
    after = set(versions)
    before = _live_versions(connection, dialect, partition_no)
    begun, ended = after - before, before - after
    _end(connection, partition_no, number, ended)
    _insert(connection, dialect, partition_no, number, sorted(begun))
    return RowChanges(added=len(begun), withdrawn=len(ended), unchanged=len(after) - len(begun))


def _versions(connection: Connection, numbers: NumbersInTransaction, records: Records) -> list[_Version]:
    security_numbers = numbers.of(connection, securities, records.securities.values)
    venue_numbers = numbers.of(connection, venues, records.venues.values)
    return list(
        zip(
            map(security_numbers.__getitem__, records.securities.codes),
            map(venue_numbers.__getitem__, records.venues.codes),
            records.shares_micros,
            records.trades,
            records.last_update_dates,
            strict=True,
        )
    )


def _live_versions(connection: Connection, dialect: SqlDialect, partition_no: int) -> set[_Version]:
    living = (row_versions.c.partition_no == partition_no) & row_versions.c.to_capture.is_(None)
    found = fetch_tuples(connection, dialect, _VERSIONS.where(living))
    days = _iso([row[-1] for row in found])
    return {(*row[:-1], day) for row, day in zip(found, days, strict=True)}


def _ranked(
    connection: Connection, dialect: SqlDialect, table: Table, rows: ColumnElement[bool]
) -> tuple[list[Any], dict[int, int]]:
    """The securities or venues of these row versions in order, and the place of each number among them."""
    number, *names = table.c
    used = number.in_(select(row_versions.c[number.name]).where(rows))
    found = fetch_tuples(connection, dialect, select(number, *names).where(used).order_by(*names))
    return [row[1:] for row in found], {row[0]: rank for rank, row in enumerate(found)}


def _iso(days: Sequence[object]) -> list[str]:
    """Days as the driver gives them, which is date or text, as ISO 8601; a capture has few different ones."""
    text = {day: str(day) for day in set(days)}
    return [text[day] for day in days]


def _insert(
    connection: Connection, dialect: SqlDialect, partition_no: int, number: int, versions: Sequence[_Version]
) -> None:
    if not versions:
        return
    same = {"partition_no": partition_no, "from_capture": number, "to_capture": None}
    dialect.insert_rows(connection, row_versions, same, versions)


def _end(connection: Connection, partition_no: int, number: int, versions: Collection[_Version]) -> None:
    if not versions:
        return
    keys = [version[:2] for version in versions]
    ending = update(row_versions).where(
        row_versions.c.partition_no == partition_no, row_versions.c.to_capture.is_(None)
    )
    key = (row_versions.c.security_no, row_versions.c.venue_no)
    if has_arrays(connection):
        ended = rows_as_table(key, keys)
        own = ending.where(key[0] == ended.c.security_no, key[1] == ended.c.venue_no)
        connection.execute(own.values(to_capture=number))
        return
    own = ending.where(key[0] == bindparam("security"), key[1] == bindparam("venue"))
    connection.execute(own.values(to_capture=number), [{"security": s, "venue": v} for s, v in keys])


def _insert_rejects(connection: Connection, capture: Capture, rejects: Sequence[Reject]) -> None:
    if not rejects:
        return
    rows = [
        {"capture_no": capture.number, "document": r.document, "line": r.line, "reason": r.reason, "raw_text": r.text}
        for r in rejects
    ]
    connection.execute(insert(rejected_rows), rows)


def _enter_in_manifest(
    connection: Connection,
    capture: Capture,
    changes: RowChanges,
    *,
    row_count: int,
    rejected_rows: int,
    at: datetime,
) -> None:
    manifest.add(
        connection,
        partition_key=capture.partition.key,
        stage=Stage.NORMALIZED,
        capture_id=capture.capture_id,
        revision=capture.revision,
        row_count=row_count,
        at=at,
        metadata={
            "rejected_rows": rejected_rows,
            "rows_added": changes.added,
            "rows_withdrawn": changes.withdrawn,
            "rows_unchanged": changes.unchanged,
        },
    )


def normalized_partitions(connection: Connection, wanted: Sequence[Capture]) -> dict[int, int]:
    """The partition number of each of these captures by its own number.

    Raises:
        StoreError: one has no records.
    """
    numbers = [capture.number for capture in wanted]
    query = select(captures.c.capture_no, captures.c.partition_no).where(
        captures.c.capture_no.in_(numbers), captures.c.normalized_at.is_not(None)
    )
    found = {row.capture_no: row.partition_no for row in connection.execute(query)}
    for capture in wanted:
        if capture.number not in found:
            raise StoreError(f"{capture} has no records: it is not normalized", partition=capture.partition)
    return found
