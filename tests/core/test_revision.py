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
from finra_core.domain.revision import (
    Action,
    CaptureRef,
    Decision,
    Evidence,
    Rule,
    decide_by_content,
    decide_by_version,
)
from finra_core.domain.tiers import Tier
from support.captures import a_capture

MONDAY = date(2026, 1, 5)
HASH = "a3f5b2c8" + "0" * 56
OTHER_HASH = "a3f5b2c9" + "0" * 56
SAME_START = HASH[:-1] + "1"
ON_THE_DAY = datetime.combine(MONDAY, time(15), timezone.utc)
DAYS_LATER = ON_THE_DAY + timedelta(days=3)
VERSION = SourceVersion(MONDAY, 48_765)
DATED = SourceVersion(MONDAY, None)
TRUSTED = a_capture(
    partition=Partition(date(2025, 12, 12), Tier.NMS_TIER_1),
    captured_at=ON_THE_DAY,
    content_hash=HASH,
    version=VERSION,
    verified_at=DAYS_LATER,
)
UNTRUSTED = evolve(TRUSTED, verified_at=ON_THE_DAY)

versions = st.builds(SourceVersion, st.dates(MONDAY, MONDAY + timedelta(days=1)), st.none() | st.integers(1, 2))
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
    for decision in (
        decide_by_version(None, version, forced=forced, verify=verify),
        decide_by_content(None, content_hash, version, forced=forced),
    ):
        assert (decision.action, decision.rule) == (Action.INGEST, Rule.FIRST_CAPTURE)


@given(captures, maybe_versions, hashes, st.sampled_from(["", "audit"]), st.booleans())
def test_force_always_ingests_and_says_why(
    latest: Capture, version: SourceVersion | None, content_hash: str, forced: str, verify: bool
) -> None:
    for decision in (
        decide_by_version(latest, version, forced=forced, verify=verify),
        decide_by_content(latest, content_hash, version, forced=forced),
    ):
        assert (decision.action, decision.rule, decision.evidence.note) == (Action.INGEST, Rule.FORCED, forced)


@given(captures, maybe_versions)
def test_verify_always_compares_the_content(latest: Capture, version: SourceVersion | None) -> None:
    decision = decide_by_version(latest, version, verify=True)
    assert (decision.action, decision.rule) == (Action.COMPARE, Rule.VERIFY)


@given(maybe_captures, maybe_versions, hashes, reasons, st.booleans())
def test_a_decision_has_all_that_it_rests_on(
    latest: Capture | None, version: SourceVersion | None, content_hash: str, forced: str | None, verify: bool
) -> None:
    ref = CaptureRef.of(latest) if latest else None
    by_version = decide_by_version(latest, version, forced=forced, verify=verify)
    by_content = decide_by_content(latest, content_hash, version, forced=forced)
    assert by_version.evidence == Evidence(latest=ref, version=version, note=forced)
    assert by_content.evidence == Evidence(latest=ref, version=version, content_hash=content_hash, note=forced)


def test_a_reference_to_a_capture_names_it() -> None:
    ref = CaptureRef.of(TRUSTED)
    assert (ref.number, ref.capture_id, ref.revision) == (TRUSTED.number, TRUSTED.capture_id, 1)
    assert (ref.content_hash, ref.version) == (HASH, VERSION)
    assert [str(ref), str(evolve(ref, revision=2))] == [TRUSTED.capture_id, f"{TRUSTED.capture_id} r2"]


@pytest.mark.parametrize("action", Action)
def test_the_content_is_wanted_to_store_it_or_to_compare_it(action: Action) -> None:
    assert Decision(action, Rule.VERIFY).needs_fetch == (action in (Action.INGEST, Action.COMPARE))


@given(captures, maybe_versions)
def test_without_fetching_only_an_equal_version_of_a_day_that_had_ended_is_skipped(
    latest: Capture, version: SourceVersion | None
) -> None:
    action = decide_by_version(latest, version).action
    if any(each is None or each.row_count is None for each in (version, latest.version)):
        assert action is Action.COMPARE  # nothing says whether they are the same
    elif version != latest.version:
        assert action is Action.INGEST
    elif version is not None:
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
    assert (decision.action, decision.rule) == (Action.SKIP, Rule.CONTENT_UNCHANGED)


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
    assert (decide_by_content(latest, content_hash, version).rule is Rule.SILENT_REVISION) == would_skip


@pytest.mark.parametrize(
    ("latest", "version", "rule"),
    [
        (TRUSTED, VERSION, Rule.SILENT_REVISION),
        (UNTRUSTED, VERSION, Rule.CONTENT_CHANGED),
        (TRUSTED, None, Rule.CONTENT_CHANGED),
        (TRUSTED, DATED, Rule.CONTENT_CHANGED),
        (evolve(TRUSTED, version=None), VERSION, Rule.CONTENT_CHANGED),
        (evolve(TRUSTED, version=DATED), DATED, Rule.CONTENT_CHANGED),
        (TRUSTED, SourceVersion(MONDAY, 48_764), Rule.VERSION_CHANGED),
        (TRUSTED, SourceVersion(MONDAY + timedelta(days=1), 48_765), Rule.VERSION_CHANGED),
    ],
)
def test_only_a_change_that_the_version_should_have_shown_is_silent(
    latest: Capture, version: SourceVersion | None, rule: Rule
) -> None:
    decision = decide_by_content(latest, OTHER_HASH, version)
    assert (decision.action, decision.rule) == (Action.INGEST, rule)


def test_hashes_that_differ_only_after_the_shown_digits_still_differ() -> None:
    assert decide_by_content(TRUSTED, SAME_START, VERSION).action is Action.INGEST


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(SourceVersion(MONDAY + timedelta(days=1), 48_765), id="later"),
        pytest.param(SourceVersion(MONDAY - timedelta(days=1), 48_765), id="it went back in time"),
        pytest.param(SourceVersion(MONDAY, 48_762), id="rows were withdrawn, and no date moved"),
    ],
)
def test_another_version_is_ingested(version: SourceVersion) -> None:
    for decision in (decide_by_version(TRUSTED, version), decide_by_content(TRUSTED, OTHER_HASH, version)):
        assert (decision.action, decision.rule) == (Action.INGEST, Rule.VERSION_CHANGED)


def test_an_equal_version_is_skipped_compared_or_not_comparable_each_by_a_rule_of_its_own() -> None:
    rules = [decide_by_version(latest, VERSION).rule for latest in (TRUSTED, UNTRUSTED, evolve(TRUSTED, version=None))]
    assert rules == [Rule.VERSION_UNCHANGED, Rule.VERSION_OF_THAT_DAY, Rule.NO_VERSION]
    assert decide_by_version(TRUSTED, DATED).rule is Rule.NO_VERSION
