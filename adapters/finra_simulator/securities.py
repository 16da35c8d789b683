"""The invented securities of each tier, with the spellings that FINRA's feed has."""

from __future__ import annotations

from functools import lru_cache

from attrs import evolve, frozen

from finra_core.domain.tiers import Tier
from finra_simulator.chance import below, stream

_STEMS = (
    "Brellan", "Quorvest", "Haldane", "Tovik", "Ysmere", "O'Marrin", "Castrel", "Dunvale", "Pellago", "Norrick",
    "Vantrix", "Ombrel", "Kestwick", "Larkmoor", "Zephyrus Bay", "Thornbek", "Auldgate",
    "Mirrowen", "Fenwick's", "Solvane",
)  # fmt: skip
_TRADES = (
    "Marine",
    "Foods",
    "Robotics",
    "Bancorp",
    "Biologics",
    "Minerals",
    "Software",
    "Rail & Road",
    "Energy",
    "Tea",
)
_FORMS = (
    "Inc. Common Stock",
    "Corp. Common Stock",
    "Holdings, Inc. Class A Common Stock",
    "& Sons  Ltd Ordinary Shares",
    "PLC American Depositary Shares, each representing two (2) Ordinary Shares",
    "Company Com Par $0.001",
    "Trust, Series 3 (The)",
)
_LONG_FORM = (
    "Group N.V. Depositary Shares, each representing a 1/1,000th interest in a share of 6.125% Non-Cumulative "
    "Perpetual Preferred Stock, Series K, par value $0.01 per share, redeemable"
)
_LONG_EVERY = 97
_DELIMITED_FORMS = ("Alder | {}", '{} "New"', '"Birch | Cedar" {}')

_SUFFIXES = {3: ".B", 7: "$K", 11: ".W", 15: ".A", 17: ".U"}
_SUFFIX_CYCLE = 20
_CASE_PAIR = ("TPC", "TpC")
_LETTERS = {Tier.NMS_TIER_1: 3, Tier.NMS_TIER_2: 4, Tier.OTC: 4}
_STRIDE = 7919  # prime to 26, so that it visits every combination of letters once

_WEEKLY_SHARES = {Tier.NMS_TIER_1: 6_000_000, Tier.NMS_TIER_2: 600_000, Tier.OTC: 250_000}
_PRICE_CENTS = {Tier.NMS_TIER_1: 40_000, Tier.NMS_TIER_2: 9_000, Tier.OTC: 700}


@frozen
class Security:
    """size: the scale of its weekly shares at one venue. everywhere: traded at every venue that week."""

    symbol: str
    issue_name: str
    product_type: str
    size: float
    price_cents: int
    everywhere: bool = False

    def traded_everywhere(self) -> Security:
        """The same, surely traded this week."""
        return evolve(self, everywhere=True)


@lru_cache(maxsize=16)
def universe(seed: int, tier: Tier, count: int) -> tuple[Security, ...]:
    """The securities of a tier, by symbol; the same in every week."""
    chance = stream(seed, tier, "securities")
    securities = []
    for i, symbol in enumerate(_symbols(seed, tier, count)):
        draw = chance.random()
        size = draw * draw * _WEEKLY_SHARES[tier] + 50
        price = below(chance, _PRICE_CENTS[tier]) + 5
        securities.append(Security(symbol, issue_name(i), _product_type(tier, i), size, price))
    return tuple(sorted(securities, key=lambda security: security.symbol))


def with_delimiters_in_names(securities: tuple[Security, ...]) -> tuple[Security, ...]:
    """The same, but the issue names of the first few hold `|`, quotes or both; these are surely traded each week."""
    renamed = [
        evolve(security, issue_name=form.format(security.issue_name), everywhere=True)
        for security, form in zip(securities, _DELIMITED_FORMS, strict=False)
    ]
    return (*renamed, *securities[len(renamed) :])


def issue_name(number: int) -> str:
    """An invented issue name; FINRA's reach 201 characters."""
    stem = _STEMS[number % len(_STEMS)]
    trade = _TRADES[number // len(_STEMS) % len(_TRADES)]
    form = _LONG_FORM if number % _LONG_EVERY == _LONG_EVERY - 1 else _FORMS[number % len(_FORMS)]
    return f"{stem} {trade} {form}"


def other_tape(security: Security) -> str:
    """The product type of the other of the two listing tapes."""
    return "CTS" if security.product_type == "UTP" else "UTP"


def _product_type(tier: Tier, number: int) -> str:
    return "OTCE" if tier is Tier.OTC else ("UTP", "CTS")[number % 2]


def _symbols(seed: int, tier: Tier, count: int) -> list[str]:
    """In tier 1 the first two differ in case alone."""
    width = _LETTERS[tier]
    symbols = list(_CASE_PAIR) if tier is Tier.NMS_TIER_1 else []
    if count > 26**width:
        raise ValueError(f"{count:,} symbols: {tier} has names for {26**width:,}")
    number = 0
    while len(symbols) < count:
        letters = _base_26((number + seed * 101) * _STRIDE % 26**width, width)
        if letters not in _CASE_PAIR:
            symbols.append(letters + _suffix(tier, number))
        number += 1
    return symbols[:count]


def _suffix(tier: Tier, number: int) -> str:
    if tier is Tier.OTC:
        return "FY"[number % 2]
    return _SUFFIXES.get(number % _SUFFIX_CYCLE, "")


def _base_26(number: int, width: int) -> str:
    letters = ""
    for _ in range(width):
        number, letter = divmod(number, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
