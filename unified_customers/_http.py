"""httpx as both clients use it: how a client is made, a request built, an answer read, and what went wrong told.

Knows httpx; must not know conversations, walks or providers. With the two clients it is all that knows httpx, so that
another HTTP library would be a change of these files.
"""

from __future__ import annotations

import functools
import math
import ssl
import time
from collections.abc import Callable
from http import cookiejar
from typing import Any, Literal

import httpx

from ._version import __version__
from ._wire import Request, Response, Unreachable
from .errors import ConfigurationError

Timeout = float | tuple[float, float] | httpx.Timeout | Literal["never"]

CONNECT, READ = 10.0, 30.0
_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})  # no connection was there to send on
_AGENT = f"unified-customers/{__version__}"


def timeout_of(value: Any) -> httpx.Timeout:
    """Timeouts in seconds: one for reading, or (connect, read); waiting for ever takes the word "never".

    Raises:
        ConfigurationError: It is `None`, or no positive number.
    """
    if isinstance(value, httpx.Timeout):
        return value
    if value == "never":
        return httpx.Timeout(None)
    connect, read = value if isinstance(value, tuple) and len(value) == 2 else (CONNECT, value)
    for seconds in (connect, read):
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise ConfigurationError(
                "timeout= is a number of seconds above 0, or (connect, read); to wait for ever, say timeout='never'"
            )
    return httpx.Timeout(read, connect=min(connect, read) if not isinstance(value, tuple) else connect)


@functools.cache
def _tls() -> ssl.SSLContext:
    """One TLS context for all clients: making one takes longer than a request."""
    return httpx.create_ssl_context()


def own(make: Callable[..., Any], timeout: httpx.Timeout, http2: bool, **more: Any) -> Any:
    """A client of our own."""
    headers = {"user-agent": _AGENT}
    try:
        return make(timeout=timeout, http2=http2, verify=_tls(), follow_redirects=False, headers=headers, **more)
    except ImportError:
        raise ConfigurationError("http2=True needs an extra: pip install 'unified-customers[http2]'") from None


def small_http(kind: Literal["sync", "async"], timeout: Timeout | None, *, http2: bool) -> Callable[[], Any]:
    """What makes an HTTP client for one reader of many accounts: it keeps one connection open, and no cookie.

    A cookie of one account must not reach another; keys go along with each request.

    Args:
        kind: Which of httpx's.
        timeout: As for `Client`.
        http2: See `Client`.
    """
    make: Callable[..., Any] = httpx.Client if kind == "sync" else httpx.AsyncClient
    seconds, limits = timeout_of(timeout), httpx.Limits(max_connections=None, max_keepalive_connections=1)

    def made() -> Any:
        nobody = cookiejar.DefaultCookiePolicy(allowed_domains=())
        return own(make, seconds, http2, limits=limits, cookies=cookiejar.CookieJar(nobody))

    return made


def built(http: Any, request: Request, extensions: dict[str, Any]) -> Any:
    extra = {"extensions": extensions} if extensions else {}
    return http.build_request(request.method, request.url, headers=list(request.headers), content=request.body, **extra)


def nothing() -> None:
    return None


def traced(sent: Callable[[], None]) -> dict[str, Any]:
    """Have httpx say when a request has left: the provider works from then on."""
    if sent is nothing:
        return {}

    def trace(name: str, _: Any) -> None:
        if name.endswith("send_request_body.complete"):
            sent()

    return {"trace": trace}


def traced_async(sent: Callable[[], None]) -> dict[str, Any]:
    """The same for an async client, which awaits it."""
    if sent is nothing:
        return {}

    async def trace(name: str, _: Any) -> None:
        if name.endswith("send_request_body.complete"):
            sent()

    return {"trace": trace}


async def read(answer: Any) -> bytes:
    """A whole body, as it was before its content encoding.

    httpx's own way of reading leaves its generators half-run where the encoding is broken, and trio warns of that.
    """
    if answer.is_stream_consumed:  # a transport that brings whole answers, as recordings do
        return bytes(answer.content)
    raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    if "content-encoding" not in answer.headers:
        return raw
    return bytes(type(answer)(answer.status_code, headers=answer.headers, content=raw).content)


def response_of(answer: Any, body: bytes, began: float) -> Response:
    return Response(
        status=answer.status_code,
        headers={name.lower(): value for name, value in answer.headers.items()},
        body=body,
        elapsed=time.monotonic() - began,
        received=time.time(),
    )


def unreachable(error: Exception, began: float) -> Unreachable:
    """What went wrong, in words that hold no address; the class names are httpx's, and httpx2's."""
    name = type(error).__name__
    kind = "timeout" if "Timeout" in name else "unreadable" if name == "DecodingError" else "connection"
    return Unreachable(kind=kind, reason=name, elapsed=time.monotonic() - began, sent=name not in _NOT_SENT)
