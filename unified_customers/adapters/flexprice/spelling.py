"""Flexprice's requests: the documented list as a query, the search as JSON.

Knows parameter names; must not know what answers mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._url import JSON_BODY, Pairs, body, pairs, url
from ..._wire import Request
from ...models import Query
from ...paging import keyset
from ...paging.keyset import KeysetPosition

Headers = tuple[tuple[str, str], ...]

PUBLISHED = "published"
_FILTERS = "filters"
OWN = (
    "limit",
    "offset",
    "sort",
    "order",
    "status",
    "email",
    "external_id",
    "external_ids",
    "customer_ids",
    "parent_customer_ids",
)
IGNORED = ("start_time", "end_time")


def listing(base: str, headers: Headers, query: Query, *, limit: int, offset: int, commas: bool) -> Request:
    """``GET /v1/customers``: never with `sort`, which the server refuses there."""
    wanted: Pairs = [("limit", str(limit)), ("offset", str(offset)), ("order", query.order or "asc")]
    wanted += [(name, value) for name, value in _singles(query).items() if value is not None]
    for name, values in _several(query).items():
        wanted += [(name, ",".join(values))] if commas else [(name, value) for value in values]
    address = url(base, "v1", "customers", query=[*wanted, *pairs(query.params)])
    return Request(method="GET", url=address, what="list customers", headers=headers, template="/v1/customers")


def after(
    base: str, headers: Headers, query: Query, position: KeysetPosition, limit: int, *, until: str | None = None
) -> Request:
    """``POST /v1/customers/search`` for what lies beyond a keyset, and before `until`."""
    direction = "desc" if position.down else "asc"
    filters: list[dict[str, Any]] = []
    bound = keyset.bound(position)
    if bound is not None:
        filters.append(_created("before" if position.down else "after", bound))
    if until is not None:
        filters.append(_created("before", until))
    ids = keyset.without(position)
    if ids:  # an empty list would be taken for no filter
        filters.append({"field": "id", "operator": "not_in", "data_type": "array", "value": {"array": list(ids)}})
    sort = [{"field": field, "direction": direction} for field in ("created_at", "id")]
    return search(base, headers, query, sort=sort, filters=filters, limit=limit, offset=keyset.offset(position, limit))


def _created(operator: str, moment: str) -> dict[str, Any]:
    return {"field": "created_at", "operator": operator, "data_type": "date", "value": {"date": moment}}


def _since(query: Query) -> list[dict[str, Any]]:
    """Created at that moment or later, as a bound that lies just before it."""
    if query.created_after is None:
        return []
    at = keyset.bound(KeysetPosition(at=query.created_after))
    return [] if at is None else [_created("after", at)]


def ranked(base: str, headers: Headers, query: Query, *, limit: int, offset: int) -> Request:
    """The same search in the caller's order, with `id` as tie-break."""
    direction = query.order or "asc"
    fields = dict.fromkeys((query.sort or "id", "id"))
    sort = [{"field": field, "direction": direction} for field in fields]
    return search(base, headers, query, sort=sort, filters=[], limit=limit, offset=offset)


def search(
    base: str,
    headers: Headers,
    query: Query,
    *,
    sort: list[dict[str, str]],
    filters: list[dict[str, Any]],
    limit: int,
    offset: int,
) -> Request:
    """``POST /v1/customers/search``: always with a status, whose default depends on the server's version."""
    own = dict(query.params)
    given = own.pop(_FILTERS, [])
    filters = [*filters, *(given if isinstance(given, list | tuple) else [given]), *_since(query)]
    content: dict[str, Any] = {"limit": limit, **({"offset": offset} if offset else {}), "sort": sort}
    content |= {"status": PUBLISHED, **{k: v for k, v in _singles(query).items() if v is not None}}
    content |= {name: list(values) for name, values in _several(query).items()}
    content |= {_FILTERS: filters} if filters else {}
    return Request(
        method="POST",
        url=url(base, "v1", "customers", "search"),
        what="search customers",
        headers=(*headers, *JSON_BODY[1:]),
        body=body({**content, **own}),
        template="/v1/customers/search",
    )


def _singles(query: Query) -> Mapping[str, str | None]:
    one = query.external_ids if query.external_ids is not None and len(query.external_ids) == 1 else (None,)
    return {"status": query.status, "email": query.email, "external_id": one[0]}


def _several(query: Query) -> Mapping[str, tuple[str, ...]]:
    many = query.external_ids if query.external_ids is not None and len(query.external_ids) > 1 else None
    values = {"customer_ids": query.ids, "external_ids": many, "parent_customer_ids": query.parent_ids}
    return {name: value for name, value in values.items() if value}
