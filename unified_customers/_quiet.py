"""Keeps httpx's own log line from printing addresses, which hold e-mails and ids.

httpx writes ``HTTP Request: GET https://…/customers?email=… "HTTP/1.1 200 OK"`` at INFO for every request. While one of
ours is under way, that line says what the request is for instead, and httpcore's at DEBUG lose their arguments, among
which are the headers of the answer. Knows logging; must not know httpx's classes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_what: ContextVar[str | None] = ContextVar("unified_customers_request", default=None)


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        what = _what.get()
        if what is not None and record.name.startswith("httpcore"):
            record.msg, record.args = str(record.msg).split(" ")[0] + f" ({what})", ()
        elif what is not None and isinstance(record.args, tuple) and len(record.args) > 1:
            record.args = (record.args[0], f"({what})", *record.args[2:])
        return True


_FILTER = _Quiet()
_LOGGERS = (
    "httpx",
    "httpx2",
    *(f"{core}.{part}" for core in ("httpcore", "httpcore2") for part in ("connection", "http11", "http2", "proxy")),
)


def install() -> None:
    """Put the filter on the loggers of httpx and httpx2; doing so again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """Name the request that is under way."""
    token = _what.set(what)
    try:
        yield
    finally:
        _what.reset(token)
