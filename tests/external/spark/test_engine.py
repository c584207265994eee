"""The data source on an engine: JVM Spark or Sail, as ``UC_ENGINE`` says.

Run apart from the other tests, in an environment that has the engine; CONTRIBUTING.md has both commands.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from engines import ENGINE, TENANTS, spark_version

pytest.importorskip("pyspark")

jvm_only = pytest.mark.skipif(ENGINE != "jvm", reason="of JVM Spark")


def since(*version):
    """Of this version of Spark, and of later ones."""
    return pytest.mark.skipif(spark_version() < version, reason=f"of Spark {version}")


def before(*version):
    """Of versions of Spark before this one."""
    return pytest.mark.skipif(spark_version() >= version, reason=f"of Spark before {version}")


def found(frame):
    """How often each customer is there."""
    return Counter((row["account"], row["id"]) for row in frame.select("account", "id").collect())


def truth(without=()):
    """Each customer once."""
    return Counter((name, f"{name}-{n}") for name, size in TENANTS.items() if name not in without for n in range(size))


def words(error):
    """What an engine's error says: its own frames stand around what the library said."""
    return re.sub(r"\s+", " ", str(error))


def test_every_customer_of_every_account_comes_once(read):
    """Whatever the bundles are."""
    assert found(read().option("accounts_per_partition", "5").load()) == truth()


def test_columns_have_spark_s_types(read):
    """Structs, a map, decimals, and times in UTC."""
    types = dict(read().load().dtypes)
    assert types["id"] == "string"
    assert types["created_at"] == "timestamp"
    assert types["metadata"] == "map<string,string>"
    assert types["billing_address"].startswith("struct<name:string,")
    assert types["metrics"].startswith("struct<orders:decimal(38,18),")
    assert types["live"] == "boolean"


def test_values_are_those_of_the_library(spark, box, folder):
    """Each column of each customer, as one process reads it."""
    import unified_customers as uc

    path, url = folder / "portal.toml", box.flexportal.settings["base_url"]
    tenant = box.flexportal.settings["tenant_id"]
    path.write_text(
        f'[accounts.x]\nprovider = "flexportal"\nbase_url = "{url}"\ntenant_id = "{tenant}"\n'
        'api_key = { env = "PORTAL" }\n',
        encoding="utf-8",
    )
    frame = spark.read.format("unified_customers").options(accounts=str(path), raw="true").load()
    rows = {row["id"]: row for row in frame.collect()}
    with uc.Directory.from_file(path) as directory:
        table = directory.customers().to_arrow(raw=True).read_all().to_pylist()
    assert len(rows) == len(table) == 1000
    for wanted in table:
        got = rows[wanted["id"]].asDict(recursive=True)
        assert str(got["created_at"] and got["created_at"].timestamp()) == str(
            wanted["created_at"] and wanted["created_at"].timestamp()
        )
        assert got["metadata"] == dict(wanted["metadata"] or [])
        same = set(wanted) - {"created_at", "updated_at", "metadata"}
        assert {name: got[name] for name in same} == {name: wanted[name] for name in same}
    assert any(isinstance(row["metrics"] and row["metrics"]["monthly_revenue"], Decimal) for row in rows.values())


def test_columns_are_read_as_named(read):
    """By an option, or by a schema."""
    frame = read().option("columns", "email,account").load()
    assert frame.columns == ["email", "account"]
    assert frame.where("account = 't01'").count() == TENANTS["t01"]


def test_filters_of_the_provider_are_options(read):
    """And are refused by name where it lacks them."""
    assert found(read().option("email", "t03-7@example.com").load()) == Counter([("t03", "t03-7")])
    with pytest.raises(Exception, match="can't filter by external_id"):
        read().option("external_id", "x").load().count()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("emial", "x", "did you mean email"), ("columns", "idd", "no column 'idd'"), ("concurrency", "0", "concurrency=")],
)
def test_what_can_t_be_right_is_refused_with_the_library_s_words(read, name, value, says):
    """In whatever the engine raises."""
    with pytest.raises(Exception) as caught:
        read().option(name, value).load().count()
    assert says in words(caught.value)


@since(4, 1)
@pytest.mark.parametrize(
    "account",
    ["account = 't03'", pytest.param("account in ('t01', 't03', 'nobody')", marks=jvm_only)],  # to Sail, that is an OR
)
def test_conditions_are_passed_on_where_that_is_wanted_and_change_nothing_else(read, tenants, account):
    """Fewer accounts are asked; the rows are those that the engine finds by itself."""
    condition = f"{account} and email = 't03-7@example.com'"
    plain = found(read().load().where(condition))
    tenants.asked.clear()
    assert found(read().option("push_filters", "true").load().where(condition)) == plain == Counter([("t03", "t03-7")])
    assert set(tenants.asked) <= {"t01", "t03"}
    assert len(tenants.asked) == len(set(tenants.asked))  # a page each, because the e-mail was asked for as well
    assert found(read().option("push_filters", "true").load().where("account = 'nobody'")) == Counter()


