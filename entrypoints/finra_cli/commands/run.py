"""`finra run`: settings to a request or a plan, and that to the scheduler."""

from __future__ import annotations

import click
from click.core import ParameterSource

from finra_cli.command import Command
from finra_cli.help import EXIT_CODES
from finra_cli.options import flag_of
from finra_cli.output import show
from finra_cli.plan_files import read_plan, write_plan
from finra_cli.presenters.run import report_page
from finra_cli.settings import RunSettings
from finra_cli.wiring import scheduler
from finra_core.domain.errors import ConfigurationError
from finra_core.runs.report import RunReport
from finra_core.runs.request import Mode

_IN_A_PLAN = ("lookback_weeks", "weeks", "tiers", "window", "run_date", "order", "force", "reason", "verify")
"""The settings that make a request, and that a plan has therefore fixed."""


def _run(settings: RunSettings) -> int:
    report = _apply(settings, settings.plan) if settings.plan is not None else _make(settings)
    show(report, lambda: report_page(report, settings.out), json=settings.json)
    return report.exit_code


def _make(settings: RunSettings) -> RunReport:
    request = settings.request()
    rehearsing = request.mode is Mode.DRY_RUN
    with scheduler(settings, request, read_only=rehearsing) as made:
        if not rehearsing:
            return made.run(request)
        plan = made.plan(request)
        if settings.out is not None:
            write_plan(settings.out, plan)
        return made.rehearse(plan)


def _apply(settings: RunSettings, file: str) -> RunReport:
    _refuse_what_a_plan_says()
    plan = read_plan(file)
    with scheduler(settings, plan.request, read_only=False) as made:
        return made.apply(plan)


def _refuse_what_a_plan_says() -> None:
    context = click.get_current_context()
    for name in _IN_A_PLAN:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise ConfigurationError(f"--plan says that already: leave out {flag_of(name)}, or make another plan")


command = Command(
    "run",
    RunSettings,
    _run,
    RunReport,
    help="Look at the weeks that FINRA may have changed and ingest what did change, as a new capture.",
    notes=[("Exit codes", EXIT_CODES)],
)
