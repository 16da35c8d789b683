"""What `finra doctor` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from attrs import frozen

from finra_cli.output import Page, Tone, count
from finra_cli.paragraphs import paragraph
from finra_core.domain.tiers import TIERS
from finra_core.history.doctor import Examination, LostWeeks
from finra_core.history.gaps import GapGroup, GapKind, HistoryGap, group
from finra_core.runs.heal import Healing, LeftOut
from finra_core.runs.report import Outcome

_WORDS = {
    GapKind.SOON_NOT_OFFERED: "soon not offered by FINRA",
    GapKind.FAILED: "failed",
    GapKind.NOT_NORMALIZED: "not normalized",
    GapKind.NOT_ANALYZED: "not analyzed",
    GapKind.NOT_JUDGED: "not judged",
    GapKind.LATE: "late",
    GapKind.NEVER_ASKED: "never asked for",
    GapKind.NEVER_VERIFIED: "not compared for long",
}


@frozen(kw_only=True)
class GapRow:
    """One thing that a week of a tier lacks, and the command that mends it. tier: ALL for what rests on all three."""

    week_ending: date
    tier: str
    kind: GapKind
    message: str
    command: str


@frozen(kw_only=True)
class MendedRow:
    """A command that was carried out. outcomes: how many partitions ended so."""

    command: str
    run_id: str
    exit_code: int
    outcomes: Mapping[Outcome, int]


@frozen(kw_only=True)
class HealedRow:
    """What --heal did. left_out: weeks that did not fit into the budget. by_hand: gaps that no run can mend.

    bytes_received: by all runs together.
    """

    mended: tuple[MendedRow, ...]
    left_out: tuple[LeftOut, ...]
    by_hand: tuple[GapRow, ...]
    max_bytes: int | None
    bytes_received: int
    exit_code: int


@frozen(kw_only=True)
class Diagnosis:
    """The gaps, newest week first; with --heal, those that are left after it. begins: the store's first captured week.

    lost: weeks that the store lacks and FINRA's list no longer has. healed: null without --heal.
    """

    begins: date | None
    gaps: tuple[GapRow, ...]
    lost: tuple[LostWeeks, ...]
    healed: HealedRow | None


def diagnosis(found: Examination, healing: Healing | None = None, max_bytes: int | None = None) -> Diagnosis:
    """The document."""
    return Diagnosis(
        begins=found.begins,
        gaps=_rows(found.gaps),
        lost=found.lost,
        healed=None if healing is None else _healed(healing, max_bytes),
    )


def _rows(gaps: Iterable[HistoryGap]) -> tuple[GapRow, ...]:
    return tuple(
        GapRow(week_ending=gap.week_ending, tier=gap.tier, kind=gap.kind, message=gap.message, command=gap.command)
        for gap in gaps
    )


def _healed(healing: Healing, max_bytes: int | None) -> HealedRow:
    return HealedRow(
        mended=tuple(
            MendedRow(
                command=each.command,
                run_id=each.report.run_id,
                exit_code=each.report.exit_code,
                outcomes={outcome: n for outcome in Outcome if (n := each.report.count(outcome))},
            )
            for each in healing.mended
        ),
        left_out=healing.left_out,
        by_hand=_rows(healing.by_hand),
        max_bytes=max_bytes,
        bytes_received=max((each.report.usage.bytes_received for each in healing.mended), default=0),
        exit_code=healing.exit_code,
    )


# The page ---------------------------------------------------------------------------------------------


def doctor_page(document: Diagnosis, found: Examination, url: str) -> Page:
    """The page, for 80 columns: gaps of one kind in neighboring weeks stand together."""
    page = Page()
    if document.healed is not None:
        _show_healed(page, document.healed)
    for own in group(found.gaps):
        _show_group(page, own)
    for lost in document.lost:
        span = _span([lost.first, lost.last])
        text = f"lost: {span} ({_tiers(lost.tiers)}): never captured, and FINRA's list no longer has them"
        paragraph(page, text, tone=Tone.ASIDE)
    if document.begins is None:
        paragraph(page, f"{url} holds no captures yet: `finra run` brings them.")
        return page
    left = " left" if document.healed is not None else ""
    gaps = f"{count(len(document.gaps), 'gap')}{left}" if document.gaps else f"No gaps{left}"
    text = f"{gaps} in the weeks from {document.begins} on, where this store begins. Older weeks are no gaps."
    paragraph(page, text, tone=Tone.WAITING if document.gaps else Tone.GOOD)
    return page


def _show_group(page: Page, own: GapGroup) -> None:
    size = f" ({count(len(own.weeks), 'week')})" if len(own.weeks) > 1 else ""
    page.line(f"{_WORDS[own.kind]}: {_span(own.weeks)}{size}, {_tiers(own.tiers)}", Tone.BAD)
    messages = dict.fromkeys(gap.message for gap in own.gaps)
    more = f" (and {len(messages) - 1:,} more like it)" if len(messages) > 1 else ""
    paragraph(page, f"{next(iter(messages))}{more}", indent=4)
    page.line(f"    {own.command}")


def _show_healed(page: Page, healed: HealedRow) -> None:
    for mended in healed.mended:
        page.line(f"ran: {mended.command}", Tone.GOOD if not mended.exit_code else Tone.BAD)
        outcomes = ", ".join(f"{number:,} {str(name).replace('_', ' ')}" for name, number in mended.outcomes.items())
        paragraph(page, f"{outcomes or 'nothing to fetch'}; exit code {mended.exit_code}", indent=4)
    if healed.left_out:
        expected = sum(each.expected_bytes for each in healed.left_out)
        page.line(f"left out of {healed.max_bytes or 0:,} bytes: {count(len(healed.left_out), 'week')}", Tone.WAITING)
        paragraph(page, f"expected to take {expected:,} bytes; raise --max-bytes, or heal again later", indent=4)
    if healed.by_hand:
        page.line(f"for a person: {count(len(healed.by_hand), 'gap')} that no run can mend", Tone.WAITING)


def _span(weeks: Sequence[date]) -> str:
    first, last = min(weeks), max(weeks)
    return str(first) if first == last else f"{first} to {last}"


def _tiers(tiers: Sequence[str]) -> str:
    return "all tiers" if set(tiers) >= {tier.value for tier in TIERS} or "ALL" in tiers else ", ".join(tiers)
