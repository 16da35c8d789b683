"""The simulated FINRA as a source, in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from functools import partial
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import field, frozen

from finra_core.domain.captures import SourceVersion
from finra_core.domain.clock import utc_now
from finra_core.domain.errors import ConfigurationError, SourceError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS
from finra_core.ports.source import Listing, SourceInfo, SourceKind, Usage
from finra_core.weekly_summary.payload import Payload
from finra_simulator.eastern import eastern_day
from finra_simulator.text import DOCUMENT_FIELDS, delimited
from finra_simulator.world import World

Clock = Callable[[], datetime]


@frozen
class Outage:
    """From `start` until before `end` the source fails with this HTTP status: for one partition, or for None wholly."""

    partition: Partition | None
    start: datetime
    end: datetime
    status_code: int = 503


@frozen
class SimulatorSource:
    """A `Source` over a world, at the instant that the clock says. It holds nothing and remembers nothing.

    url: opens an equal source, None where there is none.
    """

    world: World
    clock: Clock = utc_now
    outages: Sequence[Outage] = ()
    url: str | None = None
    info: SourceInfo = field(factory=lambda: SourceInfo(label="simulator", kind=SourceKind.FEED), eq=False)

    def list_partitions(self) -> Listing:
        """All that the world has published."""
        now = self.clock()
        self._refuse(None, now)
        return Listing(self.world.published(now))

    def probe(self, partition: Partition) -> SourceVersion | None:
        """The world's version; None where the partition is not published."""
        now = self.clock()
        self._refuse(partition, now)
        return self.world.version(partition, now)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        """One document with the rows of both *_SMBL_FIRM types, by row key."""
        now = self.clock()
        self._refuse(partition, now)
        version = self.world.version(partition, now)
        if version is None:
            raise SourceError(f"{partition}: not published on {now:%Y-%m-%d}", partition=partition)
        world = self.world
        rows = world.rows(partition, now)
        document = delimited(rows, DOCUMENT_FIELDS, quote=world.delimiters_in_names, noise=world.noise_in_numbers)
        week = f"{partition.week_start}/{partition.tier.finra_code}"
        url = f"simulator:?seed={self.world.seed}#{week}"
        return Payload((document,), url, version)

    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        """The published partitions of weeks ending before `before` with a row that is dated `day` or later."""
        now = self.clock()
        self._refuse(None, now)
        older = (partition for partition in self.world.published(now) if partition.week_ending < before)
        return frozenset(partition for partition in older if self._is_dated_since(partition, day, now))

    def estimate(self, version: SourceVersion | None) -> Usage:
        """Nothing: it is free."""
        return Usage()

    def usage(self) -> Usage:
        """Nothing: no byte of it crosses a network."""
        return Usage()

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], SimulatorSource]:
        """A function that opens its URL.

        Raises:
            ConfigurationError: it has none.
        """
        if self.url is None:
            raise ConfigurationError(
                "a simulated world made by hand lives in one process: open it by URL, as simulator:?seed=7"
            )
        return partial(open_source, self.url, {})

    def close(self) -> None:
        """There is nothing to release."""

    def __enter__(self) -> SimulatorSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def _is_dated_since(self, partition: Partition, day: date, now: datetime) -> bool:
        """Whether a row of it is; its rows are made only where one may be."""
        changes = (at for at in self.world.change_instants(partition) if at <= now)
        if all(eastern_day(at) < day for at in changes):
            return False
        version = self.world.version(partition, now)
        return version is not None and version.last_update_date >= day

    def _refuse(self, partition: Partition | None, now: datetime) -> None:
        for outage in self.outages:
            if outage.partition in (None, partition) and outage.start <= now < outage.end:
                raise SourceUnavailableError(
                    f"API fetch failed (HTTP {outage.status_code})", partition=partition, status_code=outage.status_code
                )


def open_source(url: str, settings: Mapping[str, str]) -> SimulatorSource:
    """Open `simulator:` or `simulator:?seed=7&symbols=500&rate=0.2&now=2026-01-05T15:00:00Z`.

    seed: which world. symbols: securities a tier, one number or three. rate: the share of partitions that are
    restated within a month; late_rate: within a year. late_halves: the share whose non-ATS half is published days
    after the other. first_week: a day of the first week. de_minimis: `null`, `0` or `none`, how FINRA's aggregate of
    small firms is told. names: `plain`, or `delimiters` for issue names that hold `|` and quotes. numbers: `plain`,
    or `doubles` for shares printed with a double's noise. now: stops the clock at this instant.

    Raises:
        ConfigurationError: a parameter is unknown or malformed.
    """
    given = _parameters(url)
    try:
        world = World(**{_READERS[name][0]: _READERS[name][1](text) for name, text in given.items() if name != "now"})
        clock = _stopped_at(given["now"]) if "now" in given else utc_now
        return SimulatorSource(world, clock, url=url)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"malformed parameter in {url!r}: {error}; {_KNOWN}") from None


def _symbols(text: str) -> tuple[int, ...]:
    numbers = tuple(map(int, text.split(",")))
    return numbers * len(TIERS) if len(numbers) == 1 else numbers


def _is_other_than_plain(name: str, other: str, text: str) -> bool:
    if text not in ("plain", other):
        raise ValueError(f"{name}={text} is neither plain nor {other}")
    return text == other


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "seed": ("seed", int),
    "symbols": ("symbols", _symbols),
    "rate": ("restatement_rate", float),
    "late_rate": ("late_restatement_rate", float),
    "late_halves": ("late_half_rate", float),
    "first_week": ("first_week", date.fromisoformat),
    "de_minimis": ("de_minimis", str),
    "names": ("delimiters_in_names", partial(_is_other_than_plain, "names", "delimiters")),
    "numbers": ("noise_in_numbers", partial(_is_other_than_plain, "numbers", "doubles")),
}
"""By the parameter's name: the world's field and how it is read."""
_KNOWN = (
    "the parameters are seed=NUMBER, symbols=NUMBER or T1,T2,OTC, rate=0..1, late_rate=0..1, late_halves=0..1, "
    "first_week=YYYY-MM-DD, de_minimis=null, 0 or none, names=plain or delimiters, numbers=plain or doubles "
    "and now=YYYY-MM-DDTHH:MM:SSZ"
)


def _parameters(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _value in pairs]
    unknown = [name for name in names if name not in (*_READERS, "now")]
    if unknown:
        raise ConfigurationError(f"unknown parameter {unknown[0]!r} in {url!r}: {_KNOWN}")
    if parts.netloc or parts.path or parts.fragment or len(set(names)) < len(names):
        raise ConfigurationError(f"malformed source {url!r}: write simulator:?NAME=VALUE&..., each name once; {_KNOWN}")
    return dict(pairs)


def _stopped_at(text: str) -> Clock:
    # Python 3.10 does not read the Z.
    instant = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    if instant.tzinfo is None:
        raise ValueError(f"now={text} has no time zone")
    utc = instant.astimezone(timezone.utc)
    return lambda: utc
