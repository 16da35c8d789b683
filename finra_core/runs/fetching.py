"""Fetching a partition, and checking that it is whole and is the one that was asked for."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.runs.context import Run
from finra_core.weekly_summary.payload import Payload, combined_hash
from finra_core.weekly_summary.summary_types import check_identity


@frozen
class Fetched:
    """A payload that passed these checks. began_at: when it was asked for."""

    partition: Partition
    began_at: datetime
    payload: Payload
    content_hash: str
    rows: int


def fetch(run: Run, partition: Partition, expected: SourceVersion | None) -> Fetched:
    """The partition as it is now.

    Raises:
        SourceError: it could not be read, is not whole, or is another partition.
    """
    began_at = run.clock()
    payload = run.source.fetch(partition, expected)
    if not payload.documents:
        raise SourceDataError("the source gave no document", partition=partition)
    profiles = payload.profiled()
    for profile in profiles:
        check_identity(profile.distinct, partition)
    rows = sum(profile.row_count for profile in profiles)
    told = payload.version.row_count if payload.version else None
    if told is not None and told != rows:
        counted = f"{rows:,} rows where the source counts {told:,}"
        raise SourceDataError(f"not whole: {counted}", partition=partition)
    content_hash = combined_hash(profile.canonical_hash() for profile in profiles)
    return Fetched(partition, began_at, payload, content_hash, rows)
