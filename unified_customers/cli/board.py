"""What accounts are doing while they are read: a line each on stderr, if that is a terminal; nothing in a pipe.

Knows events; must not know customers or commands. With hundreds of accounts, the lines are those of the accounts at
work, so that the board fits the screen.

    with Board(quiet=state.quiet, accounts=names) as board:
        directory = uc.Directory(settings, on_event=events.each(teller(state), board.on_event))
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import attrs

import unified_customers as uc
from unified_customers.events import PageRead, Repeated, RequestEnded, SigningIn, SteppedBack, WalkBegan, WalkEnded

from . import streams

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_ROWS = 12
_AROUND = 4  # lines that a board leaves to others, and needs for its sums
_A_SECOND = 5  # pictures


@attrs.define
class Line:
    """One account, as far as its events tell.

    Attributes:
        state: ``"idle"``, ``"reading"``, ``"done"``, ``"failed"`` or ``"left"``.
        until: When a wait is over, on the board's clock.
        said: What it does, or why it failed.
        total: The provider's first count; later ones may count what is left.
    """

    name: str
    state: str = "idle"
    said: str = ""
    customers: int = 0
    total: int | None = None
    pages: int = 0
    retries: int = 0
    began: float = 0.0
    ended: float | None = None
    until: float = 0.0

    def hear(self, event: uc.Event, now: float) -> None:
        """Take an event."""
        match event:
            case WalkBegan():
                self.began = self.began or now
                self.state, self.said, self.ended = "reading", "reading", None
            case SigningIn():
                self.said = "signing in"
            case RequestEnded(ahead=False):
                self.said, self.until = "reading", 0.0
            case Repeated(wait=wait, status=status, reason=reason):
                self.retries += 1
                self.said, self.until = f"({status or reason})", now + wait
            case PageRead() | SteppedBack():
                self._page(event)
            case WalkEnded(outcome=outcome):
                self.state = {"complete": "done"}.get(outcome, outcome)
                self.said, self.ended, self.until = event.error or self.state, now, 0.0
            case _:
                pass

    def _page(self, event: PageRead | SteppedBack) -> None:
        if not self.pages:
            self.total = event.total
        self.customers += event.items
        self.pages += isinstance(event, PageRead)

    def doing(self, now: float) -> str:
        """In words."""
        if self.until:
            return f"waiting {max(0, math.ceil(self.until - now))} s {self.said}"
        return f"failed: {self.said}" if self.state == "failed" else self.said

    def rate(self, now: float) -> float:
        """Customers a second."""
        seconds = (now if self.ended is None else self.ended) - self.began
        return self.customers / seconds if self.began and seconds > 0 else 0.0


class Board:
    """The board; silent if nobody would see it.

    Args:
        quiet: Whether nothing is to be shown.
        accounts: Their names, in order; those that turn up in events without being named here follow.
        rows: Lines of accounts at the most, fewer on a small terminal.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        accounts: Sequence[str] = (),
        rows: int = _ROWS,
        _clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = {name: Line(name) for name in accounts}
        self._alone = accounts[0] if len(accounts) == 1 else None
        self._rows, self._clock = rows, _clock
        self._began = _clock()
        self._lock = threading.Lock()
        self._live: Live | None = None
        if not quiet and streams.is_terminal(sys.stderr):
            self._live = self._shown()

    def _shown(self) -> Live:
        from rich.live import Live

        console = streams.console(sys.stderr)
        return Live(
            get_renderable=lambda: self.picture(console.height),
            console=console,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def on_event(self, event: uc.Event) -> None:
        """Take an event, from any thread."""
        if event.walk is None:
            return
        name = event.account or self._alone or event.provider
        with self._lock:
            line = self._lines.setdefault(name, Line(name))
            line.hear(event, self._clock())

    def picture(self, height: int) -> Table:
        """The board as it stands.

        Args:
            height: Lines of the terminal.
        """
        from rich.table import Table

        now = self._clock()
        table = Table(box=None, show_header=True, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("account", no_wrap=True, overflow="ellipsis", max_width=32)
        for heading in ("customers", "a second", "pages", "repeats"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, overflow="ellipsis")
        with self._lock:
            lines = [*self._lines.values()]
            shown = self._seen(lines, height)
            for line in shown:
                table.add_row(*_cells(line, now), style=_STYLES.get(line.state))
            if len(lines) > 1:
                table.add_row(*self._sum(lines, now), style="bold")
        return table

    def _seen(self, lines: Sequence[Line], height: int) -> list[Line]:
        """All where they fit; else those at work first, then those that failed."""
        room = max(1, min(self._rows, height - _AROUND))
        if len(lines) <= room:
            return [*lines]
        first = sorted(lines, key=lambda line: (_ORDER.get(line.state, 9), -line.retries if line.until else 0))
        return [line for line in first[:room] if line.state in _ORDER]

    def _sum(self, lines: Sequence[Line], now: float) -> tuple[str, ...]:
        counts = {state: sum(line.state == state for line in lines) for state in ("reading", "done", "failed", "left")}
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        customers, seconds = sum(line.customers for line in lines), now - self._began
        return (
            f"{len(lines)} accounts",
            f"{customers:,}",
            f"{customers / seconds if seconds > 0 else 0.0:,.0f}",
            f"{sum(line.pages for line in lines):,}",
            f"{sum(line.retries for line in lines):,}",
            said,
        )


_ORDER = {"reading": 0, "failed": 1, "left": 2}
_STYLES = {"idle": "dim", "done": "dim", "failed": "red"}


def _cells(line: Line, now: float) -> tuple[str, ...]:
    known = line.total is not None and line.total >= line.customers and line.state == "reading"
    return (
        line.name,
        f"{line.customers:,}" + (f" of {line.total:,}" if known else ""),
        f"{line.rate(now):,.0f}",
        f"{line.pages:,}",
        f"{line.retries:,}" if line.retries else "",
        line.doing(now),
    )
