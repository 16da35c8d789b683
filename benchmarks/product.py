"""The product, run as its users run it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from attrs import Factory, frozen

from benchmarks import scripts
from benchmarks.measuring import Command

RUN_DATE = "2026-06-01"


def installed() -> Path:
    """The `finra` command beside this interpreter."""
    return Path(sys.executable).with_name("finra")


def environment() -> dict[str, str]:
    """This process's, without what would lead the product to another store or source."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FINRA_")}


@frozen
class Product:
    """A `finra` command and the folder that it works in; python is the interpreter that has its packages."""

    finra: Path
    folder: Path
    python: Path = Factory(lambda: Path(sys.executable))

    def command(self, *arguments: str, stdout: Path | None = None) -> Command:
        """`finra` with these arguments."""
        return Command(arguments=[self.finra, *arguments], folder=self.folder, environ=environment(), stdout=stdout)

    def run(self, source: str | Path, store: str, *options: str, stdout: Path | None = None) -> Command:
        """`finra run` of a folder of files or of a source's URL; an option given twice counts as given last."""
        where = ["--source", "file", "--source-path", str(source)] if isinstance(source, Path) else ["--source", source]
        return self.command("run", *where, "--store", store, "--run-date", RUN_DATE, *options, stdout=stdout)

    def program(self, script: str, *arguments: str, stdout: Path | None = None) -> Command:
        """One of our scripts that use it as a library."""
        path = Path(scripts.__file__).with_name(script)
        return Command(
            arguments=[self.python, path, *arguments], folder=self.folder, environ=environment(), stdout=stdout
        )
