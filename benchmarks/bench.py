"""What all works share: the files, the product, the databases, and where checks are noted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import Factory, define

from benchmarks.databases import Database, Postgres, Sqlite
from benchmarks.environments import PACKAGES, Environment, environment
from benchmarks.inputs import Inputs, Size
from benchmarks.product import Product
from benchmarks.results import Checks

RIVALS = ("floor", "pandas", "dlt", "dlt-merge", "dlt-arrow", "click")


@define(kw_only=True)
class Bench:
    """One call of the benchmark.

    folder: what is kept for the next call; scratch: this call's own, emptied before every work.
    """

    folder: Path
    scratch: Path
    size: Size
    rounds: int
    rivals: Sequence[str]
    databases: Sequence[Database]
    product: Product
    checks: Checks = Factory(Checks)
    skipped: list[str] = Factory(list)
    environments: dict[str, Environment] = Factory(dict)

    @property
    def inputs(self) -> Inputs:
        """FINRA's files."""
        return Inputs(self.folder / f"inputs-{self.size.name}", self.size)

    @property
    def sqlite(self) -> Sqlite:
        """The embedded database, which every work uses."""
        return next(database for database in self.databases if isinstance(database, Sqlite))

    @property
    def postgres(self) -> Postgres | None:
        """The server, where there is one."""
        return next((database for database in self.databases if isinstance(database, Postgres)), None)

    def environment(self, rival: str) -> Environment:
        """The rival's throw-away environment."""
        name = rival.partition("-")[0]
        if name not in self.environments:
            self.environments[name] = environment(name, self.folder / "environments")
        return self.environments[name]

    def takes_part(self, rival: str) -> bool:
        """Whether this rival was asked for and can be had; if it cannot be installed, that is noted."""
        if rival not in self.rivals:
            return False
        if rival == "floor":
            return True
        try:
            self.environment(rival)
        except subprocess.CalledProcessError as error:
            self.skip(f"{rival}, which cannot be installed: {' '.join(str(error.stderr).split())[-300:]}")
            return False
        return True

    def skip(self, why: str) -> None:
        """Note what is not done."""
        self.skipped.append(why)

    def begin(self) -> None:
        """Forget the last work."""
        for left in self.scratch.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.checks, self.skipped = Checks(), []

    def versions(self) -> dict[str, str]:
        """Of the rivals that took part."""
        names = {requirement.partition("[")[0] for name in self.environments for requirement in PACKAGES[name]}
        found = {}
        for used in self.environments.values():
            found.update({name: used.versions[name] for name in sorted(names) if name in used.versions})
        return found

    @contextmanager
    def store(self, database: Database) -> Iterator[str]:
        """A fresh database's URL, dropped at the end."""
        url = database.fresh()
        try:
            yield url
        finally:
            database.drop(url)
