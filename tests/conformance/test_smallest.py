"""The smallest adapter there is, over a provider that sends bare lists by offset, with ids that are numbers.

The kit finds its way in other forms of answers than those of our own providers, and tells a naive adapter from a good
one.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

import unified_customers as uc
from unified_customers import adapter as a
from unified_customers import conformance


@attrs.frozen(kw_only=True)
class Small(a.Adapter):
    """A provider without filters, totals or a sign-in."""

    name: ClassVar[str] = "small"
    title: ClassVar[str] = "Small"
    capabilities: ClassVar[a.Capabilities] = a.Capabilities(max_page_size=50)
    positions: ClassVar[tuple[type[Any], ...]] = (a.offset.OffsetPosition,)

    key: str = attrs.field(repr=False)
    base_url: str

    def account(self):
        return (self.base_url,)

    def secrets(self):
        return (self.key,)

    def check_query(self, query):
        a.refuse_own(query, ("offset", "limit"))
        return query

    def start(self, query):
        return a.offset.OffsetPosition()

    def asked(self, query, position):
        return a.offset.size_of(position, query.page_size, 50)

    def list_request(self, query, position):
        pairs = [("offset", str(position.offset)), ("limit", str(self.asked(query, position))), *a.pairs(query.params)]
        return self.get("people", query=pairs, what="list people")

    def get(self, *segments, what, query=()):
        headers = (*a.JSON, ("authorization", f"Bearer {self.key}"))
        return a.Request(method="GET", url=a.url(self.base_url, *segments, query=query), what=what, headers=headers)

    def read_page(self, query, position, response, keep):
        rows = self.rows(response, keep)
        asked = self.asked(query, position)
        return a.offset.advance(position, rows, asked=asked, total=None, page_size=query.page_size, largest=50)

    def rows(self, response, keep):
        found = [self.row(raw, f"$[{n}]", keep) for n, raw in enumerate(a.array(a.decode(response), "$"))]
        return [row for row in found if row is not None]

    def row(self, raw, path, keep):
        try:
            customer = self.customer_of(raw, path)
        except uc.BadRecordError as error:
            return a.unreadable(error, keep, raw, "id", None)
        return a.Row(customer.id, customer.created_at, customer)

    def customer_of(self, raw, path):
        row = a.record(Person, raw, path)
        return a.Customer(
            provider="small", id=row.id, name=a.text(row.name), created_at=a.moment(row.since), raw=a.ReadOnlyDict(raw)
        )

    def one(self, *, id, external_id):
        request = self.get("people", id, what="get a person")
        return request, lambda response: self.customer_of(a.obj(a.decode(response)), "$")

    def problem(self, response):
        return a.Problem(says=a.said(a.error_body(response).get("message")))


@attrs.frozen(kw_only=True)
class Person:
    id: a.Id
    name: str | None = None
    since: Any = None


class FakeSmall:
    """Oldest first."""

    def __init__(self, n: int):
        self.records = {
            str(k + 100): {"id": k + 100, "name": f"Plantagenet {k}", "since": 1_700_000_000 + 60 * k} for k in range(n)
        }

    def __call__(self, request: a.Request) -> a.Response:
        parts = urlsplit(request.url)
        if parts.path != "/people":
            found = self.records.get(parts.path.removeprefix("/people/"))
            return a.Response(status=200 if found else 404, headers={}, body=json.dumps(found or {}).encode())
        query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        rows = sorted(self.records.values(), key=lambda row: row["since"])
        page = rows[query["offset"] : query["offset"] + query["limit"]]
        return a.Response(status=200, headers={}, body=json.dumps(page).encode())


class TestSmall(conformance.Conformance):
    adapter = staticmethod(lambda base_url: Small(key="small-planted-key", base_url=base_url))
    server = FakeSmall


@attrs.frozen(kw_only=True)
class Rank:
    rank: int = 0


class Naive(Small):
    """Adds up offsets, as most code does."""

    positions: ClassVar = (Rank,)

    def start(self, query):
        return Rank()

    def list_request(self, query, position):
        pairs = [("offset", str(position.rank)), ("limit", str(query.page_size))]
        return self.get("people", query=pairs, what="list people")

    def read_page(self, query, position, response, keep):
        items = [row.customer for row in self.rows(response, keep)]
        following = Rank(rank=position.rank + len(items)) if items else None
        return a.Batch(items=items, at=lambda n: Rank(rank=position.rank + n), next=following)


def test_an_adapter_that_adds_up_offsets_loses_customers_and_is_told():
    """At rest it is right; where rows are removed meanwhile, it passes over others."""

    class Kit(conformance.Conformance):
        adapter = staticmethod(lambda base_url: Naive(key="small-planted-key", base_url=base_url))
        server = FakeSmall

    Kit().test_every_customer_comes_once_whatever_the_size()
    with pytest.raises(AssertionError, match="never came, without an error"):
        Kit().test_who_stays_comes_once_while_others_go_and_come()
