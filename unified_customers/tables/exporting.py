"""`export`: the customers of a client or a directory in a file, whole or not there, and resumed after a kill.

Knows jobs and targets; must not know what any format needs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from ..errors import CustomersError, InvalidRequestError
from ..models import Customer
from . import figures
from .columnar import SheetTarget
from .database import Counts, DatabaseTarget
from .files import Lock
from .job import Job, Mark, Options, Portion, Source
from .lines import LinesTarget, csv_text, json_text
from .parts import PartsTarget

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", ".arrow": "arrow", ".duckdb": "duckdb"}
"""Formats by suffix."""

_PARTED = ("parquet", "arrow")
_DECIMAL = (*_PARTED, "duckdb")  # the others hold any figure
_TOGETHER, _BY_ACCOUNT = 1000, 20  # customers that are written together, at the least


@attrs.frozen(kw_only=True)
class ExportResult:
    """What an export did.

    Attributes:
        path: The file, or the folder of part files.
        rows: Customers in it, or, for DuckDB, customers that were read; those of a resumed export's first part
            included.
        checkpoint: The walk's end: pass it as `since=` to export later what was created since, where a provider can.
            After an export since a date it can only be passed together with that date's query, so pass a date again.
        complete: Whether every customer of the query was read: no record was left out, no account failed, and it was
            not an export `since` an earlier one.
        resumed: Whether it went on with an export that had been stopped.
        report: What the walk did in this process: a `Report`, or a directory's with one for each account.
        errors: With ``on_account_error="collect"``: the errors of accounts that failed in this process, by name. If
            all that was left to a resumed export was to put the file in its place, `complete` alone tells of them.
        rounded: Figures that had more than 18 digits behind the point and were rounded there, half to even; never in
            CSV and JSON lines, which hold every digit.
        new: DuckDB only: customers that were not in the table before.
        changed: DuckDB only: customers whose content is another than before, or who came back.
        gone: DuckDB only: customers that were there before and are not any more; `None` if it can't be known because
            the export is not complete, or is one `since` another.
    """

    path: Path
    rows: int
    checkpoint: str
    complete: bool
    resumed: bool = False
    report: Any = attrs.field(default=None, repr=False)
    errors: dict[str, CustomersError] = attrs.field(factory=dict, repr=False)
    rounded: int = 0
    new: int | None = None
    changed: int | None = None
    gone: int | None = None


class Target(Protocol):
    """Where customers are written to; each format has one."""

    def begin(self, *, resume: bool) -> Mark | None:
        """Start, or go on; returns how far an earlier process came."""

    def write(self, portions: Sequence[Portion], mark: Mark) -> None:
        """Write some customers; `mark` says how far the walk is after them."""

    def finish(self, mark: Mark) -> None:
        """Put the file in its place."""

    def stop(self) -> bool:
        """Keep what can be resumed, remove the rest; returns whether there is something to go on with."""


def export(
    source: Source,
    to: str | os.PathLike[str],
    *,
    format: str | None = None,
    resume: bool = False,
    since: str | date | datetime | None = None,
    raw: bool = False,
    defuse: bool = True,
    account: str | None = None,
    **query: Any,
) -> ExportResult:
    """Write the customers of a client or a directory into a file.

    The file is whole or not there: it is written beside its place, under a name that ends in `.unfinished`, and put
    there at the end. Until then, and after an error, what stood there before is as it was. The new file has the mode
    of the one that it replaces; a symbolic link stays, and what it points to is replaced.

    Args:
        source: A `Client` or a `Directory`.
        to: The file, by whose suffix the format is chosen: ``.csv``, ``.jsonl``, ``.parquet``, ``.arrow`` (IPC),
            ``.duckdb`` (a table `customers` with the key account, provider, id). With a `/` at the end, or an existing
            folder: a folder of part files, Parquet unless `format` says ``"arrow"``.
        format: ``"csv"``, ``"jsonl"``, ``"parquet"``, ``"arrow"`` or ``"duckdb"``, where the suffix does not say.
        resume: Go on with an export that was stopped or killed; one that never began is begun. A single Parquet or
            Arrow file can't be.
        since: A checkpoint of an earlier export's result, or a date or time: only customers created since, where the
            provider can tell.
        raw: Whether the provider's own object is in a column too. JSON lines always have it.
        defuse: CSV only: whether texts that a spreadsheet would run as a formula get an apostrophe before them.
        account: What stands in the column `account` for a `Client`; the provider's name by default.
        query: Filters and further keywords of `source.customers`.

    Raises:
        ExportError: The file can't be written, or is something else than expected.
        CheckpointError: What would be resumed, or added to, belongs to another query, account or format.
        UnsupportedError: A single file of that format can't be resumed, or a provider can't do what is asked.
        ConfigurationError: The extra `arrow` or `duckdb` is not installed.
        CustomersError: Reading failed. What was written is kept for `resume=True`, where the format can.
    """
    named, kind, parted = _place(to, format)
    path = Path(os.path.realpath(named)) if named.is_symlink() else named
    job = Job.of(source, query, since, account)
    target = _target(path, kind, job, Options(kind, raw, defuse, job.since), parted=parted)
    lock = Lock(path)
    lock.take()
    try:
        return _run(job, target, named, kind, resume=resume)
    except BaseException as error:
        if target.stop():
            error.add_note("resume=True goes on with what was written")
        raise
    finally:
        lock.free()


def _place(to: str | os.PathLike[str], format: str | None) -> tuple[Path, str, bool]:
    """Path, format, and whether it is a folder of part files."""
    text: Any = os.fspath(to)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise InvalidRequestError("to= is the path of a file")
    path = Path(text)
    if not path.name:
        raise InvalidRequestError("to= names a file, or a folder of its own")
    parted = text.endswith(("/", os.sep)) or (path.is_dir() and path.suffix in {"", ".parquet"})
    kind = format or FORMATS.get(path.suffix.lower()) or ("parquet" if parted else None)
    if kind is None or kind not in FORMATS.values():
        known = ", ".join(FORMATS if format is None else FORMATS.values())
        raise InvalidRequestError(f"the format is not known by {path.name!r}: it is one of {known}")
    if parted and kind not in _PARTED:
        raise InvalidRequestError(f"a folder of part files is of Parquet or Arrow, not of {kind}: leave the / out")
    return path, kind, parted


def _target(path: Path, kind: str, job: Job, options: Options, *, parted: bool) -> Target:
    if parted:
        return PartsTarget(path, job, options)
    if kind == "duckdb":
        return DatabaseTarget(path, job, options)
    if kind in _PARTED:
        return SheetTarget(path, job, options)
    made: Callable[..., Any] = csv_text if kind == "csv" else json_text
    return LinesTarget(path, job, options, *made(options))


def _run(job: Job, target: Target, path: Path, kind: str, *, resume: bool) -> ExportResult:
    begun = target.begin(resume=resume)
    mark = begun or Mark(job.start)
    job.earlier_bad, job.earlier_failed = mark.bad, mark.failed
    if not mark.done:
        listing = job.open(begun.checkpoint if begun else None)
        mark = _write(job, target, listing.pages(), mark, exact=kind not in _DECIMAL)
        mark = attrs.evolve(mark, failed=bool(job.errors))  # who only puts the file in its place can't know
    target.finish(mark)
    counts: Counts | None = getattr(target, "counts", None)
    return ExportResult(
        path=path,
        rows=mark.rows,
        checkpoint=mark.checkpoint,
        complete=job.whole,
        resumed=begun is not None,
        report=job.listing.report,
        errors=job.errors,
        rounded=mark.rounded,
        **({} if counts is None else attrs.asdict(counts)),
    )


def _write(job: Job, target: Target, pages: Any, mark: Mark, *, exact: bool) -> Mark:
    """Write page after page, some at a time, as a checkpoint of many accounts takes its time."""
    enough = max(_TOGETHER, _BY_ACCOUNT * len(job.accounts))
    portions: list[Portion] = []
    held = 0
    while True:
        try:
            page = next(pages, None)
        except CustomersError:  # what came before it stands before the walk's checkpoint
            _hand_over(job, target, pages, portions, mark)
            raise
        if page is not None:
            items, rounded = (page.items, 0) if exact else _held(pages, page)
            mark = attrs.evolve(mark, rounded=mark.rounded + rounded)
            portions.append(Portion(page.account or job.named or "", items))
            held += len(page.items)
        if page is None or held >= enough:
            mark = _hand_over(job, target, pages, portions, mark)
            portions, held = [], 0
        if page is None:
            return mark


def _held(pages: Any, page: Any) -> tuple[Sequence[Customer], int]:
    """What decimal columns hold of a page, and how many figures they round.

    Raises:
        BadRecordError: A figure is too large, and that is to be raised. What stands before it in this process and was
            not written yet is read again, as the walk's checkpoint is after it.
    """
    return figures.held(page.items, lambda errors: pages.judge(errors, page.account))


def _hand_over(job: Job, target: Target, pages: Any, portions: Sequence[Portion], mark: Mark) -> Mark:
    new = sum(len(one.customers) for one in portions)
    mark = attrs.evolve(mark, checkpoint=pages.checkpoint, rows=mark.rows + new, bad=job.bad)
    if new:
        target.write([one for one in portions if one.customers], mark)
    return mark
