"""Many accounts behind one iterator: read at the same time, handed out as they come.

Knows clients and walks; must not know any one provider. Each account is walked as alone; what is added here is who
reads when (a bounded number at a time, a bounded number of pages ahead) and one checkpoint for all.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import anyio
import attrs
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from . import _checkpoint
from ._adapter import Adapter
from ._conversation import Event
from ._retry import Retry
from ._walk import Held, Plan, Report, Walk, with_checkpoint
from .client import AsyncClient, Client, Timeout
from .errors import CheckpointError, ConfigurationError, CustomersError, InvalidRequestError
from .models import Customer

IN_FLIGHT = 32
_PATIENCE = 5.0  # seconds that closing waits for requests under way
_PREFIX = "ucd1."
Accounts = Iterable[Adapter] | Mapping[str, Adapter]


@attrs.define
class _Account:
    """One account's walk, as far as it was handed out."""

    name: str
    key: str
    walk: Walk
    held: Held
    index: int = 0
    state: str = "waiting"  # or "reading", "failed", "done"

    @property
    def checkpoint(self) -> str:
        return self.walk.save(self.held.position(self.index))


@attrs.frozen
class _News:
    """What a reader has to say of its account: a page, an error, or that it is at the end."""

    account: _Account
    held: Held | None = None
    error: Exception | None = None


def _named(accounts: Accounts) -> dict[str, Adapter]:
    """Accounts by name: the mapping's, or the provider's, numbered where there are several."""
    if isinstance(accounts, Mapping):
        return dict(accounts)
    named: dict[str, Adapter] = {}
    for adapter in accounts:
        same = sum(1 for other in named.values() if other.name == adapter.name)
        named[f"{adapter.name}-{same + 1}" if same else adapter.name] = adapter
    return named


def _keys(named: Mapping[str, Adapter]) -> dict[str, str]:
    """What each account is known by in a checkpoint, whatever it is called and wherever it stands."""
    keys = {name: _checkpoint.account_key(adapter) for name, adapter in named.items()}
    if not keys:
        raise ConfigurationError("a directory needs at least one account")
    if len(set(keys.values())) < len(keys):
        raise ConfigurationError("two of these accounts are the same (provider, address, tenant): give each once")
    return keys


class _Progress:
    """The part of a directory's listing that both kinds share: which account stands where."""

    def __init__(self, plans: Mapping[str, Plan], keys: Mapping[str, str], on_account_error: str) -> None:
        if on_account_error not in {"raise", "collect"}:
            raise InvalidRequestError("on_account_error= is 'raise' or 'collect'")
        self._plans, self._keys, self._collect = plans, keys, on_account_error == "collect"
        self.errors: dict[str, CustomersError] = {}
        self.accounts = [self._account(name, plan) for name, plan in plans.items()]
        self.news: _Account | None = None

    def _account(self, name: str, plan: Plan) -> _Account:
        walk = Walk(plan)
        return _Account(name, self._keys[name], walk, walk.state.held)

    def hear(self, news: _News) -> None:
        """Take a page over, or the end, or raise the account's error.

        Raises:
            CustomersError: An account failed and errors are not collected; asking on tries that account again.
        """
        account = news.account
        if news.error is None:
            self._page(account, news.held)
            return
        account.state = "failed"
        if not isinstance(news.error, CustomersError):
            raise news.error
        error = with_checkpoint(news.error, account.walk)
        error.checkpoint = account.checkpoint
        if not self._collect:
            raise error
        self.errors[account.name] = error

    def _page(self, account: _Account, held: Held | None) -> None:
        if held is None:
            last = account.walk.state.held
            count = len(last.items)
            account.held, account.index, account.state = last, count, "done"
            return
        account.held, account.index = held, 0
        self.news = account

    def to_read(self) -> list[_Account]:
        """Accounts that no reader has, a failed one again where its error was raised."""
        wanted = {"waiting"} if self._collect else {"waiting", "failed"}
        return [account for account in self.accounts if account.state in wanted]

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return not any(account.state in {"waiting", "reading"} for account in self.accounts) and not self.to_read()

    @property
    def checkpoint(self) -> str:
        """Where every account stands, by account."""
        content = {account.key: account.checkpoint for account in self.accounts}
        packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 6)
        return _checkpoint.sealed(_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("="))

    @property
    def reports(self) -> dict[str, Report]:
        """What each account's walk did so far, by its name."""
        return {account.name: account.walk.report for account in self.accounts}


