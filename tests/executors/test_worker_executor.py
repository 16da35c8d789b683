"""What a step needs travels to another process, and all that it says comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from finra_core.domain.errors import ConfigurationError, FinraError
from finra_core.ports.observer import RunStarted, StepFailed
from finra_local import open_processes
from finra_simulator import SimulatorSource, open_source
from finra_workers import WorkerExecutor
from support import worker_steps as steps
from support.worker_steps import LOGGER, Heard, Raising, TwoPartsError, Work

URL = "simulator:?seed=3&symbols=3&now=2026-01-05T15:30:00Z"


@pytest.fixture(scope="module", params=["processes:", "dask:"])
def one_process(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "processes:":
        opener = open_processes
    else:
        opener = pytest.importorskip("finra_dask", reason="no Dask here: pip install 'finra-core[dask]'").open_executor
    with opener(request.param, 1) as executor:
        yield executor


def work(**given: object) -> Work:
    return Work(**{"source": open_source(URL, {}), **given})  # type: ignore[arg-type]


# Sources ---------------------------------------------------------------------------------------------


def test_a_source_is_opened_once_in_a_process_however_many_steps_use_it(one_process: Executor) -> None:
    own = work()
    instances = {one_process.submit(steps.instance_of, own).result() for _ in range(3)}
    assert len(instances) == 1
    assert own.source.info.instance not in instances


def test_two_sources_that_are_opened_alike_are_two(one_process: Executor) -> None:
    """A worker that serves run after run must not serve one with what another's source has kept."""
    instances = {one_process.submit(steps.instance_of, work()).result() for _ in range(2)}
    assert len(instances) == 2


def test_the_source_there_gives_what_the_one_here_gives(one_process: Executor) -> None:
    own = work()
    assert one_process.submit(steps.rows_of, own).result() == steps.rows_of(own)


def test_what_cannot_travel_is_named(one_process: Executor) -> None:
    with pytest.raises(ConfigurationError, match="cannot be taken to other processes: its clock cannot be pickled"):
        one_process.submit(steps.instance_of, work(clock=lambda: 0))
    with pytest.raises(ConfigurationError, match=r"the function .*<lambda> cannot be pickled"):
        one_process.submit(lambda: 0)
    with pytest.raises(ConfigurationError, match="a lock cannot be pickled"):
        one_process.submit(id, threading.Lock())


def test_a_source_that_lives_in_one_process_says_so(one_process: Executor) -> None:
    by_hand = SimulatorSource(open_source(URL, {}).world)
    with pytest.raises(ConfigurationError, match="made by hand lives in one process"):
        one_process.submit(steps.instance_of, work(source=by_hand))


# Events ----------------------------------------------------------------------------------------------


def test_events_come_back_in_order_before_the_result(one_process: Executor) -> None:
    heard = Heard()
    one_process.submit(steps.tell, work(observer=heard), ["1", "2", "3"]).result()
    assert [event.run_id for event in heard.events] == ["1", "2", "3"]
    assert all(isinstance(event, RunStarted) for event in heard.events)


def test_events_come_back_from_a_step_that_fails(one_process: Executor) -> None:
    heard = Heard()
    with pytest.raises(LookupError, match="after it was told"):
        one_process.submit(steps.tell_and_fail, work(observer=heard), "1").result()
    assert [event.run_id for event in heard.events] == ["1"]


def test_each_observer_is_told_its_own(one_process: Executor) -> None:
    observers = [Heard(), Heard()]
    futures = [one_process.submit(steps.tell, work(observer=o), [str(i)]) for i, o in enumerate(observers)]
    for future in futures:
        future.result()
    assert [[event.run_id for event in observer.events] for observer in observers] == [["0"], ["1"]]


def test_an_event_s_error_says_where_it_came_from(one_process: Executor) -> None:
    heard = Heard()
    one_process.submit(steps.tell_of_a_failure, work(observer=heard)).result()
    (event,) = heard.events
    assert isinstance(event, StepFailed)
    assert str(event.error).endswith("disk: full")
    assert "in raise_in_two_parts" in str(event.error.__cause__)


