"""What the commands take, as classes; docs/command.md lists the standing settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

import click
from attrs import frozen

from finra_cli.options import option, option_free, specs_of, switch, table, variable
from finra_cli.suggestions import did_you_mean
from finra_cli.tables import Table, read_coverage, read_grace_days, read_policies
from finra_cli.values import Amount, Count, Day, Tiers, Url, Weeks
from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import BUILT_IN, TRADING, Policy
from finra_core.domain.tiers import TIERS, Tier
from finra_core.runs.request import Mode, Order, RunRequest, Window

_WEEKS, _FROM, _HOW, _OUTPUT = "Which weeks", "Source and store", "How", "Output"

STORE_URL = Url(
    "store",
    {"sqlite": "one file", "postgresql": "a database server", "memory": "nothing that lasts"},
    path_hint="sqlite:///{path}",
)
SOURCE_URL = Url(
    "source",
    {"api": "FINRA's Query API", "file": "downloaded files", "simulator": "a simulated FINRA"},
    path_hint="--source file --source-path {path}",
    bare=True,
)
EXECUTOR_URL = Url(
    "executor",
    {"threads": "this process", "processes": "this machine's", "dask": "a cluster's"},
    bare=True,
)


FOR = option(TRADING.name, "ready for which use", metavar="USE", names=["--for"])
"""The field of commands whose answer is about one use."""

ON = option(None, "as if this were the day", type=Day(), metavar="D", shown_default="today, UTC")
"""The field of commands whose answer depends on what FINRA has published by now."""

SOURCE_PATH = option(None, "the folder (or file) of --source file", type=click.Path(), metavar="DIR", section=_FROM)
"""The field of commands that make runs."""


@frozen(kw_only=True)
class Common:
    """What every command takes."""

    json: bool = switch("print JSON on standard output", section=_OUTPUT)
    quiet: bool = switch("log warnings and errors only", short="-q", section=_OUTPUT)
    verbose: bool = switch("log everything, with tracebacks", short="-v", section=_OUTPUT)
    log_format: str = option(
        "text", "form of the log", type=click.Choice(["text", "json"]), standing=True, section=_OUTPUT
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.quiet and self.verbose:
            raise ConfigurationError("--quiet and --verbose contradict each other: give one")


@frozen(kw_only=True)
class StoreSettings(Common):
    """What every command takes that reads or writes a store."""

    store: str = option(
        "sqlite:///finra_otc.db", "where the data lives", type=STORE_URL, metavar="URL", standing=True, section=_FROM
    )


@frozen(kw_only=True)
class JudgingSettings(StoreSettings):
    """What every command takes that says whether a week is ready, or late."""

    policies: tuple[Policy, ...] = table(
        BUILT_IN, "further uses that weeks are to be ready for, each a table of its own", type=Table(read_policies)
    )
    grace_days: Mapping[Tier, int] = table(
        {}, "by tier, days after its publication day that are not late", type=Table(read_grace_days)
    )

    def policy(self, name: str) -> Policy:
        """The policy of this name.

        Raises:
            ConfigurationError: there is none.
        """
        for policy in self.policies:
            if policy.name == name:
                return policy
        known = [policy.name for policy in self.policies]
        hint = did_you_mean(name, known) or f": the uses are {', '.join(known)}"
        raise ConfigurationError(f"--for: no policy is called {name!r}{hint}")


@frozen(kw_only=True)
class SourceSettings(JudgingSettings):
    """What every command takes that makes runs from a source."""

    source: str = option(
        "api", "api, file, simulator or a URL", type=SOURCE_URL, metavar="NAME|URL", standing=True, section=_FROM
    )
    max_bytes: int | None = option(
        None,
        "receive no more from FINRA than this; each request reserves at least 1 MiB of it",
        type=Count(),
        metavar="N",
        standing=True,
        section=_FROM,
    )
    order: str = option(
        Order.PHASED.value,
        "all partitions stage by stage, or week by week",
        type=click.Choice([order.value for order in Order]),
        standing=True,
        section=_HOW,
    )
    workers: int = option(4, "partitions fetched at once", type=Count(), metavar="N", standing=True, section=_HOW)
    executor: str | None = option(
        None,
        "who does it: threads, processes, dask or dask://host:port",
        type=EXECUTOR_URL,
        metavar="URL",
        standing=True,
        section=_HOW,
        shown_default="threads that fetch, nothing else",
    )
    coverage: CoverageBounds = table(DEFAULT_BOUNDS, "how much a capture may lack", type=Table(read_coverage))
    api_url: str | None = option_free("FINRA's API, or what stands in for it")
    token_url: str | None = option_free("where its access tokens come from")
    client_id: str | None = option_free("the client id of FINRA's API console")
    client_secret: str | None = option_free("its secret; not in finra.toml", secret=True)
    client_secret_file: str | None = option_free("a file that holds the secret")
    requests_per_second: float | None = option_free("at most so many", type=Amount())
    deadline: float | None = option_free("seconds for one partition", type=Amount())

    @property
    def source_url(self) -> str:
        """The URL that the settings name."""
        return self.source

    def for_adapters(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment as adapters read it, with what finra.toml and the command line say in its place."""
        given = {name: getattr(self, name) for name in _FOR_ADAPTERS}
        return {**environ, **{variable(name): str(value) for name, value in given.items() if value is not None}}