def _positions(after: str | None) -> dict[str, str]:
    """Each account's own checkpoint out of a directory's."""
    if after is None:
        return {}
    body = _checkpoint.unsealed(after, _PREFIX, "a Directory")
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        content = json.loads(zlib.decompressobj().decompress(packed, 1 << 28))
        return {str(key): str(value) for key, value in content.items()}
    except (ValueError, zlib.error, AttributeError):
        raise CheckpointError("the checkpoint is damaged: pass listing.checkpoint, whole and unchanged") from None


class DirectoryListing:
    """The customers of all accounts, as they come; each `for` starts a walk of its own.

    Attributes:
        errors: With ``on_account_error="collect"``: the error of each account that failed, by its name.
    """

    def __init__(
        self,
        clients: Mapping[str, Client],
        start: Callable[[], _Progress],
        in_flight: int,
        iterators: weakref.WeakSet[DirectoryIterator],
    ) -> None:
        self._clients, self._start, self._in_flight, self._iterators = clients, start, in_flight, iterators
        self._progress = start()

    def __iter__(self) -> DirectoryIterator:
        self._progress = self._start()
        iterator = DirectoryIterator(self._clients, self._progress, self._in_flight)
        self._iterators.add(iterator)
        return iterator

    @property
    def checkpoint(self) -> str:
        """Where the walk that was started last stands, for all accounts."""
        return self._progress.checkpoint

    @property
    def errors(self) -> dict[str, CustomersError]:
        """Errors of accounts that failed, by the account's name."""
        return self._progress.errors

    @property
    def reports(self) -> dict[str, Report]:
        """What each account's walk did so far, by its name."""
        return self._progress.reports


class DirectoryIterator:
    """One walk over all accounts; readers are threads, so many at a time, a page ahead each at the most."""

    def __init__(self, clients: Mapping[str, Client], progress: _Progress, in_flight: int) -> None:
        self._clients, self._progress, self._in_flight = clients, progress, in_flight
        self._box = _Box(in_flight)
        self._readers: list[threading.Thread] = []
        self._torn = False

    def __iter__(self) -> DirectoryIterator:
        return self

    @property
    def checkpoint(self) -> str:
        """Where this walk stands."""
        return self._progress.checkpoint

    def __next__(self) -> Customer:
        while True:
            account = self._progress.news
            if account is not None:
                items, index = account.held.items, account.index
                if index < len(items):
                    customer = items[index]
                    account.index = index + 1  # nothing is called from here on, so no signal comes between
                    return customer
            self._more()

    def _more(self) -> None:
        """Take the next page over."""
        if self._torn:
            raise ConfigurationError(
                "this walk was interrupted while a page changed hands: customers(after=checkpoint) goes on from there"
            )
        try:
            ended = self._hear()
        except Exception:
            raise
        except BaseException:  # Ctrl-C, which may have come anywhere
            self._torn = True
            self.close()
            raise
        if ended:
            raise StopIteration

    def _hear(self) -> bool:
        self._read()
        if self._progress.finished:
            self.close()
            return True
        self._progress.hear(self._box.get())
        return False

    def _read(self) -> None:
        """Give accounts that nobody reads to readers, and start as many as there is room for."""
        waiting = self._progress.to_read()
        for account in waiting:
            account.state = "reading"
        for _ in range(self._box.give(waiting)):
            thread = threading.Thread(target=_reader, args=(self._clients, self._box), daemon=True)
            self._readers.append(thread)
            thread.start()

    def close(self) -> None:
        """Let the readers go; what they read ahead is not lost, as the checkpoint does not count it."""
        self._box.close()

    def wait(self, seconds: float) -> None:
        """Let the readers go, and wait until they have finished the requests that are under way."""
        self.close()
        until = time.monotonic() + seconds
        for reader in self._readers:
            reader.join(max(0.0, until - time.monotonic()))

    def __del__(self) -> None:
        self._box.close()


