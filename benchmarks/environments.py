"""Throw-away virtual environments, one for each rival."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from attrs import frozen

PACKAGES = {
    "pandas": ("pandas", "sqlalchemy", "psycopg[binary]", "psycopg2-binary"),
    "dlt": ("dlt[sqlalchemy,postgres,parquet]",),
    "click": ("click",),
}


@frozen
class Environment:
    """An interpreter with a rival's packages. versions: of all that is installed there."""

    python: Path
    versions: dict[str, str]


def environment(name: str, folder: Path) -> Environment:
    """The environment of this rival below a folder; made from the package index if it is not there.

    Raises:
        subprocess.CalledProcessError: it cannot be installed; what pip said is in it.
    """
    home = folder / name
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    done = home / "installed"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        _pip(python, "install", "-q", *PACKAGES[name])
        done.touch()
    listed = json.loads(_pip(python, "list", "--format=json"))
    return Environment(python, {package["name"]: package["version"] for package in listed})


def clean_environ() -> dict[str, str]:
    """This process's without what would lead another interpreter to our packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FINRA_"))}
    return {**kept, "DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def _pip(python: Path, *arguments: str) -> str:
    command: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environ())
    return done.stdout
