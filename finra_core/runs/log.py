"""The run's log: an observer that says in words what happens, through the standard logging module."""

from __future__ import annotations

import json
import logging
from functools import singledispatchmethod

from finra_core.domain.anomalies import Severity
from finra_core.domain.readiness import Readiness
from finra_core.domain.revision import Action, Decision, Rule
from finra_core.ports.observer import (
    AnalysisStored,
    AnomalyFound,
    CaptureStored,
    Decided,
    Event,
    FetchStarted,
    Phase,
    PhaseStarted,
    RecordsStored,
    Skipped,
    SourceFailed,
    StepFailed,
    TransactionRetried,
    WeekJudged,
    WeeksTargeted,
)

log = logging.getLogger("finra_core.run")

_HEADINGS = {
    Phase.INGESTION: "Phase 1: Ingestion",
    Phase.NORMALIZATION: "Phase 2: Normalization",
    Phase.ANALYTICS: "Phase 3: Analytics",
    Phase.READINESS: "Readiness Evaluation:",
}
_LEVELS = {
    Severity.CRITICAL: logging.CRITICAL,
    Severity.ERROR: logging.ERROR,
    Severity.WARN: logging.WARNING,
    Severity.INFO: logging.INFO,
}


class RunLog:
    """Says each event in the design document's words; what nobody acts on is said at DEBUG."""

    @singledispatchmethod
    def on_event(self, event: Event) -> None:
        """Say what happened, if it is worth a line."""

    @on_event.register
    def _(self, event: WeeksTargeted) -> None:
        log.info("Target weeks: %s", ", ".join(map(str, event.weeks)) or "none")
        if not event.weeks:
            log.warning("Nothing to look at: the source lists no partition of the tiers asked for")

    @on_event.register
    def _(self, event: PhaseStarted) -> None:
        if event.phase in _HEADINGS:
            log.info("%s", _HEADINGS[event.phase])

    @on_event.register
    def _(self, event: SourceFailed) -> None:
        log.error("%s", event.message)

    @on_event.register
    def _(self, event: FetchStarted) -> None:
        log.info("  %s: Fetching from %s...", event.partition, event.source)

    @on_event.register
    def _(self, event: Decided) -> None:
        if _is_finding(event.decision):
            return  # in the same words
        ending = ", skipping" if _is_skipped(event.decision) else ""
        log.info("  %s: %s%s", event.partition, event.reason, ending)

    @on_event.register
    def _(self, event: CaptureStored) -> None:
        capture = event.capture
        log.info("  %s: Revision needed (%s)", capture.partition, event.reason)
        rows = f"{capture.row_count:,}"
        log.info("  %s: ✓ Ingested %s rows (capture: %s)", capture.partition, rows, capture.capture_id)

    @on_event.register
    def _(self, event: RecordsStored) -> None:
        log.info("  %s: ✓ Normalized %s rows", event.capture.partition, f"{event.rows:,}")
        log.debug("  %s: %s", event.capture.partition, event.counts)

    @on_event.register
    def _(self, event: AnalysisStored) -> None:
        made = event.analysis
        where = f"{made.week_ending} / {made.tier}"
        log.info("  %s: ✓ Computed venue_volume (%d venues)", where, made.volumes.venue_count)
        shares = sum(share or 0.0 for share in made.venue_shares)
        log.info("  %s: ✓ Computed venue_share (sum=%.1f)", where, shares)
        if made.hhi is not None:
            log.info("  %s: ✓ Computed HHI (%s: %.3f)", made.week_ending, made.tier, made.hhi)

    @on_event.register
    def _(self, event: AnomalyFound) -> None:
        anomaly = event.anomaly
        if anomaly.severity is Severity.INFO:
            return  # the audit trail of what was decided, which has its line
        if event.told:
            log.debug("  %s: %s", anomaly.scope, anomaly.message)
            return
        where = "" if anomaly.scope.place else f"  {anomaly.scope}: "  # a place's message names it
        log.log(_LEVELS[anomaly.severity], "%s%s", where, anomaly.message)
        if anomaly.severity is Severity.ERROR and event.recorded:
            log.error("  Anomaly recorded: %s", anomaly.category)

    @on_event.register
    def _(self, event: StepFailed) -> None:
        log.debug("  %s: failed", event.partition, exc_info=event.error)

    @on_event.register
    def _(self, event: TransactionRetried) -> None:
        log.info("  %s; doing it again", event.message)

    @on_event.register
    def _(self, event: Skipped) -> None:
        log.info("  %s", event.message)

    @on_event.register
    def _(self, event: WeekJudged) -> None:
        _say_readiness(event.readiness, unchanged=event.unchanged)


def _is_skipped(decision: Decision) -> bool:
    return decision.action is Action.SKIP and decision.rule is not Rule.NO_LONGER_OFFERED


def _is_finding(decision: Decision) -> bool:
    """Whether it is an anomaly above INFO, which is told of too."""
    return decision.action is Action.FAIL or decision.rule is Rule.LATE


def _say_readiness(readiness: Readiness, *, unchanged: bool) -> None:
    if readiness.is_ready:
        text = "✓ Already ready (no changes)" if unchanged else f"✓ Ready for {readiness.ready_for}"
        log.info("  %s: %s", readiness.week_ending, text)
        return
    # A week that only waits for FINRA's calendar is no trouble; anything else is.
    level = logging.INFO if readiness.is_waiting else logging.WARNING
    present = int(readiness.all_partitions_present)
    issues = json.dumps([issue.message for issue in readiness.blocking_issues])
    text = f"NOT READY (all_partitions_present={present}, blocking_issues: {issues})"
    log.log(level, "  %s: %s", readiness.week_ending, text)
