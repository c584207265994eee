"""Customers as plain values and as lines of JSON, the quick way and the old way: not a byte may differ."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import customers, halves, json_values

import unified_customers as uc
from unified_customers.models import LATE, ReadOnlyDict, unread
from unified_customers.tables.flat import line
from unified_customers.tables.texts import dump, quick


def slow_plain(value: Any) -> Any:
    """What plain values are, said one kind after another."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {name: slow_plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [slow_plain(inner) for inner in value]
    if attrs.has(type(value)):
        fields = {a.name: getattr(value, a.name) for a in attrs.fields(type(value))}
        return {name: str(inner) if isinstance(inner, Decimal) else inner for name, inner in fields.items()}
    return value


def slow_dict(customer: uc.Customer) -> dict[str, Any]:
    """`to_dict` as it was: each field looked at."""
    return {field.name: slow_plain(getattr(customer, field.name)) for field in attrs.fields(uc.Customer)}


ODD = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def slow_dump(value: Any) -> str:
    """`dump` as it was: by the json module, and what is odd escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def slow_line(customer: uc.Customer, account: str) -> str:
    """A line as it was."""
    return slow_dump({"account": account, **slow_dict(customer)}) + "\n"


def unread_of(words: bytes, **fields: Any) -> uc.Customer:
    """A customer whose provider's object nobody has looked at, as walks hand them out."""
    customer = uc.Customer(provider="flexprice", id="1", **fields)
    LATE["raw"].slot.__set__(customer, words)
    return customer


def the_same(make: Any, other: Any) -> None:
    """Both return the same, or neither returns."""
    try:
        wanted = other()
    except Exception as error:  # noqa: BLE001 - whichever it is, the other has to raise it too
        with pytest.raises(type(error)):
            make()
    else:
        assert make() == wanted


texts = st.text(max_size=8) | halves
fractions = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,21})?", fullmatch=True
)


@st.composite
def records(draw):
    """The bytes of an object: any names, several times the same among them, and numbers in every spelling."""
    members = draw(st.lists(st.tuples(texts, json_values.map(json.dumps) | fractions), max_size=5))
    escaped = draw(st.booleans())
    parts = (f"{json.dumps(name, ensure_ascii=escaped)}: {value}" for name, value in members)
    return ("{" + ", ".join(parts) + "}").encode("utf-8", "surrogatepass")


@given(customers())
def test_a_customer_is_the_same_dict_and_line_as_ever(customer):
    """Whatever its fields hold."""
    assert uc.to_dict(customer) == slow_dict(customer)
    assert line(customer, "berlin") == slow_line(customer, "berlin")


@given(records(), customers())
def test_a_record_that_nobody_looked_at_is_the_same_line_as_one_that_was_read(words, others):
    """Its bytes are spelt anew and not understood first; what can't be is left to the slow way, or fails there too."""
    fields = {name: getattr(others, name) for name in ("name", "status", "metadata", "metrics", "created_at")}
    the_same(lambda: uc.to_dict(unread_of(words, **fields)), lambda: slow_dict(unread_of(words, **fields)))
    the_same(lambda: line(unread_of(words, **fields), "é"), lambda: slow_line(unread_of(words, **fields), "é"))


@pytest.mark.parametrize(
    "words",
    [
        b'{"a":1.50,"b":-0,"c":-0.0,"d":1e5,"e":0.0000001,"f":12345678901234567890123}',
        b'{"a":{"$decimal":"1"},"a":2,"\\u0041":"\\u00e9\\/"}',
        '{"é\u2028":"\u202eabc\x7f\ufeff"}'.encode(),
        b'{"half":"\\ud800"}',
        b'{"broken":"\xff"}',
        b'{"beyond":1e99999999999999999999}',
        b"{}",
        b'{"a":[],"b":{},"c":[[{}]]}',
    ],
)
def test_records_with_a_catch(words):
    """Each is the same by both ways."""
    assert line(unread_of(words), "a") == slow_line(unread_of(words), "a")
    assert uc.to_dict(unread_of(words)) == slow_dict(unread_of(words))


def test_a_line_leaves_the_record_unread():
    """So an export's memory doesn't grow by what nobody asked for."""
    customer = unread_of(b'{"a":1.5}')
    line(customer, "a")
    uc.to_dict(customer)
    assert unread(customer) == b'{"a":1.5}'
    assert customer.raw == {"a": Decimal("1.5")}


def test_what_to_dict_returns_is_the_callers():
    """Changing it changes no customer."""
    customer = unread_of(b'{"a":[1]}', metadata=ReadOnlyDict({"b": [2]}))
    found = uc.to_dict(customer)
    found["raw"]["a"].append(3)
    found["metadata"]["b"].append(4)
    assert uc.to_dict(customer)["raw"] == {"a": [1]}
    assert uc.to_dict(customer)["metadata"] == {"b": [2]}


class Word(str):
    """A text of a user's own type."""

    __slots__ = ()


@attrs.frozen
class One:
    """An attrs class with one field."""

    only: Any = Decimal("1.0")


@pytest.mark.parametrize(
    "value",
    [1.5, 1e16, 1e-7, -0.0, {"a": 1e100}, [True, 1.0], {1: "a"}, {None: 1}, {True: 2}, Word("x"), {Word("k"): 1},
     float("nan"), b"bytes", {"a": {1}}, One(), datetime(2026, 1, 1, tzinfo=UTC), 2**70, [10**30], "\ud800"],
)  # fmt: skip
def test_what_the_two_may_write_differently_is_written_the_old_way(value):
    """Floats, names that are no texts, a user's own types: the same text, or the same kind of error."""
    the_same(lambda: dump(value), lambda: slow_dump(value))
    customer = uc.Customer(provider="p", id="1", metadata={"odd": value})
    the_same(lambda: uc.to_dict(customer), lambda: slow_dict(customer))
    the_same(lambda: line(customer, "a"), lambda: slow_line(customer, "a"))
    the_same(lambda: line(unread_of(b"{}", metadata={"odd": value}), "a"),
             lambda: slow_line(unread_of(b"{}", metadata={"odd": value}), "a"))  # fmt: skip


@given(json_values)
def test_any_json_is_written_as_ever(value):
    """By the quick way where it is sure, else by the old one."""
    the_same(lambda: dump(value), lambda: slow_dump(value))


def test_the_quick_way_is_taken():
    """For what exports are full of; else the tests above would compare the old way with itself."""
    assert quick({"a": [1, "é", None, {"b": True}]}) == '{"a": [1, "é", null, {"b": true}]}'
    assert quick({"a": 1.5}) is None
