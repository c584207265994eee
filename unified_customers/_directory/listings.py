"""The listings that users of a directory hold, sync and async.

Knows walks over many accounts and how they are iterated; must not know threads, tasks or httpx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import CustomersError
from ..tables import batches
from .progress import DirectoryReport, Progress
from .tasks import AsyncDirectoryIterator, AsyncDirectoryPageIterator
from .threads import DirectoryIterator, DirectoryPageIterator

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Customers = TypeVar("Customers")
Pages = TypeVar("Pages")
Tell = Callable[[Progress], None]
Make = Callable[[Progress, Tell], Customers]


class _Base(Generic[Customers, Pages]):
    """What both listings share: how a walk is started, and the one that last advanced."""

    def __init__(self, start: Callable[[], Progress], customers: Make[Customers], pages: Make[Pages]) -> None:
        self._start, self._customers, self._pages = start, customers, pages
        self._last: Progress | None = None

    def _advanced(self, progress: Progress) -> None:
        self._last = progress

    @property
    def _progress(self) -> Progress:
        """The walk that last advanced, or one that stands at the start."""
        if self._last is None:
            self._last = self._start()
        return self._last

    @property
    def checkpoint(self) -> str:
        """Where the walk that last advanced stands, for all accounts: ``customers(after=checkpoint)`` goes on."""
        return self._progress.checkpoint

    @property
    def errors(self) -> dict[str, CustomersError]:
        """Errors of accounts that were given up, by the account's name; empty with ``on_account_error="raise"``."""
        return self._progress.errors

    @property
    def report(self) -> DirectoryReport:
        """What the walk that last advanced did so far, in all and by account."""
        return self._progress.report

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._progress.accounts)} accounts>"


class DirectoryListing(_Base[DirectoryIterator, DirectoryPageIterator]):
    """The customers of all accounts: lazy, and read anew by each `for`."""

    def __iter__(self) -> DirectoryIterator:
        return self._customers(self._start(), self._advanced)

    def pages(self) -> DirectoryPageIterator:
        """The same customers, by the page; `page.account` says whose they are."""
        return self._pages(self._start(), self._advanced)

    def to_arrow(self, *, batch_size: int | None = None, raw: bool = False) -> pa.RecordBatchReader:
        """The same customers as a stream of Arrow record batches: one walk, read as the batches are asked for.

        Args:
            batch_size: How many customers a batch has at the least, but for the last and one before an error: pages
                are not cut, so `checkpoint` is exact after each batch; 2,000 by default.
            raw: Whether the provider's own object is in a column, as JSON text.

        Raises:
            ConfigurationError: The extra `arrow` is not installed.
            CustomersError: As iterating raises it, from the reader; see the page on tables for other readers.
        """
        return batches.reader(self.pages, batch_size=batch_size, raw=raw, account=None)


class AsyncDirectoryListing(_Base[AsyncDirectoryIterator, AsyncDirectoryPageIterator]):
    """The customers of all accounts: lazy, and read anew by each `async for`."""

    def __aiter__(self) -> AsyncDirectoryIterator:
        return self._customers(self._start(), self._advanced)

    def pages(self) -> AsyncDirectoryPageIterator:
        """The same customers, by the page; `page.account` says whose they are."""
        return self._pages(self._start(), self._advanced)

    def record_batches(self, *, batch_size: int | None = None, raw: bool = False) -> batches.AsyncBatches:
        """The same customers as Arrow record batches, for `async for`: see `DirectoryListing.to_arrow`."""
        return batches.record_batches(self.pages, batch_size=batch_size, raw=raw, account=None)
