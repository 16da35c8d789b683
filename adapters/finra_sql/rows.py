"""The rows of captures: stored once, living from one capture to another.

Columns are numbered and compared whole; no statement is sent per row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, cast, func, insert, select, update

from finra_core.analytics import VenueVolume, Volumes
from finra_core.anomalies import Stage
from finra_core.captures import Capture
from finra_core.errors import StoreError
from finra_core.ports import RowChanges
from finra_core.records import Records
from finra_core.tables import Reject
from finra_sql import captures as capture_rows
from finra_sql import manifest
from finra_sql.dialect import SqlDialect
from finra_sql.schema import captures, rejected_rows, row_versions, securities, venues
from finra_sql.types import BigInteger
from finra_sql.upsert import insert_missing

_Version = tuple[int, int, int, int, str]
"""Security number, venue number, micro-shares, trades, last update date."""

_SECURITY = (securities.c.symbol, securities.c.issue_name, securities.c.product_type)
_VENUE = (venues.c.venue_type, venues.c.mpid, venues.c.crd, venues.c.venue_name)
_VALUES = (row_versions.c.shares_micros, row_versions.c.trades, row_versions.c.last_update_date)
_COLUMNS: tuple[Column[Any], ...] = (*_SECURITY, *_VENUE, *_VALUES)

_LIVES_IN_CAPTURE = (
    (row_versions.c.partition_no == captures.c.partition_no)
    & (row_versions.c.from_capture <= captures.c.capture_no)
    & (row_versions.c.to_capture.is_(None) | (row_versions.c.to_capture > captures.c.capture_no))
)
_ROWS = (
    captures.join(row_versions, _LIVES_IN_CAPTURE)
    .join(securities, securities.c.security_no == row_versions.c.security_no)
    .join(venues, venues.c.venue_no == row_versions.c.venue_no)
)


def add(
    connection: Connection,
    dialect: SqlDialect,
    capture: Capture,
    records: Records,
    *,
    rejects: Sequence[Reject],
    at: datetime,
) -> RowChanges | None:
    """See `Transaction.add_records`."""
    previous = capture_rows.newest_normalised(connection, capture.partition)
    if previous is not None and previous >= capture.number:
        return None
    partition_no = capture_rows.partition_number(connection, capture.partition)
    if previous is None:
        changes = _insert_first(connection, dialect, partition_no, capture.number, records)
    else:
        changes = _insert_changes(connection, dialect, partition_no, capture.number, records)
    _insert_rejects(connection, capture, rejects)
    capture_rows.mark_normalised(connection, capture, len(rejects), at)
    _enter_in_manifest(connection, capture, changes, row_count=len(records), rejected_rows=len(rejects), at=at)
    return changes


def read(connection: Connection, capture: Capture) -> Records:
    """See `Store.records`."""
    _check_normalised(connection, [capture])
    query = (
        select(*_COLUMNS)
        .select_from(_ROWS)
        .where(captures.c.capture_no == capture.number)
        .order_by(*_SECURITY, *_VENUE)
    )
    return Records.of((row[0:3], row[3:7], *row[7:]) for row in map(tuple, connection.execute(query).all()))


def rejects_of(connection: Connection, capture: Capture) -> list[Reject]:
    """See `Store.rejects`."""
    _check_normalised(connection, [capture])
    c = rejected_rows.c
    query = select(c.document, c.line, c.reason, c.raw_text).where(c.capture_no == capture.number)
    return [Reject(*row) for row in connection.execute(query.order_by(c.document, c.line, c.reject_no))]


def volumes(connection: Connection, wanted: Sequence[Capture]) -> Volumes:
    """See `Store.volumes`."""
    _check_normalised(connection, wanted)
    of_captures = captures.c.capture_no.in_([capture.number for capture in wanted])
    identity = _VENUE[:3]
    symbols = func.count(securities.c.symbol.distinct())
    per_venue = (
        select(
            *identity,
            func.min(venues.c.venue_name),
            _sum(row_versions.c.shares_micros),
            _sum(row_versions.c.trades),
            symbols,
        )
        .select_from(_ROWS)
        .where(of_captures)
        .group_by(*identity)
        .order_by(*identity)
    )
    found = tuple(VenueVolume(*row) for row in connection.execute(per_venue))
    return Volumes(found, connection.execute(select(symbols).select_from(_ROWS).where(of_captures)).scalar_one())


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """An exact sum in 64 bits, where PostgreSQL would make it a numeric."""
    return cast(func.sum(column), BigInteger)


def _insert_first(
    connection: Connection, dialect: SqlDialect, partition_no: int, number: int, records: Records
) -> RowChanges:
    versions = sorted(_versions(connection, records))  # the order of the key, in which a tree grows densest
    _insert(connection, dialect, partition_no, number, versions)
    return RowChanges(added=len(versions), withdrawn=0, unchanged=0)


def _insert_changes(
    connection: Connection, dialect: SqlDialect, partition_no: int, number: int, records: Records
) -> RowChanges:
    after = set(_versions(connection, records))
    before = _live_versions(connection, partition_no)
    begun, ended = after - before, before - after
    _end(connection, partition_no, number, ended)
    _insert(connection, dialect, partition_no, number, sorted(begun))
    return RowChanges(added=len(begun), withdrawn=len(ended), unchanged=len(after) - len(begun))


def _versions(connection: Connection, records: Records) -> list[_Version]:
    security_numbers = _numbers(connection, securities, records.securities.values)
    venue_numbers = _numbers(connection, venues, records.venues.values)
    return list(
        zip(
            map([security_numbers[key] for key in records.securities.values].__getitem__, records.securities.codes),
            map([venue_numbers[key] for key in records.venues.values].__getitem__, records.venues.codes),
            records.shares_micros,
            records.trades,
            records.last_update_dates,
            strict=True,
        )
    )


def _numbers(connection: Connection, table: Table, keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The number of each of these securities or venues, after entering those that are new."""
    names = [column.name for column in table.c][1:]
    known = _known_numbers(connection, table)
    missing = sorted(set(keys) - known.keys())
    if not missing:
        return known
    insert_missing(connection, table, [dict(zip(names, key, strict=True)) for key in missing])
    return _known_numbers(connection, table)


