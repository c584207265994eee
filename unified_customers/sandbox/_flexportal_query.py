"""FlexPortal's list parameters: filters, order, page size (seed 000).

Knows the query's words and how they bind. Must not know rows beyond the fields it compares, nor HTTP replies.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._pages import Keep
    from ._table import Row
    from ._wire import Request

FILTERS = ("status", "customerType", "email", "hasActiveRentals")
_LARGEST, _USUAL = 100, 50


def _text(field: str) -> Callable[[Row], Any]:
    return lambda row: str(row.fields.get(field) or "")


def _number(field: str) -> Callable[[Row], Any]:
    def key(row: Row) -> float:
        value = row.fields.get(field)
        return float(value) if isinstance(value, int | float | Decimal) else 0.0

    return key


SORTS: dict[str, Callable[[Row], Any]] = {
    "createdAt": lambda row: row.moment,
    "firstName": _text("firstName"),
    "lastName": _text("lastName"),
    "email": _text("email"),
    "totalMonthlyRevenue": _number("totalMonthlyRevenue"),
    "totalDevicesRented": _number("totalDevicesRented"),
}


@attrs.frozen
class ListQuery:
    """What a list request asks for."""

    limit: int = _USUAL
    start_after: str = ""
    status: str = ""
    sort_by: str = "createdAt"
    descending: bool = True
    keep: Keep | None = None


def read_query(request: Request) -> ListQuery | str:
    """The query, or what is wrong with it."""
    limit = _read_limit(request.first("limit"))
    sort_by = request.first("sortBy") or "createdAt"
    direction = request.first("sortDir") or "desc"
    if limit is None:
        return "limit must be a positive number"
    if sort_by not in SORTS or direction not in {"asc", "desc"}:
        return "unknown sortBy or sortDir"
    start, status = request.first("startAfter") or "", request.first("status") or ""
    return ListQuery(limit, start, status, sort_by, direction == "desc", _keep(request))


def _read_limit(text: str | None) -> int | None:
    if not text:
        return _USUAL
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        return None
    return min(int(text), _LARGEST)


def _keep(request: Request) -> Keep | None:
    wanted = {name: value for name in ("customerType", "email") if (value := request.first(name))}
    active = request.first("hasActiveRentals")
    if not wanted and not active:
        return None

    def keep(row: Row) -> bool:
        if any(row.fields.get(name) != value for name, value in wanted.items()):
            return False
        return not active or bool(row.fields.get("totalDevicesRented")) == (active == "true")

    return keep
