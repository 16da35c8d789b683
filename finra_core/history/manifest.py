"""What the manifest says of each stage that a capture has passed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.scopes import Scope
from finra_core.ports.audit import Fact, StageRow
from finra_core.ports.store import RowCounts


def raw_facts(capture: Capture) -> dict[str, Fact]:
    """What the RAW row says besides."""
    return {
        "source_last_updated": capture.version.last_update_date.isoformat() if capture.version else None,
        "source_row_count": capture.version.row_count if capture.version else None,
        "source_url": capture.source_url,
        "content_hash": capture.content_hash,
        "file_size_bytes": capture.size_bytes,
        "revision": capture.revision,
        "reason": capture.reason,
        "run_id": capture.run_id,
    }


def normalized_facts(rejected_rows: int, counts: RowCounts) -> dict[str, Fact]:
    """What the NORMALIZED row says besides."""
    return {
        "rejected_rows": rejected_rows,
        "rows_added": counts.added,
        "rows_withdrawn": counts.withdrawn,
        "rows_unchanged": counts.unchanged,
    }


def analyzed_facts(analysis: Analysis) -> dict[str, Fact]:
    """What the CALC row says besides."""
    return {"inputs": list(analysis.inputs), "calc_version": analysis.calc_version}


def expected_rows(
    captures: Iterable[Capture], analyses: Iterable[Analysis], counts: Mapping[int, RowCounts]
) -> Iterator[StageRow]:
    """The rows that a manifest has to have. counts: of each capture with records, by number."""
    for capture in captures:
        subject = _subject(Scope.partition(capture.partition))
        yield StageRow(
            domain=DOMAIN,
            subject=subject,
            stage=Stage.RAW.value,
            capture_id=capture.capture_id,
            revision=capture.revision,
            row_count=capture.row_count,
            captured_at=capture.captured_at,
            metadata=raw_facts(capture),
        )
        if capture.normalized_at is not None:
            own = counts.get(capture.number, RowCounts(0, 0, 0))
            yield StageRow(
                domain=DOMAIN,
                subject=subject,
                stage=Stage.NORMALIZED.value,
                capture_id=capture.capture_id,
                revision=capture.revision,
                row_count=sum(half.rows for half in capture.coverage),
                captured_at=capture.normalized_at,
                metadata=normalized_facts(capture.rejected_rows or 0, own),
            )
    for analysis in analyses:
        yield StageRow(
            domain=DOMAIN,
            subject=_subject(Scope(analysis.week_ending, analysis.tier)),
            stage=Stage.CALC.value,
            capture_id=analysis.capture_id,
            revision=analysis.revision,
            row_count=len(analysis.volumes.venues),
            captured_at=analysis.computed_at,
            metadata=analyzed_facts(analysis),
        )


def _subject(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = json.loads(scope.key)
    return found
