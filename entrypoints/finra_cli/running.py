"""Makes the run that the settings of `finra run` describe: a request or a plan, and that to the scheduler."""

from __future__ import annotations

from contextlib import ExitStack

import click
from click.core import ParameterSource

from finra_cli.early_ends import recorded
from finra_cli.options import flag_of
from finra_cli.output import show
from finra_cli.plan_files import read_plan, write_plan
from finra_cli.presenters.run import report_page
from finra_cli.settings import RunSettings
from finra_cli.wiring import works
from finra_core.domain.clock import utc_today
from finra_core.domain.errors import ConfigurationError
from finra_core.runs.plan import Plan
from finra_core.runs.report import RunReport
from finra_core.runs.request import Mode, RunRequest
from finra_core.runs.scheduler import Scheduler
from finra_core.runs.targets import check_request

_IN_A_PLAN = ("lookback_weeks", "weeks", "tiers", "window", "run_date", "order", "force", "reason", "verify")
"""The settings that make a request, and that a plan has therefore fixed."""


def run(settings: RunSettings) -> int:
    """Make the run, show its report and return its exit code.

    Raises:
        FinraError: it could not be made.
    """
    dry_run = settings.mode == Mode.DRY_RUN.value
    with ExitStack() as stack:
        with recorded(settings.store, dry_run=dry_run):
            plan = None if settings.plan is None else _plan_in(settings.plan)
            request = settings.request() if plan is None else plan.request
            check_request(request, request.run_date or utc_today())  # before anything is opened
            made = stack.enter_context(works(settings, read_only=dry_run)).scheduler
        if plan is not None:
            report = made.apply(plan)
        elif request.mode is Mode.RUN:
            report = made.run(request)
        else:
            report = _rehearse(made, request, settings.out)
    show(report, lambda: report_page(report, settings.out), json=settings.json)
    return report.exit_code


def _rehearse(made: Scheduler, request: RunRequest, out: str | None) -> RunReport:
    plan = made.plan(request)
    if out is not None:
        write_plan(out, plan)
    return made.rehearse(plan)


def _plan_in(file: str) -> Plan:
    _refuse_what_a_plan_says()
    return read_plan(file)


def _refuse_what_a_plan_says() -> None:
    context = click.get_current_context()
    for name in _IN_A_PLAN:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise ConfigurationError(f"--plan says that already: leave out {flag_of(name)}, or make another plan")
