"""Analyses: adding and reading them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, insert, select

from finra_core.domain.analytics import Analysis, AnalysisKey, VenueVolume, Volumes
from finra_core.domain.anomalies import Stage
from finra_core.domain.errors import StoreError
from finra_core.domain.scopes import Scope
from finra_core.history.manifest import analyzed_facts
from finra_sql import manifest
from finra_sql.schema import analyses, analysis_inputs, analysis_venues
from finra_sql.session import Session


def put(session: Session, analysis: Analysis) -> None:
    """Store analytics, and their manifest row."""
    number = session.dialect.insert_new(session.connection, analyses, _columns(analysis))
    if number is None:
        raise StoreError(f"{analysis.week_ending} / {analysis.tier}: these analytics are stored already")
    session.execute(
        insert(analysis_inputs),
        [
            {"analysis_no": number, "ordinal": ordinal, "capture_no": capture}
            for ordinal, capture in enumerate(analysis.inputs)
        ],
    )
    _insert_venues(session, number, analysis)
    manifest.add(
        session,
        scope=Scope(analysis.week_ending, analysis.tier),
        stage=Stage.CALC,
        capture_id=analysis.capture_id,
        revision=analysis.revision,
        row_count=len(analysis.volumes.venues),
        at=analysis.computed_at,
        metadata=analyzed_facts(analysis),
    )


def read(session: Session, weeks: Collection[date] | None) -> list[Analysis]:
    """Analytics, oldest first."""
    query = _in_weeks(session, select(analyses, analysis_inputs.c.capture_no), weeks)
    rows: dict[int, Row[Any]] = {}
    inputs: dict[int, list[int]] = defaultdict(list)
    for row in session.execute(query):
        rows.setdefault(row.analysis_no, row)
        inputs[row.analysis_no].append(row.capture_no)
    if not rows:
        return []
    venues = _venues(session, weeks)
    return [_from_rows(row, tuple(inputs[number]), venues[number]) for number, row in rows.items()]


def read_keys(session: Session, weeks: Collection[date] | None) -> list[AnalysisKey]:
    """The keys of analytics, oldest first."""
    return [key for _number, key in read_numbered_keys(session, weeks)]


def read_numbered_keys(session: Session, weeks: Collection[date] | None = None) -> list[tuple[int, AnalysisKey]]:
    """The same with the numbers that the database gave the analytics."""
    a = analyses.c
    columns = (a.analysis_no, a.week_ending, a.tier, a.calc_version, analysis_inputs.c.capture_no)
    query = _in_weeks(session, select(*columns), weeks)
    rows: dict[int, Row[Any]] = {}
    inputs: dict[int, list[int]] = defaultdict(list)
    for row in session.execute(query):
        rows.setdefault(row.analysis_no, row)
        inputs[row.analysis_no].append(row.capture_no)
    return [
        (number, AnalysisKey(row.week_ending, row.tier, tuple(inputs[number]), row.calc_version))
        for number, row in rows.items()
    ]


def _in_weeks(session: Session, query: Select[Any], weeks: Collection[date] | None) -> Select[Any]:
    query = query.join_from(analyses, analysis_inputs, analysis_inputs.c.analysis_no == analyses.c.analysis_no)
    if weeks is not None:
        query = query.where(session.dialect.among(analyses.c.week_ending, weeks))
    return query.order_by(analyses.c.analysis_no, analysis_inputs.c.ordinal)


def fingerprint(key: AnalysisKey) -> str:
    """A hash of the key, by which one unique index sees to it that an analysis is stored once."""
    text = f"{key.week_ending} {key.tier} {key.inputs} {key.calc_version}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _columns(analysis: Analysis) -> dict[str, object]:
    return {
        "fingerprint": fingerprint(analysis.key),
        "capture_id": analysis.capture_id,
        "revision": analysis.revision,
        "week_ending": analysis.week_ending,
        "tier": analysis.tier,
        "calc_version": analysis.calc_version,
        "computed_at": analysis.computed_at,
        "newest_input": max(analysis.inputs),
        "shares_micros": analysis.shares_micros,
        "trades": analysis.trades,
        "venues": analysis.volumes.venue_count,
        "symbols": analysis.volumes.symbols,
        "hhi": analysis.hhi,
        "hhi_upper": analysis.hhi_upper,
    }


def _insert_venues(session: Session, number: int, analysis: Analysis) -> None:
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
        session.execute(insert(analysis_venues), rows)


def _venues(
    session: Session, weeks: Collection[date] | None
) -> defaultdict[int, list[tuple[VenueVolume, float | None]]]:
    v = analysis_venues.c
    query = select(
        v.analysis_no, v.venue_type, v.mpid, v.crd, v.venue_name, v.shares_micros, v.trades, v.symbols, v.share
    )
    if weeks is not None:
        in_weeks = session.dialect.among(analyses.c.week_ending, weeks)
        query = query.join(analyses, analyses.c.analysis_no == v.analysis_no).where(in_weeks)
    found: defaultdict[int, list[tuple[VenueVolume, float | None]]] = defaultdict(list)
    query = query.order_by(v.analysis_no, v.venue_type, v.mpid, v.crd, v.venue_name)
    for row in session.execute(query):
        found[row.analysis_no].append((VenueVolume(*list(row)[1:-1]), row.share))
    return found


def _from_rows(row: Row[Any], inputs: tuple[int, ...], venues: Sequence[tuple[VenueVolume, float | None]]) -> Analysis:
    return Analysis(
        capture_id=row.capture_id,
        revision=row.revision,
        week_ending=row.week_ending,
        tier=row.tier,
        inputs=inputs,
        calc_version=row.calc_version,
        computed_at=row.computed_at,
        volumes=Volumes(tuple(venue for venue, _share in venues), row.symbols),
        venue_shares=tuple(share for _venue, share in venues),
        shares_micros=row.shares_micros,
        trades=row.trades,
        hhi=row.hhi,
        hhi_upper=row.hhi_upper,
    )
