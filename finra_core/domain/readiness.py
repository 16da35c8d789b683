"""Whether a week is ready to trade on, and if not, why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from attrs import frozen

from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.tiers import TIERS, Tier

TRADING = "trading"


@frozen(kw_only=True)
class TierState:
    """How far a partition has come: its newest capture, and the newest one with records.

    rejected_rows: of the newest capture with records. analyzed: that capture has current analytics.
    """

    newest: Capture
    normalized: Capture | None
    rejected_rows: int
    analyzed: bool


@frozen(kw_only=True)
class WeekState:
    """All that readiness depends on. `tiers` has the tiers with a capture.

    cross_tier_analyzed: the newest analytics over all tiers rest on the newest normalized capture of each.
    """

    week_ending: date
    tiers: Mapping[Tier, TierState]
    cross_tier_analyzed: bool
    open_criticals: int

    def cross_tier_inputs(self) -> tuple[Capture, ...] | None:
        """The newest normalized capture of each tier, in tier order; None while one is missing."""
        found = [self.tiers[tier].normalized for tier in TIERS if tier in self.tiers]
        captures = tuple(capture for capture in found if capture is not None)
        return captures if len(captures) == len(TIERS) else None


@frozen(kw_only=True)
class Readiness:
    """The judgment on one week. It is ready when all criteria hold; blocking_issues says which do not."""

    week_ending: date
    ready_for: str
    is_ready: bool
    all_partitions_present: bool
    all_stages_complete: bool
    no_critical_anomalies: bool
    no_rejected_rows: bool
    blocking_issues: tuple[str, ...]


def evaluate_readiness(state: WeekState, on: date) -> Readiness:
    """Judge a week as of the day `on`."""
    missing = [_absence(Partition(state.week_ending, tier), on) for tier in TIERS if tier not in state.tiers]
    incomplete = _incomplete_stages(state)
    rejected = [
        f"{tier}: {tier_state.rejected_rows:,} rows rejected in {tier_state.normalized}"
        for tier, tier_state in _in_order(state)
        if tier_state.rejected_rows
    ]
    criticals = [f"{state.open_criticals} unresolved CRITICAL anomalies"] if state.open_criticals else []
    issues = (*missing, *incomplete, *rejected, *criticals)
    return Readiness(
        week_ending=state.week_ending,
        ready_for=TRADING,
        is_ready=not issues,
        all_partitions_present=not missing,
        all_stages_complete=not missing and not incomplete,
        no_critical_anomalies=not criticals,
        no_rejected_rows=not rejected,
        blocking_issues=issues,
    )


def _absence(partition: Partition, on: date) -> str:
    due = publication_date(partition)
    if on < due:
        return f"Waiting for tier: {partition.tier}, due {due}"
    return f"Missing tier: {partition.tier}"


def _incomplete_stages(state: WeekState) -> list[str]:
    issues = []
    for tier, tier_state in _in_order(state):
        if tier_state.normalized is None or tier_state.normalized.number != tier_state.newest.number:
            issues.append(f"{tier}: {tier_state.newest} is not normalized")
        elif not tier_state.analyzed:
            issues.append(f"{tier}: {tier_state.newest} is not analyzed")
    if not issues and state.cross_tier_inputs() and not state.cross_tier_analyzed:
        issues.append("the analytics across tiers do not rest on the newest captures")
    return issues


def _in_order(state: WeekState) -> list[tuple[Tier, TierState]]:
    return [(tier, state.tiers[tier]) for tier in TIERS if tier in state.tiers]
