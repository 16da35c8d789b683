"""One command's cost, and costs side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from attrs import evolve, frozen

_LAUNCHER = Path(__file__).with_name("launcher.py")


class CommandError(Exception):
    """A measured command did not end with exit code 0."""


@frozen(kw_only=True)
class Cost:
    """Of one process with its children. cpu_seconds: user and system; of a database server too, where there is one.

    written_bytes: passed to write(); None where the system does not say.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    written_bytes: int | None
    exit_code: int

    def with_server(self, cpu_seconds: float) -> Cost:
        """The same with what a server has spent on it."""
        return evolve(self, cpu_seconds=self.cpu_seconds + cpu_seconds)


@frozen(kw_only=True)
class Command:
    """What is run. stdin and stdout: files; what it prints is dropped if there is no file for it."""

    arguments: Sequence[str | Path]
    folder: Path
    environ: Mapping[str, str]
    stdin: Path | None = None
    stdout: Path | None = None

    def measure(self) -> Cost:
        """Run it alone.

        Raises:
            CommandError: it failed; the message holds the end of what it said.
        """
        os.sync()  # what ran before leaves no writing behind for this one to wait for
        with tempfile.TemporaryDirectory() as name:
            report, errors = Path(name) / "cost.json", Path(name) / "stderr"
            with (
                (self.stdin or Path(os.devnull)).open("rb") as stdin,
                (self.stdout or Path(os.devnull)).open("wb") as stdout,
                errors.open("wb") as stderr,
            ):
                command = [sys.executable, "-I", "-S", _LAUNCHER, report, *self.arguments]
                subprocess.run(
                    command, stdin=stdin, stdout=stdout, stderr=stderr,
                    cwd=self.folder, env=dict(self.environ), check=True,
                )  # fmt: skip
            cost = Cost(**json.loads(report.read_text(encoding="utf-8")))
            if cost.exit_code:
                said = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise CommandError(f"exit code {cost.exit_code} of {' '.join(map(str, self.arguments))}: {said}")
            return cost


@frozen
class Contender:
    """Who takes part. run: prepares, measures and checks one turn. turns: how many at most."""

    name: str
    run: Callable[[], Cost]
    turns: int = sys.maxsize


def alternate(contenders: Sequence[Contender], rounds: int) -> dict[str, list[Cost]]:
    """A B C A B C ...: the costs of each by its name, one a round."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for turn in range(rounds):
        for contender in contenders:
            if turn < contender.turns:
                costs[contender.name].append(contender.run())
    return costs


def ratios(of: Sequence[Cost], to: Sequence[Cost], what: Callable[[Cost], float]) -> tuple[float, ...]:
    """Of the costs of each round in which both took part."""
    return tuple(what(one) / what(other) for one, other in zip(of, to, strict=False))


def wall(cost: Cost) -> float:
    """Seconds by the clock."""
    return cost.wall_seconds


def cpu(cost: Cost) -> float:
    """Seconds of processor time."""
    return cost.cpu_seconds


def typical(costs: Sequence[Cost]) -> str:
    """The medians, for people: wall, CPU, peak memory."""
    peak = median(cost.peak_bytes for cost in costs) / 1e6
    return f"{median(map(wall, costs)):.2f} s, {median(map(cpu, costs)):.2f} s CPU, {peak:.0f} MB"
