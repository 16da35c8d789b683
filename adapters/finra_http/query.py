"""The questions that are put to FINRA's Query API, each with the most that its answer may take."""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from finra_core.domain.partitions import Partition

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
    return _data_request(partition, SMALL_ANSWER, fields=PROBE_FIELDS, sortFields=("-lastUpdateDate",), limit=1)


def page_request(partition: Partition, offset: int, limit: int, *, quoted: bool = False) -> Request:
    """Rows `offset` to `offset + limit`, in the order of their keys, so that pages neither overlap nor leave gaps."""
    return _data_request(
        partition,
        min(MAX_PAGE_BYTES, SMALL_ANSWER + limit * MAX_ROW_BYTES),
        fields=FIELDS,
        sortFields=KEY_FIELDS,
        limit=limit,
        offset=offset,
        quoteValues=quoted,
    )


def _data_request(partition: Partition, max_bytes: int, **asked: Any) -> Request:
    # Sorting is refused unless both partition keys have an EQUAL filter; filters on a GET are ignored.
    query = {
        "compareFilters": [
            _compare("weekStartDate", "EQUAL", partition.week_start.isoformat()),
            _compare("tierIdentifier", "EQUAL", partition.tier.finra_code),
        ],
        "domainFilters": [{"fieldName": "summaryTypeCode", "values": SUMMARY_TYPES}],
        "offset": 0,
        "delimiter": DELIMITER,
        "quoteValues": False,
        **asked,
    }
    body = json.dumps(query).encode("ascii")
    return Request("POST", DATA_PATH, str(partition), "text/plain", partition, body, max_bytes)


def _compare(name: str, how: str, value: str) -> dict[str, str]:
    return {"fieldName": name, "compareType": how, "fieldValue": value}
