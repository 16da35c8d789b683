"""A week's trading: the rows of one partition as FINRA first publishes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Literal

from attrs import evolve, frozen

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_simulator.chance import below, stream
from finra_simulator.rows import ATS_SYMBOL_FIRM, MICROS, OTC_SYMBOL_FIRM, Row, row_key
from finra_simulator.securities import Security, issue_name, other_tape, universe, with_delimiters_in_names
from finra_simulator.venues import Venue, ats_venues, de_minimis, firms

FRACTIONAL_FROM = date(2026, 2, 23)
"""The week in which the NMS reporting facilities began to take fractional shares."""
_FRACTIONAL_CHANCE = 0.26
_LATE_REPORT_CHANCE = 0.03
_DENSITY = {Tier.NMS_TIER_1: 0.4, Tier.NMS_TIER_2: 0.15, Tier.OTC: 0.09}
_EPOCH = date(2000, 1, 7)
_MAX_LOT, _MIN_LOT = 100, 40
_DE_MINIMIS_CHANCE = 0.9
_DE_MINIMIS_LEAST, _DE_MINIMIS_SPAN = 0.12, 0.5
"""The aggregate trades this part of what the named firms do: a quarter of the whole, where it is there."""

DeMinimis = Literal["null", "0", "none"]
"""How FINRA's aggregate of small firms has no CRD number, or that there is no such row."""


@frozen
class Market:
    """Who trades what: the part of the world that does not depend on time. symbols: how many in each tier."""

    seed: int
    symbols: tuple[int, int, int]
    ats: int
    firms: int
    delimiters_in_names: bool = False
    de_minimis: DeMinimis = "null"

    def securities(self, tier: Tier) -> tuple[Security, ...]:
        """The securities of a tier, by symbol."""
        listed = universe(self.seed, tier, self.symbols[list(Tier).index(tier)])
        return with_delimiters_in_names(listed) if self.delimiters_in_names else listed


