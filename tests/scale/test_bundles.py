"""Accounts in bundles: all there, each once, wherever they are read; and no key travels along."""

from __future__ import annotations

import io
import json
import logging
import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from bundled import rows, tenancy, whole
from fakes import reply
from tenants import Tenants

import unified_customers as uc
from unified_customers import scale
from unified_customers._bundles import reading
from unified_customers._bundles.sizing import bounded, size
from unified_customers._bundles.windows import Window
from unified_customers._values import stamp
from unified_customers.sandbox import serve

pa = pytest.importorskip("pyarrow")

SIZES = {f"t{n:02d}": n % 9 * 3 for n in range(31)}
FEW = {"a": 9, "b": 0, "c": 4, "d": 250, "e": 1}


@pytest.fixture
def many(tmp_path):
    """Thirty tenants, and the file of their accounts."""
    with tenancy(SIZES, tmp_path) as found:
        yield found


@pytest.fixture
def few(tmp_path):
    """Five tenants, and the file of their accounts."""
    with tenancy(FEW, tmp_path) as found:
        yield found


def broken(tenants, name):
    """Have one tenant answer with errors for ever, after its first page."""
    tenants.servers[name].meddle = lambda request, number: reply(403, {}) if number > 1 else None


@pytest.mark.parametrize("most", [1, 7, 100])
def test_every_customer_of_every_account_comes_once(many, most):
    """However many accounts a bundle has."""
    tenants, path = many
    bundles = scale.partition_accounts(path, accounts_per_partition=most)
    assert len(bundles) == -(-len(SIZES) // most)
    assert sorted(name for one in bundles for name in one.names) == sorted(SIZES)
    assert rows(bundles) == whole(tenants)


def test_a_bundle_that_is_read_again_brings_the_same(many):
    """As a task that is tried again has to."""
    _, path = many
    bundle, *_ = pickle.loads(pickle.dumps(scale.partition_accounts(path)))
    assert rows([bundle]) == rows([bundle])


def test_batches_have_the_schema_or_the_columns_that_are_wanted(few):
    """In the order in which they were named."""
    _, path = few
    [bundle] = scale.partition_accounts(path)
    assert {batch.schema for batch in scale.read_accounts_arrow(bundle)} == {uc.SCHEMA}
    [bundle] = scale.partition_accounts(path, columns=["raw", "id"], raw=True, batch_size=10)
    batches = list(scale.read_accounts_arrow(bundle))
    assert len(batches) > 1
    assert {tuple(batch.schema.names) for batch in batches} == {("raw", "id")}


def test_other_processes_read_bundles(many):
    """Started anew, as on another machine: the keys are in their environment, not in what they were sent."""
    tenants, path = many
    bundles = scale.partition_accounts(path, accounts_per_partition=8)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = pool.map(rows, [[bundle] for bundle in bundles])
        assert sum(found, start=whole(Tenants({}))) == whole(tenants)


def test_no_key_is_in_a_bundle_or_in_what_is_said_of_it(many, monkeypatch):
    """Not pickled, not shown, not logged."""
    _, path = many
    seen = io.StringIO()
    handler = logging.StreamHandler(seen)
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr(logging.getLogger("unified_customers"), "level", logging.DEBUG)
    bundles = scale.partition_accounts(path)
    rows(bundles)
    logging.getLogger().removeHandler(handler)
    said = pickle.dumps(bundles).decode("latin-1") + repr(bundles) + str(bundles[0].manner) + seen.getvalue()
    assert "KEY_T01" in said
    assert "key-of-" not in said


def test_keys_are_not_needed_where_work_is_divided(few, monkeypatch):
    """Only where it is done."""
    tenants, path = few
    for name in FEW:
        monkeypatch.delenv(f"KEY_{name.upper()}")
    bundles = scale.partition_accounts(path)
    with pytest.raises(uc.ConfigurationError, match="KEY_A, which is not set"):
        rows(bundles)
    for name in FEW:
        monkeypatch.setenv(f"KEY_{name.upper()}", f"key-of-{name}")
    assert rows(bundles) == whole(tenants)


def test_an_account_s_error_ends_the_reading(few):
    """With its name, and where to go on."""
    tenants, path = few
    broken(tenants, "d")
    with pytest.raises(uc.PermissionDeniedError, match=r"^d: ") as caught:
        rows(scale.partition_accounts(path))
    assert caught.value.account == "d"


def told(folder):
    """The rows of the second output."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_a_dead_account_is_a_row_elsewhere_and_the_others_are_whole(few, tmp_path, monkeypatch):
    """One that answers no more, and one whose key is not there; what came before is counted."""
    tenants, path = few
    broken(tenants, "d")
    monkeypatch.delenv("KEY_C")
    [bundle] = scale.partition_accounts(path, errors=tmp_path / "failed")
    found = rows([bundle])
    assert {key: n for key, n in found.items() if key[0] != "d"} == whole(tenants, "cd")
    by_name = {row["account"]: row for row in told(tmp_path / "failed")}
    assert set(by_name) == {"c", "d"}
    assert (by_name["d"]["error"], by_name["d"]["status"], by_name["d"]["items"]) == ("PermissionDeniedError", 403, 100)
    assert (by_name["c"]["error"], by_name["c"]["items"]) == ("ConfigurationError", 0)
    assert {row["job"] for row in by_name.values()} == {bundle.job}
    assert {part.partition(" ")[0] for part in scale.ERRORS.split(", ")} == set(by_name["d"])
    tenants.servers["d"].meddle = lambda request, number: None
    with uc.Client(uc.accounts.read(path, only=["d"])["d"]) as client:
        rest = client.customers(after=by_name["d"]["checkpoint"])
        assert len(list(rest)) + by_name["d"]["items"] == FEW["d"]


def test_an_attempt_that_succeeds_takes_back_what_an_earlier_one_wrote(few, tmp_path):
    """The last attempt's errors are the ones that count."""
    tenants, path = few
    broken(tenants, "d")
    [bundle] = scale.partition_accounts(path, errors=tmp_path / "failed")
    rows([bundle])
    assert len(told(tmp_path / "failed")) == 1
    tenants.servers["d"].meddle = lambda request, number: None
    assert rows([bundle]) == whole(tenants)
    assert list((tmp_path / "failed").iterdir()) == []


def test_errors_that_can_t_be_written_are_told(few, tmp_path):
    """Before anything is read, or when they come."""
    tenants, path = few
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(uc.ConfigurationError, match="errors="):
        scale.partition_accounts(path, errors=tmp_path / "file")
    broken(tenants, "d")
    [bundle] = scale.partition_accounts(path, errors=tmp_path / "failed")
    (tmp_path / "failed").rmdir()
    with pytest.raises(uc.ConfigurationError, match="errors="):
        rows([bundle])
    with pytest.raises(uc.ConfigurationError, match="errors="):
        scale.partition_accounts(path, errors="nosuch://bucket/x")


def lookup(names):
    """What knows the tenants, on any machine that has this module."""
    settings = Tenants(FEW).accounts(lookup.url)
    return settings if names is None else {name: settings[name] for name in names if name != lookup.forgotten}


lookup.forgotten = ""


def test_accounts_may_be_known_by_a_callable():
    """It is pickled by its name, asked for the names where work is divided, and for settings where it is done."""
    tenants = Tenants(FEW)
    with serve(tenants) as url:
        lookup.url = url
        bundles = scale.partition_accounts(lookup, accounts_per_partition=2)
        assert b"key-of-" not in pickle.dumps(bundles)
        assert rows(bundles) == whole(tenants)
        assert rows(scale.partition_accounts(lookup, only=["a", "c"])) == whole(tenants, "bde")


def test_a_callable_s_failure_is_told_without_what_it_says(few, tmp_path, monkeypatch):
    """Which may hold a key."""

    def failing(names):
        raise KeyError("key-of-a")

    with pytest.raises(uc.ConfigurationError, match="KeyError") as caught:
        scale.partition_accounts(failing)
    assert "key-of" not in str(caught.value)
    with pytest.raises(uc.ConfigurationError, match="returns settings by name"):
        scale.partition_accounts(lambda names: {"a": uc.Flexprice})
    tenants = Tenants(FEW)
    with serve(tenants) as url:
        monkeypatch.setattr(lookup, "url", url, raising=False)
        bundles = scale.partition_accounts(lookup, errors=tmp_path / "failed")
        monkeypatch.setattr(lookup, "forgotten", "c")
        assert rows(bundles) == whole(tenants, "c")
    assert [row["account"] for row in told(tmp_path / "failed")] == ["c"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"accounts_per_partition": 0}, "accounts_per_partition="),
        ({"concurrency": "8"}, "concurrency="),
        ({"large": 1.5}, "large="),
        ({"batch_size": True}, "batch_size="),
        ({"balance": "size"}, "balance="),
        ({"columns": ["idd"]}, "no column 'idd'"),
        ({"columns": "id"}, "columns="),
        ({"columns": ["id", "id"]}, "columns="),
        ({"columns": ["raw"]}, "no column 'raw'"),
        ({"only": ["z"]}, "no account 'z'"),
        ({"only": "a"}, "only="),
        ({"emial": "x"}, "did you mean email"),
        ({"max_items": 3}, "max_items="),
        ({"sort": "id"}, "sort="),
        ({"on_bad_record": print}, "on_bad_record="),
        ({"external_id": "x"}, "can't filter by external_id"),
        ({"email": ""}, "email="),
        ({"timeout": "soon"}, "timeout="),
        ({"rate": 0}, "rate="),
    ],
)
def test_what_can_t_be_right_is_refused_before_anything_is_sent(few, wrong, says):
    """By name."""
    tenants, path = few
    with pytest.raises(uc.CustomersError, match=says):
        scale.partition_accounts(path, **wrong)
    assert tenants.asked == []


