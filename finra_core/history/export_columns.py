"""The columns of each exported view. They have the names and the order of the SQL views, without week and tier."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from attrs import asdict

from finra_core.domain.analytics import Analysis, VenueVolume
from finra_core.domain.captures import Capture
from finra_core.domain.changes import RowChange
from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Record, Records, Security, Venue
from finra_core.history.diff import shares_delta
from finra_core.history.intervals import Interval, V
from finra_core.history.tables import Column, Kind, Table, names, names_of, same
from finra_core.ports.store import ReadView


def rows(capture: Capture, records: Records) -> Table:
    """The records of a capture."""
    length = len(records)
    return Table(
        (
            same("capture_id", Kind.NAME, capture.capture_id, length),
            same("revision", Kind.NUMBER, capture.revision, length),
            *_record_columns(records),
            same("captured_at", Kind.INSTANT, capture.captured_at, length),
        )
    )


class _Version(NamedTuple):
    """A record, and the places of the captures in which it began and ended."""

    record: Record
    begun: int
    ended: int | None


def row_history(view: ReadView, captures: Sequence[Capture]) -> Table:
    """Each version of each row of a partition, with when it was known. captures: all that have records, in order."""
    versions = sorted(_versions(view, captures), key=lambda version: (version.record[:2], version.begun))
    began = [captures[version.begun] for version in versions]
    ended = [None if version.ended is None else captures[version.ended] for version in versions]
    return Table(
        (
            names("capture_id", (capture.capture_id for capture in began)),
            Column("revision", Kind.NUMBER, [capture.revision for capture in began]),
            *_record_columns(Records.of(version.record for version in versions)),
            Column("captured_at", Kind.INSTANT, [capture.captured_at for capture in began]),
            Column("known_from", Kind.INSTANT, [capture.normalized_at for capture in began]),
            Column("known_to", Kind.INSTANT, [capture.normalized_at if capture else None for capture in ended]),
        )
    )


def _versions(view: ReadView, captures: Sequence[Capture]) -> list[_Version]:
    living = dict.fromkeys(view.records(captures[0]).rows(), 0)
    found = []
    for place, (before, after) in enumerate(pairwise(captures), 1):
        for change in view.changes(before, after):
            if change.before is not None:
                found.append(_Version(change.before, living.pop(change.before), place))
            if change.after is not None:
                living[change.after] = place
    return found + [_Version(record, begun, None) for record, begun in living.items()]


def restated_rows(view: ReadView, captures: Sequence[Capture]) -> Table:
    """Each row that differs between a capture and the one before. captures: all that have records, in order."""
    found = [(after, change) for before, after in pairwise(captures) for change in view.changes(before, after)]
    changes = [change for _capture, change in found]
    return Table(
        (
            names("capture_id", (capture.capture_id for capture, _change in found)),
            Column("revision", Kind.NUMBER, [capture.revision for capture, _change in found]),
            Column("known_from", Kind.INSTANT, [capture.normalized_at for capture, _change in found]),
            names("kind", (change.kind.value for change in changes)),
            *_name_columns(
                DictionaryColumn.of(_shown(change).security for change in changes),
                DictionaryColumn.of(_shown(change).venue for change in changes),
            ),
            Column("shares_before", Kind.SHARES, [c.before.shares_micros if c.before else None for c in changes]),
            Column("shares_after", Kind.SHARES, [c.after.shares_micros if c.after else None for c in changes]),
            Column("shares_delta", Kind.SHARES, list(map(shares_delta, changes))),
            Column("trades_before", Kind.NUMBER, [c.before.trades if c.before else None for c in changes]),
            Column("trades_after", Kind.NUMBER, [c.after.trades if c.after else None for c in changes]),
            Column("trades_delta", Kind.NUMBER, list(map(_trades_delta, changes))),
            Column(
                "last_update_date",
                Kind.DAY,
                DictionaryColumn.of(c.after.last_update_date if c.after else None for c in changes),
            ),
        )
    )


def _shown(change: RowChange) -> Record:
    record = change.after or change.before
    if record is None:
        raise ValueError("a change has a record before or after")
    return record


def _trades_delta(change: RowChange) -> int:
    return (change.after.trades if change.after else 0) - (change.before.trades if change.before else 0)


def by_venue(own: Sequence[Interval[Analysis]], *, shares_only: bool, with_history: bool) -> Table:
    """Volumes, or shares of the tier's volume, by venue."""
    found = [
        (each, venue, share)
        for each in own
        for venue, share in zip(each.value.volumes.venues, each.value.venue_shares, strict=True)
    ]
    if shares_only:
        values = [Column("share", Kind.FRACTION, [share for _each, _venue, share in found])]
    else:
        values = [
            Column("trades", Kind.NUMBER, [venue.trades for _each, venue, _share in found]),
            Column("symbols", Kind.NUMBER, [venue.symbols for _each, venue, _share in found]),
        ]
    intervals = [each for each, _venue, _share in found]
    return Table(
        (
            *_analysis_columns(intervals),
            *_venue_columns(DictionaryColumn.of(_venue(venue) for _each, venue, _share in found)),
            Column("shares", Kind.SHARES, [venue.shares_micros for _each, venue, _share in found]),
            *values,
            *(_known(intervals) if with_history else ()),
        )
    )