_FOR_ADAPTERS = (
    "max_bytes",
    *(name for name, spec in specs_of(SourceSettings).items() if not spec.flag and not spec.table),
)


@frozen(kw_only=True)
class StandingSettings(SourceSettings):
    """Every setting that may stand in the environment or in finra.toml."""

    lookback_weeks: int | None = option(
        None,
        "how many weeks to look back",
        type=Count(),
        metavar="N",
        standing=True,
        section=_WEEKS,
        shown_default="6; all that a file source holds",
    )
    tiers: tuple[Tier, ...] = option(
        TIERS,
        "only these tiers",
        type=Tiers(),
        metavar="T,T",
        standing=True,
        section=_WEEKS,
        shown_default=",".join(TIERS),
    )
    window: str = option(
        Window.DUE.value,
        "count weeks that are due, or calendar weeks",
        type=click.Choice([window.value for window in Window]),
        standing=True,
        section=_WEEKS,
    )


@frozen(kw_only=True)
class RunSettings(StandingSettings):
    """What `finra run` takes.

    Raises:
        ConfigurationError: two options contradict each other.
    """

    weeks: tuple[date, ...] | None = option(
        None,
        "these weeks instead, each named by any of its dates; D..D is all between",
        type=Weeks(),
        metavar="D,D..D",
        section=_WEEKS,
    )
    run_date: date | None = option(
        None,
        "the date in capture ids and for what is due",
        type=Day(),
        metavar="D",
        section=_WEEKS,
        shown_default="today, UTC",
    )
    source_path: str | None = SOURCE_PATH
    mode: str = option(
        Mode.RUN.value, "dry-run writes nothing", type=click.Choice([mode.value for mode in Mode]), section=_HOW
    )
    force: bool = switch("store a new capture even of unchanged content", section=_HOW)
    reason: str | None = option(None, "why, with --force; kept with the captures", metavar="TEXT", section=_HOW)
    verify: bool = switch("compare contents even where FINRA's version is unchanged", section=_HOW)
    out: str | None = option(
        None, "with --mode dry-run: keep the plan in this file", type=click.Path(), metavar="PLAN", section=_HOW
    )
    plan: str | None = option(
        None,
        "do what the plan in this file says, if source and store are still as it saw them",
        type=click.Path(),
        metavar="PLAN",
        section=_HOW,
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.reason is not None and not self.force:
            raise ConfigurationError("--reason goes with --force: it is kept with the captures that are forced")
        check_source(self.source, self.source_path)
        if self.out is not None and self.mode != Mode.DRY_RUN.value:
            raise ConfigurationError("--out goes with --mode dry-run: what a run did is in the ledger")
        if self.plan is not None and self.mode != Mode.RUN.value:
            raise ConfigurationError("--plan is carried out, not rehearsed: leave out --mode dry-run")

    def request(self) -> RunRequest:
        """The run that is asked for.

        Raises:
            ConfigurationError: a value is out of range.
        """
        return RunRequest(
            lookback_weeks=self.lookback_weeks,
            weeks=self.weeks or (),
            tiers=self.tiers,
            mode=Mode(self.mode),
            force=self.force,
            reason=self.reason,
            verify=self.verify,
            order=Order(self.order),
            window=Window(self.window),
            run_date=self.run_date,
            policies=self.policies,
            grace_days=self.grace_days,
            bounds=self.coverage,
            workers=self.workers,
        )

    @property
    def source_url(self) -> str:
        """The URL that --source and --source-path name."""
        return url_of(self.source, self.source_path)


def check_source(source: str, path: str | None) -> None:
    """Refuse a --source-path without --source file, and the other way around.

    Raises:
        ConfigurationError: only one of them is given.
    """
    if path is not None and source != "file:":
        raise ConfigurationError("--source-path goes with --source file")
    if source == "file:" and not path:
        raise ConfigurationError("--source file needs --source-path: the folder with FINRA's files")


def url_of(source: str, path: str | None) -> str:
    """The URL that --source and --source-path name."""
    return source if path is None else f"file:{quote(path)}"
