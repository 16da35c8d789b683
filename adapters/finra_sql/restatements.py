"""What captures changed of those before them, over all partitions in one statement."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import CTE, Column, CompoundSelect, Select, func, literal, select, union_all

from finra_core.domain.changes import RowChange, compare_records
from finra_core.domain.records import Record, Security, Venue
from finra_core.ports.store import RestatementQuery
from finra_sql.dialect import SqlDialect
from finra_sql.schema import captures, row_versions, securities, venues
from finra_sql.session import Session


def read(session: Session, query: RestatementQuery) -> dict[int, list[RowChange]]:
    """The rows that began or ended with the captures asked for, put together by capture."""
    before: defaultdict[int, list[Record]] = defaultdict(list)
    after: defaultdict[int, list[Record]] = defaultdict(list)
    days: dict[object, str] = {}
    for number, has_begun, *names, micros, trades, day in session.fetch_tuples(_changed(session.dialect, query)):
        text = days.setdefault(day, str(day))
        record = Record(Security(*names[:3]), Venue(*names[3:]), micros, trades, text)
        (after if has_begun else before)[number].append(record)
    return {number: compare_records(before[number], after[number]) for number in sorted(before.keys() | after.keys())}


def _changed(dialect: SqlDialect, query: RestatementQuery) -> CompoundSelect[Any]:
    wanted = _wanted(dialect, query).cte("wanted")
    return union_all(
        _rows(query, row_versions.c.from_capture, wanted, has_begun=1),
        _rows(query, row_versions.c.to_capture, wanted, has_begun=0),
    )


def _wanted(dialect: SqlDialect, query: RestatementQuery) -> Select[Any]:
    """The captures asked for that have one before them."""
    c, other = captures.c, captures.alias()
    first = (
        select(func.min(other.c.capture_no))
        .where(other.c.partition_no == c.partition_no, other.c.normalized_at.is_not(None))
        .scalar_subquery()
    )
    found = select(c.capture_no, c.partition_no).where(c.normalized_at.is_not(None), c.capture_no > first)
    if query.weeks is not None:
        found = found.where(dialect.among(c.week_ending, query.weeks))
    if query.tiers is not None:
        found = found.where(c.tier.in_([tier.value for tier in query.tiers]))
    if query.known_since is not None:
        found = found.where(c.normalized_at >= query.known_since)
    return found


def _rows(query: RestatementQuery, bound: Column[Any], wanted: CTE, *, has_begun: int) -> Select[Any]:
    """The row versions that begin, or end, with a capture. Each of their partitions is gone through once."""
    r = row_versions.c
    names = list(securities.c)[1:] + list(venues.c)[1:]
    found = (
        select(bound, literal(has_begun), *names, r.shares_micros, r.trades, r.last_update_date)
        .join_from(row_versions, securities, securities.c.security_no == r.security_no)
        .join(venues, venues.c.venue_no == r.venue_no)
        .where(r.partition_no.in_(select(wanted.c.partition_no)), bound.in_(select(wanted.c.capture_no)))
    )
    return found if query.symbol is None else found.where(securities.c.symbol == query.symbol)
