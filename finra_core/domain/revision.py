"""The revision policy: whether a partition is to be ingested, as a function of what is known and nothing else.

FINRA's lastUpdateDate is a date, so a version seen on that very day does not exclude a later change of the
same day. Only a capture read after the day had ended is trusted to be equal to an equal version; until
then the content is fetched and compared.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.publication import day_has_ended

_SHOWN = 8


class Action(str, Enum):
    """What is to be done with a partition. COMPARE means: fetch it, then decide by its content."""

    INGEST = "ingest"
    SKIP = "skip"
    COMPARE = "compare"


@frozen
class Decision:
    """An action and why. `silent` marks a change of content that the source's version did not show."""

    action: Action
    reason: str
    silent: bool = False


def decide_by_version(
    latest: Capture | None,
    version: SourceVersion | None,
    *,
    forced: str | None = None,
    verify: bool = False,
) -> Decision:
    """The decision before anything is fetched. `forced` is the reason of --force, None without it."""
    if latest is None:
        return _FIRST
    if forced is not None:
        return _forced(forced)
    if verify:
        return Decision(Action.COMPARE, "verifying the content")
    return _compare_versions(version, latest)


def decide_by_content(
    latest: Capture | None,
    content_hash: str,
    version: SourceVersion | None,
    *,
    forced: str | None = None,
) -> Decision:
    """The decision once the content is here. Equal content is never stored again, unless forced."""
    if latest is None:
        return _FIRST
    new, stored = content_hash[:_SHOWN], latest.content_hash[:_SHOWN]
    if forced is not None:
        return _forced(forced)
    if content_hash == latest.content_hash:
        return Decision(Action.SKIP, f"Content unchanged (hash {new})")
    if version is not None and latest.version is not None and version != latest.version:
        return Decision(Action.INGEST, _difference(version, latest.version))
    trusted = version is not None and day_has_ended(version.last_update_date, latest.verified_at)
    silent = trusted and version == latest.version
    return Decision(Action.INGEST, f"content changed, hash {new} != {stored}", silent)


def _compare_versions(version: SourceVersion | None, latest: Capture) -> Decision:
    if version is None or latest.version is None:
        return Decision(Action.COMPARE, "no version to compare, comparing the content")
    if version != latest.version:
        return Decision(Action.INGEST, _difference(version, latest.version))
    if not day_has_ended(version.last_update_date, latest.verified_at):
        return Decision(Action.COMPARE, f"captured before {version.last_update_date} had ended, comparing the content")
    return Decision(Action.SKIP, f"Source unchanged since {version.last_update_date}")


_FIRST = Decision(Action.INGEST, "No prior capture found (first ingest)")


def _forced(reason: str) -> Decision:
    return Decision(Action.INGEST, f"Forced: {reason}")


def _difference(version: SourceVersion, stored: SourceVersion) -> str:
    if version.last_update_date != stored.last_update_date:
        sign = ">" if version.last_update_date > stored.last_update_date else "<"
        return f"source updated {version.last_update_date} {sign} stored {stored.last_update_date}"
    return f"source has {version.row_count:,} rows, stored {stored.row_count:,}"
