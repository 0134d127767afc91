"""The terminal bar: events in, one line of progress on stderr out.

On a terminal it is a live bar with elapsed time, the time left and the numbers in words; in a log file
it is a line now and then.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from ilk.cli.output import say, seconds
from ilk.core import events

LOG_EVERY = 10.0  # seconds between two lines where stderr is no terminal


class Progress:
    """A sink that shows; used as a context manager around the work."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._bar: Any = None
        self._task: Any = None
        self._logged = 0.0
        self._stage = ""

    def __enter__(self) -> Progress:
        if self._live:
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn())
            self._bar = Bar(*columns, TextColumn("{task.fields[tail]}"), console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("starting", total=1.0, tail="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: events.Event) -> None:
        """Show an event."""
        if isinstance(event, events.Step):
            self._step(event)
        elif isinstance(event, events.Stage):
            self._show_stage(event)
        elif isinstance(event, events.Note):
            self._line(f"note: {event.says}")

    def _step(self, event: events.Step) -> None:
        left = "" if event.eta is None else f", {seconds(event.eta)} left"
        of = f" of {event.of:,}" if event.of else ""
        tail = f"step {event.step:,}{of}, {seconds(event.seconds)}{left}  {event.says}"
        if self._bar is not None:
            self._bar.update(self._task, description="learning", completed=event.progress, total=1.0, tail=tail)
        elif not self._quiet and time.monotonic() - self._logged >= LOG_EVERY:
            self._logged = time.monotonic()
            say(f"learning {event.progress:4.0%}  {tail}")

    def _show_stage(self, event: events.Stage) -> None:
        if self._bar is not None:
            share = event.done / event.of if event.of else 0.0
            tail = f"{event.done:,} of {event.of:,}" if event.of else ""
            self._bar.update(self._task, description=event.says, completed=share, total=1.0, tail=tail)
        elif not self._quiet and event.says != self._stage:
            say(event.says)
        self._stage = event.says

    def _line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            say(text)
