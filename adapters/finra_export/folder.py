"""A folder of an export: one file for each week and tier, written only where its content has changed.

A file's name tells its content: the day and the revision of its capture, and a hash of all that it was made from. A
file whose name is still the right one is left alone. At every moment a partition has one whole file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path

from attrs import frozen

from finra_core.domain.errors import ConfigurationError
from finra_core.domain.timestamps import utc_text
from finra_core.history.export import EXPORT_VERSION, ExportRequest, Part, ViewName, parts
from finra_core.ports.store import ReadView
from finra_export.formats import Writer, writer_of

_LABEL = "_finra_export.json"
"""Says what a folder holds. Spark, DuckDB, pyarrow and polars skip names that begin with _ or a dot."""


class Outcome(str, Enum):
    """What became of a partition of the folder."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REMOVED = "removed"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class ExportedPart:
    """One partition of the folder. tier: None where the view has none. file: its path from the folder.

    rows: None where nothing was written.
    """

    week_ending: date
    tier: str | None
    file: str
    outcome: Outcome
    rows: int | None


@frozen(kw_only=True)
class Exported:
    """What an export did, by week and tier."""

    parts: tuple[ExportedPart, ...]

    def count(self, outcome: Outcome) -> int:
        """How many partitions this became of."""
        return sum(part.outcome is outcome for part in self.parts)


def export(view: ReadView, folder: Path | str, request: ExportRequest, format: str = "parquet") -> Exported:  # noqa: A002
    """Bring a folder up to date with a view of the store. One partition is in memory at a time.

    Partitions of other weeks and tiers than those asked for stay as they are. One export at a time may write a folder.

    Raises:
        ConfigurationError: the format is unknown or its library missing, the folder holds another export or something
            else, or it cannot be written.
        StoreError: the store failed.
    """
    write = writer_of(format)
    folder = Path(folder)
    try:
        _claim(folder, request, format)
        return Exported(parts=tuple(_update(view, folder, request, write, format)))
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror or error}") from error


def _update(view: ReadView, folder: Path, request: ExportRequest, write: Writer, suffix: str) -> Iterator[ExportedPart]:
    seen = set()
    for part in parts(view, request):
        place = _place(folder, part)
        seen.add(place)
        yield _bring(folder, place, part, write, suffix)
    for place, week, tier in _places(folder, request):
        if place not in seen:
            for file in _files(place):
                file.unlink()
                yield ExportedPart(
                    week_ending=week, tier=tier, file=_relative(folder, file), outcome=Outcome.REMOVED, rows=None
                )


def _bring(folder: Path, place: Path, part: Part, write: Writer, suffix: str) -> ExportedPart:
    wanted = place / f"{part.name}.{suffix}"
    there = _files(place)
    rows = None
    if there != [wanted]:
        table = part.table()
        rows = len(table)
        place.mkdir(parents=True, exist_ok=True)
        new = place / f".{part.name}.tmp"
        new.unlink(missing_ok=True)
        write(new, table)
        _sync(new)
        _put_in_place(new, wanted, there)
    return ExportedPart(
        week_ending=part.week_ending,
        tier=part.tier,
        file=_relative(folder, wanted),
        outcome=Outcome.UNCHANGED if rows is None else Outcome.WRITTEN,
        rows=rows,
    )


def _put_in_place(new: Path, wanted: Path, there: list[Path]) -> None:
    """Put the new content under the old name, then give it its own: nobody ever sees two files, or none."""
    if there and wanted not in there:
        new.replace(there[0])
        there[0].rename(wanted)
        there = there[1:]
    else:
        new.replace(wanted)
    for other in there:  # of an export that was killed, or a person
        if other != wanted:
            other.unlink()
    _sync(wanted.parent)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # a folder cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Whose folder it is ----------------------------------------------------------------------------------


def _claim(folder: Path, request: ExportRequest, form: str) -> None:
    """Say in the folder what it holds.

    Raises:
        ConfigurationError: it holds something else.
    """
    label = {"view": request.view.value, "versions": request.versions.value, "format": form}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _LABEL
    found = _label_of(file)
    if found is None and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} holds files that are no export of finra: give an empty folder")
    for name, value in label.items() if found is not None else ():
        if found is not None and found.get(name) != value:
            raise ConfigurationError(
                f"{folder} holds an export with {name} {found.get(name)!r}, not {value!r}: give another folder"
            )
    at = None if request.at is None else utc_text(request.at)
    text = json.dumps({**label, "as_of": at, "export_version": EXPORT_VERSION}, indent=2) + "\n"
    new = folder / f".{_LABEL}.tmp"
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _label_of(file: Path) -> dict[str, object] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigurationError(f"{file} is damaged ({error}): give another folder") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file} is damaged (no JSON object): give another folder")
    return found


def _place(folder: Path, part: Part) -> Path:
    place = folder / f"week_ending={part.week_ending.isoformat()}"
    return place if part.tier is None else place / f"tier={part.tier}"


def _places(folder: Path, request: ExportRequest) -> Iterator[tuple[Path, date, str | None]]:
    """The partitions that the folder has, of those that the request is about."""
    for week in sorted(folder.glob("week_ending=????-??-??")):
        try:
            day = date.fromisoformat(week.name.partition("=")[2])
        except ValueError:
            continue
        if request.weeks is not None and day not in request.weeks:
            continue
        if request.view is ViewName.READINESS:
            yield week, day, None
            continue
        for tier in sorted(week.glob("tier=*")):
            name = tier.name.partition("=")[2]
            if name in request.tier_names:
                yield tier, day, name


def _files(place: Path) -> list[Path]:
    return sorted(place.glob("part-*"))


def _relative(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()
