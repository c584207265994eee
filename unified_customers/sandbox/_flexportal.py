"""FlexPortal's customers over HTTP, after its List, Get, Update and Delete pages (seeds 000 to 002).

Knows paths, headers, paging and errors of FlexPortal. Where the documents are silent or disagree, an
attribute chooses: `cursor_style`, `lost_cursor`, `hide_inactive`. Must not know a socket or a fault.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import attrs

from ._clock import START, microseconds, moment_of, round_to_microseconds, spell_microseconds
from ._flexportal_query import FILTERS, SORTS, ListQuery, read_query
from ._flexportal_rows import make_fields, make_strange, profitability
from ._flexportal_write import read_changes
from ._json import dump, load
from ._pages import after, take
from ._provider import Provider
from ._table import Entry, Fields, Row
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON = (("content-type", "application/json"),)
_YEARS_US = 2 * 365 * 86_400_000_000
_MESSAGES = {
    401: ("INVALID_TOKEN", "The API key is invalid or expired"),
    403: ("NO_TENANT_ACCESS", "You do not have access to this tenant"),
    404: ("NOT_FOUND", "Customer not found"),
    429: ("RATE_LIMITED", "Too many requests"),
    500: ("INTERNAL_ERROR", "Something went wrong"),
    503: ("SERVICE_UNAVAILABLE", "Try again later"),
}


class FlexPortal(Provider):
    """The pretend FlexPortal."""

    name: ClassVar[str] = "flexportal"
    rows_key: ClassVar[str] = "customers"
    created_key: ClassVar[str] = "createdAt"
    bad_record: ClassVar[tuple[str, Any]] = ("email", 42)

    api_key = "pk_live_sandbox_flexportal"
    tenant_id = "bu_sandbox"
    cursor_style: Literal["id", "opaque"] = "id"
    lost_cursor: Literal["400", "404", "restart", "empty"] = "404"
    refuse_busy = False  # DOCS: a customer with active subscriptions can't be deleted; its status is not told
    hide_inactive = False  # DOCS: a deleted customer is hidden from default lists; seed 000 does not say so

    @property
    def settings(self) -> dict[str, str]:
        """Keyword arguments for the client's `FlexPortal` settings."""
        return {"api_key": self.api_key, "tenant_id": self.tenant_id, "base_url": self.base_url}

    def fill(self, count: int) -> None:
        """Start with so many customers, made over the two years before the clock's start."""
        start = microseconds(START) - _YEARS_US
        step = _YEARS_US // (count + 1)
        jitter = self._random.random
        self._table.fill(self._row(start + int((number + jitter()) * step), {}) for number in range(count))

    def make_row(self, nanoseconds: int, fields: Fields) -> Row:
        """A new customer created at that moment; a `createdAt` among the fields orders it."""
        micro = round_to_microseconds(nanoseconds)
        return self._row(moment_of(fields.get("createdAt"), micro), fields)

    def _row(self, micro: int, given: Fields) -> Row:
        number, self._made = self._made, self._made + 1
        fields = make_fields(self._random, number, micro, self.tenant_id, odd=self.odd)
        if self.strange and number % 3 == 0:
            fields = make_strange(fields, number // 3)
        fields |= given
        return self.row_of(fields, micro)

    def row_of(self, fields: Fields, moment: int) -> Row:
        """A row, in the list of its status."""
        return Row(str(fields["customerId"]), moment, fields, str(fields.get("status")))

    def default_list(self) -> list[Row]:
        """Newest first; all statuses unless `hide_inactive`."""
        return list(after(self._entries(ListQuery()), None, descending=True))

    def delete(self, id: str, hard: bool = False) -> None:
        """Set a customer inactive as the API does; `hard` removes it, so that its cursor is lost."""
        with self._lock:
            if hard:
                self._table.remove(id)
            else:
                self.update(id, status="inactive")

    def problem(self, status: int, code: str = "", message: str = "") -> Reply:
        """The documented error envelope."""
        usual = _MESSAGES.get(status, ("VALIDATION_ERROR", "The request is invalid"))
        error = {"code": code or usual[0], "message": message or usual[1]}
        return Reply(status, dump({"error": error}), _JSON)

    def place(self, request: Request) -> str:
        """List, get or write, told by method and path."""
        if request.method != "GET":
            return "write"
        return "list" if request.path == "/v1/customers" else "get"

    def answer(self, request: Request) -> Reply:
        """Check the headers, then list, get, update or delete."""
        refusal = self._refusal(request)
        if refusal:
            return refusal
        parts = request.segments
        if parts == ["v1", "customers"] and request.method == "GET":
            return self._list(request)
        if len(parts) == 3 and parts[:2] == ["v1", "customers"] and parts[2]:
            handlers = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}
            if request.method in handlers:
                return handlers[request.method](request, parts[2])
        return self.problem(404, message="Route not found")

    def _refusal(self, request: Request) -> Reply | None:
        authorization = request.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return self.problem(401, "AUTH_REQUIRED", "Authorization header is required")
        if authorization != f"Bearer {self.api_key}":
            return self.problem(401)
        if request.headers.get("tenant-id") != self.tenant_id:
            return self.problem(403)
        return None

    # Reading ---------------------------------------------------------------------------------

    def _list(self, request: Request) -> Reply:
        query = read_query(request)
        if isinstance(query, str):
            return self.problem(400, message=query)
        start: tuple[Any, str] | None = None
        if query.start_after.strip("~"):
            row = self._table.rows.get(self._uncursor(query.start_after))
            if row is None and self.lost_cursor != "restart":
                return self._lost(query)
            start = None if row is None else (SORTS[query.sort_by](row), row.id)
        rows = after(self._entries(query), start, descending=query.descending)
        return self._page(*take(rows, query.limit, query.keep), query.limit)

    def _entries(self, query: ListQuery) -> list[Entry]:
        group = query.status or ("active" if self.hide_inactive else None)
        if query.sort_by == "createdAt":
            return self._table.group(group)
        return self._table.ordered(group, query.sort_by, SORTS[query.sort_by])

    def _page(self, rows: list[Row], more: bool, limit: int) -> Reply:
        cursor = dump(self._cursor(rows[-1].id)) if more else b"null"
        body = b",".join([row.body or _written(row) for row in rows])
        envelope = b'{"customers":[%b],"count":%d,"limit":%d,"hasMore":%b,"nextCursor":%b}'
        values = (body, len(rows), limit, b"true" if more else b"false", cursor)
        return Reply(200, envelope % values, _JSON)

    def _lost(self, query: ListQuery) -> Reply:
        if self.lost_cursor == "empty":
            return self._page([], more=False, limit=query.limit)
        if self.lost_cursor == "400":
            return self.problem(400, message="Invalid startAfter cursor")
        return self.problem(404, message="Cursor document not found")

    def _cursor(self, id: str) -> str:
        return id if self.cursor_style == "id" else urlsafe_b64encode(b"v1|" + id.encode()).decode()

    def _uncursor(self, cursor: str) -> str:
        cursor = cursor.rstrip("~")  # an empty page repeats its own cursor in another spelling: see empty_out
        if self.cursor_style == "id":
            return cursor
        try:
            return urlsafe_b64decode(cursor.encode()).decode().removeprefix("v1|")
        except ValueError:
            return ""

    def _get(self, _request: Request, id: str) -> Reply:
        row = self._table.rows.get(id)
        if row is None:
            return self.problem(404)
        return Reply(200, dump({**row.fields, "profitability": profitability(row.fields)}), _JSON)

    # Writing ---------------------------------------------------------------------------------

    def _put(self, request: Request, id: str) -> Reply:
        row = self._table.rows.get(id)
        if row is None:
            return self.problem(404)
        changes = read_changes(request.body)
        if isinstance(changes, str):
            return self.problem(400, message=changes)
        now = spell_microseconds(self._clock.tick() // 1000)
        new = self.store({**row.fields, **changes, "updatedAt": now}, row)
        return self._done("Customer updated successfully", id, {"customer": new.fields})

    def _delete(self, _request: Request, id: str) -> Reply:
        row = self._table.rows.get(id)
        if row is None:
            return self.problem(404)
        if self.refuse_busy and row.fields.get("rentalIds"):
            return self.problem(409, "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS", "Customer has active subscriptions")
        now = spell_microseconds(self._clock.tick() // 1000)
        self.store({**row.fields, "status": "inactive", "updatedAt": now}, row)
        return self._done("Customer deleted successfully", id, {})

    def _done(self, message: str, id: str, more: Fields) -> Reply:
        return Reply(200, dump({"success": True, "message": message, "customerId": id, **more}), _JSON)

    # Faults ----------------------------------------------------------------------------------

    def without_filters(self, request: Request) -> Request:
        """The list request with its filters taken out."""
        return request.without(*FILTERS)

    def without_sort(self, request: Request) -> Request:
        """The list request with its order taken out."""
        return request.without("sortBy", "sortDir")

    def capped(self, request: Request, cap: int, proceed: Callable[[Request], Reply]) -> Reply:
        """A smaller page that claims the size asked for."""
        asked = read_query(request)
        if isinstance(asked, str):
            return proceed(request)
        reply = proceed(request.having(limit=str(min(cap, asked.limit))))
        page = load(reply.body)
        return attrs.evolve(reply, body=dump(page | {"limit": asked.limit}))

    def promise_more(self, page: Fields) -> None:
        """`hasMore`, with the last row's cursor."""
        if not page["hasMore"]:
            last = page["customers"][-1]["customerId"] if page["customers"] else "cust_none"
            page |= {"hasMore": True, "nextCursor": self._cursor(last)}

    def promise_without_cursor(self, page: Fields) -> None:
        """`hasMore` beside a null cursor."""
        page |= {"hasMore": True, "nextCursor": None}

    def empty_out(self, page: Fields, rows: list[Any], request: Request) -> None:
        """No rows, and a new cursor for the place where the request stood: nothing is lost by going on."""
        rows.clear()
        page |= {"count": 0, "hasMore": True, "nextCursor": (request.first("startAfter") or "") + "~"}

    def lie(self, page: Fields, by: int) -> None:
        """A wrong `count`."""
        page["count"] += by


def _written(row: Row) -> bytes:
    row.body = dump(row.fields)
    return row.body
