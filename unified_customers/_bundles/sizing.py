"""How large accounts are, where the provider counts, and where very large ones are cut.

Knows clients' counts and listings; must not know a provider. All of it are hints: they decide how the work is divided,
never what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..client import Client
from ..errors import CustomersError
from .windows import Window, cut

FILTERS = "filters"
_COUNTED = {"email", "status", "kind", "external_id", "ids", "parent_ids"}
_MANNERS = {"unsupported", "on_bad_record", "page_size"}
_BEGINNING = "0001-01-01T00:00:00+00:00"


def bounded(query: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """A query narrowed to a window, in the words of a provider whose search has bounds of time.

    The end goes along as a condition of the provider's own, and is looked at here again. A window that begins anywhere
    begins at a customer whom the query found, or later, and so never before the query's own `created_after`.
    """
    since = window.since or query.get("created_after") or _BEGINNING
    narrowed = {**query, "created_after": since}
    if window.until is not None:
        params = dict(query.get("params") or {})
        given = params.get(FILTERS, [])
        before = {
            "field": "created_at", "operator": "before", "data_type": "date", "value": {"date": window.until}
        }  # fmt: skip
        narrowed["params"] = {**params, FILTERS: [*(given if isinstance(given, list | tuple) else [given]), before]}
    return narrowed


def size(client: Client, query: Mapping[str, Any]) -> int | None:
    """How many customers a query has, as the provider counts them; `None` where it doesn't."""
    if query.keys() - _COUNTED - _MANNERS - {"created_after"}:
        return None  # a count of all would say nothing of it
    try:
        if query.get("created_after") is not None:  # a list says how many there are; one that filters here would not
            return _listed(client, {**query, "unsupported": "raise"})
        return client.count(**{name: value for name, value in query.items() if name in _COUNTED})
    except CustomersError:
        return None


def pieces(client: Client, query: Mapping[str, Any], total: int, most: int) -> list[Window]:
    """The windows of an account that is too large for one bundle; one without bounds where it can't be cut."""
    try:
        first, last = (edge(client, query, order) for order in ("asc", "desc"))
        if first is None or last is None:
            return [Window()]
        return cut(first, last, total, most, lambda since, until: _between(client, query, since, until))
    except CustomersError:
        return [Window()]


def edge(client: Client, query: Mapping[str, Any], order: str) -> datetime | None:
    """When the oldest or newest customer was created; `None` where there is none."""
    for customer in client.customers(**{**query, "page_size": 1}, order=order, max_items=1):
        return customer.created_at
    return None


def _between(client: Client, query: Mapping[str, Any], since: datetime, until: datetime) -> int:
    return _listed(client, bounded(query, Window(since.isoformat(), until.isoformat()))) or 0


def _listed(client: Client, query: Mapping[str, Any]) -> int | None:
    listing = client.customers(**{**query, "page_size": 1}, max_items=1)
    return listing.report.total if list(listing) else 0
