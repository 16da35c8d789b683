"""The revision policy: which partitions are ingested, and why."""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, Decision, decide_by_content, decide_by_version
from finra_core.domain.tiers import Tier

MONDAY = date(2026, 1, 5)
HASH = "a3f5b2c8" + "0" * 56
OTHER_HASH = "a3f5b2c9" + "0" * 56
SAME_START = HASH[:-1] + "1"
ON_THE_DAY = datetime.combine(MONDAY, time(15), timezone.utc)
DAYS_LATER = ON_THE_DAY + timedelta(days=3)
VERSION = SourceVersion(MONDAY, 48_765)
TRUSTED = Capture(
    number=1,
    capture_id="finra.otc_transparency:NMS_TIER_1:2025-12-12:20260105",
    revision=1,
    partition=Partition(date(2025, 12, 12), Tier.NMS_TIER_1),
    captured_at=ON_THE_DAY,
    content_hash=HASH,
    version=VERSION,
    row_count=48_765,
    size_bytes=10,
    source_url="https://example.test/week",
    run_id="run",
    reason="first",
    verified_at=DAYS_LATER,
)
UNTRUSTED = evolve(TRUSTED, verified_at=ON_THE_DAY)

versions = st.builds(SourceVersion, st.dates(MONDAY, MONDAY + timedelta(days=1)), st.integers(1, 2))
maybe_versions = st.none() | versions
hashes = st.sampled_from([HASH, OTHER_HASH, SAME_START])
times = st.sampled_from([ON_THE_DAY, ON_THE_DAY + timedelta(days=1), DAYS_LATER])
captures = st.builds(
    lambda version, content_hash, verified_at: evolve(
        TRUSTED, version=version, content_hash=content_hash, verified_at=verified_at
    ),
    maybe_versions,
    hashes,
    times,
)
maybe_captures = st.none() | captures
reasons = st.none() | st.sampled_from(["", "audit"])


@given(maybe_captures, maybe_versions, hashes, reasons, st.booleans())
def test_equal_inputs_give_equal_decisions(
    latest: Capture | None, version: SourceVersion | None, content_hash: str, forced: str | None, verify: bool
) -> None:
    latest_again, version_again = copy.deepcopy((latest, version))
    assert decide_by_version(latest, version, forced=forced, verify=verify) == decide_by_version(
        latest_again, version_again, forced=forced, verify=verify
    )
    assert decide_by_content(latest, content_hash, version, forced=forced) == decide_by_content(
        latest_again, content_hash, version_again, forced=forced
    )


@given(maybe_versions, hashes, reasons, st.booleans())
def test_a_partition_without_a_capture_is_ingested(
    version: SourceVersion | None, content_hash: str, forced: str | None, verify: bool
) -> None:
    first = Decision(Action.INGEST, "No prior capture found (first ingest)")
    assert decide_by_version(None, version, forced=forced, verify=verify) == first
    assert decide_by_content(None, content_hash, version, forced=forced) == first


@given(captures, maybe_versions, hashes, st.sampled_from(["", "audit"]), st.booleans())
def test_force_always_ingests_and_says_why(
    latest: Capture, version: SourceVersion | None, content_hash: str, forced: str, verify: bool
) -> None:
    expected = Decision(Action.INGEST, f"Forced: {forced}")
    assert decide_by_version(latest, version, forced=forced, verify=verify) == expected
    assert decide_by_content(latest, content_hash, version, forced=forced) == expected


@given(captures, maybe_versions)
def test_verify_always_compares_the_content(latest: Capture, version: SourceVersion | None) -> None:
    assert decide_by_version(latest, version, verify=True).action is Action.COMPARE


@given(captures, maybe_versions)
def test_without_fetching_only_an_equal_version_of_a_day_that_had_ended_is_skipped(
    latest: Capture, version: SourceVersion | None
) -> None:
    action = decide_by_version(latest, version).action
    if version is None or latest.version is None:
        assert action is Action.COMPARE
    elif version != latest.version:
        assert action is Action.INGEST
    else:
        # All times drawn are 15:00 UTC, when New York has the same date.
        day_had_ended = latest.verified_at.date() > version.last_update_date
        assert action is (Action.SKIP if day_had_ended else Action.COMPARE)


