"""Standard output and error as they really are: closed, full, or of an encoding that lacks a character."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from finra_core.domain.errors import FinraError


class OutputError(FinraError):
    """Standard output did not take what the command had to say. Exit code 2."""


def prepare() -> None:
    """Make both streams writable whatever was done to them: nobody hears a closed one, no character breaks one."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  for good
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def deliver(text: str) -> None:
    """Write all of this to standard output, now.

    Raises:
        BrokenPipeError: its reader has gone.
        OutputError: it cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        raise OutputError(f"standard output cannot be written ({error.strerror}): direct it elsewhere") from error


def settle() -> None:
    """Flush standard error; a log that cannot be written is lost, but fails no run."""
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def printable(text: str) -> str:
    r"""The text on one line that no terminal obeys: a line end or an escape sequence in it is shown as `\n`, `\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _discard(stream: TextIO) -> None:
    """Let go of what is still buffered: Python would try once more at its end, and exit 120 for it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
