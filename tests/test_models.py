"""The values that users hold: frozen, quiet about people, and the same after any journey."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from strategies import addresses, customers, metrics

import unified_customers as uc
from unified_customers.models import ReadOnlyDict, open_enum

REFUSED = [
    lambda d: d.__setitem__("a", 1),
    lambda d: d.__delitem__("a"),
    lambda d: d.clear(),
    lambda d: d.pop("a"),
    lambda d: d.popitem(),
    lambda d: d.setdefault("b", 1),
    lambda d: d.update(b=1),
    lambda d: d.__ior__({"b": 1}),
]


@pytest.mark.parametrize("change", REFUSED)
def test_a_read_only_dict_refuses_every_change(change):
    """Each way to change a dict is refused, and nothing changes."""
    mapping = ReadOnlyDict(a=1)
    with pytest.raises(TypeError, match="read-only"):
        change(mapping)
    assert mapping == {"a": 1}


def test_a_read_only_dict_travels():
    """It pickles, copies, turns into JSON, and `dict()` makes a copy that can be changed."""
    mapping = ReadOnlyDict(a=[1], b={"c": None})
    for other in (copy.copy(mapping), copy.deepcopy(mapping), pickle.loads(pickle.dumps(mapping))):
        assert other == mapping
        assert type(other) is ReadOnlyDict
    assert json.loads(json.dumps(mapping)) == mapping
    assert mapping | {"d": 1} == {"a": [1], "b": {"c": None}, "d": 1}
    dict(mapping)["d"] = 1


@settings(max_examples=40)
@given(customers())
def test_a_customer_travels(customer):
    """Pickle, copy and deepcopy give an equal customer with the same hash."""
    for other in (pickle.loads(pickle.dumps(customer)), copy.copy(customer), copy.deepcopy(customer)):
        assert other == customer
        assert hash(other) == hash(customer)
    assert len({customer, copy.deepcopy(customer)}) == 1


@settings(max_examples=40)
@given(customers())
def test_a_customer_survives_json(customer):
    """`from_dict(json(to_dict(c)))` is `c`, to the last digit and microsecond."""
    text = json.dumps(uc.to_dict(customer))
    again = uc.from_dict(json.loads(text))
    assert again == customer
    assert type(again.status) is type(customer.status)
    assert type(again.kind) is type(customer.kind)
    assert uc.to_dict(again) == uc.to_dict(customer)
    if customer.metrics is not None:
        assert str(again.metrics.margin) == str(customer.metrics.margin)


@settings(max_examples=40)
@given(customers())
def test_to_dict_holds_plain_values_of_every_field(customer):
    """Every field by its name, and nothing that JSON doesn't know."""
    plain = uc.to_dict(customer)
    assert list(plain) == [field.name for field in attrs.fields(uc.Customer)]
    json.dumps(plain, allow_nan=False)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"provider": "x"},
        {"provider": "x", "id": "y", "colour": "red"},
        {"provider": "x", "id": "y", "created_at": "yesterday"},
        {"provider": "x", "id": "y", "created_at": 7},
        {"provider": "x", "id": "y", "created_at": "0001-01-01T00:00:00+23:00"},
        {"provider": "x", "id": "y", "billing_address": {"planet": "Mars"}},
        {"provider": "x", "id": "y", "billing_address": "Main Street"},
        {"provider": "x", "id": "y", "metrics": {"margin": "much"}},
        {"provider": "x", "id": "y", "metrics": 5},
        {"provider": "x", "id": "y", "metadata": 5},
        {"provider": "x", "id": "y", "raw": {"a": {"$decimal": "much"}}},
        None,
        5,
        [1],
        "text",
    ],
)
def test_from_dict_refuses_what_is_no_customer(data):
    """One error of ours, whatever is wrong."""
    with pytest.raises(uc.InvalidRequestError):
        uc.from_dict(data)


def test_a_customer_is_frozen():
    """No field can be set, no mapping changed."""
    customer = uc.Customer(provider="flexprice", id="cust_1", metadata=ReadOnlyDict(a=1))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        customer.email = "x"
    with pytest.raises(TypeError):
        customer.metadata["a"] = 2


def test_reprs_show_no_personal_data():
    """A customer shows provider, ids, kind and status; an address its country's code; a query its parts' names."""
    customer = uc.Customer(
        provider="flexportal",
        id="cust_1",
        external_id="e1",
        name="Ada Planted",
        email="ada@planted.example",
        phone="+31 planted",
        company="Planted BV",
        kind=uc.Kind.BUSINESS,
        status="frozen",
        billing_address=uc.Address(name="Ada Planted", line1="Planted 1", country="Netherlands", country_code="NL"),
        raw=ReadOnlyDict(email="ada@planted.example"),
    )
    assert repr(customer) == (
        "Customer(provider='flexportal', id='cust_1', external_id='e1', kind='business', status='frozen')"
    )
    assert str(customer) == repr(customer)
    assert repr(customer.billing_address) == "Address(country_code='NL')"
    assert "planted" not in repr(uc.Page(items=(customer,))).lower()
    assert repr(uc.Query(email="ada@planted.example")) == "Query(email)"


def test_unset_fields_are_none():
    """Nothing is made up."""
    customer = uc.Customer(provider="p", id="i")
    for field in attrs.fields(uc.Customer):
        if field.name not in {"provider", "id", "metadata", "raw"}:
            assert getattr(customer, field.name) is None
    assert customer.metadata == {}
    assert customer.raw == {}


@given(addresses(), metrics())
def test_parts_are_values(address, figures):
    """Equal parts are equal, and hash alike."""
    assert address == copy.deepcopy(address)
    assert hash(address) == hash(copy.deepcopy(address))
    assert figures == pickle.loads(pickle.dumps(figures))


@pytest.mark.parametrize(
    ("words", "value", "want"),
    [
        (uc.Status, "active", uc.Status.ACTIVE),
        (uc.Status, "frozen", "frozen"),
        (uc.Status, "", ""),
        (uc.Status, None, None),
        (uc.Kind, "business", uc.Kind.BUSINESS),
        (uc.Kind, "BUSINESS", "BUSINESS"),
    ],
)
def test_enums_are_open(words, value, want):
    """A known word is a member, an unknown one stays as it is."""
    found = open_enum(words, value)
    assert found == want
    assert type(found) is type(want)


def test_a_page_iterates_over_its_items():
    """`for customer in page` and `len(page)` do what they say."""
    items = tuple(uc.Customer(provider="p", id=str(n)) for n in range(3))
    page = uc.Page(items=items)
    assert tuple(page) == items
    assert len(page) == 3
    assert pickle.loads(pickle.dumps(page)) == page


def test_times_and_money_in_to_dict():
    """Times are ISO 8601 in UTC, money is text."""
    customer = uc.Customer(
        provider="p",
        id="i",
        created_at=datetime(2024, 1, 2, 3, 4, 5, 6, UTC),
        metrics=uc.Metrics(monthly_revenue=Decimal("1234.10"), orders=3),
        raw=ReadOnlyDict(money=Decimal("0.10")),
    )
    plain = uc.to_dict(customer)
    assert plain["created_at"] == "2024-01-02T03:04:05.000006+00:00"
    assert plain["metrics"]["monthly_revenue"] == "1234.10"
    assert plain["metrics"]["orders"] == 3
    assert plain["raw"] == {"money": {"$decimal": "0.10"}}
