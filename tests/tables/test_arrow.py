"""Customers as Arrow record batches: every value as it was, whoever reads them, and errors as they are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from decimal import Context, Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers.sandbox import Sandbox
from unified_customers.tables import columns, figures
from unified_customers.tables.batches import batch
from unified_customers.tables.schema import schema
from unified_customers.tables.texts import _patiently, exact

pa = pytest.importorskip("pyarrow")

sys.path.insert(0, str(Path(__file__).parents[1]))
import strategies  # noqa: E402


@pytest.fixture(scope="module")
def box():
    with Sandbox(customers=60) as made:
        yield made


@pytest.fixture(scope="module")
def client(box):
    with uc.Client(uc.FlexPortal(**box.flexportal.settings)) as made:
        yield made


# Values


small = st.none() | st.decimals(-(10**12), 10**12, places=9) | st.integers(-(10**12), 10**12)
some_metrics = st.none() | st.builds(uc.Metrics, **dict.fromkeys((a.name for a in attrs.fields(uc.Metrics)), small))


def as_sent(value):
    """What stands in a map for a value of metadata."""
    if value is None or isinstance(value, str):
        return value
    return exact(value)


@given(strategies.customers(), some_metrics)
def test_every_value_comes_back(customer, metrics):
    """Through a batch and out of it; text, moments to the microsecond, figures to the digit."""
    customer = attrs.evolve(customer, metrics=metrics)
    [row] = batch([("berlin", [customer])], raw=True).to_pylist()
    assert row.pop("account") == "berlin"
    assert dict(row.pop("metadata")) == {name: as_sent(value) for name, value in customer.metadata.items()}
    assert json.loads(row.pop("raw"), parse_float=Decimal) == plain(customer.raw)
    for name in ("billing_address", "shipping_address", "metrics"):
        value = getattr(customer, name)
        assert row.pop(name) == (None if value is None else attrs.asdict(value))
    assert row == {name: getattr(customer, name) for name in row}


def plain(value):
    """A value of `raw` as JSON's numbers read it."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


names = [column.name for column in columns.columns(raw=True)]


@given(st.lists(strategies.customers(), max_size=3), st.lists(st.sampled_from(names), min_size=1, unique=True))
def test_a_batch_of_some_columns_is_the_whole_one_without_the_others(people, wanted):
    people = [attrs.evolve(one, metrics=None) for one in people]
    made, whole = (batch([("a", people)], raw=True, only=only) for only in (wanted, None))
    assert made == whole.select(wanted)
    assert made.schema.metadata == whole.schema.metadata


@given(strategies.raw_json)
def test_json_text_is_the_same_whether_written_fast_or_patiently(value):
    """The fast way gives up on some values; what it writes is what the patient one writes."""
    assert exact(value) == _patiently(value)


@pytest.mark.parametrize("half", ["\ud800", "a\udfff"])
def test_half_a_character_is_a_question_mark(half):
    """UTF-8 has none; whatever else is in the batch stays."""
    rows = [uc.Customer(provider="p", id="1", name=half), uc.Customer(provider="p", id="2", name="Ann")]
    assert batch([(None, rows)]).column("name").to_pylist() == [
        half.replace("\ud800", "?").replace("\udfff", "?"),
        "Ann",
    ]


@pytest.mark.parametrize(
    "figure", ["1e20", "-123456789012345678901", "99999999999999999999.9999999999999999995", "1e99999"]
)
def test_a_figure_that_is_too_large_is_an_error(figure):
    """It says which customer, where, and what holds any figure."""
    metrics = uc.Metrics(margin=Decimal(figure))
    rows = [uc.Customer(provider="p", id="1"), uc.Customer(provider="p", id="2", metrics=metrics)]
    with pytest.raises(uc.BadRecordError, match=r"customer 2 .*\$\.metrics\.margin.*\.jsonl") as caught:
        batch([(None, rows)])
    assert (caught.value.record_id, caught.value.path) == ("2", "$.metrics.margin")
    assert figure not in str(caught.value)


