"""Whether a partition is ingested: a function of what is known, and of nothing else.

FINRA's lastUpdateDate is a date. On that day the content can change again, and the date stays. So a capture is trusted
to equal an equal version only if it was read after the day had ended. Until then the content is fetched and compared.
"""

from __future__ import annotations

from datetime import date
from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.publication import day_has_ended


class Action(str, Enum):
    """What to do with a partition. COMPARE: fetch it, then decide by its content."""

    INGEST = "ingest"
    COMPARE = "compare"
    SKIP = "skip"
    WAIT = "wait"
    FAIL = "fail"

    def __str__(self) -> str:
        return self.value


class Rule(str, Enum):
    """Why an action was chosen."""

    FIRST_CAPTURE = "first_capture"
    FORCED = "forced"
    VERIFY = "verify"
    NO_VERSION = "no_version"
    VERSION_CHANGED = "version_changed"
    VERSION_UNCHANGED = "version_unchanged"
    VERSION_OF_THAT_DAY = "version_of_that_day"
    CONTENT_CHANGED = "content_changed"
    CONTENT_UNCHANGED = "content_unchanged"
    RECORDS_UNCHANGED = "records_unchanged"
    SILENT_REVISION = "silent_revision"
    CAPTURED_MEANWHILE = "captured_meanwhile"
    LOCKED = "locked"
    OVER_BUDGET = "over_budget"
    NOT_DUE = "not_due"
    NOT_THERE_YET = "not_there_yet"
    LATE = "late"
    NO_LONGER_OFFERED = "no_longer_offered"
    NOT_OFFERED = "not_offered"
    SOURCE_FAILED = "source_failed"
    CONTENT_REFUSED = "content_refused"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class CaptureRef:
    """Which capture a decision rests on."""

    number: int
    capture_id: str
    revision: int
    content_hash: str
    version: SourceVersion | None

    @classmethod
    def of(cls, capture: Capture) -> CaptureRef:
        """A reference to this capture."""
        return cls(
            number=capture.number,
            capture_id=capture.capture_id,
            revision=capture.revision,
            content_hash=capture.content_hash,
            version=capture.version,
        )

    def __str__(self) -> str:
        return self.capture_id if self.revision == 1 else f"{self.capture_id} r{self.revision}"


@frozen(kw_only=True)
class Evidence:
    """What a decision rests on. What it does not rest on is None.

    latest: the store's newest capture of the partition. version, content_hash: the source's. due: the partition's
    publication day. offered_from: the first week ending of the tier that the source offers, and offered_in: what
    its list is called. note: a person's reason, or an error's message.
    """

    latest: CaptureRef | None = None
    version: SourceVersion | None = None
    content_hash: str | None = None
    due: date | None = None
    offered_from: date | None = None
    offered_in: str | None = None
    note: str | None = None


@frozen
class Decision:
    """An action, the rule that chose it, and the evidence for it."""

    action: Action
    rule: Rule
    evidence: Evidence = Evidence()

    @property
    def needs_fetch(self) -> bool:
        """Whether the content has to be fetched, to store it or to compare it."""
        return self.action in (Action.INGEST, Action.COMPARE)


def decide_by_version(
    latest: Capture | None,
    version: SourceVersion | None,
    *,
    forced: str | None = None,
    verify: bool = False,
) -> Decision:
    """The decision before anything is fetched. forced: the reason given with --force, None without it."""
    evidence = Evidence(latest=_ref(latest), version=version, note=forced)
    return Decision(*_by_version(latest, version, forced=forced, verify=verify), evidence)


def _by_version(  # noqa: PLR0911  a rule a line, first match wins
    latest: Capture | None, version: SourceVersion | None, *, forced: str | None, verify: bool
) -> tuple[Action, Rule]:
    if latest is None:
        return Action.INGEST, Rule.FIRST_CAPTURE
    if forced is not None:
        return Action.INGEST, Rule.FORCED
    if verify:
        return Action.COMPARE, Rule.VERIFY
    if version is None or not _are_comparable(version, latest.version):
        return Action.COMPARE, Rule.NO_VERSION
    if version != latest.version:
        return Action.INGEST, Rule.VERSION_CHANGED
    if not day_has_ended(version.last_update_date, latest.verified_at):
        return Action.COMPARE, Rule.VERSION_OF_THAT_DAY
    return Action.SKIP, Rule.VERSION_UNCHANGED


def _are_comparable(version: SourceVersion, stored: SourceVersion | None) -> bool:
    return stored is not None and version.is_comparable and stored.is_comparable


def decide_by_content(
    latest: Capture | None,
    content_hash: str,
    version: SourceVersion | None,
    *,
    forced: str | None = None,
) -> Decision:
    """The decision once the content was fetched. Equal content is stored again only if that is forced."""
    evidence = Evidence(latest=_ref(latest), version=version, content_hash=content_hash, note=forced)
    return Decision(*_by_content(latest, content_hash, version, forced=forced), evidence)


def _by_content(
    latest: Capture | None, content_hash: str, version: SourceVersion | None, *, forced: str | None
) -> tuple[Action, Rule]:
    if latest is None:
        return Action.INGEST, Rule.FIRST_CAPTURE
    if forced is not None:
        return Action.INGEST, Rule.FORCED
    if content_hash == latest.content_hash:
        return Action.SKIP, Rule.CONTENT_UNCHANGED
    if version is None or not _are_comparable(version, latest.version):
        return Action.INGEST, Rule.CONTENT_CHANGED
    if version != latest.version:
        return Action.INGEST, Rule.VERSION_CHANGED
    trusted = day_has_ended(version.last_update_date, latest.verified_at)
    return Action.INGEST, Rule.SILENT_REVISION if trusted else Rule.CONTENT_CHANGED


def _ref(latest: Capture | None) -> CaptureRef | None:
    return None if latest is None else CaptureRef.of(latest)
