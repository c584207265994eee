"""What options and conditions mean, and how far a stream is: all that needs no engine."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from bundled import rows, tenancy, whole
from fakes import reply

import unified_customers as uc
from unified_customers._bundles import offsets
from unified_customers._bundles.planning import Bundling
from unified_customers._bundles.reading import Manner
from unified_customers._bundles.references import refer
from unified_customers.spark.filters import Pushed, push
from unified_customers.spark.options import OPTIONS, Options

pytest.importorskip("pyarrow")


@pytest.fixture
def filed(tmp_path):
    """Two tenants, and the file of their accounts."""
    with tenancy({"a": 3, "b": 2}, tmp_path) as found:
        yield found


def test_options_are_keywords():
    """Whatever the case of their names; a list has commas, or is JSON."""
    options = Options(
        {
            "Accounts": "x.toml",
            "ACCOUNTS_PER_PARTITION": "7",
            "ids": "c1, c2",
            "columns": '["id", "email"]',
            "raw": "True",
            "rate": "2.5",
            "params": '{"x": 1}',
            "push_filters": "true",
        }
    )
    assert options.keywords == {
        "accounts_per_partition": 7,
        "ids": ["c1", "c2"],
        "columns": ["id", "email"],
        "raw": True,
        "rate": 2.5,
        "params": {"x": 1},
    }
    assert (options.push_filters, options.lag) == (True, 60.0)
    assert options.manner(["id"]) == Manner(
        query={"ids": ["c1", "c2"], "params": {"x": 1}}, rate=2.5, columns=("id",), raw=False
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"emial": "x"}, "did you mean email"),
        ({"path": "x"}, "load"),
        ({"accounts_from": "a:b"}, "either"),
        ({"concurrency": "many"}, "whole number"),
        ({"rate": "fast"}, "number"),
        ({"raw": "yes"}, "true or false"),
        ({"ids": "a,,b"}, "empty"),
        ({"ids": "[1]"}, "texts"),
        ({"ids": "[1"}, "JSON"),
        ({"params": "[]"}, "JSON object"),
        ({"email": " "}, "empty"),
        ({"lag": "-1"}, "lag"),
        ({"lag": "nan"}, "lag"),
    ],
)
def test_options_that_can_t_be_right_are_refused(wrong, says):
    """By name; what they say is not repeated."""
    with pytest.raises(uc.ConfigurationError, match=says):
        Options({"accounts": "x.toml", **wrong})
    with pytest.raises(uc.ConfigurationError, match="either"):
        Options({})


@pytest.mark.parametrize("place", ["nowhere_at_all:x", "json:nothing", "json", "", "json:__name__"])
def test_a_callable_that_can_t_be_imported_is_refused(place):
    """By its place."""
    with pytest.raises(uc.ConfigurationError):
        Options({"accounts_from": place}).reference()


def test_every_keyword_of_partition_accounts_is_an_option():
    """So that none is missing here."""
    import inspect

    from unified_customers import scale
    from unified_customers._bundles.planning import QUERY

    keywords = set(inspect.signature(scale.partition_accounts).parameters) - {"query"}
    assert keywords | set(QUERY) | {"accounts_from", "push_filters", "lag"} == set(OPTIONS)


# Conditions


@attrs.frozen
class EqualTo:
    """As pyspark's, which is told by its name."""

    attribute: tuple[str, ...]
    value: object


class In(EqualTo):
    """Likewise."""


class GreaterThan(EqualTo):
    """Likewise."""


class StringContains(EqualTo):
    """Likewise."""


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conditions", "pushed"),
    [
        ([EqualTo(("account",), "a")], Pushed(("a",))),
        ([In(("account",), ("a", "b")), In(("account",), ("b", "c"))], Pushed(("b",))),
        ([EqualTo(("account",), "a"), EqualTo(("account",), "b")], Pushed(())),
        ([EqualTo(("email",), "x@example.com")], Pushed(query={"email": "x@example.com"})),
        ([In(("email",), ("x", "y"))], Pushed()),
        ([In(("id",), ("1", "2"))], Pushed(query={"ids": ["1", "2"]})),
        ([EqualTo(("id",), "1"), EqualTo(("id",), "2")], Pushed(query={"ids": ["1"]})),
        ([EqualTo(("external_id",), "1")], Pushed(query={"external_id": ["1"]})),
        ([EqualTo(("kind",), "business")], Pushed(query={"kind": "business"})),
        ([EqualTo(("kind",), "robot")], Pushed()),
        ([EqualTo(("status",), "archived")], Pushed()),
        ([EqualTo(("email",), "")], Pushed()),
        ([EqualTo(("email",), None)], Pushed()),
        ([In(("id",), ("1", None))], Pushed()),
        ([In(("id",), tuple(map(str, range(2000))))], Pushed()),
        ([EqualTo(("billing_address", "name"), "x")], Pushed()),
        ([StringContains(("email",), "x")], Pushed()),
        ([GreaterThan(("created_at",), NOW)], Pushed(query={"created_after": NOW})),
        ([GreaterThan(("created_at",), NOW.replace(tzinfo=None))], Pushed()),
        ([GreaterThan(("updated_at",), NOW)], Pushed()),
        ([EqualTo(("name",), "x")], Pushed()),
    ],
)
def test_conditions_that_change_nothing_but_the_work_are_passed_on(conditions, pushed):
    """All others are left to the engine."""
    assert push(conditions, {}) == pushed


def test_an_option_outweighs_a_condition():
    """Both hold: the provider is asked with the option, the engine looks at the condition."""
    assert push([EqualTo(("email",), "x")], {"email": "y"}) == Pushed()


