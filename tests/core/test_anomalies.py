"""Anomalies: a finding is known again by what it concerns, not by how it is put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.anomalies import Anomaly, Category, Check, Detail, Severity, Stage
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import Tier

WEEK = date(2025, 12, 26)
SCOPES = [
    *(Scope.partition(Partition(WEEK, tier)) for tier in Tier),
    Scope.partition(Partition(date(2025, 12, 19), Tier.OTC)),
    Scope.week(WEEK),
    Scope.across_tiers(WEEK),
    Scope.at("week.csv"),
    STORE,
]
Finding = tuple[Category, Scope, Stage]

findings = st.tuples(st.sampled_from(Category), st.sampled_from(SCOPES), st.sampled_from(Stage))
messages = st.text(max_size=20)
details = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


def anomaly(finding: Finding, message: str = "", details: Mapping[str, Detail] | None = None) -> Anomaly:
    return Anomaly(Severity.ERROR, *finding, message, details or {})


@given(findings, messages, messages, details, details)
def test_the_fingerprint_does_not_depend_on_message_or_details(
    finding: Finding,
    message: str,
    other_message: str,
    facts: dict[str, Detail],
    other_facts: dict[str, Detail],
) -> None:
    assert anomaly(finding, message, facts).fingerprint == anomaly(finding, other_message, other_facts).fingerprint


def test_every_category_subject_and_stage_has_a_fingerprint_of_its_own() -> None:
    found = [anomaly((category, scope, stage)) for category in Category for scope in SCOPES for stage in Stage]
    assert len({each.fingerprint for each in found}) == len(Category) * len(SCOPES) * len(Stage)


@pytest.mark.parametrize("severity", Severity)
def test_a_finding_that_grew_worse_is_still_the_same_finding(severity: Severity) -> None:
    late = Anomaly(severity, Category.LATE, SCOPES[0], Stage.RAW, "late")
    assert late.fingerprint == Anomaly(Severity.WARN, Category.LATE, SCOPES[0], Stage.RAW, "late").fingerprint


def test_a_stored_fingerprint_is_found_again_by_later_releases() -> None:
    # printf 'finra.otc_transparency\nLATE\n{"week_ending": "2025-12-26", "tier": "OTC"}\nRAW' | sha256sum
    assert anomaly((Category.LATE, SCOPES[2], Stage.RAW)).fingerprint == "d5f1532f4f6557fb"


@given(findings)
def test_a_fingerprint_is_16_hex_digits(finding: Finding) -> None:
    assert re.fullmatch("[0-9a-f]{16}", anomaly(finding).fingerprint)


@given(st.text(max_size=8), st.text(max_size=8))
def test_no_place_can_pass_for_another(place: str, other: str) -> None:
    one, two = (anomaly((Category.LATE, Scope.at(each), Stage.RAW)).fingerprint for each in (place, other))
    assert (one == two) == (place == other)


@pytest.mark.parametrize(
    ("members", "names"),
    [
        (Severity, ["CRITICAL", "ERROR", "WARN", "INFO"]),
        (Stage, ["RAW", "NORMALIZED", "CALC"]),
    ],
)
def test_severities_and_stages_are_the_documents(members: type[Severity] | type[Stage], names: list[str]) -> None:
    assert [f"{member}" for member in members] == names


@pytest.mark.parametrize("name", ["SOURCE_UNAVAILABLE", "PIPELINE_ERROR", "INCOMPLETE_INPUT"])
def test_the_documents_categories_are_there(name: str) -> None:
    assert f"{Category(name)}" == name


def test_a_check_that_found_nothing_resolves_and_needs_no_saying_so() -> None:
    assert Check(SCOPES[0], Stage.RAW).found == ()


def test_an_anomaly_is_a_value_that_can_be_in_a_set() -> None:
    one, other = (anomaly((Category.LATE, STORE, Stage.RAW), details={"days": days}) for days in (1, 2))
    assert len({one, other, anomaly((Category.LATE, STORE, Stage.RAW), details={"days": 1})}) == 2


def test_anomalies_do_not_share_their_details() -> None:
    one, other = (Anomaly(Severity.INFO, Category.LATE, SCOPES[0], Stage.RAW, "") for _ in range(2))
    assert one.details == {}
    assert one.details is not other.details
