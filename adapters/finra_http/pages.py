"""A partition's rows: read in pages side by side, and checked to be all of it, of one version and as asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import date
from functools import partial
from itertools import chain, repeat

from attrs import field, frozen

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.weekly_summary.delimited import Table, is_quoted, read_table
from finra_core.weekly_summary.summary_types import check_identity
from finra_http.answers import csv_text, iso_date
from finra_http.client import Client
from finra_http.limits import Deadline
from finra_http.problems import FaultError, RepublishedError, one_line
from finra_http.query import DELIMITER, FIELDS, KEY_FIELDS, PAGE_ROWS, SUMMARY_TYPES, page_request
from finra_http.transport import Reply

logger = logging.getLogger(__name__)

PAGE_THREADS = 8
"""Pages under way at once over all partitions: at 1.5 s a page a quarter of FINRA's 20 requests a second."""


class Pages:
    """Reads partitions, for any number of threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="finra-page")

    def read_partition(self, partition: Partition, version: SourceVersion, deadline: Deadline) -> bytes:
        """All rows of this version, which counts them, as one document with the columns of FIELDS.

        Raises:
            RepublishedError: FINRA has another version by now.
            SourceError: a page could not be read, or is not what was asked for.
        """
        pages = self._side_by_side(partition, version.row_count or 0, deadline.fork())
        _check_version(pages, version)
        return b"".join([f"{DELIMITER.join(FIELDS)}\n".encode(), *(page.text for page in pages)])

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _side_by_side(self, partition: Partition, total: int, deadline: Deadline) -> list[Page]:
        """All pages in order; ranges of PAGE_ROWS are read at the same time."""
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
        read = partial(read_plain_page, partition=partition, limit=limit, total=total)
        page = self._client.send(page_request(partition, offset, limit), read, deadline)
        if page is not None:
            return page
        logger.debug("API has a delimiter or a quote in a value of %s, row %d on: asked again", partition, offset + 1)
        read_quoted = partial(read_quoted_page, partition=partition, limit=limit, total=total)
        return self._client.send(page_request(partition, offset, limit, quoted=True), read_quoted, deadline)


def _check_version(pages: Sequence[Page], version: SourceVersion) -> None:
    """Make sure that the pages together are this version.

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


@frozen(eq=False)
class Page:
    """Rows as delimited lines with the columns of FIELDS, each ended by one LF, and their keys.

    A line has quotes only where a value of it holds the delimiter: equal rows give equal lines, however they came.
    A key is the row's values of KEY_FIELDS in one text: a tuple of them would take four times the memory.
    newest: the latest lastUpdateDate among the rows.
    """

    text: bytes = field(repr=False)
    keys: Sequence[str] = field(repr=False)
    newest: date

    def __len__(self) -> int:
        return len(self.keys)


def read_plain_page(reply: Reply, partition: Partition, limit: int, total: int) -> Page | None:
    """The answer to a page query without quotes, for up to `limit` of the partition's `total` rows.

    None where a value holds a delimiter or a quote: without quotes around the values that cannot be told apart.

    Raises:
        RepublishedError: the partition has another number of rows by now.
        FaultError: it is no page, or less of one than it says.
        SourceDataError: its rows are not what was asked for, or are broken.
    """
    text = _text(reply, total)
    widest = max(map(bytes.count, text.split(b"\n"), repeat(DELIMITER.encode())))
    if b'"' in text or widest >= len(FIELDS):
        return None
    return _page(_table(text, reply), partition, limit)


def read_quoted_page(reply: Reply, partition: Partition, limit: int, total: int) -> Page:
    """The answer to a page query with quotes, for up to `limit` of the partition's `total` rows.

    Raises:
        RepublishedError, FaultError, SourceDataError: as `read_plain_page`.
    """
    text = _text(reply, total)
    if not is_quoted(text.split(b"\n", 2)[1].decode("utf-8", "replace"), DELIMITER):
        raise SourceDataError("a value holds a delimiter or a quote, and FINRA does not quote values though asked to")
    return _page(_table(text, reply), partition, limit)


def _text(reply: Reply, total: int) -> bytes:
    _check_total(reply, total)
    text = csv_text(reply, FIELDS)
    if text is None:
        raise FaultError("an empty page before the last row")
    if b"\r" in text:  # looking for one byte takes a hundredth of looking for two
        text = text.replace(b"\r\n", b"\n")
    if b"\r" in text:
        line = text[: text.index(b"\r")].count(b"\n") + 1
        raise SourceDataError(f"line {line} of a page holds '\\r' in a value")
    return text


def _page(table: Table, partition: Partition, limit: int) -> Page:
    if len(table) > limit:
        raise SourceDataError(f"{len(table):,} rows where {limit:,} are asked for")
    check_identity(table.distinct, partition)
    _check_summary_types(table)
    lines = "\n".join([*_lines(table), ""]).encode()
    # No value holds a line end.
    keys = list(map("\n".join, _rows(table, KEY_FIELDS)))
    return Page(lines, keys, _newest(table.columns["lastUpdateDate"]))


def _table(text: bytes, reply: Reply) -> Table:
    table = read_table(text)
    if not text.endswith(b"\n") and _last_row_is_broken(table, text):
        raise FaultError("the page ends within a row")
    if table.rejects:
        first = table.rejects[0]
        raise SourceDataError(f"line {first.line} of a page: {first.reason}")
    declared = reply.count("Total-Records-On-Page")
    if declared is not None and declared != len(table):
        raise FaultError(f"{len(table):,} rows arrived where the page says {declared:,}")
    return table


def _last_row_is_broken(table: Table, text: bytes) -> bool:
    if table.rejects and table.rejects[-1].line == text.count(b"\n") + 1:
        return True
    return any(iso_date(text) is None for text in table.columns["lastUpdateDate"][-1:])


def _lines(table: Table) -> Sequence[str]:
    """The rows with their columns in the order of FIELDS, in which FINRA is expected but not known to send them."""
    texts = table.texts()
    if tuple(table.columns) == FIELDS and not is_quoted(texts[0], DELIMITER):
        return texts
    return list(map(_line, _rows(table, FIELDS)))


def _rows(table: Table, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(table.columns[name] for name in names), strict=True)


def _line(row: tuple[str, ...]) -> str:
    """The row as it comes without quotes where that can be told apart, else with quotes where a value needs them."""
    line = DELIMITER.join(row)
    return line if line.count(DELIMITER) < len(row) else DELIMITER.join(map(_quoted, row))


def _quoted(value: str) -> str:
    if DELIMITER not in value and '"' not in value:
        return value
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


def _check_summary_types(table: Table) -> None:
    others = set(table.columns["summaryTypeCode"]) - set(SUMMARY_TYPES)
    if others:
        raise SourceDataError(f"summaryTypeCode is {one_line(min(others))!r}, which was not asked for")


def _newest(texts: Sequence[str]) -> date:
    days = {text: iso_date(text) for text in set(texts)}
    wrong = sorted(text for text, day in days.items() if day is None)
    if wrong:
        raise SourceDataError(f"lastUpdateDate {one_line(wrong[0])[:40]!r} is not a date")
    return max(day for day in days.values() if day is not None)


def _check_total(reply: Reply, total: int) -> None:
    now = reply.count("Record-Total")
    if now is not None and now != total:
        raise RepublishedError(f"Record-Total went from {total:,} to {now:,}")
