"""A directory read synchronously: readers are threads, each of which reads one page at a time.

Knows threads; must not know httpx. Whoever iterates says what is read next and takes what was read; readers know
nothing but a queue of accounts and a queue of news. So none waits for another, and none holds what it has told.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping

from .._listing import SyncPump
from .._pool import Pool
from .._walk import State
from ..errors import ConfigurationError
from ..models import Customer, Page
from .progress import Account, News, Progress, Told

Work = queue.SimpleQueue[Account | None]
Heard = queue.SimpleQueue[News]
EMPTY = State(held=None)  # type: ignore[arg-type]  # nothing is ever asked of it
CLOSED = "this walk was closed: customers(after=checkpoint) goes on from there"
TORN = "this walk was interrupted while a page changed hands: customers(after=checkpoint) goes on from there"


def _reader(pumps: Mapping[str, SyncPump], pool: Pool, work: Work, heard: Heard) -> None:
    """Read page after page, as told."""
    while (account := work.get()) is not None:
        heard.put(_read(pumps[account.name], pool, account))
        del account  # what it brought is not held while there is nothing to do


def _read(pump: SyncPump, pool: Pool, account: Account) -> News:
    """One page of an account."""
    try:
        walk = account.walk
        with pool.lend(account.turn.host):
            return account.told() if walk.pending or pump.pump(walk.turn()) else account.ended()
    except BaseException as error:  # noqa: BLE001 - told to whoever iterates, who raises it and waits for it otherwise
        return News(account, error=error)


class Reading(Told):
    """One walk over all accounts.

    Args:
        pumps: Each account's client, by the account's name.
        pool: The HTTP clients that those share.
        progress: The walk.
        tell: Told whenever the walk advances.
    """

    def __init__(
        self, pumps: Mapping[str, SyncPump], pool: Pool, progress: Progress, tell: Callable[[Progress], None]
    ) -> None:
        self._pumps, self._pool, self._progress, self._tell = pumps, pool, progress, tell
        self._work: Work = queue.SimpleQueue()
        self._heard: Heard = queue.SimpleQueue()
        self._readers: list[threading.Thread] = []
        self._state = EMPTY
        self._over = ""

    def _more(self) -> bool:
        """Take the next page over; `False` at the end."""
        if self._over == TORN or (self._over and not self._progress.finished):
            raise ConfigurationError(self._over)
        self._progress.enter(threading.get_ident())
        try:
            self._tell(self._progress)
            if self._state.index < self._state.count:  # another thread has taken a page over meanwhile
                return True
            return self._take()
        except Exception:
            raise
        except BaseException:  # Ctrl-C, which may have come anywhere
            self._over = TORN
            self.close()
            raise
        finally:
            self._progress.leave()

    def _take(self) -> bool:
        progress = self._progress
        progress.again()
        while not progress.finished:
            if self._over:  # closed by another thread: what its readers say now is of no account
                raise ConfigurationError(self._over)
            self._listen()
            news = progress.take()
            self._give()
            if news is None:
                progress.hear(self._wait())
            elif progress.accept(news):
                self._state = news.account.at
                return True
        self.close()
        return False

    def _listen(self) -> None:
        """Hear what was read meanwhile."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._progress.hear(self._heard.get_nowait())

    def _wait(self) -> News:
        while not self._over:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=1.0)  # wakes now and then, so that Ctrl-C is heard everywhere
        raise ConfigurationError(self._over)

    def _give(self) -> None:
        """Say what to read next, and see to it that there are as many readers."""
        while (account := self._progress.to_read()) is not None:
            self._work.put(account)
        while len(self._readers) < self._progress.turns.reading:
            if not self._hire():
                return

    def _hire(self) -> bool:
        """One more reader; if no thread can be had, fewer will do, and if there is none, a page is read here."""
        args = self._pumps, self._pool, self._work, self._heard
        thread = threading.Thread(target=_reader, args=args, name="unified-customers (_reader)", daemon=True)
        self._readers.append(thread)  # first, so that Ctrl-C leaves none that nobody knows of
        try:
            thread.start()
        except RuntimeError:
            self._readers.pop()
            account = None if self._readers else self._work.get_nowait()
            if account is not None:
                self._heard.put(_read(self._pumps[account.name], self._pool, account))
            return False
        return True

    def close(self) -> None:
        """Let the readers go; what they read ahead is not lost, as the checkpoint does not count it."""
        self._over = self._over or CLOSED
        for _ in self._readers:
            self._work.put(None)

    def wait(self, seconds: float) -> None:
        """Let the readers go, and wait until they have finished the requests that are under way."""
        self.close()
        until = time.monotonic() + seconds
        for reader in self._readers:
            if reader.ident is not None:
                reader.join(max(0.0, until - time.monotonic()))

    def __del__(self) -> None:
        self.close()


class DirectoryIterator(Reading):
    """Customers of one walk over all accounts; after an error, `next()` tries that account again."""

    def __iter__(self) -> DirectoryIterator:
        return self

    def __next__(self) -> Customer:
        while True:
            state = self._state
            index = state.index
            if index < state.count:
                customer = state.make(index)
                if state.index == index:  # no other thread was handed it meanwhile
                    state.index = index + 1  # nothing is called from here on, so no signal comes between
                    return customer
            elif not self._more():
                raise StopIteration


class DirectoryPageIterator(Reading):
    """Pages of one walk over all accounts, each of one account."""

    def __iter__(self) -> DirectoryPageIterator:
        return self

    def __next__(self) -> Page:
        while True:
            state, account = self._state, self._progress.now
            index, count = state.index, state.count
            page = account.page() if account is not None and index < count and account.at is state else None
            if page is not None and state.index == index:
                state.index = count  # nothing is called from here on, so no signal comes between
                return page
            if page is None and not self._more():
                raise StopIteration
