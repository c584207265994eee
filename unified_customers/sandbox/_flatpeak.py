"""Flatpeak's customers over HTTP, after its List page (seed 004) and its other documents.

Knows sign-in, paths, cursors and errors of Flatpeak. Must not know a socket or a fault.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ._clock import START, microseconds, moment_of, round_to_microseconds, spell_seconds
from ._flatpeak_rows import make_fields, make_strange
from ._flatpeak_tokens import Tokens, is_basic
from ._ids import hexadecimal
from ._json import dump, load
from ._pages import after, take
from ._provider import Provider
from ._table import Fields, Row
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clock import Clock

VERSION = "2025-09-14.anode"
_HEADERS = (("content-type", "application/json"), ("flatpeak-version", VERSION))
_YEARS_US = 2 * 365 * 86_400_000_000
_CODES = {
    400: ("invalid_request", "invalid_parameter", "The request is invalid"),
    403: ("invalid_request", "access_denied", ""),
    404: ("invalid_request", "not_found", ""),
    429: ("rate_limit", "too_many_requests", "Too many requests. Please retry after a short delay."),
}


class Flatpeak(Provider):
    """The pretend Flatpeak."""

    name: ClassVar[str] = "flatpeak"
    rows_key: ClassVar[str] = "data"
    created_key: ClassVar[str] = "time_created"
    bad_record: ClassVar[tuple[str, Any]] = ("reference_id", 42)

    account_id = "acc_65e421bed29d88d9012e0662"
    api_key = "sk_test_sandbox_flatpeak"
    token_key: Literal["bearer_token", "token", "bearer"] = "bearer_token"  # noqa: S105 - a key of the reply
    expires_in = 3600  # seconds, by the sandbox's clock

    def __init__(self, clock: Clock, seed: int, *, odd: bool = True, strange: bool = False) -> None:
        super().__init__(clock, seed, odd=odd, strange=strange)
        self._tokens = Tokens(clock, Random(f"{seed}/tokens"))

    @property
    def settings(self) -> dict[str, str]:
        """Keyword arguments for the client's `Flatpeak` settings."""
        return {"account_id": self.account_id, "api_key": self.api_key, "base_url": self.base_url}

    def fill(self, count: int) -> None:
        """Start with so many customers, made over the two years before the clock's start."""
        start = microseconds(START) - _YEARS_US
        step = _YEARS_US // (count + 1)
        jitter = self._random.random
        self._table.fill(self._row(start + int((number + jitter()) * step), {}) for number in range(count))

    def make_row(self, nanoseconds: int, fields: Fields) -> Row:
        """A new customer created at that moment; a `time_created` among the fields orders it."""
        micro = round_to_microseconds(nanoseconds)
        return self._row(moment_of(fields.get("time_created"), micro), fields)

    def _row(self, micro: int, given: Fields) -> Row:
        number, self._made = self._made, self._made + 1
        fields = make_fields(self._random, number, micro, self.account_id, odd=self.odd)
        if self.strange and number % 3 == 0:
            fields = make_strange(fields, number // 3)
        fields |= given
        return self.row_of(fields, micro)

    def row_of(self, fields: Fields, moment: int) -> Row:
        """A row; there is one list only."""
        return Row(str(fields["id"]), moment, fields)

    def default_list(self) -> list[Row]:
        """Newest first."""
        return list(after(self._table.group(None), None, descending=True))

    def delete(self, id: str) -> None:
        """Erase a customer, as the API does."""
        with self._lock:
            self._table.remove(id)

    def problem(self, status: int) -> Reply:
        """The flat error object; 403 and 404 come without a message, 5xx as `api_error`."""
        type_, code, message = _CODES.get(status, ("api_error", "internal_error", "Internal Server Error"))
        error = {"object": "error", "type": type_, "code": code, "time_created": self._now()}
        if message:
            error["message"] = message
        return Reply(status, dump(error), _HEADERS)

    def _now(self) -> str:
        return spell_seconds(self._clock.nanoseconds() // 1000)

    def place(self, request: Request) -> str:
        """Login, list, get or write, told by method and path."""
        if request.path == "/login":
            return "login"
        if request.method != "GET":
            return "write"
        return "list" if request.path == "/customers" else "get"

    def answer(self, request: Request) -> Reply:
        """Sign in, or check the token and then serve the customers."""
        parts = request.segments
        if parts == ["login"]:
            return self._login(request) if request.method == "GET" else self.problem(404)
        if not self._tokens.accept(request.headers.get("authorization", "")):
            return self.problem(403)
        if parts == ["customers"] and request.method in {"GET", "POST"}:
            return self._list(request) if request.method == "GET" else self._create(request)
        if len(parts) == 2 and parts[0] == "customers" and parts[1] in self._table.rows:
            handlers = {"GET": self._get, "PATCH": self._patch, "DELETE": self._delete}
            if request.method in handlers:
                return handlers[request.method](request, self._table.rows[parts[1]])
        return self.problem(404)

    # Signing in ------------------------------------------------------------------------------

    def _login(self, request: Request) -> Reply:
        if not is_basic(request.headers.get("authorization", ""), self.account_id, self.api_key):
            return Reply(403, dump({"message": "Bad credentials"}), _HEADERS)
        token = self._tokens.issue(self.expires_in)
        body = {self.token_key: token, "expires_in": self.expires_in, "live_mode": False}
        return Reply(200, dump(body), _HEADERS)

    def issue_token(self) -> str:
        """A valid token without signing in, for a client that is given one."""
        with self._lock:
            return self._tokens.issue(self.expires_in)

    def revoke_tokens(self) -> None:
        """Make every issued token invalid."""
        with self._lock:
            self._tokens.revoke()

    def shorten_next_token(self, uses: int) -> None:
        """Let the next token die after so many uses, whatever `expires_in` says."""
        self._tokens.next_uses = uses

    # Reading and writing ---------------------------------------------------------------------

    def _list(self, request: Request) -> Reply:
        limit = _read_limit(request.first("limit"))
        starting, ending = request.first("starting_after"), request.first("ending_before")
        if limit is None or (starting is not None and ending is not None):
            return self.problem(400)
        cursor = starting if ending is None else ending
        row = None if cursor is None else self._table.rows.get(cursor)
        if cursor is not None and row is None:
            return self.problem(404)
        start = None if row is None else (row.moment, row.id)
        wanted = request.first("reference_id")
        keep = None if wanted is None else lambda row: row.fields.get("reference_id") == wanted
        walk = after(self._table.group(None), start, descending=ending is None)
        rows, more = take(walk, limit, keep)
        return self._page(rows if ending is None else rows[::-1], more)

    def _page(self, rows: list[Row], more: bool) -> Reply:
        body = b",".join([row.body or _written(row) for row in rows])
        envelope = b'{"object":"list","url":"/customers","has_more":%b,"data":[%b]}'
        return Reply(200, envelope % (b"true" if more else b"false", body), _HEADERS)

    def _get(self, _request: Request, row: Row) -> Reply:
        return Reply(200, dump(row.fields), _HEADERS)

    def _create(self, request: Request) -> Reply:
        given = _reference(request)
        if given is None:
            return self.problem(400)
        nanoseconds = self._clock.tick()
        fields: Fields = {
            "id": "cus_" + hexadecimal(self._random, 24),
            "object": "customer",
            "live_mode": False,
            "time_created": spell_seconds(nanoseconds // 1000),
            "account_id": self.account_id,
            **given,
        }
        self._table.add(Row(fields["id"], round_to_microseconds(nanoseconds), fields))
        return Reply(201, dump(fields), _HEADERS)

    def _patch(self, request: Request, row: Row) -> Reply:
        given = _reference(request)
        if given is None:
            return self.problem(400)
        self._clock.tick()
        return Reply(202, dump(self.store({**row.fields, **given}, row).fields), _HEADERS)

    def _delete(self, _request: Request, row: Row) -> Reply:
        self._table.remove(row.id)
        return Reply(202, dump({"message": "Accepted"}), _HEADERS)

    # Faults ----------------------------------------------------------------------------------

    def without_filters(self, request: Request) -> Request:
        """The list request without `reference_id`."""
        return request.without("reference_id")

    def without_sort(self, request: Request) -> Request:
        """The same request: there is no order to take out."""
        return request

    def capped(self, request: Request, cap: int, proceed: Callable[[Request], Reply]) -> Reply:
        """A smaller page than asked for."""
        asked = _read_limit(request.first("limit"))
        return proceed(request if asked is None else request.having(limit=str(min(cap, asked))))

    def promise_more(self, page: Fields) -> None:
        """`has_more`; the cursor is the client's to derive."""
        page["has_more"] = True

    def promise_without_cursor(self, page: Fields) -> None:
        """`has_more` with no row to derive a cursor from."""
        page |= {"has_more": True, "data": []}

    def empty_out(self, page: Fields, rows: list[Any], request: Request) -> None:
        """No rows, yet more of them."""
        del request
        rows.clear()
        page["has_more"] = True

    def lie(self, page: Fields, by: int) -> None:
        """A total that the documents do not know."""
        page["total_count"] = len(page["data"]) + by


def _written(row: Row) -> bytes:
    row.body = dump(row.fields)
    return row.body


def _read_limit(text: str | None) -> int | None:
    if text is None:
        return 30
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        return None
    return int(text)


def _reference(request: Request) -> Fields | None:
    """The one writable field of a body, or None if the body is wrong."""
    try:
        body = load(request.body) if request.body.strip() else {}
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("reference_id", ""), str):
        return None
    return {"reference_id": body["reference_id"]} if "reference_id" in body else {}
