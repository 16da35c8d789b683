"""FINRA's weekly OTC transparency data, every version of it, and which weeks are ready to trade on."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finra_core.domain.analytics import Analysis, AnalysisKey, VenueVolume, Volumes
    from finra_core.domain.anomalies import Acknowledgment, Anomaly, AnomalyRecord, Category, Check, Severity, Stage
    from finra_core.domain.captures import Capture, NewCapture, SourceVersion, generate_capture_id, parse_capture_id
    from finra_core.domain.chain import ChainEntry
    from finra_core.domain.changes import ChangeKind, RowChange
    from finra_core.domain.completeness import CoverageBounds, Measure
    from finra_core.domain.coverage import HalfCoverage
    from finra_core.domain.errors import (
        ConfigurationError,
        FinraError,
        PartitionLockedError,
        PlanDriftError,
        SourceBudgetError,
        SourceDataError,
        SourceError,
        SourceRejectedError,
        SourceUnavailableError,
        StoreError,
        StoreInterruptedError,
        StoreLockedError,
        StoreSchemaError,
        StoreUnavailableError,
        WorkersLostError,
    )
    from finra_core.domain.failures import ExitCode
    from finra_core.domain.partitions import DOMAIN, Partition
    from finra_core.domain.policies import COMPLIANCE, TRADING, Criterion, Policy
    from finra_core.domain.readiness import BlockingIssue, IssueKind, Judgment, Readiness
    from finra_core.domain.records import MICROS, Record, Records, Security, Venue
    from finra_core.domain.retention import Pin, PruneRecord
    from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
    from finra_core.domain.scopes import Scope
    from finra_core.domain.tiers import TIERS, Half, Tier, VenueType
    from finra_core.domain.weeks import calculate_target_weeks
    from finra_core.history.asof import AsOf, analyses_as_of, as_of, judgments_as_of, nth_release, releases
    from finra_core.history.checkpoint import Checkpoint, take_checkpoint
    from finra_core.history.checks import check_stage_ready, check_tier_completeness, evaluate_readiness, record_anomaly
    from finra_core.history.choosing import choose, last_two
    from finra_core.history.diff import Diff, diff
    from finra_core.history.doctor import Examination, examine
    from finra_core.history.explain import Explanation, explain
    from finra_core.history.impact import Impact, impact
    from finra_core.history.prune import PartitionPrune, plan_prune
    from finra_core.history.restatements import Ledger, Restatement, ledger, restatements
    from finra_core.history.source_time import Published, published_by
    from finra_core.history.status import Status, status
    from finra_core.history.verify import Verification, VerifyRequest, verify
    from finra_core.history.vintages import parse_when
    from finra_core.ports.audit import StoreAudit
    from finra_core.ports.observer import Event, Observer
    from finra_core.ports.source import Listing, Source, SourceInfo, SourceKind, Usage
    from finra_core.ports.store import (
        AnomalyQuery,
        CaptureQuery,
        DecisionQuery,
        DecisionRecord,
        JudgmentQuery,
        Lock,
        ReadView,
        RestatementQuery,
        RowCounts,
        RunQuery,
        RunRecord,
        SchemaAdmin,
        Store,
        UnitOfWork,
    )
    from finra_core.registry import open_executor, open_schema, open_source, open_store
    from finra_core.runs.acknowledge import acknowledge
    from finra_core.runs.plan import Plan, PlannedPartition
    from finra_core.runs.prune import pin, prune, remove_pin
    from finra_core.runs.report import Outcome, PartitionReport, RunReport
    from finra_core.runs.request import Mode, Order, RunRequest, Window
    from finra_core.runs.scheduler import Scheduler
    from finra_core.runs.serialization import from_json, to_json
    from finra_core.weekly_summary.delimited import Reject
    from finra_core.weekly_summary.payload import Payload, compute_content_hash

__version__ = "0.1.0"

__all__ = [
    "COMPLIANCE",
    "DOMAIN",
    "MICROS",
    "TIERS",
    "TRADING",
    "Acknowledgment",
    "Action",
    "Analysis",
    "AnalysisKey",
    "Anomaly",
    "AnomalyQuery",
    "AnomalyRecord",
    "AsOf",
    "BlockingIssue",
    "Capture",
    "CaptureQuery",
    "CaptureRef",
    "Category",
    "ChainEntry",
    "ChangeKind",
    "Check",
    "Checkpoint",
    "ConfigurationError",
    "CoverageBounds",
    "Criterion",
    "Decision",
    "DecisionQuery",
    "DecisionRecord",
    "Diff",
    "Event",
    "Evidence",
    "Examination",
    "ExitCode",
    "Explanation",
    "FinraError",
    "Half",
    "HalfCoverage",
    "Impact",
    "IssueKind",
    "Judgment",
    "JudgmentQuery",
    "Ledger",
    "Listing",
    "Lock",
    "Measure",
    "Mode",
    "NewCapture",
    "Observer",
    "Order",
    "Outcome",
    "Partition",
    "PartitionLockedError",
    "PartitionPrune",
    "PartitionReport",
    "Payload",
    "Pin",
    "Plan",
    "PlanDriftError",
    "PlannedPartition",
    "Policy",
    "PruneRecord",
    "Published",
    "ReadView",
    "Readiness",
    "Record",
    "Records",
    "Reject",
    "Restatement",
    "RestatementQuery",
    "RowChange",
    "RowCounts",
    "Rule",
    "RunQuery",
    "RunRecord",
    "RunReport",
    "RunRequest",
    "Scheduler",
    "SchemaAdmin",
    "Scope",
    "Security",
    "Severity",
    "Source",
    "SourceBudgetError",
    "SourceDataError",
    "SourceError",
    "SourceInfo",
    "SourceKind",
    "SourceRejectedError",
    "SourceUnavailableError",
    "SourceVersion",
    "Stage",
    "Status",
    "Store",
    "StoreAudit",
    "StoreError",
    "StoreInterruptedError",
    "StoreLockedError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "Tier",
    "UnitOfWork",
    "Usage",
    "Venue",
    "VenueType",
    "VenueVolume",
    "Verification",
    "VerifyRequest",
    "Volumes",
    "Window",
    "WorkersLostError",
    "acknowledge",
    "analyses_as_of",
    "as_of",
    "calculate_target_weeks",
    "check_stage_ready",
    "check_tier_completeness",
    "choose",
    "compute_content_hash",
    "diff",
    "evaluate_readiness",
    "examine",
    "explain",
    "from_json",
    "generate_capture_id",
    "impact",
    "judgments_as_of",
    "last_two",
    "ledger",
    "nth_release",
    "open_executor",
    "open_schema",
    "open_source",
    "open_store",
    "parse_capture_id",
    "parse_when",
    "pin",
    "plan_prune",
    "prune",
    "published_by",
    "record_anomaly",
    "releases",
    "remove_pin",
    "restatements",
    "status",
    "take_checkpoint",
    "to_json",
    "verify",
]

_MODULES = {
    "domain.analytics": (
        "Analysis",
        "AnalysisKey",
        "VenueVolume",
        "Volumes",
    ),
    "domain.anomalies": (
        "Acknowledgment",
        "Anomaly",
        "AnomalyRecord",
        "Category",
        "Check",
        "Severity",
        "Stage",
    ),
    "domain.captures": (
        "Capture",
        "NewCapture",
        "SourceVersion",
        "generate_capture_id",
        "parse_capture_id",
    ),
    "domain.chain": ("ChainEntry",),
    "domain.changes": (
        "ChangeKind",
        "RowChange",
    ),
    "domain.completeness": (
        "CoverageBounds",
        "Measure",
    ),
    "domain.coverage": ("HalfCoverage",),
    "domain.errors": (
        "ConfigurationError",
        "FinraError",
        "PartitionLockedError",
        "PlanDriftError",
        "SourceBudgetError",
        "SourceDataError",
        "SourceError",
        "SourceRejectedError",
        "SourceUnavailableError",
        "StoreError",
        "StoreInterruptedError",
        "StoreLockedError",
        "StoreSchemaError",
        "StoreUnavailableError",
        "WorkersLostError",
    ),
    "domain.failures": ("ExitCode",),
    "domain.partitions": (
        "DOMAIN",
        "Partition",
    ),
    "domain.policies": (
        "COMPLIANCE",
        "Criterion",
        "Policy",
        "TRADING",
    ),
    "domain.readiness": (
        "BlockingIssue",
        "IssueKind",
        "Judgment",
        "Readiness",
    ),
    "domain.records": (
        "MICROS",
        "Record",
        "Records",
        "Security",
        "Venue",
    ),
    "domain.retention": (
        "Pin",
        "PruneRecord",
    ),
    "domain.revision": (
        "Action",
        "CaptureRef",
        "Decision",
        "Evidence",
        "Rule",
    ),
    "domain.scopes": ("Scope",),
    "domain.tiers": (
        "Half",
        "TIERS",
        "Tier",
        "VenueType",
    ),
    "domain.weeks": ("calculate_target_weeks",),
    "history.asof": (
        "AsOf",
        "analyses_as_of",
        "as_of",
        "judgments_as_of",
        "nth_release",
        "releases",
    ),
    "history.checkpoint": (
        "Checkpoint",
        "take_checkpoint",
    ),
    "history.checks": (
        "check_stage_ready",
        "check_tier_completeness",
        "evaluate_readiness",
        "record_anomaly",
    ),
    "history.choosing": (
        "choose",
        "last_two",
    ),
    "history.diff": (
        "Diff",
        "diff",
    ),
    "history.doctor": (
        "Examination",
        "examine",
    ),
    "history.explain": (
        "Explanation",
        "explain",
    ),
    "history.impact": (
        "Impact",
        "impact",
    ),
    "history.prune": (
        "PartitionPrune",
        "plan_prune",
    ),
    "history.restatements": (
        "Ledger",
        "Restatement",
        "ledger",
        "restatements",
    ),
    "history.source_time": (
        "Published",
        "published_by",
    ),
    "history.status": (
        "Status",
        "status",
    ),
    "history.verify": (
        "Verification",
        "VerifyRequest",
        "verify",
    ),
    "history.vintages": ("parse_when",),
    "ports.audit": ("StoreAudit",),
    "ports.observer": (
        "Event",
        "Observer",
    ),
    "ports.source": (
        "Listing",
        "Source",
        "SourceInfo",
        "SourceKind",
        "Usage",
    ),
    "ports.store": (
        "AnomalyQuery",
        "CaptureQuery",
        "DecisionQuery",
        "DecisionRecord",
        "JudgmentQuery",
        "Lock",
        "ReadView",
        "RestatementQuery",
        "RowCounts",
        "RunQuery",
        "RunRecord",
        "SchemaAdmin",
        "Store",
        "UnitOfWork",
    ),
    "registry": (
        "open_executor",
        "open_schema",
        "open_source",
        "open_store",
    ),
    "runs.acknowledge": ("acknowledge",),
    "runs.plan": (
        "Plan",
        "PlannedPartition",
    ),
    "runs.prune": (
        "pin",
        "prune",
        "remove_pin",
    ),
    "runs.report": (
        "Outcome",
        "PartitionReport",
        "RunReport",
    ),
    "runs.request": (
        "Mode",
        "Order",
        "RunRequest",
        "Window",
    ),
    "runs.scheduler": ("Scheduler",),
    "runs.serialization": (
        "from_json",
        "to_json",
    ),
    "weekly_summary.delimited": ("Reject",),
    "weekly_summary.payload": (
        "Payload",
        "compute_content_hash",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:  # to a type checker it would make any name at all one of ours

    def __getattr__(name: str) -> object:
        # A module is imported when a name of it is first asked for; all of them take five times what `--help` does.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
