"""Records: what a partition's rows say, checked and exact, in columns.

A partition's records are its *_SMBL_FIRM rows: one per security and venue. The *_SMBL rows are the
same volume summed by FINRA over the venues; where a payload has them they are its control totals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from attrs import frozen

from finra_core.domain.dictionary_column import DictionaryColumn
from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import VenueType
from finra_core.weekly_summary.delimited import Table

MICROS = 1_000_000
"""Shares are counted in millionths: FINRA publishes up to 6 decimals since the week of 2026-02-23."""

MAX_INTEGER = 2**63 - 1
"""What both databases hold of shares, in millionths, and of trades."""

# As plain text: an enum's members hash in Python, once a row.
_ATS, _NON_ATS, _DE_MINIMIS = VenueType.ATS.value, VenueType.NON_ATS.value, VenueType.DE_MINIMIS.value
NO_CRD = frozenset({"", "0"})
"""How FINRA writes that a row has no CRD number: its weekly data has null, its monthly data 0."""

ATS_RECORD, NON_ATS_RECORD = "ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"
FIRM_TYPES = {ATS_RECORD: _ATS, NON_ATS_RECORD: _NON_ATS}
"""summaryTypeCodes of records, and their venue type."""
CONTROL_TYPES = {"ATS_W_SMBL": _ATS, "OTC_W_SMBL": _NON_ATS}
"""summaryTypeCodes of control totals, and their venue type."""
_OTHER_CUTS = frozenset({"ATS_W_FIRM", "OTC_W_FIRM", "ATS_W_VOL_STATS", "OTC_W_VOL_STATS"})
SUMMARY_TYPES = frozenset({*FIRM_TYPES, *CONTROL_TYPES, *_OTHER_CUTS})

SecurityKey = tuple[str, str, str]
"""(symbol, issue name, product type); empty text where FINRA gives none. Never case-folded: TPC is not TpC."""
VenueKey = tuple[str, str, str, str]
"""(venue type, MPID, CRD number, venue name); empty text where FINRA gives none."""


def venue_identity(venue: VenueKey) -> VenueKey:
    """The key without the name, which FINRA changes at will; only aggregates are told apart by their names."""
    kind, mpid, crd, name = venue
    return kind, mpid, crd, name if kind == _DE_MINIMIS else ""


def canonical_venue(venue: VenueKey) -> VenueKey:
    """The key as it is stored: a non-ATS row with a name and no CRD number, or CRD 0, is an aggregate of firms."""
    kind, mpid, crd, name = venue
    return (_DE_MINIMIS, mpid, "", name) if kind == _NON_ATS and crd in NO_CRD and name else venue


def half_of(venue: VenueKey) -> str:
    """The half of the tier that the venue's volume is published in, ATS or NON_ATS."""
    return _ATS if venue[0] == _ATS else _NON_ATS


Record = tuple[SecurityKey, VenueKey, int, int, str]
"""(security, venue, micro-shares, trades, last update date)."""


@frozen(eq=False)
class Records:
    """The records of one partition as columns of equal length; element i of each makes record i.

    shares_micros: millionths of a share. trades: whole. last_update_dates: ISO 8601 dates.
    A record's key is its security and its `venue_identity`.
    """

    securities: DictionaryColumn[SecurityKey]
    venues: DictionaryColumn[VenueKey]
    shares_micros: list[int]
    trades: list[int]
    last_update_dates: DictionaryColumn[str]

    @classmethod
    def of(cls, rows: Iterable[Record]) -> Records:
        """These records, in their order."""
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
        securities, venues, shares_micros, trades, last_update_dates = columns
        return cls(
            DictionaryColumn.of(securities),
            DictionaryColumn.of(venues),
            shares_micros,
            trades,
            DictionaryColumn.of(last_update_dates),
        )

    def __len__(self) -> int:
        return len(self.shares_micros)

    def rows(self) -> Iterable[Record]:
        """The records one by one, in their order."""
        return zip(self.securities, self.venues, self.shares_micros, self.trades, self.last_update_dates, strict=True)

    def without(self, indices: Collection[int]) -> Records:
        """The other records, in their order."""
        if not indices:
            return self
        out = frozenset(indices)
        return Records.of(row for i, row in enumerate(self.rows()) if i not in out)


def check_identity(distinct: Callable[[str], Collection[str]], partition: Partition) -> None:
    """Check that every row says the partition's tier and week, as far as the document says any.

    distinct: the values in a column by its name, none where there is no such column.

    Raises:
        SourceDataError: a row says another.
    """
    expected = {
        "tierDescription": partition.tier.finra_description,
        "tierIdentifier": partition.tier.finra_code,
        "weekStartDate": partition.week_start.isoformat(),
    }
    for name, value in expected.items():
        others = set(distinct(name)) - {value}
        if others:
            raise SourceDataError(f"{name} is {min(others)!r} where {value!r} is asked for", partition=partition)


def format_shares(micros: int) -> str:
    """Millionths of a share as decimal text without trailing zeros: 1500000 is 1.5."""
    whole, fraction = divmod(micros, MICROS)
    return f"{whole}.{fraction:06d}".rstrip("0") if fraction else str(whole)


def summary_types(table: Table) -> list[str]:
    """Each row's summaryTypeCode: downloads have no such column, but only one of MPID and CRD number."""
    if "summaryTypeCode" in table.columns:
        return table.columns["summaryTypeCode"]
    if "firmCRDNumber" not in table.columns:
        return [ATS_RECORD] * len(table)
    if "MPID" not in table.columns:
        return [NON_ATS_RECORD] * len(table)
    return [ATS_RECORD if mpid else NON_ATS_RECORD for mpid in table.columns["MPID"]]
