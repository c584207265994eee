"""Servers that lead in circles, contradict themselves, lie about totals or ignore what they were asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes import (
    ONCE,
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
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc


class Scripted:
    """A server that answers by cursor from a function; counts what it is asked."""

    def __init__(self, page: Callable[[str | None], dict]):
        self.page, self.asked = page, []

    def __call__(self, request):
        _, query = asked_of(request)
        cursor = query.get("startAfter", query.get("starting_after", [None]))[0]
        self.asked.append(cursor)
        assert len(self.asked) < 30_000, "the walk goes round for ever"
        return reply(200, self.page(cursor))


def portal_page(ids, more, cursor, **fields):
    page = {"customers": [{"customerId": id_} for id_ in ids], "hasMore": more, "nextCursor": cursor, **fields}
    return {name: value for name, value in page.items() if value != "missing"}


def portal(page) -> tuple[Account, Scripted]:
    server = Scripted(page)
    return Account(flexportal(), server, ONCE), server


def peak(page) -> tuple[Account, Scripted]:
    server = Scripted(page)
    return Account(flatpeak(account_id=None, api_key=None, bearer_token="t"), server, ONCE), server


def ids_of(listing, size=2):
    return [customer.id for customer in listing]


# Circles


@pytest.mark.parametrize("kind", ["same rows", "new rows", "no rows"])
@pytest.mark.parametrize("period", [1, 2, 3, 7, 64, 1500])
@pytest.mark.parametrize("lead_in", [0, 1, 5])
def test_a_repeated_cursor_of_any_period_raises(kind, period, lead_in):
    """A→A, A→B→A and longer circles end in an error within a few rounds, with the same rows, new ones or none."""
    made = 0

    def page(cursor):
        nonlocal made
        at = 0 if cursor is None else int(cursor)
        onward = at + 1 if at + 1 < lead_in + period else lead_in
        made += 1
        rows = {"same rows": [f"c{at}"], "new rows": [f"n{made}"], "no rows": []}[kind]
        return portal_page(rows, True, str(onward))

    account, server = portal(page)
    walk = iter(account.customers(page_size=1))
    got = []
    with pytest.raises(uc.PaginationError) as caught:
        got.extend(customer.id for customer in walk)
    assert len(got) == len(set(got))
    assert len(server.asked) <= 4 * (lead_in + period) + 120
    if kind == "same rows":
        assert caught.type is uc.LoopError or period > 200
        assert len(got) == lead_in + period
    with pytest.raises(uc.PaginationError):
        next(walk)


@pytest.mark.parametrize("period", [1, 2, 3, 50])
def test_a_flatpeak_that_repeats_its_pages_raises(period):
    """The cursor is the last id, so a circle shows as pages that bring nothing new."""
    account, server = peak(lambda c: peak_page([f"c{(int(c[1:]) + 1) % period if c else 0}"], True))
    with pytest.raises(uc.PaginationError):
        list(account.customers(page_size=1))
    assert len(server.asked) < 2 * period + 30


def peak_page(ids, more):
    page = {"object": "list", "data": [{"id": id_, "object": "customer"} for id_ in ids], "has_more": more}
    return {name: value for name, value in page.items() if value != "missing"}


@pytest.mark.parametrize("scan", ["auto", "offset", "keyset"])
@pytest.mark.parametrize("size", [1, 3, 10])
def test_a_flexprice_that_sends_page_one_for_ever_raises(scan, size):
    """A server that ignores the offset, the bounds, or both, does not keep the walk for ever."""
    rows = people(range(0, 200, 10))
    fake = FakeFlexprice(rows, ties="id", search=scan == "keyset", ignores=("after", "not_in"))
    fake.total = lambda n: 1000
    page = fake._page
    fake._page = lambda found, limit, offset: page(found, limit, 0)
    account = Account(flexprice(scan=scan), fake, ONCE)
    with pytest.raises(uc.CustomersError):
        list(account.customers(page_size=size))
    assert len(fake.requests) < 120


# Empty pages


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_empty_pages_in_mid_stream_are_passed_over(sizes):
    """A page without customers whose cursor moves on is no end."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]

    def page(cursor):
        n = 0 if cursor is None else int(cursor)
        rows = [f"c{starts[n] + k:02d}" for k in range(sizes[n])]
        return portal_page(rows, n + 1 < len(sizes), str(n + 1) if n + 1 < len(sizes) else None)

    account, server = portal(page)
    assert ids_of(account.customers()) == [f"c{n:02d}" for n in range(sum(sizes))]
    assert len(server.asked) <= 3 * len(sizes) + 12  # an empty end after a promise is looked at again


