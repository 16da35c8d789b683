"""`finra run`: one run of the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finra_cli.command import Command
from finra_cli.help import EXIT_CODES
from finra_cli.settings import RunSettings
from finra_core.domain.errors import ConfigurationError
from finra_core.runs.request import Mode


def _run(settings: RunSettings) -> int:
    from finra_cli.running import run  # noqa: PLC0415  its help, and the refusal of a slip, need nothing of it

    return run(settings)


def _refused(values: Mapping[str, Any], error: ConfigurationError) -> None:
    from finra_cli.early_ends import record_early_end  # noqa: PLC0415  as above

    if values["mode"] == Mode.RUN.value:
        record_early_end(values["store"], error)


command = Command(
    "run",
    RunSettings,
    _run,
    _refused,
    help="Look at the weeks that FINRA may have changed and ingest what did change, as a new capture.",
    notes=[("Exit codes", EXIT_CODES)],
)
