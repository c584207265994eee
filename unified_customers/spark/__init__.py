"""The accounts as a Spark data source, on JVM Spark and on Sail.

Knows which module has the source; must not import pyspark before it is asked for, so that the package can be looked at
without it. `unified_customers.scale` has what the source is made of.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .._bundles.failures import ERRORS
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ._source import UnifiedCustomers

__all__ = ["ERRORS", "UnifiedCustomers", "register"]

_MISSING = (
    "the data source needs PySpark 4: pip install 'unified-customers[spark]', or, for Sail or another server of Spark "
    "Connect, 'unified-customers[sail]'"
)


def register(spark: Any) -> None:
    """Make the format ``"unified_customers"`` known to a session.

    Args:
        spark: A `SparkSession`, of Spark itself or of Spark Connect.

    Raises:
        ConfigurationError: PySpark is not installed.
    """
    source = __getattr__("UnifiedCustomers")
    spark.dataSource.register(source)


def __getattr__(name: str) -> Any:
    if name != "UnifiedCustomers":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return importlib.import_module("._source", __name__).UnifiedCustomers
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"pyspark", "pyarrow"}:
            raise
        raise ConfigurationError(_MISSING) from None
