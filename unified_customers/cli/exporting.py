"""`export`: accounts into a file.

Knows the public API; must not know formats or providers. Nothing is written to stdout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

import unified_customers as uc
from unified_customers.events import each

from . import accounts, exits, streams
from .board import Board
from .options import State, filters, keywords, on_account_error, on_bad_record, page_size, shared, state, unsupported
from .telling import teller

_EPILOG = """
The file is written beside its place and put there when it is whole; what stood there before stays until then. --to
FOLDER/ writes part files, which can be resumed as CSV, JSON lines and DuckDB can, but one Parquet or Arrow file can't.
CSV has an apostrophe before texts that begin with = + - @ (full-width ones too), TAB, CR or LF, phone numbers such as
+49… included. Times are UTC.
"""


@click.command("export", epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--to", required=True, metavar="FILE", help=".csv, .jsonl, .parquet, .arrow, .duckdb, or FOLDER/.")
@click.option("--format", "format", type=click.Choice(["csv", "jsonl", "parquet", "arrow", "duckdb"]),
              help="Where the suffix does not say.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an export that was stopped or killed; else begin.")
@click.option("--since", metavar="CHECKPOINT|DATE", help="Only what was created since, where the provider can.")
@click.option("--raw", is_flag=True, help="With the provider's own object, as JSON; JSON lines always have it.")
@click.option("--no-defuse", is_flag=True, help="CSV: leave texts that a spreadsheet would run as they are.")
@filters
@unsupported
@on_bad_record("raise")
@on_account_error("raise", "export the others")
@page_size
@shared
def export(
    *,
    names: tuple[str, ...],
    to: str,
    format: str | None,
    resume: bool,
    since: str | None,
    raw: bool,
    no_defuse: bool,
    on_account_error: str,
    **query: Any,
) -> None:
    """Write the customers of each ACCOUNT into a file: all accounts of --accounts if none is named."""
    held = state()
    settings = accounts.several(names, held.accounts)
    board = Board(quiet=held.quiet, accounts=[*settings])
    with _opened(names, settings, each(teller(held), board.on_event)) as source, board:
        more = {"account": names[0]} if len(names) == 1 else {"on_account_error": on_account_error}
        try:
            result = uc.export(
                source, to, format=format, resume=resume, since=since, raw=raw, defuse=not no_defuse,
                **more, **keywords(query),
            )  # fmt: skip
        except (uc.CustomersError, KeyboardInterrupt) as error:
            raise exits.Stopped(error) from error
    _sum_up(result, held)
    if query.get("on_bad_record") != "skip" and since is None:
        _refuse_unsaid(result)


def _opened(
    names: tuple[str, ...], settings: Mapping[str, Any], on_event: Callable[[uc.Event], None]
) -> uc.Client | uc.Directory:
    """A client where one account was named, else a directory."""
    if len(names) == 1:
        return uc.Client(settings[names[0]], on_event=on_event)
    return uc.Directory(settings, on_event=on_event)


def _sum_up(result: uc.ExportResult, held: State) -> None:
    if not held.quiet:
        streams.say(f"{result.path}: {_counts(result)}")
    if result.report.bad:
        streams.say(f"warning: {result.report.bad} records could not be read and were left out")
    if result.rounded and not held.quiet:
        streams.say(f"{result.rounded} figures were rounded to 18 digits behind the point; .jsonl and .csv keep all")
    if held.verbose:
        streams.say(f"checkpoint for a later --since: {result.checkpoint}")
    if result.errors:
        said = "; ".join(f"{name}: {error.message}" for name, error in result.errors.items())
        raise exits.Failure(f"{len(result.errors)} accounts failed and are not in {result.path}: {said}")


def _refuse_unsaid(result: uc.ExportResult) -> None:
    """Accounts had failed, and the process that knew which was killed at the very end."""
    if result.resumed and not (result.complete or result.errors):
        raise exits.Failure(f"accounts failed before and are not in {result.path}: export again to see which, and why")


def _counts(result: uc.ExportResult) -> str:
    said = f"{result.rows} customers"
    if result.new is None:
        return said
    gone = "gone: not known" if result.gone is None else f"{result.gone} gone"
    return f"{said} read: {result.new} new, {result.changed} changed, {gone}"
