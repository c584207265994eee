"""A report as text: tables and bars on a terminal, tab-separated lines in a pipe.

Knows a report's values; must not know how they were counted. Everything goes through `clean`, so that no name steers
the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

import unified_customers as uc

from . import streams
from .tables import clean, separated

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ROWS = 15  # of a section on a terminal; a pipe gets all
_NAME = 40  # columns


@attrs.frozen
class Line:
    """One number.

    Attributes:
        name: What it is of.
        value: The number as text.
        note: What belongs to it, such as a currency.
        size: How long its bar is, in the section's own measure.
    """

    name: str
    value: str
    note: str = ""
    size: float = 0


@attrs.frozen
class Section:
    """Numbers that belong together.

    Attributes:
        key: The name in a pipe.
        title: The heading on a terminal.
        whole: What a bar's full length means; without one there are no bars.
        share: Whether to show what part of the whole a number is.
    """

    key: str
    title: str
    lines: Sequence[Line]
    whole: float = 0
    share: bool = False


def shown(summary: uc.Summary) -> str:
    """The report for stdout."""
    sections = [section for section in _sections(summary) if section.lines]
    if streams.is_terminal(sys.stdout):
        return _drawn(summary, sections)
    rows = ((section.key, line.name, line.value, line.note) for section in sections for line in section.lines)
    notes = (("note", text, "", "") for text in summary.notes)
    return separated([("SECTION", "NAME", "VALUE", "NOTE"), *rows, *notes])


def _sections(summary: uc.Summary) -> Iterator[Section]:
    whole = summary.customers
    yield Section("report", "", _heading(summary))
    yield Section("account", "Accounts", _accounts(summary), whole, share=True)
    for key, title, found in (
        ("provider", "Providers", summary.by_provider),
        ("status", "Status", summary.by_status),
        ("kind", "Kind", summary.by_kind),
        ("country", "Country", summary.by_country),
    ):
        lines = [_counted(one.value or "-", one.customers) for one in found]
        others = [_counted("others", found.other)] if found.other else []
        yield Section(key, title, [*lines, *others], whole, share=True)
    recent = summary.recent(24)
    months = [_counted(one.month, one.customers) for one in reversed(recent)]
    yield Section("month", "New a month", months, max((one.customers for one in recent), default=0))
    yield Section("revenue", "Revenue a month", list(_revenue(summary)))
    yield from _tops(summary)
    yield Section("missing", "Missing", _missing(summary.quality), whole, share=True)
    yield from _same(summary)
    yield Section("reading", "Reading", list(_reading(summary)))


def _counted(name: str, number: int, note: str = "") -> Line:
    return Line(name, str(number), note, number)


def _heading(summary: uc.Summary) -> list[Line]:
    return [
        Line("made_at", summary.made_at.isoformat()),
        Line("complete", "yes" if summary.complete else "NO"),
        _counted("customers", summary.customers),
    ]


def _accounts(summary: uc.Summary) -> list[Line]:
    lines = []
    for one in summary.accounts:
        why = f"INCOMPLETE: {one.error.message}" if one.error is not None else ""
        lines.append(_counted(one.name, one.customers, why))
    return lines


def _revenue(summary: uc.Summary) -> Iterator[Line]:
    for one in (*summary.shared_revenue, *summary.revenue):
        yield Line(" + ".join(one.accounts), _plain(one.total), one.currency or "currency not known")


def _tops(summary: uc.Summary) -> Iterator[Section]:
    for one in summary.revenue:
        name, currency = one.accounts[0], one.currency or ""
        top = [Line(best.name or best.id, _plain(best.revenue), currency) for best in one.top]
        yield Section("top", f"Most revenue: {name}", top)
        countries = [Line(part.country or "-", _plain(part.revenue), currency) for part in one.by_country]
        yield Section("revenue_country", f"Revenue by country: {name}", countries)


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"


_MISSING = {
    "without_email": "e-mail",
    "without_phone": "phone",
    "without_country": "country",
    "unread_country": "country, though one was sent",
    "without_address": "address",
    "without_name": "name or company",
    "undated": "time of creation",
}


def _missing(quality: object) -> list[Line]:
    return [_counted(text, getattr(quality, name)) for name, text in _MISSING.items()]


def _same(summary: uc.Summary) -> Iterator[Section]:
    found = summary.matching
    if found is None:
        return
    across = [_counted(word, number) for word, number in found.by_sure.items()]
    yield Section("same", "The same customer in several accounts", across, found.across)
    pairs = [_counted(f"{one.first} + {one.second}", one.clusters) for one in found.overlaps]
    yield Section("overlap", "In both of two accounts", pairs, max((one.clusters for one in found.overlaps), default=0))
    yield Section("twice", "Twice in one account", [_counted("clusters", found.within)])
    shared = [_counted(one.value, one.customers, one.why) for one in found.shared]
    yield Section("shared", "Values of too many to tell anybody apart", shared)


def _reading(summary: uc.Summary) -> Iterator[Line]:
    for one in summary.accounts:
        if one.reading is not None:
            read = one.reading
            said = (
                f"{read.retries} repeated, {read.waited:.1f} s waited, {read.duplicates} duplicates, drift {read.drift}"
            )
            yield Line(
                one.name, f"{read.requests} requests", f"{said}, {read.bad} bad records, scan {read.scan or '-'}"
            )


def _drawn(summary: uc.Summary, sections: Iterable[Section]) -> str:
    from rich.text import Text

    console = streams.console(sys.stdout)
    with console.capture() as captured:
        if not summary.complete:
            console.print(Text("This report is INCOMPLETE", style="bold red"))
        for section in sections:
            if section.title:
                console.print(Text(f"\n{clean(section.title)}", style="bold"))
            console.print(_table(section, console))
        for text in summary.notes:
            console.print(Text(f"\n{clean(text)}"))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1])


def _table(section: Section, console: Console) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(max_width=_NAME, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", overflow="fold")
    for _ in range(3):
        table.add_column(overflow="fold")
    for line in section.lines[:_ROWS]:
        share = f"{100 * line.size / section.whole:.1f} %" if section.share and section.whole else ""
        cells = (Text(clean(text)) for text in (line.name, line.value, share))
        table.add_row(*cells, _bar(line, section, console), Text(clean(line.note)))
    if len(section.lines) > _ROWS:
        table.add_row(Text(f"and {len(section.lines) - _ROWS} more", style="dim"))
    return table


def _bar(line: Line, section: Section, console: Console) -> RenderableType:
    from rich.bar import Bar

    if not section.whole or not console.encoding.startswith("utf"):
        return ""
    return Bar(section.whole, 0, line.size, width=max(8, min(30, console.width - 60)), color="blue")
