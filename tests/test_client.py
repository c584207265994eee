"""Both clients over httpx: the same conversations, and one sign-in for all."""

from __future__ import annotations

import threading

import anyio
import attrs
import pytest
from wires import ADAPTERS, async_client_of, client_of, fault_at

import unified_customers as uc
from unified_customers import client as client_module


@pytest.mark.anyio
@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("n", [0, 1, 3, 4, 10])
async def test_sync_and_async_ask_the_same(name, n):
    """The same addresses in the same order, the same customers, pages and report."""
    client, wire = client_of(name, n)
    other, other_wire = async_client_of(name, n)
    wire.server.meddle = other_wire.server.meddle = fault_at(2, 3)
    listing, other_listing = client.customers(page_size=3), other.customers(page_size=3)
    got = list(listing)
    assert [c async for c in other_listing] == got
    assert len(got) == n
    assert other_wire.urls == wire.urls
    assert attrs.asdict(other_listing.report) == attrs.asdict(listing.report)
    assert other_listing.checkpoint == listing.checkpoint
    pages = [page async for page in other.customers(page_size=3).pages()]
    assert pages == list(client.customers(page_size=3).pages())


@pytest.mark.anyio
@pytest.mark.parametrize("name", ADAPTERS)
async def test_sync_and_async_find_the_same(name):
    """One customer, a check and a count."""
    client, wire = client_of(name)
    other, other_wire = async_client_of(name)
    assert await other.customer("cus_07932") == client.customer("cus_07932")
    assert attrs.evolve(await other.check(), clock_skew=None) == attrs.evolve(client.check(), clock_skew=None)
    if name == "flexprice":
        assert await other.count() == client.count() == 10
    for call in (lambda: client.customer("nobody"),):
        with pytest.raises(uc.NotFoundError) as caught:
            call()
    with pytest.raises(uc.NotFoundError) as also:
        await other.customer("nobody")
    assert str(also.value) == str(caught.value)
    assert other_wire.urls == wire.urls


@pytest.mark.anyio
async def test_an_error_ends_no_async_iterator():
    """`anext()` after an error goes on where it was."""
    client, wire = async_client_of("flexprice", retry=uc.Retry(attempts=1))
    wire.server.meddle = fault_at(2, 4)
    walk = aiter(client.customers(page_size=3))
    got, errors, places = [], 0, []
    while True:
        try:
            got.append((await anext(walk)).id)
        except StopAsyncIteration:
            break
        except uc.ServerError as error:
            errors += 1
            places.append(error.checkpoint == walk.checkpoint)
    assert errors == 2
    assert places == [True, True]
    assert got == [c.id for c in client_of("flexprice")[0].customers(page_size=3)]


# Signing in


def test_eight_threads_sign_in_once():
    """One login, however many walks begin at the same time."""
    client, wire = client_of("flatpeak", 30)
    barrier, found = threading.Barrier(8), []

    def walk():
        barrier.wait()
        found.append([c.id for c in client.customers(page_size=4)])

    threads = [threading.Thread(target=walk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wire.server.logins == 1
    assert len(found) == 8
    assert all(ids == found[0] and len(ids) == 30 for ids in found)


@pytest.mark.anyio
async def test_many_tasks_sign_in_once():
    """Likewise for tasks, on both event loops."""
    client, wire = async_client_of("flatpeak", 30)
    found = []

    async def walk():
        found.append([c.id async for c in client.customers(page_size=4)])

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(walk)
    assert wire.server.logins == 1
    assert len(found) == 20
    assert all(ids == found[0] and len(ids) == 30 for ids in found)


@pytest.mark.parametrize("lives", [1, 2, 3, 7])
def test_a_token_that_dies_is_renewed(lives):
    """A refused token is replaced once, and the walk goes on."""
    client, wire = client_of("flatpeak", 20)
    wire.server.lives = lives
    assert len(list(client.customers(page_size=2))) == 20
    assert wire.server.logins == -(-10 // lives)


def test_eight_threads_renew_a_dead_token_once():
    """The rejected token is named, so the second thread takes the first one's new token."""
    client, wire = client_of("flatpeak", 8)
    assert len(list(client.customers())) == 8
    wire.server._left = 0
    barrier, found = threading.Barrier(8), []

    def walk():
        barrier.wait()
        found.append(len(list(client.customers(page_size=4))))

    threads = [threading.Thread(target=walk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [8] * 8
    assert wire.server.logins == 2


def test_a_token_that_is_always_refused_is_an_authentication_error():
    """Two tries, then the truth."""
    client, wire = client_of("flatpeak")
    wire.server.lives = 0
    with pytest.raises(uc.AuthenticationError, match="FLATPEAK_API_KEY"):
        list(client.customers())
    assert wire.server.logins == 2
    assert len(wire.urls) == 4


def test_a_stale_token_is_renewed_before_it_is_refused(monkeypatch):
    """By the monotonic clock, so that a clock that jumps does no harm."""
    now = [1000.0]
    monkeypatch.setattr(client_module.time, "monotonic", lambda: now[0])
    client, wire = client_of("flatpeak")
    list(client.customers())
    now[0] += 3600 - 61
    list(client.customers())
    assert wire.server.logins == 1
    now[0] += 2
    list(client.customers())
    assert wire.server.logins == 2