@pytest.mark.parametrize("given", [{"a": 1}, [1], 7, None])
def test_settings_themselves_are_refused(given):
    """They hold keys, and would travel."""
    with pytest.raises(uc.ConfigurationError, match="travels"):
        scale.partition_accounts(given)


def test_a_key_in_the_file_is_refused_where_work_is_divided(tmp_path):
    """It would be in every bundle."""
    path = tmp_path / "accounts.toml"
    path.write_text('[accounts.a]\nprovider = "flexprice"\napi_key = "sk-planted"\n', encoding="utf-8")
    with pytest.raises(uc.ConfigurationError, match="must not stand in the file") as caught:
        scale.partition_accounts(path)
    assert "planted" not in str(caught.value)


def test_the_same_account_under_two_names_is_refused(tmp_path):
    """Two machines would read it at once."""
    path, table = tmp_path / "accounts.toml", 'provider = "flexprice"\napi_key = { env = "K" }\n'
    path.write_text(f"[accounts.a]\n{table}[accounts.b]\n{table}", encoding="utf-8")
    with pytest.raises(uc.ConfigurationError, match="'a' and 'b' are the same"):
        scale.partition_accounts(path)


def test_accounts_that_differ_in_their_keys_alone_are_two(tmp_path):
    """As all of Flexprice's in one region."""
    path, table = tmp_path / "accounts.toml", 'provider = "flexprice"\napi_key = { env = "K%s" }\n'
    path.write_text(f"[accounts.a]\n{table % 1}[accounts.b]\n{table % 2}", encoding="utf-8")
    [bundle] = scale.partition_accounts(path)
    assert bundle.names == ("a", "b")


