"""Walks over servers at rest: every customer once, wherever the walk is cut."""

from __future__ import annotations

from itertools import islice

import pytest
from fakes import ONCE, PATIENT, UNREACHABLE, Account, FakeFlexPortal, flexportal, people, reply
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import HUMBLE, MODES, modes, populations

import unified_customers as uc

SIZES = st.integers(1, 12)
CAPS = st.none() | st.integers(1, 9)
# A list by offset alone can prove nothing about a moment whose customers, in another order each time, outnumber
# a page: such walks may end in a DriftError, but only such walks.
FEW = 2


def walked(mode, server, **keywords):
    return [customer.id for customer in mode.account(server).customers(**{**mode.start(server), **keywords})]


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_walks_around_the_page_size(mode, size):
    """0, 1, page−1, page, page+1 and several pages of customers: each once, in order."""
    for n in {0, 1, size - 1, size, size + 1, 2 * size, 3 * size, 3 * size + 1}:
        server = mode.serve(people(range(0, 10 * n, 10), ["published", "published", "archived"]), seed=n)
        if n or "before" not in mode.keywords:
            mode.check(server, walked(mode, server, page_size=size))


@settings(max_examples=300)
@given(modes(), populations(ties=FEW), SIZES, CAPS, st.integers(0, 99))
def test_every_walk_of_every_size_returns_each_customer_once(mode, rows, size, cap, seed):
    """Whatever the population, page size and the server's silent cap."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed, cap=cap)
    try:
        mode.check(server, walked(mode, server, page_size=size))
    except uc.PaginationError:  # a server that sends too few rows to show both an overlap and something new
        assert cap is not None
        assert cap <= FEW + 1
        assert mode.name in HUMBLE


@settings(max_examples=100)
@given(st.sampled_from([mode for mode in MODES if mode.name in HUMBLE]), populations(50, ties=1), SIZES, st.data())
def test_a_silent_cap_is_got_over(mode, rows, size, data):
    """Lists by offset go on by what arrived, not by what was asked, where pages can show an overlap at all."""
    cap = data.draw(st.integers(4, 20))
    server = mode.serve(rows, cap=cap)
    mode.check(server, walked(mode, server, page_size=size))


SURE = [mode for mode in MODES if mode.name.startswith(("flexportal", "flatpeak"))] + [
    mode for mode in MODES if mode.name in {"flexprice auto", "flexprice keyset", "flexprice any", "flexprice by name"}
]


@settings(max_examples=200)
@given(st.sampled_from(SURE), populations(60), SIZES, CAPS, st.integers(0, 99))
def test_ties_of_any_size_hide_nobody(mode, rows, size, cap, seed):
    """Cursors and keysets read groups of one moment that are larger than a page, with no excuse."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed, cap=cap)
    mode.check(server, walked(mode, server, page_size=size))


@settings(max_examples=150)
@given(modes(), populations(60), SIZES, CAPS, st.integers(0, 99))
def test_a_walk_is_complete_or_loud(mode, rows, size, cap, seed):
    """Where completeness can't be had, the walk says so; it never ends short or doubles."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed, cap=cap)
    got = []
    try:
        got.extend(c.id for c in mode.account(server).customers(page_size=size, **mode.start(server)))
    except uc.PaginationError:
        assert len(got) == len(set(got))
    else:
        assert sorted(got) == sorted(mode.expected(server))


@settings(max_examples=150)
@given(modes(), populations(ties=FEW), SIZES, st.integers(0, 99))
def test_pages_hold_what_the_iterator_hands_out(mode, rows, size, seed):
    """`pages()` brings the same customers; only the last page says that there is no more; each `next` resumes."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed)
    got, left = [], mode.account(server).customers(page_size=size, **mode.start(server)).pages()
    for number, page in enumerate(left, 1):
        assert len(page) == len(page.items) == len(list(page))
        got += [customer.id for customer in page]
        assert page.has_more is (page.next is not None)
        assert page.number >= number
        if page.next is not None and number % 3 == 1:
            rest = walked(mode, server, **after(mode, page.next), page_size=size)
            mode.check(server, got + rest)
    mode.check(server, got)


def after(mode, checkpoint):
    """Keywords that go on from a checkpoint; a walk backwards repeats its direction."""
    return {"before": checkpoint} if "before" in mode.keywords else {"after": checkpoint}


