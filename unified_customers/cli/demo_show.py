"""How the demo looks: a live line per provider on a terminal, plain lines in a pipe, then tables and proof.

Knows what was seen; must not know how it was read. Readable without colour, and on a terminal without Unicode.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import unified_customers as uc

from . import streams, tables
from .telling import sentence

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from .demo import Seen

LINES = """\
import unified_customers as uc

names = ("flexportal", "flexprice", "flatpeak")
clients = [uc.connect(name) for name in names]  # settings: FLEXPORTAL_API_KEY and so on
with uc.Directory([client.provider for client in clients]) as directory:
    listing = directory.customers()
    for customer in listing:  # all accounts at the same time, one iterator
        print(customer.provider, customer.id, customer.status, customer.created_at)
    requests = listing.report.requests
    print(requests, "requests; to go on later:", listing.checkpoint[:12])
"""
_SPARED = ("KIND", "CREATED", "COUNTRY", "STATUS")  # where the terminal is narrow; never whose they are
_OBSTACLES = (
    "In the way: FlexPortal answers once with 503 and an HTML page, Flexprice once with 429 and Retry-After: 1, and\n"
    "Flatpeak's token expires in the middle of the list.\n\n"
)


class Show:
    """What the demo writes, as a context: a live display ends with it."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = streams.is_terminal(sys.stdout)
        self._seen: Sequence[Seen] = ()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def beginning(self, url: str, customers: int) -> None:
        """Say what is about to happen."""
        self._line(f"Three billing providers on {url}, {customers} customers each: a sandbox on this machine.\n")
        self._line(_OBSTACLES)

    def follow(self, seen: Sequence[Seen]) -> None:
        """Show these from now on."""
        self._seen = seen
        if self._terminal and not self._quiet:
            from rich.live import Live

            console = streams.console(sys.stdout)
            self._live = Live(
                get_renderable=self._now, console=console, refresh_per_second=12, redirect_stdout=False,
                redirect_stderr=False,
            )  # fmt: skip
            self._live.start()

    def told(self, seen: Seen, event: uc.Event) -> None:
        """A client told something."""
        if self._live is None:
            self._line(f"{seen.name:<11} {sentence(event)}\n")

    def done(self, seen: Seen) -> None:
        """A provider has been read."""
        if self._live is None:
            self._line(f"{seen.name:<11} {_of(seen)} customers after {seen.seconds:.1f} s\n")

    def ending(self, seen: Sequence[Seen], seconds: float) -> None:
        """Show customers, totals, what was survived, and how to do the same."""
        table = tables.Drawn(streams.console(sys.stdout).width, spared=_SPARED)
        some = table.page(customer for one in seen for customer in one.first)
        streams.write(f"\nSome of them, in one model:\n\n{some}")
        streams.write(f"\nAll of them:\n\n{tables.drawn(_COUNTED, _counted(seen, seconds))}")
        streams.write(f"\nSurvived, as counted on the way:\n\n{_survived(seen)}")
        streams.write(f"\nThe same with your own accounts:\n\n{LINES}")

    def _line(self, text: str) -> None:
        if not self._quiet:
            streams.write(text)

    def _now(self) -> Table:
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(no_wrap=True, overflow="ellipsis")
        for seen in self._seen:
            said = sentence(seen.events[-1]) if seen.events else ""
            last = f"done after {seen.seconds:.1f} s" if seen.seconds else said or "reads"
            table.add_row(seen.name, _bar(seen), _of(seen), last)
        return table


def _bar(seen: Seen, width: int = 25) -> str:
    full = width * len(seen.ids) // max(len(seen.held), 1)
    return "#" * min(full, width) + "." * max(width - full, 0)


def _of(seen: Seen) -> str:
    return f"{len(set(seen.ids))} of {len(seen.held)}"


_COUNTED = ("PROVIDER", "CUSTOMERS", "PAGES", "REQUESTS", "REPEATED", "SIGN-INS", "WAITED", "SECONDS")


def _counted(seen: Sequence[Seen], seconds: float) -> list[list[str]]:
    rows = [[one.name, _of(one), *map(str, _numbers(one)), _waited(one), f"{one.seconds:.1f}"] for one in seen]
    sums = [sum(column) for column in zip(*map(_numbers, seen), strict=True)]
    came, held = sum(len(set(one.ids)) for one in seen), sum(len(one.held) for one in seen)
    waited = sum(one.report.waited for one in seen)
    return [*rows, ["together", f"{came} of {held}", *map(str, sums), f"{waited:.1f} s", f"{seconds:.1f}"]]


def _numbers(seen: Seen) -> tuple[int, int, int, int]:
    report = seen.report
    return report.pages, report.requests, report.retries, seen.sign_ins


def _waited(seen: Seen) -> str:
    return f"{seen.report.waited:.1f} s"


def _survived(seen: Sequence[Seen]) -> str:
    """Evidence from the clients' own events."""
    lines = []
    for one in seen:
        for status in (503, 429):
            events = one.answered(status)
            if events:
                waited = sum(event.wait for event in events)
                lines.append(f"{one.name:<11} {status} x {len(events)}, sent again after {waited:.1f} s")
        if one.sign_ins > 1:
            lines.append(f"{one.name:<11} expired token x {one.sign_ins - 1}, signed in again and went on")
    return "".join(f"{line}\n" for line in lines) or "nothing: no obstacle was met\n"