def test_empty_pages_for_ever_raise():
    """A hundred empty pages in a row are enough."""
    account, server = portal(lambda cursor: portal_page([], True, str(int(cursor or 0) + 1)))
    with pytest.raises(uc.PaginationError):
        list(account.customers())
    assert len(server.asked) <= 110


# Contradictions


@pytest.mark.parametrize(
    ("more", "cursor", "ends"),
    [
        (False, None, "end"),
        (False, "c9", "end"),
        (False, "missing", "end"),
        ("missing", None, "end"),
        ("missing", "", "end"),
        ("missing", "missing", "end"),
        (None, None, "end"),
        (True, None, "raise"),
        (True, "missing", "raise"),
        (True, "", "raise"),
        ("false", None, "raise"),
        (1, None, "raise"),
    ],
)
@pytest.mark.parametrize("rows", [["c1", "c2"], []])
def test_the_stop_signals_of_flexportal(more, cursor, ends, rows):
    """An explicit flag wins, then a null cursor; a promise of more without a cursor is an error, not an end."""
    account, server = portal(lambda _: portal_page(rows, more, cursor))
    if ends == "raise":
        with pytest.raises((uc.PaginationError, uc.MalformedResponseError)):
            list(account.customers())
    else:
        assert ids_of(account.customers()) == rows
    assert len(server.asked) == 1


def test_a_missing_flag_with_a_cursor_goes_on():
    """Without `hasMore` the cursor decides."""
    account, _ = portal(lambda c: portal_page(["b"], "missing", None) if c else portal_page(["a"], "missing", "a"))
    assert ids_of(account.customers()) == ["a", "b"]


def test_a_numeric_cursor_is_sent_as_its_digits():
    """A cursor that is a number comes back as the same number."""
    account, server = portal(lambda c: portal_page(["b"], False, None) if c else portal_page(["a"], True, 17))
    assert ids_of(account.customers()) == ["a", "b"]
    assert server.asked == [None, "17"]


def test_an_empty_flatpeak_page_that_promises_more_raises():
    """There is no id to go on with."""
    account, server = peak(lambda _: peak_page([], True))
    with pytest.raises(uc.PaginationError):
        list(account.customers())
    assert len(server.asked) == 1


@pytest.mark.parametrize("more", ["missing", None])
def test_a_flatpeak_page_without_its_flag_goes_on_until_it_is_empty(more):
    """None of the list's fields is marked required, so a full page without `has_more` is no proof of an end."""
    rows = [f"c{n}" for n in range(5)]
    account, _ = peak(lambda c: peak_page(rows[rows.index(c) + 1 :][:2] if c else rows[:2], more))
    assert ids_of(account.customers(page_size=2)) == rows


@pytest.mark.parametrize("kind", ["auto", "offset", "documents"])
@pytest.mark.parametrize("lie", [0, 1, 5, -1, -5, None, "12", 7.5, True, 10**30])
def test_a_total_that_lies_loses_nobody(kind, lie):
    """`total` is a hint: one too small ends nothing early, one too large ends in an error or after all were read."""
    rows = people(range(0, 230, 10))
    fake = FakeFlexprice(rows, ties="id", search=kind != "documents")
    fake.total = lambda n: n + lie if type(lie) is int and abs(lie) < 10 and lie else lie
    account = Account(flexprice(scan="offset" if kind == "offset" else "auto"), fake, ONCE)
    got = []
    try:
        got.extend(customer.id for customer in account.customers(page_size=5))
    except uc.PaginationError:
        assert lie in {1, 5, 10**30}
    assert sorted(got) == sorted(fake.people)


