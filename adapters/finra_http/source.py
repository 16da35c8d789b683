"""The Source over FINRA's Query API."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from types import TracebackType

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.ports.source import Listing, SourceInfo, SourceKind, Usage
from finra_core.weekly_summary.payload import Payload
from finra_http.answers import read_listing, read_version
from finra_http.client import open_client
from finra_http.limits import Deadline, Limits, Runtime
from finra_http.pages import Pages
from finra_http.problems import RepublishedError
from finra_http.query import DATA_PATH, PAGE_ROWS, listing_request, probe_request
from finra_http.restatements import find_restated
from finra_http.settings import Settings, Share, read_settings, settings_of, share_of

logger = logging.getLogger(__name__)

MAX_READS = 3
"""How often a partition is read before it is left to a later run, because FINRA is just republishing it."""
REREAD_PAUSE = 10.0
"""Seconds, at most, between two of these readings."""

PAGE_ROW_BYTES = 21
PAGE_BYTES = 200
PROBE_BYTES = 45
"""Expected bytes of an answer over the network: see docs/adr/0005-csv-over-json.md, "Evidence"."""


def open_source(url: str, settings: Mapping[str, str], *, runtime: Runtime | None = None) -> HttpSource:
    """The source at `api:` (FINRA_API_URL, else FINRA's own host) or at an http or https URL. Opens no connection yet.

    Raises:
        ConfigurationError: the URL or a setting is malformed or incomplete.
    """
    return HttpSource(read_settings(url, settings), runtime or Runtime())


def open_share(share: Share) -> HttpSource:
    """The source of one worker process.

    Raises:
        ConfigurationError: this process has none of the credentials that the one which started the run has.
    """
    return HttpSource(settings_of(share, os.environ), Runtime())


class HttpSource:
    """FINRA's weeklySummary, asked synchronously and in pages."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self.info = SourceInfo(label="API", kind=SourceKind.FEED)
        self._settings = settings
        self._runtime = runtime
        self._limits = Limits(settings.requests_per_second, settings.max_bytes, runtime)
        self._client = open_client(settings, self._limits, runtime)
        self._pages = Pages(self._client)

    def list_partitions(self) -> Listing:
        """All partitions of the three tiers that weeklySummary holds: one request.

        Raises:
            SourceError: the API does not answer.
        """
        return self._client.send(listing_request(), read_listing, self._deadline())

    def probe(self, partition: Partition) -> SourceVersion | None:
        """FINRA's newest lastUpdateDate and number of rows: one request of about 50 bytes.

        Raises:
            SourceError: the API does not answer.
        """
        return self._client.send(probe_request(partition), read_version, self._deadline())

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        """One document with all rows, and the version that exactly these rows have.

        `expected` is the version that they should have: it is not asked for, unless FINRA has republished the
        partition since.

        Raises:
            SourceUnavailableError: it could not be read for now, or was being republished.
            SourceError: it is not there, not what was asked for, or over the budget.
        """
        deadline = self._deadline()
        version = expected if expected is not None and expected.is_comparable else None
        for reads in range(1, MAX_READS + 1):
            version = version or self._client.send(probe_request(partition), read_version, deadline)
            if version is None:
                raise SourceDataError(f"no rows for {partition}, though it was listed", partition=partition)
            try:
                document = self._pages.read_partition(partition, version, deadline)
                return Payload([document], self._settings.api_url + DATA_PATH, version)
            except RepublishedError as change:
                logger.info("API republished %s while it was being read: %s", partition, change)
                reason, version = str(change), None
            if reads < MAX_READS:
                self._runtime.sleep(min(self._runtime.jitter() * REREAD_PAUSE, deadline.remaining()))
        raise SourceUnavailableError(
            f"API fetch failed (HTTP 200) for {partition}: republished while being read, {MAX_READS} times "
            f"({reason}); run again later",
            partition=partition,
            status_code=200,
        )

    def restated_since(self, day: date, before: date) -> frozenset[Partition] | None:
        """Partitions whose week ends before `before`, with rows updated on or after `day`: mostly one request.

        None where FINRA cannot tell.

        Raises:
            SourceError: the API does not answer.
        """
        return find_restated(self._client, day, before, self._deadline())

    def estimate(self, version: SourceVersion | None) -> Usage:
        """The pages that a partition of so many rows is expected to take; a probe where it has not been asked yet."""
        if version is None or version.row_count is None:
            return Usage(1, PROBE_BYTES)
        pages = -(-version.row_count // PAGE_ROWS)
        return Usage(pages, pages * PAGE_BYTES + version.row_count * PAGE_ROW_BYTES)

    def usage(self) -> Usage:
        """All requests made, and the bytes of their answers' bodies as they came over the network, compressed."""
        return self._limits.usage()

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], HttpSource]:
        """A function that opens this source with one process's part of the rate and of the budget.

        Credentials and proxies do not travel: each process reads them from its own environment.
        """
        return partial(open_share, share_of(self._settings, processes))

    def close(self) -> None:
        """Wait for what is under way and close the connections."""
        self._pages.close()
        self._client.close()

    def __enter__(self) -> HttpSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def _deadline(self) -> Deadline:
        return Deadline.after(self._settings.deadline_seconds, self._runtime.clock)