def _known_numbers(connection: Connection, table: Table) -> dict[tuple[str, ...], int]:
    # Fetched whole: one by one, a row costs three times as much.
    return {row[1:]: row[0] for row in connection.execute(select(table)).all()}


def _live_versions(connection: Connection, partition_no: int) -> set[_Version]:
    query = select(row_versions.c.security_no, row_versions.c.venue_no, *_VALUES).where(
        row_versions.c.partition_no == partition_no, row_versions.c.to_capture.is_(None)
    )
    return set(map(tuple, connection.execute(query).all()))


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
    live = _is(row_versions.c.security_no, "security") & _is(row_versions.c.venue_no, "venue")
    ending = (
        update(row_versions)
        .where(row_versions.c.partition_no == partition_no, live, row_versions.c.to_capture.is_(None))
        .values(to_capture=number)
    )
    connection.execute(ending, [{"security": version[0], "venue": version[1]} for version in versions])


def _is(column: ColumnElement[int], parameter: str) -> ColumnElement[bool]:
    return column == bindparam(parameter)


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


def _check_normalised(connection: Connection, wanted: Sequence[Capture]) -> None:
    numbers = [capture.number for capture in wanted]
    query = select(captures.c.capture_no).where(
        captures.c.capture_no.in_(numbers), captures.c.normalized_at.is_not(None)
    )
    normalised = set(connection.execute(query).scalars())
    for capture in wanted:
        if capture.number not in normalised:
            raise StoreError(f"{capture} has no records: it is not normalised", partition=capture.partition)
