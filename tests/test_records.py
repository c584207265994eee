"""The fast way of reading a page equals the slow and strict one, on every input, faults included."""

from __future__ import annotations

import copy
import json
import pickle
import re
import typing
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers._decode import Anything, Id, Number
from unified_customers._records import Records, Typed
from unified_customers._slots import draft_of, maker
from unified_customers._values import late
from unified_customers._wire import Response
from unified_customers.adapters import flatpeak, flexportal
from unified_customers.adapters.flexprice import records as flexprice
from unified_customers.models import LATE, ReadOnlyDict

OURS: dict[str, Any] = {
    "flexprice": flexprice.CUSTOMERS,
    "flexportal": flexportal._CUSTOMERS,
    "flatpeak": flatpeak._CUSTOMERS,
}
ODDITIES: list[Any] = [
    *(
        None,
        "",
        "a",
        0,
        7,
        -1,
        2.5,
        1e300,
        True,
        False,
        [],
        {},
        [1],
        {"a": 1},
        "@1e99999999999999999999@",
        "@long@",
    ),
    *("NaN", "-Infinity", "sNaN", "12.50", " 7 ", "1_0", "1e400", "@NaN@", "@-0.0@", "@01@"),
    *("2024-01-15T10:30:00Z", "2024-01-15T10:30:00.123456789+02:00", "20240115T103000Z", "2024-01-15"),
    *("0001-01-01T00:00:00+14:00", "2024-13-45T99:00:00Z", 1705314600, 1705314600123),
    *({"_seconds": 1705314600, "_nanoseconds": 5}, {"seconds": "x"}),
    *(
        "published",
        "archived",
        "active",
        "business",
        "Netherlands",
        "\ud800",
        "a\udfffb",
        "é",
        "👩",
        "\x00",
        10**30,
    ),
]
ODD = st.sampled_from(ODDITIES)
SANE = st.sampled_from(["", "Ada", "é", "2024-01-15T10:30:00.123456Z", "active"])


TIMES = ["2024-01-15T10:30:00Z", "2024-01-15T12:30:00.5+02:00", "2024-01-15T10:30:00", 1705314600]
NESTED = (flexportal._Address, flexportal._Figures, flatpeak._Details, flatpeak._Address)


def sane(wire: type[Any]) -> st.SearchStrategy[Any]:
    """Records as they should be: each field of its type, null or missing."""
    right: dict[str, Any] = {
        "dict": st.dictionaries(st.sampled_from(["k", "é", ""]), ODD, max_size=2),
        "bool": st.booleans(),
        "Number": st.sampled_from([0, 3, 1.25, "7.50", 1e22]),
        "Any": st.sampled_from(TIMES),
        **{kind.__name__: sane(kind) for kind in NESTED if kind is not wire and "Row" in wire.__name__},
        "str": SANE,
    }
    fields = {
        name: next(strategy for word, strategy in right.items() if word in str(hint)) | st.none()
        for name, hint in typing.get_type_hints(wire).items()
        if hint is not Id
    }
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def shape(draw: Any, records: Any) -> Any:
    """A record with an id, and now and then one field of it odd, or a field of a field."""
    row = draw(sane(records.wire))
    row[records.id] = draw(st.sampled_from(["c_1", "c_2", "c_3", "é"]))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        name = draw(st.sampled_from([*(field.name for field in attrs.fields(records.wire)), "unknown"]))
        inner = row.get(name)
        if isinstance(inner, dict) and inner and draw(st.booleans()):
            inner[draw(st.sampled_from(sorted(inner)))] = draw(ODD)
        else:
            row[name] = draw(ODD)
    return row


PROMISES: dict[str, Any] = {"flexprice": {"pagination": {"total": 1}}, "flexportal": {"hasMore": False}, "flatpeak": {}}


def dumped(value: Any, *, ascii: bool) -> bytes:
    """JSON; half characters are escaped, or else are no UTF-8; what stands in @ is a number as it is."""
    text = json.dumps(value, ensure_ascii=ascii)
    return re.sub('"@(.*?)@"', r"\1", text.replace("@long@", f"@{'9' * 5000}@")).encode("utf-8", "surrogatepass")


