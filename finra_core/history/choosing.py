"""Which captures of a partition are meant by their names."""

from __future__ import annotations

from collections.abc import Sequence

from finra_core.domain.captures import Capture
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.history.asof import releases
from finra_core.history.pruned import check_has_first, check_not_pruned
from finra_core.history.vintages import RELEASE, Instant, parse_when
from finra_core.ports.store import ReadView


def choose(view: ReadView, partition: Partition, named: str) -> Capture:
    """A capture of a partition by its name.

    named: `first`, `latest`, `release:N`, a capture_id (its newest revision) or one with ` rN`, a day or an instant
    (what was known then).

    Raises:
        ConfigurationError: there is none of this name, or it was pruned.
    """
    found = releases(view, partition)
    if not found:
        raise ConfigurationError(f"{partition} has no capture with records: finra captures lists what there is")
    # Of captures that share an id the later one stays in the dictionary.
    by_name = {capture.capture_id: capture for capture in found} | _by_revision(found)
    if named in by_name:
        return by_name[named]
    if ":" in named and not named[:1].isdigit() and not named.startswith(RELEASE):
        raise ConfigurationError(f"{partition} has no capture {named!r}: finra captures lists what there is")
    when = parse_when(named)
    weeks, tiers = [partition.week_ending], [partition.tier]
    if isinstance(when, Instant):
        check_not_pruned(view, when.at, weeks=weeks, tiers=tiers)
        known = [capture for capture in found if capture.is_known(when.at)]
        if not known:
            raise ConfigurationError(f"nothing of {partition} was known at {named}: its first capture is {found[0]}")
        return known[-1]
    if when.number > 0:
        check_has_first(view, weeks=weeks, tiers=tiers)
    place = when.number - 1 if when.number > 0 else when.number
    if not -len(found) <= place < len(found):
        raise ConfigurationError(f"{partition} has {len(found)} captures with records, and so no {named}")
    return found[place]


def last_two(view: ReadView, partition: Partition) -> tuple[Capture, Capture]:
    """A partition's last two captures with records, the earlier one first.

    Raises:
        ConfigurationError: there are not two.
    """
    found = releases(view, partition)
    if len(found) < 2:  # noqa: PLR2004  two sides
        have = "one capture" if found else "no capture"
        raise ConfigurationError(f"{partition} has {have} with records: a diff needs two")
    return found[-2], found[-1]


def _by_revision(found: Sequence[Capture]) -> dict[str, Capture]:
    return {f"{capture.capture_id} r{capture.revision}": capture for capture in found}
