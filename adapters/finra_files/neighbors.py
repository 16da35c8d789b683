"""Files of neighboring weeks with the same rows: one of them lies in the wrong place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from attrs import frozen

from finra_core.domain.errors import SourceDataError, SourceError
from finra_core.domain.partitions import Partition
from finra_core.weekly_summary.delimited import first_line, read_header
from finra_core.weekly_summary.misplacement import RowsByKind, find_copy, names_its_week, rows_by_kind
from finra_files.discovery import Stamp, shown, stamp
from finra_files.reading import read_whole

_REMEMBERED = 8
"""Files whose rows are kept, some 10 MB each: a run goes from week to week, and each is its neighbor's neighbor."""


@frozen
class _Rows:
    names_its_week: bool
    by_kind: RowsByKind


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
            rows = self._rows(path)
            if not rows.names_its_week:
                self._check(path, rows, _around(partition, files))

    def _check(self, path: Path, rows: _Rows, neighbors: Iterable[tuple[Partition, Path]]) -> None:
        for neighbor, other in neighbors:
            copy = find_copy(rows.by_kind, self._rows_of_other(other))
            if copy is not None:
                raise SourceDataError(
                    f"{shown(path)}: {copy} stand in {shown(other)} too, which is of {neighbor}: "
                    "one of the two is misplaced, remove it"
                )

    def _rows_of_other(self, path: Path) -> RowsByKind:
        """None where it cannot be read: that is told where its own partition is fetched."""
        try:
            return self._rows(path).by_kind
        except SourceError:
            return {}

    def _rows(self, path: Path) -> _Rows:
        return self._remembered(path, stamp(str(path)))

    def _read(self, path: Path, _stamp: Stamp) -> _Rows:
        content = read_whole(path, self._max_bytes)
        _delimiter, names = read_header(first_line(content)[1])
        return _Rows(names_its_week(names), rows_by_kind([content]))


def _around(partition: Partition, files: Mapping[Partition, Sequence[Path]]) -> Iterator[tuple[Partition, Path]]:
    for weeks in (-1, 1):
        neighbor = Partition(partition.week_ending + timedelta(weeks=weeks), partition.tier)
        for path in files.get(neighbor, ()):
            yield neighbor, path
