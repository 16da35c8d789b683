"""`finra run`: one run of the scheduler."""

from __future__ import annotations

from finra_cli.command import Command
from finra_cli.help import EXIT_CODES
from finra_cli.settings import RunSettings


def _run(settings: RunSettings) -> int:
    from finra_cli.running import run  # noqa: PLC0415  its help, and the refusal of a slip, need nothing of it

    return run(settings)


command = Command(
    "run",
    RunSettings,
    _run,
    help="Look at the weeks that FINRA may have changed and ingest what did change, as a new capture.",
    notes=[("Exit codes", EXIT_CODES)],
)
