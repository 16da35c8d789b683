"""The suite that any executor has to pass that a Scheduler is to be given.

    class TestMyExecutor(ExecutorContract):
        @pytest.fixture
        def executor(self):
            with open_executor("mine:", 2) as executor:
                yield executor

        @pytest.fixture
        def new_store(self, tmp_path):
            return lambda name: open_store(f"sqlite:///{tmp_path / name}.db")

        @pytest.fixture
        def source(self):
            with open_source("simulator:?seed=3&symbols=3&now=2026-01-05T15:30:00Z") as source:
                yield source

        @pytest.fixture
        def now(self):
            return datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)

If its workers are other processes, source and store have to be such as can be opened there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from finra_core.domain.errors import SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.ports.observer import Event, Observer
from finra_core.ports.source import Source
from finra_core.ports.store import JudgmentQuery, ReadView, Store
from finra_core.runs.report import Outcome, RunReport
from finra_core.runs.request import RunRequest
from finra_core.runs.scheduler import Scheduler
from finra_core.testing.examples import T1

NewStore = Callable[[str], Store]


class ExecutorContract:
    """Who does the steps makes no difference to what a run leaves and says."""

    @pytest.fixture
    def executor(self) -> Executor:
        """The executor; whoever opens it shuts it down."""
        raise NotImplementedError

    @pytest.fixture
    def new_store(self) -> NewStore:
        """A function that opens a new, empty store of a name."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> Source:
        """A source that stands still and offers weeks before `now`; whoever opens it closes it."""
        raise NotImplementedError

    @pytest.fixture
    def now(self) -> datetime:
        """When the runs are made, aware."""
        raise NotImplementedError

    def test_a_run_through_it_ends_where_one_without_it_does(
        self, executor: Executor, new_store: NewStore, source: Source, now: datetime
    ) -> None:
        """In the store, and in what the report says of partitions and weeks."""
        ended = []
        for name, who in (("without", None), ("through", executor)):
            with new_store(name) as store:
                report = _run(who, store, source, now)
                with store.read() as view:
                    ended.append((_held(view), _told(report)))
        assert ended[0] == ended[1]

    def test_a_run_through_it_ingests(
        self, executor: Executor, new_store: NewStore, source: Source, now: datetime
    ) -> None:
        """And a second one finds nothing left to do."""
        with new_store("twice") as store:
            first, second = (_run(executor, store, source, now) for _ in range(2))
        assert first.count(Outcome.INGESTED) > 0
        assert (second.count(Outcome.INGESTED), second.count(Outcome.FAILED)) == (0, 0)

    def test_observers_hear_of_the_same_events_through_it(
        self, executor: Executor, new_store: NewStore, source: Source, now: datetime
    ) -> None:
        """As often, and no matter where the step was that told of it."""
        heard = []
        for name, who in (("quiet", None), ("loud", executor)):
            with new_store(name) as store:
                listener = _Listener()
                _run(who, store, source, now, listener)
                heard.append(listener.events)
        assert heard[0] == heard[1]

    def test_an_error_in_a_step_comes_back_as_itself(self, executor: Executor) -> None:
        """With all that it knows: a run tells by its class and partition what to do about it."""
        with pytest.raises(SourceUnavailableError) as raised:
            executor.submit(_fail, T1).result()
        error = raised.value
        assert (error.message, error.partition, error.status_code) == ("API fetch failed", T1, 503)

    def test_an_error_that_is_not_ours_comes_back_as_itself_too(self, executor: Executor) -> None:
        """A defect is not to be mistaken for a lost worker."""
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result()

    def test_it_works_on_after_an_error(self, executor: Executor) -> None:
        """One step's failure is its own."""
        failing = executor.submit(divmod, 1, 0)
        assert executor.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(failing.exception(), ZeroDivisionError)

    def test_results_keep_the_order_of_what_was_asked(self, executor: Executor) -> None:
        """Though the first ones take longest."""
        delays = [0.05, 0.02, 0.01, 0.0]
        assert list(executor.map(_after, delays, range(4))) == [0, 1, 2, 3]

    def test_futures_can_be_waited_for(self, executor: Executor) -> None:
        """As those of the standard library: the Scheduler waits for whichever is done first."""
        futures = [executor.submit(_after, 0.0, number) for number in range(4)]
        done, left = wait(futures)
        assert (sorted(future.result() for future in done), left) == ([0, 1, 2, 3], set())

    def test_what_it_was_given_is_what_it_returns(self, executor: Executor) -> None:
        """Partitions are keys wherever they went."""
        assert executor.submit(_same, {T1: (1, b"\xff")}).result() == {T1: (1, b"\xff")}


class _Listener:
    """Counts events by their kind and subject."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()

    def on_event(self, event: Event) -> None:
        """Count it."""
        subject = getattr(event, "partition", None) or getattr(event, "capture", None)
        self.events[type(event).__name__, str(subject)] += 1


def _run(executor: Executor | None, store: Store, source: Source, now: datetime, *observers: Observer) -> RunReport:
    scheduler = Scheduler(source=source, store=store, executor=executor, clock=partial(_same, now), observers=observers)
    return scheduler.run(RunRequest(lookback_weeks=2, workers=2))


def _told(report: RunReport) -> list[object]:
    readiness = [evolve(judged, captures=()) for judged in report.readiness]
    findings = sorted(finding.fingerprint for finding in report.findings)
    return [report.partitions, readiness, report.exit_code, dict(report.anomalies), findings]


def _held(view: ReadView) -> Sequence[object]:
    """Without numbers: which partition came first is the executor's affair."""
    captures = view.captures()
    judgments = view.judgments(JudgmentQuery(history=True))
    return [
        [(evolve(capture, number=0, run_id=""), view.payload(capture)) for capture in captures],
        [list(view.records(capture).rows()) for capture in captures],
        sorted((a.capture_id, a.revision, a.tier, a.volumes, a.hhi) for a in view.analyses()),
        [evolve(judgment, readiness=evolve(judgment.readiness, captures=())) for judgment in judgments],
        sorted((record.fingerprint, record.anomaly.message) for record in view.anomalies()),
        sorted((str(each.partition), each.reason) for each in view.decisions()),
    ]


def _fail(partition: Partition) -> None:
    raise SourceUnavailableError("API fetch failed", partition=partition, status_code=503)


def _after(seconds: float, result: int) -> int:
    time.sleep(seconds)
    return result


def _same(value: Any) -> Any:
    return value
