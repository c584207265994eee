"""Whatever is asked, the pretend providers answer with a status of their own and never fall over."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unified_customers.sandbox import Sandbox
from unified_customers.sandbox._json import dump
from unified_customers.sandbox._wire import Request

NAMES = [
    "limit", "offset", "order", "sort", "status", "email", "external_id", "customer_ids", "metadata",
    "filters", "expand", "start_time", "end_time", "startAfter", "sortBy", "sortDir", "customerType",
    "hasActiveRentals", "starting_after", "ending_before", "reference_id",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12),
    st.integers().map(str),
    st.sampled_from(
        ["asc", "desc", "name", "true", '{"a":"b"}', '{"field":"name","operator":"eq"}', "2026-01-01T00:00:00Z"]
    ),
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.text(max_size=8))
COLUMNS = st.sampled_from(["id", "name", "created_at", "updated_at", "contact", "metadata", "zzz"])
OPERATORS = st.sampled_from(["eq", "contains", "not_contains", "gt", "lt", "in", "not_in", "before", "after", "gte"])
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "string": st.text(max_size=5),
        "number": st.integers(-9, 9),
        "boolean": st.booleans(),
        "date": st.sampled_from(["2026-01-01T00:00:00Z", "soon", "2025-05-05T05:05:05.123456789+05:30"]),
        "array": st.lists(st.text(max_size=3), max_size=2),
    },
)
CONDITIONS = st.fixed_dictionaries({"field": COLUMNS, "operator": OPERATORS, "value": st.one_of(MEMBERS, SCALARS)})
SORTS = st.fixed_dictionaries({"field": COLUMNS}, optional={"direction": st.sampled_from(["asc", "desc", "up"])})
SEARCHES = st.fixed_dictionaries(
    {},
    optional={
        "filters": st.one_of(SCALARS, st.lists(CONDITIONS, max_size=3)),
        "sort": st.one_of(SCALARS, st.lists(SORTS, max_size=3)),
        "limit": st.one_of(SCALARS, st.integers(1, 50)),
        "offset": st.one_of(SCALARS, st.integers(0, 50)),
        "metadata": st.one_of(SCALARS, st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)),
        "customer_ids": st.one_of(SCALARS, st.lists(SCALARS, max_size=2)),
    },
)
BODIES = st.one_of(
    st.binary(max_size=20),
    SEARCHES.map(dump_safely := lambda value: dump(_small(value))),
    st.dictionaries(st.sampled_from(["external_id", "name", "email", "metadata", "firstName", "status"]), SCALARS).map(
        dump_safely
    ),
)


def _small(value):
    """JSON's encoder stops at 64 bits; larger numbers are sent as they are written."""
    if isinstance(value, dict):
        return {key: _small(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_small(inner) for inner in value]
    return value % 2**63 if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


@pytest.fixture(scope="module", params=["real", "documents"])
def box(request):
    return Sandbox(customers=30, flexprice=request.param, strange=True)


def everyone(box):
    token = {"authorization": f"Bearer {box.flatpeak.issue_token()}"}
    portal = {"authorization": f"Bearer {box.flexportal.api_key}", "tenant-id": box.flexportal.tenant_id}
    price = {"x-api-key": box.flexprice.api_key}
    return [
        (box.flexportal, portal, "/v1/customers"),
        (box.flexprice, price, "/v1/customers"),
        (box.flatpeak, token, "/customers"),
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, tail=st.sampled_from(["", "/", "/x", "/external/x", "/%zz", "/a%2Fb", "//"]))
def test_any_query_is_answered(box, query, tail):
    """Lists and single customers, known and unknown parameters."""
    for provider, headers, root in everyone(box):
        reply = provider.handle(Request("GET", root + tail, urlencode(query), headers))
        assert reply.status in {200, 301, 400, 404, 500}
        assert reply.status != 500 or provider.name == "flexprice"


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, method=st.sampled_from(["POST", "PUT", "PATCH"]), search=st.booleans())
def test_any_body_is_answered(box, body, method, search):
    """Searches, creates and updates, well-formed or not."""
    for provider, headers, root in everyone(box):
        target = provider.ids[0] if method != "POST" and provider.ids else "search"
        path = f"{root}/{target}" if search or method != "POST" else root
        reply = provider.handle(Request(method, path, "", headers, body))
        assert reply.status in {200, 201, 202, 400, 404, 409, 500}
