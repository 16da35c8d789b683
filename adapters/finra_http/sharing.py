"""What of a source travels to worker processes: its share of FINRA's limits, and no secret.

Credentials and proxies, which may hold a password, are each worker's own: it reads them from its environment.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from finra_core.domain.errors import ConfigurationError
from finra_core.runs.reopening import current_journey
from finra_http.settings import Settings, read_settings


@frozen
class Share:
    """The settings of one of several worker processes; fields as in `Settings`.

    max_bytes, requests_per_second: this process's part. anonymous: whether the run has no credentials.
    """

    api_url: str
    token_url: str
    max_bytes: int | None
    requests_per_second: float
    deadline_seconds: float
    anonymous: bool


def share_of(settings: Settings) -> Share:
    """The equal share of each process of the journey that is being packed for.

    Raises:
        ConfigurationError: nobody said how many processes there are.
    """
    journey = current_journey()
    if journey is None:
        raise ConfigurationError(
            "FINRA's limit must be shared among worker processes, and this executor does not say how many it has: "
            "take finra_core.open_executor, or wrap it in finra_core.runs.carrying.CarryingExecutor"
        )
    processes = journey.processes
    return Share(
        api_url=settings.api_url,
        token_url=settings.token_url,
        max_bytes=None if settings.max_bytes is None else settings.max_bytes // processes,
        requests_per_second=settings.requests_per_second / processes,
        deadline_seconds=settings.deadline_seconds,
        anonymous=settings.credentials is None,
    )


def settings_of(share: Share, environ: Mapping[str, str]) -> Settings:
    """The share's settings, with the credentials and proxies of this environment.

    Raises:
        ConfigurationError: it has no credentials although the run has them, or they are malformed.
    """
    own = read_settings(share.api_url, {**environ, "FINRA_TOKEN_URL": share.token_url})
    if own.credentials is None and not share.anonymous:
        raise ConfigurationError(
            "a worker process has no credentials for FINRA: set FINRA_CLIENT_ID and FINRA_CLIENT_SECRET"
            " (or FINRA_CLIENT_SECRET_FILE) in its environment too"
        )
    return evolve(
        own,
        credentials=None if share.anonymous else own.credentials,
        max_bytes=share.max_bytes,
        requests_per_second=share.requests_per_second,
        deadline_seconds=share.deadline_seconds,
    )
