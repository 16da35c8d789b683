"""The Source over FINRA's Query API."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import date
from functools import partial
from itertools import chain

from finra_core.domain.captures import SourceVersion
from finra_core.domain.clock import new_run_id
from finra_core.domain.errors import SourceDataError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.ports import Listing, Usage
from finra_core.runs.reopening import Reopening, reopened
from finra_core.weekly_summary.payload import Payload
from finra_http.auth import TokenCache
from finra_http.budget import Meter
from finra_http.client import Client
from finra_http.faults import RepublishedError
from finra_http.limiter import RateLimiter
from finra_http.listing import read_listing
from finra_http.pages import Page, read_plain_page, read_quoted_page, read_version
from finra_http.query import DATA_PATH, DELIMITER, FIELDS, PAGE_ROWS, PARTITIONS_PATH, page_query, probe_query
from finra_http.redaction import Secrets
from finra_http.runtime import Deadline, Runtime
from finra_http.settings import Settings, read_settings
from finra_http.sharing import Share, settings_of, share_of
from finra_http.transport import SMALL_ANSWER, Request, Transport

logger = logging.getLogger(__name__)

MAX_READS = 3
"""How often a partition is read before it is left to a later run, because FINRA is just republishing it."""
REREAD_PAUSE = 10.0
"""Seconds, at most, between two of these readings."""

PAGE_THREADS = 8
"""Pages under way at once over all partitions: at 1.5 s a page a quarter of FINRA's 20 requests a second."""

MAX_PAGE_BYTES = 3 * 1024 * 1024
"""FINRA's cap for a synchronous answer (header Response-Payload-Max-Size: 3mb)."""
MAX_ROW_BYTES = 512
"""Above the longest row of the fields asked for: an issue name has up to 201 characters, all else with quotes 175."""
MAX_LISTING_BYTES = 1024 * 1024
"""249 weeks of 5 tiers made about 45 kB in 2026."""

PAGE_ROW_BYTES = 21
PAGE_BYTES = 200
PROBE_BYTES = 45
"""Expected bytes of an answer over the network: see docs/adr/0005-csv-over-json.md, "Evidence"."""

