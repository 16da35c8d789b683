"""What the chain vouches for against what is stored, and the chain itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from attrs import define, field, frozen

from finra_core.domain.captures import Capture
from finra_core.domain.chain import Break, ChainEntry, EntryKind, Vouched, breaks
from finra_core.domain.errors import StoreError
from finra_core.history import vouching
from finra_core.history.checkpoint import Checkpoint
from finra_core.history.problems import LOOK, Problem, ProblemKind, problem, unreadable
from finra_core.ports.store import AnomalyQuery, JudgmentQuery, ReadView

_BATCH = 1_000
"""So many entries are in memory at once."""

_KEPT_ALL = frozenset({EntryKind.DECISIONS, EntryKind.JUDGMENTS, EntryKind.PRUNES})
"""What is added and never replaced: each entry about it counts. Of the others the last one counts."""

_NOUNS = {
    EntryKind.CAPTURES: "capture",
    EntryKind.CHECKS: "the last check of capture",
    EntryKind.RECORDS: "the normalization of capture",
    EntryKind.ANALYSES: "the analysis",
    EntryKind.JUDGMENTS: "the judgment",
    EntryKind.ANOMALIES: "the anomaly",
    EntryKind.DECISIONS: "the decision",
    EntryKind.RUNS: "the run",
    EntryKind.PRUNES: "the record of a prune",
    EntryKind.PINS: "the pin of",
}


@define
class Ledger:
    """What a chain says, read once from its first entry to its last.

    vouched: by kind, what it says last of each name. repeated: by kind, all that it says of what is never replaced.
    """

    vouched: dict[str, dict[str, str]] = field(factory=dict)
    repeated: dict[str, Counter[Vouched]] = field(factory=dict)
    acknowledged: set[Vouched] = field(factory=set)
    entries: int = 0
    first: ChainEntry | None = None
    broken: list[Break] = field(factory=list)
    met: ChainEntry | None = None


def read_ledger(view: ReadView, checkpoint: Checkpoint | None = None) -> Ledger:
    """Read the chain, and note the entry that a checkpoint names."""
    ledger = Ledger()
    last: ChainEntry | None = None
    while batch := view.chain(after=last.seq if last else _BEFORE_ALL, limit=_BATCH):
        ledger.broken += breaks(batch, last)
        for entry in batch:
            _enter(ledger, entry)
            if checkpoint is not None and entry.seq == checkpoint.seq:
                ledger.met = entry
        ledger.first = ledger.first or batch[0]
        last = batch[-1]
    return ledger


_BEFORE_ALL = -(2**31)
"""Below any number that a changed entry could have."""


def _enter(ledger: Ledger, entry: ChainEntry) -> None:
    ledger.entries += 1
    try:
        kind, vouched = EntryKind(entry.kind), entry.vouched()
    except ValueError as error:
        ledger.broken.append(Break(entry.seq, f"entry {entry.seq} cannot be read: {error}"))
        return
    if kind is EntryKind.ACKNOWLEDGMENTS:
        ledger.acknowledged.update(vouched)
    elif kind is EntryKind.REMOVALS:
        for each in vouched:
            _remove(ledger, *each.name.partition(" ")[::2])
    elif kind in _KEPT_ALL:
        ledger.repeated.setdefault(kind.value, Counter()).update(vouched)
    else:
        _replace(ledger.vouched.setdefault(kind.value, {}), vouched)


def _replace(last: dict[str, str], vouched: Iterable[Vouched]) -> None:
    """What is said last of each name. A pin without a digest was removed."""
    for each in vouched:
        if each.digest:
            last[each.name] = each.digest
        else:
            last.pop(each.name, None)


def _remove(ledger: Ledger, what: str, name: str) -> None:
    """What the chain says was removed is not missing. Whoever removes it past the library has no such entry."""
    kinds = [EntryKind.ANALYSES] if what == vouching.ANALYSIS else _OF_CAPTURES
    for kind in kinds:
        ledger.vouched.get(kind.value, {}).pop(name, None)


def check_chain(ledger: Ledger) -> Iterator[Problem]:
    """Where the chain is broken."""
    for found in ledger.broken:
        yield problem(ProblemKind.CHAIN, f"the chain: {found.message}", LOOK)


def check_ledger(
    view: ReadView, ledger: Ledger, captures: Iterable[Capture], hashes: Mapping[int, str]
) -> Iterator[Problem]:
    """What is stored and is not what the chain vouches for.

    captures: all. hashes: the hash of their documents by capture number, for those whose documents were read.
    """
    own = list(captures)
    yield from _compare_captures(ledger, own, hashes)
    checks = [vouching.of_check(capture) for capture in own]
    yield from _compare(ledger, EntryKind.CHECKS, checks, own)
    records = [
        vouching.of_records(each.number, each.rejected_rows or 0, each.coverage, each.normalized_at)
        for each in own
        if each.normalized_at is not None
    ]
    yield from _compare(ledger, EntryKind.RECORDS, records, own)
    for kind, read in _READERS.items():
        try:
            stored = read(view)
        except StoreError as error:
            yield unreadable(f"{_NOUNS[kind].removeprefix('the ')}s", error)
            continue
        yield from _compare(ledger, kind, stored, own)
    yield from _check_acknowledgments(view, ledger)


def _check_acknowledgments(view: ReadView, ledger: Ledger) -> Iterator[Problem]:
    for record in view.anomalies(AnomalyQuery()):
        words = vouching.words_of(record)
        if words is not None and words not in ledger.acknowledged:
            message = f"the acknowledgment of anomaly {record.fingerprint} is not in the chain"
            yield problem(ProblemKind.ADDED, message, LOOK, week_ending=record.anomaly.scope.week_ending)


_READERS: dict[EntryKind, Callable[[ReadView], list[Vouched]]] = {
    EntryKind.ANALYSES: lambda view: list(map(vouching.of_analysis, view.analyses())),
    EntryKind.JUDGMENTS: lambda view: list(map(vouching.of_judgment, view.judgments(JudgmentQuery(history=True)))),
    EntryKind.ANOMALIES: lambda view: list(map(vouching.of_anomaly, view.anomalies(AnomalyQuery()))),
    EntryKind.DECISIONS: lambda view: list(map(vouching.of_decision, view.decisions())),
    EntryKind.PRUNES: lambda view: list(map(vouching.of_prune, view.prunes())),
    EntryKind.PINS: lambda view: list(map(vouching.of_pin, view.pins())),
    EntryKind.RUNS: lambda view: [each for run in view.runs() for each in vouching.of_run(run)],
}


def _compare_captures(ledger: Ledger, captures: list[Capture], hashes: Mapping[int, str]) -> Iterator[Problem]:
    """Those whose documents were not read are compared by name alone."""
    vouched = ledger.vouched.get(EntryKind.CAPTURES.value, {})
    stored = [
        vouching.of_capture(each, hashes[each.number])
        if each.number in hashes
        else Vouched(str(each.number), vouched.get(str(each.number), ""))
        for each in captures
    ]
    yield from _compare(ledger, EntryKind.CAPTURES, stored, captures)


def _compare(
    ledger: Ledger, kind: EntryKind, stored: Iterable[Vouched], captures: Iterable[Capture]
) -> Iterator[Problem]:
    numbered = {str(capture.number): capture for capture in captures}
    if kind in _KEPT_ALL:
        held = Counter(stored)
        vouched = ledger.repeated.get(kind.value, Counter())
        surplus, lacking = held - vouched, vouched - held
    else:
        held = Counter(stored)
        vouched = Counter(Vouched(*pair) for pair in ledger.vouched.get(kind.value, {}).items())
        surplus, lacking = held - vouched, vouched - held
    gone = Counter(each.name for each in lacking.elements())
    for each in sorted(surplus.elements(), key=lambda each: each.name):
        if gone[each.name]:
            gone[each.name] -= 1
            yield _found(ProblemKind.CHANGED, kind, each.name, "is not what was stored: it was changed", numbered)
        else:
            yield _found(ProblemKind.ADDED, kind, each.name, "is not in the chain: it was added", numbered)
    for name in sorted(gone.elements()):
        yield _found(ProblemKind.DROPPED, kind, name, "is in the chain and no longer stored", numbered)


@frozen
class _Place:
    week_ending: date | None = None
    tier: str | None = None
    capture_id: str | None = None


def _found(what: ProblemKind, kind: EntryKind, name: str, how: str, captures: Mapping[str, Capture]) -> Problem:
    place = _place(kind, name, captures)
    shown = str(captures[name]) if place.capture_id else name
    return problem(
        what,
        f"{_NOUNS[kind]} {shown} {how}",
        LOOK,
        week_ending=place.week_ending,
        tier=place.tier,
        capture_id=place.capture_id,
    )


def _place(kind: EntryKind, name: str, captures: Mapping[str, Capture]) -> _Place:
    """Where a thing belongs, by what the chain calls it: a capture's number, or a week and what follows it."""
    if kind in _OF_CAPTURES:
        capture = captures.get(name)
        if capture is None:
            return _Place()
        return _Place(capture.partition.week_ending, capture.partition.tier.value, capture.capture_id)
    if kind not in _OF_WEEKS:
        return _Place()
    week, _, rest = name.partition(" ")
    try:
        return _Place(date.fromisoformat(week), None if kind is EntryKind.JUDGMENTS else rest.partition(" ")[0])
    except ValueError:
        return _Place()  # a changed entry


_OF_CAPTURES = frozenset({EntryKind.CAPTURES, EntryKind.CHECKS, EntryKind.RECORDS})
_OF_WEEKS = frozenset({EntryKind.ANALYSES, EntryKind.DECISIONS, EntryKind.JUDGMENTS, EntryKind.PRUNES, EntryKind.PINS})


def check_checkpoint(ledger: Ledger, checkpoint: Checkpoint) -> Iterator[Problem]:
    """What says that the chain is not the one whose head was kept."""
    kept = f"the checkpoint of {checkpoint.at:%Y-%m-%d %H:%M:%SZ}"
    if ledger.first is None or ledger.first.hash != checkpoint.store:
        message = f"{kept} is of another store, or this store's history was written anew from its beginning"
        yield problem(ProblemKind.CHECKPOINT, message, LOOK)
    if ledger.met is None:
        message = f"{kept} knows entry {checkpoint.seq} of the chain, which has no such entry now: its end was dropped"
        yield problem(ProblemKind.CHECKPOINT, message, LOOK)
    elif ledger.met.hash != checkpoint.hash:
        message = f"{kept} has another hash of entry {checkpoint.seq}: the history before it was written anew"
        yield problem(ProblemKind.CHECKPOINT, message, LOOK)
