"""The files of a verification: checkpoints, keys, and what an interrupted one had done."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import TextIO

from finra_cli.output import SCHEMA_VERSION
from finra_core.domain.errors import ConfigurationError
from finra_core.history.checkpoint import Checkpoint
from finra_core.history.verify_captures import CheckedCapture
from finra_core.runs.serialization import from_json, from_plain, to_json


def read_bytes(flag: str, file: str) -> bytes:
    """What a file holds.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{flag} {file} cannot be read: {error.strerror}") from None


def write_text(flag: str, file: str, text: str) -> None:
    """Write a file, in place of what is there.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{flag} {file} cannot be written: {error.strerror}") from None


def read_checkpoint(file: str) -> Checkpoint:
    """The checkpoint in a file.

    Raises:
        ConfigurationError: the file cannot be read, or holds none that this release knows.
    """
    try:
        plain = json.loads(read_bytes("--checkpoint", file))
        if not isinstance(plain, dict) or plain.get("schema_version") != SCHEMA_VERSION:
            raise ConfigurationError("no checkpoint of this release")
        return from_plain(plain, Checkpoint)
    except (ValueError, ConfigurationError) as error:
        raise ConfigurationError(f"--checkpoint {file} holds no checkpoint: {error}") from None


class Kept:
    """What a verification has done, kept in a file of JSON lines from capture to capture. file: None keeps nothing.

    Used in a `with` block: when that ends well, the file goes.
    """

    def __init__(self, file: str | None, store: str) -> None:
        self._path = None if file is None else Path(file)
        self._store = store
        self._open: TextIO | None = None
        self.done: tuple[CheckedCapture, ...] = ()

    def __enter__(self) -> Kept:
        if self._path is not None:
            self.done = self._read(self._path)
            try:
                self._open = self._path.open("a", encoding="utf-8")
            except OSError as error:
                raise ConfigurationError(f"--resume {self._path} cannot be written: {error.strerror}") from None
            if not self.done:
                self._open.truncate(0)
                self._write(json.dumps({"schema_version": SCHEMA_VERSION, "store": self._store}))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._open is not None and self._path is not None:
            self._open.close()
            if kind is None:
                self._path.unlink(missing_ok=True)

    def add(self, checked: CheckedCapture) -> None:
        """Keep what was found of one more capture."""
        self._write(to_json(checked))

    def _write(self, line: str) -> None:
        if self._open is not None:
            self._open.write(line + "\n")
            self._open.flush()

    def _read(self, path: Path) -> tuple[CheckedCapture, ...]:
        if not path.exists():
            return ()
        lines = read_bytes("--resume", str(path)).decode(errors="replace").split("\n")
        try:
            store = json.loads(lines[0])["store"] if lines[0] else self._store
            if store != self._store:
                raise ConfigurationError(f"it is about {store}")
            # What follows the last line end was cut off while it was written.
            return tuple(from_json(line, CheckedCapture) for line in lines[1:-1])
        except (ValueError, LookupError, TypeError, ConfigurationError) as error:
            message = f"--resume {path} holds nothing to go on from ({error}): give another file or remove it"
            raise ConfigurationError(message) from None
