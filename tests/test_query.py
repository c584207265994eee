"""The caller's keywords: checked and refused by name before anything is sent."""

from __future__ import annotations

import contextlib
import re

import msgspec
import pytest
from fakes import (
    Account,
    FakeFlatpeak,
    FakeFlexPortal,
    FakeFlexprice,
    asked_of,
    flatpeak,
    flexportal,
    flexprice,
    people,
    reply,
)

import unified_customers as uc

ADAPTERS = {"flexportal": flexportal, "flexprice": flexprice, "flatpeak": flatpeak}
SERVERS = {"flexportal": FakeFlexPortal, "flexprice": FakeFlexprice, "flatpeak": FakeFlatpeak}


def silent(name) -> Account:
    return Account(ADAPTERS[name](), lambda request: pytest.fail("something was sent"))


def told(value):
    """The name of a case, the same in every process."""
    return re.sub(r" at 0x\w+", "", str(value))


@pytest.mark.parametrize(
    ("name", "keywords", "error", "says"),
    [
        # empty and wrong values
        ("flexprice", {"ids": []}, uc.InvalidRequestError, "empty list"),
        ("flexprice", {"external_id": ()}, uc.InvalidRequestError, "empty list"),
        ("flexprice", {"parent_ids": iter(())}, uc.InvalidRequestError, "empty list"),
        ("flexprice", {"ids": [None]}, uc.InvalidRequestError, "None"),
        ("flexprice", {"ids": [""]}, uc.InvalidRequestError, "empty"),
        ("flexprice", {"ids": [7]}, uc.InvalidRequestError, "int"),
        ("flexprice", {"ids": 7}, uc.InvalidRequestError, "int"),
        ("flexprice", {"ids": b"x"}, uc.InvalidRequestError, "bytes"),
        ("flexprice", {"ids": {"a": 1}}, uc.InvalidRequestError, "dict"),
        ("flexprice", {"email": ""}, uc.InvalidRequestError, "email"),
        ("flexprice", {"email": " "}, uc.InvalidRequestError, "email"),
        ("flexprice", {"email": 7}, uc.InvalidRequestError, "email"),
        ("flexprice", {"email": ["a@b.co"]}, uc.InvalidRequestError, "email"),
        ("flexprice", {"email": "\ud800@b.co"}, uc.InvalidRequestError, "surrogate"),
        ("flexprice", {"external_id": "\udfff"}, uc.InvalidRequestError, "surrogate"),
        ("flexprice", {"order": "up"}, uc.InvalidRequestError, "order"),
        ("flexprice", {"order": "ASC"}, uc.InvalidRequestError, "order"),
        ("flexprice", {"unsupported": "ignore"}, uc.InvalidRequestError, "unsupported"),
        # page sizes and counts
        ("flexprice", {"page_size": 0}, uc.InvalidRequestError, "1 to 1000"),
        ("flexprice", {"page_size": 1001}, uc.InvalidRequestError, "1 to 1000"),
        ("flexportal", {"page_size": 101}, uc.InvalidRequestError, "1 to 100"),
        ("flatpeak", {"page_size": 101}, uc.InvalidRequestError, "1 to 100"),
        ("flatpeak", {"page_size": True}, uc.InvalidRequestError, "page_size"),
        ("flatpeak", {"page_size": 1.5}, uc.InvalidRequestError, "page_size"),
        ("flatpeak", {"page_size": "10"}, uc.InvalidRequestError, "page_size"),
        ("flexprice", {"max_items": -1}, uc.InvalidRequestError, "max_items"),
        ("flexprice", {"max_items": True}, uc.InvalidRequestError, "max_items"),
        ("flexprice", {"max_items": "5"}, uc.InvalidRequestError, "max_items"),
        ("flexprice", {"concurrency": 0}, uc.InvalidRequestError, "concurrency"),
        ("flexprice", {"prefetch": -1}, uc.InvalidRequestError, "prefetch"),
        ("flexprice", {"on_bad_record": "ignore"}, uc.InvalidRequestError, "on_bad_record"),
        # what a provider lacks
        ("flexportal", {"external_id": "x"}, uc.UnsupportedError, "external_id"),
        ("flexportal", {"ids": ["x"]}, uc.UnsupportedError, "ids"),
        ("flexportal", {"parent_ids": "x"}, uc.UnsupportedError, "parent_ids"),
        ("flexprice", {"kind": "business"}, uc.UnsupportedError, "kind"),
        ("flatpeak", {"email": "a@b.co"}, uc.UnsupportedError, "email"),
        ("flatpeak", {"status": "active"}, uc.UnsupportedError, "status"),
        ("flatpeak", {"kind": "business"}, uc.UnsupportedError, "kind"),
        ("flatpeak", {"sort": "created_at"}, uc.UnsupportedError, "sort"),
        ("flatpeak", {"order": "asc"}, uc.UnsupportedError, "order"),
        ("flexportal", {"sort": "nme"}, uc.UnsupportedError, "sort"),
        ("flexprice", {"sort": "emial"}, uc.UnsupportedError, "email"),
        ("flexportal", {"status": "archived"}, uc.UnsupportedError, "active, inactive"),
        ("flexprice", {"status": "Active"}, uc.UnsupportedError, "published"),
        ("flexportal", {"kind": "company"}, uc.UnsupportedError, "individual, business"),
        ("flexportal", {"before": "cust_1"}, uc.UnsupportedError, "backwards"),
        ("flexprice", {"before": "cust_1"}, uc.UnsupportedError, "backwards"),
        ("flexprice", {"status": "any", "sort": "name"}, uc.UnsupportedError, "sort"),
        ("flexportal", {"status": "any", "sort": "email"}, uc.UnsupportedError, "sort"),
        # params
        ("flexprice", {"params": {"limit": 5}}, uc.UnsupportedError, "limit"),
        ("flexprice", {"params": {"offset": 5}}, uc.UnsupportedError, "offset"),
        ("flexprice", {"params": {"start_time": "2024-01-01T00:00:00Z"}}, uc.UnsupportedError, "start_time"),
        ("flexportal", {"params": {"startAfter": "x"}}, uc.UnsupportedError, "startAfter"),
        ("flatpeak", {"params": {"starting_after": "x"}}, uc.UnsupportedError, "starting_after"),
        ("flexprice", {"params": {"expand": None}}, uc.InvalidRequestError, "expand"),
        ("flexprice", {"params": {"": "x"}}, uc.InvalidRequestError, "params"),
        ("flexprice", {"params": {7: "x"}}, uc.InvalidRequestError, "params"),
        ("flexprice", {"params": [("a", "b")]}, uc.InvalidRequestError, "params"),
        ("flexprice", {"params": {"x": object()}}, uc.InvalidRequestError, "x"),
        ("flexprice", {"params": {"x": b"bytes"}}, uc.InvalidRequestError, "x"),
        ("flexprice", {"params": {"x": {"y": object()}}}, uc.InvalidRequestError, "x"),
        ("flexprice", {"params": {"x": ["\ud800"]}}, uc.InvalidRequestError, "surrogate"),
        # both ways
        ("flatpeak", {"after": "uc1.x", "before": "cus_1"}, uc.InvalidRequestError, "exclude"),
        ("flatpeak", {"before": ""}, uc.CheckpointError, "empty"),
    ],
    ids=told,
)
def test_refused_by_name_before_anything_is_sent(name, keywords, error, says):
    """The error names the keyword and what would work, and belongs to the provider."""
    with pytest.raises(error, match=says) as caught:
        silent(name).customers(**keywords)
    assert caught.value.status is None
    assert caught.value.provider in {name, None}


