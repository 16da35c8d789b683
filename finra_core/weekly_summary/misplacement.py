"""Whether rows are another week's: a download names no week, so a file in the wrong place looks right.

Real neighboring weeks of a tier share 0.6 % of their rows, and 5 % of those with a single share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from finra_core.domain.records import NO_CRD
from finra_core.weekly_summary.delimited import Table, read_tables
from finra_core.weekly_summary.summary_types import FIRM_TYPES, summary_types

COPIED_SHARE = 0.5
"""From this share on, equal rows are no chance."""
MIN_ROWS = 20
"""Fewer rows are not judged."""

RowsByKind = Mapping[str, frozenset[int]]
"""The rows of records by summaryTypeCode, each as a number: equal rows have equal ones, within a process."""


@frozen
class Copy:
    """`shared` of the `rows` rows of this summaryTypeCode are another week's too."""

    kind: str
    rows: int
    shared: int

    def __str__(self) -> str:
        return f"{self.shared:,} of {self.rows:,} {self.kind} rows"


def names_its_week(names: Iterable[str]) -> bool:
    """Whether a document with these columns says of each row which week it is of."""
    return "weekStartDate" in names


def rows_by_kind(documents: Iterable[bytes]) -> RowsByKind:
    """The rows of one week: symbol, MPID, CRD number, shares and trades; not their dates and names.

    Raises:
        SourceDataError: a document is no FINRA data.
    """
    found: dict[str, set[int]] = {kind: set() for kind in FIRM_TYPES}
    for document in documents:
        for table in read_tables(document):
            for kind, row in zip(summary_types(table), _rows(table), strict=True):
                if kind in found:
                    found[kind].add(row)
    return {kind: frozenset(rows) for kind, rows in found.items()}


def find_copy(rows: RowsByKind, other: RowsByKind) -> Copy | None:
    """The half of a week that is another week's, None where the two differ as weeks do."""
    for kind, own in rows.items():
        shared = len(own & other.get(kind, frozenset()))
        if len(own) >= MIN_ROWS and shared >= COPIED_SHARE * len(own):
            return Copy(kind, len(own), shared)
    return None


def _rows(table: Table) -> Iterable[int]:
    crds = ("" if crd in NO_CRD else crd for crd in table.values("firmCRDNumber"))
    shares = map(_plain_number, table.values("totalWeeklyShareQuantity"))
    symbols, mpids, trades = map(table.values, ("issueSymbolIdentifier", "MPID", "totalWeeklyTradeCount"))
    return map(hash, zip(symbols, mpids, crds, shares, trades, strict=True))


def _plain_number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
