"""What a run tells while it works, as values. The log, progress, metrics and traces are observers."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Protocol

from attrs import frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import Anomaly, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.domain.revision import Decision
from finra_core.ports.store import RowCounts


class Phase(str, Enum):
    """The parts of a run, in their order. COMPARE: for a plan, fetching the contents that alone can decide."""

    PLAN = "Plan"
    COMPARE = "Compare"
    INGESTION = "Ingestion"
    NORMALIZATION = "Normalization"
    ANALYTICS = "Analytics"
    READINESS = "Readiness"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class Event:
    """Something happened in a run. Every event names its run."""

    run_id: str


@frozen(kw_only=True)
class RunStarted(Event):
    """A run begins. mode: `run` or `dry-run`."""

    mode: str
    run_date: date


@frozen(kw_only=True)
class WeeksTargeted(Event):
    """The weeks that the run looks at, newest first; none if the source lists nothing of what was asked for."""

    weeks: tuple[date, ...]


@frozen(kw_only=True)
class OlderWeeksSwept(Event):
    """What the run looks at of the weeks that are older than its window.

    older: how many partitions the source offers and the store has. since: from which day on the source was asked for
    dated rows, None where it was not asked. restated: how many partitions it named, None where it could not tell.
    rotated: how many have their turn.
    """

    older: int
    since: date | None
    restated: int | None
    rotated: int


@frozen(kw_only=True)
class PhaseStarted(Event):
    """A phase begins."""

    phase: Phase


@frozen(kw_only=True)
class StepFinished(Event):
    """One step of a phase is done: `done` of `total`."""

    phase: Phase
    done: int
    total: int


@frozen(kw_only=True)
class SourceFailed(Event):
    """The source as a whole did not answer, or holds something that belongs to no partition."""

    message: str


@frozen(kw_only=True)
class Decided(Event):
    """A partition gets no new capture, by this decision. If it gets one, `CaptureStored` tells."""

    partition: Partition
    decision: Decision
    reason: str


@frozen(kw_only=True)
class FetchStarted(Event):
    """A partition is being fetched. source: the source's label."""

    partition: Partition
    source: str


@frozen(kw_only=True)
class CaptureStored(Event):
    """A new capture is committed. seconds: from the fetch's start to the commit."""

    capture: Capture
    decision: Decision
    reason: str
    seconds: float


@frozen(kw_only=True)
class RecordsStored(Event):
    """A capture's records are committed. rows: how many. seconds: reading and storing them."""

    capture: Capture
    rows: int
    counts: RowCounts
    seconds: float


@frozen(kw_only=True)
class AnalysisStored(Event):
    """Analytics are committed. seconds: computing and storing them."""

    analysis: Analysis
    seconds: float


@frozen(kw_only=True)
class AnomalyFound(Event):
    """A check found something.

    recorded: whether it is committed yet; in a dry run it never is. told: whether `SourceFailed` has told its cause.
    """

    anomaly: Anomaly
    recorded: bool = True
    told: bool = False


@frozen(kw_only=True)
class StepFailed(Event):
    """A step failed, and only its partition is concerned. error: what was raised."""

    partition: Partition
    stage: Stage
    error: Exception


@frozen(kw_only=True)
class TransactionRetried(Event):
    """The database broke off a transaction, which is begun again."""

    message: str


@frozen(kw_only=True)
class Skipped(Event):
    """A step was left to another run, which is doing it."""

    message: str


@frozen(kw_only=True)
class WeekJudged(Event):
    """A week was judged. unchanged: whether the judgment is the one that held before."""

    readiness: Readiness
    unchanged: bool


@frozen(kw_only=True)
class RunFinished(Event):
    """A run ended with a report. exit_code: what its process exits with."""

    exit_code: int
    seconds: float


class Observer(Protocol):
    """Told of a run's events, in the order in which they happen; in the run's threads, one event at a time.

    An observer must not raise. If it does, the run ends. It must not wait for a step of the run either: the step may be
    waiting to tell it something.
    """

    def on_event(self, event: Event) -> None:
        """Take note of one event."""