def by_week(own: Sequence[Interval[Analysis]], *, totals: bool, with_history: bool) -> Table:
    """The totals, or the Herfindahl-Hirschman index, of a week and tier."""
    found = [each.value for each in own]
    if totals:
        values = [
            Column("shares", Kind.SHARES, [each.shares_micros for each in found]),
            Column("trades", Kind.NUMBER, [each.trades for each in found]),
            Column("venues", Kind.NUMBER, [each.volumes.venue_count for each in found]),
            Column("symbols", Kind.NUMBER, [each.volumes.symbols for each in found]),
        ]
    else:
        values = [
            Column("hhi", Kind.FRACTION, [each.hhi for each in found]),
            Column("hhi_upper", Kind.FRACTION, [each.hhi_upper for each in found]),
            Column("venues", Kind.NUMBER, [each.volumes.venue_count for each in found]),
        ]
    return Table((*_analysis_columns(own), *values, *(_known(own) if with_history else ())))


def judged(own: Sequence[Interval[Judgment]], *, with_history: bool) -> Table:
    """The judgments on a week, by use. Lists are JSON."""
    found = [each.value.readiness for each in own]
    flags = (
        "is_ready",
        "all_partitions_present",
        "all_stages_complete",
        "no_critical_anomalies",
        "no_rejected_rows",
        "no_partial_coverage",
    )
    issues = [json.dumps([asdict(issue) for issue in each.blocking_issues]) for each in found]
    days = (each.ready_on.isoformat() if each.ready_on else None for each in found)
    return Table(
        (
            names("ready_for", (each.ready_for for each in found)),
            *(Column(flag, Kind.FLAG, [getattr(each, flag) for each in found]) for flag in flags),
            Column("blocking_issues", Kind.TEXT, issues),
            Column("ready_on", Kind.DAY, DictionaryColumn.of(days)),
            Column("judged_at", Kind.INSTANT, [each.value.judged_at for each in own]),
            *(_known(own) if with_history else ()),
        )
    )


# What several have -----------------------------------------------------------------------------------


def _record_columns(records: Records) -> tuple[Column, ...]:
    return (
        *_name_columns(records.securities, records.venues),
        Column("shares", Kind.SHARES, records.shares_micros),
        Column("trades", Kind.NUMBER, records.trades),
        Column("last_update_date", Kind.DAY, records.last_update_dates),
    )


def _name_columns(securities: DictionaryColumn[Security], venues: DictionaryColumn[Venue]) -> tuple[Column, ...]:
    return (
        names_of("symbol", securities, lambda security: security.symbol),
        names_of("issue_name", securities, lambda security: security.issue_name),
        *_venue_columns(venues),
        names_of("product_type", securities, lambda security: security.product_type or None),
    )


def _venue_columns(venues: DictionaryColumn[Venue]) -> tuple[Column, ...]:
    return (
        names_of("venue_type", venues, lambda venue: venue.venue_type),
        names_of("mpid", venues, lambda venue: venue.mpid or None),
        names_of("crd", venues, lambda venue: venue.crd or None),
        names_of("venue_name", venues, lambda venue: venue.name),
    )


def _venue(venue: VenueVolume) -> Venue:
    return Venue(venue.venue_type, venue.mpid, venue.crd, venue.venue_name)


def _analysis_columns(own: Iterable[Interval[Analysis]]) -> tuple[Column, ...]:
    found = [each.value for each in own]
    return (
        names("capture_id", (each.capture_id for each in found)),
        Column("revision", Kind.NUMBER, [each.revision for each in found]),
    )


def _known(own: Sequence[Interval[V]]) -> tuple[Column, ...]:
    ends: list[datetime | None] = [each.known_to for each in own]
    return (
        Column("known_from", Kind.INSTANT, [each.known_from for each in own]),
        Column("known_to", Kind.INSTANT, ends),
    )
