"""Progress bars on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from finra_core.ports.observer import Event, Phase, StepFinished

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressBars:
    """An observer of runs: a bar for the phase at work, on a terminal; nothing elsewhere. A context manager."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._phase: Phase | None = None
        self._task: TaskID | None = None

    def on_event(self, event: Event) -> None:
        """Show how many of the phase's steps are done."""
        if self._enabled and isinstance(event, StepFinished):
            self._show(event)

    def _show(self, event: StepFinished) -> None:
        progress = self._started()
        if self._task is None or event.phase is not self._phase:
            if self._task is not None:
                progress.remove_task(self._task)
            self._phase, self._task = event.phase, progress.add_task(event.phase.value, total=event.total)
        progress.update(self._task, completed=event.done, total=event.total)

    def _started(self) -> Progress:
        if self._progress is None:
            from rich.console import Console  # noqa: PLC0415  a run without a terminal need not import it
            from rich.progress import Progress  # noqa: PLC0415

            # While it is shown, rich stands in for standard error, so that the log is written above the bar.
            self._progress = Progress(console=Console(stderr=True), transient=True, redirect_stdout=False)
            self._progress.start()
            self._progress.console.show_cursor()  # a run that is killed would leave the terminal without one
        return self._progress

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
