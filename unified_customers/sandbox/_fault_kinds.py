"""What each kind of fault does to a request or its reply.

Knows the ways in which HTTP servers and the proxies before them fail. Must not know a provider's
spelling: it asks the provider (`problem`, `without_filters`, `rest_promised`, …) for that.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import attrs
from msgspec import Raw

from ._json import dump, load
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._provider import Provider

_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>\n"
_PHRASES = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}
_JSON = (("content-type", "application/json"),)


@attrs.frozen
class Call:
    """One request that meets a fault: `proceed` gives the answer it would have had."""

    provider: Provider
    request: Request
    proceed: Callable[[Request], Reply]
    options: Mapping[str, Any]
    memory: dict[str, Any]

    def honest(self) -> Reply:
        """The answer without this fault."""
        return self.proceed(self.request)

    def edited(self, change: Callable[[dict[str, Any], list[Any]], None]) -> Reply:
        """The honest page after `change(document, rows)`; anything but a page stays as it is."""
        reply = self.honest()
        try:
            document = load(reply.body)
            rows = document[self.provider.rows_key]
        except (ValueError, LookupError, TypeError):
            return reply
        change(document, rows)
        return attrs.evolve(reply, body=dump(document))


@attrs.frozen
class Kind:
    """How a kind runs, how often unless told otherwise, and which options it takes."""

    run: Callable[[Call], Reply]
    times: int | None = 1
    on: str = "data"
    alone: bool = False  # of these at most one meets a request
    options: Mapping[str, Any] = attrs.field(factory=dict)


def html(status: int, title: str) -> Reply:
    """A page such as a gateway serves."""
    return Reply(status, _HTML.format(title).encode(), (("content-type", "text/html"),))


def _gateway(status: int) -> Callable[[Call], Reply]:
    return lambda _call: html(status, f"{status} {_PHRASES[status]}")


def _too_many(call: Call) -> Reply:
    reply, wait = call.provider.problem(429), str(call.options["retry_after"])
    if wait in {"", "none"}:
        return reply
    if wait.startswith("date:"):
        wait = formatdate(time.time() + float(wait.removeprefix("date:")), usegmt=True)
    return reply.with_header("retry-after", wait)


def _error_with_200(call: Call) -> Reply:
    return attrs.evolve(call.provider.problem(500), status=200)


def _plain(reply: Reply) -> Callable[[Call], Reply]:
    return lambda _call: reply


def _redirect(call: Call) -> Reply:
    return Reply(302, b"", (("location", str(call.options["location"])),))


def _slow(call: Call) -> Reply:
    return attrs.evolve(call.honest(), delay=float(call.options["seconds"]))


def _cut(call: Call) -> Reply:
    return attrs.evolve(call.honest(), ending="cut")


def _cut_chunked(call: Call) -> Reply:
    return attrs.evolve(call.honest(), ending="cut-chunked")


def _wrong_charset(call: Call) -> Reply:
    # The header keeps its promise of UTF-8; the note makes sure that a byte breaks it.
    reply = call.edited(lambda document, _rows: document.update(note="caf\u00e9"))
    text = reply.body.decode().encode(str(call.options["charset"]), "replace")
    return attrs.evolve(reply, body=text).with_header("content-type", "application/json; charset=utf-8")


def _bom(call: Call) -> Reply:
    reply = call.honest()
    return attrs.evolve(reply, body=b"\xef\xbb\xbf" + reply.body)


def _bad_gzip(call: Call) -> Reply:
    return call.honest().with_header("content-encoding", "gzip")


def _loop(call: Call) -> Reply:
    pages: list[Reply] = call.memory.setdefault("pages", [])
    if not pages:
        reply = call.edited(lambda document, _rows: call.provider.promise_more(document))
        if reply.status != 200:
            return reply
        pages.append(reply)
    return pages[0]


def _loop2(call: Call) -> Reply:
    pages: list[Reply] = call.memory.setdefault("pages", [])
    if len(pages) < 2:  # A and B
        reply = call.edited(lambda document, _rows: call.provider.promise_more(document))
        if reply.status == 200:
            pages.append(reply)
        return reply
    turn: int = 1 - call.memory.get("turn", 1)
    call.memory["turn"] = turn
    return pages[turn]


def _ignore_filters(call: Call) -> Reply:
    return call.proceed(call.provider.without_filters(call.request))


def _ignore_sort(call: Call) -> Reply:
    return call.proceed(call.provider.without_sort(call.request))


def _page_cap(call: Call) -> Reply:
    return call.provider.capped(call.request, int(call.options["cap"]), call.proceed)


def _empty_page(call: Call) -> Reply:
    return call.edited(lambda document, rows: call.provider.empty_out(document, rows, call.request))


def _no_cursor(call: Call) -> Reply:
    return call.edited(lambda document, _rows: call.provider.promise_without_cursor(document))


def _bad_record(call: Call) -> Reply:
    usual_field, usual_value = call.provider.bad_record
    field = call.options["field"] or usual_field
    value = usual_value if call.options["value"] is ... else call.options["value"]

    def spoil(_document: dict[str, Any], rows: list[Any]) -> None:
        if rows:
            rows[min(call.options["row"], len(rows) - 1)][field] = value

    return call.edited(spoil)


def _nan(call: Call) -> Reply:
    def spoil(document: dict[str, Any], rows: list[Any]) -> None:
        (rows[0] if rows else document)[call.options["field"]] = Raw(b"NaN")

    return call.edited(spoil)


def _deep(call: Call) -> Reply:
    depth = int(call.options["depth"])

    def spoil(document: dict[str, Any], rows: list[Any]) -> None:
        (rows[0] if rows else document)["nested"] = Raw(b"[" * depth + b"]" * depth)

    return call.edited(spoil)


def _lying_total(call: Call) -> Reply:
    return call.edited(lambda document, _rows: call.provider.lie(document, int(call.options["by"])))


def _lost(call: Call) -> Reply:
    """The server acts, and its answer is lost: the connection breaks, or a gateway answers in its place."""
    call.honest()
    answer = call.options["answer"]
    return Reply(0, ending="reset") if answer == "reset" else html(answer, f"{answer} {_PHRASES.get(answer, 'Error')}")


def _late(call: Call) -> Reply:
    """The connection breaks at once, and the server acts when it has served so many more requests."""
    call.provider.put_off(call.request, int(call.options["requests"]))
    return Reply(0, ending="reset")


def _refused(call: Call) -> Reply:
    return call.provider.problem(int(call.options["status"]))


def _quota(call: Call) -> Reply:
    """So many customers may be created, and no more."""
    if call.request.method != "POST":
        return call.honest()
    made: int = call.memory.get("made", 0)
    if made >= call.options["creates"]:
        return _refused(call)
    reply = call.honest()
    call.memory["made"] = made + (reply.status == 201)
    return reply


def _token_dies(call: Call) -> Reply:
    call.provider.revoke_tokens()
    return call.honest()


def _token_early(call: Call) -> Reply:
    call.provider.shorten_next_token(int(call.options["uses"]))
    return call.honest()


_EVER: int | None = None
KINDS: dict[str, Kind] = {
    "429": Kind(_too_many, alone=True, options={"retry_after": 1}),
    "500": Kind(_gateway(500), alone=True),
    "502": Kind(_gateway(502), alone=True),
    "503": Kind(_gateway(503), alone=True),
    "504": Kind(_gateway(504), alone=True),
    "503-json": Kind(lambda call: call.provider.problem(503), alone=True),
    "empty": Kind(_plain(Reply(200, b"", _JSON)), alone=True),
    "204": Kind(_plain(Reply(204)), alone=True),
    "html200": Kind(_plain(html(200, "Sign in")), alone=True),
    "garbage": Kind(_plain(Reply(200, b'{"items": [}, not JSON', _JSON)), alone=True),
    "error200": Kind(_error_with_200, alone=True),
    "reset": Kind(_plain(Reply(0, ending="reset")), alone=True),
    "redirect": Kind(_redirect, alone=True, options={"location": "https://elsewhere.invalid/v1/customers"}),
    "slow": Kind(_slow, options={"seconds": 1.0}),
    "cut": Kind(_cut, alone=True),
    "cut-chunked": Kind(_cut_chunked, alone=True),
    "wrong-charset": Kind(_wrong_charset, alone=True, on="list", options={"charset": "iso-8859-1"}),
    "bom": Kind(_bom, alone=True),
    "bad-gzip": Kind(_bad_gzip, alone=True),
    "deep-nesting": Kind(_deep, alone=True, on="list", options={"depth": 100_000}),
    "nan": Kind(_nan, alone=True, on="list", options={"field": "score"}),
    "bad-record": Kind(_bad_record, alone=True, on="list", options={"row": 1, "field": "", "value": ...}),
    "empty-page": Kind(_empty_page, alone=True, on="list"),
    "has-more-no-cursor": Kind(_no_cursor, alone=True, on="list"),
    "loop": Kind(_loop, _EVER, on="list"),
    "loop2": Kind(_loop2, _EVER, on="list"),
    "ignore-filters": Kind(_ignore_filters, _EVER, on="list"),
    "ignore-sort": Kind(_ignore_sort, _EVER, on="list"),
    "page-cap": Kind(_page_cap, _EVER, on="list", options={"cap": 10}),
    "lying-total": Kind(_lying_total, _EVER, on="list", options={"by": 17}),
    "lost": Kind(_lost, alone=True, on="write", options={"answer": "reset"}),
    "late": Kind(_late, alone=True, on="write", options={"requests": 1}),
    "refused": Kind(_refused, alone=True, on="write", options={"status": 409}),
    "quota": Kind(_quota, _EVER, on="write", options={"creates": 0, "status": 403}),
    "token-dies": Kind(_token_dies),
    "token-expires-early": Kind(_token_early, on="login", options={"uses": 1}),
}
