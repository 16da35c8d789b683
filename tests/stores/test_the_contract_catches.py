"""The suite of stores catches broken ones: a fault that somebody could make, and the test that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import broken_stores
from support.contract_verdict import judge

CAUGHT_BY = {
    "CommitsWhatRaised": "test_a_block_that_raises_leaves_nothing",
    "RollsBackErrorsAlone": "test_an_interrupt_rolls_back_too",
    "ShowsTheUncommitted": "test_nobody_sees_a_transaction_before_it_ends",
    "LocksNothing": "test_writers_of_one_partition_take_their_turn",
    "NumbersDownwards": "test_numbers_grow_within_a_partition",
    "CountsNoRevision": "test_captures_that_share_a_capture_id_count_their_revisions",
    "TakesTheLatestByTheClock": "test_the_latest_capture_is_that_of_the_highest_number_whatever_its_time",
    "TakesAnyPartitionsLatest": "test_the_latest_capture_is_the_partitions_newest",
    "KeepsWholeSeconds": "test_times_are_kept_to_the_microsecond_and_read_as_utc",
    "KeepsTheLastVerification": "test_an_earlier_verification_noted_late_does_not_count",
    "ReencodesDocuments": "test_documents_are_read_back_byte_for_byte",
    "KeepsOneDocumentAHash": "test_equal_contents_in_another_order_of_rows_keep_their_own_bytes",
    "KeepsWithdrawnRows": "test_changes_are_counted_against_the_records_before",
    "NormalizesAgain": "test_a_capture_is_normalized_once",
    "DropsRejects": "test_rejects_are_read_back_by_document_and_line",
    "KeepsSharesAsDoubles": "test_numbers_are_kept_to_the_last_digit",
    "SharesSymbolsWithinACapture": "test_symbols_are_shared_by_captures_and_not_within_one",
    "AcceptsOutdatedAnalytics": "test_analytics_across_tiers_that_rest_on_an_outdated_capture_are_refused",
    "StoresAnalyticsTwice": "test_the_same_analytics_are_stored_once",
    "NeverResolves": "test_a_check_that_passes_resolves_what_it_found_before",
    "NeverReopens": "test_a_resolved_anomaly_reopens",
    "ResolvesWhatNobodyChecked": "test_a_check_of_another_thing_or_stage_resolves_nothing",
    "WithdrawsNothing": "test_a_withdrawn_week_is_not_ready_for_that_reason",
    "LosesUnstartedRuns": "test_a_run_that_was_not_started_cannot_be_finished",
}
"""The store, and the test that is there for its fault."""

_SUITE = """\
import pytest
from support.broken_stores import {store}
from finra_core.testing.store import StoreContract

class TestStore(StoreContract):
    @pytest.fixture
    def new_store(self):
        return {store}
"""


def judged(store: str, folder: Path) -> dict[str, set[str]]:
    return judge(_SUITE.format(store=store), folder)


def test_a_sound_store_passes(tmp_path: Path) -> None:
    ended = judged("Sound", tmp_path)
    assert ended["failed"] == set()
    assert ended["passed"] >= set(CAUGHT_BY.values())


@pytest.mark.parametrize(("store", "test"), CAUGHT_BY.items())
def test_a_broken_store_fails(store: str, test: str, tmp_path: Path) -> None:
    ended = judged(store, tmp_path)
    assert test in ended["failed"]
    assert ended["passed"], "it is no store at all"


def test_every_broken_store_is_tried() -> None:
    stores = {name for name, kind in vars(broken_stores).items() if isinstance(kind, type) and "begin" in dir(kind)}
    assert stores - {"Sound"} == set(CAUGHT_BY)
