"""The values that options take, beyond click's own: weeks, days, tiers and URLs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import inf
from typing import Any

import click
from click.shell_completion import CompletionItem

from finra_cli.suggestions import did_you_mean
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.weeks import parse_date, week_ending_of
from finra_core.history.vintages import FIRST, LATEST, RELEASE, Instant, Release, When, parse_when
from finra_core.runs.request import MAX_LOOKBACK

_Context = click.Context | None
_Parameter = click.Parameter | None


class Count(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A whole number of at least 1."""

    name = "count"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> int:
        """The number."""
        try:
            number = int(value)
        except ValueError:
            number = 0
        return number if number >= 1 else self.fail(f"{value!r} is no whole number of at least 1", param, ctx)


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A number over 0."""

    name = "amount"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> float:
        """The number."""
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        return number if 0 < number < inf else self.fail(f"{value!r} is no number over 0", param, ctx)


class Day(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A date, as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> date:
        """The date."""
        if isinstance(value, date):
            return value
        try:
            return parse_date(value)
        except ConfigurationError as error:
            self.fail(error.message, param, ctx)


class Weeks(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """Dates, and ranges of them (D..D, both included), each for the week that holds it; week endings, newest first."""

    name = "weeks"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> tuple[date, ...]:
        """The week endings."""
        if isinstance(value, tuple):
            return value
        weeks: set[date] = set()
        for item in value.split(","):
            first, dots, last = item.strip().partition("..")
            begin = self._week(first, param, ctx)
            end = self._week(last, param, ctx) if dots else begin
            weeks.update(self._range(begin, end, item.strip(), param, ctx))
        return tuple(sorted(weeks, reverse=True))

    def _week(self, text: str, param: _Parameter, ctx: _Context) -> date:
        try:
            return week_ending_of(parse_date(text))
        except (ConfigurationError, OverflowError):
            self.fail(
                f"malformed week {text!r}: give dates as YYYY-MM-DD, separated by commas, or D..D for all between",
                param,
                ctx,
            )

    def _range(self, begin: date, end: date, text: str, param: _Parameter, ctx: _Context) -> list[date]:
        count = (end - begin).days // 7 + 1
        if count < 1:
            self.fail(f"{text} goes backward: give the earlier date first", param, ctx)
        if count > MAX_LOOKBACK:
            self.fail(f"{text} is {count:,} weeks, more than FINRA ever published", param, ctx)
        return [begin + timedelta(weeks=i) for i in range(count)]


class Week(Weeks):
    """One date, for the week that holds it; as week ending."""

    name = "week"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> date:  # type: ignore[override]
        """The week ending."""
        return value if isinstance(value, date) else self._week(value, param, ctx)


class Tiers(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """Names of tiers, separated by commas; in processing order, without repeats."""

    name = "tiers"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> tuple[Tier, ...]:
        """The tiers."""
        names = value.split(",") if isinstance(value, str) else map(str, value)
        asked = {self._tier(name.strip(), param, ctx) for name in names}
        if not asked:
            self.fail("no tier: give at least one", param, ctx)
        return tuple(tier for tier in TIERS if tier in asked)

    def _tier(self, name: str, param: _Parameter, ctx: _Context) -> Tier:
        if name in Tier.__members__:
            return Tier[name]
        by_code, known = Tier.from_finra_code(name.upper()), ", ".join(Tier.__members__)
        hint = f": did you mean {by_code}?" if by_code else did_you_mean(name, Tier.__members__)
        return self.fail(f"unknown tier {name!r}{hint or f': the tiers are {known}'}", param, ctx)

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The tiers that the last, unfinished name may become."""
        done, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(f"{done}{comma}{tier}") for tier in TIERS if tier.value.startswith(begun.upper())]


class OneTier(Tiers):
    """The name of one tier."""

    name = "tier"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> Tier:  # type: ignore[override]
        """The tier."""
        return value if isinstance(value, Tier) else self._tier(str(value).strip(), param, ctx)

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The tiers that begin so."""
        return [CompletionItem(tier.value) for tier in TIERS if tier.value.startswith(incomplete.upper())]


class CaptureName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """What names a capture of a partition: `first`, `latest`, `release:N`, a capture_id, a date or an instant."""

    name = "capture"

    def convert(self, value: Any, _param: _Parameter, _ctx: _Context) -> Any:
        """As it was typed: which capture it names, the store knows."""
        return value

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words; nobody completes a date."""
        words = {FIRST: "the first release", LATEST: "the newest", RELEASE: "the n-th release"}
        return [CompletionItem(word, help=text) for word, text in words.items() if word.startswith(incomplete)]


class Vintage(CaptureName):
    """A date, an instant, `first`, `latest` or `release:N`."""

    name = "when"

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> When:
        """What it names."""
        if isinstance(value, Instant | Release):
            return value
        try:
            return parse_when(value)
        except ConfigurationError as error:
            self.fail(f"{error.message}{did_you_mean(value, [FIRST, LATEST])}", param, ctx)


class Url(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A URL that names an adapter by its scheme.

    known: the schemes to complete, with what is to be said of each. path_hint: what to give for a path, with {path}
    in it. bare: whether a scheme alone stands for the URL of that scheme and nothing more.
    """

    name = "url"

    def __init__(self, kind: str, known: Mapping[str, str], *, path_hint: str = "", bare: bool = False) -> None:
        self._kind = kind
        self._known = known
        self._path_hint = path_hint
        self._bare = bare

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> str:
        """The URL, with a colon."""
        url = str(value)
        if ":" in url:
            return url
        is_path = bool(self._path_hint) and (not self._bare or "/" in url or "." in url)
        if self._bare and not is_path:
            return f"{url}:"
        meant = f"{url}:" if url in self._known else self._path_hint.format(path=url)
        return self.fail(f"{url!r} is no {self._kind} URL: did you mean {meant}?", param, ctx)

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The schemes that begin so."""
        return [
            CompletionItem(scheme if self._bare else f"{scheme}:", help=text)
            for scheme, text in self._known.items()
            if scheme.startswith(incomplete)
        ]
