"""Flexprice as its public list page tells it (seed 003), also where the real server differs.

Knows the documented parameters, fields and error shape. Must not know the real server's ways.
"""

from __future__ import annotations

from typing import Any

from ._clock import microseconds, parse_nanoseconds, round_to_microseconds, spell_seconds
from ._flexprice import Flexprice, Keep, ListQuery
from ._flexprice_rows import documented
from ._json import dump
from ._table import Fields, Row
from ._wire import Reply, Request

_JSON = (("content-type", "application/json"),)
_LARGEST = 1000
_SORTS = ("created_at", "updated_at", "name", "email", "external_id")
_MESSAGES = {401: "Unauthorized", 404: "Customer not found", 429: "Too many requests"}
_LISTS = {
    "customer_ids": "id",
    "external_ids": "external_id",
    "parent_customer_ids": "parent_customer_id",
    "external_id": "external_id",
    "email": "email",
}


class DocumentedFlexprice(Flexprice):
    """The pretend Flexprice that the public page describes."""

    def shape(self, number: int, fields: Fields, micro: int) -> Fields:
        """The documented fields, ids and whole-second times."""
        return documented(self._random, number, super().shape(number, fields, micro), micro)

    def stored(self, fields: Fields, micro: int) -> Row:
        """A row that is ordered by what it shows: whole seconds."""
        shown = parse_nanoseconds(str(fields.get("created_at")))
        moment = micro if shown is None else round_to_microseconds(shown)
        status = str(fields.get("status"))
        return Row(str(fields["id"]), moment, fields, status)

    def default_list(self) -> list[Row]:
        """All statuses, newest first."""
        return [row for _, _, row in reversed(self._table.group(None))]

    def write(self, value: Any) -> bytes:
        """Plain JSON."""
        return dump(value)

    def delete(self, id: str) -> None:
        """Archive a customer."""
        with self._lock:
            now = spell_seconds(microseconds(self._clock.now()))
            self.update(id, status="archived", updated_at=now)

    def problem(self, status: int, message: str = "") -> Reply:
        """The error shape that the official documents still show."""
        told = message or _MESSAGES.get(status, "Something went wrong")
        error = {"message": told, "internal_error": f"sandbox: {told}"}
        return Reply(status, dump({"success": False, "error": error}), _JSON)

    def place(self, request: Request) -> str:
        """List, get or write, told by method and path."""
        if request.method != "GET":
            return "write"
        return "list" if request.path == "/v1/customers" else "get"

    def answer(self, request: Request) -> Reply:
        """List or get; there is no search."""
        parts = request.segments
        known = parts[:2] == ["v1", "customers"] and len(parts) in {2, 3}
        if request.method != "GET" or not known or parts == ["v1", "customers", "search"]:
            return self.problem(404, "Route not found")
        if not self._knows_key(request):
            return self.problem(401)
        if len(parts) == 2:
            return self._list(request)
        row = self._table.rows.get(parts[2])
        return self.problem(404) if row is None else Reply(200, self.body_of(row), _JSON)

    def _knows_key(self, request: Request) -> bool:
        bearer = request.headers.get("authorization") == f"Bearer {self.api_key}"
        return bearer or request.headers.get("x-api-key") == self.api_key

    def _list(self, request: Request) -> Reply:
        query = read_query(request)
        if isinstance(query, str):
            return self.problem(400, query)
        rows, total = self.select(query)
        body = b",".join([self.body_of(row) for row in rows])
        envelope = b'{"items":[%b],"pagination":{"total":%d,"limit":%d,"offset":%d}}'
        return Reply(200, envelope % (body, total, query.limit, query.offset), _JSON)

    def promise_more(self, page: Fields) -> None:
        """A total beyond this page, whose own offset the page echoes."""
        numbers = page["pagination"]
        numbers["total"] = max(numbers["total"], numbers["offset"] + numbers["limit"] + 1)

    def without_filters(self, request: Request) -> Request:
        """Only page and order are left of the query."""
        return request.only("limit", "offset", "sort", "order")

    def without_sort(self, request: Request) -> Request:
        """No order is left of the query."""
        return request.without("sort", "order")


def read_query(request: Request) -> ListQuery | str:
    """The documented query, or what is wrong with it."""
    given = dict(reversed(request.pairs))
    limit, offset = _number(given.get("limit", "50")), _number(given.get("offset", "0"))
    sort, order = given.get("sort", "created_at"), given.get("order", "desc")
    if limit is None or not 1 <= limit <= _LARGEST:
        return "limit must be between 1 and 1000"
    if offset is None:
        return "offset must not be negative"
    if sort not in _SORTS or order not in {"asc", "desc"}:
        return "unknown sort or order"
    # The page promises a stable list, so the id settles what the sort leaves open.
    descending = order == "desc"
    keys = ((sort, descending), ("id", descending))
    return ListQuery(limit, offset, given.get("status") or None, keys, descending, _keep(given))


def _keep(given: dict[str, str]) -> tuple[Keep, ...]:
    return tuple(
        _one_of(column, frozenset(given[name].split(",") if name.endswith("ids") else [given[name]]))
        for name, column in _LISTS.items()
        if given.get(name)
    )


def _one_of(column: str, wanted: frozenset[str]) -> Keep:
    return lambda row: row.fields.get(column) in wanted


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
