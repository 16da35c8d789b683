"""The run's log: an observer that says in words what happens, through the standard logging module."""

from __future__ import annotations

import json
import logging
from functools import singledispatchmethod
from typing import TypeAlias

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import Severity, Stage
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.domain.revision import Action, Decision, Rule
from finra_core.domain.scopes import Scope
from finra_core.ports.observer import (
    AnalysisStored,
    AnomalyFound,
    CaptureStored,
    Decided,
    Event,
    FetchStarted,
    OlderWeeksSwept,
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


_About: TypeAlias = "logging.LoggerAdapter[logging.Logger]"

_STAGES: dict[type[Event], Stage] = {
    FetchStarted: Stage.RAW,
    Decided: Stage.RAW,
    CaptureStored: Stage.RAW,
    RecordsStored: Stage.NORMALIZED,
    AnalysisStored: Stage.CALC,
}


def facts(event: Event) -> dict[str, str | float]:
    """What an event is about: run_id, and where it has them week_ending, tier, stage, capture_id, and duration in s."""
    stage = getattr(event, "stage", None) or _STAGES.get(type(event))
    found: dict[str, str | float | None] = {"run_id": event.run_id, "stage": stage.value if stage else None}
    if isinstance(event, CaptureStored | RecordsStored):
        found |= {**_where(event.capture.partition), "capture_id": event.capture.capture_id}
    elif isinstance(event, FetchStarted | Decided | StepFailed):
        found |= _where(event.partition)
    elif isinstance(event, AnalysisStored):
        found |= {**_where(event.analysis), "capture_id": event.analysis.capture_id}
    elif isinstance(event, AnomalyFound):
        found |= {**_where(event.anomaly.scope), "stage": event.anomaly.stage.value}
    elif isinstance(event, WeekJudged):
        found |= {"week_ending": event.readiness.week_ending.isoformat()}
    found["duration"] = getattr(event, "seconds", None)
    return {name: value for name, value in found.items() if value is not None}


def _where(subject: Partition | Analysis | Scope) -> dict[str, str | None]:
    week = subject.week_ending
    return {"week_ending": week.isoformat() if week else None, "tier": str(subject.tier) if subject.tier else None}


def _about(event: Event) -> _About:
    return logging.LoggerAdapter(log, facts(event))


class RunLog:
    """Logs events in the design document's words: one line for each partition and each week, the details at DEBUG.

    The attributes of each record say what it is about, as `facts` does.
    """

    @singledispatchmethod
    def on_event(self, event: Event) -> None:
        """Say what happened, if it is worth a line."""

    @on_event.register
    def _(self, event: WeeksTargeted) -> None:
        _about(event).info("Target weeks: %s", ", ".join(map(str, event.weeks)) or "none")
        if not event.weeks:
            _about(event).warning("Nothing to look at: the source lists no partition of the tiers asked for")

    @on_event.register
    def _(self, event: OlderWeeksSwept) -> None:
        if event.older:
            told = f"{event.restated} restated" if event.restated is not None else "restatements not told by the source"
            sizes = f"{event.older:,} partitions, {told} since {event.since}, {event.rotated} in rotation"
            _about(event).info("Older weeks: %s", sizes)

    @on_event.register
    def _(self, event: PhaseStarted) -> None:
        if event.phase in _HEADINGS:
            _about(event).info("%s", _HEADINGS[event.phase])

    @on_event.register
    def _(self, event: SourceFailed) -> None:
        _about(event).error("%s", event.message)

    @on_event.register
    def _(self, event: FetchStarted) -> None:
        _about(event).debug("  %s: Fetching from %s...", event.partition, event.source)

    @on_event.register
    def _(self, event: Decided) -> None:
        if _is_finding(event.decision):
            return  # its cause was logged in the same words
        ending = ", skipping" if _is_skipped(event.decision) else ""
        _about(event).info("  %s: %s%s", event.partition, event.reason, ending)

    @on_event.register
    def _(self, event: CaptureStored) -> None:
        capture, about = event.capture, _about(event)
        # A first capture needs no reason.
        level = logging.DEBUG if event.decision.rule is Rule.FIRST_CAPTURE else logging.INFO
        about.log(level, "  %s: Revision needed (%s)", capture.partition, event.reason)
        rows = f"{capture.row_count:,}"
        about.info("  %s: ✓ Ingested %s rows (capture: %s)", capture.partition, rows, capture.capture_id)

    @on_event.register
    def _(self, event: RecordsStored) -> None:
        _about(event).debug("  %s: ✓ Normalized %s rows", event.capture.partition, f"{event.rows:,}")
        _about(event).debug("  %s: %s", event.capture.partition, event.counts)

    @on_event.register
    def _(self, event: AnalysisStored) -> None:
        made, about = event.analysis, _about(event)
        where = f"{made.week_ending} / {made.tier}"
        about.debug("  %s: ✓ Computed venue_volume (%d venues)", where, made.volumes.venue_count)
        shares = sum(share or 0.0 for share in made.venue_shares)
        about.debug("  %s: ✓ Computed venue_share (sum=%.1f)", where, shares)
        if made.hhi is not None:
            about.debug("  %s: ✓ Computed HHI (%s: %.3f)", made.week_ending, made.tier, made.hhi)

    @on_event.register
    def _(self, event: AnomalyFound) -> None:
        anomaly = event.anomaly
        if anomaly.severity is Severity.INFO:
            return  # that a partition was skipped has its own line
        if event.told:
            _about(event).debug("  %s: %s", anomaly.scope, anomaly.message)
            return
        where = "" if anomaly.scope.place else f"  {anomaly.scope}: "  # the message of such an anomaly names the place
        _about(event).log(_LEVELS[anomaly.severity], "%s%s", where, anomaly.message)
        if anomaly.severity is Severity.ERROR and event.recorded:
            _about(event).error("  Anomaly recorded: %s", anomaly.category)

    @on_event.register
    def _(self, event: StepFailed) -> None:
        _about(event).debug("  %s: failed", event.partition, exc_info=event.error)

    @on_event.register
    def _(self, event: TransactionRetried) -> None:
        _about(event).info("  %s; doing it again", event.message)

    @on_event.register
    def _(self, event: Skipped) -> None:
        _about(event).info("  %s", event.message)

    @on_event.register
    def _(self, event: WeekJudged) -> None:
        _say_readiness(_about(event), event.readiness, unchanged=event.unchanged)


def _is_skipped(decision: Decision) -> bool:
    return decision.action is Action.SKIP and decision.rule is not Rule.NO_LONGER_OFFERED


def _is_finding(decision: Decision) -> bool:
    """Whether the decision is also an anomaly above INFO, which has its own line."""
    return decision.action is Action.FAIL or decision.rule is Rule.LATE


def _say_readiness(about: _About, readiness: Readiness, *, unchanged: bool) -> None:
    if readiness.is_ready:
        text = "✓ Already ready (no changes)" if unchanged else f"✓ Ready for {readiness.ready_for}"
        about.info("  %s: %s", readiness.week_ending, text)
        return
    # A week that only waits for FINRA's publication day is in order. Anything else is not.
    level = logging.INFO if readiness.is_waiting else logging.WARNING
    present = int(readiness.all_partitions_present)
    issues = json.dumps([issue.message for issue in readiness.blocking_issues])
    text = f"NOT READY (all_partitions_present={present}, blocking_issues: {issues})"
    about.log(level, "  %s: %s", readiness.week_ending, text)
