"""Plain values between the conversation and whoever does the I/O.

Knows nothing of httpx, of a provider or of customers. A conversation is a generator that yields
a `Send`, a `NeedToken` or, in a walk that looks ahead, a `Ready` or `First`, and is sent back what that asks for.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        url: Absolute, with its query, already percent-encoded.
        what: What it is for, in words that may stand in logs and errors: never a value of the caller's.
        safe: Whether sending it twice does no harm.
        signed: Whether the account's token has to go along.
        template: The path with names in place of values, such as ``"/v1/customers/{id}"``, for whoever watches.
    """

    method: str
    url: str = attrs.field(repr=False)
    what: str = "request"
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    safe: bool = True
    signed: bool = True
    template: str | None = None

    def with_headers(self, *more: tuple[str, str]) -> Request:
        """The same request with further headers."""
        return attrs.evolve(self, headers=(*self.headers, *more))


@attrs.frozen(kw_only=True)
class Response:
    """A whole answer.

    Attributes:
        headers: By lower-case name.
        elapsed: Seconds from sending to the last byte.
        received: Seconds since the epoch by this machine's clock, to read a `Retry-After` date.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    elapsed: float = 0.0
    received: float = 0.0


@attrs.frozen(kw_only=True)
class Unreachable:
    """No whole answer came.

    Attributes:
        kind: ``"timeout"``, ``"connection"`` or ``"unreadable"`` (it came, but can't be decoded).
        reason: For people; holds no address and no secret.
        elapsed: Seconds spent.
        sent: Whether any of the request may have reached the provider.
    """

    kind: str
    reason: str
    elapsed: float = 0.0
    sent: bool = True


@attrs.frozen(kw_only=True)
class Send:
    """Asks for `request` to be sent, `after` seconds from now."""

    request: Request
    after: float = 0.0


@attrs.frozen(kw_only=True)
class Token:
    """A bearer token and the moment (on the client's monotonic clock, seconds) from which it is stale."""

    text: str = attrs.field(repr=False)
    stale_at: float = float("inf")


@attrs.frozen(kw_only=True)
class NeedToken:
    """Asks for the account's token: any but `rejected`; for the walk of this number, if for one."""

    rejected: Token | None = None
    walk: int | None = None


@attrs.frozen
class Ready:
    """Asks for the outcome of a request that was sent before its turn; `None` if it was not."""

    request: Request


@attrs.frozen
class First:
    """Asks which of several requests is answered first; 0 if none of them was sent.

    Attributes:
        begin: Places and their requests that are to be sent before waiting.
    """

    requests: tuple[Request, ...]
    begin: tuple[tuple[Any, Request], ...] = ()


Reply: TypeAlias = Response | Unreachable
Step: TypeAlias = Send | NeedToken | Ready | First
Conversation: TypeAlias = Generator[Step, Any, T]
