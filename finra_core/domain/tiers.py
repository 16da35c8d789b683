"""FINRA's three tiers, the halves of each, and the kinds of venue."""

from __future__ import annotations

from enum import Enum

from finra_core.domain.errors import ConfigurationError


class Tier(str, Enum):
    """A tier of FINRA Rules 6110(b) and 6610(b). The order of definition is the order of processing.

    `finra_code` is FINRA's tierIdentifier, `finra_description` its tierDescription. For the third tier the one is OTCE
    and the other OTC. Nothing here guesses between them.
    """

    NMS_TIER_1 = "NMS_TIER_1"
    NMS_TIER_2 = "NMS_TIER_2"
    OTC = "OTC"

    @property
    def finra_code(self) -> str:
        """FINRA's tierIdentifier."""
        return _CODES[self]

    @property
    def finra_description(self) -> str:
        """FINRA's tierDescription."""
        return _DESCRIPTIONS[self]

    @classmethod
    def from_finra_code(cls, code: str) -> Tier | None:
        """The tier with this tierIdentifier, compared exactly; None for NA, NMS and anything else."""
        return _BY_CODE.get(code)

    @classmethod
    def from_finra_description(cls, description: str) -> Tier | None:
        """The tier with this tierDescription, compared exactly, else None."""
        return _BY_DESCRIPTION.get(description)

    def __str__(self) -> str:
        return self.value


_CODES = {Tier.NMS_TIER_1: "T1", Tier.NMS_TIER_2: "T2", Tier.OTC: "OTCE"}
_DESCRIPTIONS = {Tier.NMS_TIER_1: "NMS Tier 1", Tier.NMS_TIER_2: "NMS Tier 2", Tier.OTC: "OTC"}
_BY_CODE = {code: tier for tier, code in _CODES.items()}
_BY_DESCRIPTION = {description: tier for tier, description in _DESCRIPTIONS.items()}

TIERS = tuple(Tier)
ALL_TIERS = "ALL"
"""The tier column's value in rows that aggregate over all three tiers."""


def parse_tiers(text: str) -> tuple[Tier, ...]:
    """Read a comma-separated list of tier names, without repeats, in processing order.

    Raises:
        ConfigurationError: a name is not one of the three tiers.
    """
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in Tier.__members__]
    if unknown:
        known = ", ".join(Tier.__members__)
        raise ConfigurationError(f"unknown tier {unknown[0]!r}: the tiers are {known}")
    return tuple(tier for tier in TIERS if tier.value in names)


class VenueType(str, Enum):
    """Who reported the volume.

    An ATS is identified by its MPID, a member firm by its CRD number. DE_MINIMIS is FINRA's aggregate of the firms
    with fewer than 200 transactions a day in a security (Rules 6110 and 6610). It has neither number, and is known by
    its name.
    """

    ATS = "ATS"
    NON_ATS = "NON_ATS"
    DE_MINIMIS = "DE_MINIMIS"

    def __str__(self) -> str:
        return self.value


class Half(str, Enum):
    """FINRA publishes a tier as two halves: the volume of ATSs, and that of all other firms (non-ATS)."""

    ATS = "ATS"
    NON_ATS = "NON_ATS"

    def __str__(self) -> str:
        return self.value