class _Box:
    """Where readers put pages and take accounts; holds no more pages than there may be readers."""

    def __init__(self, size: int) -> None:
        self._size, self._closed, self._readers = size, False, 0
        self._news: deque[_News] = deque()
        self._accounts: deque[_Account] = deque()
        self._changed = threading.Condition()

    def give(self, accounts: Iterable[_Account]) -> int:
        """Add accounts to read; returns how many more readers may start."""
        with self._changed:
            self._accounts.extend(accounts)
            more = min(len(self._accounts), self._size - self._readers)
            self._readers += more
            return more

    def account(self) -> _Account | None:
        """The next account to read, or `None` when there is none."""
        with self._changed:
            if self._accounts and not self._closed:
                return self._accounts.popleft()
            self._readers -= 1
            return None

    def put(self, news: _News) -> bool:
        """Add news, once there is room; `False` when nobody wants any."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._news) < self._size)
            self._news.append(news)
            self._changed.notify_all()
            return not self._closed

    def get(self) -> _News:
        """The next news."""
        with self._changed:
            while not self._news:
                self._changed.wait(1.0)  # wakes now and then, so that Ctrl-C is heard everywhere
            news = self._news.popleft()
            self._changed.notify_all()
            return news

    def close(self) -> None:
        """Want no more news."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _reader(clients: Mapping[str, Client], box: _Box) -> None:
    """Read account after account, page after page, into the box."""
    while (account := box.account()) is not None:
        wanted = True
        try:
            walk = account.walk
            while wanted and (walk.pending or clients[account.name].pump(walk.turn())):
                wanted = box.put(_News(account, walk.state.held))
                walk.hand_over()
            box.put(_News(account))
        except Exception as error:  # noqa: BLE001 - told to whoever iterates, who raises it
            box.put(_News(account, error=error))


class _Accounts:
    """What both directories are made of."""

    def __init__(self, accounts: Accounts, in_flight: int) -> None:
        if type(in_flight) is not int or in_flight < 1:
            raise ConfigurationError("in_flight= is a whole number of accounts, 1 or more")
        self._named = _named(accounts)
        self._keys = _keys(self._named)
        self._in_flight = min(in_flight, len(self._named))

    def _starter(
        self, clients: Mapping[str, Any], query: dict[str, Any], after: str | None, on_account_error: str
    ) -> Callable[[], _Progress]:
        """Check the query against every account, before anything is sent."""
        for name in ("before", "max_items"):
            if name in query:
                raise InvalidRequestError(f"{name}= means one account: a directory has no order across accounts")
        for name in ("prefetch", "concurrency", "ordered"):
            if name in query:
                raise InvalidRequestError(f"{name}= is of one account: a directory reads in_flight= accounts at a time")
        positions = _positions(after)
        plans = {
            name: client.customers(**query, after=positions.get(self._keys[name])).plan
            for name, client in clients.items()
        }
        return lambda: _Progress(plans, self._keys, on_account_error)


class Directory(_Accounts):
    """Several accounts, read at the same time.

    Args:
        accounts: Settings of accounts, or a mapping that names them.
        in_flight: How many accounts are read at once, each by a thread.
        timeout: As for `Client`, and so are the next two.
        retry: See `Client`.
        on_event: See `Client`; called from the readers' threads.

    Raises:
        ConfigurationError: There is no account, or one stands twice.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        in_flight: int = IN_FLIGHT,
        timeout: Timeout | None = 30.0,
        retry: Retry | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        super().__init__(accounts, in_flight)
        self._clients = {
            name: Client(adapter, timeout=timeout, retry=retry, on_event=on_event)
            for name, adapter in self._named.items()
        }
        self._iterators: weakref.WeakSet[DirectoryIterator] = weakref.WeakSet()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back, once requests that are under way have ended (or after a few seconds)."""
        for iterator in tuple(self._iterators):
            iterator.wait(_PATIENCE)
        for client in self._clients.values():
            client.close()

    def customers(self, *, after: str | None = None, on_account_error: str = "raise", **query: Any) -> DirectoryListing:
        """The customers of all accounts, as they come.

        Args:
            after: A checkpoint of a directory's listing; an account that it doesn't know is read from its start.
            on_account_error: ``"raise"`` ends the walk at an account's error (asking on tries it again);
                ``"collect"`` lets the others finish, and keeps the error in `listing.errors`.
            query: The filters of `Client.customers`.

        Raises:
            UnsupportedError: One of the accounts can't do that; nothing was sent.
            CheckpointError: The checkpoint is damaged, or made for another query.
        """
        start = self._starter(self._clients, query, after, on_account_error)
        return DirectoryListing(self._clients, start, self._in_flight, self._iterators)


