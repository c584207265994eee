"""The socket: an HTTP/1.1 server on loopback in a thread of its own, that fails when told to.

Knows uvicorn's protocol and asyncio. Must not know a provider: it is given one function from a
`Request` to a `Reply`. This is the only module of the sandbox that needs the extra `sandbox`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ._wire import Reply, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_QUIET = logging.Logger("unified_customers.sandbox", logging.CRITICAL + 1)  # not in the tree, so no handler
_LONGEST_HEAD = 1 << 20  # bytes; Go's limit, which lets a query carry thousands of ids
_IDLE_SECONDS = 600


class Protocol(H11Protocol):
    """uvicorn's protocol, silent, and with the transport at hand so that a fault can tear it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where each request's scope shows it."""
        super().connection_made(transport)
        self.logger = _QUIET
        self.access_log = False
        self.app_state = {"transport": transport}
        # asyncio does this itself only for sockets made with an explicit protocol number.
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Application:
    """The ASGI side: reads a request whole, asks for the reply, delivers it as the reply says."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self.failure: Exception | None = None  # the first bug met in the sandbox itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _body(receive)
        if body is None:
            return
        reply = self._reply(_request(scope, body))
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.ending == "reset":
            _reset(scope["state"]["transport"])
            await asyncio.sleep(0)  # or the protocol would still try to answer 500
        else:
            await _deliver(reply, send)

    def _reply(self, request: Request) -> Reply:
        try:
            return self._answer(request)
        except Exception as error:
            self.failure = self.failure or error
            raise


async def _body(receive: Receive) -> bytes | None:
    """A whole body; `None` if the connection ended within it: no server acts on half a request."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _request(scope: Scope, body: bytes) -> Request:
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, body)


async def _deliver(reply: Reply, send: Send) -> None:
    headers = [(b"date", formatdate(usegmt=True).encode())]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    if reply.ending != "cut-chunked" and reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.ending == "whole":
        await send({"type": "http.response.body", "body": reply.body})
    else:
        # Coming back with more_body still true makes uvicorn close the connection in mid-body.
        half = reply.body[: max(len(reply.body) // 2, 1)]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _reset(transport: asyncio.Transport) -> None:
    # Lingering for zero seconds makes closing send RST instead of FIN.
    sock: socket.socket = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Server:
    """A listening socket and the thread that serves it."""

    def __init__(self, answer: Callable[[Request], Reply], port: int) -> None:
        self._application = Application(answer)
        self._config = _config(self._application)
        self._state = ServerState()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="unified-customers-sandbox", daemon=True)

    def start(self) -> None:
        """Serve from now on; returns when the first connection would be accepted."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close everything, requests under way included, and wait for the thread.

        Raises:
            RuntimeError: the sandbox met a bug of its own; it answered 500, and a test should hear of it.
        """
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._application.failure is not None:
            msg = "the sandbox itself failed on a request"
            raise RuntimeError(msg) from self._application.failure

    def wait(self) -> None:
        """Block until the server stops; interruptible."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(self._protocol, sock=self._socket)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.sleep(0)  # lets the transports tell their protocols that they are closed

    def _protocol(self) -> Protocol:
        return Protocol(self._config, self._state, {})


def _config(application: Application) -> Config:
    config = Config(
        application,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=_IDLE_SECONDS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    config.load()
    return config
