"""Tables: drawn on a terminal, tab-separated in a pipe.

Knows texts and widths; must not know providers or HTTP. A customer's name may hold anything, so nothing that steers a
terminal gets through.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import attrs

import unified_customers as uc

from . import streams
from .formats import cell

HEADERS = ("PROVIDER", "ID", "NAME", "EMAIL", "KIND", "STATUS", "COUNTRY", "CREATED")
_FIELDS = ("provider", "id", "name", "email", "kind", "status", "billing_country", "created_at")
_LEAST = {"NAME": 10, "EMAIL": 12}
_MOST = {"NAME": 28, "EMAIL": 32}
_SPARED_FIRST = ("PROVIDER", "KIND", "COUNTRY", "CREATED", "STATUS")
_JOINERS = "\u200c\u200d"  # they shape letters and steer nothing
_GAP = 2
Rows = Sequence[Sequence[str]]


def clean(text: str) -> str:
    """The text with everything that is not printable written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode() for c in text)


def row(customer: uc.Customer) -> list[str]:
    """The common model in a line: dates by the day, a person's names joined where there is no other name."""
    cells = {field: cell(customer, field) for field in _FIELDS}
    cells["created_at"] = cells["created_at"][:10]
    return [clean(value) for value in cells.values()]


def separated(rows: Iterable[Sequence[str]]) -> str:
    """Tab-separated lines; `clean` has left no tab in a cell."""
    return "".join("\t".join(map(clean, cells)) + "\n" for cells in rows)


def shown(headers: Sequence[str], rows: Rows) -> str:
    """A small table for stdout: drawn for a terminal, tab-separated for a pipe."""
    return drawn(headers, rows) if streams.is_terminal(sys.stdout) else separated([headers, *rows])


def drawn(headers: Sequence[str], rows: Rows, widths: Sequence[int] = (), *, header: bool = True) -> str:
    """A table in aligned columns, coloured if stdout is a terminal that has colours.

    Args:
        headers: A name for each column; an empty tuple for none.
        rows: Cells.
        widths: Fixed widths, for a table that goes on later; else the columns fit what is in them.
        header: Whether to show the names.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=header, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for number, name in enumerate(headers):
        width = widths[number] if widths else None
        table.add_column(name, width=width, no_wrap=bool(widths), overflow="ellipsis" if widths else "fold")
    for cells in rows:
        table.add_row(*(Text(clean(text)) for text in cells))
    console = streams.console(sys.stdout)
    with console.capture() as captured:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1])


@attrs.define
class Separated:
    """Customers as tab-separated lines."""

    def begin(self) -> str:
        """The columns' names."""
        return separated([HEADERS])

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """A line for each."""
        return separated(row(one) for one in customers)

    def end(self) -> str:
        """Nothing."""
        return ""


@attrs.define
class Drawn:
    """Customers as a table that grows by the page; its columns are those that the first page needed.

    Attributes:
        width: Columns of the terminal.
        spared: Which to leave out where it is narrow, the first first.
    """

    width: int
    spared: Sequence[str] = _SPARED_FIRST
    _fit: dict[int, int] = attrs.field(factory=dict, init=False)

    def begin(self) -> str:
        """Nothing: the widths are not known yet."""
        return ""

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """More of the table."""
        rows = [row(one) for one in customers]
        first = not self._fit
        if first:
            self._fit = fit(rows, self.width, self.spared)
        kept = [[cells[number] for number in self._fit] for cells in rows]
        names = [HEADERS[number] for number in self._fit]
        return drawn(names, kept, list(self._fit.values()), header=first)

    def end(self) -> str:
        """The columns' names, if nobody came."""
        return "" if self._fit else self.page(())


def fit(rows: Rows, width: int, spared: Sequence[str] = _SPARED_FIRST) -> dict[int, int]:
    """Which columns to show, and how wide; an id is never cut while anything else can be."""
    from rich.cells import cell_len

    wide = {}
    for number, name in enumerate(HEADERS):
        natural = max([len(name), *(cell_len(cells[number]) for cells in rows)])
        wide[number] = min(natural, _MOST.get(name, natural))
    least = {number: min(_LEAST.get(HEADERS[number], size), size) for number, size in wide.items()}
    for name in spared:
        if _total(least) > width:
            del wide[HEADERS.index(name)], least[HEADERS.index(name)]
    for name in ("EMAIL", "NAME"):
        number = HEADERS.index(name)
        wide[number] = max(least[number], wide[number] - max(0, _total(wide) - width))
    return wide


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * len(widths)
