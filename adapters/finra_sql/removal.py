"""Removing captures, so that the tables are as if they had never been: rows that lived on are given to their neighbors.

A row version lives from one capture to another. Where one of these goes, the next capture with records that stays takes
its place. What then lives from a capture to itself has lived in removed captures alone. Two versions that then follow
each other with the same values become one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, delete, func, or_, select, tuple_, update

from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_sql.rebasing import remove_unowned
from finra_sql.schema import (
    analyses,
    analysis_inputs,
    analysis_venues,
    capture_coverage,
    captures,
    manifest,
    pins,
    rejected_rows,
    row_versions,
)
from finra_sql.session import Session


def remove(session: Session, removed: Sequence[Capture]) -> None:
    """Remove captures of one partition, and all that only they have.

    Raises:
        StoreError: one is not there, or they are of two partitions.
    """
    if not removed:
        return
    numbers = sorted(capture.number for capture in removed)
    stored = session.execute(select(captures).where(captures.c.capture_no.in_(numbers))).all()
    if len(stored) < len(numbers):
        missing = next(c for c in removed if c.number not in {row.capture_no for row in stored})
        raise StoreError(f"{missing} is not in this store", partition=missing.partition)
    places = {row.partition_no for row in stored}
    if len(places) > 1:
        raise StoreError("captures of two partitions: remove those of one at a time")
    _give_rows_away(session, places.pop(), numbers)
    names = [(row.capture_id, row.revision) for row in stored]
    _remove_analytics(session, numbers)
    _remove_named(session, names)
    session.execute(delete(rejected_rows).where(rejected_rows.c.capture_no.in_(numbers)))
    session.execute(delete(capture_coverage).where(capture_coverage.c.capture_no.in_(numbers)))
    session.execute(delete(captures).where(captures.c.capture_no.in_(numbers)))
    remove_unowned(session, {row.payload_hash for row in stored})


def _remove_analytics(session: Session, numbers: Sequence[int]) -> None:
    resting = select(analysis_inputs.c.analysis_no).where(analysis_inputs.c.capture_no.in_(numbers)).distinct()
    a = analyses.c
    found = session.execute(select(a.analysis_no, a.capture_id, a.revision).where(a.analysis_no.in_(resting))).all()
    if not found:
        return
    own = [row.analysis_no for row in found]
    _remove_named(session, [(row.capture_id, row.revision) for row in found], stage=Stage.CALC.value)
    for table in (analysis_venues, analysis_inputs, analyses):
        session.execute(delete(table).where(table.c.analysis_no.in_(own)))


def _remove_named(session: Session, names: Sequence[tuple[str, int]], stage: str | None = None) -> None:
    """Remove the manifest rows of captures; without a stage all of them, and the pins."""
    own = delete(manifest).where(tuple_(manifest.c.capture_id, manifest.c.revision).in_(names))
    session.execute(own if stage is None else own.where(manifest.c.stage == stage))
    if stage is None:
        session.execute(delete(pins).where(tuple_(pins.c.capture_id, pins.c.revision).in_(names)))


# Rows ------------------------------------------------------------------------------------------------


def _give_rows_away(session: Session, partition_no: int, numbers: Sequence[int]) -> None:
    for heir, gone in _heirs(session, partition_no, numbers).items():
        _give_to(session, partition_no, heir, gone)
        if heir is not None:
            _join(session, partition_no, heir)
            _count_anew(session, partition_no, heir)


def _heirs(session: Session, partition_no: int, numbers: Sequence[int]) -> Mapping[int | None, list[int]]:
    """The captures that stay, each with those before it whose place it takes; None where nothing follows."""
    c = captures.c
    query = select(c.capture_no).where(c.partition_no == partition_no, c.normalized_at.is_not(None))
    found: dict[int | None, list[int]] = {}
    heir: int | None = None
    for number in session.execute(query.order_by(c.capture_no.desc())).scalars():
        if number in numbers:
            found.setdefault(heir, []).append(number)
        else:
            heir = number
    return found


def _give_to(session: Session, partition_no: int, heir: int | None, gone: Sequence[int]) -> None:
    r = row_versions.c
    own = r.partition_no == partition_no
    began = and_(own, r.from_capture.in_(gone))
    if heir is None:
        session.execute(delete(row_versions).where(began))
    else:
        ended = and_(r.to_capture.is_not(None), r.to_capture <= heir)
        session.execute(delete(row_versions).where(began, ended))
    session.execute(update(row_versions).where(own, r.to_capture.in_(gone)).values(to_capture=heir))
    if heir is not None:
        session.execute(update(row_versions).where(began).values(from_capture=heir))


def _join(session: Session, partition_no: int, heir: int) -> None:
    """Make one of two versions with the same values, of which one ends and the other begins with this capture."""
    first, second = row_versions.alias(), row_versions.alias()
    meet = and_(*(first.c[name] == second.c[name] for name in _SAME), first.c.to_capture == heir)
    begun = and_(second.c.partition_no == partition_no, second.c.from_capture == heir)
    query = select(second.c.to_capture, second.c.security_no, second.c.venue_no).join_from(second, first, meet)
    ends: dict[int | None, list[tuple[int, int]]] = {}
    for row in session.execute(query.where(begun)):
        ends.setdefault(row.to_capture, []).append((row.security_no, row.venue_no))
    if not ends:
        return
    r = row_versions.c
    follows = select(first.c.from_capture).where(first.c.to_capture == heir, *(first.c[n] == r[n] for n in _SAME))
    session.execute(
        delete(row_versions).where(r.partition_no == partition_no, r.from_capture == heir, follows.exists())
    )
    ended = update(row_versions).where(r.partition_no == partition_no, r.to_capture == heir)
    for end, rows in ends.items():
        key = (r.security_no, r.venue_no)
        session.dialect.update_each(session.connection, ended.values(to_capture=end), key, sorted(rows))


def _count_anew(session: Session, partition_no: int, heir: int) -> None:
    """Have the manifest say how the heir's rows differ from those of the capture that is now before it."""
    r = row_versions.c
    lives_on = and_(r.from_capture < heir, or_(r.to_capture.is_(None), r.to_capture > heir))
    found = session.execute(
        select(
            func.count().filter(r.from_capture == heir).label("rows_added"),
            func.count().filter(r.to_capture == heir).label("rows_withdrawn"),
            func.count().filter(lives_on).label("rows_unchanged"),
        ).where(r.partition_no == partition_no)
    ).one()
    own = and_(
        manifest.c.capture_id == captures.c.capture_id,
        manifest.c.revision == captures.c.revision,
        manifest.c.stage == Stage.NORMALIZED.value,
    )
    query = select(manifest.c.manifest_no, manifest.c.metadata_json).join_from(manifest, captures, own)
    for row in session.execute(query.where(captures.c.capture_no == heir)).all():
        changed = {**row.metadata_json, **found._mapping}
        session.execute(update(manifest).where(manifest.c.manifest_no == row.manifest_no).values(metadata_json=changed))


_SAME = ("partition_no", "security_no", "venue_no", "shares_micros", "trades", "last_update_date")
