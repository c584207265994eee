"""Servers that take a filter, an order or a list of ids and ignore it, or want it spelt otherwise."""

from __future__ import annotations

import attrs
import pytest
from fakes import (
    HOST,
    Account,
    FakeFlatpeak,
    FakeFlexPortal,
    FakeFlexprice,
    flatpeak,
    flexportal,
    flexprice,
    people,
)

import unified_customers as uc


def ids_of(listing):
    return [customer.id for customer in listing]


# What the query excludes


@pytest.mark.parametrize(
    ("adapter", "server", "keywords"),
    [
        (flexportal, FakeFlexPortal, {"email": "x@example.com"}),
        (flexportal, FakeFlexPortal, {"status": "inactive"}),
        (flexportal, FakeFlexPortal, {"kind": "business"}),
        (flexprice, FakeFlexprice, {"email": "x@example.com"}),
        (flexprice, FakeFlexprice, {"status": "archived"}),
        (flexprice, FakeFlexprice, {"external_id": "x"}),
        (flexprice, FakeFlexprice, {"external_id": ["x", "y"]}),
        (flexprice, FakeFlexprice, {"ids": ["x", "y"]}),
        (flexprice, FakeFlexprice, {"ids": "x"}),
        (flexprice, FakeFlexprice, {"parent_ids": "x"}),
        (flexprice, FakeFlexprice, {"parent_ids": ["x", "y"]}),
        (flexprice, FakeFlexprice, {"params": {"metadata": {"plan": "gold"}}}),
        (flatpeak, FakeFlatpeak, {"external_id": "x"}),
        (flatpeak, FakeFlatpeak, {"external_id": ["x", "y"]}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_filter_that_the_provider_ignores_is_noticed(adapter, server, keywords):
    """Everybody is not the answer to a narrower question."""
    fake = server(people(range(0, 90, 10)))
    honest = fake.answer

    def answer(request):
        base, _, query = request.url.partition("?")
        kept = "&".join(p for p in query.split("&") if p.split("=")[0] in {"limit", "offset", "order", "startAfter"})
        return honest(attrs.evolve(request, url=f"{base}?{kept}"))

    fake.answer = answer
    with pytest.raises(uc.FilterIgnoredError) as caught:
        list(Account(adapter(), fake).customers(page_size=4, **keywords))
    assert not isinstance(caught.value, uc.ApiError)


def test_a_count_of_an_ignored_filter_is_refused():
    """A total of everybody is not the total of the query."""
    fake = FakeFlexprice(people(range(5)), ignores=("email", "parent_customer_ids"))
    for keywords in ({"email": "x@example.com"}, {"parent_ids": "p"}):
        with pytest.raises(uc.FilterIgnoredError):
            Account(flexprice(), fake).count(**keywords)


def test_an_order_that_the_provider_ignores_is_noticed():
    """The caller's own `order=` is checked against the rows."""
    fake = FakeFlexprice(people(range(0, 90, 10)), ties="id")
    fake._sort = lambda rows, keys: rows.sort(key=lambda p: p.at)
    with pytest.raises(uc.FilterIgnoredError):
        list(Account(flexprice(), fake).customers(page_size=4, order="desc"))


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("scan", ["auto", "keyset"])
def test_a_search_that_ignores_sort_is_noticed(size, scan):
    """Without its order a keyset would jump over customers: it goes on by offset, or says so."""
    fake = FakeFlexprice(people(range(0, 110, 10)), ignores=("sort",))
    try:
        got = ids_of(Account(flexprice(scan=scan), fake).customers(page_size=size))
    except uc.CustomersError:
        return
    assert sorted(got) == sorted(fake.people)


@pytest.mark.parametrize("commas", [True, False])
@pytest.mark.parametrize("field", ["ids", "external_id"])
@pytest.mark.parametrize("size", [1, 2, 10])
def test_lists_of_ids_in_either_spelling(commas, field, size):
    """Keys are repeated; a server built from the documents, which wants commas, is noticed and asked so."""
    rows = people(range(0, 300, 10), ["published", "published", "archived"])
    fake = FakeFlexprice(rows, commas=commas)
    wanted = rows[:7] + rows[12:15]
    values = [p.id if field == "ids" else p.ref for p in wanted] + ["nobody"]
    got = ids_of(Account(flexprice(), fake).customers(page_size=size, **{field: values}))
    assert sorted(got) == sorted(p.id for p in wanted if p.status == "published")


def test_many_ids_are_asked_for_a_few_at_a_time():
    """No address grows beyond what a proxy takes, and each customer comes once."""
    rows = people(range(0, 4000, 10))
    fake = FakeFlexprice(rows)
    got = ids_of(Account(flexprice(), fake).customers(ids=[p.id for p in rows]))
    assert sorted(got) == sorted(p.id for p in rows)
    assert max(len(request.url) for request in fake.requests) < 8000


@pytest.mark.parametrize("adapter", [flexportal, flexprice, flatpeak])
def test_nothing_is_asked_of_another_host(adapter):
    """Every request of a walk goes to `base_url`."""
    server = {"flexportal": FakeFlexPortal, "flexprice": FakeFlexprice, "flatpeak": FakeFlatpeak}[adapter().name]
    fake = server(people(range(20)))
    list(Account(adapter(), fake).customers(page_size=3))
    assert all(request.url.startswith(HOST + "/") for request in fake.requests)
