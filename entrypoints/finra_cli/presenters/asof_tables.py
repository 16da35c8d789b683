"""What `finra asof` writes as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from finra_cli.presenters.asof import PublishedRow
from finra_cli.tabular import Batch, Column, Kind
from finra_core.domain.analytics import Analysis
from finra_core.domain.captures import Capture
from finra_core.domain.records import Records
from finra_core.history.source_time import UnknownRow

_PARTITION = (
    Column("week_ending", Kind.DAY),
    Column("tier"),
    Column("capture_id"),
    Column("revision", Kind.INTEGER),
)
_VENUE = (Column("venue_type"), Column("mpid"), Column("crd"), Column("venue_name"))

CAPTURES = (
    *_PARTITION,
    Column("captured_at", Kind.INSTANT),
    Column("known_from", Kind.INSTANT),
    Column("rows", Kind.INTEGER),
    Column("records", Kind.INTEGER),
    Column("shares", Kind.SHARES),
    Column("content_hash"),
)
PUBLISHED = (
    *_PARTITION,
    Column("known_from", Kind.INSTANT),
    Column("state"),
    Column("basis"),
    Column("known", Kind.INTEGER),
    Column("unknown", Kind.INTEGER),
)
ROWS = (
    *_PARTITION,
    Column("known_from", Kind.INSTANT),
    Column("symbol"),
    Column("issue_name"),
    Column("product_type"),
    *_VENUE,
    Column("shares", Kind.SHARES),
    Column("trades", Kind.INTEGER),
    Column("last_update_date", Kind.DAY),
    Column("is_known", Kind.FLAG),
    Column("restated_on", Kind.DAY),
)
ANALYTICS = (
    *_PARTITION,
    Column("computed_at", Kind.INSTANT),
    *_VENUE,
    Column("shares", Kind.SHARES),
    Column("share", Kind.FRACTION),
    Column("trades", Kind.INTEGER),
    Column("symbols", Kind.INTEGER),
    Column("tier_shares", Kind.SHARES),
    Column("tier_trades", Kind.INTEGER),
    Column("hhi", Kind.FRACTION),
    Column("hhi_upper", Kind.FRACTION),
)
"""A line for each venue; what is about the tier as a whole stands on each of its lines."""


def captures_batch(captures: Iterable[Capture]) -> Iterator[Batch]:
    """The captures, in one batch."""
    yield [
        (
            *_partition(capture),
            capture.captured_at,
            capture.normalized_at,
            capture.row_count,
            sum(half.rows for half in capture.coverage),
            sum(half.shares_micros for half in capture.coverage),
            capture.content_hash,
        )
        for capture in captures
    ]


def published_batch(published: Iterable[PublishedRow]) -> Iterator[Batch]:
    """The partitions, in one batch."""
    yield [
        (
            each.week_ending,
            each.tier.value,
            each.capture_id,
            each.revision,
            each.known_from,
            each.state,
            each.basis,
            each.known,
            each.unknown,
        )
        for each in published
    ]


def rows_batch(capture: Capture, records: Records, unknown: Sequence[UnknownRow] = ()) -> Batch:
    """A capture's rows, the unknown ones last."""
    of_capture = (*_partition(capture), capture.normalized_at)
    known = [
        (
            *of_capture,
            row.security.symbol,
            row.security.issue_name,
            row.security.product_type or None,
            row.venue.venue_type,
            row.venue.mpid or None,
            row.venue.crd or None,
            row.venue.name,
            row.shares_micros,
            row.trades,
            row.last_update_date,
            True,
            None,
        )
        for row in records.rows()
    ]
    return known + [
        (
            *of_capture,
            row.security.symbol,
            row.security.issue_name,
            row.security.product_type or None,
            row.venue.venue_type,
            row.venue.mpid or None,
            row.venue.crd or None,
            row.venue.name,
            None,
            None,
            None,
            False,
            row.restated_on,
        )
        for row in unknown
    ]


def analytics_batch(analytics: Iterable[Analysis]) -> Iterator[Batch]:
    """The venues of all analytics, in one batch."""
    yield [
        (
            each.week_ending,
            each.tier,
            each.capture_id,
            each.revision,
            each.computed_at,
            venue.venue_type,
            venue.mpid or None,
            venue.crd or None,
            venue.venue_name,
            venue.shares_micros,
            share,
            venue.trades,
            venue.symbols,
            each.shares_micros,
            each.trades,
            each.hhi,
            each.hhi_upper,
        )
        for each in analytics
        for venue, share in zip(each.volumes.venues, each.venue_shares, strict=True)
    ]


def _partition(capture: Capture) -> tuple[object, ...]:
    partition = capture.partition
    return partition.week_ending, partition.tier.value, capture.capture_id, capture.revision
