"""Refusing a download that holds the rows of a week that is stored beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from finra_core.domain.captures import Capture
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.ports.store import CaptureQuery, ReadView
from finra_core.weekly_summary.delimited import first_line, read_header
from finra_core.weekly_summary.misplacement import find_copy, names_its_week, rows_by_kind

_WEEK = timedelta(weeks=1)
_ALIKE = 0.1
"""Halves whose row counts differ by more cannot share half of their rows and be a copy with restatements."""


def check_placed(
    view: ReadView, capture: Capture, documents: Sequence[bytes], coverage: Sequence[HalfCoverage]
) -> None:
    """Check that rows that do not say their week are not those of the week before or after in the store.

    Raises:
        SourceDataError: they are; the message names both places.
    """
    if all(names_its_week(read_header(first_line(document)[1])[1]) for document in documents):
        return
    own = None
    for neighbor in _neighbors(view, capture.partition):
        if _are_alike(coverage, neighbor.coverage):
            own = rows_by_kind(documents) if own is None else own
            copied = find_copy(own, rows_by_kind(view.payload(neighbor)))
            if copied is not None:
                raise SourceDataError(
                    f"misplaced: {copied} of {capture.source_url} are those of {neighbor} ({neighbor.source_url}): "
                    "correct the week of the wrong file",
                    partition=capture.partition,
                )


def _neighbors(view: ReadView, partition: Partition) -> Iterator[Capture]:
    """The newest captures with records of the week before and the week after."""
    beside = {Partition(partition.week_ending + step, partition.tier) for step in (-_WEEK, _WEEK)}
    yield from view.captures(CaptureQuery(partitions=frozenset(beside), normalized=True, newest=True))


def _are_alike(one: Sequence[HalfCoverage], other: Sequence[HalfCoverage]) -> bool:
    """Whether a half could be a copy: comparing numbers that are at hand saves reading most neighbors."""
    rows = {half.half: half.rows for half in other}
    return any(_is_close(half.rows, rows.get(half.half, 0)) for half in one if half.rows)


def _is_close(one: int, other: int) -> bool:
    return abs(one - other) <= _ALIKE * max(one, other)
