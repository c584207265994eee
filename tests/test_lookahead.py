"""Reading ahead and concurrently: the same customers in the same order, errors in their turn, and never too far."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from random import Random

import anyio
import pytest
from fakes import ONCE, Account, FakeFlexprice, flexprice, people, reply
from wires import ADAPTERS, async_client_of, client_of

import unified_customers as uc

AHEAD = [{"prefetch": 1}, {"prefetch": 3}]
TIMES = {
    "evenly": [n * 1000 for n in range(95)],
    "at random": sorted(Random(1).randrange(10**9) for _ in range(95)),
    "in two lumps": [*range(60), *range(10**12, 10**12 + 35)],
    "all at one moment": [7] * 95,
    "seven at a time": [n // 7 for n in range(95)],
    "three": [1, 2, 3],
    "none": [],
}


def breathe(seconds=0.01):
    """Give other threads their turn."""
    threading.Event().wait(seconds)


def settle(wire, at_least):
    """Wait until so many requests came, a few seconds at the most."""
    for _ in range(500):
        if len(wire.sent) >= at_least:
            break
        breathe()


@pytest.mark.parametrize("keywords", AHEAD, ids=str)
@pytest.mark.parametrize("name", ADAPTERS)
def test_reading_ahead_brings_the_same(name, keywords):
    """In threads, over an httpx client, checkpoints included."""
    client, _ = client_of(name, 25)
    plain = [customer.id for customer in client.customers(page_size=4)]
    walk = iter(client.customers(page_size=4, **keywords))
    got, marks = [], []
    for customer in walk:
        got.append(customer.id)
        marks.append(walk.checkpoint)
    assert got == plain
    for at, mark in enumerate(marks, 1):
        assert [customer.id for customer in client.customers(page_size=4, after=mark)] == plain[at:]


@pytest.mark.anyio
@pytest.mark.parametrize("keywords", AHEAD, ids=str)
@pytest.mark.parametrize("name", ADAPTERS)
async def test_reading_ahead_brings_the_same_asynchronously(name, keywords):
    """In tasks, on asyncio and trio."""
    client, _ = async_client_of(name, 25)
    async with client:
        plain = [customer.id async for customer in client.customers(page_size=4)]
        assert [customer.id async for customer in client.customers(page_size=4, **keywords)] == plain


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("name", ["flexportal", "flatpeak"])
def test_never_further_ahead_than_asked(name, depth):
    """However long the consumer takes over its first customer."""
    client, wire = client_of(name, 60)
    signing = name == "flatpeak"
    walk = iter(client.customers(page_size=4, prefetch=depth))
    next(walk)
    settle(wire, 1 + depth + signing)
    breathe(0.05)
    assert len(wire.sent) == 1 + depth + signing


def test_a_client_may_be_closed_while_jobs_begin_others():
    """They are noted under a lock, as a set that grows can't be gone through."""
    client, _ = client_of("flexportal", 40)

    class Noted(weakref.WeakSet):
        def add(self, item):
            assert client._counted.locked()
            super().add(item)

        def __iter__(self):
            assert client._counted.locked()
            return super().__iter__()

    client._jobs = Noted()
    assert len(list(client.customers(page_size=4, prefetch=3))) == 40
    client.close()


def test_nothing_is_read_ahead_by_default():
    """So that leaving early wastes nothing."""
    client, wire = client_of("flexportal", 60)
    next(iter(client.customers(page_size=4)))
    breathe(0.05)
    assert len(wire.sent) == 1


def test_no_further_than_max_items():
    """Pages that nobody will be handed are not asked for."""
    client, wire = client_of("flexportal", 60)
    assert len(list(client.customers(page_size=4, max_items=8, prefetch=5))) == 8
    breathe(0.05)
    assert len(wire.sent) == 2


@pytest.mark.parametrize("keywords", AHEAD, ids=str)
def test_an_error_ahead_is_raised_in_its_turn(keywords):
    """What was read before it is handed out; `next()` and the checkpoint go on."""
    client, wire = client_of("flexportal", 20, retry=ONCE)
    failing = {"page": True}
    wire.server.meddle = lambda _, n: reply(503, b"") if n == 3 and failing["page"] else None
    walk = iter(client.customers(page_size=4, **keywords))
    got = [next(walk).id for _ in range(8)]
    with pytest.raises(uc.ServerError) as caught:
        next(walk)
    rest = [customer.id for customer in client.customers(page_size=4, after=caught.value.checkpoint)]
    assert [*got, *rest] == [*got, *(customer.id for customer in walk)]
    assert len({*got, *rest}) == len(got) + len(rest) == 20


def test_a_repeated_error_ahead_is_retried_as_any_other():
    """The attempt that was made ahead counts as the first."""
    client, wire = client_of("flexportal", 12)
    wire.server.meddle = lambda _, n: reply(503, b"") if n == 2 else None
    listing = client.customers(page_size=4, prefetch=1)
    assert len(list(listing)) == 12
    assert (listing.report.requests, listing.report.retries) == (4, 1)


def test_a_bad_record_ahead_is_the_caller_s_to_decide():
    """It is given to the caller once, when its page's turn comes."""
    account = Account(flexprice(), FakeFlexprice(people(range(12))), ONCE)
    spoilt = account.server.people["cus_07932"]
    spoilt.name = 7
    asked = []
    listing = account.customers(page_size=4, prefetch=2, on_bad_record=asked.append)
    assert len(list(listing)) == 11
    assert [error.record_id for error in asked] == ["cus_07932"]
    assert listing.report.bad == 1