@given(st.decimals(-(10**19), 10**19, allow_nan=False) | st.integers(-(10**22), 10**22))
def test_a_figure_is_rounded_half_to_even_at_the_columns_scale_or_refused(value):
    """Never by more than half of 1e-18; what the count says is what happened."""
    customer = uc.Customer(provider="p", id="1", metrics=uc.Metrics(margin=value))
    rounded, path = figures.look(customer)
    if abs(value) >= 10**20:
        assert path == "$.metrics.margin"
        return
    [row] = batch([(None, [customer])]).to_pylist()
    found = row["metrics"]["margin"]
    wide = Context(prec=2000)
    assert abs(wide.subtract(Decimal(value), found)) <= Decimal("5e-19")
    assert rounded == (found != value)
    assert path is None


@pytest.mark.parametrize(
    ("sent", "held"),
    [("5.551115123125783e-17", "5.6e-17"), ("2.5e-18", "2e-18"), ("3.5e-18", "4e-18"), ("-1e-19", "0")],
)
def test_what_floats_leave_over_is_rounded(sent, held):
    """As JavaScript answers 0.1 + 0.2 - 0.3."""
    customer = uc.Customer(provider="p", id="1", metrics=uc.Metrics(margin=Decimal(sent)))
    [row] = batch([(None, [customer])]).to_pylist()
    assert row["metrics"]["margin"] == Decimal(held)


def test_a_float_of_javascript_fits():
    """Seventeen digits, as a provider that divides sends them."""
    metrics = uc.Metrics(margin_percent=Decimal("33.333333333333336"), margin=Decimal("0.30000000000000004"))
    row = batch([(None, [uc.Customer(provider="p", id="1", metrics=metrics)])]).to_pylist()[0]
    assert row["metrics"]["margin_percent"] == metrics.margin_percent
    assert row["metrics"]["margin"] == metrics.margin


def test_metadata_of_the_same_content_is_the_same_value():
    """Whatever order it was sent in."""
    one = uc.Customer(provider="p", id="1", metadata={"a": "1", "b": 2})
    other = uc.Customer(provider="p", id="1", metadata={"b": 2, "a": "1"})
    assert batch([(None, [one])]).equals(batch([(None, [other])]))


# The schema


def test_the_columns_are_those_of_a_customer():
    """In its order, after the account; a new field of the model needs a column."""
    assert [c.name for c in columns.COLUMNS[1:]] == [a.name for a in attrs.fields(uc.Customer) if a.name != "raw"]
    members = {c.name: [m.name for m in c.members] for c in columns.COLUMNS if c.members}
    assert members["billing_address"] == members["shipping_address"] == [a.name for a in attrs.fields(uc.Address)]
    assert members["metrics"] == [a.name for a in attrs.fields(uc.Metrics)]


def test_the_schema_is_versioned_and_says_what_each_column_is():
    """Also of each part of a struct; a batch has that very schema."""
    assert uc.SCHEMA.metadata == {b"unified_customers.schema": b"1"}
    for field in uc.SCHEMA:
        assert field.metadata[b"description"]
        for member in field.type if pa.types.is_struct(field.type) else ():
            assert member.metadata[b"description"]
    assert batch([]).schema.equals(uc.SCHEMA, check_metadata=True)
    assert [f.name for f in batch([], raw=True).schema] == [*uc.SCHEMA.names, "raw"]


def test_the_page_and_the_schema_say_the_same():
    """Name, type, whether it may be null, and what it holds, column by column."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "schema.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(\w+)` \| `([^|]+)` \| (yes|no) \| (.+) \|$", page, re.MULTILINE)

    def said(column, field):
        kind = "struct" if pa.types.is_struct(field.type) else str(field.type)
        return column.name, kind, "yes" if field.nullable else "no", column.says

    whole = schema(raw=True)
    wanted = [said(column, whole.field(column.name)) for column in columns.columns(raw=True)]
    for name in ("billing_address", "metrics"):
        column = next(one for one in columns.COLUMNS if one.name == name)
        wanted += [said(member, whole.field(name).type.field(member.name)) for member in column.members]
    assert shown == wanted


def test_without_pyarrow_the_extra_is_named():
    """For the schema, the stream and the file alike; and importing the package needs it not."""
    code = """
