"""The suite of executors catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

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
    "GivesNoFutures": "test_futures_can_be_waited_for",
}
"""The executor, and the test that is there for its fault."""

_SUITE = """\
import pytest
from support.broken_executors import {executor}
from finra_core import open_source, open_store
from finra_core.testing.executor import ExecutorContract
from support.harness import MONDAY_MORNING

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
        return open_source("simulator:?seed=3&symbols=3&now=2026-01-05T15:30:00Z")

    @pytest.fixture
    def now(self):
        return MONDAY_MORNING
"""


def judged(executor: str, folder: Path) -> dict[str, set[str]]:
    return judge(_SUITE.format(executor=executor), folder)


def test_a_sound_executor_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


@pytest.mark.parametrize(("executor", "test"), CAUGHT_BY.items())
def test_a_broken_executor_fails(executor: str, test: str, tmp_path: Path) -> None:
    ended = judged(executor, tmp_path)
    assert test in ended["failed"]


def test_every_broken_executor_is_tried() -> None:
    kinds = [kind for kind in vars(broken_executors).values() if isinstance(kind, type)]
    broken = {kind.__name__ for kind in kinds if "submit" in dir(kind) and kind.__module__ == "broken_executors"}
    assert broken - {"Sound"} == set(CAUGHT_BY)