@settings(max_examples=200)
@given(modes(), populations(30, ties=FEW), SIZES, SIZES, st.integers(0, 99), st.integers(0, 30))
def test_a_checkpoint_after_any_item_resumes_exactly(mode, rows, size, other_size, seed, at):
    """In another process, in mid-page, with another page size: what was handed out is not repeated, the rest comes."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed)
    listing = mode.account(server).customers(page_size=size, **mode.start(server))
    walk = iter(listing)
    handed = [customer.id for customer in islice(walk, at)]
    assert not handed or listing.checkpoint == walk.checkpoint
    rest = walked(mode, server, **after(mode, walk.checkpoint), page_size=other_size)
    mode.check(server, handed + rest)
    again = [customer.id for customer in walk]
    assert sorted(again) == sorted(rest)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(modes(), populations(14, ties=FEW), st.integers(1, 5), st.integers(0, 99))
def test_resumed_after_every_single_item(mode, rows, size, seed):
    """A walk killed after each customer and resumed by its checkpoint is complete, and then has nothing more."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed)
    got, keywords = [], mode.start(server)
    for _ in range(len(rows) + 1):
        listing = mode.account(server).customers(page_size=size, max_items=1, **keywords)
        brought = [customer.id for customer in listing]
        if not brought:
            break
        got += brought
        keywords = {**mode.keywords, **after(mode, listing.checkpoint)}
    mode.check(server, got)
    assert walked(mode, server, **{**keywords, "page_size": size}) == []


@settings(max_examples=100)
@given(modes(), populations(30, ties=FEW), SIZES, st.integers(0, 99), st.integers(0, 40))
def test_max_items_limits_the_total(mode, rows, size, seed, most):
    """`max_items` customers at the most, and the checkpoint stands behind them."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows, seed=seed)
    listing = mode.account(server).customers(page_size=size, max_items=most, **mode.start(server))
    got = [customer.id for customer in listing]
    assert len(got) == min(most, len(mode.expected(server)))
    assert listing.report.items == len(got)
    if most == 0:
        assert not server.requests
    mode.check(server, got + walked(mode, server, **after(mode, listing.checkpoint), page_size=size))


FAULTS = [
    UNREACHABLE,
    reply(500, b""),
    reply(429, {"message": "slow down"}),
    reply(200, b'{"items": [{"id": "cu'),
    reply(200, b"<html>please wait</html>", content_type="text/html"),
    reply(418, b"teapot"),
]


@settings(max_examples=200)
@given(modes(), populations(30, ties=FEW), st.integers(1, 6), st.data())
def test_an_error_ends_no_iterator(mode, rows, size, data):
    """`next()` after an error asks for the same page again; the union is complete and nothing comes twice."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows)
    when = data.draw(st.sets(st.integers(1, 25), max_size=6))
    fault = data.draw(st.sampled_from(FAULTS))
    server.meddle = lambda request, n: fault if n in when else None
    walk = iter(mode.account(server, retry=ONCE).customers(page_size=size, **mode.start(server)))
    got, errors, told = [], 0, []
    while True:
        try:
            got.append(next(walk).id)
        except StopIteration:
            break
        except uc.CustomersError as error:
            errors += 1
            told.append((error.checkpoint == walk.checkpoint, error.provider == mode.adapter().name))
    assert errors <= len(when)
    assert told == [(True, True)] * errors
    mode.check(server, got)
    with pytest.raises(StopIteration):
        next(walk)


