"""The suite of sources catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import broken_sources
from support.contract_verdict import judge

CAUGHT_BY = {
    "HasNoName": "test_it_has_a_name_for_log_lines",
    "IsOneInstanceAlways": "test_sources_are_told_apart_by_their_instance",
    "SwallowsErrors": "test_a_block_that_raises_lets_the_error_through",
    "TakesItsThreadsAlong": "test_another_process_opens_its_equal_or_is_told_why_not",
    "OpensAnotherWorld": "test_another_process_opens_its_equal_or_is_told_why_not",
    "ListsWhatItHasNot": "test_it_lists_what_it_has",
    "ListsLess": "test_it_lists_what_it_has",
    "HasProblemsNowhere": "test_problems_say_where_they_are",
    "CutsOffTheEnd": "test_it_gives_each_partition_whole",
    "GivesAnotherTier": "test_it_gives_each_partition_whole",
    "IsNeverTheSame": "test_a_partition_that_has_not_changed_is_the_same_again",
    "ProfilesAnotherDocument": "test_what_it_says_of_its_documents_is_so",
    "IsEmptyWhereAbsent": "test_an_absent_partition_is_an_error_that_names_it",
    "NamesNoPartition": "test_an_absent_partition_is_an_error_that_names_it",
    "MixesUpItsThreads": "test_threads_may_call_it_at_once",
    "SaysNoVersions": "test_a_source_has_versions_or_none",
    "FetchesAnotherVersionThanItProbes": "test_a_fetched_version_is_the_one_that_was_probed",
    "MiscountsItsVersions": "test_a_version_counts_the_rows_of_its_payload",
    "DatesItsVersionsByTheFirstRow": "test_a_version_has_the_newest_date_of_its_rows",
    "FailsToProbeTheAbsent": "test_an_absent_partition_has_no_version",
    "NeedsAProbeFirst": "test_a_fetch_is_the_same_whether_or_not_there_was_a_probe",
    "GivesWhatWasProbedLast": "test_probing_another_partition_changes_no_fetch",
    "BelievesWhatIsExpected": "test_a_fetch_with_another_version_gives_what_is_there",
    "GivesAsManyRowsAsExpected": "test_a_fetch_with_another_version_gives_what_is_there",
    "FailsWhereItExpectedAnother": "test_a_fetch_with_another_version_gives_what_is_there",
    "CannotTellWhatWasRestated": "test_what_was_restated_since_a_day_is_so_by_its_rows",
    "TellsOfNoRestatement": "test_what_was_restated_since_a_day_is_so_by_its_rows",
    "LeavesOutTheDayItself": "test_what_was_restated_since_a_day_is_so_by_its_rows",
    "TellsOfAllPartitions": "test_what_was_restated_since_a_day_is_so_by_its_rows",
    "TellsOfAllWeeks": "test_what_was_restated_is_of_the_weeks_before",
    "AsksAsSoonAsItIsOpened": "test_a_new_source_has_cost_nothing",
    "ForgetsWhatItCost": "test_usage_only_grows",
    "HidesItsPrice": "test_a_source_that_costs_something_says_so_beforehand",
}
"""The source, and the test that is there for its fault."""

_HARMLESS = "test_it_is_a_feed_or_an_archive"
"""What any source passes that is one at all."""

_SUITE = """\
import pytest
from support.broken_sources import ABSENT, KNOWN, {source}
from finra_core.testing.source import SourceContract

class TestSource(SourceContract):
    @pytest.fixture
    def new_source(self):
        return {source}

    @pytest.fixture
    def known(self):
        return KNOWN

    @pytest.fixture
    def absent(self):
        return ABSENT

    @pytest.fixture
    def versions(self):
        return True

    @pytest.fixture
    def tells_restatements(self):
        return True

    @pytest.fixture
    def reopens(self):
        return True
"""


def judged(source: str, folder: Path, *only: str) -> dict[str, set[str]]:
    return judge(_SUITE.format(source=source), folder, *only)


def test_a_sound_source_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


@pytest.mark.parametrize(("source", "test"), CAUGHT_BY.items())
def test_a_broken_source_fails(source: str, test: str, tmp_path: Path) -> None:
    ended = judged(source, tmp_path, test, _HARMLESS)
    assert test in ended["failed"]
    assert _HARMLESS in ended["passed"], "it is no source at all"


def test_every_broken_source_is_tried() -> None:
    kinds = [kind for kind in vars(broken_sources).values() if isinstance(kind, type)]
    broken = {kind.__name__ for kind in kinds if issubclass(kind, broken_sources.Sound)}
    assert broken - {"Sound"} == set(CAUGHT_BY)
