"""How far a reading has come: a bar on stderr if that is a terminal, nothing in a pipe.

Knows counts and events; must not know customers. Where the output goes to a terminal too, the bar stands only while a
page is awaited.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import unified_customers as uc

from . import streams
from .board import Line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """The bar; silent if nobody would see it."""

    def __init__(self, *, quiet: bool, limit: int | None) -> None:
        self._limit = limit
        self._line = Line("")
        self._shared = streams.is_terminal(sys.stdout)
        self._drawn: tuple[Progress, TaskID] | None = None
        if not quiet and streams.is_terminal(sys.stderr):
            self._drawn = _bar(limit, self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._drawn[0].stop()

    def on_event(self, event: uc.Event) -> None:
        """Take an event: while a request waits to be sent again, the bar says so."""
        self._line.hear(event, time.monotonic())

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Show the bar while a page is awaited."""
        if self._drawn is None:
            yield
            return
        bar = self._drawn[0]
        bar.start()
        try:
            yield
        finally:
            if self._shared:
                bar.stop()

    def came(self, items: int, pages: int, total: int | None) -> None:
        """Say how far it is.

        Args:
            items: Customers so far.
            pages: Pages so far.
            total: The provider's count; the first one is taken, since later ones may count what is left.
        """
        if self._drawn is None:
            return
        bar, task = self._drawn
        known = bar.tasks[0].total
        if known is None and pages == 1:
            known = min((n for n in (total, self._limit) if n is not None), default=None)
        bar.update(task, completed=items, total=known if known is None or known >= items else None)


def _bar(limit: int | None, line: Line) -> tuple[Progress, TaskID]:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Waiting(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(line.doing(time.monotonic()) if line.until else "")

    columns = BarColumn(bar_width=30), TextColumn("{task.completed} customers"), TimeElapsedColumn(), Waiting()
    bar = Progress(*columns, console=streams.console(sys.stderr), transient=True, redirect_stdout=False)
    return bar, bar.add_task("", total=limit)
