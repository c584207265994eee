"""Flexprice as the real server answers: its routing and its authentication.

Knows paths, headers and keys; the truth of all this is the recording that the tests replay. Must not know
what a handler answers (`_flexprice_read`, `_flexprice_change`).
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import unquote

import attrs

from ._flexprice_change import WritableFlexprice
from ._flexprice_filters import PanicError
from ._flexprice_read import JSON
from ._ids import Ulids
from ._json import dump
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clock import Clock

# What Go's own server refuses before any route is looked at.
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_REQUEST = (("content-type", "text/plain; charset=utf-8"),)
_TEXT = (("content-type", "text/plain"),)
_ALWAYS = (
    ("access-control-allow-origin", "*"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)
# Statics in the server's tree that are about more than customers; the sandbox has no data for them.
_SIBLINGS = {"usage", "wallets"}
_ALIASES = {"external", "lookup"}


class RealFlexprice(WritableFlexprice):
    """The pretend Flexprice that is held to the recording of a real one."""

    def __init__(self, clock: Clock, seed: int, *, odd: bool = True, strange: bool = False) -> None:
        super().__init__(clock, seed, odd=odd, strange=strange)
        self._request_ids = Ulids(Random(f"{seed}/requests"))

    def place(self, request: Request) -> str:
        """List (search included), get, write or other, told by method and path."""
        path = unquote(request.path)
        if (request.method, path) in {("GET", "/v1/customers"), ("POST", "/v1/customers/search")}:
            return "list"
        if not path.startswith("/v1/customers"):
            return "other"
        return "get" if request.method == "GET" else "write"

    def answer(self, request: Request) -> Reply:
        """Route as gin does: on the decoded path, so that %2F parts segments."""
        if _BAD_ESCAPE.search(request.path):
            return Reply(400, b"400 Bad Request", (*_BAD_REQUEST, ("connection", "close")))
        path = unquote(request.path)
        known, shorter = self._route(request.method, path), self._route(request.method, path[:-1])
        if known is None and path.endswith("/") and shorter is not None:
            return self._moved(request)
        reply = self._answer_routed(request, path)
        given = request.headers.get("x-request-id")
        request_id = given or self._request_ids.next(self._clock.nanoseconds())
        return attrs.evolve(reply, headers=(*reply.headers, *_ALWAYS, ("x-request-id", request_id)))

    def _answer_routed(self, request: Request, path: str) -> Reply:
        if request.method == "OPTIONS":
            return Reply(200)
        handler = self._route(request.method, path)
        if handler is None:
            return Reply(404, b"404 page not found", _TEXT)
        if path == "/health":
            return handler(request)
        refusal = self._refusal(request)
        if refusal:
            return refusal
        try:
            return handler(request)
        except PanicError:
            return Reply(500)

    def _moved(self, request: Request) -> Reply:
        # Like a server behind a proxy that tells its prefix, so that the redirect leads somewhere.
        prefix = "/" + self.base_url.partition("//")[2].partition("/")[2]
        target = prefix + request.path[:-1] + (f"?{request.query}" if request.query else "")
        if request.method != "GET":
            return Reply(307, headers=(("location", target),))
        html = f'<a href="{target}">Moved Permanently</a>.\n\n'
        return Reply(301, html.encode(), (("content-type", "text/html; charset=utf-8"), ("location", target)))

    def _route(self, method: str, path: str) -> Callable[[Request], Reply] | None:
        parts = path.split("/")[1:]
        if parts == ["health"]:
            return self._health if method in {"GET", "POST"} else None
        if parts[:2] != ["v1", "customers"] or not all(parts):
            return None
        rest = parts[2:]
        if not rest:
            return {"GET": self._list, "POST": self._create, "PUT": self._update}.get(method)
        if method == "POST":
            return self._search if rest == ["search"] else None
        if len(rest) == 1:
            return self._by_id(method, rest[0])
        if len(rest) == 2 and rest[0] in _ALIASES and method == "GET" and rest[1]:
            return lambda request: self._get_external(request, rest[1])
        return None

    def _by_id(self, method: str, id: str) -> Callable[[Request], Reply] | None:
        if method == "GET" and id not in _SIBLINGS:
            return lambda request: self._get(request, id)
        if method == "PUT":
            return lambda request: self._update_row(request, id)
        if method == "DELETE":
            return lambda _request: self._archive(id)
        return None

    def _health(self, _request: Request) -> Reply:
        return Reply(200, b'{"status":"ok"}', JSON)

    def _refusal(self, request: Request) -> Reply | None:
        """What the authentication middleware says, in its own shape and without a code."""
        authorization = request.headers.get("authorization", "")
        if request.headers.get("x-api-key") != self.api_key:
            error = "Unauthorized"
            if authorization:
                bearer = authorization.startswith("Bearer ")
                # A Bearer is read as a dashboard's JWT, never as a key.
                error = "Invalid token" if bearer else "Invalid authorization header format"
            return Reply(401, dump({"error": error}), JSON)
        if self.environment_id not in {None, request.headers.get("x-environment-id")}:
            message = "Invalid or inaccessible environment"
            return Reply(403, dump({"error": "Access denied", "message": message}), JSON)
        return None
