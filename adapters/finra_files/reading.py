"""Reading a file's bytes, compressed or not, without trusting its size. Who calls it names the file in the errors."""

from __future__ import annotations

import gzip
import stat
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from finra_core.domain.errors import SourceDataError, SourceUnavailableError

HEAD_BYTES = 64 * 1024


def read_head(path: Path) -> bytes:
    """The lines that are whole within the first 64 KiB; all of a smaller file.

    Raises:
        SourceDataError: it is no file, no gzip file, or holds no two lines in its first 64 KiB.
        SourceUnavailableError: it cannot be read.
    """
    return _whole_lines(_read(path, HEAD_BYTES + 1))


def read_whole(path: Path, max_bytes: int) -> bytes:
    """All of a file, uncompressed.

    Raises:
        SourceDataError: it is no data file, or holds more than `max_bytes`.
        SourceUnavailableError: it cannot be read.
    """
    read_head(path)
    content = _read(path, max_bytes + 1)
    if len(content) > max_bytes:
        raise SourceDataError(f"over {max_bytes:,} bytes: this is no FINRA data file, remove it")
    return content


def _whole_lines(head: bytes) -> bytes:
    if len(head) <= HEAD_BYTES:
        return head
    end = head.rfind(b"\n") + 1
    if head.count(b"\n", 0, end) > 1:
        return head[:end]
    what = "line end" if not end else "whole row"
    raise SourceDataError(f"no {what} in its first 64 KiB: this is no FINRA data file, remove it")


def _read(path: Path, size: int) -> bytes:
    """At most `size` bytes from the start."""
    try:
        # Opening a pipe would wait for its writer.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise SourceDataError(f"{kind}, though named like a data file: rename it")
        with _open(path) as stream:
            return stream.read(size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceDataError(f"broken gzip file ({error}): download it again") from None
    except OSError as error:
        raise SourceUnavailableError(f"cannot be read ({error.strerror}): restore it") from None


def _open(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".gz"):
        return cast("BinaryIO", gzip.open(path))
    return path.open("rb")