@pytest.mark.parametrize("scan", ["auto", "offset"])
def test_an_echoed_offset_is_never_added_to(scan):
    """The real server echoes the next offset, the documents show the one asked for: neither is used."""
    for next_offset in (True, False):
        fake = FakeFlexprice(people(range(0, 230, 10)), search=False, next_offset=next_offset)
        assert len(ids_of(Account(flexprice(scan=scan), fake).customers(page_size=4))) == 23


@pytest.mark.parametrize("more", [1, 3, 50])
def test_a_page_larger_than_asked_loses_nobody(more):
    """What arrived counts, not what was asked."""
    for scan in ("auto", "offset", "keyset"):
        fake = FakeFlexprice(people(range(0, 230, 10)))
        fake._size = lambda asked: asked + more
        assert len(ids_of(Account(flexprice(scan=scan), fake).customers(page_size=4))) == 23
    for fake, adapter in (
        (FakeFlexPortal(people(range(23))), flexportal()),
        (FakeFlatpeak(people(range(23))), flatpeak()),
    ):
        fake._size = lambda asked: asked + more
        assert len(ids_of(Account(adapter, fake).customers(page_size=4))) == 23


def test_ids_doubled_in_one_page_come_once():
    """A provider that sends a customer twice in a page shows it to us once."""
    account, _ = portal(lambda _: portal_page(["a", "b", "a", "b", "c"], False, None))
    listing = account.customers()
    assert ids_of(listing) == ["a", "b", "c"]
    assert listing.report.duplicates == 2


def test_rows_that_the_walk_asks_for_twice_are_no_duplicates():
    """`status="any"` reads two lists of the same customers, and a page again for its rest: nothing was sent twice."""
    with uc.sandbox(customers=60) as box:
        for settings in (uc.FlexPortal(**box.flexportal.settings), uc.Flexprice(**box.flexprice.settings)):
            with uc.Client(settings) as client:
                listing = client.customers(status="any", page_size=7)
                first = iter(listing)
                began = [next(first).id for _ in range(10)]
                rest = client.customers(status="any", page_size=7, after=first.checkpoint)
                assert len({*began, *(one.id for one in rest)}) == len(list(listing)) >= 60
                assert (listing.report.duplicates, rest.report.duplicates) == (0, 0)


def test_a_row_that_the_second_list_sends_twice_is_a_duplicate():
    """In one pass of it, in a page."""

    def server(request):
        _, query = asked_of(request)
        return reply(200, portal_page(["a", "c", "b", "b"] if "status" in query else ["d", "a"], False, None))

    listing = Account(flexportal(), server, ONCE).customers(status="any")
    assert ids_of(listing) == ["d", "a", "c", "b"]
    assert listing.report.duplicates == 1


def test_numeric_ids_are_taken_as_their_digits():
    """An id that is a number is the same customer as its digits."""
    page = {"object": "list", "data": [{"id": 17}, {"id": "18"}], "has_more": False}
    account, _ = peak(lambda _: page)
    assert ids_of(account.customers()) == ["17", "18"]


@pytest.mark.parametrize("scan", ["auto", "offset", "keyset"])
@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize("kept", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [3, 10])
def test_pages_that_repeat_whatever_is_asked(scan, search, kept, size):
    """A Flexprice that sends its first few pages round and round never passes for a shorter list."""
    fake = FakeFlexprice(people(range(0, 570, 10)), search=search, ties="id")
    honest, pages = fake.answer, []

    def answer(request):
        if request.method == "POST" and not search:
            return honest(request)
        if len(pages) < kept:
            pages.append(honest(request))
            return pages[-1]
        pages.append(pages[-kept])
        return pages[-1]

    fake.answer = answer
    got = []
    with pytest.raises(uc.CustomersError):
        got.extend(c.id for c in Account(flexprice(scan=scan), fake, ONCE).customers(page_size=size))
    assert len(fake.requests) < 200
