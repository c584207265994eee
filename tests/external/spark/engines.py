"""Which engine is tried, and on what."""

from __future__ import annotations

import os
from importlib import metadata

ENGINE = os.environ.get("UC_ENGINE", "sail")


def spark_version():
    """Of JVM Spark, as two numbers; of Sail, more than any."""
    major, minor, *_ = metadata.version("pyspark").split(".") if ENGINE == "jvm" else ("99", "0")
    return int(major), int(minor)


TENANTS = {f"t{n:02d}": n % 5 * 60 for n in range(24)}
