"""Hundreds of accounts behind one iterator: bounded, fair, in order where that is wanted, and each its own."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager

import anyio
import pytest
from fakes import reply
from tenants import Tenants

import unified_customers as uc
from unified_customers import _pool
from unified_customers.sandbox import serve

MANY = {f"t{n:03d}": n % 7 for n in range(300)}
FEW = {"a": 9, "b": 0, "c": 4, "d": 25, "e": 1}


@pytest.fixture(scope="module")
def many():
    """Three hundred small tenants."""
    tenants = Tenants(MANY)
    with serve(tenants) as url:
        yield tenants, url


@pytest.fixture
def few():
    """Five tenants."""
    tenants = Tenants(FEW)
    with serve(tenants) as url:
        yield tenants, url


@pytest.fixture
def lent(monkeypatch):
    """How many readers were at work at the same time at the most, by host and in all."""
    most, now, lock = Counter(), Counter(), threading.Lock()
    lend = _pool.Pool.lend

    def note(host, step):
        with lock:
            for what in (host, "all"):
                now[what] += step
                most[what] = max(most[what], now[what])

    @contextmanager
    def counted(pool, host):
        note(host, 1)
        try:
            with lend(pool, host):
                yield
        finally:
            note(host, -1)

    monkeypatch.setattr(_pool.Pool, "lend", counted)
    return most


def ids(customers):
    """Sorted ids."""
    return sorted(customer.id for customer in customers)


def test_hundreds_of_accounts_need_a_few_threads_and_connections(many, lent):
    """No more than are read at the same time, however many there are."""
    tenants, url = many
    before = threading.active_count()
    with uc.Directory(tenants.accounts(url), concurrency=12) as directory:
        walk, got, threads = iter(directory.customers(page_size=3)), [], 0
        for customer in walk:
            got.append(customer)
            threads = max(threads, threading.active_count())
        assert len(directory._pool.all) <= 12
    assert ids(got) == tenants.truth
    assert threads - before <= 12
    assert lent["all"] <= 12


@pytest.mark.anyio
async def test_hundreds_of_accounts_awaited_need_a_few_connections(many, lent):
    """Likewise."""
    tenants, url = many
    async with uc.AsyncDirectory(tenants.accounts(url), concurrency=12) as directory:
        assert ids([c async for c in directory.customers(page_size=3)]) == tenants.truth
        assert len(directory._pool.all) <= 12
    assert lent["all"] <= 12


def test_an_account_that_waits_holds_no_customer(few):
    """Only the page that is being handed out is held, beside the few that wait for that."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url), concurrency=2) as directory:
        walk = iter(directory.customers(page_size=2))
        for _ in walk:
            accounts = walk._progress.accounts
            assert sum(bool(one.at.items) for one in accounts) == 1
            assert sum(len(one.news) for one in accounts) <= 2
        assert not any(one.at.items or one.walk.state.items or one.walk.state.batch for one in accounts)
        assert not any("a-0" in one.walk._guard.ids for one in accounts)


def test_no_more_accounts_of_one_host_are_read_than_was_said(many, lent):
    """Of each host for itself."""
    tenants, url = many
    other = Tenants({f"u{n}": 2 for n in range(20)})
    with serve(other) as elsewhere:
        accounts = tenants.accounts(url) | other.accounts(elsewhere)
        with uc.Directory(accounts, per_host=3) as directory:
            assert ids(directory.customers(page_size=2)) == sorted([*tenants.truth, *other.truth])
    assert lent[url] <= 3
    assert lent[elsewhere] <= 3


def test_cookies_of_one_account_never_reach_another(many):
    """Accounts share connections, and nothing else."""
    tenants, url = many
    with uc.Directory(tenants.accounts(url), concurrency=2) as directory:
        list(directory.customers(page_size=2))
    assert tenants.cookies == []


