"""A report as plain JSON values. The form is `summary.schema.json`, beside this file.

Knows the values' fields; must not know what they mean. A change of the form that could break a reader raises `VERSION`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from .matches import Matches
from .summary import Summary

VERSION = 1


def to_dict(summary: Summary) -> dict[str, Any]:
    """The report, its rows of matches left out."""
    return {"version": VERSION, **_fields(summary)}


def _fields(value: Any) -> dict[str, Any]:
    return {
        field.name: _plain(getattr(value, field.name))
        for field in attrs.fields(type(value))
        if field.type != Matches.__name__
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return _fields(value) if attrs.has(type(value)) else value