def slow(records: Any) -> Any:
    """The same table, read in the slow way alone."""
    other = copy.copy(records)
    other.__dict__["_made"] = None
    return other


def told(records: Any, body: bytes, content_type: str = "application/json") -> Any:
    """All that reading a page leads to: rows, what was kept out and why, or the error."""
    kept: list[Any] = []
    response = Response(status=200, headers={"content-type": content_type}, body=body)
    try:
        page = records.decode(response)
        if not isinstance(page, dict):
            return type(page)
        beside = {name: page[name] for name in records.beside if name in page}
        rows = records.rows(page.get(records.key), f"$.{records.key}", kept.append)
    except uc.CustomersError as error:
        return type(error), str(error), [str(one) for one in kept]
    return beside, [seen(row) for row in rows], [(str(one), one.path, one.record_id) for one in kept]


def seen(row: Any) -> Any:
    customer = row.customer
    if customer is None:
        return row.id, row.moment, None
    fields = {field.name: getattr(customer, field.name) for field in attrs.fields(uc.Customer)}
    types = {name: type(value) for name, value in fields.items()}
    assert type(customer) is uc.Customer
    return row.id, row.moment, repr(fields), types


@pytest.mark.parametrize("name", OURS)
def test_the_fast_way_equals_the_slow_one_for_each_odd_value_of_each_field(name):
    """One field of one record at a time, so that nothing else decides."""
    records = OURS[name]
    hints = typing.get_type_hints(records.wire)
    places = [(field,) for field in [*hints, "unknown"]]
    places += [(field, inner) for field, kind in hints.items() for inner in _inner(kind)]
    for place in places:
        for value in ODDITIES:
            row = {records.id: "c_1", place[0]: value if len(place) == 1 else {place[1]: value}}
            body = dumped({records.key: [row], **PROMISES[name]}, ascii=len(place) == 1)
            assert told(records, body) == told(slow(records), body), (place, value)


def _inner(kind: Any) -> list[str]:
    return [field.name for part in typing.get_args(kind) if attrs.has(part) for field in attrs.fields(part)]


@settings(max_examples=120)
@given(st.data(), st.sampled_from(sorted(OURS)), st.booleans())
def test_the_fast_way_equals_the_slow_one(data, name, ascii):
    """Sane and odd records, pages with and without their other keys."""
    records = OURS[name]
    page = data.draw(
        st.fixed_dictionaries(
            {records.key: st.one_of(st.lists(shape(records), max_size=3), st.lists(shape(records), max_size=3), ODD)},
            optional={key: st.one_of(ODD, SANE) for key in (*records.beside, "error", "message")},
        )
    )
    body = dumped(page, ascii=ascii)
    assert told(records, body) == told(slow(records), body)


