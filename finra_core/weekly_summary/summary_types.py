"""Which cut of FINRA's volume a row belongs to, and which partition it names."""

from __future__ import annotations

from collections.abc import Callable, Collection

from finra_core.domain.errors import SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Half, VenueType
from finra_core.weekly_summary.delimited import Table

ATS_RECORD, NON_ATS_RECORD = "ATS_W_SMBL_FIRM", "OTC_W_SMBL_FIRM"
FIRM_TYPES = {ATS_RECORD: VenueType.ATS.value, NON_ATS_RECORD: VenueType.NON_ATS.value}
"""summaryTypeCodes of records, and their venue type."""
CONTROL_TYPES = {"ATS_W_SMBL": Half.ATS, "OTC_W_SMBL": Half.NON_ATS}
"""summaryTypeCodes of control totals, and the half that each sums over."""
_OTHER_CUTS = frozenset({"ATS_W_FIRM", "OTC_W_FIRM", "ATS_W_VOL_STATS", "OTC_W_VOL_STATS"})
SUMMARY_TYPES = frozenset({*FIRM_TYPES, *CONTROL_TYPES, *_OTHER_CUTS})


def check_identity(distinct: Callable[[str], Collection[str]], partition: Partition) -> None:
    """Check that every row names the partition's tier and week, as far as the document names any.

    distinct: gives the distinct values of a column by its name; none where there is no such column.

    Raises:
        SourceDataError: a row names another one.
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


def summary_types(table: Table) -> list[str]:
    """Each row's summaryTypeCode. Downloads have no such column, but each row has either an MPID or a CRD number."""
    if "summaryTypeCode" in table.columns:
        return table.columns["summaryTypeCode"]
    if "firmCRDNumber" not in table.columns:
        return [ATS_RECORD] * len(table)
    if "MPID" not in table.columns:
        return [NON_ATS_RECORD] * len(table)
    return [ATS_RECORD if mpid else NON_ATS_RECORD for mpid in table.columns["MPID"]]
