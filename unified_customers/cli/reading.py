"""`list`: customers as they come, and where to go on if it stops.

Knows the public API and formats; must not know providers. A page is read, written whole, and only then counted as
handed out, so the checkpoint that an error or an interruption tells neither repeats a customer nor leaves one out.
"""

from __future__ import annotations

import sys
from typing import Any

import click

import unified_customers as uc
from unified_customers.events import each

from . import accounts, exits, streams, tables
from .formats import Csv, JsonArray, JsonLines, Writer
from .options import State, filters, keywords, on_bad_record, output, page_size, shared, state, unsupported
from .progress import Bar
from .telling import teller

_EPILOG = """
-o csv puts an apostrophe before a cell that begins with = + - @ (full-width ones too), TAB, CR or LF, phone numbers
such as +49… included, so that no spreadsheet runs it as a formula. -o json stays an open array if the reading fails.
In a pipe, -o table is tab-separated. Times are UTC.
"""


@click.command("list", epilog=_EPILOG)
@click.argument("account")
@filters
@click.option("--sort", metavar="FIELD", help="Sort by this, where the provider can.")
@click.option("--order", type=click.Choice(["asc", "desc"]), help="Which way.")
@unsupported
@on_bad_record("raise")
@click.option("--after", metavar="CHECKPOINT", help="Go on from here; repeat the other options.")
@click.option("--before", metavar="CHECKPOINT|ID", help="Walk backwards from here, where the provider can.")
@click.option("--max-items", type=click.IntRange(min=0), metavar="N", help="How many customers in all.")
@page_size
@click.option("--raw", is_flag=True, help="With the provider's own object (json and jsonl).")
@output("table", "json", "jsonl", "csv", default="table")
@shared
def list_(account: str, output: str, raw: bool, **query: Any) -> None:
    """Write the customers of ACCOUNT: a provider's name, or one of --accounts."""
    if raw and output not in {"json", "jsonl"}:
        raise click.UsageError("--raw goes with -o json or -o jsonl")
    held = state()
    bar = Bar(quiet=held.quiet, limit=query["max_items"])
    with accounts.connect(account, held.accounts, each(teller(held), bar.on_event)) as client:
        reading = Reading(client.customers(**keywords(query)), _writer(output, account, raw=raw), held, bar)
        reading.run(query["max_items"])


def _writer(output: str, account: str, *, raw: bool) -> Writer:
    if output == "csv":
        return Csv(account)
    if output == "jsonl":
        return JsonLines(raw=raw, ascii=not streams.is_unicode())
    if output == "json":
        return JsonArray(raw=raw, ascii=not streams.is_unicode())
    terminal = streams.is_terminal(sys.stdout)
    return tables.Drawn(streams.console(sys.stdout).width) if terminal else tables.Separated()


class Reading:
    """One pass over a listing, from the provider to stdout."""

    def __init__(self, listing: uc.Listing, writer: Writer, state: State, bar: Bar) -> None:
        self._pages = listing.pages()
        self._writer = writer
        self._state = state
        self._bar = bar
        self._items = 0
        self._stands = self._pages.checkpoint

    def run(self, limit: int | None) -> None:
        """Read to the end, or to wherever it stops."""
        try:
            with self._bar as bar:
                self._read(bar)
        except KeyboardInterrupt:
            raise exits.Interrupted(self._stands) from None
        except uc.CustomersError as error:
            error.checkpoint = self._stands if self._items else None
            raise
        except streams.OutputError as error:
            error.checkpoint = self._stands
            raise
        self._sum_up(limit)

    def _read(self, bar: Bar) -> None:
        self._write(self._writer.begin())
        while True:
            with bar.waiting():
                page = next(self._pages, None)
            if page is None:
                break
            self._write(self._writer.page(page.items), len(page))
            report = self._pages.report
            bar.came(report.items, report.pages, report.total)
        self._write(self._writer.end())

    def _write(self, text: str, items: int = 0) -> None:
        with self._state.interrupts.held():
            streams.write(text)
            self._items += items
            self._stands = self._pages.checkpoint

    def _sum_up(self, limit: int | None) -> None:
        report = self._pages.report
        if report.bad:
            streams.say(f"warning: {report.bad} records could not be read and were left out")
        if self._state.verbose:
            for error in report.bad_records:
                streams.say(f"left out: {error}")
            streams.say(
                f"{report.provider}: {self._items} customers, {report.pages} pages, {report.requests} requests, "
                f"{report.retries} repeated, {report.waited:.1f} s waited"
            )
        if limit is not None and self._items == limit and not self._state.quiet:
            streams.say(f"stopped at --max-items {limit}; to go on: --after {self._stands}")
