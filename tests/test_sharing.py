"""One client, or one directory, for many threads or tasks: each walk is whole, and one sign-in serves all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from wires import async_client_of, client_of

import unified_customers as uc
from unified_customers.sandbox import Sandbox

THREADS, WALKS = 8, 3
DEATHS = (40, 135, 230)  # after how many requests; far enough apart that nobody meets two in one request


@pytest.fixture(scope="module")
def box():
    """The three providers on loopback, with 40 customers each."""
    with Sandbox(customers=40, strange=False) as box:
        yield box


@pytest.fixture
def dying(box):
    """Flatpeak, whose tokens die now and then, and whose sign-in takes its time."""
    provider = box.flatpeak
    provider.fault("slow", times=1000, on="login", seconds=0.03)
    for after in DEATHS:
        provider.fault("token-dies", after=after)
    yield provider
    provider.clear_faults()


def sign_ins(requests):
    """How many there were."""
    return sum(path.startswith("/login") for _, path, _ in requests)


def accounts(box):
    """The three accounts of the sandbox."""
    return [
        uc.FlexPortal(**box.flexportal.settings),
        uc.Flexprice(**box.flexprice.settings),
        uc.Flatpeak(**box.flatpeak.settings),
    ]


def in_threads(work, count=THREADS):
    """What `work` returns in each of so many threads, that all begin at once."""
    barrier = threading.Barrier(count)

    def begin(_):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


async def in_tasks(work, count=THREADS):
    """Likewise in tasks."""
    found = []

    async def keep():
        found.append(await work())

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(keep)
    return found


# Signing in


@pytest.mark.parametrize("ahead", [0, 2])
def test_threads_share_a_client_whose_tokens_die(dying, ahead):
    """Eight threads, three walks each: all whole, and each death costs one sign-in, however many were refused."""
    before = len(dying.requests)
    with uc.Client(uc.Flatpeak(**dying.settings)) as client:
        found = in_threads(
            lambda: [[c.id for c in client.customers(page_size=4, prefetch=ahead)] for _ in range(WALKS)]
        )
    assert found == [[dying.ids] * WALKS] * THREADS
    assert sign_ins(dying.requests[before:]) == 1 + len(DEATHS)


@pytest.mark.anyio
@pytest.mark.parametrize("ahead", [0, 2])
async def test_tasks_share_a_client_whose_tokens_die(dying, ahead):
    """Likewise, on both event loops."""
    before = len(dying.requests)
    async with uc.AsyncClient(uc.Flatpeak(**dying.settings)) as client:
        found = await in_tasks(lambda: walks(client, ahead))
    assert found == [[dying.ids] * WALKS] * THREADS
    assert sign_ins(dying.requests[before:]) == 1 + len(DEATHS)


async def walks(client, ahead):
    return [[c.id async for c in client.customers(page_size=4, prefetch=ahead)] for _ in range(WALKS)]


def test_a_sign_in_that_fails_fails_for_nobody_else(box):
    """The thread that was refused tells it; the lock is given back, and the next one signs in."""
    with uc.Client(uc.Flatpeak(**box.flatpeak.settings), retry=uc.Retry(attempts=1)) as client:
        box.flatpeak.fault("500", times=3, on="login")

        def walk():
            try:
                return len(list(client.customers()))
            except uc.ServerError:
                return "refused"

        found = in_threads(walk)
    assert sorted(map(str, found)) == ["40"] * (THREADS - 3) + ["refused"] * 3


# Walking


@pytest.mark.parametrize("account", range(3))
def test_threads_do_everything_at_once_with_one_client(box, account):
    """Walks of several queries, pages, single customers and checks: each gets its own answers."""
    settings = accounts(box)[account]
    provider = getattr(box, settings.name)
    with uc.Client(settings) as client:
        works = [
            lambda: sorted(c.id for c in client.customers(page_size=7)) == sorted(provider.ids),
            lambda: (
                sorted(c.id for page in client.customers(page_size=9).pages() for c in page) == sorted(provider.ids)
            ),
            lambda: all(client.customer(id_).id == id_ for id_ in provider.ids[:5]),
            lambda: client.check().items > 0,
        ]
        assert in_threads(lambda: [work() for work in works]) == [[True] * len(works)] * THREADS


def test_walks_of_one_listing_know_nothing_of_each_other(box):
    """A listing may be shared: each thread's `for` is a walk of its own, with its own checkpoint."""
    with uc.Client(uc.Flexprice(**box.flexprice.settings)) as client:
        listing = client.customers(page_size=6)

        def walk():
            steps, got, after = iter(listing), [], []
            for customer in steps:
                got.append(customer.id)
                after.append(steps.checkpoint)
            return got, after

        found = in_threads(walk)
    assert all(one == found[0] for one in found)
    assert sorted(found[0][0]) == sorted(box.flexprice.ids)


def test_threads_share_a_directory(box):
    """Several walks over all accounts at once."""
    everybody = sorted((provider.name, id_) for provider in box.providers for id_ in provider.ids)
    with uc.Directory(accounts(box)) as directory:
        found = in_threads(lambda: sorted((c.provider, c.id) for c in directory.customers(page_size=9)), 4)
    assert found == [everybody] * 4


@pytest.mark.anyio
async def test_tasks_share_a_directory(box):
    """Likewise."""
    everybody = sorted((provider.name, id_) for provider in box.providers for id_ in provider.ids)
    async with uc.AsyncDirectory(accounts(box)) as directory:

        async def walk():
            return sorted([(c.provider, c.id) async for c in directory.customers(page_size=9)])

        assert await in_tasks(walk, 4) == [everybody] * 4


# What can't be shared


@pytest.mark.anyio
@pytest.mark.parametrize("size", [4, 100])
async def test_one_iterator_is_not_for_two_tasks(size):
    """It says so, instead of ending early for one of them."""
    client, _ = async_client_of("flexprice", 10)
    walk, got, refused = aiter(client.customers(page_size=size)), [], []

    async def read():
        try:
            async for customer in walk:
                got.append(customer.id)  # noqa: PERF401 - to keep what came before the error
        except uc.ConfigurationError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(read)
    assert sorted(got) == sorted([c.id async for c in client.customers()])
    assert "another" in str(refused[0])


@pytest.mark.parametrize("start", [iter, lambda listing: listing.pages()], ids=["customers", "pages"])
def test_one_iterator_is_not_for_two_threads(start):
    """Likewise, while it reads a page."""
    client, wire = client_of("flexprice", 10)
    walk, asked, go_on = start(client.customers()), threading.Event(), threading.Event()

    def hang(request, n):
        asked.set()
        go_on.wait(10)

    wire.server.meddle = hang
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(list, walk)
        asked.wait()
        second = pool.submit(next, walk)
        threading.Timer(0.1, go_on.set).start()  # for a second reader that is not refused
        assert isinstance(second.exception(), uc.ConfigurationError)
        assert sum(len(getattr(item, "items", [item])) for item in first.result()) == 10
