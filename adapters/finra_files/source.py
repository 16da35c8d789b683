"""The source over a folder of files, or over one file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from threading import Lock
from types import TracebackType
from urllib.parse import unquote

from attrs import frozen

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import ConfigurationError, SourceDataError, SourceError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.ports.source import Listing, SourceInfo, SourceKind, Usage
from finra_core.weekly_summary.delimited import Table, read_table
from finra_core.weekly_summary.payload import Payload
from finra_core.weekly_summary.profile import Profile, distinct_summary_types, profile
from finra_core.weekly_summary.summary_types import SUMMARY_TYPES
from finra_files.discovery import Stamp, find_files, place_of, root_of, shown, stamp
from finra_files.identity import check_published, latest_date, partition_of, read_folders, scan_update_dates
from finra_files.names import contradictions
from finra_files.neighbors import Neighbors
from finra_files.reading import read_head, read_whole

_LOGGER = logging.getLogger(__name__)


def open_source(url: str, settings: Mapping[str, str]) -> FileSource:
    """Open `file:DIR`, `file:FILE` or `file:///DIR`, percent-encoded where need be; it takes no settings.

    Raises:
        ConfigurationError: the URL is malformed, or there is no such folder or file, or it is unreadable.
    """
    root = _path_of(url)
    try:
        if root.is_dir():
            next(root.iterdir(), None)
        else:
            root.open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"cannot read {shown(root)} ({reason}): give a folder of FINRA's files") from None
    return FileSource(root)


def _path_of(url: str) -> Path:
    _scheme, _, rest = url.partition(":")
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise ConfigurationError(f"{url!r} names the host {host!r}: write file:DIR or file:///DIR")
        rest = slash + path
    if not rest:
        raise ConfigurationError(f"{url!r} names no folder: write file:DIR or file:///DIR")
    return Path(unquote(rest, errors="surrogateescape"))


@frozen
class _Document:
    path: Path
    content: bytes
    profiled: Profile
    kinds: frozenset[str]


@frozen
class _Index:
    """Which files make which partition, as it was when these folders and files had these stamps."""

    files: Mapping[Partition, Sequence[Path]]
    listing: Listing
    stamps: Mapping[str, Stamp]

    def is_current(self) -> bool:
        """Whether no folder has got or lost a file since, and no file was written."""
        return all(stamp(path) == seen for path, seen in self.stamps.items())


class FileSource:
    """A `finra_core.ports.source.Source` over downloaded files.

    Which files make a partition is looked up again whenever a folder or a file has changed. A fetch reads them anew
    and checks that they still belong to it.
    """

    MAX_FILE_BYTES = 1 << 30
    """Uncompressed. FINRA's largest weekly file is some 40 MB."""

    def __init__(self, root: Path) -> None:
        self.info = SourceInfo(label="files", kind=SourceKind.ARCHIVE, root=root_of(root))
        self._root = root
        self._neighbors = Neighbors(self.MAX_FILE_BYTES)
        self._lock = Lock()
        self._index: _Index | None = None

    def list_partitions(self) -> Listing:
        """The partitions that the files name, and the files that name none.

        Raises:
            SourceUnavailableError: the folder is gone or has become unreadable.
        """
        self._index = index = self._look()
        return index.listing

    def probe(self, partition: Partition) -> SourceVersion | None:
        """None: a file's version is its content, and reading the one costs as much as comparing the other."""
        return None

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        """The partition's files as they are now, uncompressed, in the order of their paths.

        Several files have their URLs in source_url one after the other, with a space between.

        Raises:
            SourceDataError: no file has it, one is bad, of another partition or a neighboring week's, or two hold
                the same kind of rows.
            SourceUnavailableError: a file cannot be read or has vanished.
        """
        try:
            files = self._current().files
            paths = _paths(files, partition, self._root)
            documents = [self._read(path, partition) for path in paths]
            _check_distinct(documents)
            self._neighbors.check(partition, files)
        except SourceError as error:
            error.partition = partition
            raise
        urls = " ".join(path.absolute().as_uri() for path in paths)
        contents = tuple(document.content for document in documents)
        profiles = tuple(document.profiled for document in documents)
        return Payload(contents, urls, _version(profiles), profiles)

    def restated_since(self, day: date, before: date) -> frozenset[Partition] | None:
        """None: only the content of all files would tell, and comparing it costs no more than reading it."""
        return None

    def estimate(self, version: SourceVersion | None) -> Usage:
        """Nothing: files are free."""
        return Usage()

    def usage(self) -> Usage:
        """Nothing: files are free."""
        return Usage()

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], FileSource]:
        """A function that opens the same path. On another machine that path must hold the same files."""
        return partial(open_source, self._root.absolute().as_uri(), {})

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def _current(self) -> _Index:
        """The index; several threads wait for one that makes it anew."""
        index = self._index
        if index is not None and index.is_current():
            return index
        with self._lock:
            if self._index is None or self._index is index:
                self._index = self._look()
            return self._index

    def _look(self) -> _Index:
        try:
            found = find_files(self._root)
        except OSError as error:
            raise SourceUnavailableError(
                f"{shown(self._root)}: cannot be read ({error.strerror}): restore it"
            ) from None
        if found.other_files:
            _LOGGER.debug("%d files with other suffixes left out in %s", found.other_files, shown(self._root))
        # Before the files are read: what is written in between is seen the next time.
        stamps = {**found.folders, **{str(path): stamp(str(path)) for path in found.paths}}
        files, unplaced = self._placed(found.paths)
        listing = Listing(frozenset(files), (*found.problems, *unplaced), tuple(_doubts(files)))
        return _Index(files, listing, stamps)

    def _placed(self, paths: list[Path]) -> tuple[dict[Partition, list[Path]], list[SourceDataError]]:
        """The files of each partition, in order, and why others belong to none."""
        files: dict[Partition, list[Path]] = {}
        problems: list[SourceDataError] = []
        for path in paths:
            try:
                with _naming(path):
                    files.setdefault(self._partition_at_a_glance(path), []).append(path)
            except SourceError as error:  # noqa: PERF203 - a file's failure is its own
                problems.append(SourceDataError(error.message, place=place_of(path)))
        return files, problems

    def _partition_at_a_glance(self, path: Path) -> Partition:
        """By the folders, or else by the first row, or else by the dates in the file; the rest is seen at its fetch."""
        folders = read_folders(path)
        if folders.partition is not None:
            return folders.partition
        table = read_table(read_head(path))
        _check_usable(table)
        first_row = table.only([i == 0 for i in range(len(table))])
        return partition_of(
            folders, first_row.distinct, lambda: scan_update_dates(read_whole(path, self.MAX_FILE_BYTES))
        )

    def _read(self, path: Path, partition: Partition) -> _Document:
        with _naming(path):
            content = read_whole(path, self.MAX_FILE_BYTES)
            profiled = profile(content)
            if not profiled.is_plain:
                _check_usable(read_table(content))
            found = partition_of(read_folders(path), profiled.distinct, lambda: profiled.distinct("lastUpdateDate"))
            if found != partition:
                raise SourceDataError(f"now holds {found}, no longer {partition}: run again")
            if "weekStartDate" not in profiled.names:
                check_published(profiled.distinct, partition)
        return _Document(path, content, profiled, SUMMARY_TYPES & distinct_summary_types(profiled))


