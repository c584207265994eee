"""Bytes to strict values: nothing is coerced, nothing of a record is shown, and any bytes have an answer."""

from __future__ import annotations

import codecs
import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import bodies, json_values, plain_json

import unified_customers as uc
from unified_customers import _decode
from unified_customers._decode import Anything, Id, Number
from unified_customers._wire import Response


def answered(body: bytes, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, body=body)


# Bodies


@given(plain_json)
def test_json_is_decoded_as_it_is(value):
    """What Python's own reader finds, ours finds."""
    assert _decode.decode(answered(json.dumps(value).encode())) == value


@given(
    bodies(),
    st.sampled_from(["", "application/json", "text/html; charset=latin-1", "x; charset=nonsense", "x; charset=utf-16"]),
)
def test_any_bytes_are_a_value_or_malformed(body, kind):
    """Whatever arrives, under whatever name."""
    try:
        _decode.decode(answered(body, content_type=kind))
    except uc.MalformedResponseError as error:
        judge(error, "$")


def judge(error, place):
    """It says where."""
    assert error.path.startswith(place)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<!DOCTYPE html><html>ada@planted.example</html>", "an HTML page"),
        (b"<html>", "an HTML page"),
        (b'{"a": 1', "a cut or broken body"),
        (b"[1,", "a cut or broken body"),
        (b"upstream timed out for ada@planted.example", "plain text"),
        (b'{"a": NaN}', "a cut or broken body"),
        (b'{"a": Infinity}', "a cut or broken body"),
        (b'{"a\xff', "a cut or broken body"),
        (b"[" * 100_000, "a cut or broken body"),
        (b'{"a":' * 100_000, "a cut or broken body"),
        (b"\x1f\x8b\x08\x00\x00", "plain text"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_json_is_described_but_not_shown(body, says):
    """The message says what it looks like, never what it holds."""
    with pytest.raises(uc.MalformedResponseError, match=says) as caught:
        _decode.decode(answered(body))
    assert "planted" not in str(caught.value)


def test_ten_megabytes_of_nesting_are_refused():
    """No recursion, no memory: an error."""
    with pytest.raises(uc.MalformedResponseError):
        _decode.decode(answered(b"[" * 10_000_000))


@pytest.mark.parametrize(
    ("body", "kind", "want"),
    [
        (codecs.BOM_UTF8 + b'{"a": "\xc3\xa9"}', "application/json", {"a": "é"}),
        (b'{"a": "\xe9"}', "application/json; charset=latin-1", {"a": "é"}),
        (b'{"a": "\xe9"}', 'application/json; charset="ISO-8859-1"; x=y', {"a": "é"}),
        (b'{"a": "\xc3\xa9"}', "application/json; charset=latin-1", {"a": "é"}),
        (b'{"a": "\xc3\xa9"}', "application/json; charset=nonsense", {"a": "é"}),
        (b'{"a": "\xc3\xa9"}', "text/plain", {"a": "é"}),
    ],
)
def test_charsets_and_byte_order_marks(body, kind, want):
    """UTF-8 wins where it fits, whatever is declared."""
    assert _decode.decode(answered(body, content_type=kind)) == want


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b'{"a": "x\xff"}', "x\udcff"),
        (b'{"a": "\\ud800x"}', "\ud800x"),
        (b'{"a": ' + b"9" * 5000 + b"}", Decimal("9" * 5000)),
        (b'{"a": 1e99999999999999999999}', "1e99999999999999999999"),
    ],
)
def test_what_is_wrong_inside_a_value_spoils_no_page(body, want):
    """It stays in its value, where a strict field refuses it and `raw` shows it."""
    assert _decode.decode(Response(status=200, headers={}, body=body)) == {"a": want}


@pytest.mark.parametrize("text", ["1234.10", "0.1", "-3.00", "1e2", "118.05", "99999999999999999999.99"])
def test_fractions_are_exact(text):
    """Money keeps its digits."""
    value = _decode.decode(answered(text.encode()))
    assert value == Decimal(text)
    assert str(value) == str(Decimal(text))


# Strict values


@attrs.frozen(kw_only=True)
class Inner:
    plan: str | None = None


@attrs.frozen(kw_only=True)
class Wire:
    id: Id
    name: str | None = None
    live: bool | None = None
    money: Number | None = None
    at: Anything | None = None
    extra: dict[str, Any] | None = None
    inner: Inner | None = None


PATH = "$.items[3]"


