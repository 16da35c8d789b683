"""Runs one command and writes what it cost as JSON: `launcher.py REPORT COMMAND...`.

Linux counts the peak memory of whoever started a process as the process's own, up to the moment of exec: so
commands are started by this small program, never by the benchmark itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the command to its end. It inherits the standard streams, the folder and the environment."""
    report, *command = sys.argv[1:]
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    # The process is left a zombie for a moment: its counters can still be read.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - began
    written = _bytes_written(pid)
    _, status, usage = os.wait4(pid, 0)
    cost = {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "written_bytes": written,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    Path(report).write_text(json.dumps(cost), encoding="utf-8")


def _bytes_written(pid: int) -> int | None:
    """What it passed to write() and its kin, whatever the file; None where the system does not count it."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return int(dict(line.split(": ") for line in lines)["wchar"])


if __name__ == "__main__":
    main()
