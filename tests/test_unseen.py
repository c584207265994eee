"""What is created in front of a newest-first walk is not missed in silence: the report says how many, where it can."""

from __future__ import annotations

import pytest
from fakes import (
    ONCE,
    Account,
    FakeFlatpeak,
    FakeFlexPortal,
    FakeFlexprice,
    Person,
    flatpeak,
    flexportal,
    flexprice,
    people,
)


def grown(server, born, adapter, **keywords):
    """The report of a walk during which `born` customers are created, all after its first page."""
    account = Account(adapter, server, ONCE)

    def be_born():
        if len(asked) == 1:
            for n in range(born):
                person = Person(id=f"new_{n}", at=10**9 + n)
                server.people[person.id] = person
        asked.append(1)

    asked = []
    server.meanwhile = be_born
    listing = account.customers(page_size=4, **keywords)
    got = [customer.id for customer in listing]
    assert len(got) == len(set(got)) == 20
    assert not any(id_.startswith("new_") for id_ in got)
    return listing.report


@pytest.mark.parametrize("born", [0, 1, 7])
@pytest.mark.parametrize("scan", ["auto", "keyset", "offset"])
def test_flexprice_counts_them(scan, born):
    """By one more request at the end of a keyset walk, and by its totals in a walk by offset."""
    server = FakeFlexprice(people(range(0, 200, 10)), ties="id")
    report = grown(server, born, flexprice(scan=scan), order="desc")
    assert report.unseen == born
    assert report.total is not None


def test_a_walk_by_keyset_counts_them_though_others_went():
    """As many as came: the total alone would not show it."""
    server = FakeFlexprice(people(range(0, 200, 10)), ties="id")
    account, asked = Account(flexprice(), server, ONCE), []

    def move():
        asked.append(1)
        if len(asked) == 2:
            for n in range(3):
                person = Person(id=f"new_{n}", at=10**9 + n)
                server.people[person.id] = person
                del server.people[min(server.people.values(), key=lambda p: p.at).id]

    server.meanwhile = move
    listing = account.customers(page_size=4, order="desc")
    assert len(list(listing)) == 17
    assert listing.report.unseen == 3


@pytest.mark.parametrize(
    ("server", "adapter"), [(FakeFlexPortal, flexportal), (FakeFlatpeak, flatpeak)], ids=["flexportal", "flatpeak"]
)
def test_where_the_provider_counts_nothing_it_is_not_known(server, adapter):
    """No number is made up, and no request is spent on it."""
    assert grown(server(people(range(0, 200, 10))), 3, adapter()).unseen is None


@pytest.mark.parametrize("keywords", [{}, {"order": "asc"}])
def test_an_oldest_first_walk_sees_them(keywords):
    """So there is nothing to say."""
    server = FakeFlexprice(people(range(0, 200, 10)), ties="id")
    listing = Account(flexprice(), server, ONCE).customers(page_size=4, **keywords)
    assert len(list(listing)) == 20
    assert listing.report.unseen is None


def test_one_page_leaves_no_time_for_anything_to_come():
    """So no request is spent on it."""
    account = Account(flexprice(), FakeFlexprice(people(range(3)), ties="id"), ONCE)
    listing = account.customers(page_size=10, order="desc")
    assert len(list(listing)) == 3
    assert (listing.report.requests, listing.report.unseen) == (1, None)