import sys
sys.modules["pyarrow"] = None
import unified_customers as uc
client = uc.Client(uc.Flexprice(api_key="k", base_url="http://127.0.0.1:9"))
for ask in (lambda: uc.SCHEMA, lambda: client.customers().to_arrow(), lambda: uc.export(client, "x.parquet")):
    try:
        ask()
    except uc.ConfigurationError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'unified-customers[arrow]'") == 3, done.stdout


# The stream


def test_batches_are_of_whole_pages(client, box):
    """As many customers as asked for, at the least, but for the last; the checkpoint is exact after each."""
    listing = client.customers(page_size=7)
    reader = listing.to_arrow(batch_size=20)
    first = reader.read_next_batch()
    assert first.num_rows == 21
    rest = [one.id for one in client.customers(page_size=7, after=listing.checkpoint)]
    assert first.column("id").to_pylist() + rest == box.flexportal.ids
    sizes = [one.num_rows for one in reader]
    assert sizes == [21, 18]


def test_the_account_is_the_providers_name_or_the_callers(client):
    """In every row."""
    assert set(client.customers().to_arrow().read_all()["account"].to_pylist()) == {"flexportal"}
    assert set(client.customers().to_arrow(account="berlin").read_all()["account"].to_pylist()) == {"berlin"}


@pytest.mark.parametrize(("keyword", "value"), [("batch_size", 0), ("batch_size", "9"), ("account", " ")])
def test_a_keyword_that_can_not_be_right_is_refused(client, keyword, value):
    """At once."""
    with pytest.raises(uc.InvalidRequestError, match=f"{keyword}="):
        client.customers().to_arrow(**{keyword: value})


def test_an_error_is_the_librarys_own_and_ends_no_stream(box):
    """What came before it is a batch of its own, so its checkpoint misses nobody; asking on reads the page again."""
    with uc.Client(uc.FlexPortal(**box.flexportal.settings), retry=uc.Retry(attempts=1)) as client:
        box.flexportal.fault("503", times=1, on="list", after=2)
        listing = client.customers(page_size=10)
        reader = listing.to_arrow(batch_size=1000)
        before = reader.read_next_batch().column("id").to_pylist()
        assert before == box.flexportal.ids[:20]
        with pytest.raises(uc.ServerError) as caught:
            reader.read_next_batch()
        assert caught.value.checkpoint == listing.checkpoint
        elsewhere = [one.id for one in client.customers(page_size=10, after=caught.value.checkpoint)]
        assert reader.read_next_batch().column("id").to_pylist() == elsewhere
        assert before + elsewhere == box.flexportal.ids


def test_a_directory_names_its_accounts(box):
    """In one table of all."""
    accounts = {"doha": uc.FlexPortal(**box.flexportal.settings), "pune": uc.Flexprice(**box.flexprice.settings)}
    with uc.Directory(accounts) as directory:
        table = directory.to_arrow(page_size=9)
        rows = table.read_all().select(["account", "id"]).to_pylist()
    for name, server in (("doha", box.flexportal), ("pune", box.flexprice)):
        assert sorted(row["id"] for row in rows if row["account"] == name) == sorted(server.ids)


@pytest.fixture
def large():
    """A customer whose margin no column holds, the third of nine."""
    with Sandbox(customers=9) as made:
        made.flexportal.update(made.flexportal.ids[2], customerMargin=1e22)
        yield made


def test_a_figure_too_large_for_a_batch_is_a_bad_record(large):
    """The listing's own choice decides, alone and in a directory."""
    settings, others = uc.FlexPortal(**large.flexportal.settings), [*large.flexportal.ids]
    bad = others.pop(2)
    with uc.Client(settings) as client, uc.Directory({"doha": settings}) as directory:
        for source, kind in ((client, "skip"), (directory, "skip"), (client, lambda error: None)):
            listing = source.customers(page_size=4, on_bad_record=kind)
            assert listing.to_arrow(batch_size=4).read_all()["id"].to_pylist() == others
            assert listing.report.bad == 1
        for source in (client, directory):
            reader = source.customers(page_size=4).to_arrow()
            for _ in range(2):
                with pytest.raises(uc.BadRecordError, match=r"too large for decimal\(38, 18\)") as caught:
                    reader.read_next_batch()
                assert caught.value.record_id == bad
        assert caught.value.account == "doha"
        instead = client.customers(on_bad_record=lambda error: uc.Customer(provider="flexportal", id=error.record_id))
        assert instead.to_arrow().read_all()["id"].to_pylist() == large.flexportal.ids


