"""The rows of captures: stored once, living from one capture to another.

Columns are numbered and compared whole; no statement is sent per row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, insert, or_, select, update

from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture
from finra_core.domain.changes import RowChange, compare_records
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.errors import StoreError
from finra_core.domain.records import Record, Records, Security, Venue
from finra_core.domain.scopes import Scope
from finra_core.history.manifest import normalized_facts
from finra_core.ports.store import RowCounts
from finra_core.weekly_summary.delimited import Reject
from finra_sql import manifest
from finra_sql.schema import capture_coverage, captures, rejected_rows, row_versions, securities, venues
from finra_sql.session import Session
from finra_sql.surrogate_keys import KeysInTransaction

_Version = tuple[int, int, int, int, str]
"""Security number, venue number, micro-shares, trades, last update date: plain, as drivers take and give them."""

_VERSIONS = select(
    row_versions.c.security_no,
    row_versions.c.venue_no,
    row_versions.c.shares_micros,
    row_versions.c.trades,
    row_versions.c.last_update_date,
)


def read(session: Session, capture: Capture) -> Records:
    """The records of a capture. Put in order here, by the names' ranks: as integers they sort ten times as fast."""
    own = _alive(capture)
    security_names, security_ranks = _ranked(session, securities, own)
    venue_names, venue_ranks = _ranked(session, venues, own)
    found = session.fetch_tuples(_VERSIONS.where(own))
    if not found:
        _check_normalized(session, capture)
    width = len(venue_names)
    places = [
        security_ranks[security] * width + venue_ranks[venue] for security, venue, _micros, _trades, _day in found
    ]
    order = sorted(range(len(found)), key=places.__getitem__)
    places, found = [places[i] for i in order], [found[i] for i in order]
    return Records(
        DictionaryColumn(list(map(Security._make, security_names)), [place // width for place in places]),
        DictionaryColumn(list(map(Venue._make, venue_names)), [place % width for place in places]),
        [micros for _s, _v, micros, _trades, _day in found],
        [trades for _s, _v, _micros, trades, _day in found],
        DictionaryColumn.of(_iso([day for _s, _v, _micros, _trades, day in found])),
    )


def symbols(session: Session, capture: Capture) -> frozenset[str]:
    """The symbols of a capture's records."""
    traded = select(row_versions.c.security_no).where(_alive(capture))
    query = select(securities.c.symbol).where(securities.c.security_no.in_(traded)).distinct()
    found = frozenset(session.execute(query).scalars())
    if not found:
        _check_normalized(session, capture)
    return found


def rejects(session: Session, capture: Capture) -> list[Reject]:
    """The rejected rows of a capture."""
    c = rejected_rows.c
    query = select(c.document, c.line, c.reason, c.raw_text).where(c.capture_no == capture.number)
    found = list(starmap(Reject, session.execute(query.order_by(c.document, c.line, c.reject_no))))
    if not found:
        _check_normalized(session, capture)
    return found


def changes(session: Session, before: Capture, after: Capture) -> list[RowChange]:
    """The rows that differ between two captures: of those that began or ended between them, what each had."""
    if before.partition != after.partition:
        raise StoreError(f"{before} and {after} are captures of two partitions: compare captures of one")
    first, last = sorted((before, after), key=lambda capture: capture.number)
    found = session.fetch_tuples(_changed(first, last))
    if not found:
        _check_normalized(session, before)
        _check_normalized(session, after)
    days = _iso([row[-2] for row in found])
    earlier: list[Record] = []
    later: list[Record] = []
    for (*names, micros, trades, _day, is_later), day in zip(found, days, strict=True):
        record = Record(Security(*names[:3]), Venue(*names[3:]), micros, trades, day)
        (later if is_later else earlier).append(record)
    return compare_records(earlier, later) if first is before else compare_records(later, earlier)


def put(
    session: Session,
    keys: KeysInTransaction,
    capture: Capture,
    records: Records,
    *,
    rejects: Sequence[Reject],
    coverage: Sequence[HalfCoverage],
    at: datetime,
) -> RowCounts:
    """Store a capture's records, what else its normalization found, and its manifest row."""
    partition_no, previous = _place(session, capture)
    versions = _versions(session, keys, records)
    store = _insert_first if previous is None else _insert_changes
    counts = store(session, partition_no, capture.number, versions)
    _insert_rejects(session, capture, rejects)
    _insert_coverage(session, capture, coverage)
    own = captures.c.capture_no == capture.number
    session.execute(update(captures).where(own).values(normalized_at=at, rejected_rows=len(rejects)))
    manifest.add(
        session,
        scope=Scope.partition(capture.partition),
        stage=Stage.NORMALIZED,
        capture_id=capture.capture_id,
        revision=capture.revision,
        row_count=len(records),
        at=at,
        metadata=normalized_facts(len(rejects), counts),
    )
    return counts


def _alive(capture: Capture) -> ColumnElement[bool]:
    """Whether a row version is one of the capture's; none is where that has no records."""
    return and_(
        captures.c.capture_no == capture.number,
        captures.c.normalized_at.is_not(None),
        row_versions.c.partition_no == captures.c.partition_no,
        row_versions.c.from_capture <= capture.number,
        or_(row_versions.c.to_capture.is_(None), row_versions.c.to_capture > capture.number),
    )


def _changed(first: Capture, last: Capture) -> Select[Any]:
    """Row versions that are one capture's and not the other's: their names and values, and whether of the later one."""
    r, other = row_versions.c, captures.alias()
    begun = r.from_capture > first.number
    of_first_only = and_(~begun, r.to_capture > first.number, r.to_capture <= last.number)
    of_last_only = and_(begun, r.from_capture <= last.number, or_(r.to_capture.is_(None), r.to_capture > last.number))
    return (
        select(*list(securities.c)[1:], *list(venues.c)[1:], r.shares_micros, r.trades, r.last_update_date, begun)
        .join_from(row_versions, captures, captures.c.partition_no == r.partition_no)
        .join(other, other.c.partition_no == r.partition_no)
        .join(securities, securities.c.security_no == r.security_no)
        .join(venues, venues.c.venue_no == r.venue_no)
        .where(captures.c.capture_no == first.number, captures.c.normalized_at.is_not(None))
        .where(other.c.capture_no == last.number, other.c.normalized_at.is_not(None))
        .where(or_(of_first_only, of_last_only))
    )


def _check_normalized(session: Session, capture: Capture) -> None:
    query = select(captures.c.normalized_at).where(captures.c.capture_no == capture.number)
    if session.execute(query).scalar() is None:
        raise StoreError(f"{capture} has no records: it is not normalized", partition=capture.partition)


def _ranked(session: Session, table: Table, rows: ColumnElement[bool]) -> tuple[list[Any], dict[int, int]]:
    """The securities or venues of these row versions in order, and the place of each key among them."""
    number, *names = table.c
    used = number.in_(select(row_versions.c[number.name]).where(rows))
    found = session.fetch_tuples(select(number, *names).where(used).order_by(*names))
    return [row[1:] for row in found], {row[0]: rank for rank, row in enumerate(found)}


def _iso(days: Sequence[object]) -> list[str]:
    """Days as the driver gives them, which is date or text, as ISO 8601; a capture has few different ones."""
    text = {day: str(day) for day in set(days)}
    return [text[day] for day in days]


def _place(session: Session, capture: Capture) -> tuple[int, int | None]:
    """The capture's partition, and the newest of its captures with records.

    Raises:
        StoreError: the capture is not there, or it or a later one has records.
    """
    other = captures.alias()
    newest = (
        select(func.max(other.c.capture_no))
        .where(other.c.partition_no == captures.c.partition_no, other.c.normalized_at.is_not(None))
        .scalar_subquery()
        .label("newest")
    )
    place = session.execute(
        select(captures.c.partition_no, newest).where(captures.c.capture_no == capture.number)
    ).first()
    if place is None:
        raise StoreError(f"{capture} is not in this store", partition=capture.partition)
    if place.newest is not None and place.newest >= capture.number:
        raise StoreError(f"{capture}: it or a later capture has records already", partition=capture.partition)
    return place.partition_no, place.newest


def _versions(session: Session, keys: KeysInTransaction, records: Records) -> list[_Version]:
    security_keys = keys.of(session, securities, records.securities.values)
    venue_keys = keys.of(session, venues, records.venues.values)
    return list(
        zip(
            map(security_keys.__getitem__, records.securities.codes),
            map(venue_keys.__getitem__, records.venues.codes),
            records.shares_micros,
            records.trades,
            records.last_update_dates,
            strict=True,
        )
    )


def _insert_first(session: Session, partition_no: int, number: int, versions: list[_Version]) -> RowCounts:
    versions.sort()  # the order of the key, in which a tree grows densest
    _insert(session, partition_no, number, versions)
    return RowCounts(added=len(versions), withdrawn=0, unchanged=0)


def _insert_changes(session: Session, partition_no: int, number: int, versions: list[_Version]) -> RowCounts:
    after = set(versions)
    before = _live_versions(session, partition_no)
    begun, ended = after - before, before - after
    _end(session, partition_no, number, ended)
    _insert(session, partition_no, number, sorted(begun))
    return RowCounts(added=len(begun), withdrawn=len(ended), unchanged=len(after) - len(begun))


def _live_versions(session: Session, partition_no: int) -> set[_Version]:
    living = (row_versions.c.partition_no == partition_no) & row_versions.c.to_capture.is_(None)
    found = session.fetch_tuples(_VERSIONS.where(living))
    days = _iso([day for _s, _v, _micros, _trades, day in found])
    return {(s, v, micros, trades, day) for (s, v, micros, trades, _), day in zip(found, days, strict=True)}


def _insert(session: Session, partition_no: int, number: int, versions: Sequence[_Version]) -> None:
    if versions:
        same = {"partition_no": partition_no, "from_capture": number, "to_capture": None}
        session.dialect.insert_rows(session.connection, row_versions, same, versions)


def _end(session: Session, partition_no: int, number: int, versions: Collection[_Version]) -> None:
    if not versions:
        return
    r = row_versions.c
    ending = update(row_versions).where(r.partition_no == partition_no, r.to_capture.is_(None))
    rows = sorted((security, venue) for security, venue, _micros, _trades, _day in versions)
    session.dialect.update_each(session.connection, ending.values(to_capture=number), (r.security_no, r.venue_no), rows)


def _insert_rejects(session: Session, capture: Capture, rejects: Sequence[Reject]) -> None:
    rows = [
        {"capture_no": capture.number, "document": r.document, "line": r.line, "reason": r.reason, "raw_text": r.text}
        for r in rejects
    ]
    if rows:
        session.execute(insert(rejected_rows), rows)


def _insert_coverage(session: Session, capture: Capture, coverage: Sequence[HalfCoverage]) -> None:
    rows = [
        {
            "capture_no": capture.number,
            "half": half.half.value,
            "rows": half.rows,
            "venues": half.venues,
            "symbols": half.symbols,
            "shares_micros": half.shares_micros,
        }
        for half in coverage
    ]
    if rows:
        session.execute(insert(capture_coverage), rows)
