"""How the real Flexprice reads a list: query parameters on GET, a JSON body on search.

Knows the binding and checking rules of both (`docs` say less than the server does). Must not know rows beyond
the columns it compares, nor paths, nor replies.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs

from ._clock import parse_nanoseconds
from ._flexprice import ListQuery
from ._flexprice_filters import UnknownColumnError, add_filters, contains_pairs, is_one_of, known_column
from ._json import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._wire import Request

INVALID = "Invalid filter parameters"
_LARGEST, _USUAL = 1000, 50
_INT64 = 1 << 63
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
# Stricter than what create accepts: an address can be stored and not be searched.
_EMAIL = re.compile(r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}\Z")


class QueryError(Exception):
    """A query that the server refuses: the message and details of its 400."""

    def __init__(self, message: str = INVALID, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


def from_get(request: Request) -> ListQuery:
    """The query of `GET /customers`: a repeated scalar's first value wins, unknown names do nothing."""
    values: dict[str, list[str]] = {}
    for name, value in request.pairs:
        values.setdefault(name, []).append(value)
    if "sort" in values:
        _refuse_sort(values["sort"])
    body: dict[str, Any] = {name: found[0] for name, found in values.items() if name in _SCALARS}
    for name in ("limit", "offset"):
        if name in body:
            body[name] = _integer(body[name])
    for name in ("customer_ids", "external_ids"):
        if name in values:
            body[name] = values[name]
    if body.get("metadata"):
        body["metadata"] = _json_object(body["metadata"])
    body["filters"] = [_json_object(text) for text in values.get("filters", [])]
    return _build({name: value for name, value in body.items() if value != "" or name == "order"})


def from_search(body: bytes) -> ListQuery:
    """The query of `POST /customers/search`; keys match whatever their case, as Go's decoder does."""
    try:
        value = load(body)
    except ValueError:
        raise QueryError from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise QueryError
    given = {name.lower(): found for name, found in value.items() if found is not None}
    for name, right in _TYPES.items():
        if name in given and not right(given[name]):
            raise QueryError
    return _build({name: found for name, found in given.items() if name in _TYPES})


def _refuse_sort(values: list[str]) -> None:
    # Two of the server's fields are called sort: one takes any text, the other only a JSON object.
    # So plain text is refused, and an object ends up as a column name in the first.
    for value in values:
        _json_object(value)
    raise UnknownColumnError(always_database=True)


def _build(given: Mapping[str, Any]) -> ListQuery:
    limit = given.get("limit") or _USUAL
    offset = given.get("offset") or 0
    _check(limit, offset, given)
    query = ListQuery(
        limit,
        offset,
        given.get("status") or "published",
        tuple(_sort_key(entry) for entry in given.get("sort", []) if entry is not None),
        given.get("order", "desc") == "desc",
    )
    return add_filters(_narrowed(query, given), given.get("filters", []))


def _check(limit: int, offset: int, given: Mapping[str, Any]) -> None:
    """The server's own order of checks, as far as it shows."""
    expand = next((name for name in given.get("expand", "").split(",") if name not in {"", "integrations"}), None)
    if not 1 <= limit <= _LARGEST:
        raise QueryError(details={"limit": "must be between 1 and 1000"})
    if offset < 0:
        raise QueryError(details={"offset": "must be non-negative"})
    if given.get("order", "asc") not in {"asc", "desc"}:
        raise QueryError(details={"order": "must be either 'asc' or 'desc'"})
    _check_times(given.get("start_time"), given.get("end_time"))
    if given.get("email") and not _EMAIL.match(given["email"]):
        raise QueryError("Please provide a valid email")
    if expand is not None:
        raise QueryError("Field is not allowed to be expanded", {"field": expand})


def _check_times(start: str | None, end: str | None) -> None:
    moments = [parse_nanoseconds(text) for text in (start, end) if text]
    if None in moments:
        raise QueryError
    if start and end and (moments[1] or 0) < (moments[0] or 0):
        raise QueryError("Please provide a valid time range", {"end_time": "must be after start_time"})


def _sort_key(entry: Mapping[str, Any]) -> tuple[str, bool]:
    return known_column(str(entry.get("field", ""))), entry.get("direction") == "desc"


def _narrowed(query: ListQuery, given: Mapping[str, Any]) -> ListQuery:
    """The query with its plain filters; an empty one, an empty list of ids included, is none."""
    keep = [is_one_of(column, [given[name]]) for name, column in _EQUAL.items() if given.get(name)]
    keep += [is_one_of(column, given[name]) for name, column in _LISTS.items() if given.get(name)]
    if given.get("metadata"):
        keep.append(contains_pairs(given["metadata"]))
    return attrs.evolve(query, keep=tuple(keep))


def _integer(text: str) -> int:
    if text == "":
        return 0
    if not _INTEGER.match(text) or not -_INT64 <= int(text) < _INT64:
        raise QueryError
    return int(text)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise QueryError from None
    if not isinstance(value, dict):
        raise QueryError
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(x is None or isinstance(x, kind) for x in value)


def _is_pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(x, str) for x in value.values())


def _is_sort(value: Any) -> bool:
    if not _is_list_of(dict)(value):
        return False
    return all(isinstance(text, str) for entry in value if entry for text in entry.values())


_EQUAL = {"external_id": "external_id", "email": "email"}
_LISTS = {"customer_ids": "id", "external_ids": "external_id"}
_SCALARS = {"limit", "offset", "status", "order", "expand", "metadata"}
_SCALARS |= {"external_id", "email", "start_time", "end_time"}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "limit": _is_integer,
    "offset": _is_integer,
    "status": _is_text,
    "order": _is_text,
    "expand": _is_text,
    "external_id": _is_text,
    "email": _is_text,
    "start_time": _is_text,
    "end_time": _is_text,
    "sort": _is_sort,
    "customer_ids": _is_list_of(str),
    "external_ids": _is_list_of(str),
    "filters": _is_list_of(dict),
    "metadata": _is_pairs,
}