@settings(max_examples=120)
@given(st.data(), st.sampled_from(sorted(OURS)))
def test_so_it_does_after_any_damage_to_the_bytes(data, name):
    """Cut, changed and inserted bytes, other charsets, a byte-order mark."""
    records = OURS[name]
    rows = data.draw(st.lists(shape(records), min_size=1, max_size=2))
    body = bytearray(dumped({records.key: rows, **dict.fromkeys(records.beside)}, ascii=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        way = data.draw(st.sampled_from(["cut", "change", "insert", "mark", "drop"]))
        byte = data.draw(st.sampled_from([*b'"{}[]:,\\u0eEN-.\n\t ', 0, 0x80, 0xC3, 0xED, 0xFF]))
        if way == "cut":
            del body[at:]
        elif way == "change" and body:
            body[at] = byte
        elif way == "insert":
            body.insert(at, byte)
        elif way == "drop" and body:
            del body[at]
        else:
            body[:0] = b"\xef\xbb\xbf"
    kind = data.draw(st.sampled_from(["application/json", "application/json; charset=latin-1", "text/html; charset=x"]))
    assert told(records, bytes(body), kind) == told(slow(records), bytes(body), kind)


@pytest.mark.parametrize("name", OURS)
def test_the_fast_way_is_taken_for_an_ordinary_page(name):
    """Or this file compares the slow way with itself."""
    records = OURS[name]
    hints = typing.get_type_hints(records.wire)
    row = {name: "x" for name, hint in hints.items() if hint == str | None} | {records.id: "c_1"}
    body = dumped({records.key: [row, {**row, records.id: "c_2"}], "odd": [1]}, ascii=False)
    page = records.decode(Response(status=200, headers={}, body=body))
    assert isinstance(page[records.key], Typed)
    assert records._fast(page[records.key]) is not None
    assert [row.id for row in records.rows(page[records.key], "$", None)] == ["c_1", "c_2"]


def a_customer() -> uc.Customer:
    row = b'{"id":"c_1","name":"Ada","created_at":"2024-01-15T10:30:00Z","amount":1.10}'
    body = b'{"items":[' + row + b'],"pagination":{"total":1}}'
    records = flexprice.CUSTOMERS
    page = records.decode(Response(status=200, headers={}, body=body))
    return records.rows(page["items"], "$.items", None)[0].customer


def test_raw_is_read_when_it_is_looked_at_and_whole():
    """Exact numbers, read-only, the same object each time."""
    customer = a_customer()
    assert type(uc.Customer.raw.slot.__get__(customer)) is bytes
    assert customer.raw["amount"] == Decimal("1.10")
    assert type(customer.raw) is ReadOnlyDict
    assert customer.raw is customer.raw
    with pytest.raises(TypeError):
        customer.raw["id"] = "x"


@pytest.mark.parametrize(
    "way",
    [
        copy.copy,
        copy.deepcopy,
        lambda c: pickle.loads(pickle.dumps(c)),
        attrs.evolve,
        lambda c: uc.from_dict(uc.to_dict(c)),
    ],
)
def test_a_customer_made_fast_is_as_any_other(way):
    """Copied, pickled, evolved and turned into plain values before anybody looked at raw."""
    assert way(a_customer()) == a_customer()
    assert way(a_customer()).raw == a_customer().raw
    assert hash(a_customer()) == hash(way(a_customer()))


FULL: dict[str, dict[str, Any]] = {
    "flexprice": {"id": "c_1", "address_city": "Köln", "updated_at": TIMES[1], "metadata": {"k": 1}},
    "flexportal": {
        "customerId": "c_1",
        "billingAddress": {"city": "Köln", "country": "DE"},
        "lastShippingAddress": {"locality": "x"},
        "updatedAt": {"_seconds": 1705314600},
        "customFields": {"k": "v"},
        "totalOrders": 3,
        "profitability": {"customerMargin": 1.25},
    },
    "flatpeak": {"id": "c_1", "postal_address": {"city": "Köln"}, "time_created": TIMES[0]},
}


def made_fast(name: str) -> uc.Customer:
    records = OURS[name]
    body = dumped({records.key: [FULL[name]], **PROMISES[name]}, ascii=False)
    return records.rows(records.decode(Response(status=200, headers={}, body=body))[records.key], "$", None)[0].customer


@pytest.mark.parametrize("name", OURS)
def test_what_is_made_when_looked_at_is_made_once_and_equals_the_slow_way(name):
    """Addresses, metrics, `updated_at`, `metadata` and `raw`, in any order of looking."""
    reference = OURS[name].one(json.loads(dumped(FULL[name], ascii=False), parse_float=Decimal), "$")
    for order in (list(LATE), list(reversed(LATE))):
        customer = made_fast(name)
        assert any(type(LATE[field].slot.__get__(customer)) in LATE[field].readers for field in LATE)
        for field in order:
            assert getattr(customer, field) == getattr(reference, field)
            assert type(getattr(customer, field)) is type(getattr(reference, field))
            assert getattr(customer, field) is getattr(customer, field)
        assert customer == reference


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c)), attrs.evolve, lambda c: c]
)
def test_a_customer_that_nobody_looked_at_goes_anywhere(name, way):
    """What it is made of does not show, whatever is done to it."""
    reference = OURS[name].one(json.loads(dumped(FULL[name], ascii=False), parse_float=Decimal), "$")
    assert way(made_fast(name)) == reference
    assert hash(way(made_fast(name))) == hash(reference)
    assert attrs.asdict(way(made_fast(name))) == attrs.asdict(reference)
    assert uc.to_dict(way(made_fast(name))) == uc.to_dict(reference)