def test_what_an_observer_raises_ends_the_step(one_process: Executor) -> None:
    with pytest.raises(ArithmeticError, match="7"):
        one_process.submit(steps.tell, work(observer=Raising()), ["7"]).result()
    assert one_process.submit(abs, -1).result() == 1


def test_a_slow_observer_keeps_no_worker_from_its_work(one_process: Executor) -> None:
    """It is told in a thread of its own, not in the one that connects the workers."""
    begun, resume = threading.Event(), threading.Event()

    class Slow:
        def on_event(self, event: RunStarted) -> None:
            begun.set()
            resume.wait(60)

    assert isinstance(one_process, WorkerExecutor)
    told = one_process.submit(steps.tell, work(observer=Slow()), ["1"])
    assert begun.wait(60)
    try:
        assert one_process._workers.submit(abs, -1).result(30) == 1
        assert not told.done()
    finally:
        resume.set()
    assert told.result() is None


# Errors and results ----------------------------------------------------------------------------------


def test_an_error_that_cannot_be_unpickled_is_told_and_breaks_nothing(one_process: Executor) -> None:
    # Dask teaches the worker how to pickle what a task has raised: there it may come back as itself.
    with pytest.raises((RuntimeError, TwoPartsError), match="disk: full"):
        one_process.submit(steps.raise_in_two_parts).result()
    assert one_process.submit(abs, -1).result() == 1


def test_an_error_says_where_in_the_worker_it_came_from(one_process: Executor) -> None:
    with pytest.raises(LookupError) as raised:
        one_process.submit(steps.tell_and_fail, work(), "1").result()
    assert "in tell_and_fail" in str(raised.value.__cause__)


def test_a_result_that_cannot_be_pickled_is_an_error_of_its_step(one_process: Executor) -> None:
    with pytest.raises(FinraError, match="what a step answered cannot be brought back"):
        one_process.submit(steps.give_a_lock).result()
    assert one_process.submit(abs, -1).result() == 1


# Log -------------------------------------------------------------------------------------------------


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(record.message.partition(" ")[0], record.levelno) for record in caplog.records]


def test_the_log_of_a_step_is_written_here_at_the_levels_set_here(
    one_process: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    one_process.submit(steps.log_twice, "talkative").result()
    assert messages(caplog) == [("talkative", logging.DEBUG), ("talkative", logging.WARNING)]
    caplog.clear()
    caplog.set_level(logging.WARNING, LOGGER)
    one_process.submit(steps.log_twice, "quiet").result()
    assert messages(caplog) == [("quiet", logging.WARNING)]


def test_a_traceback_in_the_log_comes_back_as_text(one_process: Executor, caplog: pytest.LogCaptureFixture) -> None:
    one_process.submit(steps.log_an_error).result()
    assert "in raise_in_two_parts" in caplog.text


def test_only_the_step_s_own_thread_is_heard(one_process: Executor, caplog: pytest.LogCaptureFixture) -> None:
    one_process.submit(steps.log_in_another_thread, "beside").result()
    assert caplog.messages == []


def test_log_and_events_keep_their_order(one_process: Executor, caplog: pytest.LogCaptureFixture) -> None:
    class Logs:
        def on_event(self, event: RunStarted) -> None:
            logging.getLogger("an observer").warning(event.run_id)

    one_process.submit(steps.log_and_tell, work(observer=Logs())).result()
    assert caplog.messages == ["before", "1", "after"]


def test_a_worker_s_levels_and_handlers_are_set_back(one_process: Executor, caplog: pytest.LogCaptureFixture) -> None:
    # While a step runs, there is one handler more.
    before = one_process.submit(steps.level_and_handlers).result()
    assert before == (logging.NOTSET, 1)
    with caplog.at_level(logging.DEBUG, LOGGER):
        assert one_process.submit(steps.level_and_handlers).result() == (logging.DEBUG, 1)
    assert one_process.submit(steps.level_and_handlers).result() == before
