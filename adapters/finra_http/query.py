"""The questions that are put to FINRA's Query API, each with the most that its answer may take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from attrs import field, frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier

DATA_PATH = "/data/group/otcMarket/name/weeklySummary"
PARTITIONS_PATH = "/partitions/group/otcMarket/name/weeklySummary"

PAGE_ROWS = 5000
"""FINRA's largest page; a larger limit is silently cut to it."""

SMALL_ANSWER = 64 * 1024
"""More bytes than any short answer takes, an error page of the network in between included."""
MAX_LISTING_BYTES = 1024 * 1024
"""249 weeks of 5 tiers made about 45 kB in 2026."""
MAX_PAGE_BYTES = 3 * 1024 * 1024
"""FINRA's cap for a synchronous answer (header Response-Payload-Max-Size: 3mb)."""
MAX_SHORT_ROW_BYTES = 32
"""A row of RESTATED_FIELDS."""
MAX_ROW_BYTES = 512
"""Above the longest row of the fields asked for: an issue name has up to 201 characters, all else with quotes 175."""

DELIMITER = "|"
SUMMARY_TYPES = ("ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM", "ATS_W_SMBL", "OTC_W_SMBL")
"""Volume per symbol and venue, and FINRA's own totals per symbol to check it against."""

KEY_FIELDS = (
    "summaryTypeCode", "issueSymbolIdentifier", "MPID", "firmCRDNumber", "productTypeCode", "issueName",
)  # fmt: skip
"""A row's whole key within a partition: narrower keys have collided (two listing tapes, two issue names)."""

FIELDS = (
    "weekStartDate", "tierIdentifier", "summaryTypeCode", "issueSymbolIdentifier", "issueName",
    "marketParticipantName", "MPID", "firmCRDNumber", "productTypeCode", "totalWeeklyShareQuantity",
    "totalWeeklyTradeCount", "lastUpdateDate",
)  # fmt: skip
PROBE_FIELDS = ("lastUpdateDate",)
RESTATED_FIELDS = ("weekStartDate", "tierIdentifier", "lastUpdateDate")


@frozen
class Request:
    """One request to a host whose address is known elsewhere.

    path: what follows the address. subject: what it is about, in words. max_bytes: its answer is cut off before it
    takes more over the network. authorization: its own header, where it does not need a token. about_credentials: a
    refusal is about these.
    """

    method: str
    path: str
    subject: str
    accept: str
    partition: Partition | None = None
    body: bytes | None = field(default=None, repr=False)
    max_bytes: int = SMALL_ANSWER
    authorization: str | None = field(default=None, repr=False)
    about_credentials: bool = False


def listing_request() -> Request:
    """All partitions of the dataset."""
    return Request("GET", PARTITIONS_PATH, "the list of partitions", "application/json", max_bytes=MAX_LISTING_BYTES)


def probe_request(partition: Partition) -> Request:
    """The newest lastUpdateDate; the answer's Record-Total is the number of rows."""
    return _partition_request(partition, SMALL_ANSWER, fields=PROBE_FIELDS, sortFields=("-lastUpdateDate",), limit=1)


def page_request(partition: Partition, offset: int, limit: int, *, quoted: bool = False) -> Request:
    """Rows `offset` to `offset + limit`, in the order of their keys, so that pages neither overlap nor leave gaps."""
    return _partition_request(
        partition,
        min(MAX_PAGE_BYTES, SMALL_ANSWER + limit * MAX_ROW_BYTES),
        fields=FIELDS,
        sortFields=KEY_FIELDS,
        limit=limit,
        offset=offset,
        quoteValues=quoted,
    )


def restated_request(day: date, before: date, tier: Tier | None, but: Iterable[date]) -> Request:
    """Rows updated on or after `day`, of weeks that begin before the Monday `before`: up to PAGE_ROWS, in any order.

    tier: None for all of them. but: Mondays of weeks to leave out.
    """
    filters = [_compare("lastUpdateDate", "GTE", day), _compare("weekStartDate", "LESSER", before)]
    if tier is not None:
        filters.append(_compare("tierIdentifier", "EQUAL", tier.finra_code))
    filters += [_compare("weekStartDate", "NOT_EQUAL", monday) for monday in sorted(but)]
    body = _query(filters, fields=RESTATED_FIELDS, limit=PAGE_ROWS)
    subject = f"the rows updated since {day} of {tier or 'all tiers'} in weeks that begin before {before}"
    max_bytes = SMALL_ANSWER + PAGE_ROWS * MAX_SHORT_ROW_BYTES
    return Request("POST", DATA_PATH, subject, "text/plain", body=body, max_bytes=max_bytes)


def _partition_request(partition: Partition, max_bytes: int, **asked: object) -> Request:
    # Sorting is refused unless both partition keys have an EQUAL filter.
    filters = [
        _compare("weekStartDate", "EQUAL", partition.week_start),
        _compare("tierIdentifier", "EQUAL", partition.tier.finra_code),
    ]
    body = _query(filters, **asked)
    return Request("POST", DATA_PATH, str(partition), "text/plain", partition, body, max_bytes)


def _query(filters: list[dict[str, str]], **asked: object) -> bytes:
    # Filters work in the body of a POST; those of a GET are ignored without a word.
    query = {
        "compareFilters": filters,
        "domainFilters": [{"fieldName": "summaryTypeCode", "values": SUMMARY_TYPES}],
        "offset": 0,
        "delimiter": DELIMITER,
        "quoteValues": False,
        **asked,
    }
    return json.dumps(query).encode("ascii")


def _compare(name: str, how: str, value: object) -> dict[str, str]:
    return {"fieldName": name, "compareType": how, "fieldValue": str(value)}
