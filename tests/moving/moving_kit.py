"""What the tests of moving share: clients over a sandbox in the same process, and source customers of every kind."""

from __future__ import annotations

import httpx
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers.models import ReadOnlyDict
from unified_customers.sandbox._wire import Request

KINDS = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
FAST = uc.Retry(attempts=1)


def client(provider, *, retry=FAST, before=lambda _request: None, after=lambda _request: None):
    """A client of a sandbox's provider that needs no socket; `before` and `after` see each request."""

    def answer(request):
        path = request.url.raw_path.decode().partition("?")[0].removeprefix(httpx.URL(provider.base_url).path)
        plain = Request(
            request.method, path, request.url.query.decode(), dict(request.headers.items()), request.content
        )
        before(plain)
        reply = provider.handle(plain)
        after(plain)
        if reply.ending != "whole":
            raise httpx.ReadError("cut")
        return httpx.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return uc.Client(KINDS[provider.name](**provider.settings), http_client=http, retry=retry)


def published(provider):
    """The target's published customers, whole, by id."""
    return {row["id"]: row for row in provider.rows if row.get("status", "published") == "published"}


def writes(provider, since=0):
    """The writes that a provider got."""
    return [
        (method, path)
        for method, path, _status in provider.requests[since:]
        if method in {"POST", "PUT", "PATCH", "DELETE"} and not path.partition("?")[0].endswith("/search")
    ]


def person(number, **fields):
    """A FlexPortal customer as the adapter makes it."""
    return uc.Customer(
        provider="flexportal",
        id=f"cust_{number}",
        account_id="bu_1",
        **{"name": f"Ann {number}", "first_name": "Ann", "last_name": str(number), **fields},
    )


texts = st.text(min_size=1, max_size=12)
long_or_short = texts | st.sampled_from(["half \ud800", "x" * 256, "ü" * 130, "é" * 300])
addresses = st.builds(
    uc.Address,
    name=st.none() | texts,
    company=st.none() | texts,
    line1=st.none() | long_or_short,
    city=st.none() | texts,
    postal_code=st.none() | st.sampled_from(["1011 AB", "1" * 21]),
    country=st.sampled_from([None, "NL", "Germany", "Atlantis"]),
).map(lambda made: uc.Address(**{**_parts(made), "country_code": _CODES.get(made.country)}))
_CODES = {"NL": "NL", "Germany": "DE"}


def _parts(address):
    return {name: getattr(address, name) for name in ("name", "company", "line1", "city", "postal_code", "country")}


people = st.builds(
    uc.Customer,
    provider=st.just("flexportal"),
    account_id=st.just("bu_1"),
    id=st.sampled_from([f"c{number}" for number in range(12)]) | st.sampled_from(["c" * 256, "ü/ö?", "\udfff"]),
    name=st.none() | long_or_short,
    first_name=st.none() | texts,
    company=st.none() | texts,
    email=st.sampled_from([None, "ann@example.com", "bob@example.com", "no address", "ann@EXAMPLE.com", "\ud800@x.co"]),
    phone=st.none() | st.sampled_from(["+31612345678", "+49 30 1234567890 ext. 12", "1" * 21]),
    kind=st.none() | st.sampled_from(uc.Kind),
    status=st.sampled_from([uc.Status.ACTIVE, uc.Status.INACTIVE]),
    billing_address=st.none() | addresses,
    shipping_address=st.none() | addresses,
    metadata=st.dictionaries(
        st.sampled_from(["plan", "gstin", "pan", "moved_from", "moved_id", "", "a.b"]),
        st.none() | st.booleans() | st.integers(0, 9) | texts | st.lists(st.integers(0, 9), max_size=2),
        max_size=3,
    ).map(ReadOnlyDict),
)
crowds = st.lists(people, max_size=12)
