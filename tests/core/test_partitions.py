"""A partition is one week of one tier; its key is JSON that the document's queries can read."""

from __future__ import annotations

import json
import pickle
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest

from finra_core.domain.partitions import DOMAIN, Partition, cross_tier_key, week_key
from finra_core.domain.tiers import Tier

FRIDAY = date(2025, 12, 26)


def test_the_domain_is_the_documents() -> None:
    assert DOMAIN == "finra.otc_transparency"


@pytest.mark.parametrize("offset", [-4, -3, -2, -1, 1, 2])
def test_a_week_ending_other_than_a_friday_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="not a Friday"):
        Partition(FRIDAY + timedelta(days=offset), Tier.OTC)


@pytest.mark.parametrize("tier", ["OTC", "OTCE", None])
def test_a_tier_must_be_a_tier_and_not_its_name(tier: Any) -> None:
    with pytest.raises(TypeError):
        Partition(FRIDAY, tier)


def test_the_week_starts_on_the_monday_of_finras_weekstartdate() -> None:
    assert Partition(FRIDAY, Tier.OTC).week_start == date(2025, 12, 22)


def test_keys_are_the_json_objects_of_the_documents_tables() -> None:
    assert Partition(FRIDAY, Tier.NMS_TIER_1).key == json.dumps({"week_ending": "2025-12-26", "tier": "NMS_TIER_1"})
    assert week_key(FRIDAY) == json.dumps({"week_ending": "2025-12-26"})
    assert cross_tier_key(FRIDAY) == json.dumps({"week_ending": "2025-12-26", "tier": "ALL"})


@pytest.mark.parametrize("tier", Tier)
def test_the_documents_json_extract_reads_a_key(tier: Tier) -> None:
    query = "SELECT json_extract(:key, '$.week_ending'), json_extract(:key, '$.tier')"
    with closing(sqlite3.connect(":memory:")) as connection:
        row = connection.execute(query, {"key": Partition(FRIDAY, tier).key}).fetchone()
    assert row == ("2025-12-26", tier.value)


def test_no_two_partitions_weeks_or_cross_tier_rows_share_a_key() -> None:
    weeks = [FRIDAY, FRIDAY - timedelta(days=7)]
    keys = [Partition(week, tier).key for week in weeks for tier in Tier]
    keys += [week_key(week) for week in weeks] + [cross_tier_key(week) for week in weeks]
    assert len(set(keys)) == len(keys) == 10


def test_log_lines_name_a_partition_as_in_the_document() -> None:
    assert str(Partition(FRIDAY, Tier.NMS_TIER_1)) == "2025-12-26 / NMS_TIER_1"


def test_a_partition_is_a_value() -> None:
    partition = Partition(FRIDAY, Tier.OTC)
    assert {partition, Partition(FRIDAY, Tier.OTC), pickle.loads(pickle.dumps(partition))} == {partition}
    assert partition != Partition(FRIDAY, Tier.NMS_TIER_2)
    with pytest.raises(AttributeError):
        partition.tier = Tier.NMS_TIER_1  # type: ignore[misc]
