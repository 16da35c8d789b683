"""Whatever bytes an answer holds, reading it ends in a value or in a problem with a name."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_http.faults import ProblemError, RepublishedError
from finra_http.listing import read_listing
from finra_http.pages import read_page, read_version
from finra_http.replies import check_status
from finra_http.transport import Reply
from support.one_partition_server import HEADER, PARTITION, make_rows

NOW = datetime(2026, 2, 10, tzinfo=timezone.utc)
FIELD_NAMES = st.sampled_from(
    ["statusCode", "message", "partitionFields", "availablePartitions", "partitions", "weekStartDate", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD_NAMES, inner, max_size=4),
    max_leaves=12,
)
PAGE = ("\n".join([HEADER, *make_rows(2)]) + "\n").encode()


@st.composite
def damaged_pages(draw: st.DrawFn) -> bytes:
    """A sound page with some bytes replaced by others."""
    start = draw(st.integers(0, len(PAGE)))
    end = draw(st.integers(start, min(start + 40, len(PAGE))))
    return PAGE[:start] + draw(st.binary(max_size=10)) + PAGE[end:]


BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    damaged_pages(),
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
        assert read_page(reply, PARTITION, 8, 8).text
    with suppress(ProblemError):
        assert all(isinstance(found, Partition) for found in read_listing(reply).partitions)


@given(damaged_pages())
@settings(max_examples=300)
def test_a_damaged_page_never_changes_which_week_tier_and_kind_its_rows_are_of(body: bytes) -> None:
    headers = {"Content-Type": "text/plain", "Record-Total": "8", "Total-Records-On-Page": "8"}
    with suppress(ProblemError, SourceDataError):
        page = read_page(Reply(200, headers, body), PARTITION, 8, 8)
        lines = page.text.decode().split("\n")[:-1]
        assert len(page) == len(lines) == 8
        for line in lines:
            week, tier, kind, *_rest = line.split("|")
            assert (week, tier) == ("2025-12-29", "OTCE")
            assert kind in {"ATS_W_SMBL", "ATS_W_SMBL_FIRM", "OTC_W_SMBL", "OTC_W_SMBL_FIRM"}
            assert line.count("|") == HEADER.count("|")