def test_an_equal_version_is_trusted_from_the_end_of_its_day_in_new_york() -> None:
    # Monday ends at 05:00 UTC in winter.
    before, after = (datetime(2026, 1, 6, *at, tzinfo=timezone.utc) for at in ((4, 59), (5, 0)))
    assert decide_by_version(evolve(TRUSTED, verified_at=before), VERSION).action is Action.COMPARE
    assert decide_by_version(evolve(TRUSTED, verified_at=after), VERSION).action is Action.SKIP


@given(captures, maybe_versions)
def test_equal_content_is_never_ingested_unless_forced(latest: Capture, version: SourceVersion | None) -> None:
    decision = decide_by_content(latest, latest.content_hash, version)
    assert decision.action is Action.SKIP
    assert not decision.silent


@given(captures, maybe_versions, hashes)
def test_other_content_is_always_ingested(latest: Capture, version: SourceVersion | None, content_hash: str) -> None:
    assume(content_hash != latest.content_hash)
    assert decide_by_content(latest, content_hash, version).action is Action.INGEST


@given(captures, maybe_versions, hashes)
def test_a_revision_is_silent_only_if_a_trusted_capture_had_the_same_version(
    latest: Capture, version: SourceVersion | None, content_hash: str
) -> None:
    assume(content_hash != latest.content_hash)
    # Silent: by the version alone the partition would have been skipped, wrongly.
    would_skip = decide_by_version(latest, version).action is Action.SKIP
    assert decide_by_content(latest, content_hash, version).silent == would_skip


def test_changed_content_under_a_trusted_version_is_a_silent_revision() -> None:
    decision = decide_by_content(TRUSTED, OTHER_HASH, VERSION)
    assert decision == Decision(Action.INGEST, "content changed, hash a3f5b2c9 != a3f5b2c8", silent=True)


@pytest.mark.parametrize(
    ("latest", "version"),
    [
        (UNTRUSTED, VERSION),
        (TRUSTED, None),
        (evolve(TRUSTED, version=None), VERSION),
        (TRUSTED, SourceVersion(MONDAY, 48_764)),
        (TRUSTED, SourceVersion(MONDAY + timedelta(days=1), 48_765)),
    ],
)
def test_a_change_that_the_version_showed_or_could_not_show_is_not_silent(
    latest: Capture, version: SourceVersion | None
) -> None:
    decision = decide_by_content(latest, OTHER_HASH, version)
    assert (decision.action, decision.silent) == (Action.INGEST, False)


def test_hashes_that_differ_only_after_the_shown_digits_still_differ() -> None:
    assert decide_by_content(TRUSTED, SAME_START, VERSION).action is Action.INGEST


def test_decisions_explain_themselves_in_the_documents_words() -> None:
    stored = evolve(TRUSTED, version=SourceVersion(date(2025, 12, 30), 48_765))
    updated = SourceVersion(date(2026, 1, 4), 48_765)
    assert decide_by_version(stored, updated).reason == "source updated 2026-01-04 > stored 2025-12-30"
    assert decide_by_content(TRUSTED, HASH, VERSION).reason == "Content unchanged (hash a3f5b2c8)"
    assert decide_by_version(TRUSTED, VERSION).reason == "Source unchanged since 2026-01-05"


def test_a_source_that_went_back_in_time_is_a_revision_too() -> None:
    older = SourceVersion(date(2026, 1, 4), 48_765)
    assert decide_by_version(TRUSTED, older) == Decision(Action.INGEST, "source updated 2026-01-04 < stored 2026-01-05")


def test_withdrawn_rows_are_a_revision_although_no_date_moved() -> None:
    fewer = SourceVersion(MONDAY, 48_762)
    expected = Decision(Action.INGEST, "source has 48,762 rows, stored 48,765")
    assert decide_by_version(TRUSTED, fewer) == expected
    assert decide_by_content(TRUSTED, OTHER_HASH, fewer) == expected


def test_actions_are_the_words_of_the_report() -> None:
    assert [action.value for action in Action] == ["ingest", "skip", "compare"]