def sent(name, rows=None, **keywords):
    fake = SERVERS[name](people([0]) if rows is None else rows)
    with contextlib.suppress(uc.FilterIgnoredError):
        list(Account(ADAPTERS[name](), fake).customers(**keywords))
    request = next(r for r in fake.requests if not r.url.endswith("/login"))
    body = msgspec.json.decode(request.body) if request.body else {}
    return {**asked_of(request)[1], **body}


@pytest.mark.parametrize(
    ("name", "keywords", "want"),
    [
        ("flexportal", {}, {"limit": ["100"]}),
        ("flexportal", {"page_size": 7}, {"limit": ["7"]}),
        ("flexportal", {"email": "a+b@c.co"}, {"limit": ["100"], "email": ["a+b@c.co"]}),
        ("flexportal", {"status": "active"}, {"limit": ["100"], "status": ["active"]}),
        ("flexportal", {"kind": "business"}, {"limit": ["100"], "customerType": ["business"]}),
        ("flexportal", {"sort": "first_name"}, {"limit": ["100"], "sortBy": ["firstName"]}),
        ("flexportal", {"sort": "totalMonthlyRevenue"}, {"limit": ["100"], "sortBy": ["totalMonthlyRevenue"]}),
        ("flexportal", {"order": "asc"}, {"limit": ["100"], "sortBy": ["createdAt"], "sortDir": ["asc"]}),
        ("flexportal", {"params": {"hasActiveRentals": True}}, {"limit": ["100"], "hasActiveRentals": ["true"]}),
        ("flexprice", {}, {"limit": ["1000"], "offset": ["0"], "order": ["asc"]}),
        (
            "flexprice",
            {"status": "active"},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "status": ["published"]},
        ),
        (
            "flexprice",
            {"status": "published", "order": "desc"},
            {"limit": ["1000"], "offset": ["0"], "order": ["desc"], "status": ["published"]},
        ),
        (
            "flexprice",
            {"ids": ["a", "b", "a"]},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "customer_ids": ["a", "b"]},
        ),
        (
            "flexprice",
            {"external_id": "x,y"},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "external_id": ["x,y"]},
        ),
        (
            "flexprice",
            {"external_id": ["x", "y"]},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "external_ids": ["x", "y"]},
        ),
        (
            "flexprice",
            {"parent_ids": "p"},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "parent_customer_ids": ["p"]},
        ),
        (
            "flexprice",
            {"params": {"expand": "integrations"}},
            {"limit": ["1000"], "offset": ["0"], "order": ["asc"], "expand": ["integrations"]},
        ),
        (
            "flexprice",
            {"sort": "name", "order": "desc"},
            {
                "limit": 1000,
                "sort": [{"field": "name", "direction": "desc"}, {"field": "id", "direction": "desc"}],
                "status": "published",
            },
        ),
        ("flatpeak", {"external_id": "x"}, {"limit": ["100"], "reference_id": ["x"]}),
        ("flatpeak", {"page_size": 30, "order": "desc"}, {"limit": ["30"]}),
        ("flatpeak", {"params": {"is_disabled": False}}, {"limit": ["100"], "is_disabled": ["false"]}),
    ],
    ids=told,
)
def test_keywords_in_the_providers_words(name, keywords, want):
    """What the first request asks for, whole."""
    assert sent(name, [], **keywords) == want


