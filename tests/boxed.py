"""A sandbox's provider without a socket: a function from a request to an answer, that loses what it is told to lose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from fakes import PATIENT, Account

import unified_customers as uc
from unified_customers import _writing
from unified_customers._wire import Reply, Request, Response, Unreachable
from unified_customers.sandbox import Sandbox
from unified_customers.sandbox._wire import Request as Asked

CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
UNSENT = Unreachable(kind="connection", reason="ConnectError", sent=False)
LOST = Unreachable(kind="connection", reason="ReadError")
LATE = Unreachable(kind="timeout", reason="ReadTimeout")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Boxed:
    """A provider of a sandbox that isn't started.

    Attributes:
        spoils: Called with each write and its number, from 1; what it returns is the answer, unless it is `None`.
        sent: Method and path of every request that got through.
    """

    def __init__(self, name: str, customers: int = 0, **options: Any) -> None:
        self.provider = getattr(Sandbox(customers=customers, odd=False, **options), name)
        self.adapter = CLASSES[name](**self.provider.settings)
        self.spoils: Callable[[Boxed, Request, int], Reply | None] = lambda *_: None
        self.sent: list[str] = []
        self.bodies: list[bytes] = []
        self.writes = 0

    def __call__(self, request: Request) -> Reply:
        writes = request.method in WRITES and not request.url.endswith("/search")
        if writes:
            self.writes += 1
            spoilt = self.spoils(self, request, self.writes)
            if spoilt is not None:
                return spoilt
        return self.act(request)

    def act(self, request: Request) -> Reply:
        """The honest answer."""
        parts = urlsplit(request.url)
        path = parts.path.removeprefix("/" + self.provider.name)
        self.sent.append(f"{request.method} {path}")
        self.bodies.append(request.body or b"")
        asked = Asked(request.method, path, parts.query, dict(request.headers), request.body or b"")
        reply = self.provider.handle(asked)
        if reply.ending != "whole":
            return LOST
        return Response(status=reply.status, headers=dict(reply.headers), body=reply.body)


class Writer(Account):
    """What a client is that writes, without httpx."""

    def __init__(self, boxed: Boxed, retry: Any = PATIENT, on_event: Any = None) -> None:
        super().__init__(boxed.adapter, boxed, retry, on_event)

    def create(self, **fields: Any) -> Any:
        doubt = _writing.doubt_of(self.context)
        with doubt:
            return self.pump(_writing.create(self.context, fields, doubt))

    def update(self, id: str, **fields: Any) -> Any:
        return self.pump(_writing.update(self.context, id, fields))

    def archive(self, id: str) -> None:
        self.pump(_writing.archive(self.context, id))

    def delete(self, id: str, *, cascade: Any = False) -> None:
        self.pump(_writing.delete(self.context, id, cascade))
