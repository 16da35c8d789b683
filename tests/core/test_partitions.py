"""A partition is one week of one tier."""

from __future__ import annotations

import pickle
from datetime import date, timedelta
from typing import Any

import pytest

from finra_core.domain.partitions import DOMAIN, Partition
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


def test_log_lines_name_a_partition_as_in_the_document() -> None:
    assert str(Partition(FRIDAY, Tier.NMS_TIER_1)) == "2025-12-26 / NMS_TIER_1"


def test_a_partition_is_a_value() -> None:
    partition = Partition(FRIDAY, Tier.OTC)
    assert {partition, Partition(FRIDAY, Tier.OTC), pickle.loads(pickle.dumps(partition))} == {partition}
    assert partition != Partition(FRIDAY, Tier.NMS_TIER_2)
    with pytest.raises(AttributeError):
        partition.tier = Tier.NMS_TIER_1  # type: ignore[misc]
