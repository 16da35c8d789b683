"""The suite of sources catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import broken_sources
from support.contract_verdict import judge

CAUGHT_BY = {
    "HasNoName": "test_it_has_a_name_for_log_lines",
    "ListsWhatItHasNot": "test_it_lists_what_it_has",
    "ListsLess": "test_it_lists_what_it_has",
    "CutsOffTheEnd": "test_it_gives_each_partition_whole",
    "GivesAnotherTier": "test_it_gives_each_partition_whole",
    "IsNeverTheSame": "test_a_partition_that_has_not_changed_is_the_same_again",
    "MiscountsItsVersions": "test_a_version_counts_the_rows_of_its_payload",
    "SurveysAnotherDocument": "test_what_it_says_of_its_documents_is_so",
    "IsEmptyWhereAbsent": "test_an_absent_partition_is_an_error_that_names_it",
    "NamesNoPartition": "test_an_absent_partition_is_an_error_that_names_it",
    "FailsToProbeTheAbsent": "test_an_absent_partition_has_no_version",
    "MixesUpItsThreads": "test_threads_may_call_it_at_once",
    "ForgetsWhatItCost": "test_usage_only_grows",
    "HidesItsPrice": "test_a_source_that_costs_something_says_so_beforehand",
}
"""The source, and the test that is there for its fault."""

_SUITE = """\
import pytest
from support.broken_sources import ABSENT, KNOWN, {source}
from finra_core.testing.source import SourceContract

class TestSource(SourceContract):
    @pytest.fixture
    def source(self):
        return {source}()

    @pytest.fixture
    def known(self):
        return KNOWN

    @pytest.fixture
    def absent(self):
        return ABSENT

    @pytest.fixture
    def versions(self):
        return True
"""


def judged(source: str, folder: Path) -> dict[str, set[str]]:
    return judge(_SUITE.format(source=source), folder)


def test_a_sound_source_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


@pytest.mark.parametrize(("source", "test"), CAUGHT_BY.items())
def test_a_broken_source_fails(source: str, test: str, tmp_path: Path) -> None:
    ended = judged(source, tmp_path)
    assert test in ended["failed"]
    assert ended["passed"], "it is no source at all"


def test_every_broken_source_is_tried() -> None:
    kinds = [kind for kind in vars(broken_sources).values() if isinstance(kind, type)]
    broken = {kind.__name__ for kind in kinds if issubclass(kind, broken_sources.Sound)}
    assert broken - {"Sound"} == set(CAUGHT_BY)
