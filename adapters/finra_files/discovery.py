"""Which files a folder offers."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import Factory, define

from finra_core.domain.errors import SourceDataError

SUFFIXES = (".csv", ".txt", ".csv.gz", ".txt.gz")


Stamp = tuple[int, int, int] | None
"""When a file or folder was written and its rights were changed, in nanoseconds, and its size; None: not to be had."""


@define
class Found:
    """What is under a root.

    paths: the files named like data files. folders: those entered, by their path, with their stamp before that.
    problems: the folders that could not be read. other_files: how many files have other names.
    """

    paths: list[Path] = Factory(list)
    folders: dict[str, Stamp] = Factory(dict)
    problems: list[SourceDataError] = Factory(list)
    other_files: int = 0


def find_files(root: Path) -> Found:
    """Everything under `root` that is named like a data file, at any depth, sorted.

    Hidden files and folders are left out. Links are followed, but not to a folder that they lie in.
    A folder named like a data file is found and not entered. A root that is no folder is itself
    found, whatever its name.

    Raises:
        OSError: `root` cannot be read.
    """
    root.stat()
    if not root.is_dir():
        return Found([root])
    found = Found()
    pending = [(root, frozenset[Path]())]
    while pending:
        pending += _enter(found, *pending.pop())
    found.paths.sort()
    return found


def stamp(path: str) -> Stamp:
    """The stamp of a file or folder now."""
    try:
        status = os.stat(path)  # noqa: PTH116  asked for every file at every fetch: a Path costs as much again
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def shown(path: Path) -> str:
    """The path as one printable line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


def place_of(path: Path) -> str:
    """Where a file or folder is, for findings about it: the same from whatever folder a process works."""
    return shown(path.absolute())


def root_of(path: Path) -> str:
    """What the places in this folder begin with, and those in no other; of a file its place."""
    return place_of(path) + (os.sep if path.is_dir() else "")


def _enter(found: Found, folder: Path, ancestors: frozenset[Path]) -> list[tuple[Path, frozenset[Path]]]:
    """Note one folder's files; its subfolders, each with the real folders that it lies in."""
    try:
        real = folder.resolve()
        if real in ancestors:
            return []
        found.folders[str(folder)] = stamp(str(folder))
        entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
        paths = {path for path in entries if path.name.lower().endswith(SUFFIXES)}
        others = [path for path in entries if path not in paths]
        folders = [path for path in others if path.is_dir()]
    except OSError as error:
        if not ancestors:
            raise
        found.problems.append(
            SourceDataError(
                f"{shown(folder)}: cannot be read as a folder ({error.strerror}): correct its rights",
                place=place_of(folder),
            )
        )
        return []
    found.paths += paths
    found.other_files += len(others) - len(folders)
    return [(path, ancestors | {real}) for path in folders]