@pytest.mark.parametrize(
    ("field", "value", "want"),
    [
        ("id", "a", "a"),
        ("id", 7, "7"),
        ("id", 10**30, str(10**30)),
        ("name", None, None),
        ("name", "", ""),
        ("name", "None", "None"),
        ("live", None, None),
        ("live", False, False),
        ("money", None, None),
        ("money", 3, Decimal(3)),
        ("money", Decimal("1234.10"), Decimal("1234.10")),
        ("money", "1234.10", Decimal("1234.10")),
        ("at", [1, {"a": None}], [1, {"a": None}]),
        ("at", None, None),
        ("extra", None, None),
        ("extra", {}, {}),
        ("extra", {"a": [1]}, {"a": [1]}),
        ("inner", None, None),
        ("inner", {"plan": None, "unknown": 1}, Inner()),
    ],
)
def test_good_values_stay_what_they_are(field, value, want):
    """`None` stays `None`; nothing turns into text."""
    found = getattr(_decode.record(Wire, {"id": "x", field: value, "unknown": object()}, PATH), field)
    assert found == want
    assert type(found) is type(want)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", True),
        ("id", 7.5),
        ("id", Decimal("7.5")),
        ("id", ["planted"]),
        ("id", {"planted": 1}),
        ("id", "planted\ud800"),
        ("name", "planted\udfff"),
        ("name", 7),
        ("name", True),
        ("name", ["planted"]),
        ("name", {"planted": "planted"}),
        ("live", "false"),
        ("live", "planted"),
        ("live", 0),
        ("live", 1),
        ("money", "planted"),
        ("money", ""),
        ("money", "NaN"),
        ("money", "Infinity"),
        ("money", True),
        ("money", ["planted"]),
        ("extra", []),
        ("extra", "planted"),
        ("extra", [["planted", "planted"]]),
        ("inner", "planted"),
        ("inner", "nothing"),
        ("inner", ""),
        ("inner", []),
        ("inner", ["planted"]),
        ("inner", {"plan": 7}),
        ("inner", 5),
    ],
)
def test_a_wrong_type_is_an_error_with_its_place(field, value):
    """The path names the field, the message holds no value of the record."""
    sent = {"id": "planted-id", "name": "planted", "extra": {"planted": "planted"}, field: value}
    with pytest.raises(uc.BadRecordError) as caught:
        _decode.record(Wire, sent, PATH)
    error = caught.value
    place = f"{PATH}.{field}" + (".plan" if isinstance(value, dict) and "plan" in value else "")
    assert error.path == place
    assert place in str(error)
    assert "planted" not in str(error)
    assert error.record_id == (
        value if field == "id" and isinstance(value, str) else "planted-id" if field != "id" else None
    )
    assert error.__cause__ is None


def test_a_missing_id_is_an_error():
    """A customer without an id can't be kept apart from others."""
    with pytest.raises(uc.BadRecordError) as caught:
        _decode.record(Wire, {"name": "planted"}, PATH)
    assert caught.value.path in {f"{PATH}.id", PATH}
    assert "required field missing" in str(caught.value)


@given(json_values)
def test_any_value_is_a_record_or_bad(value):
    """Whatever stands where a record should be."""
    for sent in (value, {"id": value}, {"id": "x", "inner": value, "money": value, "name": value}):
        try:
            _decode.record(Wire, sent, PATH)
        except uc.BadRecordError as error:
            judge(error, PATH)


@pytest.mark.parametrize("value", [None, 5, "x", [], True])
def test_an_object_is_wanted(value):
    """And its place is told."""
    with pytest.raises(uc.MalformedResponseError, match=r"\$\.a") as caught:
        _decode.obj(value, "$.a")
    assert caught.value.path == "$.a"
    if value != []:
        with pytest.raises(uc.MalformedResponseError):
            _decode.array(value, "$.a")


@pytest.mark.parametrize(
    ("value", "want"), [(None, None), ("", None), ("a", "a"), (7, "7"), (0, "0"), ("null", "null")]
)
def test_a_cursor(value, want):
    """Text, digits or nothing."""
    assert _decode.cursor(value, "$.c") == want


@pytest.mark.parametrize("value", [True, 7.5, [], {}, {"a": 1}])
def test_what_is_no_cursor(value):
    """It would lead nowhere."""
    with pytest.raises(uc.MalformedResponseError):
        _decode.cursor(value, "$.c")


@pytest.mark.parametrize("value", ["true", 1, 0, [], "x", 1.0])
def test_what_is_no_flag(value):
    """`"false"` is not `True`."""
    assert _decode.flag(None, "$.f") is None
    assert _decode.flag(False, "$.f") is False
    with pytest.raises(uc.MalformedResponseError):
        _decode.flag(value, "$.f")


@pytest.mark.parametrize(
    ("value", "want"), [(0, 0), (5, 5), (-1, None), ("5", None), (True, None), (None, None), (5.5, None)]
)
def test_a_total_is_a_hint(value, want):
    """What can't be read is no total."""
    assert _decode.count(value) == want


@given(st.builds(Wire, id=st.text(min_size=1), name=st.none() | st.text(), inner=st.none() | st.builds(Inner)))
def test_plain_and_back(value):
    """A frozen value of ours survives its plain form."""
    assert _decode.restore(Wire, _decode.plain(value)) == value


@pytest.mark.parametrize("value", [None, 5, [], {}, {"id": None}, {"id": "x", "name": 5}])
def test_a_spoilt_plain_form_is_refused(value):
    """With the one error that checkpoints expect."""
    with pytest.raises(ValueError):
        _decode.restore(Wire, value)
