"""Whatever bytes an answer holds, reading it ends in a value or in a problem with a name."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_http.answers import check_status, read_listing, read_version
from finra_http.pages import Page, read_plain_page, read_quoted_page
from finra_http.problems import ProblemError, RepublishedError
from finra_http.transport import Reply
from support.one_partition_server import HEADER, PARTITION, make_rows, quoted

NOW = datetime(2026, 2, 10, tzinfo=timezone.utc)
FIELD_NAMES = st.sampled_from(
    ["statusCode", "message", "partitionFields", "availablePartitions", "partitions", "weekStartDate", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD_NAMES, inner, max_size=4),
    max_leaves=12,
)
SOUND = {"Content-Type": "text/plain", "Record-Total": "8", "Total-Records-On-Page": "8"}
PAGE = "".join(f"{line}\n" for line in [HEADER, *make_rows(2)])
QUOTED_PAGE = "".join(f"{quoted(line)}\n" for line in PAGE.splitlines())


@st.composite
def damaged_pages(draw: st.DrawFn, page: str = PAGE) -> bytes:
    """A sound page with some bytes replaced by others."""
    sound = page.encode()
    start = draw(st.integers(0, len(sound)))
    end = draw(st.integers(start, min(start + 40, len(sound))))
    return sound[:start] + draw(st.binary(max_size=10)) + sound[end:]


BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    damaged_pages(),
    damaged_pages(QUOTED_PAGE),
    st.sampled_from([b"lastUpdateDate\n2026-02-03\n", b"lastUpdateDate\n2026-W05-1\n", b"lastUpdateDate\n\xff\n"]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "Record-Total", "Total-Records-On-Page", "Retry-After", "FINRA-api-request-id"]),
    st.sampled_from(["text/plain", "application/json", "8", "0", "-1", "²", "", "Tue, 10 Feb 2026 12:00:30 GMT"])
    | st.text(st.characters(codec="latin-1"), max_size=12),
)
REPLIES = st.builds(Reply, st.sampled_from([200, 200, 200, 204, 400, 429, 503, 999]), HEADERS, BODIES)


@given(REPLIES)
@settings(max_examples=500)
def test_reading_an_answer_ends_in_a_value_or_a_named_problem(reply: Reply) -> None:
    with suppress(ProblemError):
        check_status(reply, NOW)
    with suppress(ProblemError, SourceDataError):
        read_version(reply)
    with suppress(ProblemError, SourceDataError, RepublishedError):
        page = read_plain_page(reply, PARTITION, 8, 8)
        assert page is None or page.text
    with suppress(ProblemError, SourceDataError, RepublishedError):
        assert read_quoted_page(reply, PARTITION, 8, 8).text
    with suppress(ProblemError):
        assert all(isinstance(found, Partition) for found in read_listing(reply).partitions)


@given(damaged_pages())
@settings(max_examples=300)
def test_a_damaged_page_never_changes_which_week_tier_and_kind_its_rows_are_of(body: bytes) -> None:
    with suppress(ProblemError, SourceDataError):
        page = read_plain_page(Reply(200, SOUND, body), PARTITION, 8, 8)
        assert page is None or len(rows_of(page)) == 8


@given(damaged_pages(QUOTED_PAGE))
@settings(max_examples=300)
def test_nor_does_a_damaged_page_of_quoted_values(body: bytes) -> None:
    with suppress(ProblemError, SourceDataError):
        assert len(rows_of(read_quoted_page(Reply(200, SOUND, body), PARTITION, 8, 8))) == 8


def rows_of(page: Page) -> list[list[str]]:
    lines = page.text.decode().split("\n")[:-1]
    rows = [next(csv.reader([line], delimiter="|")) if line.count("|") > 11 else line.split("|") for line in lines]
    assert len(page) == len(lines)
    for week, tier, kind, *rest in rows:
        assert (week, tier) == ("2025-12-29", "OTCE")
        assert kind in {"ATS_W_SMBL", "ATS_W_SMBL_FIRM", "OTC_W_SMBL", "OTC_W_SMBL_FIRM"}
        assert len(rest) == 9
    return rows