@pytest.mark.anyio
async def test_a_figure_too_large_for_an_awaited_batch_is_a_bad_record(large):
    """Likewise."""
    settings, others = uc.FlexPortal(**large.flexportal.settings), [*large.flexportal.ids]
    del others[2]
    async with uc.AsyncClient(settings) as client, uc.AsyncDirectory({"doha": settings}) as directory:
        for source in (client, directory):
            made = [one async for one in source.customers(on_bad_record="skip").record_batches()]
            assert pa.Table.from_batches(made)["id"].to_pylist() == others
            with pytest.raises(uc.BadRecordError, match="too large"):
                await anext(source.customers().record_batches())


@pytest.mark.anyio
async def test_awaited_batches_are_the_same(box):
    """Of a client and of a directory; an error ends neither."""
    async with uc.AsyncClient(uc.FlexPortal(**box.flexportal.settings), retry=uc.Retry(attempts=1)) as client:
        box.flexportal.fault("503", times=1, on="list", after=2)
        batches = client.customers(page_size=10).record_batches(batch_size=1000, account="a")
        made = [await anext(batches)]
        with pytest.raises(uc.ServerError) as caught:
            await anext(batches)
        elsewhere = [one.id async for one in client.customers(page_size=10, after=caught.value.checkpoint)]
        made += [one async for one in batches]
        assert made[0]["id"].to_pylist() + elsewhere == box.flexportal.ids
        assert pa.Table.from_batches(made)["id"].to_pylist() == box.flexportal.ids
        assert made[0].schema.equals(uc.SCHEMA)
    async with uc.AsyncDirectory([uc.FlexPortal(**box.flexportal.settings)]) as directory:
        made = [one async for one in directory.customers().record_batches()]
        assert pa.Table.from_batches(made)["account"].to_pylist() == ["flexportal"] * 60


# Readers


def test_polars_reads_the_stream(client, box):
    """With structs, maps and decimals."""
    pl = pytest.importorskip("polars")
    frame = pl.from_arrow(client.customers().to_arrow())
    assert frame["id"].to_list() == box.flexportal.ids
    assert frame["metrics"].struct.field("monthly_revenue").dtype == pl.Decimal(38, 18)
    assert frame["created_at"].dtype == pl.Datetime("us", "UTC")


def test_pandas_reads_the_stream(client, box):
    """Figures stay decimals."""
    pytest.importorskip("pandas")
    frame = client.customers().to_arrow().read_pandas()
    assert list(frame["id"]) == box.flexportal.ids
    assert str(frame["created_at"].dt.tz) == "UTC"


def test_duckdb_reads_the_stream(client, box):
    """By the name of a variable; sums are exact."""
    duckdb = pytest.importorskip("duckdb")
    customers = client.customers().to_arrow()  # noqa: F841 - duckdb finds it
    count, total = duckdb.sql("SELECT count(*), sum(metrics.monthly_revenue) FROM customers").fetchall()[0]
    truth = [one.metrics.monthly_revenue for one in client.customers() if one.metrics is not None]
    assert (count, total) == (60, sum(one for one in truth if one is not None))


def test_other_readers_turn_an_error_into_their_own_with_its_text(box):
    """DuckDB takes the stream over C, where only the text of an error passes: it is there, and nobody is left out."""
    duckdb = pytest.importorskip("duckdb")
    with uc.Client(uc.FlexPortal(**box.flexportal.settings), retry=uc.Retry(attempts=1)) as client:
        box.flexportal.fault("503", times=1, on="list", after=2)
        customers = client.customers(page_size=10).to_arrow()  # noqa: F841
        with pytest.raises(duckdb.Error, match="ServerError"):
            duckdb.sql("SELECT count(*) FROM customers").fetchall()