@frozen
class Book:
    """What can be traded in one partition: pairs of a security and a venue make its rows."""

    partition: Partition
    published: date
    ats_securities: tuple[Security, ...]
    ats_venues: tuple[Venue, ...]
    firm_securities: tuple[Security, ...]
    firms: tuple[Venue, ...]
    monday: date
    week_number: int

    @property
    def pairs(self) -> int:
        """How many pairs of a security and a venue there are."""
        return len(self.ats_securities) * len(self.ats_venues) + len(self.firm_securities) * len(self.firms)

    def pair(self, number: int) -> tuple[Security, Venue]:
        """The pair of this number, 0 to pairs - 1."""
        security, venue = divmod(number, len(self.ats_venues))
        if security < len(self.ats_securities):
            return self.ats_securities[security], self.ats_venues[venue]
        number -= len(self.ats_securities) * len(self.ats_venues)
        security, venue = divmod(number, len(self.firms))
        return self.firm_securities[security], self.firms[venue]

    def row(self, security: Security, venue: Venue, chance: Random) -> Row:
        """A week of this security at this venue."""
        draw = chance.random()
        size = int(draw * draw * draw * security.size * venue.reach) + 1
        trades = size // (_MIN_LOT + below(chance, _MAX_LOT - _MIN_LOT)) + 1
        shares = size * MICROS + (0 if venue.is_ats else self._fraction(chance))
        return self.new_row(security, venue, shares, trades, self._last_reported(chance))

    def de_minimis_row(self, security: Security, venue: Venue, named_micros: int, chance: Random) -> Row:
        """A week of this security at the firms too small to be named. named_micros: what the named ones traded."""
        draw = chance.random()
        size = int(named_micros // MICROS * (_DE_MINIMIS_LEAST + _DE_MINIMIS_SPAN * draw)) if named_micros else 0
        size = size or int(draw * draw * draw * security.size) + 1
        trades = size // (_MIN_LOT + below(chance, _MAX_LOT - _MIN_LOT)) + 1
        shares = size * MICROS + self._fraction(chance)
        return self.new_row(security, venue, shares, trades, self._last_reported(chance))

    def new_row(self, security: Security, venue: Venue, shares_micros: int, trades: int, reported: date) -> Row:
        """The row of these quantities. On ATS rows FINRA leaves the product type null."""
        tier = self.partition.tier
        return Row(
            shares_micros,
            security.symbol or None,
            security.issue_name or None,
            self.published,
            reported,
            tier.finra_description,
            self.published,
            tier.finra_code,
            self.monday,
            shares_micros * security.price_cents // 100,
            trades,
            self.monday,
            venue.mpid,
            venue.crd,
            None if venue.is_ats else security.product_type,
            venue.name_in(self.week_number),
            ATS_SYMBOL_FIRM if venue.is_ats else OTC_SYMBOL_FIRM,
        )

    def _fraction(self, chance: Random) -> int:
        if self.partition.tier is Tier.OTC or self.monday < FRACTIONAL_FROM:
            return 0
        return below(chance, MICROS) if chance.random() < _FRACTIONAL_CHANCE else 0

    def _last_reported(self, chance: Random) -> date:
        """The Friday, or for a late report a day between it and the publication."""
        friday = self.partition.week_ending
        if chance.random() >= _LATE_REPORT_CHANCE:
            return friday
        return friday + timedelta(days=1 + below(chance, (self.published - friday).days - 1))


def week_number(partition: Partition) -> int:
    """Weeks since a fixed one."""
    return (partition.week_ending - _EPOCH).days // 7


def open_book(market: Market, partition: Partition, published: date) -> Book:
    """The partition's securities and venues, with the oddities of that week."""
    listed = _with_reassigned_ticker(market.securities(partition.tier), partition)
    at_firms = _with_tape_change(listed, partition) if partition.tier is not Tier.OTC else listed
    return Book(
        partition,
        published,
        ats_securities=listed,
        ats_venues=ats_venues(market.ats, partition.tier),
        firm_securities=at_firms,
        firms=firms(market.firms),
        monday=partition.week_start,
        week_number=week_number(partition),
    )


def first_rows(market: Market, partition: Partition, published: date) -> list[Row]:
    """The rows of both *_SMBL_FIRM types as first published on this day, by row key."""
    book = open_book(market, partition, published)
    chance = stream(market.seed, partition.week_ending, partition.tier, "trading")
    rows = [*_trade(book, book.ats_securities, book.ats_venues, chance)]
    firm_rows = list(_trade(book, book.firm_securities, book.firms, chance))
    rows += firm_rows
    if market.de_minimis != "none":
        # From a stream of its own: all else in the world is the same without it.
        chance = stream(market.seed, partition.week_ending, partition.tier, "de minimis")
        rows += _de_minimis(book, firm_rows, de_minimis(0 if market.de_minimis == "0" else None), chance)
    if partition.tier is Tier.OTC:
        rows.append(_row_without_symbol(book))
    return sorted(rows, key=row_key)


def _trade(book: Book, securities: Sequence[Security], venues: Sequence[Venue], chance: Random) -> Iterator[Row]:
    draw, row = chance.random, book.row
    reaches = [(venue, venue.reach * _DENSITY[book.partition.tier]) for venue in venues]
    for security in securities:
        for venue, reach in reaches:
            if draw() < reach or security.everywhere:
                yield row(security, venue, chance)


def _de_minimis(book: Book, named: Sequence[Row], venue: Venue, chance: Random) -> Iterator[Row]:
    volumes: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for row in named:
        volumes[row.symbol, row.issue_name, row.product_type] += row.shares_micros
    for security in book.firm_securities:
        if chance.random() < _DE_MINIMIS_CHANCE:
            volume = volumes[security.symbol, security.issue_name, security.product_type]
            yield book.de_minimis_row(security, venue, volume, chance)


def _row_without_symbol(book: Book) -> Row:
    """One share, one trade, no symbol and no name: FINRA's OTC files have such a row."""
    nothing = Security(symbol="", issue_name="", product_type="OTCE", size=0, price_cents=1)
    return book.new_row(nothing, book.ats_venues[-1], MICROS, 1, book.partition.week_ending)


def _with_reassigned_ticker(securities: tuple[Security, ...], partition: Partition) -> tuple[Security, ...]:
    """One ticker passes from one issue to another within the week."""
    place = (week_number(partition) + len(securities) // 2) % len(securities)
    successor = issue_name(week_number(partition) * len(securities) + place + 1_000)
    return _split(securities, place, evolve(securities[place], issue_name=f"{successor} (New)"))


def _with_tape_change(securities: tuple[Security, ...], partition: Partition) -> tuple[Security, ...]:
    """One symbol moves from one listing tape to the other within the week."""
    place = week_number(partition) % len(securities)
    return _split(securities, place, evolve(securities[place], product_type=other_tape(securities[place])))


def _split(securities: tuple[Security, ...], place: int, other: Security) -> tuple[Security, ...]:
    pair = securities[place].traded_everywhere(), other.traded_everywhere()
    return (*securities[:place], *pair, *securities[place + 1 :])
