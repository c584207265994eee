"""Any provider on loopback: a function from a request to an answer, on the server that the three pretend ones use.

Knows requests and answers as plain values; must not know a provider, nor load the server before it is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol

import attrs

from ._wire import Reply, Request

_MISSING = 'serve() needs uvicorn: pip install "unified-customers[sandbox]"'


@attrs.frozen(kw_only=True)
class Asked:
    """A request as the function gets it: the fields of `unified_customers.adapter.Request` that a server sees.

    Attributes:
        url: Absolute, with its query, percent-encoded as it came.
        headers: Pairs in the order in which they came, names in lower case.
        body: `None` where none was sent.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Answer(Protocol):
    """What the function returns: `unified_customers.adapter.Response`, or anything else with these three."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names and values; the date and the length of the body are added."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...


@contextlib.contextmanager
def serve(answer: Callable[[Any], Answer], *, port: int = 0) -> Iterator[str]:
    """Serve a provider of your own on loopback; gives the address for the adapter's `base_url`.

    Args:
        answer: Called for each request with `method`, `url`, `headers` and `body`, one at a time, in a thread of the
            server's own. What it raises is answered with 500.
        port: 0 takes a free one.

    Raises:
        ImportError: The extra `sandbox` is not installed.
        OSError: The port is taken.
        RuntimeError: At the end of the block, if `answer` raised; its first error is the cause.
    """
    served = _Served(answer)
    server = _room().Server(served, port)
    served.base = f"http://127.0.0.1:{server.port}"
    server.start()
    try:
        yield served.base
    except BaseException as error:  # the block's own stays what it is
        served.note(error)
        raise
    finally:
        server.stop()
    served.tell()


def _room() -> Any:
    try:
        return import_module("._server", __package__)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"uvicorn", "h11"}:
            raise
        raise ModuleNotFoundError(_MISSING, name=error.name) from error


class _Served:
    """The function, between the server's requests and replies and its own."""

    def __init__(self, answer: Callable[[Any], Answer]) -> None:
        self.base = ""
        self._answer = answer
        self._failure: tuple[str, Exception] | None = None

    def note(self, error: BaseException) -> None:
        """Say at another error that the function raised as well."""
        if self._failure is not None:
            error.add_note(f"the served function raised {self._failure[1]!r} on {self._failure[0]}")

    def __call__(self, request: Request) -> Reply:
        try:
            return _reply(self._answer(self._asked(request)))
        except Exception as error:  # noqa: BLE001 - a stranger's function
            self._failure = self._failure or (f"{request.method} {request.path}", error)
            return Reply(500)

    def _asked(self, request: Request) -> Asked:
        target = f"{request.path}?{request.query}" if request.query else request.path
        return Asked(
            method=request.method,
            url=self.base + target,
            headers=tuple(request.headers.items()),
            body=request.body or None,
        )

    def tell(self) -> None:
        """Raise what the function raised: the 500 that it caused does not say where it went wrong."""
        if self._failure is not None:
            where, error = self._failure
            msg = f"the function that is served raised {type(error).__name__} on {where}"
            raise RuntimeError(msg) from error


def _reply(answer: Answer) -> Reply:
    headers = tuple((name, value) for name, value in answer.headers.items() if name.lower() not in _OWN)
    return Reply(answer.status, answer.body, headers)


_OWN = {"content-length", "date"}