def test_what_is_asked_of_a_search():
    """Always a status, always an order with `id` as tie-break, never an empty filter."""
    fake = FakeFlexprice(people([0, 10, 20]))
    list(Account(flexprice(scan="keyset"), fake).customers(page_size=2))
    bodies = [msgspec.json.decode(request.body) for request in fake.requests]
    assert all(body["status"] == "published" for body in bodies)
    assert all([key["field"] for key in body["sort"]] == ["created_at", "id"] for body in bodies)
    assert "filters" not in bodies[0]
    assert all(f["value"] != {"array": []} for body in bodies for f in body.get("filters", []))
    assert {f["operator"] for f in bodies[1]["filters"]} == {"after", "not_in"}


@pytest.mark.parametrize(
    ("name", "keywords", "want", "filtered"),
    [
        ("flatpeak", {"ids": ["cus_07932", "x"]}, ["cus_07932"], 3),
        ("flatpeak", {"status": "any"}, ["cus_23770", "cus_15851", "cus_07932", "cus_00013"], 0),
        ("flexportal", {"ids": "cus_07932"}, ["cus_07932"], 3),
        ("flexportal", {"external_id": "x"}, [], 4),
        ("flexprice", {"kind": "business"}, [], 4),
    ],
    ids=told,
)
def test_filters_applied_here(name, keywords, want, filtered):
    """`unsupported="local"` reads all, filters here, and the report says so; page sizes and checkpoints hold."""
    for size in (1, 2, 100):
        fake = SERVERS[name](people([0, 10, 20, 30]))
        account = Account(ADAPTERS[name](), fake)
        listing = account.customers(**keywords, unsupported="local", page_size=size)
        assert [c.id for c in listing] == want
        assert listing.report.filtered == filtered
        assert set(listing.report.local) == (set() if keywords.get("status") == "any" else set(keywords))
        rest = account.customers(**keywords, unsupported="local", page_size=size, after=listing.checkpoint)
        assert list(rest) == []


