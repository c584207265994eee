"""A bundle on its way to a worker, as pyspark wants it."""

from __future__ import annotations

from pyspark.sql.datasource import InputPartition

from .._bundles.reading import Bundle


class Part(InputPartition):
    """A bundle; `None` where there is nothing to read."""

    def __init__(self, bundle: Bundle | None) -> None:
        super().__init__(bundle)
