"""What `finra explain` shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from attrs import frozen

from finra_cli.output import Page, Tone, count, minute
from finra_cli.paragraphs import paragraph
from finra_cli.presenters.anomalies import AnomalyRow, anomalies_of
from finra_cli.presenters.decisions import evidence_text
from finra_cli.presenters.readiness import JudgmentRow, judgments_of
from finra_core.domain.anomalies import Severity, Stage
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.readiness import Readiness
from finra_core.domain.records import MICROS
from finra_core.domain.revision import Action, Evidence, Rule
from finra_core.domain.tiers import Half, Tier
from finra_core.history.explain import DecisionSpan, Explanation, Next, Publication, StageState


@frozen(kw_only=True)
class SpanRow:
    """Successive decisions that are equal, evidence included. count: how many. run_ids: latest first."""

    action: Action
    rule: Rule
    reason: str
    evidence: Evidence
    count: int
    first_decided_at: datetime
    last_decided_at: datetime
    run_ids: tuple[str, ...]


@frozen(kw_only=True)
class HalfRow:
    """What a capture has of one half of its tier. shares: an exact decimal number, as text."""

    half: Half
    rows: int
    venues: int
    symbols: int
    shares: str


@frozen(kw_only=True)
class ExplainedCapture:
    """A capture. stages: those that it has completed. rejected_rows: null, and coverage empty, while it has no records.

    verified_at: when its content was last found at the source. checked_at: when the source was last seen to have it.
    """

    capture_id: str
    revision: int
    captured_at: datetime
    rows: int
    source_version: str | None
    content_hash: str
    reason: str
    run_id: str
    verified_at: datetime
    checked_at: datetime
    normalized_at: datetime | None
    stages: tuple[Stage, ...]
    rejected_rows: int | None
    coverage: tuple[HalfRow, ...]


@frozen(kw_only=True)
class Explained:
    """A week of a tier. captures: oldest first. decisions, judgments: latest first. anomalies: latest seen first.

    readiness: of the week as it is now, one for each use. judgments: those that runs stored.
    """

    week_ending: date
    tier: Tier
    publication: Publication
    next: Next
    readiness: tuple[Readiness, ...]
    judgments: tuple[JudgmentRow, ...]
    captures: tuple[ExplainedCapture, ...]
    decisions: tuple[SpanRow, ...]
    anomalies: tuple[AnomalyRow, ...]


def explained(found: Explanation) -> Explained:
    """The document."""
    return Explained(
        week_ending=found.partition.week_ending,
        tier=found.partition.tier,
        publication=found.publication,
        next=found.next,
        readiness=found.readiness,
        judgments=judgments_of(found.judgments).weeks,
        captures=tuple(map(_capture, found.captures)),
        decisions=tuple(map(_span, found.decisions)),
        anomalies=anomalies_of(found.anomalies).anomalies,
    )


def _span(span: DecisionSpan) -> SpanRow:
    return SpanRow(
        action=span.decision.action,
        rule=span.decision.rule,
        reason=span.reason,
        evidence=span.decision.evidence,
        count=span.count,
        first_decided_at=span.first_at,
        last_decided_at=span.last_at,
        run_ids=span.run_ids,
    )


def _capture(state: StageState) -> ExplainedCapture:
    capture = state.capture
    return ExplainedCapture(
        capture_id=capture.capture_id,
        revision=capture.revision,
        captured_at=capture.captured_at,
        rows=capture.row_count,
        source_version=str(capture.version) if capture.version else None,
        content_hash=capture.content_hash,
        reason=capture.reason,
        run_id=capture.run_id,
        verified_at=capture.verified_at,
        checked_at=capture.checked_at,
        normalized_at=capture.normalized_at,
        stages=state.stages,
        rejected_rows=capture.rejected_rows,
        coverage=tuple(map(_half, capture.coverage)),
    )


def _half(half: HalfCoverage) -> HalfRow:
    whole, part = divmod(half.shares_micros, MICROS)
    shares = f"{whole}.{part:06}".rstrip("0").rstrip(".")
    return HalfRow(half=half.half, rows=half.rows, venues=half.venues, symbols=half.symbols, shares=shares)


# The page ---------------------------------------------------------------------------------------------


def explain_page(found: Explained) -> Page:
    """The page, for 80 columns."""
    page = Page()
    page.line(f"{found.week_ending} / {found.tier}", Tone.HEADING)
    _publication(page, found.publication)
    when = "" if found.next.on is None else f", from {found.next.on}"
    paragraph(page, f"Next{when}: {found.next.action}", tone=Tone.WAITING if found.next.on else Tone.GOOD)
    _readiness(page, found)
    _heading(page, f"Captures: {len(found.captures) or 'none'}")
    for capture in reversed(found.captures):
        _show_capture(page, capture)
    _heading(page, f"Decisions: {sum(span.count for span in found.decisions) or 'none'}")
    for span in found.decisions:
        _show_span(page, span)
    _heading(page, f"Anomalies: {len(found.anomalies) or 'none'}")
    for row in found.anomalies:
        _show_anomaly(page, row)
    return page


def _heading(page: Page, text: str) -> None:
    page.line("")
    page.line(text, Tone.HEADING)


def _publication(page: Page, known: Publication) -> None:
    page.line(f"Due {known.due_on}, late after {known.late_after}.")
    if known.absent_at is not None:
        page.line(f"Last found absent {minute(known.absent_at)}.")
    if known.first_at is not None:
        published = "" if known.dated is None else f"; published by {known.dated}, as FINRA dates it"
        page.line(f"First captured {minute(known.first_at)}{published}.")


def _readiness(page: Page, found: Explained) -> None:
    _heading(page, "Readiness of the week")
    for alike in _alike(found.readiness):
        _show_readiness(page, alike[0], ", ".join(each.ready_for for each in alike))
    for readiness in found.readiness:
        judged = [row for row in found.judgments if row.ready_for == readiness.ready_for]
        history = ", ".join(f"{minute(row.judged_at)} {'ready' if row.is_ready else 'not ready'}" for row in judged)
        paragraph(page, f"judged for {readiness.ready_for}: {history or 'by no run yet'}", indent=2, tone=Tone.ASIDE)


def _alike(readiness: Iterable[Readiness]) -> list[list[Readiness]]:
    """Judgments for several uses that say the same, together."""
    found: dict[object, list[Readiness]] = {}
    for each in readiness:
        found.setdefault((each.is_ready, each.ready_on, each.blocking_issues), []).append(each)
    return list(found.values())


def _show_readiness(page: Page, readiness: Readiness, uses: str) -> None:
    waits = f"not before {readiness.ready_on}" if readiness.ready_on else "not ready"
    tone = Tone.GOOD if readiness.is_ready else Tone.WAITING if readiness.ready_on else Tone.BAD
    paragraph(page, f"{uses}: {'ready' if readiness.is_ready else waits}", indent=2, tone=tone)
    for issue in readiness.blocking_issues:
        paragraph(page, f"{issue.message}: {issue.action}", indent=4)


def _show_capture(page: Page, capture: ExplainedCapture) -> None:
    revision = f" r{capture.revision}" if capture.revision > 1 else ""
    page.line(f"  {capture.capture_id}{revision}")
    version = f", version {capture.source_version}" if capture.source_version else ""
    content = f"content {capture.content_hash[:8]}"
    rows = count(capture.rows, "row")
    paragraph(page, f"{minute(capture.captured_at)}: {rows}{version}, {content}; {capture.reason}", indent=4)
    rejected = f"; {count(capture.rejected_rows, 'row')} rejected" if capture.rejected_rows else ""
    paragraph(page, f"stages: {', '.join(capture.stages)}{rejected}", indent=4)
    for half in capture.coverage:
        venues, symbols = count(half.venues, "venue"), count(half.symbols, "symbol")
        covered = f"{count(half.rows, 'row')}, {venues}, {symbols}, {Decimal(half.shares):,f} shares"
        paragraph(page, f"{half.half}: {covered}", indent=4)
    seen = f"content last compared {minute(capture.verified_at)}, version last seen {minute(capture.checked_at)}"
    paragraph(page, seen, indent=4, tone=Tone.ASIDE)


def _show_span(page: Page, span: SpanRow) -> None:
    times = f"{minute(span.last_decided_at)} {span.action} by {span.rule}"
    many = f" ({span.count} times since {minute(span.first_decided_at)})" if span.count > 1 else ""
    page.line(f"  {times}{many}")
    paragraph(page, span.reason, indent=4)
    evidence = evidence_text(span.evidence)
    if evidence:
        paragraph(page, evidence, indent=4, tone=Tone.ASIDE)


def _show_anomaly(page: Page, row: AnomalyRow) -> None:
    bad = row.severity in (Severity.CRITICAL, Severity.ERROR) and row.resolved_at is None
    known = row.acknowledged
    until = f" until {known.until}" if known and known.until else ""
    state = f"resolved {minute(row.resolved_at)}" if row.resolved_at else "open"
    if known is not None:
        state = f"{state}, acknowledged{until}: {known.reason}"
    about = f" of the {'week' if row.tier is None else 'week across tiers'}" if row.tier in (None, "ALL") else ""
    page.line(f"  {row.severity} {row.category}{about}, {row.fingerprint}", Tone.BAD if bad else Tone.PLAIN)
    paragraph(page, row.message, indent=4)
    span = f"seen {count(row.occurrences, 'time')}, {minute(row.first_seen)} to {minute(row.last_seen)}; {state}"
    paragraph(page, span, indent=4, tone=Tone.ASIDE)
