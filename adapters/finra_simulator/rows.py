"""One row of FINRA's weeklySummary, and its wire names."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

MICROS = 1_000_000
ATS_SYMBOL_FIRM, OTC_SYMBOL_FIRM = "ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"


class Row(NamedTuple):
    """The 17 fields in FINRA's wire order, exact.

    shares_micros: millionths of a share. notional_micros: millionths of a US dollar. What FINRA
    leaves null is None.
    """

    shares_micros: int
    symbol: str | None
    issue_name: str | None
    last_update_date: date
    last_reported_date: date
    tier_description: str
    initial_published_date: date
    tier_identifier: str
    summary_start_date: date
    notional_micros: int
    trades: int
    week_start_date: date
    mpid: str | None
    crd: int | None
    product_type: str | None
    venue_name: str | None
    summary_type: str


FIELDS = (
    "totalWeeklyShareQuantity",
    "issueSymbolIdentifier",
    "issueName",
    "lastUpdateDate",
    "lastReportedDate",
    "tierDescription",
    "initialPublishedDate",
    "tierIdentifier",
    "summaryStartDate",
    "totalNotionalSum",
    "totalWeeklyTradeCount",
    "weekStartDate",
    "MPID",
    "firmCRDNumber",
    "productTypeCode",
    "marketParticipantName",
    "summaryTypeCode",
)
"""FINRA's names of the fields of `Row`, in the same order."""

RowKey = tuple[str, str, str, int, str, str]


def row_key(row: Row) -> RowKey:
    """What no two rows of a partition share: summary type, symbol, MPID, CRD, product type, issue name.

    FINRA's aggregate of small firms has the CRD number 0 here, whether its row has it or null.
    """
    return (
        row.summary_type,
        row.symbol or "",
        row.mpid or "",
        row.crd or 0,
        row.product_type or "",
        row.issue_name or "",
    )


def plain_decimal(micros: int) -> str:
    """Millionths as decimal text, without trailing zeros."""
    whole, fraction = divmod(micros, MICROS)
    return f"{whole}.{fraction:06d}".rstrip("0") if fraction else str(whole)
