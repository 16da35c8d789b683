"""What the tests take from the machine that they run on, the same however they are started."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 2 << 30


def keep_temporary_files_in_memory() -> None:
    """Make databases and folders in memory where the system offers a folder for that, unless TMPDIR says where.

    Thousands of small databases are made, synchronized and dropped: a disk takes ten times as long. Nothing that is
    tested depends on what survives a power cut. The folder is this session's own: sessions that share one clean up
    after each other.
    """
    if "TMPDIR" not in os.environ and _is_fit(_MEMORY):
        own = tempfile.mkdtemp(prefix="finra-tests-", dir=_MEMORY)
        Path(own).chmod(0o711)  # PostgreSQL, which does not run as root, has its folder in it
        atexit.register(_remove, own, os.getpid())
        os.environ["TMPDIR"] = own  # for the processes that tests start, xdist's workers among them
        tempfile.tempdir = own


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a process that was forked from it
        shutil.rmtree(folder, ignore_errors=True)


def _is_fit(folder: Path) -> bool:
    """Whether it has room, and programs in it may be run; a container's is often too small."""
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return False
    runs_programs = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return runs_programs and shutil.disk_usage(folder).free >= _ENOUGH_BYTES


def hear_interrupts() -> None:
    """Undo what a shell does to a command in the background: it and all that it starts would ignore SIGINT."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
