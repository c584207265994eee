"""One reading, in a process of its own: `reader.py ENGINE ACCOUNTS.toml EXPECTED BEGUN`; prints one line of JSON.

Knows one engine at a time, as a user would write it. The accounts' file and the keys in the environment are given.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings

PER_PARTITION = 50  # of 200 accounts: four partitions for two cores


def rows(path: str):
    """One process, one customer after the other; needs no Arrow."""
    import unified_customers as uc

    yield
    with uc.Directory.from_file(path, concurrency=32) as directory:
        yield sum(1 for _ in directory.customers())


def process(path: str):
    """One process, as batches that are counted and let go."""
    import unified_customers as uc

    yield
    with uc.Directory.from_file(path, concurrency=32) as directory:
        yield sum(batch.num_rows for batch in directory.customers().to_arrow())


def sail(path: str):
    """Sail's server in this process, and its own threads."""
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start()
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
    yield from _spark(session, path)
    session.stop()
    server.stop()


def jvm(path: str):
    """Spark with two task slots on this machine."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield from _spark(session, path)
    session.stop()


def _spark(session, path: str):
    from unified_customers.spark import register

    register(session)
    yield
    options = {"accounts": path, "accounts_per_partition": PER_PARTITION, "concurrency": 16}
    frame = session.read.format("unified_customers").options(**options).load()
    yield frame.selectExpr("count(id)", "count(billing_address.city)", "count(metadata)").collect()[0][0]


def main() -> None:
    """Start, read, and say how long each took."""
    engine, path, expected, begun = sys.argv[1:]
    warnings.simplefilter("ignore")
    steps = {"rows": rows, "process": process, "sail": sail, "jvm": jvm}[engine](path)
    next(steps)
    ready = time.time()
    found = next(steps)
    done = time.time()
    assert found == int(expected), (found, expected)
    print(json.dumps({"start": ready - float(begun), "read": done - ready}), flush=True)
    sys.stdin.readline()  # until whoever weighs this process has done so
    for _ in steps:
        pass


if __name__ == "__main__":
    main()
