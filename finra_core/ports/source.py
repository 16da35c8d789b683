"""Where FINRA's weeks come from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import Enum
from types import TracebackType
from typing import Protocol

from attrs import Factory, frozen

from finra_core.domain.captures import SourceVersion
from finra_core.domain.clock import new_run_id
from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.weekly_summary.payload import Payload


class SourceKind(str, Enum):
    """FEED: what it offers changes with time. ARCHIVE: a fixed collection, which a run takes whole by default."""

    FEED = "feed"
    ARCHIVE = "archive"


@frozen(kw_only=True)
class SourceInfo:
    """What a source is.

    label: how a log line names it: `API`, `files`. instance: unique for each opened source, also for one that opens
    the same URL in another process; usage is counted by it. root: what the places of its problems begin with, so that
    the findings about places that have no problem any more can be resolved; empty where it has no places.
    """

    label: str
    kind: SourceKind
    instance: str = Factory(new_run_id)
    root: str = ""


@frozen
class Listing:
    """What a source has.

    problems: what it holds but cannot offer, such as a file that names no week. doubts: what it offers although it
    contradicts itself, such as a file whose name and content disagree. A problem or doubt that belongs to no partition
    has a `place`.
    """

    partitions: frozenset[Partition]
    problems: tuple[SourceError, ...] = ()
    doubts: tuple[SourceError, ...] = ()


@frozen
class Usage:
    """What a source has cost: requests made, and bytes received as they came over the network."""

    requests: int = 0
    bytes_received: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.requests + other.requests, self.bytes_received + other.bytes_received)


class Source(Protocol):
    """FINRA's weeks, wherever they are kept. A context manager: leaving it closes it.

    Methods may be called from several threads at once. No call changes what a later call answers, apart from caches of
    what cannot have changed.
    """

    @property
    def info(self) -> SourceInfo:
        """What this source is; the same for as long as it is open."""

    def list_partitions(self) -> Listing:
        """All partitions on offer.

        Raises:
            SourceError: the source as a whole does not answer.
        """

    def probe(self, partition: Partition) -> SourceVersion | None:
        """The partition's version, at a small part of the cost of fetching it; None where this source has no versions.

        Raises:
            SourceError: the source did not answer.
        """

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        """The whole partition as it is now, in one version.

        expected: the version that the caller saw, which may save a request. If the content has another version by now,
        that content is returned, with its own version in the payload.

        Raises:
            SourceUnavailableError: it could not be read for now.
            SourceError: it is not there, not whole or not what was asked for.
        """

    def restated_since(self, day: date, before: date) -> frozenset[Partition] | None:
        """The partitions of weeks ending before `before` with a row that FINRA dated `day` or later.

        None where this source cannot tell. A withdrawn row leaves no trace here.

        Raises:
            SourceError: the source did not answer.
        """

    def estimate(self, version: SourceVersion | None) -> Usage:
        """The expected cost of fetching a partition of this version; zeros where the source is free."""

    def usage(self) -> Usage:
        """What this source has cost since it was opened, in this process."""

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], Source]:
        """A function that pickles, and that opens an equal source in another process. It carries no secret.

        same_machine: whether that process sees this machine's files. processes: how many processes open it. Each gets
        an equal part of what this source may ask and receive.

        Raises:
            ConfigurationError: this source cannot be opened there.
        """

    def close(self) -> None:
        """Release connections; the source is not used after."""

    def __enter__(self) -> Source:
        """This source."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Close it."""
