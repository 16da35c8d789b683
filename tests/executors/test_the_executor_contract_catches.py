"""The suite of executors catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

import pytest

from support import broken_executors
from support.contract_verdict import judge

CAUGHT_BY = {
    "LosesErrors": "test_an_error_that_is_not_ours_comes_back_as_itself_too",
    "ReportsErrorsAsText": "test_an_error_in_a_step_comes_back_as_itself",
    "StopsAtAnError": "test_it_works_on_after_an_error",
    "AnswersAsItGoes": "test_results_keep_the_order_of_what_was_asked",
    "AnswersInText": "test_what_it_was_given_is_what_it_returns",
    "RemembersAnswers": "test_a_run_through_it_ends_where_one_without_it_does",
    "TellsNobody": "test_observers_hear_of_the_same_events_through_it",
    "GivesNoFutures": "test_futures_can_be_waited_for",
}
"""The executor, and the test that is there for its fault."""

_SUITE = """\
from datetime import datetime, timezone

import pytest
from support.broken_executors import {executor}
from finra_core import open_source, open_store
from finra_core.testing.executor import ExecutorContract

class TestExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self):
        with {executor}() as executor:
            yield executor

    @pytest.fixture
    def new_store(self):
        return lambda name: open_store("memory:")

    @pytest.fixture
    def source(self):
        with open_source("simulator:?seed=3&symbols=3&now=2026-01-05T15:30:00Z") as source:
            yield source

    @pytest.fixture
    def now(self):
        return datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)
"""


def judged(executor: str, folder: Path, *only: str) -> dict[str, set[str]]:
    return judge(_SUITE.format(executor=executor), folder, *only)


def test_a_sound_executor_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


@pytest.mark.parametrize(("executor", "test"), CAUGHT_BY.items())
def test_a_broken_executor_fails(executor: str, test: str, tmp_path: Path) -> None:
    ended = judged(executor, tmp_path, test)
    assert test in ended["failed"]


def test_every_broken_executor_is_tried() -> None:
    kinds = [kind for kind in vars(broken_executors).values() if isinstance(kind, type)]
    broken = {
        kind.__name__ for kind in kinds if issubclass(kind, Executor) and kind.__module__ == broken_executors.__name__
    }
    assert broken - {"Sound"} == set(CAUGHT_BY)
