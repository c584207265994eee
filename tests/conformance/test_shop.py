"""An adapter that can everything passes every check, and not one of them is skipped; with small pages as well."""

from __future__ import annotations

import functools
import json
from typing import ClassVar

import attrs
import pytest
from shop import KEY, FakeShop, Shop, shop

from unified_customers import adapter as a
from unified_customers import conformance
from unified_customers.conformance._stage import BASE


def unskipped(check):
    """Turn a skip into a failure."""

    @functools.wraps(check)
    def checked(self):
        try:
            check(self)
        except pytest.skip.Exception as skipped:
            raise AssertionError(f"skipped: {skipped}") from None

    return checked


class TestShop(conformance.Conformance):
    adapter = staticmethod(shop)
    server = FakeShop


for _name in dir(conformance.Conformance):
    if _name.startswith("test_"):
        setattr(TestShop, _name, unskipped(getattr(conformance.Conformance, _name)))


def of_pages(size):
    """The shop with another largest page."""

    class Small(Shop):
        capabilities: ClassVar = attrs.evolve(Shop.capabilities, max_page_size=size)

    return staticmethod(lambda base_url: Small(api_key=KEY, base_url=base_url))


class TestShopInPagesOfOne(conformance.Conformance):
    adapter = of_pages(1)
    server = FakeShop


class Ragged(FakeShop):
    """Leaves out of every second record what is not set."""

    def made_up(self, k):
        whole = super().made_up(k)
        return {name: value for name, value in whole.items() if k % 2 or name not in {"name", "address", "tags"}}

    def rows(self, query):
        return super().rows({**query, "sort": ["created"]})


class TestShopInPagesOfTwoWithRaggedRecords(conformance.Conformance):
    adapter = of_pages(2)
    server = Ragged


class AsksInABody(Shop):
    """Finds one customer by a POST."""

    def one(self, *, id, external_id):
        request, read = super().one(id=id, external_id=external_id)
        where = a.body({"where": [{"field": "id", "is": id}]})
        address = a.url(self.base_url, "find")
        return attrs.evolve(request, method="POST", url=address, headers=a.JSON_BODY, body=where), read


class FindsByBody(FakeShop):
    def __call__(self, request):
        if not request.url.endswith("/find"):
            return super().__call__(request)
        id_ = json.loads(request.body)["where"][0]["is"]
        return super().__call__(attrs.evolve(request, url=a.url(BASE, "customers", id_)))


def test_an_id_may_stand_in_a_body():
    """One value of it is as good a place as one segment of the path."""

    class Kit(conformance.Conformance):
        adapter = staticmethod(lambda base_url: AsksInABody(api_key=KEY, base_url=base_url))
        server = FindsByBody

    Kit().test_hostile_ids_stay_in_their_place()
    Kit().test_one_customer_comes_by_its_id()
