"""The suite of stores catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import broken_stores
from support.contract_verdict import judge

CAUGHT_BY = {
    "OverwritesEntries": "test_a_number_is_given_once",
    "ReadsTheChainFromItsBeginning": "test_a_chain_is_read_from_any_place_on",
    "SeesLaterCommits": "test_a_view_does_not_see_what_is_committed_while_it_is_open",
    "OpensItsViewsLate": "test_a_view_does_not_see_what_is_committed_while_it_is_open",
    "ReadsTheCommittedInUnits": "test_a_unit_of_work_reads_what_it_has_put",
    "CommitsWhatRaised": "test_a_block_that_raises_leaves_nothing",
    "RollsBackErrorsAlone": "test_an_interrupt_rolls_back_too",
    "ShowsTheUncommitted": "test_nobody_sees_a_unit_of_work_before_it_ends",
    "LocksNothing": "test_writers_of_one_scope_take_their_turn",
    "HoldsNoLock": "test_holders_of_one_lock_take_their_turn",
    "ReadsBeforeItHolds": "test_holders_of_one_lock_take_their_turn",
    "SwallowsErrors": "test_a_block_that_raises_lets_the_error_through",
    "ReopensAnother": "test_another_process_opens_what_it_holds",
    "TakesItsConnectionsAlong": "test_a_store_that_cannot_be_opened_elsewhere_says_so",
    "LocksOnlyItsOwnThreads": "test_a_writer_in_another_process_waits_or_is_refused",
    "RemembersWhatItRead": "test_another_process_writes_into_it",
    "NumbersDownwards": "test_numbers_grow_within_a_partition",
    "KeepsNoRevision": "test_captures_may_share_a_capture_id",
    "TakesTheNewestByTheClock": "test_the_newest_capture_is_that_of_the_highest_number_whatever_its_time",
    "TakesOneNewestForAll": "test_the_newest_captures_are_one_of_each_partition",
    "TakesTheNewestAndThenLooksAtTheTime": "test_the_newest_captures_as_of_an_instant_are_the_newest_of_those",
    "LeavesOutTheInstantItself": "test_captures_can_be_had_as_of_an_instant",
    "TakesNoneForAll": "test_captures_of_nothing_are_none",
    "KeepsWholeSeconds": "test_times_are_kept_to_the_microsecond_and_read_as_utc",
    "KeepsTheLatestCheck": "test_a_check_is_noted_as_it_is_said",
    "StoresAllOfWhatWasChecked": "test_a_check_changes_nothing_else",
    "LosesChecksOfTheUnknown": "test_a_check_of_a_capture_that_is_not_here_is_an_error",
    "ReencodesDocuments": "test_documents_are_read_back_byte_for_byte",
    "KeepsOneDocumentAHash": "test_equal_contents_in_another_order_of_rows_keep_their_own_bytes",
    "KeepsWithdrawnRows": "test_rows_are_counted_against_the_records_before",
    "NormalizesAgain": "test_a_capture_is_normalized_once",
    "DropsRejects": "test_rejects_are_read_back_by_document_and_line",
    "KeepsSharesAsDoubles": "test_numbers_are_kept_to_the_last_digit",
    "FoldsCase": "test_names_are_kept_to_the_letter",
    "WorksOutCoverageItself": "test_a_normalized_capture_says_so",
    "HasTheSymbolsOfAllCaptures": "test_symbols_are_a_captures_own",
    "ComparesAllRestatementsWithTheFirst": "test_a_change_that_was_taken_back_is_two_restatements",
    "CountsTheFirstCaptureAsARestatement": "test_a_first_capture_restates_nothing",
    "FoldsTheCaseOfASymbol": "test_they_are_narrowed_to_a_symbol_to_the_letter",
    "ForgetsWhatWasBeforeSince": "test_they_are_narrowed_by_when_they_became_visible",
    "MissesWithdrawnRows": "test_rows_that_came_went_and_changed_are_the_changes",
    "TakesARenamedVenueForAnother": "test_a_renamed_venue_is_one_changed_row",
    "ComparesForwardAlone": "test_changes_can_be_had_backward",
    "StoresAnalyticsTwice": "test_the_same_analytics_are_stored_once",
    "SortsInputs": "test_analytics_across_tiers_are_read_back_as_they_were",
    "KeepsOneBoundOfTheIndex": "test_analytics_of_a_tier_are_read_back_as_they_were",
    "GivesTheAnalyticsOfAllWeeks": "test_analytics_can_be_had_of_some_weeks",
    "LosesHistory": "test_the_history_has_all_judgments",
    "KeepsAJudgmentOnce": "test_a_judgment_that_comes_back_is_in_the_history_twice",
    "HoldsTheJudgmentOfTheLatestTime": "test_the_judgment_put_last_holds_whatever_its_time",
    "DerivesReadiness": "test_each_criterion_is_kept_for_itself",
    "CountsByItself": "test_an_anomaly_is_stored_as_it_is_said",
    "ForgetsAcknowledgments": "test_an_anomaly_is_read_back_as_it_was",
    "KeepsDetailsAsText": "test_details_keep_their_types",
    "KeepsTheFirstFinding": "test_an_anomaly_takes_the_place_of_the_one_with_its_fingerprint",
    "TakesAWeekForItsTiers": "test_anomalies_can_be_had_of_some_subjects",
    "LosesPlaces": "test_an_anomaly_is_about_any_subject",
    "DropsEvidence": "test_a_decision_is_read_back_as_it_was",
    "KeepsOneDecisionAPartition": "test_a_decision_taken_again_is_there_twice",
    "TakesTheFirstDecisionForTheLatest": "test_decisions_can_be_had_of_weeks_and_the_latest_alone_of_each_partition",
    "IgnoresLimits": "test_a_limit_keeps_the_newest_decisions_that_are_asked_for",
    "LimitsBeforeItLooks": "test_a_limit_keeps_the_newest_decisions_that_are_asked_for",
    "KeepsTheOldestRuns": "test_a_limit_keeps_the_newest_runs",
    "EntersARunOnce": "test_a_run_takes_the_place_of_the_one_with_its_run_id",
    "KeepsAnalyticsOfTheRemoved": "test_analytics_go_with_each_of_their_inputs",
    "RemovesAnalyticsByTheirFirstInput": "test_analytics_go_with_each_of_their_inputs",
    "EndsRowsWithTheRemoved": "test_the_rows_and_changes_of_the_others_stay",
    "NumbersByCounting": "test_numbers_grow_after_a_removal",
    "KeepsPinsOfTheRemoved": "test_a_removed_capture_is_gone_with_what_only_it_had",
    "PinsAllRevisions": "test_a_pin_can_be_removed",
    "RemovesWhatItFinds": "test_what_is_not_there_or_of_two_partitions_is_not_removed",
    "ForgetsWhatWasRemoved": "test_records_of_removals_are_read_back_as_they_were",
    "ForgetsWhereTheSweepEnded": "test_runs_that_swept_can_be_had_alone",
}
"""The store, and the test that is there for its fault."""

_SUITE = """\
import pytest
from support.broken_stores import Shared, {store}
from finra_core.testing.store import StoreContract

