"""FINRA's other cuts of the same volume: by symbol, by venue and market-wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finra_simulator.rows import ATS_SYMBOL_FIRM, OTC_SYMBOL_FIRM, Row, RowKey, row_key
from finra_simulator.trading import Book

_SYMBOL = {ATS_SYMBOL_FIRM: "ATS_W_SMBL", OTC_SYMBOL_FIRM: "OTC_W_SMBL"}
_VENUE = {ATS_SYMBOL_FIRM: "ATS_W_FIRM", OTC_SYMBOL_FIRM: "OTC_W_FIRM"}
_MARKET = {"ATS_W_SMBL": "ATS_W_VOL_STATS", "OTC_W_SMBL": "OTC_W_VOL_STATS"}
NOT_APPLICABLE = "NA"


def symbol_totals(rows: Iterable[Row], book: Book) -> list[Row]:
    """The *_SMBL rows: one per symbol, issue name and product type, which here ATS rows have too."""
    products = {(s.symbol, s.issue_name): s.product_type for s in reversed(book.ats_securities)}

    def total(row: Row) -> Row:
        product = row.product_type or products.get((row.symbol or "", row.issue_name or ""), "OTCE")
        return row._replace(
            summary_type=_SYMBOL[row.summary_type], product_type=product, mpid=None, crd=None, venue_name=None
        )

    return _sums(map(total, rows))


def venue_totals(rows: Iterable[Row]) -> list[Row]:
    """The *_W_FIRM rows: one per venue. FINRA leaves its aggregate of small firms out of this cut since 2019."""

    def total(row: Row) -> Row:
        return row._replace(summary_type=_VENUE[row.summary_type], product_type=None, symbol=None, issue_name=None)

    return _sums(total(row) for row in rows if row.mpid or row.crd)


def market_totals(controls: Iterable[Row]) -> list[Row]:
    """The *_VOL_STATS rows of one week over all tiers' *_SMBL rows: one per type and product type, tier NA."""

    def total(row: Row) -> Row:
        return row._replace(
            summary_type=_MARKET[row.summary_type],
            symbol=None,
            issue_name=None,
            tier_identifier=NOT_APPLICABLE,
            tier_description="Not Applicable",
        )

    return _sums(map(total, controls))


def _sums(rows: Iterable[Row]) -> list[Row]:
    """One row per key: quantities added, dates the newest, all else that of the first."""
    groups: dict[RowKey, list[Row]] = {}
    for row in rows:
        groups.setdefault(row_key(row), []).append(row)
    return sorted((_sum(group) for group in groups.values()), key=row_key)


def _sum(group: Sequence[Row]) -> Row:
    return group[0]._replace(
        shares_micros=sum(row.shares_micros for row in group),
        notional_micros=sum(row.notional_micros for row in group),
        trades=sum(row.trades for row in group),
        last_update_date=max(row.last_update_date for row in group),
        last_reported_date=max(row.last_reported_date for row in group),
        initial_published_date=max(row.initial_published_date for row in group),
    )