def test_settings_other_than_keys_may_be_kept_elsewhere_too(few, tmp_path, monkeypatch):
    """Then they are looked at where they are: in the task."""
    tenants, path = few
    text = Path(path).read_text(encoding="utf-8").replace('tenant_id = "a"', 'tenant_id = { env = "TENANT" }')
    other = tmp_path / "other.toml"
    other.write_text(text, encoding="utf-8")
    bundles = scale.partition_accounts(other)
    monkeypatch.setenv("TENANT", "a")
    assert rows(bundles) == whole(tenants)


# An account that is larger than the others


@pytest.fixture(scope="module")
def box():
    """Flexprice with two thousand customers."""
    with uc.sandbox(customers=2000) as made:
        yield made


@pytest.fixture
def priced(box, tmp_path, monkeypatch):
    """The file of its account."""
    monkeypatch.setenv("PRICE", box.flexprice.settings["api_key"])
    path = tmp_path / "accounts.toml"
    url = box.flexprice.settings["base_url"]
    path.write_text(
        f'[accounts.giant]\nprovider = "flexprice"\nbase_url = "{url}"\napi_key = {{ env = "PRICE" }}\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"status": "any"},
        {"status": "archived"},
        {"created_after": "2024-07-01"},
        {"created_after": "2024-07-01", "status": "any"},
        {"created_after": datetime(2024, 7, 1, 8, tzinfo=UTC), "unsupported": "local"},
    ],
)
def test_a_very_large_account_is_cut_into_slices_that_lie_side_by_side(box, priced, query):
    """Each customer in exactly one."""
    with uc.Client(uc.Flexprice(**box.flexprice.settings)) as client:
        truth = sorted(customer.id for customer in client.customers(**query))
    large = 30 if query.get("status") == "archived" else 300
    bundles = scale.partition_accounts(priced, large=large, rate=1000.0, **query)
    found = rows(bundles)
    assert sorted(id_ for _, id_ in found) == truth
    assert set(found.values()) <= {1}
    assert len(bundles) > 3
    assert {one.manner.rate for one in bundles} == {1000.0 / len(bundles)}


