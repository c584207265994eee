"""Values as JSON has them: times and money become text, and nothing is lost.

Knows the kinds of values that stand in a model; must not know its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

import attrs

_SAME = frozenset({str, int, bool, float, type(None)})


def plain(value: Any) -> Any:
    """A value of any depth as dicts, lists, texts, numbers, truth values and `None`; mappings and lists are new ones.

    A time becomes ISO 8601 text in UTC, a `Decimal` ``{"$decimal": "1.50"}``, so that no digit is lost. What is none of
    all that stays as it is.
    """
    return value if type(value) in _SAME else _way(type(value))(value)  # type: ignore[arg-type]  # mypy: no hash of type[Any]


@cache
def _way(kind: type[Any]) -> Callable[[Any], Any]:
    """How values of a type become plain."""
    for known, way in _WAYS:
        if issubclass(kind, known):
            return way
    return _of_fields(kind) if attrs.has(kind) else lambda value: value


def _of_mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: plain(inner) for name, inner in value.items()}


def _of_list(value: Iterable[Any]) -> list[Any]:
    return [plain(inner) for inner in value]


def _of_fields(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = [field.name for field in attrs.fields(kind)]
    return lambda value: {name: _text(getattr(value, name)) for name in names}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


_WAYS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (datetime, lambda value: value.astimezone(UTC).isoformat()),
    (Decimal, lambda value: {"$decimal": str(value)}),
    (StrEnum, lambda value: value.value),
    (Mapping, _of_mapping),
    ((list, tuple), _of_list),
)
