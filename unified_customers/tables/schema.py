"""The columns as an Arrow schema, and the extras by name.

Knows pyarrow's types; must not know customers' values.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .._extras import need
from .columns import DIGITS, SCALE, VERSION, Column, columns

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    SCHEMA: pa.Schema

KEY = b"unified_customers.schema"


def arrow() -> Any:
    """The module pyarrow."""
    return need("pyarrow", "Arrow", "arrow")


@functools.cache
def schema(*, raw: bool = False) -> pa.Schema:
    """The schema, with the provider's own object or without."""
    fields = [field(column) for column in columns(raw=raw)]
    return arrow().schema(fields, metadata={KEY: VERSION.encode()})


def field(column: Column) -> pa.Field:
    """A column as a field, with what it says."""
    return arrow().field(
        column.name, _type(column), nullable=not column.required, metadata={b"description": column.says.encode()}
    )


@functools.cache
def type_of(kind: str) -> pa.DataType:
    """The type of a plain kind of column."""
    pa = arrow()
    if kind == "time":
        return pa.timestamp("us", tz="UTC")
    if kind == "flag":
        return pa.bool_()
    if kind == "decimal":
        return pa.decimal128(DIGITS, SCALE)
    return pa.map_(pa.string(), pa.string()) if kind == "map" else pa.string()


def _type(column: Column) -> pa.DataType:
    if column.members:
        return arrow().struct([field(member) for member in column.members])
    return type_of(column.kind)


def __getattr__(name: str) -> Any:
    if name == "SCHEMA":
        return schema()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
