"""A session of the engine that ``UC_ENGINE`` names, ``sail`` or ``jvm``: started once, with all its logs kept."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from engines import ENGINE, TENANTS  # noqa: E402

collect_ignore = [] if "UC_ENGINE" in os.environ else ["test_engine.py"]

_LOG4J = """
rootLogger.level = debug
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c: %m%n%ex
logger.noise.name = io.netty
logger.noise.level = warn
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the engine's own files are: its logs, its event log, its streams."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def tenants(folder):
    """Some tenants on loopback; the environment of this process, and of the workers that come of it, has their keys."""
    from bundled import tenancy

    with tenancy(TENANTS, folder) as (found, path):
        url = next(line for line in Path(path).read_text(encoding="utf-8").splitlines() if "base_url" in line)
        os.environ["UC_URL"], os.environ["UC_TENANTS"] = url.split('"')[1], ",".join(TENANTS)
        os.environ["UC_PIDS"] = str(folder / "pids")
        (folder / "pids").mkdir()
        found.path = path
        yield found


@pytest.fixture(scope="session")
def box():
    """Flexprice with a thousand customers."""
    import unified_customers as uc

    with uc.sandbox(customers=1000) as made:
        os.environ["PRICE"] = made.flexprice.settings["api_key"]
        os.environ["PORTAL"] = made.flexportal.settings["api_key"]
        yield made


@pytest.fixture(scope="session")
def priced(box, folder):
    """The file of its account."""
    path, url = folder / "priced.toml", box.flexprice.settings["base_url"]
    path.write_text(
        f'[accounts.p]\nprovider = "flexprice"\nbase_url = "{url}"\napi_key = {{ env = "PRICE" }}\n', encoding="utf-8"
    )
    return str(path)


@pytest.fixture(scope="session")
def spark(folder, tenants, box):
    """The session."""
    warnings.simplefilter("ignore")  # pandas 3, which pyspark warns of
    pytest.importorskip("pyspark")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    started = _sail if ENGINE == "sail" else _jvm
    session, stop = started(folder)
    from unified_customers.spark import register

    register(session)
    yield session
    stop()


def _sail(folder):
    pytest.importorskip("pysail")
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start()
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()

    def stop():
        session.stop()
        server.stop()

    return session, stop


def _jvm(folder):
    from pyspark.sql import SparkSession

    (folder / "log4j2.properties").write_text(_LOG4J.format(file=folder / "spark.log"), encoding="utf-8")
    (folder / "events").mkdir()
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--driver-java-options -Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'} pyspark-shell"
    )
    session = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", f"file:{folder / 'events'}")
        .config("spark.eventLog.compress", "false")  # it is searched
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.python.filterPushdown.enabled", "true")
        .getOrCreate()
    )
    return session, session.stop


@pytest.fixture
def read(spark, tenants):
    """What makes a reader of the tenants; one keeps the options that it was given."""
    return lambda: spark.read.format("unified_customers").option("accounts", tenants.path)