@before(4, 1)
def test_conditions_can_t_be_passed_on_by_an_older_spark(read):
    """Which would keep them to itself, and say nothing."""
    with pytest.raises(Exception, match=r"push_filters needs Spark 4.1 or later"):
        read().option("push_filters", "true").load().where("account = 't03'").count()


def test_an_account_that_is_very_large_is_read_in_slices(spark, priced, box):
    """Each of its customers once."""
    frame = spark.read.format("unified_customers").options(accounts=priced, large="150", columns="account,id").load()
    before = len(box.flexprice.requests)
    assert found(frame) == Counter(("p", id_) for id_ in box.flexprice.ids)
    assert len(box.flexprice.requests) - before > 8


def broken(tenants, name):
    """Have one tenant refuse everybody."""
    from fakes import reply

    tenants.servers[name].meddle = lambda request, number: reply(403, {})


def test_a_dead_account_is_a_row_of_the_second_output(read, spark, tenants, folder):
    """Which the engine reads like any other; or it ends the job."""
    from unified_customers.spark import ERRORS

    broken(tenants, "t04")
    try:
        failed = str(folder / "failed")
        assert found(read().option("errors", failed).load()) == truth("t04")
        [row] = spark.read.schema(ERRORS).json(failed).collect()
        assert (row["account"], row["error"], row["status"]) == ("t04", "PermissionDeniedError", 403)
        with pytest.raises(Exception, match="t04: FlexPortal"):
            read().load().count()
    finally:
        tenants.servers["t04"].meddle = lambda request, number: None


@jvm_only
def test_a_worker_that_is_killed_in_the_middle_is_made_good(spark, tenants, folder):
    """The engine tries its bundles again, and the result is whole: each customer once."""
    killed, begun = [], Counter()

    def kill(request, number):
        onward = "startAfter" in request.url
        begun[dict(request.headers)["tenant-id"]] += not onward
        if onward and not killed:  # some worker is in the middle of an account, and so are the others of theirs
            killed.extend(int(one.name) for one in (folder / "pids").iterdir())
            for worker in killed:
                os.kill(worker, signal.SIGKILL)

    for server in tenants.servers.values():
        server.meddle = kill
    frame = spark.read.format("unified_customers").options(accounts_from="killing:lookup", accounts_per_partition="6")
    frame.load().write.parquet(str(folder / "made-good"))
    assert killed
    assert max(begun.values()) > 1  # an account was read again from its start
    assert found(spark.read.parquet(str(folder / "made-good"))) == truth()


def once(spark, path, folder, **options):
    """What a run of the stream adds to a table."""
    query = (
        spark.readStream.format("unified_customers")
        .options(accounts=path, lag="0", columns="account,id", **options)
        .load()
        .writeStream.format("parquet")
        .option("path", str(folder / "table"))
        .option("checkpointLocation", str(folder / "stream"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return found(spark.read.parquet(str(folder / "table")))


@jvm_only
@before(4, 2)
def test_an_older_spark_has_no_streams(spark, priced, folder):
    """It doesn't say where a batch starts."""
    with pytest.raises(Exception, match=r"a stream needs Spark 4.2 or later"):
        once(spark, priced, folder)


@jvm_only
@since(4, 2)
def test_a_stream_brings_what_is_new(spark, priced, box, folder):
    """Each customer once, over several runs; also where nothing is new."""
    for more in (0, 0, 5):
        if more:
            box.flexprice.insert(more)
        assert once(spark, priced, folder) == Counter(("p", id_) for id_ in box.flexprice.ids)


@jvm_only
def test_a_stream_is_refused_where_there_can_be_none(spark, tenants, folder):
    """By the account's name."""
    with pytest.raises(Exception, match="t00: FlexPortal can't be asked for what was created since"):
        once(spark, tenants.path, folder / "none")


@pytest.mark.skipif(ENGINE != "sail", reason="of Sail")
def test_sail_has_no_streams_of_python_sources(spark, priced, folder):
    """When this fails, the page on scale has something to add."""
    with pytest.raises(Exception):  # noqa: B017 - whatever it says
        once(spark, priced, folder)


def test_no_key_is_in_plans_logs_or_the_engine_s_files(read, spark, folder, capfd):
    """A planted key is looked for wherever the engine writes; what says where it is kept may be there."""
    frame = read().option("accounts_per_partition", "5").load().where("email is not null")
    frame.count()
    frame.explain(True)
    said = capfd.readouterr()
    texts = [said.out, said.err, *(words(file.read_bytes()) for file in Path(folder).rglob("*") if file.is_file())]
    whole = "\n".join(texts)
    assert "PythonDataSource" in whole or "unified_customers" in whole
    if ENGINE == "jvm":
        assert "SparkListenerTaskEnd" in whole
        assert (folder / "spark.log").stat().st_size > 100_000
    assert "key-of-" not in whole
    assert os.environ["PRICE"] not in whole
