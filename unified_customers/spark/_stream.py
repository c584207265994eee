"""The same accounts as a stream: what was created since, for engines that have Python streams.

Knows pyspark's protocol; must not know how far a stream is, or how an account is asked: `_bundles.offsets` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSourceStreamReader

from .. import scale
from .._bundles import failures, offsets, planning
from .._bundles.packing import pack
from .._bundles.planning import Bundling
from .._bundles.references import refuse_doubles
from ..errors import UnsupportedError
from .options import Options
from .parts import Part

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql.datasource import InputPartition

try:
    from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow
except ImportError:  # before Spark 4.2, whose AvailableNow reads such a source as one batch

    class SupportsTriggerAvailableNow:  # type: ignore[no-redef]
        """Nothing."""


class StreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Says where a batch ends, plans it, and reads a bundle of it in a task.

    Raises:
        UnsupportedError: An account can't be read by the time of creation.
    """

    def __init__(self, options: Options, columns: list[str]) -> None:
        self._options = options
        self._reference = options.reference()
        about = self._reference.about()
        refuse_doubles(about)
        offsets.refuse_timeless(about)
        self._manner = options.manner(columns)
        self._most = options.keywords.get("accounts_per_partition", scale.ACCOUNTS)
        planning.refuse(self._manner, about, accounts_per_partition=self._most)
        self._target: offsets.Offset | None = None

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - pyspark's names, here and below
        """Before anything was read."""
        return offsets.beginning()

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        """What is there now is what the run brings; asked for once a start is known."""
        self._target = {}

    def latestOffset(self, start: Mapping[str, Any] | None = None, limit: Any = None) -> dict[str, Any]:  # noqa: N802
        """Where a batch that starts now would end."""
        if start is None:
            raise UnsupportedError("a stream needs Spark 4.2 or later, which says where a batch starts")
        if self._target:
            return self._target
        found = self._latest(start)
        if self._target is not None:
            self._target = found
        return found

    def _latest(self, start: Mapping[str, Any]) -> offsets.Offset:
        about = self._reference.about()
        found, errors = offsets.latest(self._reference, about, self._manner, start, self._options.lag)
        if errors and self._manner.errors is None:
            raise next(iter(errors.values()))
        if errors and self._manner.errors is not None:
            failures.prepare(self._manner.errors)
            failures.put(self._manner.errors, Bundling(self._reference, self._manner).job, 0, errors, {})
        return found

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> list[InputPartition]:
        """A partition for each bundle of accounts that have something new."""
        windows = offsets.between(start, end, self._reference.about())
        # an account that fails in the middle must fail the batch: its offset would pass its customers by
        bundling = Bundling(self._reference, self._options.manner(self._columns, errors=False))
        for names in pack(dict.fromkeys(windows), self._most) if windows else []:
            bundling.add({name: windows[name] for name in names})
        return [Part(bundle) for bundle in bundling.made]

    @property
    def _columns(self) -> list[str]:
        return list(self._manner.columns or ())

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The customers of a bundle."""
        yield from scale.read_accounts_arrow(partition.value)
