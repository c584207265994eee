"""The author's fake server, and the line to it, on which the checks put things in its way.

Knows requests and answers as plain values; must not know what a record is, or what is checked.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._wire import Unreachable
from ..adapter import Adapter, Request, Response

Reply = Response | Unreachable
LIMIT = 600
DROPPED = Unreachable(kind="connection", reason="ReadError")


class Server(Protocol):
    """What a fake server has to offer: its records, and an answer to each request.

    The made-up customers differ in e-mail and external id, where the provider has them, and a plain list shows them
    all. A server with more customers has those of a smaller one, and others.
    """

    @property
    def records(self) -> MutableMapping[str, dict[str, Any]]:
        """What the server stores, by id: each record as it stands in an answer, with its id at its top.

        The checks take records out, put them back and change them, so every answer is made from what is in here at
        that moment.
        """

    def __call__(self, request: Request, /) -> Response:
        """The answer to a request; `Request.url` is absolute and begins with the `base_url` of the adapter."""


class MakesAdapter(Protocol):
    """The author's maker of settings; a protocol, as a plain callable in a class would count as a method."""

    def __call__(self, base_url: str, /) -> Adapter:
        """The settings of an account at that address."""


class MakesServer(Protocol):
    """The author's maker of fake servers."""

    def __call__(self, n: int, /) -> Server:
        """A server with `n` made-up customers."""


class Line:
    """Stands between a client and the server: counts, remembers, and bends what passes."""

    def __init__(self, server: Server, adapter: Adapter, limit: int = LIMIT) -> None:
        self.server = server
        self.limit = limit
        self.requests: list[Request] = []
        self.answers: list[Reply] = []
        self.sign_ins: list[Request] = []
        self.broken: AssertionError | None = None
        self.instead: Callable[[int], Reply | None] = lambda n: None
        self.bend: Callable[[Response, int], Reply] = lambda answer, n: answer
        self.sign_in: Callable[[Response], Reply] = lambda answer: answer
        self._entrance = _place(adapter.sign_in_request()) if adapter.signs_in() else None

    def __call__(self, request: Request) -> Reply:
        """Answer a request; `instead` is asked first, `bend` sees what the server says. Sign-ins are counted apart."""
        if _place(request) == self._entrance:
            self.sign_ins.append(request)
            return self.sign_in(self._ask(request))
        self.requests.append(request)
        n = len(self.requests)
        if n > self.limit:
            raise self._fault(f"your adapter goes on and on: {self.limit} requests brought no end and no error")
        reply = self.instead(n)
        if reply is None:
            reply = self.bend(self._ask(request), n)
        self.answers.append(reply)
        return reply

    def meet(self, reply: Reply, *, first: int = 1, times: int | None = None) -> None:
        """From request `first` on, so many times or always, `reply` comes and the server is not asked."""
        last = LIMIT * 2 if times is None else first + times - 1
        self.instead = lambda n: reply if first <= n <= last else None

    def change(self, change: Callable[[Response], Reply], at: int | None = None) -> None:
        """Change each answer of the server, or one."""
        self.bend = lambda answer, n: change(answer) if at in {None, n} else answer

    def _ask(self, request: Request) -> Response:
        asked = f"{request.method} {request.url}"
        try:
            answer = self.server(request)
        except Exception as error:
            raise self._fault(f"your fake server raised {type(error).__name__}: {error} for {asked}") from error
        if not isinstance(answer, Response):
            raise self._fault(f"your fake server returned {type(answer).__name__}, no Response, for {asked}")
        return answer

    def _fault(self, says: str) -> AssertionError:
        self.broken = AssertionError(says)  # an HTTP client takes what is raised in its transport for a lost connection
        return self.broken


def _place(request: Request) -> tuple[str, str, str]:
    parts = urlsplit(request.url)
    return request.method, parts.netloc, parts.path


def answered(status: int, body: bytes = b"", **headers: str) -> Response:
    """An answer made up here; names of headers are written with `_`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers={"content-type": "application/json", **named}, body=body)
