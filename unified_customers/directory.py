"""Many accounts behind one iterator: read at the same time, handed out as they come or one after another.

Knows clients, and how a walk over many accounts is put together; must not know any one provider. Each account is walked
as alone; what is added stands in `_directory`: who is read when, and one checkpoint for all.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import anyio
from anyio.abc import TaskGroup

from . import accounts as _accounts
from ._adapter import Adapter
from ._directory import naming, positions, progress
from ._directory.listings import AsyncDirectoryListing, DirectoryListing
from ._directory.naming import Accounts
from ._directory.progress import DirectoryReport, OnAccountError, Progress
from ._directory.tasks import AsyncDirectoryIterator, AsyncDirectoryPageIterator, AsyncReading
from ._directory.threads import DirectoryIterator, DirectoryPageIterator, Reading
from ._http import Timeout, small_http
from ._pool import Pool
from ._retry import Retry
from ._walk import Plan, Report
from .async_client import AsyncClient
from .client import Client
from .errors import ConfigurationError, CustomersError, InvalidRequestError
from .events import Event

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

CONCURRENCY = 32
_PATIENCE = 5.0  # seconds that closing waits for requests under way

__all__ = [
    "AsyncDirectory",
    "AsyncDirectoryIterator",
    "AsyncDirectoryListing",
    "AsyncDirectoryPageIterator",
    "Directory",
    "DirectoryIterator",
    "DirectoryListing",
    "DirectoryPageIterator",
    "DirectoryReport",
]


class _Shared:
    """What both directories are made of."""

    def __init__(self, accounts: Accounts, concurrency: int, per_host: int | None) -> None:
        _refuse_width("concurrency", concurrency)
        if per_host is not None:
            _refuse_width("per_host", per_host)
        self._named = naming.named(accounts)
        self._given = isinstance(accounts, Mapping)  # whether the names are the caller's
        self._keys = naming.keys(self._named, given=self._given)
        self._width, self._per_host = min(concurrency, len(self._named)), per_host
        self._last: Progress | None = None

    @property
    def accounts(self) -> Mapping[str, Adapter]:
        """The accounts' settings, by name."""
        return dict(self._named)

    @property
    def report(self) -> DirectoryReport:
        """What the walk that advanced last did so far, of whichever listing."""
        if self._last is not None:
            return self._last.report
        return progress.reported({name: Report(provider=one.name) for name, one in self._named.items()}, {})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._named)} accounts>"

    def _starter(
        self,
        clients: Mapping[str, Any],
        query: dict[str, Any],
        after: str | None,
        on_account_error: OnAccountError,
        ordered: bool,
    ) -> Callable[[], Progress]:
        """Check the query against every account, before anything is sent."""
        _refuse_of_one(query)
        on_error = progress.checked(on_account_error)
        known = positions.matched(positions.load(after), self._keys)
        if self._given:
            positions.refuse_other_account(known, self._keys)
        gone = positions.gone(known, self._keys)
        plans = {name: self._plan(name, client, query, known) for name, client in clients.items()}
        hosts = {name: naming.host(plan) for name, plan in plans.items()}
        return lambda: Progress(
            plans, self._keys, hosts,
            width=self._width, per_host=self._per_host, ordered=ordered, on_error=on_error, gone=gone,
        )  # fmt: skip

    def _plan(self, name: str, client: Any, query: dict[str, Any], known: Mapping[str, positions.Position]) -> Plan:
        position = known.get(self._keys[name])
        try:
            plan: Plan = client.customers(**query, after=None if position is None else position.checkpoint).plan
        except CustomersError as error:
            progress.name(error, name)
            raise
        return plan

    def _advanced(self, tell: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """Tell the listing and the directory."""

        def told(advanced: Progress) -> None:
            self._last = advanced
            tell(advanced)

        return told


def _refuse_width(name: str, value: Any) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{name}= is a whole number of accounts, 1 or more")


def _refuse_of_one(query: Mapping[str, Any]) -> None:
    for name in ("before", "max_items"):
        if name in query:
            raise InvalidRequestError(f"{name}= means one account: a directory has no order across accounts")
    for name in ("prefetch", "concurrency"):
        if name in query:
            raise InvalidRequestError(
                f"{name}= is of one account here: Directory(accounts, concurrency=…) says how many are read at a time"
            )


class Directory(_Shared):
    """Several accounts, read at the same time.

    Args:
        accounts: Settings of accounts, or a mapping that names them; a list's are named after their provider.
        concurrency: How many accounts are read at the same time, each by a thread, and how many pages may be held
            that were not handed out yet.
        per_host: How many accounts of one host (scheme, name and port) are read at the same time; `None` for any.
        timeout: As for `Client`, and so are the next five.
        retry: See `Client`.
        on_event: See `Client`; called from the readers' threads.
        rate: See `Client`: requests a second of each account.
        http2: See `Client`.

    Raises:
        ConfigurationError: There is no account, one stands twice, or a setting can't be right.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        concurrency: int = CONCURRENCY,
        per_host: int | None = None,
        timeout: Timeout | None = 30.0,
        retry: Retry | None = None,
        on_event: Callable[[Event], None] | None = None,
        rate: float | None = None,
        http2: bool = False,
    ) -> None:
        super().__init__(accounts, concurrency, per_host)
        self._pool = Pool(small_http("sync", timeout, http2=http2), self._width)
        self._clients = {
            name: Client(
                adapter,
                retry=retry,
                on_event=on_event,
                rate=rate,
                http_client=cast(Any, self._pool),
                _account_name=name,
            )
            for name, adapter in self._named.items()
        }
        self._iterators: weakref.WeakSet[Reading] = weakref.WeakSet()
        self._closed = False

    @classmethod
    def from_file(cls, path: str | Path, *, only: Iterable[str] | None = None, **options: Any) -> Self:
        """Open the accounts of a TOML file, as `unified_customers.accounts.read` reads it.

        Args:
            path: The file.
            only: Names of those to open; all by default.
            options: Keywords of the class.

        Raises:
            ConfigurationError: The file can't be read, or an account in it can't be right.
        """
        return cls(_accounts.read(path, only=only), **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back, once requests that are under way have ended (or after a few seconds)."""
        self._closed = True
        until = time.monotonic() + _PATIENCE
        for iterator in tuple(self._iterators):
            iterator.wait(max(0.0, until - time.monotonic()))
        for client in self._clients.values():
            client.close()
        for http in self._pool.all:
            http.close()

    def customers(
        self,
        *,
        after: str | None = None,
        ordered: bool = False,
        on_account_error: OnAccountError = "raise",
        **query: Any,
    ) -> DirectoryListing:
        """The customers of all accounts, as they come.

        Args:
            after: A checkpoint of a directory's listing; an account that it doesn't know is read from its start.
            ordered: Hand out the accounts one after another, in their order. The next ones are read ahead meanwhile:
                as many as `concurrency`, up to four pages each, so four times as many pages are held at the most.
            on_account_error: ``"raise"`` ends the walk at an account's error (asking on tries it again);
                ``"collect"`` lets the others finish, and keeps the error in `listing.errors`; a callable is given each
                error and may raise, or return to have it collected.
            query: The filters of `Client.customers`, and its `page_size`, `unsupported` and `on_bad_record`.

        Raises:
            UnsupportedError: One of the accounts can't do that; nothing was sent.
            CheckpointError: The checkpoint is damaged, or made for another query, or an account stands in it by this
                name with other settings.
        """
        start = self._starter(self._clients, query, after, on_account_error, ordered)

        def made(kind: Callable[..., Any]) -> Callable[..., Any]:
            def make(walk: Progress, tell: Callable[[Progress], None]) -> Any:
                if self._closed:
                    raise ConfigurationError("this directory is closed: open a new one, or keep it open with `with`")
                iterator = kind(self._clients, self._pool, walk, self._advanced(tell))
                self._iterators.add(iterator)
                return iterator

            return make

        return DirectoryListing(start, made(DirectoryIterator), made(DirectoryPageIterator))

    def to_arrow(self, *, batch_size: int | None = None, raw: bool = False, **query: Any) -> pa.RecordBatchReader:
        """The customers of all accounts as a stream of Arrow record batches: ``customers(**query).to_arrow(…)``."""
        return self.customers(**query).to_arrow(batch_size=batch_size, raw=raw)


def _alone(found: BaseException) -> BaseException:
    """The one exception of a group, however deep it is; else the group."""
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    return found


class AsyncDirectory(_Shared):
    """Several accounts, read at the same time, on asyncio or trio; use it with `async with`.

    Arguments are those of `Directory`; readers are tasks.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        concurrency: int = CONCURRENCY,
        per_host: int | None = None,
        timeout: Timeout | None = 30.0,
        retry: Retry | None = None,
        on_event: Callable[[Event], None] | None = None,
        rate: float | None = None,
        http2: bool = False,
    ) -> None:
        super().__init__(accounts, concurrency, per_host)
        self._pool = Pool(small_http("async", timeout, http2=http2), self._width)
        self._clients = {
            name: AsyncClient(
                adapter,
                retry=retry,
                on_event=on_event,
                rate=rate,
                http_client=cast(Any, self._pool),
                _account_name=name,
            )
            for name, adapter in self._named.items()
        }
        self._group: TaskGroup | None = None
        self._iterators: weakref.WeakSet[AsyncReading] = weakref.WeakSet()

    @classmethod
    def from_file(cls, path: str | Path, *, only: Iterable[str] | None = None, **options: Any) -> Self:
        """Open the accounts of a TOML file; arguments and errors are those of `Directory.from_file`."""
        return cls(_accounts.read(path, only=only), **options)

    @property
    def group(self) -> TaskGroup:
        """Where the readers run.

        Raises:
            ConfigurationError: The directory is not open.
        """
        if self._group is None:
            raise ConfigurationError("an AsyncDirectory is opened with `async with`")
        return self._group

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        group, self._group = self._group, None
        for iterator in tuple(self._iterators):
            iterator.close()
        try:
            if group is not None:
                group.cancel_scope.cancel()  # readers that nobody waits for
                await group.__aexit__(None, None, None)
        except BaseExceptionGroup as found:  # a reader was struck by Ctrl-C; nobody outside knows of a group
            raise _alone(found) from None
        finally:
            with anyio.CancelScope(shield=True):
                for client in self._clients.values():
                    await client.aclose()
                for http in self._pool.all:
                    await http.aclose()
        return None

    def customers(
        self,
        *,
        after: str | None = None,
        ordered: bool = False,
        on_account_error: OnAccountError = "raise",
        **query: Any,
    ) -> AsyncDirectoryListing:
        """The customers of all accounts, as they come; arguments and errors are those of `Directory.customers`."""
        start = self._starter(self._clients, query, after, on_account_error, ordered)

        def made(kind: Callable[..., Any]) -> Callable[..., Any]:
            def make(walk: Progress, tell: Callable[[Progress], None]) -> Any:
                iterator = kind(self.group, self._clients, self._pool, walk, self._advanced(tell))
                self._iterators.add(iterator)
                return iterator

            return make

        return AsyncDirectoryListing(start, made(AsyncDirectoryIterator), made(AsyncDirectoryPageIterator))
