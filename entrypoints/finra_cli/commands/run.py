"""`finra run`: one run of the scheduler."""

from __future__ import annotations

from finra_cli.command import Command
from finra_cli.help import EXIT_CODES
from finra_cli.output import show
from finra_cli.presenters.run import report_page
from finra_cli.settings import RunSettings
from finra_cli.wiring import run
from finra_core.runs.report import RunReport


def _run(settings: RunSettings) -> int:
    report = run(settings)
    show(report, lambda: report_page(report), json=settings.json)
    return report.exit_code


command = Command(
    "run",
    RunSettings,
    _run,
    RunReport,
    help="Look at the weeks that FINRA may have changed and ingest what did change, as a new capture.",
    notes=[("Exit codes", EXIT_CODES)],
)
