"""HTTP clients that many accounts share, each lent to one reader at a time.

Knows nothing of httpx: it is told how to make such a client. A pool of one client with all the connections would look
through all of them at every request, and one for each account would leave a connection open for each. So there are as
many small clients as there are readers; a reader gets one that talked to its host last, where one is free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs


@attrs.define(eq=False)
class _Lent:
    """A client, and the host that it talked to last."""

    http: Any
    host: str


class Pool:
    """Looks like an HTTP client to whoever was lent one.

    Args:
        make: Makes an HTTP client.
        enough: How many there are before a reader is given one that talked to another host; more only where more
            readers are at work.
        first: One that was made already.
    """

    def __init__(self, make: Callable[[], Any], enough: int = 1, *, first: Any = None) -> None:
        self._make, self._enough = make, enough
        self.all: list[Any] = [] if first is None else [first]
        self._idle = [_Lent(http, "") for http in self.all]
        self._lock = threading.Lock()
        self._mine: ContextVar[Any] = ContextVar("unified_customers_http")

    @contextmanager
    def lend(self, host: str) -> Iterator[Any]:
        """For a thread or task: what it sends goes through one client, this one, until it is through."""
        lent = self._borrow(host)
        token = self._mine.set(lent.http)
        try:
            yield lent.http
        finally:
            self._mine.reset(token)
            with self._lock:
                self._idle.append(lent)

    def _borrow(self, host: str) -> _Lent:
        with self._lock:
            for at in range(len(self._idle) - 1, -1, -1):
                if self._idle[at].host == host:
                    return self._idle.pop(at)
            if self._idle and len(self.all) >= self._enough:
                found = self._idle.pop(0)  # idle for longest: its connection gives way to a new one
                found.host = host
                return found
            http = self._make()
            self.all.append(http)
            return _Lent(http, host)

    def build_request(self, *args: Any, **keywords: Any) -> Any:
        """As the lent client does."""
        return self._mine.get().build_request(*args, **keywords)

    def send(self, *args: Any, **keywords: Any) -> Any:
        """As the lent client does, or what is to be awaited for it."""
        return self._mine.get().send(*args, **keywords)
