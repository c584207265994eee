"""Clients over a `Line`: most without HTTP, for speed; two over httpx's mock transport, as users have them.

Knows the clients and httpx; must not know what is checked. Nothing here sleeps: waits are noted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx

from .._retry import Retry
from .._wire import Send, Unreachable
from ..adapter import Adapter, Request
from ..async_client import AsyncClient
from ..client import Client
from ._server import Line, Reply

ONCE = Retry(attempts=1)
PATIENT = Retry(attempts=4, budget=1e6, first_wait=1.0, jitter=0)


class _NoHttp:
    """Stands where a client of one's own goes; it is never asked for anything."""

    build_request = None


class Direct(Client):
    """A client whose requests go to a line as plain values."""

    def __init__(self, adapter: Adapter, line: Line, retry: Retry = ONCE, on_event: Any = None) -> None:
        self.slept: list[float] = []
        stand_in: Any = _NoHttp()
        super().__init__(adapter, retry=retry, http_client=stand_in, on_event=on_event, _sleep=self.slept.append)
        self._line = line

    def _send(self, step: Send, sent: Callable[[], None]) -> Reply:
        self._wait(step.after, sent)
        return self._line(step.request)


def over_http(adapter: Adapter, line: Line, **options: Any) -> Client:
    """A `Client` over httpx."""
    http = httpx.Client(transport=httpx.MockTransport(lambda request: _carried(line, request)))
    return Client(adapter, http_client=http, _sleep=lambda _: None, **options)


def over_async_http(adapter: Adapter, line: Line, **options: Any) -> AsyncClient:
    """An `AsyncClient` over httpx."""

    async def carried(request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return _carried(line, request)

    async def no_sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    http = httpx.AsyncClient(transport=httpx.MockTransport(carried))
    return AsyncClient(adapter, http_client=http, _sleep=no_sleep, **options)


def run(function: Callable[[], Any]) -> Any:
    """Carry out an async function."""
    return anyio.run(function)


def _carried(line: Line, request: httpx.Request) -> httpx.Response:
    plain = Request(
        method=request.method,
        url=str(request.url),
        headers=tuple(request.headers.items()),
        body=request.content or None,
    )
    reply = line(plain)
    if isinstance(reply, Unreachable):
        raise httpx.ReadError(f"dropped at {request.url}")
    return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)
