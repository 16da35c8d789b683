"""Decisions as commands show them: the rule, and the evidence for it in words."""

from __future__ import annotations

from finra_core.domain.revision import Evidence

_SHOWN = 8


def evidence_text(evidence: Evidence) -> str:
    """What a decision rests on, in one line; empty where that is nothing."""
    latest, content = evidence.latest, evidence.content_hash
    parts = [
        latest and f"stored: {latest}{f', version {latest.version}' if latest.version else ''}",
        evidence.version and f"source: version {evidence.version}",
        content and f"content {content[:_SHOWN]}",
        evidence.due and f"due {evidence.due}",
        evidence.offered_from and f"{evidence.offered_in or 'the list'} begins {evidence.offered_from}",
    ]
    return "; ".join(part for part in parts if part)