class TestStore(StoreContract):
    @pytest.fixture
    def new_store(self):
        return {store}

    @pytest.fixture
    def reopens(self):
        return issubclass({store}, Shared)
"""


_HARMLESS = "test_an_empty_store_has_nothing"
"""What any store passes that is one at all."""


def judged(store: str, folder: Path, *only: str) -> dict[str, set[str]]:
    return judge(_SUITE.format(store=store), folder, *only)


def test_a_sound_store_passes(tmp_path: Path) -> None:
    ended = judged("Shared", tmp_path)
    assert ended["failed"] == ended["skipped"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


def test_a_sound_store_that_ends_with_its_object_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["skipped"]


@pytest.mark.parametrize(("store", "test"), CAUGHT_BY.items())
def test_a_broken_store_fails(store: str, test: str, tmp_path: Path) -> None:
    ended = judged(store, tmp_path, test, _HARMLESS)
    assert test in ended["failed"]
    assert _HARMLESS in ended["passed"], "it is no store at all"


def test_every_broken_store_is_tried() -> None:
    kinds = [kind for kind in vars(broken_stores).values() if isinstance(kind, type)]
    broken = {kind.__name__ for kind in kinds if issubclass(kind, broken_stores.Sound)}
    assert broken - {"Sound", "Shared"} == set(CAUGHT_BY)
