"""The data source itself, for any engine that runs Spark's Python data sources.

Knows pyspark's protocol; must not know how accounts are divided, read or refused: `scale` does. Lives in the planner's
and the workers' Python, so everything here pickles and holds no key.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from .. import scale
from .._bundles import planning
from .._bundles.references import Reference
from ..errors import ConfigurationError, UnsupportedError
from ..tables.columns import refuse_columns
from ..tables.schema import arrow
from ..tables.schema import schema as arrow_schema
from ._stream import StreamReader
from .filters import Pushed, push
from .options import Options
from .parts import Part
from .types import struct

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]


class UnifiedCustomers(DataSource):
    """``spark.read.format("unified_customers").option("accounts", "accounts.toml").load()``."""

    @classmethod
    def name(cls) -> str:
        """The format's name."""
        return "unified_customers"

    def schema(self) -> Any:
        """The columns that are wanted: as a `StructType`, but as Arrow's schema for Sail, which wants that."""
        keywords = Options(self.options).keywords
        raw, only = keywords.get("raw", False), keywords.get("columns")
        if only is not None:
            refuse_columns(only, raw=raw)
        return _schemas(raw=raw, only=only)

    def reader(self, schema: Any) -> Reader:
        """What plans and reads the columns of a schema, which is of the engine's kind."""
        options = Options(self.options)
        _refuse_other(schema)
        if not options.push_filters:
            return Reader(options, list(schema.names))
        if not hasattr(DataSourceReader, "pushFilters"):
            raise UnsupportedError("push_filters needs Spark 4.1 or later, which says what it looks for: leave it out")
        return PushingReader(options, list(schema.names))

    def streamReader(self, schema: Any) -> StreamReader:  # noqa: N802 - pyspark's name
        """What reads a stream of what was created since."""
        _refuse_other(schema)
        return StreamReader(Options(self.options), list(schema.names))


def _schemas(*, raw: bool, only: Sequence[str] | None = None) -> Any:
    if "pysail" not in sys.modules:
        return struct(raw=raw, only=only)
    whole = arrow_schema(raw=raw)
    return whole if only is None else arrow().schema([whole.field(name) for name in only])


def _refuse_other(schema: Any) -> None:
    """Refuse columns of `schema()` that there are not; nullable or not is the engine's to say."""
    known = arrow_schema(raw=True) if hasattr(schema, "types") else struct(raw=True)
    own = {field.name: _type(field) for field in known}
    for field in schema:
        if own.get(field.name) != _type(field):
            raise ConfigurationError(
                f"schema(): {field.name} {_type(field)} is no column of this source: leave schema() out, or name "
                "columns with option('columns', 'id,email')"
            )


def _type(field: Any) -> Any:
    return field.dataType if hasattr(field, "dataType") else field.type


class Reader(DataSourceReader):
    """Plans bundles, and reads one of them in a task."""

    def __init__(self, options: Options, columns: list[str]) -> None:
        self._options, self._columns = options, columns
        self._pushed = Pushed()

    def partitions(self) -> list[InputPartition]:
        """A partition for each bundle."""
        reference = self._options.reference(self._pushed.accounts)
        if not reference.about():
            return [Part(None)]  # an engine takes no empty list for nothing to read
        raw = "raw" in self._columns
        keywords = {**self._options.keywords, "columns": self._columns, "raw": raw, **self._asked(reference)}
        return [Part(bundle) for bundle in scale.partition_accounts(reference, **keywords)]

    def _asked(self, reference: Reference) -> dict[str, Any]:
        """What the providers are asked for because of Spark's conditions, if all of them can be."""
        if not self._pushed.query:
            return {}
        more = {**self._pushed.query, "unsupported": "local"}
        manner = self._options.manner(self._columns)
        asked = attrs.evolve(manner, query={**manner.query, **more})
        return more if planning.accepted(reference.about(), asked) else {}

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The customers of a bundle."""
        if partition.value is not None:
            yield from scale.read_accounts_arrow(partition.value)


class PushingReader(Reader):
    """The same, for engines that say what is looked for; Spark refuses one that listens unless it is told to."""

    def pushFilters(self, filters: list[Any]) -> Iterator[Any]:  # noqa: N802 - pyspark's name
        """Note what can be asked for, and have all of it looked at again."""
        self._pushed = push(filters, self._options.keywords)
        return iter(filters)
