"""A scope is one subject; its key is JSON that the document's queries can read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import STORE, Scope
from finra_core.domain.tiers import Tier

FRIDAY = date(2025, 12, 26)
TIER_1 = Partition(FRIDAY, Tier.NMS_TIER_1)

scopes = st.builds(
    Scope,
    st.none() | st.sampled_from([FRIDAY, FRIDAY + timedelta(weeks=1)]),
    st.none() | st.sampled_from(["OTC", "ALL"]),
    st.none() | st.text(max_size=8),
)


def test_keys_are_the_json_objects_of_the_documents_tables() -> None:
    assert Scope.partition(TIER_1).key == json.dumps({"week_ending": "2025-12-26", "tier": "NMS_TIER_1"})
    assert Scope.week(FRIDAY).key == json.dumps({"week_ending": "2025-12-26"})
    assert Scope.across_tiers(FRIDAY).key == json.dumps({"week_ending": "2025-12-26", "tier": "ALL"})
    assert Scope.at("week 52.csv").key == json.dumps({"place": "week 52.csv"})
    assert STORE.key == "{}"


@pytest.mark.parametrize("tier", Tier)
def test_the_documents_json_extract_reads_a_key(tier: Tier) -> None:
    query = "SELECT json_extract(:key, '$.week_ending'), json_extract(:key, '$.tier')"
    with closing(sqlite3.connect(":memory:")) as connection:
        row = connection.execute(query, {"key": Scope.partition(Partition(FRIDAY, tier)).key}).fetchone()
    assert row == ("2025-12-26", tier.value)


@given(scopes, scopes)
def test_no_two_subjects_share_a_key(one: Scope, other: Scope) -> None:
    assert (one.key == other.key) == (one == other)


def test_a_week_is_another_subject_than_its_tiers_and_than_all_of_them_together() -> None:
    subjects = {Scope.week(FRIDAY), Scope.across_tiers(FRIDAY), *(Scope.partition(Partition(FRIDAY, t)) for t in Tier)}
    assert len(subjects) == 5


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope.partition(TIER_1), "2025-12-26 / NMS_TIER_1"),
        (Scope.week(FRIDAY), "2025-12-26"),
        (Scope.at("a.csv"), "a.csv"),
        (STORE, "store"),
    ],
)
def test_messages_name_a_subject(scope: Scope, text: str) -> None:
    assert str(scope) == text
