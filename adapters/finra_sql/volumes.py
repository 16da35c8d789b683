"""Volumes per venue, added up by the rows' numbers: joining the names of securities to every row would cost more.

A venue has one row a symbol in a capture, but where it trades several securities of one symbol. So its symbols are
its rows, less those that repeat a symbol; only the few symbols that may be repeated are looked at row by row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import cast

from sqlalchemy import CTE, ColumnElement, Connection, case, func, null, select, union_all

from finra_core.analytics import VenueVolume, Volumes
from finra_core.captures import Capture
from finra_core.tiers import VenueType
from finra_sql.lists import among
from finra_sql.rows import alive, normalised_partitions
from finra_sql.schema import row_versions, securities, venues
from finra_sql.types import BigInteger

_Venue = tuple[str, str, str]
"""Venue type, MPID and CRD number."""
_Part = tuple[str, int, int, int]
"""Venue name, micro-shares, trades, rows: of one capture under one of the venue's names."""

_VENUE = (venues.c.venue_type, venues.c.mpid, venues.c.crd)


def read(connection: Connection, captures: Sequence[Capture]) -> Volumes:
    """See `Store.volumes`."""
    if not captures:
        return Volumes((), 0)
    partitions = normalised_partitions(connection, captures)
    rows_of = [alive(partition_no, number) for number, partition_no in partitions.items()]
    symbols, suspects = _symbols(connection, rows_of)
    repeats = _repeats(connection, rows_of, suspects) if suspects else Counter()
    parts: defaultdict[_Venue, list[_Part]] = defaultdict(list)
    for venue, part in _sums(connection, rows_of):
        parts[venue].append(part)
    return Volumes(tuple(_volume(venue, parts[venue], repeats[venue]) for venue in sorted(parts)), symbols)


def shared_symbols(connection: Connection, captures: Sequence[Capture]) -> frozenset[str]:
    """See `Store.shared_symbols`."""
    if not captures:
        return frozenset()
    partitions = normalised_partitions(connection, captures)
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


def _volume(venue: _Venue, parts: Sequence[_Part], repeats: int) -> VenueVolume:
    names, shares, trades, rows = zip(*parts, strict=True)
    return VenueVolume(*venue, min(names), sum(shares), sum(trades), sum(rows) - repeats)


def _sums(connection: Connection, rows_of: Sequence[ColumnElement[bool]]) -> Iterator[tuple[_Venue, _Part]]:
    r = row_versions.c
    sums = union_all(
        *(
            select(r.venue_no, _sum(r.shares_micros), _sum(r.trades), func.count().label("rows"))
            .where(rows)
            .group_by(r.venue_no)
            for rows in rows_of
        )
    ).subquery()
    named = select(*_VENUE, venues.c.venue_name, *list(sums.c)[1:]).join(sums, sums.c.venue_no == venues.c.venue_no)
    for row in connection.execute(named):
        venue_type, mpid, crd, *part = row
        yield (venue_type, mpid, crd), cast("_Part", tuple(part))


def _symbols(connection: Connection, rows_of: Sequence[ColumnElement[bool]]) -> tuple[int, list[str]]:
    """How many symbols there are, and those that one venue may have in several rows."""
    named = _named(rows_of)
    count = select(null().label("symbol"), func.count().label("symbols")).select_from(named)
    suspects = select(named.c.symbol, null()).where(named.c.suspect)
    found = dict(tuple(row) for row in connection.execute(union_all(count, suspects)))
    return found.pop(None), list(found)


def _named(rows_of: Sequence[ColumnElement[bool]]) -> CTE:
    """Each symbol, suspect where several securities or captures of it were traded by venues of one type.

    One security for ATSs and one for firms is the rule: a download of ATS data has no product types.
    """
    is_ats = case((venues.c.venue_type == VenueType.ATS.value, 1), else_=0)
    traded = union_all(
        *(
            select(row_versions.c.security_no, func.max(is_ats).label("ats"), func.max(1 - is_ats).label("firms"))
            .join(venues, venues.c.venue_no == row_versions.c.venue_no)
            .where(rows)
            .group_by(row_versions.c.security_no)
            for rows in rows_of
        )
    ).subquery()
    suspect = (func.sum(traded.c.ats) > 1) | (func.sum(traded.c.firms) > 1)
    return (
        select(securities.c.symbol, suspect.label("suspect"))
        .join(traded, traded.c.security_no == securities.c.security_no)
        .group_by(securities.c.symbol)
        .cte("named")
    )


def _repeats(
    connection: Connection, rows_of: Sequence[ColumnElement[bool]], symbols: Collection[str]
) -> Counter[_Venue]:
    """How many rows of each venue have one of these symbols that another of its rows has too."""
    traded = union_all(
        *(
            select(row_versions.c.venue_no, securities.c.symbol)
            .join(securities, securities.c.security_no == row_versions.c.security_no)
            .where(rows, among(connection, securities.c.symbol, symbols))
            for rows in rows_of
        )
    ).subquery()
    same = (
        select(*_VENUE, func.count())
        .join(traded, traded.c.venue_no == venues.c.venue_no)
        .group_by(*_VENUE, traded.c.symbol)
        .having(func.count() > 1)
    )
    repeats: Counter[_Venue] = Counter()
    for venue_type, mpid, crd, rows in connection.execute(same):
        repeats[venue_type, mpid, crd] += rows - 1
    return repeats


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """An exact sum in 64 bits, where PostgreSQL would make it a numeric."""
    return func.sum(column).cast(BigInteger)