def test_two_tables_of_one_wire_class_keep_their_late_fields_apart():
    """Which of them reads a record is told by the page that it came in."""

    def city(word):
        return late(lambda _: uc.Address(city=word))

    kinds = [
        Records(
            flatpeak._Row,
            provider="x",
            key="data",
            created="time_created",
            fields={"billing_address": (city(word), "postal_address")},
        )
        for word in ("a", "b")
    ]
    body = dumped({"data": [{"id": "c_1", "created_at": None}]}, ascii=True)
    for word, records in zip("ab", kinds, strict=True):
        page = records.decode(Response(status=200, headers={}, body=body))
        assert records.rows(page["data"], "$", None)[0].customer.billing_address.city == word


def test_a_customer_made_fast_is_frozen():
    """Its writable base is left behind."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        a_customer().name = "x"


def test_a_customer_keeps_its_own_record_alone():
    """Not the page that it came in, which would be a thousand times as large."""
    assert len(uc.Customer.raw.slot.__get__(a_customer())) < 100


@pytest.mark.parametrize("cls", [uc.Customer, uc.Address, uc.Metrics])
def test_what_is_filled_equals_what_is_constructed(cls):
    """All fields, by position."""
    values = [ReadOnlyDict(n=n) for n, _ in enumerate(attrs.fields(cls))]
    names = [field.name for field in attrs.fields(cls)]
    assert maker(cls)(*values) == cls(**dict(zip(names, values, strict=True)))


@attrs.frozen
class _Validating:
    a: int = attrs.field(validator=attrs.validators.instance_of(int))


class _Base:
    __slots__ = ("a",)


@attrs.frozen
class _Computing(_Base):
    a: int

    def __attrs_post_init__(self) -> None: ...


@pytest.mark.parametrize("cls", [_Validating, _Computing])
def test_a_class_that_does_more_than_take_its_fields_is_refused(cls):
    """Filled, it would skip that."""
    with pytest.raises(TypeError):
        draft_of(cls)


@attrs.frozen(kw_only=True)
class _Strange:
    id: Id
    tags: list[int] | None = None
    amount: Number | None = None
    other: Anything | None = None


def test_a_wire_class_with_other_types_is_read_in_the_slow_way():
    """A plugin may declare what cattrs knows and the fast way does not."""
    records = Records(_Strange, provider="mine", key="data", created="other", fields={"name": (str, "tags")})
    body = dumped({"data": [{"id": "a", "tags": [1, 2]}]}, ascii=True)
    page = records.decode(Response(status=200, headers={}, body=body))
    assert not isinstance(page["data"], Typed)
    assert records.rows(page["data"], "$.data", None)[0].customer.name == "[1, 2]"


@pytest.mark.parametrize("fields", [{"nme": "id"}, {"name": "nme"}, {"raw": "id"}, {"name": (str, "nme")}])
def test_a_table_that_names_what_is_not_there_is_refused_at_once(fields):
    """A misspelt field would stay empty for ever."""
    with pytest.raises(TypeError, match=r"nme|raw"):
        Records(_Strange, provider="mine", key="data", created="other", fields=fields)


def test_a_key_of_a_page_that_was_not_asked_for_is_a_mistake_to_look_for():
    """It would be missing from ordinary pages, and be there in odd ones."""
    body = b'{"items":[{"id":"c_1"}],"pagination":{},"next":"x"}'
    page = flexprice.CUSTOMERS.decode(Response(status=200, headers={}, body=body))
    assert page["pagination"] == page.get("pagination") == {}
    for look in (page.get, page.__getitem__, page.__contains__):
        with pytest.raises(TypeError, match="beside"):
            look("next")


def test_a_function_that_needs_the_wire_class_itself_gets_it():
    """A struct of the fast way is no attrs object; such a customer is built the slow way, and comes all the same."""

    def spelt(row):
        return ",".join(attrs.asdict(row))

    records = Records(
        flatpeak._Details, provider="mine", key="data", id="email", created="phone", fields={"name": (spelt,)}
    )
    body = dumped({"data": [{"email": "a", "phone": None}]}, ascii=True)
    page = records.decode(Response(status=200, headers={}, body=body))
    assert isinstance(page["data"], Typed)
    customer = records.rows(page["data"], "$.data", None)[0].customer
    assert (customer.name, customer.raw) == ("email,phone", {"email": "a", "phone": None})
