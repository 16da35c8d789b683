"""Files of neighboring weeks with the same rows: one of them lies in the wrong place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from finra_core.domain.errors import SourceDataError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.weekly_summary.misplacement import Sketch, find_copy, sketch
from finra_files.discovery import Stamp, shown, stamp
from finra_files.reading import read_whole

_REMEMBERED = 64
"""Files whose sketches are kept: a run goes from week to week, and each is its neighbor's neighbor."""

_ALIKE = 0.1
"""Files whose sizes differ by more are no copies of each other, even where FINRA restated some rows in between."""


class Neighbors:
    """Compares a partition's files with those of the week before and the week after."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._read)

    def check(self, partition: Partition, files: Mapping[Partition, Sequence[Path]]) -> None:
        """Check that what names no week is not its neighbor's.

        Raises:
            SourceError: it is; or one of its own files cannot be read.
        """
        for path in files[partition]:
            alike = [(neighbor, other) for neighbor, other in _around(partition, files) if _are_alike(path, other)]
            own = self._sketch(path) if alike else None
            if own is not None:
                self._check(path, own, alike)

    def _check(self, path: Path, own: Sketch, neighbors: Iterable[tuple[Partition, Path]]) -> None:
        for neighbor, other in neighbors:
            theirs = self._sketch_of_other(other)
            copy = find_copy(own, theirs) if theirs else None
            if copy is not None:
                raise SourceDataError(
                    f"{shown(path)}: {copy} stand in {shown(other)} too, which is of {neighbor}: "
                    "one of the two is misplaced, remove it"
                )

    def _sketch_of_other(self, path: Path) -> Sketch | None:
        """None where it cannot be read: that is told where its own partition is fetched."""
        try:
            return self._sketch(path)
        except SourceError:
            return None

    def _sketch(self, path: Path) -> Sketch | None:
        return self._remembered(path, stamp(str(path)))

    def _read(self, path: Path, _stamp: Stamp) -> Sketch | None:
        return sketch(read_whole(path, self._max_bytes))


def _are_alike(one: Path, other: Path) -> bool:
    first, second = stamp(str(one)), stamp(str(other))
    if first is None or second is None or ".gz" in (one.suffix, other.suffix):
        return True
    (*_when, size), (*_other_when, other_size) = first, second
    return abs(size - other_size) <= _ALIKE * max(size, other_size)


def _around(partition: Partition, files: Mapping[Partition, Sequence[Path]]) -> Iterator[tuple[Partition, Path]]:
    for weeks in (-1, 1):
        neighbor = Partition(partition.week_ending + timedelta(weeks=weeks), partition.tier)
        for path in files.get(neighbor, ()):
            yield neighbor, path
