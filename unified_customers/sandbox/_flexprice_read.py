"""How the real Flexprice reads: lists, searches, single customers, and its error bodies.

Knows the shape of those replies. Must not know routes, keys or writes, nor how a query is bound
(`_flexprice_query`).
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import attrs

from ._flexprice import Flexprice, ListQuery
from ._flexprice_filters import BadConditionError, UnknownColumnError
from ._flexprice_query import INVALID, QueryError, from_get, from_search
from ._json import dump, dump_go, load
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._clock import Clock
    from ._table import Fields, Row

JSON = (("content-type", "application/json; charset=utf-8"),)
_CODES = {
    400: "validation_error",
    403: "permission_denied",
    404: "not_found",
    409: "already_exists",
    429: "too_many_requests",
    500: "database_error",
    503: "service_unavailable",
}
_INT64 = 1 << 63


class ReadableFlexprice(Flexprice):
    """The reading half of the real server."""

    def __init__(self, clock: Clock, seed: int, *, odd: bool = True, strange: bool = False) -> None:
        super().__init__(clock, seed, odd=odd, strange=strange)
        self._coin = Random(f"{seed}/coin")  # an error with two marks draws its status

    def problem(
        self,
        status: int,
        message: str = "An unexpected error occurred",
        details: Mapping[str, Any] | None = None,
    ) -> Reply:
        """The flat error body of the handlers."""
        code = _CODES.get(status, "internal_error")
        error: Fields = {"code": code, "message": message, "http_status_code": status}
        if details:
            # Go writes the keys of a map in order.
            error["details"] = dict(sorted(details.items()))
        return Reply(status, dump_go(error), JSON)

    def _list(self, request: Request) -> Reply:
        return self._listed(lambda: from_get(request))

    def _search(self, request: Request) -> Reply:
        return self._listed(lambda: from_search(request.body))

    def _listed(self, read: Callable[[], ListQuery]) -> Reply:
        try:
            return self._page(read())
        except QueryError as error:
            return self.problem(400, error.message, error.details)
        except BadConditionError:
            return self.problem(400, INVALID)
        except UnknownColumnError as error:
            status = 500 if error.always_database or self._coin.random() < 0.5 else 400
            return self.problem(status, str(error))

    def _page(self, query: ListQuery) -> Reply:
        rows, total = self.select(query)
        following = (query.offset + query.limit + _INT64) % (2 * _INT64) - _INT64  # overflows as int64 does
        body = b",".join([row.body or self.body_of(row) for row in rows])
        envelope = b'{"items":[%b],"pagination":{"total":%d,"limit":%d,"offset":%d}}'
        return Reply(200, envelope % (body, total, query.limit, following), JSON)

    def _get(self, request: Request, id: str) -> Reply:
        row = self._table.rows.get(id)
        return self._expanded(request) or (self._unknown(id) if row is None else self._shown(row))

    def _get_external(self, request: Request, key: str) -> Reply:
        row = self._published(key)
        return self._expanded(request) or (self._unknown_key(key) if row is None else self._shown(row))

    def _published(self, external_id: str) -> Row | None:
        rows = (row for _, _, row in self._table.group("published"))
        return next((row for row in rows if row.fields.get("external_id") == external_id), None)

    def _expanded(self, request: Request) -> Reply | None:
        wanted = (request.first("expand") or "").split(",")
        stranger = next((name for name in wanted if name not in {"", "integrations"}), None)
        if stranger is None:
            return None
        return self.problem(400, "Field is not allowed to be expanded", {"field": stranger})

    def _unknown(self, id: str) -> Reply:
        return self.problem(404, f"Customer with ID {id} was not found", {"customer_id": id})

    def _unknown_key(self, key: str) -> Reply:
        return self.problem(404, f"Customer with lookup key {key} was not found", {"lookup_key": key})

    def _shown(self, row: Row, status: int = 200) -> Reply:
        return Reply(status, self.body_of(row), JSON)

    # Faults ----------------------------------------------------------------------------------

    def without_filters(self, request: Request) -> Request:
        """Only page, status and order are left of the query."""
        kept = {"limit", "offset", "order", "sort", "status"}
        if request.method == "GET":
            return request.only(*kept)
        return _body_of(request, lambda name: name in kept)

    def without_sort(self, request: Request) -> Request:
        """No order is left of the query."""
        if request.method == "GET":
            return request.without("order")
        return _body_of(request, lambda name: name not in {"sort", "order"})


def _body_of(request: Request, kept: Callable[[str], bool]) -> Request:
    body = load(request.body)
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if kept(name)}
    return attrs.evolve(request, body=dump(body))
