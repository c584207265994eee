"""Both clients over real sockets, against the sandbox."""

from __future__ import annotations

import threading

import anyio
import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
QUICK = uc.Retry(attempts=6, first_wait=0.01, max_wait=0.02)


@pytest.fixture(scope="module", params=["real", "documents"])
def box(request):
    """The three providers with 57 customers each, once for this file."""
    with Sandbox(customers=57, flexprice=request.param, strange=False) as box:
        yield box


@pytest.fixture(autouse=True)
def calm(box):
    """No fault of one test reaches the next."""
    yield
    for provider in box.providers:
        provider.clear_faults()


def account(box, name):
    return CLASSES[name](**getattr(box, name).settings)


def truth(box, name):
    return sorted(getattr(box, name).ids)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("size", [1, 10, 57, 100])
def test_a_walk_over_sockets(box, name, size):
    """Everybody once."""
    with uc.Client(account(box, name)) as client:
        assert sorted(c.id for c in client.customers(page_size=size)) == truth(box, name)


@pytest.mark.anyio
@pytest.mark.parametrize("name", CLASSES)
async def test_an_async_walk_over_sockets(box, name):
    """Likewise, with the same requests."""
    provider = getattr(box, name)
    async with uc.AsyncClient(account(box, name)) as client:
        before = len(provider.requests)
        got = [c async for c in client.customers(page_size=10)]
        middle = len(provider.requests)
    with uc.Client(account(box, name)) as client:
        assert list(client.customers(page_size=10)) == got
    assert sorted(c.id for c in got) == truth(box, name)
    assert provider.requests[before:middle] == provider.requests[middle:]


FAULTS = [
    "429",
    "500",
    "502",
    "503",
    "504",
    "503-json",
    "empty",
    "204",
    "html200",
    "garbage",
    "error200",
    "reset",
    "cut",
    "cut-chunked",
    "bom",
    "bad-gzip",
]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_survived(box, name, fault):
    """Repeated, and not seen in what comes."""
    getattr(box, name).fault(fault, times=1, after=1)
    waits = []
    with uc.Client(account(box, name), retry=QUICK, _sleep=waits.append) as client:
        listing = client.customers(page_size=20)
        assert sorted(c.id for c in listing) == truth(box, name)
    assert len(waits) == (0 if fault == "bom" else 1)


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["503", "reset", "cut", "bad-gzip"])
async def test_a_passing_fault_is_survived_async(box, fault):
    """Likewise."""
    box.flexprice.fault(fault, times=1, after=1)
    async with uc.AsyncClient(account(box, "flexprice"), retry=QUICK) as client:
        assert sorted([c.id async for c in client.customers(page_size=20)]) == truth(box, "flexprice")


@pytest.mark.parametrize("fault", ["token-dies", "token-expires-early"])
def test_tokens_that_die_over_sockets(box, fault):
    """Signed in anew."""
    box.flatpeak.fault(fault)
    with uc.Client(account(box, "flatpeak")) as client:
        assert sorted(c.id for c in client.customers(page_size=10)) == truth(box, "flatpeak")


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("fault", ["loop", "loop2"])
def test_loops_over_sockets_end(box, name, fault):
    """With an error, or with everybody where another way round the loop was found; never short, never for ever."""
    provider = getattr(box, name)
    provider.fault(fault)
    before = len(provider.requests)
    with uc.Client(account(box, name)) as client:
        try:
            got = [c.id for c in client.customers(page_size=10)]
        except uc.CustomersError:
            got = truth(box, name)
    assert sorted(got) == truth(box, name)
    assert len(provider.requests) - before < 200


def test_threads_share_a_client(box):
    """Eight walks at once over one client, one sign-in."""
    before = sum(path.startswith("/login") for _, path, _ in box.flatpeak.requests)
    with uc.Client(account(box, "flatpeak")) as client:
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(sorted(c.id for c in client.customers(page_size=10))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [truth(box, "flatpeak")] * 8
    assert sum(path.startswith("/login") for _, path, _ in box.flatpeak.requests) == before + 1


# httpx leaves its own generator over a request's body half-run when a task is cancelled there, and trio warns of it
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.anyio
async def test_tasks_share_a_client_and_are_cancelled(box):
    """A task group that fails cancels walks; the client works on."""
    async with uc.AsyncClient(account(box, "flexprice")) as client:

        async def walk():
            async for _ in client.customers(page_size=2):
                pass

        with anyio.move_on_after(0.02):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(walk)
        assert sorted([c.id async for c in client.customers(page_size=20)]) == truth(box, "flexprice")


def test_wrong_keys_over_sockets(box):
    """An authentication error that names the variable, from each provider."""
    for name, key in (("flexportal", "api_key"), ("flexprice", "api_key"), ("flatpeak", "api_key")):
        wrong = CLASSES[name](**{**getattr(box, name).settings, key: "planted_wrong"})
        with uc.Client(wrong) as client, pytest.raises((uc.AuthenticationError, uc.PermissionDeniedError)) as caught:
            list(client.customers())
        assert f"{name.upper()}_API_KEY" in str(caught.value)
        assert "planted" not in str(caught.value)