_ANONYMOUS = "set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET (or FINRA_CLIENT_SECRET_FILE)"
_CREDENTIALS = "check FINRA_CLIENT_ID and FINRA_CLIENT_SECRET: FINRA does not accept them for this"


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

    label = "API"
    archive = False

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._token = new_run_id()
        self._runtime = runtime
        self._meter = Meter(settings.max_bytes)
        self._probed: dict[Partition, SourceVersion] = {}
        self._token_client: Client | None = None
        self._client = self._connect()
        self._threads = ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="finra-page")

    def __reduce__(self) -> tuple[object, ...]:
        opener = partial(open_share, share_of(self._settings))
        return (reopened, (Reopening(opener, self._token),))

    def listing(self) -> Listing:
        """All partitions of the three tiers that weeklySummary holds: one request.

        Raises:
            SourceError: the API does not answer.
        """
        url = self._settings.api_url + PARTITIONS_PATH
        subject = "the list of partitions"
        request = Request("GET", url, subject, "application/json", max_bytes=MAX_LISTING_BYTES)
        return self._client.send(request, read_listing, self._deadline())

    def probe(self, partition: Partition) -> SourceVersion | None:
        """FINRA's newest lastUpdateDate and number of rows: one request of about 50 bytes.

        Raises:
            SourceError: the API does not answer.
        """
        version = self._probe(partition, self._deadline())
        if version is not None:
            self._probed[partition] = version
        return version

    def fetch(self, partition: Partition) -> Payload:
        """One document with all rows, and the version that exactly these rows have.

        What the last probe of the partition saw is what the rows are checked against: it is not asked for again,
        unless FINRA has republished the partition since.

        Raises:
            SourceUnavailableError: it could not be read for now, or was being republished.
            SourceError: it is not there, not what was asked for, or over the budget.
        """
        deadline = self._deadline()
        for reads in range(1, MAX_READS + 1):
            version = self._probed.pop(partition, None) or self._probe(partition, deadline)
            if version is None:
                raise SourceDataError(f"no rows for {partition}, though it was listed", partition=partition)
            try:
                return self._read(partition, version, deadline)
            except RepublishedError as change:
                logger.info("API republished %s while it was being read: %s", partition, change)
                reason = str(change)
            if reads < MAX_READS:
                self._runtime.sleep(min(self._runtime.jitter() * REREAD_PAUSE, deadline.remaining()))
        raise SourceUnavailableError(
            f"API fetch failed (HTTP 200) for {partition}: republished while being read, {MAX_READS} times "
            f"({reason}); run again later",
            partition=partition,
            status_code=200,
        )

    def price(self, version: SourceVersion | None) -> Usage:
        """The pages that a partition of so many rows is expected to take; a probe where it has not been asked yet."""
        if version is None:
            return Usage(1, PROBE_BYTES)
        pages = -(-version.row_count // PAGE_ROWS)
        return Usage(pages, pages * PAGE_BYTES + version.row_count * PAGE_ROW_BYTES)

    def usage(self) -> Usage:
        """All requests made, and the bytes of their answers' bodies as they came over the network, compressed."""
        return self._meter.usage()

    def close(self) -> None:
        """Wait for what is under way and close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._client.close()
        if self._token_client is not None:
            self._token_client.close()

    def _connect(self) -> Client:
        own, secrets = self._settings, Secrets()
        limiter = RateLimiter(own.requests_per_second, self._runtime)
        transport = Transport(own.api_url, own.proxies, limiter, self._meter)
        if own.credentials is None:
            return Client(transport, self._runtime, secrets, _ANONYMOUS)
        token_transport = Transport(own.token_url, own.proxies, limiter, self._meter)
        self._token_client = Client(token_transport, self._runtime, secrets, _CREDENTIALS)
        tokens = TokenCache(self._token_client, own.token_url, own.credentials, self._runtime, secrets)
        return Client(transport, self._runtime, secrets, _CREDENTIALS, tokens)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._settings.deadline_seconds, self._runtime.clock)

    def _probe(self, partition: Partition, deadline: Deadline) -> SourceVersion | None:
        request = self._data_request(partition, probe_query(partition), SMALL_ANSWER)
        return self._client.send(request, read_version, deadline)

    def _read(self, partition: Partition, version: SourceVersion, deadline: Deadline) -> Payload:
        texts = _checked_texts(self._pages(partition, version, deadline.fork()), version)
        document = b"".join([f"{DELIMITER.join(FIELDS)}\n".encode(), *texts])
        return Payload((document,), self._settings.api_url + DATA_PATH, version)  # type: ignore[arg-type, unused-ignore]

    def _pages(self, partition: Partition, version: SourceVersion, deadline: Deadline) -> list[Page]:
        """All pages in order; ranges of PAGE_ROWS are read side by side."""
        total = version.row_count
        ranges = [(start, min(start + PAGE_ROWS, total)) for start in range(0, total, PAGE_ROWS)]
        futures = [self._threads.submit(self._range, partition, *span, total, deadline) for span in ranges]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            return list(chain.from_iterable(future.result() for future in futures))
        except BaseException:
            deadline.cancel()
            for future in futures:
                future.cancel()
            wait(futures)
            raise

    def _range(self, partition: Partition, start: int, end: int, total: int, deadline: Deadline) -> list[Page]:
        """Rows `start` to `end`: more than one page where FINRA's 3 MB cap makes the first one short."""
        pages: list[Page] = []
        offset = start
        while offset < end:
            page = self._page(partition, offset, end - offset, total, deadline)
            pages.append(page)
            offset += len(page)
        return pages

    def _page(self, partition: Partition, offset: int, limit: int, total: int, deadline: Deadline) -> Page:
        """Up to `limit` rows; asked for a second time with quotes where a value holds a delimiter or a quote."""
        bound = min(MAX_PAGE_BYTES, SMALL_ANSWER + limit * MAX_ROW_BYTES)
        request = self._data_request(partition, page_query(partition, offset, limit), bound)
        read = partial(read_plain_page, partition=partition, limit=limit, total=total)
        page = self._client.send(request, read, deadline)
        if page is not None:
            return page
        logger.debug("API has a delimiter or a quote in a value of %s, row %d on: asked again", partition, offset + 1)
        request = self._data_request(partition, page_query(partition, offset, limit, quoted=True), bound)
        return self._client.send(
            request, partial(read_quoted_page, partition=partition, limit=limit, total=total), deadline
        )

    def _data_request(self, partition: Partition, query: bytes, max_bytes: int) -> Request:
        url = self._settings.api_url + DATA_PATH
        return Request("POST", url, str(partition), "text/plain", partition, query, max_bytes)


def _checked_texts(pages: list[Page], version: SourceVersion) -> list[bytes]:
    """The pages' texts, once it is sure that the pages together are the version that the probe saw.

    Raises:
        RepublishedError: they are not.
    """
    newest = max((page.newest for page in pages), default=date.min)
    if newest != version.last_update_date:
        raise RepublishedError(f"the newest lastUpdateDate went from {version.last_update_date} to {newest}")
    keys = [key for page in pages for key in page.keys]
    repeated = len(keys) - len(set(keys))
    if repeated:
        raise RepublishedError(f"{repeated:,} rows came twice")
    return [page.text for page in pages]
