"""The filter language of the real Flexprice's search: which conditions hold a row back, and which do nothing.

Knows columns, operators and value types. A condition that the server does not understand is dropped without
a word and everybody comes back: that is the point of having it here. Must not know HTTP.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from ._clock import parse_nanoseconds, round_to_microseconds
from ._flexprice import Keep, ListQuery, column
from ._flexprice_rows import REAL_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ._table import Row

_TIMES = {"created_at", "updated_at"}
_WORKING = {"eq", "contains", "not_contains", "gt", "lt", "in", "not_in", "before", "after"}


class UnknownColumnError(Exception):
    """An error that is both a validation and a database one: the server picks its status at random."""

    def __init__(self, *, always_database: bool = False) -> None:
        super().__init__("Failed to list customers")
        self.always_database = always_database


class BadConditionError(Exception):
    """A condition whose JSON has a wrong type."""


class PanicError(Exception):
    """What the server dies of: 500 with an empty body."""


def known_column(name: str) -> str:
    """The name, if the table has such a column."""
    if name not in REAL_ORDER:
        raise UnknownColumnError
    return name


def is_one_of(name: str, values: Collection[str]) -> Keep:
    """Keeps rows whose column is one of the values."""
    wanted = frozenset(values)
    if name == "id":
        return lambda row: row.id in wanted
    return lambda row: row.fields.get(name) in wanted


def contains_pairs(pairs: Mapping[str, str]) -> Keep:
    """Keeps rows whose metadata has all the pairs."""
    wanted = pairs.items()

    def keep(row: Row) -> bool:
        metadata = row.fields.get("metadata")
        return isinstance(metadata, dict) and wanted <= metadata.items()

    return keep


def add_filters(query: ListQuery, conditions: list[Mapping[str, Any] | None]) -> ListQuery:
    """The query narrowed by each condition that works."""
    for condition in conditions:
        if condition:
            query = _narrow(query, condition)
    return query


def _narrow(query: ListQuery, condition: Mapping[str, Any]) -> ListQuery:
    name, operator = known_column(str(condition.get("field") or "")), condition.get("operator")
    value = _checked(condition.get("value"))
    if operator not in _WORKING:
        return query
    if value is None:
        raise PanicError
    if operator in {"after", "before"} and name == "created_at":
        return _bounded(query, str(operator), value)
    keep = _KEEPERS[str(operator)](name, value)
    return query if keep is None else attrs.evolve(query, keep=(*query.keep, keep))


def _checked(value: Any) -> Mapping[str, Any] | None:
    """The value's members, each of its own JSON type or refused."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadConditionError
    present = {name: found for name, found in value.items() if found is not None}
    for name, found in present.items():
        if name in _MEMBERS and not _MEMBERS[name](found):
            raise BadConditionError
    return present


_MEMBERS: dict[str, Callable[[Any], bool]] = {
    "string": lambda found: isinstance(found, str),
    "number": lambda found: isinstance(found, int | float | Decimal) and not isinstance(found, bool),
    "boolean": lambda found: isinstance(found, bool),
    "date": lambda found: isinstance(found, str) and parse_nanoseconds(found) is not None,
    "array": lambda found: isinstance(found, list) and all(isinstance(text, str) for text in found),
}


def _bounded(query: ListQuery, operator: str, value: Mapping[str, Any]) -> ListQuery:
    if "date" not in value:
        return query
    moment = _micro(value["date"])
    if operator == "after":
        return attrs.evolve(query, after=moment if query.after is None else max(query.after, moment))
    return attrs.evolve(query, before=moment if query.before is None else min(query.before, moment))


def _micro(text: str) -> int:
    # The database has microseconds, and rounds what it is given to them.
    return round_to_microseconds(parse_nanoseconds(text) or 0)


def _eq(name: str, value: Mapping[str, Any]) -> Keep | None:
    given = next((value[kind] for kind in _MEMBERS if kind in value), None)
    if name in _TIMES:
        return _compare(name, {"date": str(given)}, int.__eq__)
    wanted = str(given)
    read = column(name)
    return lambda row: read(row) == wanted


def _contains(name: str, value: Mapping[str, Any], *, wanted: bool = True) -> Keep | None:
    if "string" not in value:
        return None
    if name in _TIMES:
        raise UnknownColumnError(always_database=True)
    text, read = value["string"].lower(), column(name)

    def keep(row: Row) -> bool:
        found = read(row)
        return isinstance(found, str) and (text in found.lower()) is wanted

    return keep


def _not_contains(name: str, value: Mapping[str, Any]) -> Keep | None:
    return _contains(name, value, wanted=False)


def _in(name: str, value: Mapping[str, Any]) -> Keep | None:
    return is_one_of(name, value["array"]) if value.get("array") else None


def _not_in(name: str, value: Mapping[str, Any]) -> Keep | None:
    if not value.get("array"):
        return None
    refused, read = frozenset(value["array"]), column(name)
    if name == "id":
        return lambda row: row.id not in refused
    return lambda row: (found := read(row)) is not None and found not in refused


def _compare(name: str, value: Mapping[str, Any], holds: Callable[[int, int], bool]) -> Keep | None:
    if "date" not in value:
        return None
    if name not in _TIMES or parse_nanoseconds(value["date"]) is None:
        raise UnknownColumnError(always_database=True)
    moment, read = _micro(value["date"]), column(name)
    if name == "updated_at":
        return lambda row: holds(round_to_microseconds(read(row)), moment)
    return lambda row: holds(read(row), moment)


def _number(holds: Callable[[str, str], bool]) -> Callable[[str, Mapping[str, Any]], Keep | None]:
    # All columns are text or time: a number reaches the database as text and is compared as text.
    def build(name: str, value: Mapping[str, Any]) -> Keep | None:
        if "number" not in value:
            return None
        if name in _TIMES:
            raise UnknownColumnError(always_database=True)
        text, read = str(value["number"]), column(name)
        return lambda row: isinstance(found := read(row), str) and holds(found, text)

    return build


_KEEPERS: dict[str, Callable[[str, Mapping[str, Any]], Keep | None]] = {
    "eq": _eq,
    "contains": _contains,
    "not_contains": _not_contains,
    "gt": _number(str.__gt__),
    "lt": _number(str.__lt__),
    "in": _in,
    "not_in": _not_in,
    "before": lambda name, value: _compare(name, value, int.__lt__),
    "after": lambda name, value: _compare(name, value, int.__gt__),
}
