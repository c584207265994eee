"""Addresses: no id escapes its segment, no value its parameter."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from fakes import HOST, Account, flatpeak, flexportal, flexprice, reply
from hypothesis import example, given
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers._url import body, pairs, plain, url

sendable = st.text(min_size=1, max_size=20)


@given(st.lists(sendable, min_size=1, max_size=3), st.lists(st.tuples(sendable, st.text(max_size=20)), max_size=3))
def test_segments_and_pairs_parse_back(segments, query):
    """What is put in comes out, piece for piece."""
    address = url("https://h.example/p", *segments, query=query)
    parts = urlsplit(address)
    assert address.isascii()
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "h.example", "")
    assert [unquote(piece) for piece in parts.path.removeprefix("/p/").split("/")] == segments
    assert parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(query)) == query


@given(sendable)
@example(".")
@example("..")
@example("...")
@example("a/../b")
@example("?x=1")
@example("#f")
@example("%2e%2e")
@example("a\\b")
@example("\r\nX: y")
@example("%")
def test_httpx_leaves_the_segment_where_it_is(id_):
    """Nor does the HTTP client resolve dots or decode slashes."""
    address = url("https://h.example/v1/customers", id_)
    sent = httpx.Request("GET", address).url
    assert sent.host == "h.example"
    raw = sent.raw_path.decode()
    assert raw.startswith("/v1/customers/")
    assert raw.count("/") == 3
    assert unquote(raw.rpartition("/")[2]) == id_


HOSTILE = [
    "..",
    ".",
    "a/b",
    "../secrets",
    "a?b=1",
    "a#f",
    "%2F",
    "a%2Fb",
    "ä ö",
    "a+b",
    "a&b=c",
    "\x00",
    "a\nb",
    "/",
    "日本",
]


@pytest.mark.parametrize("id_", HOSTILE)
@pytest.mark.parametrize("adapter", [flexportal, flexprice, flatpeak])
@pytest.mark.parametrize("by", ["id", "external_id"])
def test_a_hostile_id_asks_for_itself_only(adapter, id_, by):
    """The request goes to one customer, or to the list with the id as a filter; never elsewhere."""
    asked = []

    def server(request):
        asked.append(request.url)
        if request.url.endswith("/login"):
            return reply(200, {"bearer_token": "t", "expires_in": 3600})
        return reply(404, {})

    account = Account(adapter(), server)
    if by == "external_id" and adapter is flexportal:
        with pytest.raises(uc.UnsupportedError):
            account.customer(external_id=id_)
        assert asked == []
        return
    with pytest.raises(uc.CustomersError):
        account.customer(**{by: id_})
    address = asked[-1]
    path, query = urlsplit(address).path, dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    root = "/customers" if adapter is flatpeak else "/v1/customers"
    assert address.startswith(HOST + root)
    rest = path.removeprefix(root)
    if rest:
        assert unquote(rest.rpartition("/")[2]) == id_
        assert rest.rpartition("/")[0] in {"", "/external"}
    else:
        assert id_ in query.values()


@pytest.mark.parametrize("id_", ["", " ", "\t", None, 7, b"x", [], "\ud800"])
@pytest.mark.parametrize("adapter", [flexportal, flexprice, flatpeak])
def test_an_id_that_names_nobody_is_refused(adapter, id_):
    """`GET /customers/` would be the list; nothing is sent."""
    account = Account(adapter(), lambda request: pytest.fail("something was sent"))
    with pytest.raises(uc.InvalidRequestError):
        account.customer(id_)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ({"a": "b"}, [("a", "b")]),
        ({"a": True, "b": False}, [("a", "true"), ("b", "false")]),
        ({"a": ["x", "y"], "b": ()}, [("a", "x"), ("a", "y")]),
        ({"a": 5, "b": 2.5}, [("a", "5"), ("b", "2.5")]),
        ({"metadata": {"k": "é"}}, [("metadata", '{"k": "é"}')]),
        ({"filters": [{"f": 1}, {"g": 2}]}, [("filters", '{"f": 1}'), ("filters", '{"g": 2}')]),
    ],
)
def test_params_as_pairs(value, want):
    """A list repeats its key, a mapping is JSON, a flag is lower-case."""
    assert pairs(value) == want


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_a_mapping_is_json(value):
    """And reads back."""
    assert json.loads(plain(value)) == value
    assert json.loads(body(value)) == value
