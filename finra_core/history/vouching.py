"""What the chain calls each thing that is stored, and the digest of all that it consists of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from finra_core.domain.analytics import Analysis, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord
from finra_core.domain.captures import Capture
from finra_core.domain.chain import Vouched, canonical_json, digest
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.readiness import Judgment
from finra_core.domain.retention import Pin, PruneRecord, RemovedCapture
from finra_core.domain.timestamps import utc_text
from finra_core.ports.store import DecisionRecord, RunRecord

CAPTURE, ANALYSIS = "capture", "analysis"
"""What was removed: the first word of its name."""

# Fields are named one by one where an object has more than the entry is about. All of the others count as a whole.


def of_capture(capture: Capture, documents_hash: str) -> Vouched:
    """All that never changes of a capture, and the hash of its documents."""
    facts = {
        "capture_id": capture.capture_id,
        "captured_at": capture.captured_at,
        "content_hash": capture.content_hash,
        "documents_hash": documents_hash,
        "number": capture.number,
        "reason": capture.reason,
        "revision": capture.revision,
        "row_count": capture.row_count,
        "run_id": capture.run_id,
        "size_bytes": capture.size_bytes,
        "source_last_updated": capture.version.last_update_date if capture.version else None,
        "source_row_count": capture.version.row_count if capture.version else None,
        "source_url": capture.source_url,
        "tier": capture.partition.tier,
        "week_ending": capture.partition.week_ending,
    }
    return Vouched(str(capture.number), digest(facts))


def of_check(capture: Capture) -> Vouched:
    """When a capture was verified and checked."""
    facts = {"checked_at": capture.checked_at, "number": capture.number, "verified_at": capture.verified_at}
    return Vouched(str(capture.number), digest(facts))


def of_records(number: int, rejected_rows: int, coverage: Sequence[HalfCoverage], at: datetime) -> Vouched:
    """When a capture got its records, how many rows were rejected, and what the records cover."""
    halves = {half.half.value: [half.rows, half.venues, half.symbols, str(half.shares_micros)] for half in coverage}
    facts = {"coverage": halves, "normalized_at": at, "number": number, "rejected_rows": rejected_rows}
    return Vouched(str(number), digest(facts))


def of_analysis(analysis: Analysis) -> Vouched:
    """An analysis without its volumes, which follow from the records."""
    inputs = " ".join(map(str, analysis.inputs))
    facts = {
        "calc_version": analysis.calc_version,
        "capture_id": analysis.capture_id,
        "computed_at": analysis.computed_at,
        "hhi": analysis.hhi,
        "hhi_upper": analysis.hhi_upper,
        "inputs": inputs,
        "revision": analysis.revision,
        "shares_micros": str(analysis.shares_micros),
        "tier": analysis.tier,
        "trades": str(analysis.trades),
        "week_ending": analysis.week_ending,
    }
    return Vouched(name_of(analysis.key), digest(facts))


def of_judgment(judgment: Judgment) -> Vouched:
    """A judgment."""
    readiness = judgment.readiness
    return Vouched(f"{readiness.week_ending} {readiness.ready_for}", digest(judgment))


def of_anomaly(record: AnomalyRecord) -> Vouched:
    """An anomaly as it stands."""
    return Vouched(record.fingerprint, digest(record))


def words_of(record: AnomalyRecord) -> Vouched | None:
    """A person's words about an anomaly, which outlive its next change; None where nobody acknowledged it."""
    given = record.acknowledged
    if given is None:
        return None
    words = {"at": utc_text(given.at), "reason": given.reason, "until": given.until and given.until.isoformat()}
    return Vouched(record.fingerprint, canonical_json(words).decode())


def of_decision(record: DecisionRecord) -> Vouched:
    """A decision."""
    return Vouched(f"{record.partition.week_ending} {record.partition.tier} {record.run_id}", digest(record))


def of_prune(record: PruneRecord) -> Vouched:
    """The record of what was removed from a partition."""
    return Vouched(f"{record.partition.week_ending} {record.partition.tier} {record.before}", digest(record))


def of_pin(pin: Pin) -> Vouched:
    """A pin."""
    return Vouched(_pinned(pin), digest(pin))


def of_removed_pin(pin: Pin) -> Vouched:
    """That a capture is no longer pinned."""
    return Vouched(_pinned(pin), "")


def _pinned(pin: Pin) -> str:
    return f"{pin.partition.week_ending} {pin.partition.tier} {pin.capture_id} r{pin.revision}"


def of_removals(captures: Sequence[Capture], analyses: Sequence[AnalysisKey]) -> list[Vouched]:
    """Captures that were removed, by their numbers, and the analytics that rested on them; with a digest of each."""
    numbers = {capture.number for capture in captures}
    return [
        *(Vouched(f"{CAPTURE} {capture.number}", digest(RemovedCapture.of(capture))) for capture in captures),
        *(Vouched(f"{ANALYSIS} {name_of(key)}", "") for key in analyses if not numbers.isdisjoint(key.inputs)),
    ]


def name_of(key: AnalysisKey) -> str:
    """What the chain calls analytics."""
    return f"{key.week_ending} {key.tier} {' '.join(map(str, key.inputs))} v{key.calc_version}"


def of_run(run: RunRecord) -> list[Vouched]:
    """A run that has ended. One that has not is not vouched for: it is going to change."""
    return [] if run.finished_at is None else [Vouched(run.run_id, digest(run))]