def test_local_filters_are_part_of_the_checkpoint():
    """A walk filtered here resumes as the same walk only."""
    fake = FakeFlatpeak(people(range(0, 100, 10)))
    account = Account(flatpeak(), fake)
    ids = [f"cus_{n}" for n in ("07932", "23770")]
    walk = iter(account.customers(ids=ids, unsupported="local", page_size=2))
    first = next(walk).id
    with pytest.raises(uc.CheckpointError, match="ids"):
        account.customers(after=walk.checkpoint)
    rest = account.customers(ids=ids, unsupported="local", after=walk.checkpoint)
    assert [first, *(c.id for c in rest)] == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("keyword", "near"),
    [
        ("emial", "email"),
        ("external_ids", "external_id"),
        ("limit", "known are"),
        ("pagesize", "page_size"),
        ("Email", "email"),
    ],
)
@pytest.mark.parametrize("method", ["customers", "count"])
def test_a_misspelt_keyword_is_refused_with_the_nearest(keyword, near, method):
    """Flexprice would ignore it and return everybody."""
    if method == "count" and near == "page_size":
        near = "known are|did you mean"
    with uc.Client(flexprice()) as client, pytest.raises(uc.UnsupportedError, match=near):
        getattr(client, method)(**{keyword: "x"})


def test_counts():
    """Where the provider tells a total; else a way out is named."""
    fake = FakeFlexprice(people(range(0, 90, 10), ["published", "published", "archived"]))
    account = Account(flexprice(), fake)
    assert account.count() == 6
    assert account.count(status="archived") == 3
    assert account.count(status="any") == 9
    assert account.count(email="cus_07932@example.com") == 1
    for name in ("flexportal", "flatpeak"):
        with pytest.raises(uc.UnsupportedError, match="total"):
            silent(name).count()
    with pytest.raises(uc.UnsupportedError):
        silent("flexprice").count(ids=["a", "b"])


def test_one_customer():
    """By id or by external id, and nobody else than who was asked for."""
    rows = people([0, 10])
    for name, adapter in ADAPTERS.items():
        account = Account(adapter(), SERVERS[name](rows))
        assert account.customer("cus_07932").id == "cus_07932"
        with pytest.raises(uc.NotFoundError):
            account.customer("nobody")
        with pytest.raises(uc.InvalidRequestError):
            account.customer()
        with pytest.raises(uc.InvalidRequestError):
            account.customer("a", external_id="b")
        if name != "flexportal":
            assert account.customer(external_id="ext-cus_07932").id == "cus_07932"
            with pytest.raises(uc.NotFoundError):
                account.customer(external_id="nobody")


def test_another_customer_than_the_one_asked_for_is_refused():
    """A provider that answers with somebody else is not believed."""
    for name, adapter in ADAPTERS.items():
        fake = SERVERS[name](people([0, 10]))
        fake._one = lambda id_, fake=fake: reply(200, fake.raw(next(iter(fake.people.values()))))
        with pytest.raises(uc.MalformedResponseError, match="another customer"):
            Account(adapter(), fake, uc.Retry(attempts=1)).customer("cus_07932")