def _paths(files: Mapping[Partition, Sequence[Path]], partition: Partition, root: Path) -> Sequence[Path]:
    if partition not in files:
        raise SourceDataError(f"no file under {shown(root)} holds {partition}")
    return files[partition]


def _doubts(files: Mapping[Partition, Sequence[Path]]) -> Iterator[SourceDataError]:
    for partition, paths in files.items():
        for path in paths:
            said = " and ".join(contradictions(path, partition))
            if said:
                message = (
                    f"{shown(path)}: its name says {said}, its rows are of {partition}: rename it if they are right"
                )
                yield SourceDataError(message, place=place_of(path))


def _version(profiles: Sequence[Profile]) -> SourceVersion | None:
    """The newest date of these documents' rows, None where no row has one.

    Nobody but the rows counts them: a file may be older than its last day of updates, and not whole.
    """
    newest = latest_date(chain.from_iterable(profile.distinct("lastUpdateDate") for profile in profiles))
    return None if newest is None else SourceVersion(newest, row_count=None)


def _check_usable(table: Table) -> None:
    if not len(table):
        first = table.rejects[0]
        raise SourceDataError(f"no usable row; the first, line {first.line}, has {first.reason}: download it again")


def _check_distinct(documents: list[_Document]) -> None:
    for one, other in combinations(documents, 2):
        if shared := one.kinds & other.kinds:
            raise SourceDataError(
                f"{shown(one.path)} and {shown(other.path)} both hold {min(shared)} rows of one partition: keep one"
            )


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before the message of whatever is wrong with it."""
    try:
        yield
    except SourceError as error:
        raise type(error)(f"{shown(path)}: {error.message}") from error
