"""A page's console blocks: commands after `$ `, and the output that the page prints below each.

In an output, `...` stands for what differs from run to run, such as a run's id: any text, as in a doctest.
`python -m support.console PAGE` runs a page's commands and writes their outputs into it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

from attrs import Factory, define, frozen

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b"), "..."),
    (re.compile(r"\([0-9a-f]{8}\)"), "(...)"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "..."),
    (re.compile(r"\b[0-9,]+ bytes"), "... bytes"),
)
"""A run's id, whole and in short; hashes, which depend on it; sizes, which depend on the compressor's version."""


@frozen
class Step:
    """A command line of a page, and the output that the page shows for it."""

    line: str
    output: str


def steps(page: str) -> list[Step]:
    """All console steps of a page, in their order."""
    return [step for block in _BLOCK.findall(page) for step in _of_block(block)]


def _of_block(block: str) -> Iterator[Step]:
    for part in re.split(rf"^{re.escape(_PROMPT)}", block, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        while line.endswith("\\") or line.count('"') % 2:  # a line goes on after a backslash, and within quotes
            more, _, output = output.partition("\n")
            line += "\n" + more
        yield Step(line, output)


@define
class Session:
    """A shell in a folder, whose variables last from line to line. Its programs are those of this Python."""

    folder: Path
    _exports: list[str] = Factory(list)

    def run(self, line: str) -> str:
        """What this command line prints, on both streams."""
        if line.startswith("export "):
            self._exports.append(line)
        return _output("\n".join([*self._exports, line]), self.folder)


def _output(script: str, folder: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINRA_", "PYTHON"))}
    programs = str(Path(sys.executable).parent)
    environ = {**kept, "PATH": f"{programs}:{kept['PATH']}", "COLUMNS": "80", "LANG": "C.UTF-8"}
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout


def is_as_shown(step: Step, output: str) -> bool:
    """Whether a command printed what its page shows."""
    return OutputChecker().check_output(step.output, output, ELLIPSIS)


def rewritten(page: str, folder: Path) -> str:
    """The page with the outputs that its commands have now."""

    session = Session(folder)

    def block(found: re.Match[str]) -> str:
        parts = [f"{_PROMPT}{step.line}\n{_steady(session.run(step.line))}" for step in _of_block(found[1])]
        return f"```console\n{''.join(parts)}```"

    return _BLOCK.sub(block, page)


def _steady(output: str) -> str:
    for pattern, instead in _CHANGING:
        output = pattern.sub(instead, output)
    return output


if __name__ == "__main__":
    path = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "docs").symlink_to(path.resolve().parent)
        path.write_text(rewritten(path.read_text(encoding="utf-8"), Path(name)), encoding="utf-8")