@settings(max_examples=100)
@given(modes(), populations(30, ties=FEW), st.integers(1, 6), st.data())
def test_faults_that_pass_are_survived_by_repeating(mode, rows, size, data):
    """With retries, single faults anywhere don't show in what comes, only in the report."""
    assume(rows or "before" not in mode.keywords)
    server = mode.serve(rows)
    when = data.draw(st.sets(st.integers(1, 25), max_size=5))
    fault = data.draw(st.sampled_from(FAULTS[:5]))
    server.meddle = lambda request, n: fault if n in when and n - 1 not in when else None
    events = []
    listing = mode.account(server, retry=PATIENT, on_event=events.append).customers(
        page_size=size, **mode.start(server)
    )
    mode.check(server, [customer.id for customer in listing])
    assert listing.report.retries <= len(when)
    assert listing.report.retries <= sum(event.kind == "retry" for event in events)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_listing_is_walked_anew_by_each_for(mode):
    """Two iterators of one listing are two walks, and the listing's checkpoint is that of the one that moved last."""
    server = mode.serve(people(range(0, 90, 10)))
    listing = mode.account(server).customers(page_size=2, **mode.start(server))
    start = listing.checkpoint
    assert not server.requests
    first, second = iter(listing), iter(listing)
    ahead = [next(first).id for _ in range(3)]
    assert next(second).id is not None
    assert first.checkpoint != second.checkpoint != start
    assert listing.checkpoint == second.checkpoint
    mode.check(server, ahead + [customer.id for customer in first])
    mode.check(server, [customer.id for customer in listing])
    mode.check(server, walked(mode, server, **after(mode, start), page_size=3))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_checkpoint_at_the_end_brings_only_what_came_later(mode):
    """After the last customer the checkpoint gives nothing more."""
    server = mode.serve(people(range(0, 70, 10)))
    for size in (1, 3, 7, 10):
        listing = mode.account(server).customers(page_size=size, **mode.start(server))
        walk = iter(listing)
        list(walk)
        assert walked(mode, server, **after(mode, walk.checkpoint), page_size=size) == []
        assert walked(mode, server, **after(mode, listing.checkpoint), page_size=size) == []


def test_a_flatpeak_page_leads_backwards():
    """`page.previous` walks back to what came before the page, newest last."""
    mode = next(mode for mode in MODES if mode.name == "flatpeak")
    server = mode.serve(people(range(0, 10_000_000, 1_000_000)))
    pages = list(mode.account(server).customers(page_size=3).pages())
    third = pages[2]
    back = [c.id for c in mode.account(server).customers(before=third.previous, page_size=2)]
    assert back == [c.id for page in reversed(pages[:2]) for c in reversed(page.items)]


@pytest.mark.parametrize(
    ("mode", "keywords", "want"),
    [
        ("flatpeak", {"external_id": "ext-cus_07932"}, ["cus_07932"]),
        ("flatpeak", {"external_id": ["ext-cus_07932", "nobody", "ext-cus_00013"]}, ["cus_07932", "cus_00013"]),
        ("flexprice auto", {"external_id": "ext-cus_07932"}, ["cus_07932"]),
        ("flexprice auto", {"email": "cus_07932@example.com"}, ["cus_07932"]),
        ("flexprice auto", {"status": "archived"}, ["cus_15851"]),
        ("flexprice auto", {"parent_ids": ["p1", "p2"]}, []),
        ("flexportal id", {"email": "cus_07932@example.com"}, ["cus_07932"]),
        ("flexportal id", {"kind": "business"}, []),
        ("flexportal id", {"status": "inactive"}, ["cus_15851"]),
    ],
    ids=str,
)
def test_a_filtered_walk_brings_who_was_asked_for(mode, keywords, want):
    """Filters go to the provider, and what comes agrees with them."""
    mode = next(one for one in MODES if one.name == mode)
    server = mode.serve(people([0, 10, 20, 30], ["published", "published", "archived"]))
    assert walked(mode, server, **keywords) == want
    assert walked(mode, server, **keywords, page_size=1) == want


def test_memory_does_not_grow_with_the_walk():
    """What a walk holds is bounded by pages, not by customers: its checkpoint stays small over hundreds of them."""
    for mode in SURE:
        server = mode.serve(people(range(0, 9_000_000, 10_000)))
        walk = iter(mode.account(server).customers(page_size=100, **mode.start(server)))
        sizes = [len(walk.checkpoint) for n, _ in enumerate(walk) if n % 100 == 50]
        assert max(sizes) < 12_000


@pytest.mark.parametrize("cursor", ["opaque", "id"])
@pytest.mark.parametrize(("before", "after"), [(20, 3), (20, 1), (7, 2), (3, 20)])
def test_a_walk_resumes_in_pages_of_another_size(cursor, before, after):
    """After every customer, smaller pages that bring nothing but known customers at first included."""
    server = FakeFlexPortal(people(range(0, 410, 10)), cursor=cursor)
    account = Account(flexportal(), server, ONCE)
    walk = iter(account.customers(page_size=before))
    got, marks = [], []
    for customer in walk:
        got.append(customer.id)
        marks.append(walk.checkpoint)
    assert len(got) == 41
    for at, mark in enumerate(marks, 1):
        assert [customer.id for customer in account.customers(page_size=after, after=mark)] == got[at:], at
