"""`finra verify`: proves what is stored."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import date, datetime, time, timezone

import click
from attrs import evolve, frozen

from finra_cli.command import Command
from finra_cli.options import option, switch
from finra_cli.output import show
from finra_cli.presenters.verify import verification_page
from finra_cli.settings import JudgingSettings
from finra_cli.values import Count, Day, Tiers, Weeks
from finra_cli.verify_files import Kept, read_bytes, read_checkpoint
from finra_cli.wiring import worker_processes, writing
from finra_core.domain.clock import utc_now
from finra_core.domain.errors import ConfigurationError, StoreError
from finra_core.domain.failures import ExitCode
from finra_core.domain.tiers import TIERS, Tier
from finra_core.history.problems import LOOK, ProblemKind, problem
from finra_core.history.verify import Verification, VerifyRequest, verify
from finra_core.ports.store import Store
from finra_core.registry import open_store
from finra_core.runs.damage import needs_record, record_damage

log = logging.getLogger("finra_cli")

_SEEDS = 2**31


@frozen(kw_only=True)
class VerifySettings(JudgingSettings):
    """What `finra verify` takes.

    Raises:
        ConfigurationError: two options contradict each other.
    """

    weeks: tuple[date, ...] | None = option(
        None, "only captures of these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only captures of these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )
    since: date | None = option(None, "only captures made on this day (UTC) or later", type=Day(), metavar="D")
    sample: int | None = option(None, "only so many captures, drawn at random", type=Count(), metavar="N")
    seed: int | None = option(
        None, "draw the sample that was drawn with this seed", type=Count(), metavar="N", shown_default="a new one"
    )
    processes: int = option(1, "check so many captures at once, each in a process", type=Count(), metavar="N")
    resume: str | None = option(
        None,
        "keep in this file what is done; if it is there, go on from it; it goes when all is done",
        type=click.Path(),
        metavar="FILE",
    )
    checkpoint: str | None = option(
        None, "the chain must still be the one of this checkpoint", type=click.Path(), metavar="FILE"
    )
    public_key: str | None = option(
        None, "the checkpoint must be signed with this Ed25519 key (PEM)", type=click.Path(), metavar="FILE"
    )
    no_record: bool = switch("do not record damage as CRITICAL anomalies: write nothing at all")

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.seed is not None and self.sample is None:
            raise ConfigurationError("--seed goes with --sample: it says which captures are drawn")
        if self.public_key is not None and self.checkpoint is None:
            raise ConfigurationError("--public-key goes with --checkpoint: it is the key that signed it")


def _request(settings: VerifySettings) -> VerifyRequest:
    since = None if settings.since is None else datetime.combine(settings.since, time(), timezone.utc)
    return VerifyRequest(
        weeks=None if settings.weeks is None else frozenset(settings.weeks),
        tiers=settings.only_tiers,
        since=since,
        sample=settings.sample,
        seed=settings.seed or random.SystemRandom().randrange(1, _SEEDS),
        checkpoint=None if settings.checkpoint is None else read_checkpoint(settings.checkpoint),
    )


def _verify(settings: VerifySettings) -> int:
    request = _request(settings)
    is_signed = _is_signed(settings, request)
    with open_store(settings.store, read_only=True) as store, _executor(settings) as executor:
        with Kept(settings.resume, store.url) as kept:
            found = verify(
                store,
                evolve(request, done=kept.done),
                executor=executor,
                workers=settings.processes,
                on_capture=kept.add,
            )
        if not is_signed:
            found = _with_bad_signature(found)
        is_to_record = not settings.no_record and _needs_record(store, found)
    if is_to_record:
        _record(settings, request, found)
    show(found, lambda: verification_page(found, settings.store), json=settings.json)
    return ExitCode.SUCCESS if found.ok else ExitCode.PARTIAL


@contextmanager
def _executor(settings: VerifySettings) -> Iterator[Executor | None]:
    if settings.processes == 1:
        yield None
        return
    with worker_processes(settings.processes) as executor:
        yield executor


def _is_signed(settings: VerifySettings, request: VerifyRequest) -> bool:
    """Whether the checkpoint is signed with the key that was given, if one was."""
    if settings.public_key is None or request.checkpoint is None:
        return True
    from finra_core.history.checkpoint import is_signed_by  # noqa: PLC0415  cryptography, where it is asked for

    return is_signed_by(request.checkpoint, read_bytes("--public-key", settings.public_key))


def _with_bad_signature(found: Verification) -> Verification:
    message = "the checkpoint is not signed with the key that was given: it was changed, or another key signed it"
    bad = problem(ProblemKind.CHECKPOINT, message, LOOK)
    return evolve(found, ok=False, problems=(bad, *found.problems))


def _needs_record(store: Store, found: Verification) -> bool:
    try:
        with store.read() as view:
            return needs_record(view, found)
    except StoreError:
        return bool(found.problems)


def _record(settings: VerifySettings, request: VerifyRequest, found: Verification) -> None:
    """Record it where the store can be written. Damage or a missing permission may stand in the way of that."""
    try:
        with writing(settings) as store:
            record_damage(store, request, found, utc_now(), settings.policies)
    except StoreError as error:
        log.warning("what was found is not recorded in the store: %s", error.message)


command = Command(
    "verify",
    VerifySettings,
    _verify,
    help="Prove what is stored. Everything is derived again from FINRA's documents and compared, and the chain of "
    "hashes is followed. Exit 0 if all is sound, 1 if something is not, 2 if the store cannot be read.",
)
