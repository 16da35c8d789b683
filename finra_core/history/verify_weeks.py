"""What rests on several captures of a week: analytics across tiers, and the judgments that hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from finra_core.domain.analytics import CALC_VERSION, Analysis, analyze_across_tiers
from finra_core.domain.captures import Capture, parse_capture_id
from finra_core.domain.errors import ConfigurationError, StoreError
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.readiness import IssueKind, Judgment, Readiness
from finra_core.domain.tiers import ALL_TIERS, TIERS, Half, Tier
from finra_core.history.problems import DERIVED, RESTORE_ALL, Problem, ProblemKind, problem
from finra_core.history.volumes import volumes_across_tiers
from finra_core.ports.store import CaptureQuery, JudgmentQuery, ReadView, Store


def check_week(store: Store, week: date) -> tuple[int, list[Problem]]:
    """How many analytics across tiers were derived again, and what is wrong with the week."""
    try:
        with store.read() as view:
            captures = {capture.number: capture for capture in view.captures(CaptureQuery(weeks=frozenset({week})))}
            analyses = view.analyses([week])
            across = [a for a in analyses if a.tier == ALL_TIERS and a.calc_version == CALC_VERSION]
            problems = [
                *(found for each in analyses for found in _of_inputs(each, captures)),
                *(found for each in across for found in _of_figures(view, each, captures, analyses)),
                *_of_judgments(view, week, list(captures.values()), analyses),
            ]
    except StoreError as error:
        return 0, [_unreadable(week, error.message)]
    except (TypeError, ValueError) as error:
        # Damage can leave a number where a text belongs, or a text where a number does.
        return 0, [_unreadable(week, f"what is stored cannot be compared: {error}")]
    return len(across), problems


def _unreadable(week: date, how: str) -> Problem:
    return problem(ProblemKind.UNREADABLE, f"{week}: {how}", RESTORE_ALL, week_ending=week)


def _of_inputs(analysis: Analysis, captures: Mapping[int, Capture]) -> Iterator[Problem]:
    own = [captures[number] for number in analysis.inputs if number in captures]
    tiers = [capture.partition.tier for capture in own]
    expected = list(TIERS) if analysis.tier == ALL_TIERS else [Tier.__members__.get(analysis.tier)]
    if tiers != expected or not all(capture.is_normalized for capture in own):
        message = f"rest on captures {list(analysis.inputs)}, which are not its week's and tier's"
        yield _analytics(analysis, message)
    elif analysis.tier != ALL_TIERS and own[0].capture_id != analysis.capture_id:
        yield _analytics(analysis, f"rest on {own[0]} and say that they are of {analysis.capture_id}")


def _of_figures(
    view: ReadView, stored: Analysis, captures: Mapping[int, Capture], known: Sequence[Analysis]
) -> Iterator[Problem]:
    inputs = [captures[number] for number in stored.inputs if number in captures]
    if len(inputs) != len(TIERS):
        return
    try:
        run_date = parse_capture_id(stored.capture_id).run_date
    except ConfigurationError as error:
        yield _analytics(stored, f"have no capture_id: {error.message}")
        return
    volumes = volumes_across_tiers(view, inputs, known, view.symbols)
    earlier = [a for a in known if a.capture_id == stored.capture_id and a.revision < stored.revision]
    if stored != analyze_across_tiers(inputs, volumes, earlier, run_date, stored.computed_at):
        yield _analytics(stored, "are not those of its records")


def _analytics(analysis: Analysis, how: str) -> Problem:
    return problem(
        ProblemKind.ANALYTICS,
        f"{analysis.week_ending} / {analysis.tier}: its analytics {how}",
        DERIVED,
        week_ending=analysis.week_ending,
        tier=analysis.tier,
        capture_id=analysis.capture_id,
    )


# Readiness ---------------------------------------------------------------------------------------

_CRITERION_OF = {
    "all_partitions_present": {IssueKind.WAITING_FOR_TIER, IssueKind.MISSING_TIER, IssueKind.MISSING_HALF},
    "no_rejected_rows": {IssueKind.REJECTED_ROWS},
    "no_partial_coverage": {IssueKind.PARTIAL_COVERAGE},
    "no_critical_anomalies": {IssueKind.OPEN_CRITICALS},
}


def _of_judgments(
    view: ReadView, week: date, captures: Sequence[Capture], analyses: Sequence[Analysis]
) -> Iterator[Problem]:
    weeks = frozenset({week})
    history = view.judgments(JudgmentQuery(weeks=weeks, history=True))
    latest = list({each.readiness.ready_for: each for each in reversed(history)}.values())
    held = view.judgments(JudgmentQuery(weeks=weeks))
    if sorted(held, key=_use) != sorted(latest, key=_use):
        message = f"{week}: the judgments that hold are not the last ones of their history"
        yield problem(ProblemKind.COPY, message, RESTORE_ALL, week_ending=week)
    policies = {policy.name: policy for policy in BUILT_IN}
    for judgment in latest:
        for message in _contradictions(judgment, captures, analyses, policies.get(judgment.readiness.ready_for)):
            named = f"{week}: the judgment for {judgment.readiness.ready_for} {message}"
            yield problem(ProblemKind.READINESS, named, RESTORE_ALL, week_ending=week)


def _use(judgment: Judgment) -> str:
    return judgment.readiness.ready_for


def _contradictions(
    judgment: Judgment, captures: Sequence[Capture], analyses: Sequence[Analysis], policy: Policy | None
) -> Iterator[str]:
    """What contradicts the judgment itself, or the captures that it rests on.

    What it says of publication days and of anomalies rests on the day and on anomalies as they were then. Neither can
    be derived again.
    """
    readiness = judgment.readiness
    kinds = {issue.kind for issue in readiness.blocking_issues}
    if readiness.is_ready != (not readiness.blocking_issues):
        yield "says that it is ready and what blocks it"
    for name, own in _CRITERION_OF.items():
        if getattr(readiness, name) and kinds & own:
            yield f"says {name} and that {', '.join(sorted(kinds & own))} blocks it"
    own_captures = {capture.number: capture for capture in captures}
    if not set(readiness.captures) <= own_captures.keys():
        yield f"rests on captures {list(readiness.captures)}, which are not its week's"
    elif policy is not None and _is_current(readiness, captures, policy):
        based = [own_captures[number] for number in readiness.captures]
        yield from _against_captures(readiness, based, analyses, policy)


def _is_current(readiness: Readiness, captures: Sequence[Capture], policy: Policy) -> bool:
    """Whether nothing was captured since, and all that it rests on has its records."""
    newest = {c.partition.tier: c for c in sorted(captures, key=lambda c: c.number) if c.partition.tier in policy.tiers}
    found = [newest[tier] for tier in policy.tiers if tier in newest]
    withdrawn = IssueKind.NOT_NORMALIZED in {issue.kind for issue in readiness.blocking_issues}
    is_same = tuple(capture.number for capture in found) == readiness.captures
    return is_same and not withdrawn and all(capture.is_normalized for capture in found)


def _against_captures(
    readiness: Readiness, captures: Sequence[Capture], analyses: Sequence[Analysis], policy: Policy
) -> Iterator[str]:
    if readiness.no_rejected_rows != (not any(capture.rejected_rows for capture in captures)):
        yield "says otherwise of rejected rows than its captures"
    if readiness.all_partitions_present != _is_present(captures, policy.tiers, policy.halves):
        yield "says otherwise of tiers and halves than its captures"
    analyzed = {analysis.inputs for analysis in analyses}
    if readiness.all_stages_complete and not all((capture.number,) in analyzed for capture in captures):
        yield "says that all stages are complete, and a capture has no analytics"


def _is_present(captures: Sequence[Capture], tiers: Collection[Tier], halves: Collection[Half]) -> bool:
    present = {capture.partition.tier: capture.halves for capture in captures}
    return all(tier in present for tier in tiers) and all(
        half in present[tier] for tier in tiers if tier in present for half in halves
    )
