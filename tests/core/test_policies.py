"""Policies: what a use needs, and what is refused as one."""

from __future__ import annotations

import pytest

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import BUILT_IN, COMPLIANCE, TRADING, Criterion, Policy, with_built_in
from finra_core.domain.tiers import TIERS, Half, Tier


def test_trading_and_compliance_are_built_in() -> None:
    assert [policy.name for policy in BUILT_IN] == ["trading", "compliance"]


def test_both_need_all_tiers_and_both_halves_and_compliance_is_stricter() -> None:
    assert all((policy.tiers, policy.halves) == (TIERS, tuple(Half)) for policy in BUILT_IN)
    assert COMPLIANCE.criteria - TRADING.criteria == {Criterion.NO_OPEN_ERRORS}


def test_policies_of_ones_own_come_after_the_built_in_ones() -> None:
    otc = Policy(name="otc", tiers=(Tier.OTC,))
    assert with_built_in([otc]) == (TRADING, COMPLIANCE, otc)


def test_a_policy_of_ones_own_replaces_the_built_in_one_of_its_name() -> None:
    own = Policy(name="trading", tiers=(Tier.OTC,))
    assert with_built_in([own]) == (COMPLIANCE, own)


@pytest.mark.parametrize("name", ["", " "])
def test_a_policy_has_a_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="has no name"):
        Policy(name=name)


def test_a_policy_names_a_tier() -> None:
    with pytest.raises(ConfigurationError, match="mine: it names no tier"):
        Policy(name="mine", tiers=())
