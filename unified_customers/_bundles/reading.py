"""A bundle read: its accounts at the same time, as Arrow batches, and what became of those that failed.

Knows directories, batches and references; must not know an engine. Everything is opened here, in the task, and closed
at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from .._adapter import Adapter
from .._walk import Plan
from ..directory import Directory
from ..errors import CustomersError
from ..models import Page
from ..tables.batches import BATCH, Batches
from . import failures
from .references import Reference
from .sizing import bounded
from .windows import Window

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]


@attrs.frozen(kw_only=True)
class Manner:
    """How a bundle is read.

    Attributes:
        query: Keywords of `Directory.customers`.
        concurrency: How many accounts at the same time.
        timeout: Seconds, as for `Client`.
        rate: Requests a second of each account; `None` for no limit.
        errors: Where rows of accounts that failed are written; `None` where the first one ends the reading.
        raw: Whether the provider's own object is a column.
        columns: Names of those that are wanted; all by default.
        batch_size: Customers of a batch, at the least.
    """

    query: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    concurrency: int = 16
    timeout: float | None = 30.0
    rate: float | None = None
    errors: str | None = None
    raw: bool = False
    columns: tuple[str, ...] | None = None
    batch_size: int = BATCH


@attrs.frozen(kw_only=True, repr=False)
class Bundle:
    """Accounts to be read together, by one task. It pickles, and holds no key.

    Attributes:
        job: Which job it belongs to.
        number: Which of the job's bundles it is, from 0.
        accounts: Where their settings are to be had.
        windows: The slice of time that is read of each account, by its name.
        requests: About how many requests it needs, where that is known.
        manner: How it is read.
    """

    job: str
    number: int
    accounts: Reference
    windows: Mapping[str, Window]
    requests: int | None
    manner: Manner

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts' names."""
        return tuple(self.windows)

    def __repr__(self) -> str:
        return f"<Bundle {self.number} of {len(self.windows)} accounts>"


class _Sliced(Directory):
    """A directory of which each account is read in a slice of time of its own."""

    def __init__(self, accounts: Mapping[str, Adapter], windows: Mapping[str, Window], **options: Any) -> None:
        super().__init__(accounts, **options)
        self._windows = windows

    def _plan(self, name: str, client: Any, query: dict[str, Any], known: Mapping[str, Any]) -> Plan:
        window = self._windows[name]
        if window == Window():
            return super()._plan(name, client, query, known)
        plan = super()._plan(name, client, bounded(query, window), known)
        if window.until is None:
            return plan
        return attrs.evolve(plan, local={**plan.local, "created_before": window.holds})


class _Counted:
    """Pages, and how many customers each account brought so far."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages
        self.judge = pages.judge
        self.items: dict[str, int] = {}

    def __next__(self) -> Page:
        page: Page = next(self._pages)
        name = page.account or ""
        self.items[name] = self.items.get(name, 0) + len(page)
        return page


def read(bundle: Bundle) -> Iterator[pa.RecordBatch]:
    """The bundle's customers.

    Raises:
        CustomersError: An account failed and errors are not collected, or the errors can't be written.
    """
    manner = bundle.manner
    accounts, errors = bundle.accounts.opened()
    if manner.errors is None and errors:
        raise next(iter(errors.values()))
    items: dict[str, int] = {}
    if accounts:
        yield from _read(bundle, accounts, errors, items)
    if manner.errors is not None:
        failures.put(manner.errors, bundle.job, bundle.number, errors, items)


def _read(
    bundle: Bundle, accounts: Mapping[str, Adapter], errors: dict[str, CustomersError], items: dict[str, int]
) -> Iterator[pa.RecordBatch]:
    manner = bundle.manner
    options = {"concurrency": manner.concurrency, "timeout": manner.timeout, "rate": manner.rate}
    with _Sliced(accounts, bundle.windows, **options) as directory:
        listing = directory.customers(**manner.query, on_account_error="raise" if manner.errors is None else "collect")
        pages = _Counted(listing.pages())
        yield from Batches(pages, manner.batch_size, raw=manner.raw, account=None, only=manner.columns)
        errors.update(listing.errors)
        items.update(pages.items)