@pytest.mark.parametrize("concurrency", [1, 2, 9])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_an_ordered_walk_hands_out_account_after_account(few, concurrency, size):
    """In the order in which they were given, and each in its own."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url, "daceb"), concurrency=concurrency) as directory:
        got = [customer.id for customer in directory.customers(page_size=size, ordered=True)]
        assert [page.account for page in directory.customers(page_size=100, ordered=True).pages()] == [*"dace"]
    assert got == [f"{name}-{n}" for name in "daceb" for n in reversed(range(FEW[name]))]


@pytest.mark.anyio
async def test_an_ordered_walk_can_be_awaited(few):
    """Likewise."""
    tenants, url = few
    async with uc.AsyncDirectory(tenants.accounts(url)) as directory:
        listing = directory.customers(page_size=4, ordered=True)
        got = [customer.id async for customer in listing]
        pages = [page.account async for page in listing.pages()]
    assert got == [f"{name}-{n}" for name in "abcde" for n in reversed(range(FEW[name]))]
    assert pages == sorted(pages)


def test_an_ordered_walk_is_resumed_anywhere(few):
    """In its order, whatever was read ahead."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        whole = [customer.id for customer in directory.customers(ordered=True)]
        for stop in range(0, len(whole) + 1, 3):
            walk = iter(directory.customers(page_size=2, ordered=True))
            got = [next(walk).id for _ in range(stop)]
            walk.close()
            rest = directory.customers(after=walk.checkpoint, ordered=True)
            assert [*got, *(customer.id for customer in rest)] == whole


def broken(tenants, name, times=10**9):
    """Have one tenant answer with errors, so many times."""
    server, left = tenants.servers[name], [times]

    def meddle(request, number):
        if left[0]:
            left[0] -= 1
            return reply(500, {})
        return None

    server.meddle = meddle


@pytest.mark.parametrize("ordered", [False, True])
def test_an_error_names_its_account_and_asking_on_tries_it_again(few, ordered):
    """With that account's own checkpoint; nothing is lost."""
    tenants, url = few
    broken(tenants, "c", 1)
    with uc.Directory(tenants.accounts(url), retry=uc.Retry(attempts=1)) as directory:
        walk, got = iter(directory.customers(page_size=3, ordered=ordered)), []
        with pytest.raises(uc.ServerError, match=r"^c: FlexPortal") as caught:
            got.extend(iter(lambda: next(walk).id, None))
        got += [customer.id for customer in walk]
    assert caught.value.account == "c"
    assert caught.value.checkpoint.startswith("uc1.")
    assert sorted(got) == tenants.truth


def test_a_callable_is_given_each_error(few):
    """What it returns is not looked at; what it raises ends the walk, and asking on tries again."""
    tenants, url = few
    broken(tenants, "a")
    broken(tenants, "d", 2)
    told = []

    def decide(error):
        told.append(error.account)
        if error.account == "d":
            raise ZeroDivisionError

    with uc.Directory(tenants.accounts(url), retry=uc.Retry(attempts=1)) as directory:
        listing = directory.customers(on_account_error=decide)
        walk, got, raised = iter(listing), [], 0
        while True:
            try:
                got.append(next(walk).id)
            except StopIteration:
                break
            except ZeroDivisionError:
                raised += 1
        assert (raised, sorted(told)) == (2, ["a", "d", "d"])
        assert sorted(got) == [id_ for id_ in tenants.truth if not id_.startswith("a-")]
        assert set(listing.errors) == set(listing.report.errors) == {"a"}
        with pytest.raises(uc.InvalidRequestError, match="callable"):
            directory.customers(on_account_error="ignore")


@pytest.mark.parametrize("ordered", [False, True])
def test_one_dead_account_among_many_is_told_and_the_rest_is_whole(few, ordered):
    """Its error stands under its name, with its checkpoint."""
    tenants, url = few
    broken(tenants, "d")
    with uc.Directory(tenants.accounts(url), retry=uc.Retry(attempts=1)) as directory:
        listing = directory.customers(page_size=2, on_account_error="collect", ordered=ordered)
        assert ids(listing) == [id_ for id_ in tenants.truth if not id_.startswith("d-")]
        error = listing.errors["d"]
        assert (set(listing.errors), error.account) == ({"d"}, "d")
        tenants.servers["d"].meddle = lambda request, number: None
        with uc.Client(tenants.accounts(url)["d"]) as client:
            assert len(list(client.customers(after=error.checkpoint))) == FEW["d"]


def test_the_report_adds_up(few):
    """Totals over the accounts, each account's own, and the directory's that of the walk that advanced last."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        assert directory.report.items == 0
        assert set(directory.report.accounts) == set(FEW)
        listing = directory.customers(page_size=3)
        assert list(listing)
        report = listing.report
        assert {name: one.items for name, one in report.accounts.items()} == FEW
        assert report.items == sum(FEW.values())
        assert report.requests == sum(one.requests for one in report.accounts.values()) == len(tenants.asked)
        assert directory.report == report
        other = iter(directory.customers())
        next(other)
        assert directory.report.items == other.report.items == 1
        assert listing.report == report


def test_what_was_read_ahead_was_not_handed_out(few):
    """The report counts what the caller has."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        walk = iter(directory.customers(page_size=3))
        for n in range(1, 12):
            next(walk)
            assert walk.report.items == n


