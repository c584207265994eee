"""A directory read asynchronously: readers are tasks of the directory's own, each of which reads one page.

Knows tasks, on asyncio or trio; must not know httpx. A reader ends by itself, and what it tells waits in a deque, so an
`anext()` that is cancelled loses nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import anyio
from anyio.abc import TaskGroup

from .._listing import AsyncPump
from .._pool import Pool
from .._walk import State
from ..errors import ConfigurationError
from ..models import Customer, Page
from .progress import Account, News, Progress, Told
from .threads import CLOSED, EMPTY, TORN


class AsyncReading(Told):
    """One walk over all accounts.

    Args:
        group: Where readers run.
        pumps: Each account's client, by the account's name.
        pool: The HTTP clients that those share.
        progress: The walk.
        tell: Told whenever the walk advances.
    """

    def __init__(
        self,
        group: TaskGroup,
        pumps: Mapping[str, AsyncPump],
        pool: Pool,
        progress: Progress,
        tell: Callable[[Progress], None],
    ) -> None:
        self._group, self._pumps, self._pool = group, pumps, pool
        self._progress, self._tell = progress, tell
        self._heard: deque[News] = deque()
        self._bell = anyio.Event()
        self._state: State = EMPTY
        self._over = ""

    async def _more(self) -> bool:
        """Take the next page over; `False` at the end."""
        if self._over == TORN or (self._over and not self._progress.finished):
            raise ConfigurationError(self._over)
        self._progress.enter(anyio.get_current_task().id)
        try:
            self._tell(self._progress)
            self._progress.again()
            while not self._progress.finished:
                if self._over:
                    raise ConfigurationError(self._over)
                if self._step():
                    return True
                await self._wait()
            self.close()
            return False
        finally:
            self._progress.leave()

    def _step(self) -> bool:
        """Hear what was read, take a page over if there is one, and say what to read next."""
        progress, taken = self._progress, False
        try:
            while self._heard:
                progress.hear(self._heard.popleft())
            while not taken and (news := progress.take()) is not None:
                self._give()
                taken = progress.accept(news)
            self._give()
        except Exception:
            raise
        except BaseException:  # Ctrl-C: nothing here is awaited, so nothing can be cancelled
            self._over = TORN
            raise
        if taken and progress.now is not None:
            self._state = progress.now.at
        return taken

    async def _wait(self) -> None:
        """Until a reader has something to tell."""
        while not (self._heard or self._over or self._progress.finished):
            self._bell = anyio.Event()
            await self._bell.wait()

    def _give(self) -> None:
        while (account := self._progress.to_read()) is not None:
            self._group.start_soon(self._read, account)

    async def _read(self, account: Account) -> None:
        """One page of an account."""
        try:
            walk = account.walk
            with self._pool.lend(account.turn.host):
                read = walk.pending or await self._pumps[account.name].pump(walk.turn())
            news = account.told() if read else account.ended()
        except Exception as error:  # noqa: BLE001 - told to whoever iterates, who raises it
            news = News(account, error=error)
        self._heard.append(news)
        self._bell.set()

    def close(self) -> None:
        """Have nothing more read; what was read ahead is not lost, as the checkpoint does not count it."""
        self._over = self._over or CLOSED
        self._bell.set()

    async def aclose(self) -> None:
        """The same, for `contextlib.aclosing`."""
        self.close()


class AsyncDirectoryIterator(AsyncReading):
    """Customers of one walk over all accounts; after an error, `anext()` tries that account again."""

    def __aiter__(self) -> AsyncDirectoryIterator:
        return self

    async def __anext__(self) -> Customer:
        while True:
            state = self._state
            index = state.index
            if index < state.count:
                customer = state.make(index)
                state.index = index + 1
                return customer
            if not await self._more():
                raise StopAsyncIteration


class AsyncDirectoryPageIterator(AsyncReading):
    """Pages of one walk over all accounts, each of one account."""

    def __aiter__(self) -> AsyncDirectoryPageIterator:
        return self

    async def __anext__(self) -> Page:
        while True:
            state, account = self._state, self._progress.now
            page = account.page() if account is not None and state.index < state.count else None
            if page is not None:
                count = state.count
                state.index = count
                return page
            if not await self._more():
                raise StopAsyncIteration
