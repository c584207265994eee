"""`report`: what there is in one or many accounts, on the terminal, as JSON, as a page, and the matches as a table.

Knows the public API; must not know providers. Files are written before stdout, and whole or not at all. An account
that fails doesn't lose the others: the report is written, says that it is incomplete, and the command ends with 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import unified_customers as uc
from unified_customers.events import each
from unified_customers.reporting import ready

from . import accounts, exits, report_show, streams
from .board import Board
from .formats import dump
from .options import State, filters, keywords, on_account_error, on_bad_record, output, shared, state, unsupported
from .telling import teller

_EPILOG = """
No ACCOUNT means every account of the accounts file. Every customer is counted, archived ones too, unless --status says
otherwise. Revenue of several accounts is added up only where --currency names the same for them. Exit code 1, with the
report written all the same, if an account could not be read to its end. --html and --matches need the extra "report";
so does looking for matches, which --no-matching leaves out.
"""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page, too.")
@click.option("--matches", type=_FILE, metavar="FILE", help="Write who seems to be the same: .csv, .jsonl or .parquet.")
@click.option("--title", default="Customers", show_default=True, help="The page's heading.")
@click.option("--currency", "currencies", multiple=True, metavar="ACCOUNT=EUR",
              callback=lambda _ctx, _param, values: currency(values),
              help="The currency of an account's revenue; may be repeated.")  # fmt: skip
@click.option("--matching/--no-matching", default=True, show_default=True,
              help="Look for the same customer in several accounts, and twice in one.")  # fmt: skip
@on_account_error("collect", "report the others")
@filters
@unsupported
@on_bad_record("skip")
@output("table", "json", default="table")
@shared
def report(
    *,
    names: tuple[str, ...],
    html: Path | None,
    matches: Path | None,
    title: str,
    currencies: dict[str, str],
    matching: bool,
    output: str,
    **query: Any,
) -> None:
    """Write what there is: customers by status, country and month, revenue, what is missing, who is there twice."""
    held = state()
    if matches is not None and not matching:
        raise click.UsageError("--matches and --no-matching exclude each other")
    ready(html=html, matches=matches)
    settings = accounts.several(names, held.accounts)
    board = Board(quiet=held.quiet, accounts=[*settings])
    with uc.Directory(settings, on_event=each(teller(held), board.on_event)) as directory, board:
        listing = directory.customers(**{"status": "any", **keywords(query)})
        summary = _made(listing, currencies, matching=matching)
    _write_files(summary, html, matches, title, held)
    streams.write(dump(summary.to_dict(), ascii=not streams.is_unicode(), indent=2) + "\n" if output == "json"
                  else report_show.shown(summary))  # fmt: skip
    _end(summary)


def _made(listing: Any, currencies: dict[str, str], *, matching: bool) -> uc.Summary:
    """The report of a listing; one that ends in the middle is made anew, so its error has no place to go on from."""
    try:
        return uc.report(listing, currency=currencies, matching=matching)
    except uc.CustomersError as error:
        error.checkpoint = None
        raise


def currency(values: tuple[str, ...]) -> dict[str, str]:
    """ACCOUNT=EUR texts as a mapping.

    Raises:
        BadParameter: One has no account, no =, or no currency; or an account has two.
    """
    found: dict[str, str] = {}
    for text in values:
        account, equals, word = text.rpartition("=")
        if not account or not equals or not word.strip():
            raise click.BadParameter("write ACCOUNT=EUR")
        if account in found:
            raise click.BadParameter(f"{account} is given twice")
        found[account] = word
    return found


def _write_files(summary: uc.Summary, html: Path | None, matches: Path | None, title: str, held: State) -> None:
    if html is not None:
        summary.write_html(html, title)
    if matches is not None:
        summary.matches.write(matches)
    for path in (html, matches):
        if path is not None and not held.quiet:
            streams.say(f"wrote {path}")


def _end(summary: uc.Summary) -> None:
    """Say what is wrong with the report.

    Raises:
        Failure: An account could not be read to its end.
    """
    bad = summary.quality.bad_records
    if bad:
        streams.say(f"warning: {bad} records could not be read and were left out")
    failed = [account for account in summary.accounts if account.error is not None]
    if failed:
        first = failed[0]
        why = first.error.message if first.error else ""
        raise exits.Failure(
            f"the report is incomplete: {len(failed)} of {len(summary.accounts)} accounts "
            "could not be read to the end; "
            f"{first.name}: {why}"
        )
