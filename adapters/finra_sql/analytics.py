"""Analyses: adding and reading them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from finra_core.domain.analytics import Analysis, VenueVolume, Volumes
from finra_core.domain.anomalies import Stage
from finra_core.domain.partitions import partition_key
from finra_core.domain.tiers import ALL_TIERS
from finra_sql import manifest
from finra_sql.schema import analyses, analysis_venues, captures
from finra_sql.upsert import inserting


def add(connection: Connection, analysis: Analysis) -> bool:
    """See `Transaction.add_analysis`."""
    if _is_there(connection, analysis) or _is_outdated(connection, analysis):
        return False
    revision = _revision(connection, analysis)
    number = _insert(connection, analysis, revision)
    if number is None:
        return False
    _insert_venues(connection, number, analysis)
    manifest.add(
        connection,
        partition_key=partition_key(analysis.week_ending, analysis.tier),
        stage=Stage.CALC,
        capture_id=analysis.capture_id,
        revision=revision,
        row_count=len(analysis.volumes.venues),
        at=analysis.computed_at,
        metadata={"inputs": list(analysis.inputs), "calc_version": analysis.calc_version},
    )
    return True


def read(connection: Connection, weeks: Collection[date] | None) -> list[Analysis]:
    """See `Store.analyses`."""
    of_weeks = analyses.c.analysis_no.is_not(None) if weeks is None else analyses.c.week_ending.in_(set(weeks))
    found = connection.execute(select(analyses).where(of_weeks).order_by(analyses.c.analysis_no)).all()
    venues = _venues(connection, of_weeks)
    return [_from_rows(row, venues[row.analysis_no]) for row in found]


def inputs_text(inputs: Sequence[int]) -> str:
    """Capture numbers as JSON text, always in the same form so that it can be compared."""
    return json.dumps(list(inputs), separators=(",", ":"))


def _is_there(connection: Connection, analysis: Analysis) -> bool:
    query = select(analyses.c.analysis_no).where(
        analyses.c.week_ending == analysis.week_ending,
        analyses.c.tier == analysis.tier,
        analyses.c.inputs == inputs_text(analysis.inputs),
        analyses.c.calc_version == analysis.calc_version,
    )
    return connection.execute(query).first() is not None


def _is_outdated(connection: Connection, analysis: Analysis) -> bool:
    """Whether analytics across tiers rest on another than a tier's newest normalized capture."""
    if analysis.tier != ALL_TIERS:
        return False
    newest = (
        select(func.max(captures.c.capture_no))
        .where(captures.c.week_ending == analysis.week_ending, captures.c.normalized_at.is_not(None))
        .group_by(captures.c.tier)
    )
    return not set(analysis.inputs) <= set(connection.execute(newest).scalars())


def _revision(connection: Connection, analysis: Analysis) -> int:
    """A tier's analytics have the revision of their capture; those across tiers count their own."""
    if analysis.tier == ALL_TIERS:
        query = select(func.coalesce(func.max(analyses.c.revision), 0) + 1).where(
            analyses.c.capture_id == analysis.capture_id
        )
    else:
        query = select(captures.c.revision).where(captures.c.capture_no == max(analysis.inputs))
    return int(connection.execute(query).scalar_one())


def _insert(connection: Connection, analysis: Analysis, revision: int) -> int | None:
    """The analysis's number; None where another writer has just stored the same."""
    number: int | None = connection.execute(
        inserting(connection, analyses)
        .on_conflict_do_nothing()
        .returning(analyses.c.analysis_no)
        .values(
            capture_id=analysis.capture_id,
            revision=revision,
            week_ending=analysis.week_ending,
            tier=analysis.tier,
            calc_version=analysis.calc_version,
            computed_at=analysis.computed_at,
            inputs=inputs_text(analysis.inputs),
            newest_input=max(analysis.inputs),
            shares_micros=analysis.shares_micros,
            trades=analysis.trades,
            venues=len(analysis.volumes.venues),
            symbols=analysis.volumes.symbols,
            hhi=analysis.hhi,
        )
    ).scalar()
    return number


def _insert_venues(connection: Connection, number: int, analysis: Analysis) -> None:
    rows = [
        {
            "analysis_no": number,
            "venue_type": venue.venue_type,
            "mpid": venue.mpid,
            "crd": venue.crd,
            "venue_name": venue.venue_name,
            "shares_micros": venue.shares_micros,
            "trades": venue.trades,
            "symbols": venue.symbols,
            "share": share,
        }
        for venue, share in zip(analysis.volumes.venues, analysis.venue_shares, strict=True)
    ]
    if rows:
        connection.execute(insert(analysis_venues), rows)


def _venues(
    connection: Connection, of_weeks: ColumnElement[bool]
) -> defaultdict[int, list[tuple[VenueVolume, float | None]]]:
    v = analysis_venues.c
    query = (
        select(v.analysis_no, v.venue_type, v.mpid, v.crd, v.venue_name, v.shares_micros, v.trades, v.symbols, v.share)
        .join(analyses, analyses.c.analysis_no == v.analysis_no)
        .where(of_weeks)
        .order_by(v.analysis_no, v.venue_type, v.mpid, v.crd)
    )
    found: defaultdict[int, list[tuple[VenueVolume, float | None]]] = defaultdict(list)
    for number, *venue, share in connection.execute(query):
        found[number].append((VenueVolume(*venue), share))
    return found


def _from_rows(row: Row[tuple[object, ...]], venues: Sequence[tuple[VenueVolume, float | None]]) -> Analysis:
    return Analysis(
        capture_id=row.capture_id,
        week_ending=row.week_ending,
        tier=row.tier,
        inputs=tuple(json.loads(row.inputs)),
        calc_version=row.calc_version,
        computed_at=row.computed_at,
        volumes=Volumes(tuple(venue for venue, _share in venues), row.symbols),
        venue_shares=tuple(share for _venue, share in venues),
        shares_micros=row.shares_micros,
        trades=row.trades,
        hhi=row.hhi,
    )