# Streams


def test_accounts_without_a_stream_are_refused_by_name(filed):
    """Before anything is sent."""
    tenants, path = filed
    with pytest.raises(uc.UnsupportedError, match="a: FlexPortal"):
        offsets.refuse_timeless(refer(path).about())
    assert tenants.asked == []


@pytest.fixture
def box():
    """Flexprice."""
    with uc.sandbox(customers=40) as made:
        yield made


@pytest.fixture
def priced(box, tmp_path, monkeypatch):
    """Two environments of it."""
    for name in ("p", "q"):
        monkeypatch.setenv(f"PRICE_{name}", box.flexprice.settings["api_key"])
    url, path = box.flexprice.settings["base_url"], tmp_path / "accounts.toml"
    path.write_text(
        "".join(
            f'[accounts.{name}]\nprovider = "flexprice"\nbase_url = "{url}"\nenvironment_id = "{name}"\n'
            f'api_key = {{ env = "PRICE_{name}" }}\n'
            for name in ("p", "q")
        ),
        encoding="utf-8",
    )
    return path


def batch(reference, start, end):
    """What a batch between two offsets reads."""
    windows = offsets.between(start, end, reference.about())
    bundling = Bundling(reference, Manner())
    bundling.add(windows)
    return rows(bundling.made)


def test_batches_bring_what_is_new_and_each_customer_once(box, priced):
    """Offsets are plain JSON; a batch that is read again brings the same, whatever came meanwhile."""
    reference, ids = refer(priced), set(box.flexprice.ids)
    about, at = reference.about(), offsets.beginning()
    seen = []
    for more in (3, 0, 5):
        end, errors = offsets.latest(reference, about, Manner(), at, 0.0)
        end = json.loads(json.dumps(end))
        assert errors == {}
        first = batch(reference, at, end) if end != at else {}
        ids |= set(box.flexprice.insert(more)) if more else set()
        if first:
            assert batch(reference, at, end) == first
        seen += list(first)
        at = end
    end, _ = offsets.latest(reference, about, Manner(), at, 0.0)
    seen += list(batch(reference, at, end))
    assert len(seen) == len(set(seen))
    assert {id_ for _, id_ in seen} == ids
    assert offsets.between(end, end, about) == {}


def test_what_is_younger_than_the_lag_waits(box, priced):
    """A customer may appear in a list a little after the moment that it bears."""
    reference = refer(priced)
    end, _ = offsets.latest(reference, reference.about(), Manner(), offsets.beginning(), 0.0)
    newest = datetime.fromisoformat(end["accounts"]["p"]["until"])
    lag = (datetime.now(UTC) - newest + timedelta(days=1)).total_seconds()
    early, _ = offsets.latest(reference, reference.about(), Manner(), offsets.beginning(), lag)
    assert datetime.fromisoformat(early["accounts"]["p"]["until"]) < newest
    again, _ = offsets.latest(reference, reference.about(), Manner(), end, lag)
    assert again == end


def test_an_account_that_can_t_be_asked_stays_where_it_was(box, priced, monkeypatch):
    """And is told: one whose key is refused, and one whose key is not there."""
    reference = refer(priced)
    about, at = reference.about(), offsets.beginning()
    monkeypatch.setenv("PRICE_q", "another-key")
    end, errors = offsets.latest(reference, about, Manner(), at, 0.0)
    assert (set(end["accounts"]), set(errors)) == ({"p"}, {"q"})
    assert isinstance(errors["q"], uc.AuthenticationError)
    monkeypatch.delenv("PRICE_p")
    box.flexprice.insert(1)
    end, errors = offsets.latest(reference, about, Manner(), end, 0.0)
    assert (set(end["accounts"]), set(errors)) == ({"p"}, {"p", "q"})


def test_an_account_that_is_another_one_now_is_refused(box, priced):
    """It would go on where the other stood."""
    reference = refer(priced)
    end, _ = offsets.latest(reference, reference.about(), Manner(), offsets.beginning(), 0.0)
    priced.write_text(priced.read_text(encoding="utf-8").replace('id = "p"', 'id = "z"'), encoding="utf-8")
    other = refer(priced)
    with pytest.raises(uc.CheckpointError, match="'p' is another one"):
        offsets.latest(other, other.about(), Manner(), end, 0.0)
    with pytest.raises(uc.ConfigurationError, match="in the middle of the account 'q'"):
        offsets.between(offsets.beginning(), end, refer(priced, ["p"]).about())
    with pytest.raises(uc.CheckpointError, match="not one that this release wrote"):
        offsets.between({"version": 2, "accounts": {}}, end, {})


def test_without_pyspark_the_package_can_be_looked_at_and_says_what_is_missing():
    """With the line that mends it."""
    code = (
        "import sys; sys.modules['pyspark'] = None\n"
        "import unified_customers as uc\n"
        "print(uc.spark.ERRORS[:3])\n"
        "try: uc.spark.register(None)\n"
        "except uc.ConfigurationError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("job\n")
    assert "pip install 'unified-customers[spark]'" in done.stdout


def test_nothing_is_left_of_a_bundle_where_no_account_is_whole(filed, tmp_path):
    """A row for each, and no customer."""
    tenants, path = filed
    for server in tenants.servers.values():
        server.meddle = lambda request, number: reply(401, {})
    bundles = uc.scale.partition_accounts(path, errors=tmp_path / "failed")
    assert rows(bundles) == whole(tenants, "ab")
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in (tmp_path / "failed").iterdir()) == 2
