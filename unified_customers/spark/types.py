"""The columns as Spark's types. Knows the table of columns and pyspark's types; must not know how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import types

from ..tables.columns import DIGITS, SCALE, Column, columns

_TYPES = {
    "text": types.StringType(),
    "json": types.StringType(),
    "time": types.TimestampType(),
    "flag": types.BooleanType(),
    "decimal": types.DecimalType(DIGITS, SCALE),
    "map": types.MapType(types.StringType(), types.StringType()),
}


def struct(*, raw: bool, only: Sequence[str] | None = None) -> types.StructType:
    """The schema of some columns, or of all, in the order that is given."""
    known = {column.name: column for column in columns(raw=raw)}
    return _struct(known[name] for name in (known if only is None else only))


def _struct(members: Iterable[Column]) -> types.StructType:
    return types.StructType([types.StructField(one.name, _type(one), not one.required) for one in members])


def _type(column: Column) -> types.DataType:
    return _struct(column.members) if column.members else _TYPES[column.kind]