class AsyncDirectoryListing:
    """The customers of all accounts, as they come, for `async for`."""

    def __init__(self, directory: AsyncDirectory, start: Callable[[], _Progress]) -> None:
        self._directory, self._start = directory, start
        self._progress = start()

    def __aiter__(self) -> AsyncDirectoryIterator:
        self._progress = self._start()
        return AsyncDirectoryIterator(self._directory, self._progress)

    @property
    def checkpoint(self) -> str:
        """Where the walk that was started last stands, for all accounts."""
        return self._progress.checkpoint

    @property
    def errors(self) -> dict[str, CustomersError]:
        """Errors of accounts that failed, by the account's name."""
        return self._progress.errors

    @property
    def reports(self) -> dict[str, Report]:
        """What each account's walk did so far, by its name."""
        return self._progress.reports


class AsyncDirectoryIterator:
    """One walk over all accounts; readers are tasks of the directory's."""

    def __init__(self, directory: AsyncDirectory, progress: _Progress) -> None:
        self._directory, self._progress = directory, progress
        self._group = directory.group  # raises before anything is opened
        self._send: MemoryObjectSendStream[_News]
        self._receive: MemoryObjectReceiveStream[_News]
        self._send, self._receive = anyio.create_memory_object_stream(directory.in_flight)
        self._room = anyio.Semaphore(directory.in_flight)
        directory.iterators.add(self)

    def __aiter__(self) -> AsyncDirectoryIterator:
        return self

    @property
    def checkpoint(self) -> str:
        """Where this walk stands."""
        return self._progress.checkpoint

    async def __anext__(self) -> Customer:
        while True:
            account = self._progress.news
            if account is not None:
                items, index = account.held.items, account.index
                if index < len(items):
                    customer = items[index]
                    account.index = index + 1
                    return customer
            for one in self._progress.to_read():
                one.state = "reading"
                self._group.start_soon(self._read, one)
            if self._progress.finished:
                await self.aclose()
                raise StopAsyncIteration
            self._progress.hear(await self._receive.receive())

    async def _read(self, account: _Account) -> None:
        client = self._directory.client(account.name)
        try:
            async with self._room:
                walk = account.walk
                while walk.pending or await client.pump(walk.turn()):
                    await self._send.send(_News(account, walk.state.held))
                    walk.hand_over()
            await self._send.send(_News(account))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # nobody iterates any more
        except Exception as error:  # noqa: BLE001 - told to whoever iterates, who raises it
            await self._send.send(_News(account, error=error))

    async def aclose(self) -> None:
        """Let the readers go."""
        self._directory.iterators.discard(self)
        await self._receive.aclose()
        await self._send.aclose()


def _alone(found: BaseException) -> BaseException:
    """The one exception of a group, however deep it is; else the group."""
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    return found


class AsyncDirectory(_Accounts):
    """Several accounts, read at the same time, on asyncio or trio; use it with `async with`.

    Arguments are those of `Directory`.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        in_flight: int = IN_FLIGHT,
        timeout: Timeout | None = 30.0,
        retry: Retry | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        super().__init__(accounts, in_flight)
        self._clients = {
            name: AsyncClient(adapter, timeout=timeout, retry=retry, on_event=on_event)
            for name, adapter in self._named.items()
        }
        self._group: TaskGroup | None = None
        self.iterators: set[AsyncDirectoryIterator] = set()  # those that were broken off are closed at the end

    @property
    def in_flight(self) -> int:
        """How many accounts are read at once."""
        return self._in_flight

    @property
    def group(self) -> TaskGroup:
        """Where the readers run.

        Raises:
            ConfigurationError: The directory is not open.
        """
        if self._group is None:
            raise ConfigurationError("an AsyncDirectory is opened with `async with`")
        return self._group

    def client(self, name: str) -> AsyncClient:
        """The client of one account."""
        return self._clients[name]

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        group, self._group = self._group, None
        try:
            if group is not None:
                group.cancel_scope.cancel()  # readers that nobody waits for
                await group.__aexit__(None, None, None)
        except BaseExceptionGroup as found:  # a reader was struck by Ctrl-C; nobody outside knows of a group
            raise _alone(found) from None
        finally:
            with anyio.CancelScope(shield=True):
                for iterator in tuple(self.iterators):
                    await iterator.aclose()
                for client in self._clients.values():
                    await client.aclose()
        return None

    def customers(
        self, *, after: str | None = None, on_account_error: str = "raise", **query: Any
    ) -> AsyncDirectoryListing:
        """The customers of all accounts, as they come; arguments and errors are those of `Directory.customers`."""
        return AsyncDirectoryListing(self, self._starter(self._clients, query, after, on_account_error))
