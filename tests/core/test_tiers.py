"""FINRA's three tiers and what it calls them. Spellings as FINRA's API and files have them."""

from __future__ import annotations

import json

import pytest

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier, VenueType, parse_tiers

SPELLINGS = [
    (Tier.NMS_TIER_1, "T1", "NMS Tier 1"),
    (Tier.NMS_TIER_2, "T2", "NMS Tier 2"),
    (Tier.OTC, "OTCE", "OTC"),
]


@pytest.mark.parametrize(("tier", "code", "description"), SPELLINGS)
def test_each_tier_has_finras_code_and_description_and_is_found_by_them(
    tier: Tier, code: str, description: str
) -> None:
    assert (tier.finra_code, tier.finra_description) == (code, description)
    assert Tier.from_finra_code(code) is tier
    assert Tier.from_finra_description(description) is tier


@pytest.mark.parametrize("code", ["NA", "NMS", "OTC", "t1", "T1 ", "", "NMS_TIER_1", "NMS Tier 1"])
def test_no_tier_is_guessed_from_another_code(code: str) -> None:
    assert Tier.from_finra_code(code) is None


@pytest.mark.parametrize("description", ["OTCE", "Not Applicable", "nms tier 1", "NMS Tier 1 ", "", "T1", "NMS_TIER_1"])
def test_no_tier_is_guessed_from_another_description(description: str) -> None:
    assert Tier.from_finra_description(description) is None


def test_there_are_three_tiers_in_finras_order_and_all_is_none_of_them() -> None:
    assert [str(tier) for tier in TIERS] == ["NMS_TIER_1", "NMS_TIER_2", "OTC"]
    assert ALL_TIERS == "ALL"
    assert ALL_TIERS not in Tier.__members__


@pytest.mark.parametrize("member", [*Tier, *VenueType])
def test_a_member_is_its_name_in_text_and_json_on_every_python(member: Tier | VenueType) -> None:
    assert str(member) == f"{member}" == f"{member:s}" == member.name
    assert json.loads(json.dumps(member)) == member.name


@pytest.mark.parametrize(
    ("text", "tiers"),
    [
        ("OTC", (Tier.OTC,)),
        ("OTC,NMS_TIER_1", (Tier.NMS_TIER_1, Tier.OTC)),
        ("NMS_TIER_2, NMS_TIER_2 ,OTC", (Tier.NMS_TIER_2, Tier.OTC)),
        ("OTC,NMS_TIER_2,NMS_TIER_1", (Tier.NMS_TIER_1, Tier.NMS_TIER_2, Tier.OTC)),
    ],
)
def test_tiers_are_read_without_repeats_in_processing_order(text: str, tiers: tuple[Tier, ...]) -> None:
    assert parse_tiers(text) == tiers


@pytest.mark.parametrize(
    "text", ["", " ", ",", "OTC,", "OTCE", "T1", "otc", "NMS_TIER_3", "NMS Tier 1", "ALL", "OTC;OTC"]
)
def test_a_name_that_is_no_tier_is_a_configuration_error_that_lists_the_tiers(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NMS_TIER_1, NMS_TIER_2, OTC"):
        parse_tiers(text)


def test_the_error_names_the_first_name_that_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match="'OTCE'"):
        parse_tiers("OTC,OTCE,T9")
