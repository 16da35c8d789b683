"""The questions that are put to FINRA's Query API about one partition of weeklySummary."""

from __future__ import annotations

import json

from finra_core.domain.partitions import Partition

DATA_PATH = "/data/group/otcMarket/name/weeklySummary"
PARTITIONS_PATH = "/partitions/group/otcMarket/name/weeklySummary"

PAGE_ROWS = 5000
"""FINRA's largest page; a larger limit is silently cut to it."""

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


def page_query(partition: Partition, offset: int, limit: int, *, quoted: bool = False) -> bytes:
    """Rows `offset` to `offset + limit`, in the order of their keys, so that pages neither overlap nor leave gaps."""
    return _query(partition, FIELDS, KEY_FIELDS, offset, limit, quoted=quoted)


def probe_query(partition: Partition) -> bytes:
    """The newest lastUpdateDate; the answer's Record-Total is the number of rows."""
    return _query(partition, PROBE_FIELDS, ("-lastUpdateDate",), 0, 1, quoted=False)


def _query(
    partition: Partition, fields: tuple[str, ...], sort: tuple[str, ...], offset: int, limit: int, *, quoted: bool
) -> bytes:
    # Sorting is refused unless both partition keys have an EQUAL filter; filters on a GET are ignored.
    query = {
        "fields": fields,
        "compareFilters": [
            _equal("weekStartDate", partition.week_start.isoformat()),
            _equal("tierIdentifier", partition.tier.finra_code),
        ],
        "domainFilters": [{"fieldName": "summaryTypeCode", "values": SUMMARY_TYPES}],
        "sortFields": sort,
        "limit": limit,
        "offset": offset,
        "delimiter": DELIMITER,
        "quoteValues": quoted,
    }
    return json.dumps(query).encode("ascii")


def _equal(name: str, value: str) -> dict[str, str]:
    return {"fieldName": name, "compareType": "EQUAL", "fieldValue": value}
