"""The invented venues: ATSs known by MPID, member firms known by CRD number."""

from __future__ import annotations

from functools import lru_cache

from attrs import frozen

from finra_core.domain.tiers import Tier

_ATS_WORDS = ("LUMEN", "PALISADE", "QUILL", "HARBOUR", "TESSERA", "MERIDIAN", "COPSE", "ARGENT", "FATHOM", "OSPREY")
_ATS_FORMS = ("CROSS", "ATS", "-X", "LINK  ECN", "MATCH, A BREL VENUE", "& CO. POOL", "ATS (US)")
_FIRM_WORDS = ("HALDANE", "PYKE", "O'MARRIN", "STOVER", "LINDQVAST", "BROMLEY", "TARN", "EASTMOOR", "VIREO", "CALDER")
_FIRM_FORMS = ("& SONS SECURITIES, LLC", "EXECUTION SERVICES LLC", "MARKETS, INC.", "CAPITAL  L.P.", "& CO.")
MAX_ATS = 400
"""How many distinct MPIDs there are."""
_FIRST_CRD, _CRD_STEP = 900_011, 97
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
_RENAMED_EVERY = 7
"""Every so many venues one changes its name, and every so many weeks it does so."""
_OTC_EVERY = 3
"""One in so many ATSs trades OTC equities."""
DE_MINIMIS_NAME = "De Minimis Firms"
"""As FINRA calls its aggregate of the firms with under 200 trades a day in a security."""


@frozen
class Venue:
    """reach: how much of the market it takes part in, about 1. An ATS alone has an mpid, a firm alone a crd."""

    number: int
    mpid: str | None
    crd: int | None
    name: str
    reach: float

    @property
    def is_ats(self) -> bool:
        """Whether it is an ATS; else a firm, or FINRA's aggregate of firms."""
        return self.mpid is not None

    def name_in(self, week_number: int) -> str:
        """The name in force at the start of that week."""
        renamed = self.number % _RENAMED_EVERY == 0 and week_number // _RENAMED_EVERY % 2 == 1
        return f"{self.name} II" if renamed else self.name


@lru_cache(maxsize=16)
def ats_venues(count: int, tier: Tier) -> tuple[Venue, ...]:
    """The ATSs that trade the tier, of `count` in all, by MPID."""
    venues = [_ats(number) for number in range(count)]
    return tuple(sorted((v for v in venues if tier is not Tier.OTC or v.number % _OTC_EVERY == 0), key=_mpid))


@lru_cache(maxsize=16)
def firms(count: int) -> tuple[Venue, ...]:
    """The member firms that trade off-exchange without an ATS, by CRD number."""
    return tuple(_firm(number) for number in range(count))


def de_minimis(crd: int | None) -> Venue:
    """FINRA's aggregate of small firms. crd: 0 or None, for FINRA's monthly data has 0."""
    return Venue(1, None, crd, DE_MINIMIS_NAME, 1.0)


def _ats(number: int) -> Venue:
    word = _ATS_WORDS[number % len(_ATS_WORDS)]
    rest = [_CONSONANTS[number // 20**place % 20] for place in range(2)]
    mpid = f"{word[:2]}{''.join(rest)}"
    return Venue(number, mpid, None, f"{mpid} {word} {_ATS_FORMS[number % len(_ATS_FORMS)]}", _reach(number))


def _firm(number: int) -> Venue:
    word = _FIRM_WORDS[number % len(_FIRM_WORDS)]
    name = f"{word} {_FIRM_FORMS[number % len(_FIRM_FORMS)]}"
    return Venue(number, None, _FIRST_CRD + _CRD_STEP * number, name, _reach(number))


def _reach(number: int) -> float:
    return 1.7 - 0.2 * (number % 8)


def _mpid(venue: Venue) -> str:
    return venue.mpid or ""
