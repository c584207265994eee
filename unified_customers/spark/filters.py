"""Conditions of Spark's that providers can be asked with, so that they send less.

Knows the shapes of conditions; must not know pyspark or a provider. Spark looks at every condition again, on what came:
what is passed on is never all that holds, and what is left out here costs requests, never rows. Only such conditions
are passed on whose rows a walk without them would bring as well: not `status`, because providers leave some out unless
they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

_SINGLE = {"email": "email"}
_SEVERAL = {"id": "ids", "external_id": "external_id", "parent_id": "parent_ids"}
_KINDS = ("individual", "business")
_LONGEST, _MOST = 1000, 1000


@attrs.frozen
class Pushed:
    """What conditions amount to.

    Attributes:
        accounts: Names of the accounts that can have such rows; `None` for all.
        query: Keywords of `Client.customers`.
    """

    accounts: tuple[str, ...] | None = None
    query: Mapping[str, Any] = attrs.field(factory=dict)


def push(conditions: Iterable[Any], given: Mapping[str, Any]) -> Pushed:
    """What can be asked for.

    Args:
        conditions: `pyspark.sql.datasource.Filter` values, all of which hold.
        given: Keywords that the options brought, which stay as they are.
    """
    accounts: tuple[str, ...] | None = None
    query: dict[str, Any] = {}
    for condition in conditions:
        name, values = _read(condition)
        if name == "account" and values:
            accounts = values if accounts is None else tuple(one for one in accounts if one in values)
            continue
        for keyword, value in _asked(condition, name, values).items():
            if keyword not in given:
                query.setdefault(keyword, value)
    return Pushed(accounts, query)


def _read(condition: Any) -> tuple[str, tuple[str, ...]]:
    """The column, and the texts that it may have, where it is a condition of that kind."""
    attribute: tuple[str, ...] = getattr(condition, "attribute", ())
    name = attribute[0] if len(attribute) == 1 else ""
    value = getattr(condition, "value", None)
    kind = type(condition).__name__
    values = (value,) if kind in {"EqualTo", "EqualNullSafe"} else tuple(value or ()) if kind == "In" else ()
    fine = all(isinstance(one, str) and one.strip() and len(one) <= _LONGEST for one in values)
    return name, values if fine and len(values) <= _MOST else ()


def _asked(condition: Any, name: str, values: tuple[str, ...]) -> dict[str, Any]:
    if name == "created_at" and type(condition).__name__ in {"GreaterThan", "GreaterThanOrEqual"}:
        value = condition.value
        return {"created_after": value} if isinstance(value, datetime) and value.tzinfo is not None else {}
    if name in _SINGLE and len(values) == 1:
        return {_SINGLE[name]: values[0]}
    if name == "kind" and len(values) == 1 and values[0] in _KINDS:
        return {"kind": values[0]}
    return {_SEVERAL[name]: list(values)} if name in _SEVERAL and values else {}