def test_a_closed_directory_says_so(few):
    """Its iterators too, and none of them waits for ever or calls an unfinished list finished."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url), concurrency=1) as directory:
        walk = iter(directory.customers(page_size=1))
        next(walk)
    with pytest.raises(uc.ConfigurationError, match="closed"):
        list(walk)


def test_a_closed_directory_starts_no_walk(few):
    """With errors collected, it would seem to be one of accounts that all failed."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        listing = directory.customers(on_account_error="collect")
    for start in (iter, lambda listing: listing.pages()):
        with pytest.raises(uc.ConfigurationError, match="closed"):
            start(listing)


@pytest.mark.parametrize("threads", [0, 1])
def test_where_no_thread_can_be_had_fewer_will_do(few, monkeypatch, threads):
    """Even none: then whoever iterates reads."""
    tenants, url = few
    left, start = [threads], threading.Thread.start

    def started(thread):
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    with uc.Directory(tenants.accounts(url)) as directory:
        monkeypatch.setattr(threading.Thread, "start", started)
        assert ids(directory.customers(page_size=3)) == tenants.truth
        left[0] = threads
        assert len(list(directory.customers(page_size=3, ordered=True))) == len(tenants.truth)


def test_whatever_a_watcher_raises_comes_out(few):
    """Also what would end a thread in silence, so that whoever iterates waited for ever."""
    tenants, url = few

    def watch(event):
        if event.kind == "page":
            raise SystemExit(3)

    with uc.Directory(tenants.accounts(url), on_event=watch) as directory, pytest.raises(SystemExit):
        list(directory.customers())


@pytest.mark.anyio
async def test_a_task_that_waits_while_the_directory_is_closed_is_told(few):
    """Not left waiting."""
    tenants, url = few
    told = []
    async with anyio.create_task_group() as group, uc.AsyncDirectory(tenants.accounts(url), concurrency=1) as directory:
        walk = aiter(directory.customers(page_size=1))
        await anext(walk)

        async def wait():
            try:
                while True:
                    await anext(walk)
            except uc.ConfigurationError as error:
                told.append(error.message)

        group.start_soon(wait)
        await anyio.lowlevel.checkpoint()
    assert len(told) == 1
    assert "closed" in told[0]


def test_an_iterator_is_read_by_one_thread_at_a_time(few):
    """Two at once are told, as with a single account's."""
    tenants, url = few
    inside, go, told = threading.Event(), threading.Event(), []

    def watch(event):
        inside.set()
        go.wait(10)

    with uc.Directory(tenants.accounts(url), on_event=watch) as directory:
        walk = iter(directory.customers())
        thread = threading.Thread(target=lambda: told.append(next(walk)))
        thread.start()
        inside.wait(10)
        with pytest.raises(uc.ConfigurationError, match="another thread"):
            next(walk)
        go.set()
        thread.join(10)
    assert len(told) == 1


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"concurrency": "8"}, {"per_host": 0}, {"per_host": True}])
def test_widths_are_whole_numbers(wrong):
    """Anything else is refused by name."""
    accounts = Tenants(FEW).accounts("http://127.0.0.1:1")
    for kind in (uc.Directory, uc.AsyncDirectory):
        with pytest.raises(uc.ConfigurationError, match=next(iter(wrong))):
            kind(accounts, **wrong)


def test_keywords_of_one_account_s_reading_are_refused(few):
    """With the one that is meant."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        for keyword in ({"concurrency": 2}, {"prefetch": 1}):
            with pytest.raises(uc.InvalidRequestError, match="Directory"):
                directory.customers(**keyword)


def test_a_refusal_names_the_account(few):
    """Before anything is sent."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        with pytest.raises(uc.UnsupportedError, match=r"^a: ") as caught:
            directory.customers(external_id="x")
        assert caught.value.account == "a"
    assert tenants.asked == []


def test_each_account_has_a_rate_of_its_own(few, monkeypatch):
    """As with `Client`."""
    tenants, url = few
    slept = []
    with uc.Directory(tenants.accounts(url), rate=0.01) as directory:
        for client in directory._clients.values():
            monkeypatch.setattr(client, "_sleep", slept.append)
        assert ids(directory.customers(page_size=3)) == tenants.truth
    assert slept
    with pytest.raises(uc.ConfigurationError, match="rate="):
        uc.Directory(tenants.accounts(url), rate=0)
