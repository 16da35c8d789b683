"""Proving what is stored: everything is derived again from the payloads, and the chain is followed."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import date, datetime

from attrs import define, field, frozen

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.checkpoint import Checkpoint
from finra_core.history.manifest import expected_rows
from finra_core.history.problems import RESTORE_ALL, Problem, ProblemKind, problem, unreadable
from finra_core.history.verify_captures import CheckedCapture, check_capture
from finra_core.history.verify_ledger import check_chain, check_checkpoint, check_ledger, read_ledger
from finra_core.history.verify_weeks import check_week
from finra_core.ports.audit import Fault, StageRow, StoreAudit
from finra_core.ports.store import CaptureQuery, ReadView, Store

_AT_ONCE = 2
"""So many captures wait for each worker: enough that none is idle, and few enough for any memory."""


@frozen(kw_only=True)
class VerifyRequest:
    """What to verify. Captures: those that all fields let through.

    since: captured at this instant or later. sample: only so many of them, drawn by `seed`. done: what an earlier
    verification found of captures, which are not checked again. The chain, the judgments, the manifest and the
    database's own checks are always of the whole store.
    """

    weeks: frozenset[date] | None = None
    tiers: tuple[Tier, ...] = TIERS
    since: datetime | None = None
    sample: int | None = None
    seed: int = 0
    done: tuple[CheckedCapture, ...] = ()
    checkpoint: Checkpoint | None = None

    def select(self, captures: Sequence[Capture]) -> list[Capture]:
        """The captures to check, oldest number first."""
        found = sorted((capture for capture in captures if self._wants(capture)), key=lambda each: each.number)
        if self.sample is None or self.sample >= len(found):
            return found
        drawn = random.Random(self.seed).sample(found, self.sample)  # noqa: S311  a draw that can be repeated
        return sorted(drawn, key=lambda each: each.number)

    def _wants(self, capture: Capture) -> bool:
        return (
            (self.weeks is None or capture.partition.week_ending in self.weeks)
            and capture.partition.tier in self.tiers
            and (self.since is None or capture.captured_at >= self.since)
        )


@frozen(kw_only=True)
class Checked:
    """How much was checked. rows: rows of payloads that were read and derived again. analyses: derived again."""

    captures: int
    of_captures: int
    rows: int
    payload_bytes: int
    analyses: int
    weeks: int
    manifest_rows: int
    chain_entries: int


@frozen(kw_only=True)
class Verification:
    """What a verification found. notes: what was not checked, and why."""

    ok: bool
    checked: Checked
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


_Check = Callable[[Sequence[Capture]], Iterable[CheckedCapture]]


@define
class _Work:
    problems: list[Problem] = field(factory=list)
    notes: list[str] = field(factory=list)
    checked: list[CheckedCapture] = field(factory=list)
    captures: list[Capture] = field(factory=list)
    analyses: int = 0
    weeks: int = 0
    manifest_rows: int = 0
    chain_entries: int = 0


def verify(
    store: Store,
    request: VerifyRequest | None = None,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    on_capture: Callable[[CheckedCapture], None] = lambda _checked: None,
) -> Verification:
    """Verify a store, reading only. One capture's rows are in memory at once, or one for each of the workers.

    executor: checks captures; None means this thread. on_capture: told of each capture as it is done.

    Raises:
        StoreError: the store cannot be opened or read at all.
    """
    request = request or VerifyRequest()
    work = _Work()

    def check(captures: Sequence[Capture]) -> Iterator[CheckedCapture]:
        for checked in _results(store, captures, executor, workers):
            on_capture(checked)
            yield checked

    with store.read() as view:
        # Damage to a page may make anything else fail. So it is looked for first, and named.
        _audit(view, work)
    try:
        with store.read() as view:
            work.captures = view.captures(CaptureQuery())
    except StoreError as error:
        work.problems.append(unreadable("the captures", error))
    chosen = request.select(work.captures)
    _check_captures(work, chosen, request.done, check)
    for week in sorted({capture.partition.week_ending for capture in chosen}):
        count, problems = check_week(store, week)
        work.weeks += 1
        work.analyses += count
        work.problems += problems
    _check_whole(store, request, work)
    _note_what_was_left_out(request, work, chosen)
    return _report(work)


def _audit(view: ReadView, work: _Work) -> None:
    if not isinstance(view, StoreAudit):
        work.notes.append("this kind of store has no check of how it keeps things: only what it gives was checked")
        return
    try:
        found = view.integrity()
        work.notes += found.notes
        work.problems += (problem(ProblemKind.DATABASE, each, RESTORE_ALL) for each in found.problems)
    except StoreError as error:
        work.problems.append(problem(ProblemKind.DATABASE, error.message, RESTORE_ALL))
    try:
        work.problems += map(_of_fault, view.faults())
    except StoreError as error:
        work.problems.append(unreadable("how rows are kept", error))


def _of_fault(fault: Fault) -> Problem:
    return problem(
        ProblemKind(fault.kind),
        fault.message,
        RESTORE_ALL,
        week_ending=fault.week_ending,
        tier=fault.tier,
        capture_id=fault.capture_id,
    )


def _check_captures(work: _Work, chosen: Sequence[Capture], known: Iterable[CheckedCapture], check: _Check) -> None:
    numbers = {capture.number for capture in chosen}
    work.checked += [checked for checked in known if checked.number in numbers]
    done = {checked.number for checked in work.checked}
    work.checked += check([capture for capture in chosen if capture.number not in done])
    for checked in work.checked:
        work.problems += checked.problems
        work.analyses += checked.analyses
    older = sum(checked.older_analyses for checked in work.checked)
    if older:
        work.notes.append(f"{older:,} analytics of older calculations were not derived again: this release has a newer")


def _results(
    store: Store, captures: Iterable[Capture], executor: Executor | None, workers: int
) -> Iterator[CheckedCapture]:
    if executor is None:
        yield from (check_capture(store, capture) for capture in captures)
        return
    pending: deque[Future[CheckedCapture]] = deque()
    try:
        for capture in captures:
            pending.append(executor.submit(check_capture, store, capture))
            if len(pending) > _AT_ONCE * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _check_whole(store: Store, request: VerifyRequest, work: _Work) -> None:
    hashes = {each.number: each.documents_hash for each in work.checked if each.documents_hash is not None}
    with store.read() as view:
        try:
            ledger = read_ledger(view, request.checkpoint)
        except StoreError as error:
            work.problems.append(unreadable("the chain", error))
            return
        work.chain_entries = ledger.entries
        work.problems += check_chain(ledger)
        if request.checkpoint is not None:
            work.problems += check_checkpoint(ledger, request.checkpoint)
        try:
            # Read again: the captures and what the chain says of them have to be of one state.
            captures = view.captures(CaptureQuery())
            work.problems += check_ledger(view, ledger, captures, hashes)
            if isinstance(view, StoreAudit):
                work.problems += _of_manifest(view, captures, work)
        except StoreError as error:
            work.problems.append(unreadable("what the chain vouches for", error))


def _of_manifest(view: ReadView, captures: Sequence[Capture], work: _Work) -> Iterator[Problem]:
    if not isinstance(view, StoreAudit):
        return
    stored = Counter(map(_key, view.manifest()))
    work.manifest_rows = stored.total()
    expected = Counter(map(_key, expected_rows(captures, view.analyses(), view.row_counts())))
    for key in sorted((expected - stored).elements()):
        yield _manifest_problem(key, "its row of the manifest is missing or was changed")
    for key in sorted((stored - expected).elements()):
        yield _manifest_problem(key, "a row of the manifest is not what is stored")


_Key = tuple[str, ...]


def _key(row: StageRow) -> _Key:
    """A row as text: it sorts, and values of kinds that do not belong there do no harm."""
    return (
        row.subject.get("week_ending", ""),
        row.subject.get("tier", ""),
        row.stage,
        row.capture_id,
        *map(repr, (row.revision, row.domain, row.row_count, row.captured_at)),
        repr(sorted(row.subject.items())),
        repr(sorted(row.metadata.items())),
    )


def _manifest_problem(key: _Key, how: str) -> Problem:
    week, tier, stage, capture_id = key[:4]
    return problem(
        ProblemKind.MANIFEST,
        f"{capture_id} {stage}: {how}",
        RESTORE_ALL,
        week_ending=_day(week),
        tier=tier or None,
        capture_id=capture_id,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _note_what_was_left_out(request: VerifyRequest, work: _Work, chosen: Sequence[Capture]) -> None:
    left = len(work.captures) - len(chosen)
    if left:
        drawn = f" (drawn with seed {request.seed})" if request.sample is not None else ""
        work.notes.append(f"{left:,} of {len(work.captures):,} captures were not asked for{drawn}")


def _report(work: _Work) -> Verification:
    # A damaged value can show in several places in the same words.
    problems = tuple(dict.fromkeys(work.problems))
    return Verification(
        ok=not problems,
        checked=Checked(
            captures=len(work.checked),
            of_captures=len(work.captures),
            rows=sum(each.rows for each in work.checked),
            payload_bytes=sum(each.size_bytes for each in work.checked),
            analyses=work.analyses,
            weeks=work.weeks,
            manifest_rows=work.manifest_rows,
            chain_entries=work.chain_entries,
        ),
        notes=tuple(work.notes),
        problems=problems,
    )


def checked_partitions(request: VerifyRequest, captures: Sequence[Capture]) -> frozenset[Partition]:
    """The partitions all of whose captures a request lets through: a finding about one of them is resolved by it."""
    chosen = {capture.number for capture in request.select(captures)}
    left = {capture.partition for capture in captures if capture.number not in chosen}
    return frozenset(capture.partition for capture in captures) - left
