"""What the ledger of runs tells: where FINRA's list began when a run last saw it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from finra_core.domain.tiers import Tier
from finra_core.ports.store import ReadView, RunQuery
from finra_core.runs.report import RunReport

_LOOKED_BACK = 30
"""So many of the latest runs are asked. Runs over files or over weeks by name have not seen FINRA's list."""


def offered_from(view: ReadView) -> Mapping[Tier, date]:
    """By tier, the first week ending of FINRA's list as the latest run saw it; nothing where none of the latest did.

    Raises:
        StoreError: the store failed.
    """
    for run in view.runs(RunQuery(limit=_LOOKED_BACK)):
        report = None if run.report_json is None else RunReport.from_json(run.report_json)
        if report is not None and report.sweep is not None and report.sweep.offered_from:
            return report.sweep.offered_from
    return {}
