"""Refusing a download whose rows are those of the week before or after it in the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from finra_core.domain.captures import Capture
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.ports.store import CaptureQuery, ReadView, Store
from finra_core.weekly_summary.misplacement import Sketch, find_copy, sketch

_WEEK = timedelta(weeks=1)
_ALIKE = 0.02
"""By what fraction a copy's rows, symbols and shares may differ from the original's: FINRA may have restated some."""


def check_placed(store: Store, capture: Capture, coverage: Sequence[HalfCoverage]) -> None:
    """Check that rows that do not name their week are not those of the week before or after in the store.

    Raises:
        SourceDataError: they are. The message names both places.
    """
    with store.read() as view:
        alike = [other for other in _neighbors(view, capture.partition) if _are_alike(coverage, other.coverage)]
        if alike:
            sketches = [own for document in view.payload(capture) if (own := sketch(document))]
            for neighbor in alike:
                _compare(view, capture, sketches, neighbor)


def _neighbors(view: ReadView, partition: Partition) -> Sequence[Capture]:
    """The newest captures with records of the week before and the week after."""
    beside = {Partition(partition.week_ending + step, partition.tier) for step in (-_WEEK, _WEEK)}
    return view.captures(CaptureQuery(partitions=frozenset(beside), normalized=True, newest=True))


def _compare(view: ReadView, capture: Capture, sketches: Sequence[Sketch], neighbor: Capture) -> None:
    theirs = [other for document in view.payload(neighbor) if (other := sketch(document))]
    copies = (find_copy(own, other) for own in sketches for other in theirs)
    copied = next((copy for copy in copies if copy), None)
    if copied is not None:
        raise SourceDataError(
            f"misplaced: {copied} of {capture.source_url} are those of {neighbor} ({neighbor.source_url}): "
            "correct the week of the wrong file",
            partition=capture.partition,
        )


def _are_alike(one: Sequence[HalfCoverage], other: Sequence[HalfCoverage]) -> bool:
    """Whether a half could be a copy, by numbers that are at hand. Most neighbors then need not be read."""
    theirs = {half.half: half for half in other}
    return any(half.rows and half.half in theirs and _is_alike(half, theirs[half.half]) for half in one)


def _is_alike(one: HalfCoverage, other: HalfCoverage) -> bool:
    pairs = ((one.rows, other.rows), (one.symbols, other.symbols), (one.shares_micros, other.shares_micros))
    return all(abs(own - theirs) <= _ALIKE * max(own, theirs) for own, theirs in pairs)
