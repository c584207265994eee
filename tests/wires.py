"""Clients over httpx's mock transport: the fakes behind a real `httpx.Client` or `httpx.AsyncClient`."""

from __future__ import annotations

import threading

import anyio
import httpx
from fakes import FakeFlatpeak, FakeFlexPortal, FakeFlexprice, flatpeak, flexportal, flexprice, people, reply

import unified_customers as uc
from unified_customers._wire import Request, Unreachable

ADAPTERS = {
    "flexportal": (flexportal, FakeFlexPortal),
    "flexprice": (flexprice, FakeFlexprice),
    "flatpeak": (flatpeak, FakeFlatpeak),
}


class Wire:
    """An httpx transport over a fake provider, that remembers what was sent."""

    def __init__(self, server):
        self.server, self.urls, self.sent = server, [], []
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.sent.append(request)
        plain = Request(
            method=request.method,
            url=str(request.url),
            headers=tuple(request.headers.items()),
            body=request.content or None,
        )
        with self.lock:
            answer = self.server(plain)
        if isinstance(answer, Unreachable):
            raise httpx.ConnectError("no way to https://provider.example/?email=planted")
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    @property
    def sync(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    @property
    def later(self) -> httpx.AsyncClient:
        async def answer(request):
            await anyio.lowlevel.checkpoint()
            return self(request)

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def wired(name, n=10, **options):
    make, server = ADAPTERS[name]
    return make(), Wire(server(people(range(0, 10 * n, 10)), **options))


def client_of(name, n=10, **options):
    adapter, wire = wired(name, n)
    return uc.Client(adapter, http_client=wire.sync, _sleep=lambda _: None, **options), wire


async def no_sleep(_):
    await anyio.lowlevel.checkpoint()


def async_client_of(name, n=10, **options):
    adapter, wire = wired(name, n)
    return uc.AsyncClient(adapter, http_client=wire.later, _sleep=no_sleep, **options), wire


def fault_at(*numbers, status=503):
    return lambda request, n: reply(status, b"", retry_after="1") if n in numbers else None