def test_slices_of_what_was_created_since_begin_at_its_first_customer_or_later(box, priced):
    """None of them at a moment before, which would bring more than was asked for."""
    with uc.Client(uc.Flexprice(**box.flexprice.settings)) as client:
        moments = sorted(customer.created_at for customer in client.customers())
    since = moments[len(moments) // 2]
    bundles = scale.partition_accounts(priced, large=100, created_after=since)
    begin = [window.since for one in bundles for window in one.windows.values()]
    assert begin[0] is None  # the query's own
    assert len(begin) > 3
    assert min(begin[1:]) > stamp(since)
    assert sum(rows(bundles).values()) == sum(moment >= since for moment in moments)


def test_what_no_provider_counts_is_not_asked_for(box, priced):
    """Words of the provider's own; and a list that is filtered here would have to be read for it."""
    before = len(box.flexprice.requests) + len(box.flexportal.requests)
    assert [one.requests for one in scale.partition_accounts(priced, large=300, params={"filters": []})] == [None]
    with uc.Client(uc.FlexPortal(**box.flexportal.settings)) as client:
        assert size(client, {"created_after": "2024-07-01", "unsupported": "local"}) is None
    assert len(box.flexprice.requests) + len(box.flexportal.requests) == before


def test_what_a_query_says_of_filters_stays_beside_the_end_of_a_slice():
    """A list of them, or one alone, as the provider's own words may be."""
    for given in ([{"field": "name"}], {"field": "name"}):
        found = bounded({"params": {"filters": given}}, Window(None, "2024-07-01T00:00:00Z"))
        assert [one["field"] for one in found["params"]["filters"]] == ["name", "created_at"]


def test_customers_created_meanwhile_are_in_the_last_slice(box, priced):
    """Which has no end."""
    bundles = scale.partition_accounts(priced, large=300)
    [new] = box.flexprice.insert(1)
    found = rows(bundles)
    box.flexprice.delete(new)
    assert found["giant", new] == 1


def test_a_provider_that_ignores_the_end_of_a_slice_is_not_believed(box, priced, monkeypatch):
    """What lies behind it is left to the slice it belongs to."""
    bundles = scale.partition_accounts(priced, large=300)
    real = reading.bounded
    monkeypatch.setattr(reading, "bounded", lambda query, window: {**real(query, window), "params": {}})
    found = rows(bundles)
    assert len(found) == len(box.flexprice.ids)
    assert set(found.values()) == {1}


def test_sizes_are_hints_and_an_account_that_can_t_be_counted_is_read_all_the_same(box, priced):
    """Whole."""
    box.flexprice.fault("refused", times=50, on="list", status=403)
    bundles = scale.partition_accounts(priced, large=300)
    box.flexprice.clear_faults()
    assert [one.requests for one in bundles] == [None]
    assert len(rows(bundles)) == len(box.flexprice.ids)


def test_nobody_is_asked_where_that_is_not_wanted(box, priced):
    """Nor where a provider doesn't count."""
    before = len(box.flexprice.requests)
    scale.partition_accounts(priced, balance="even")
    assert len(box.flexprice.requests) == before
    assert [one.requests for one in scale.partition_accounts(priced)] == [3]