@pytest.mark.anyio
async def test_leaving_early_leaves_nothing_behind():
    """Tasks that read ahead are stopped when the client closes; no warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client, _ = async_client_of("flexportal", 60)
        async with client:
            async for _ in client.customers(page_size=4, prefetch=3):
                break
        assert client._jobs == set()
        del client
        gc.collect()
    assert [str(w.message) for w in caught] == []


@pytest.mark.anyio
async def test_a_cancelled_walk_that_reads_ahead_goes_on_from_its_checkpoint():
    """Cancelled while it waits for a page that is on its way."""
    client, _ = async_client_of("flexportal", 20)
    async with client:
        for stop in (1, 4, 5, 9):
            listing, got = client.customers(page_size=4, prefetch=2), []
            with anyio.CancelScope() as scope:
                async for customer in listing:
                    got.append(customer.id)
                    if len(got) == stop:
                        scope.cancel()
            rest = [customer.id async for customer in client.customers(page_size=4, after=listing.checkpoint)]
            assert len({*got, *rest}) == len(got) + len(rest) == 20


# Concurrently


@pytest.mark.parametrize("ways", [2, 3, 8, 40])
@pytest.mark.parametrize("scan", ["auto", "keyset", "offset"])
@pytest.mark.parametrize("times", TIMES)
def test_concurrently_the_same_customers_come_in_the_same_order(times, scan, ways):
    """However they are spread over time."""
    account = Account(flexprice(scan=scan), FakeFlexprice(people(TIMES[times]), ties="id"), ONCE)
    plain = [customer.id for customer in account.customers(page_size=5)]
    listing = account.customers(page_size=5, concurrency=ways)
    assert [customer.id for customer in listing] == plain
    assert len(plain) == len(TIMES[times])
    assert listing.report.drift == 0


@pytest.mark.parametrize("scan", ["auto", "keyset", "offset"])
def test_a_concurrent_walk_resumes_after_every_customer(scan):
    """Concurrently or not."""
    account = Account(flexprice(scan=scan), FakeFlexprice(people(TIMES["seven at a time"][:47]), ties="id"), ONCE)
    walk = iter(account.customers(page_size=5, concurrency=4))
    got, marks = [], []
    for customer in walk:
        got.append(customer.id)
        marks.append(walk.checkpoint)
    for at, mark in enumerate(marks, 1):
        for ways in (1, 4):
            rest = [customer.id for customer in account.customers(page_size=5, after=mark, concurrency=ways)]
            assert rest == got[at:]


def test_evenly_spread_customers_cost_few_more_requests_and_hardly_a_wrong_guess():
    """A slice for each page, one request for the newest customer, and the last slice without an end."""
    account = Account(flexprice(), FakeFlexprice(people(n * 1000 for n in range(330)), ties="id"), ONCE)
    listing = account.customers(page_size=10, concurrency=8)
    assert len(list(listing)) == 330
    assert listing.report.requests <= 33 * 1.25 + 2


def test_a_gap_in_time_costs_few_requests():
    """It is jumped over, however long it is."""
    account = Account(flexprice(), FakeFlexprice(people(TIMES["in two lumps"]), ties="id"), ONCE)
    listing = account.customers(page_size=5, concurrency=8)
    assert len(list(listing)) == 95
    assert listing.report.requests <= 60


@pytest.mark.parametrize("scan", ["auto", "offset"])
def test_requests_are_in_flight_at_the_same_time(scan):
    """In threads, and no more of them than was said."""
    _, wire = client_of("flexprice", 60)
    client = uc.Client(flexprice(scan=scan), http_client=wire.sync)
    wire.lock = gauge = Gauge()
    assert len(list(client.customers(page_size=4, concurrency=4))) == 60
    assert 2 <= gauge.most <= 4


class Gauge:
    """Stands where a wire takes its lock: counts how many are waiting there, or inside."""

    def __init__(self):
        self.most = self.now = 0
        self.count, self.inner = threading.Lock(), threading.Lock()

    def __enter__(self):
        with self.count:
            self.now += 1
            self.most = max(self.most, self.now)
        breathe()
        self.inner.acquire()

    def __exit__(self, *_):
        with self.count:
            self.now -= 1
        self.inner.release()


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("flexportal", {}),
        ("flatpeak", {}),
        ("flexprice", {"status": "any"}),
        ("flexprice", {"ids": ["a", "b"]}),
        ("flexprice", {"order": "desc"}),
    ],
)
def test_where_pages_are_known_from_the_page_before_only_it_is_refused(name, keywords):
    """Before any request, with what to do instead."""
    client, wire = client_of(name)
    with pytest.raises(uc.UnsupportedError, match=r"prefetch=|concurrency="):
        client.customers(concurrency=2, **keywords)
    assert wire.sent == []


@pytest.mark.parametrize("keywords", [{"concurrency": 0}, {"concurrency": 1.5}, {"prefetch": -1}, {"prefetch": True}])
def test_what_is_no_number_of_pages_is_refused(keywords):
    """Before any request."""
    client, _ = client_of("flexprice")
    with pytest.raises(uc.InvalidRequestError, match="whole number"):
        client.customers(**keywords)
