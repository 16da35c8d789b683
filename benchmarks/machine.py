"""The machine that the figures are of."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from pathlib import Path

from benchmarks import postgres
from benchmarks.databases import sqlite_shell
from support.postgres_server import NoPostgresError


def describe(folder: Path) -> dict[str, str]:
    """What there is, by what it is called; `folder` is where the databases are written."""
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "disk": _disk(folder),
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": f"library {sqlite3.sqlite_version}, {_version(_shell())}",
        "PostgreSQL": _server(),
    }
    if hasattr(os, "getloadavg"):
        found["load before"] = f"{os.getloadavg()[0]:.1f}"
    return found


def _processor() -> str:
    fields = _fields(Path("/proc/cpuinfo"))
    return fields.get("model name") or platform.processor() or platform.machine()


def _memory() -> str:
    total = _fields(Path("/proc/meminfo")).get("MemTotal", "")
    return f"{int(total.split()[0]) / 1024**2:.0f} GiB" if total else "unknown"


def _disk(folder: Path) -> str:
    """The file system and the kind of device below it, as far as Linux says."""
    mounts = [line.split()[:3] for line in _lines(Path("/proc/mounts"))]
    holding = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    if not holding:
        return "unknown"
    device, _, kind = max(holding, key=lambda mount: len(mount[1]))
    spins = _lines(Path("/sys/class/block") / Path(device).name / "queue" / "rotational")
    turning = {"0": ", not rotating", "1": ", rotating as the system says"}.get("".join(spins), "")
    return f"{kind} on {device}{turning}"


def _server() -> str:
    try:
        version = _version(str(postgres.programs() / "postgres"))
    except NoPostgresError:
        return "none"
    return f"{version}; default settings (fsync on), its data on the same disk"


def _shell() -> str | None:
    try:
        return str(sqlite_shell())
    except FileNotFoundError:
        return None


def _version(program: str | None) -> str:
    if program is None:
        return "no shell"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    name = "shell " if program.endswith("sqlite3") else ""
    return name + " ".join(said.split()[: 1 if name else 3])


def _fields(path: Path) -> dict[str, str]:
    pairs = [line.partition(":") for line in _lines(path)]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _lines(path: Path) -> list[str]:
    if sys.platform != "linux" or not path.is_file():
        return []
    return path.read_text(encoding="utf-8").splitlines()
