"""`finra doctor`: what the history lacks, and with --heal the runs that mend it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime, time, timezone

from attrs import frozen

from finra_cli.command import Command
from finra_cli.early_ends import recorded
from finra_cli.help import EXIT_CODES
from finra_cli.options import switch
from finra_cli.output import show
from finra_cli.presenters.doctor import diagnosis, doctor_page
from finra_cli.settings import ON, SOURCE_PATH, SourceSettings, check_source, url_of
from finra_cli.wiring import Works, reading, works
from finra_core.domain.clock import utc_now
from finra_core.domain.errors import ConfigurationError
from finra_core.history.doctor import Examination, examine
from finra_core.history.gaps import group
from finra_core.ports.store import ReadView
from finra_core.runs.heal import Healing, heal
from finra_core.runs.ledger import offered_from
from finra_core.runs.request import Order, RunRequest


@frozen(kw_only=True)
class DoctorSettings(SourceSettings):
    """What `finra doctor` takes.

    Raises:
        ConfigurationError: two options contradict each other.
    """

    heal: bool = switch("run the commands that mend the gaps, within --max-bytes")
    on: date | None = ON
    source_path: str | None = SOURCE_PATH

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.heal:
            check_source(self.source, self.source_path)
        elif self.source_path is not None:
            raise ConfigurationError("--source-path goes with --heal: without it no source is read")

    @property
    def source_url(self) -> str:
        """The URL that --source and --source-path name."""
        return url_of(self.source, self.source_path)

    def now(self) -> datetime:
        """The instant as of which gaps are looked for: the end of the day that was given, else now."""
        return utc_now() if self.on is None else datetime.combine(self.on, time(23, 59, 59), timezone.utc)

    def request(self) -> RunRequest:
        """What the runs have in common."""
        return RunRequest(
            order=Order(self.order),
            run_date=self.on,
            policies=self.policies,
            grace_days=self.grace_days,
            bounds=self.coverage,
            workers=self.workers,
        )


def _doctor(settings: DoctorSettings) -> int:
    if settings.heal:
        return _heal(settings)
    with reading(settings) as (view, url):
        found = _examine(view, settings)
    document = diagnosis(found)
    show(document, lambda: doctor_page(document, found, url), json=settings.json)
    return 0


def _examine(view: ReadView, settings: DoctorSettings) -> Examination:
    return examine(
        view,
        settings.now(),
        offered_from=offered_from(view),
        policies=settings.policies,
        grace_days=settings.grace_days,
    )


def _heal(settings: DoctorSettings) -> int:
    with ExitStack() as stack:
        with recorded(settings.store, dry_run=False):
            opened = stack.enter_context(works(settings))
        healing = _mend(opened, settings)
        with opened.store.read() as view:
            left = _examine(view, settings)
        url = opened.store.url
    document = diagnosis(left, healing, settings.max_bytes)
    show(document, lambda: doctor_page(document, left, url), json=settings.json)
    return healing.exit_code


def _mend(opened: Works, settings: DoctorSettings) -> Healing:
    with opened.store.read() as view:
        groups = group(_examine(view, settings).gaps)
    return heal(opened.scheduler, opened.source, groups, settings.request(), max_bytes=settings.max_bytes)


command = Command(
    "doctor",
    DoctorSettings,
    _doctor,
    help="What the history lacks from the first captured week on, and the command that mends it: weeks never asked "
    "for, late, failed, behind in a stage, not compared with FINRA's for long, or soon no longer offered.",
    notes=[("Exit codes with --heal", EXIT_CODES)],
)
