"""Both clients over httpx: the same conversations, connections given back, one sign-in for all."""

from __future__ import annotations

import gc
import logging
import pickle
import threading
import warnings

import anyio
import attrs
import httpx
import pytest
from fakes import FakeFlatpeak, FakeFlexPortal, FakeFlexprice, flatpeak, flexportal, flexprice, people
from hypothesis import given, settings
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers._wire import Request, Unreachable

ADAPTERS = {
    "flexportal": (flexportal, FakeFlexPortal),
    "flexprice": (flexprice, FakeFlexprice),
    "flatpeak": (flatpeak, FakeFlatpeak),
}


class Wire:
    """An httpx transport over a fake provider, that remembers what was sent."""

    def __init__(self, server):
        self.server, self.urls, self.sent = server, [], []
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.sent.append(request)
        plain = Request(
            method=request.method,
            url=str(request.url),
            headers=tuple(request.headers.items()),
            body=request.content or None,
        )
        with self.lock:
            answer = self.server(plain)
        if isinstance(answer, Unreachable):
            raise httpx.ConnectError("no way to https://provider.example/?email=planted")
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    @property
    def sync(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    @property
    def later(self) -> httpx.AsyncClient:
        async def answer(request):
            await anyio.sleep(0)
            return self(request)

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def wired(name, n=10, **options):
    make, server = ADAPTERS[name]
    return make(), Wire(server(people(range(0, 10 * n, 10)), **options))


def client_of(name, n=10, **options):
    adapter, wire = wired(name, n)
    return uc.Client(adapter, http_client=wire.sync, _sleep=lambda _: None, **options), wire


async def no_sleep(_):
    await anyio.sleep(0)


def async_client_of(name, n=10, **options):
    adapter, wire = wired(name, n)
    return uc.AsyncClient(adapter, http_client=wire.later, _sleep=no_sleep, **options), wire


def fault_at(*numbers, status=503):
    from fakes import reply

    return lambda request, n: reply(status, b"", retry_after="1") if n in numbers else None


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
    got, errors = [], 0
    while True:
        try:
            got.append((await anext(walk)).id)
        except StopAsyncIteration:
            break
        except uc.ServerError as error:
            errors += 1
            assert error.checkpoint == walk.checkpoint
    assert errors == 2
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
    from unified_customers import client as module

    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    client, wire = client_of("flatpeak")
    list(client.customers())
    now[0] += 3600 - 61
    list(client.customers())
    assert wire.server.logins == 1
    now[0] += 2
    list(client.customers())
    assert wire.server.logins == 2


# Redirects


def redirecting(status, location):
    from fakes import reply

    return lambda request, n: reply(status, b"", location=location) if "moved" not in request.url else None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/v1/customers",
        "http://provider.example/v1/customers",
        "https://provider.example:8443/v1/customers",
        "//elsewhere.example/",
        "https://provider.example@elsewhere.example/",
        "https://provider.example.elsewhere.example/",
        "",
        "http://[",
    ],
)
def test_a_key_never_goes_elsewhere(status, location):
    """Another host, port or scheme is not followed, and the error says so."""
    client, wire = client_of("flexprice")
    wire.server.meddle = redirecting(status, location)
    with pytest.raises(uc.ApiError, match="redirect") as caught:
        list(client.customers())
    assert caught.value.status == status
    assert len(wire.urls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/v1/customers?moved=1&limit=1000&offset=0&order=asc", "https://provider.example/v1/customers?moved=1&limit=1000"])
def test_a_redirect_at_the_same_origin_is_followed(status, location):
    """With the key."""
    client, wire = client_of("flexprice")
    wire.server.meddle = redirecting(status, location)
    assert len(list(client.customers())) == 10
    assert wire.sent[1].headers["x-api-key"] == "sk_test"


def test_a_redirect_in_circles_ends():
    """After a few hops."""
    client, wire = client_of("flexprice")
    wire.server.meddle = redirecting(302, "/v1/customers?again=1")
    with pytest.raises(uc.ApiError):
        list(client.customers())
    assert len(wire.urls) < 10


# Arguments


@pytest.mark.parametrize(
    ("timeout", "connect", "read"),
    [(30, 10, 30), (5, 5, 5), (2.5, 2.5, 2.5), ((1, 20), 1, 20), ((20, 1), 20, 1), ("never", None, None), (httpx.Timeout(7), 7, 7)],
)
@pytest.mark.parametrize("kind", [uc.Client, uc.AsyncClient])
def test_timeouts(kind, timeout, connect, read):
    """One number, a pair, httpx's own, or for ever by a deliberate word."""
    client = kind(flexprice(), timeout=timeout)
    assert (client._http.timeout.connect, client._http.timeout.read) == (connect, read)
    assert kind(flexprice())._http.timeout == httpx.Timeout(30, connect=10)


@pytest.mark.parametrize("timeout", [None, 0, -1, True, "forever", float("inf"), float("nan"), (1,), (1, 2, 3), (0, 5), (None, 5), [1, 2]])
@pytest.mark.parametrize("kind", [uc.Client, uc.AsyncClient])
def test_a_timeout_that_makes_no_sense_is_refused(kind, timeout):
    """`None` would wait for ever by accident."""
    with pytest.raises(uc.ConfigurationError, match="timeout"):
        kind(flexprice(), timeout=timeout)


@pytest.mark.parametrize(
    "make",
    [
        lambda: uc.Client("flexprice"),
        lambda: uc.Client(uc.Flexprice),
        lambda: uc.Client(None),
        lambda: uc.Client(flexprice(), retry=3),
        lambda: uc.Client(flexprice(), on_event="print"),
        lambda: uc.Client(flexprice(), http_client="httpx"),
        lambda: uc.Client(flexprice(), http_client=httpx.AsyncClient()),
        lambda: uc.AsyncClient(flexprice(), http_client=httpx.Client()),
    ],
)
def test_a_client_of_the_wrong_things_is_refused(make):
    """At once, not at the first request."""
    with pytest.raises(uc.ConfigurationError):
        make()


@pytest.mark.anyio
async def test_a_closed_client_says_so():
    """And its listings too."""
    client, _ = client_of("flexprice")
    with client:
        listing = client.customers()
    for call in (lambda: list(listing), lambda: client.customer("x"), client.count, client.check):
        with pytest.raises(uc.ConfigurationError, match="closed"):
            call()
    other, _ = async_client_of("flexprice")
    async with other:
        pass
    with pytest.raises(uc.ConfigurationError, match="closed"):
        await other.customer("x")


@pytest.mark.anyio
async def test_an_injected_client_is_used_as_it_is_and_stays_open():
    """Its own headers, timeouts and proxies hold; only our own client is closed."""
    _, wire = wired("flexprice")
    http = httpx.Client(transport=httpx.MockTransport(wire), headers={"x-mine": "1"}, auth=("a", "b"), timeout=3)
    with uc.Client(flexprice(), http_client=http) as client:
        list(client.customers())
    assert not http.is_closed
    assert wire.sent[0].headers["x-mine"] == "1"
    assert wire.sent[0].headers["authorization"] == "Bearer sk_test"
    assert wire.sent[0].extensions["timeout"]["read"] == 3
    later = wire.later
    async with uc.AsyncClient(flexprice(), http_client=later) as other:
        await other.customer("cus_07932")
    assert not later.is_closed
    own = uc.Client(flexprice())
    own.close()
    assert own._http.is_closed
    own.close()


def test_our_client_says_who_it_is_and_follows_nothing_by_itself():
    """User agent, gzip, no redirects."""
    client = uc.Client(flexprice())
    assert client._http.headers["user-agent"].startswith("unified-customers/")
    assert "gzip" in client._http.headers["accept-encoding"]
    assert client._http.follow_redirects is False
    assert "flexprice" in repr(client)


# Interruption


class InterruptedError_(KeyboardInterrupt):
    """A Ctrl-C that no test runner mistakes for its own."""


@settings(max_examples=30)
@given(st.sampled_from(sorted(ADAPTERS)), st.integers(1, 9), st.integers(1, 4))
def test_ctrl_c_inside_a_request_leaves_the_checkpoint_right(name, at, size):
    """It comes through as it is; the same iterator, and the checkpoint, go on."""
    client, wire = client_of(name)
    interrupted = []

    def meddle(request, n):
        if n == at and not interrupted:
            interrupted.append(n)
            raise InterruptedError_
        return None

    wire.server.meddle = meddle
    walk = iter(client.customers(page_size=size))
    got = []
    try:
        for customer in walk:
            got.append(customer.id)
    except InterruptedError_:
        rest = [c.id for c in client.customers(page_size=size, after=walk.checkpoint)]
        assert [*got, *rest] == [*got, *(c.id for c in walk)]
        got += rest
    assert len(got) == len(set(got)) == 10


@pytest.mark.anyio
@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_cancelled_task_leaves_no_warning_and_a_right_checkpoint(name):
    """Cancelled in mid-page or in a request; the client can be used on."""
    client, wire = async_client_of(name, 20)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for stop in (1, 3, 7, 12):
            got = []
            listing = client.customers(page_size=3)
            with anyio.CancelScope() as scope:
                async for customer in listing:
                    got.append(customer.id)
                    if len(got) == stop:
                        scope.cancel()  # strikes inside the next request
            rest = [c.id async for c in client.customers(page_size=5, after=listing.checkpoint)]
            assert len(got) >= stop
            assert len({*got, *rest}) == len(got) + len(rest) == 20
        await client.aclose()
        gc.collect()
    assert [str(w.message) for w in caught] == []


@pytest.mark.anyio
async def test_cancelled_while_signing_in():
    """The lock is given back, so the next walk signs in."""
    client, wire = async_client_of("flatpeak", 5)
    hang = True

    async def answer(request):
        if hang:
            await anyio.sleep_forever()
        return wire(request)

    client._http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with anyio.move_on_after(0.01) as scope:
        await anext(aiter(client.customers()))
    assert scope.cancelled_caught
    hang = False
    assert len([c async for c in client.customers()]) == 5


def test_a_walk_left_early_leaves_nothing_behind():
    """`break`, and an iterator that is thrown away."""
    client, _ = client_of("flexprice")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in client.customers(page_size=2):
            break
        next(iter(client.customers()))
        gc.collect()


# What it says


def test_httpx_lines_hold_no_query(caplog):
    """httpx prints whole addresses at INFO; ours say what the request is for."""
    caplog.set_level(logging.DEBUG)
    client, _ = client_of("flexprice")
    list(client.customers(email="cus_07932@example.com"))
    lines = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert lines
    assert all("(list customers)" in line for line in lines)
    assert "example.com" not in caplog.text


def test_httpx_lines_of_others_stay_as_they_are(caplog):
    """Only our own requests are renamed."""
    caplog.set_level(logging.INFO)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as http:
        http.get("https://mine.example/?a=b")
    assert "https://mine.example/?a=b" in caplog.text


def test_what_a_transport_says_stays_inside():
    """httpx's own messages hold addresses; ours hold the class only."""
    client, wire = client_of("flexprice", retry=uc.Retry(attempts=1))
    wire.server.meddle = lambda request, n: Unreachable(kind="connection", reason="x")
    with pytest.raises(uc.ConnectionFailedError) as caught:
        list(client.customers())
    assert "planted" not in str(caught.value)
    assert "ConnectError" in str(caught.value)
    assert caught.value.__cause__ is None
    assert pickle.loads(pickle.dumps(caught.value)).checkpoint == caught.value.checkpoint


@pytest.mark.parametrize(
    ("raised", "cls"),
    [
        (httpx.ConnectTimeout, uc.RequestTimeoutError),
        (httpx.ReadTimeout, uc.RequestTimeoutError),
        (httpx.PoolTimeout, uc.RequestTimeoutError),
        (httpx.ConnectError, uc.ConnectionFailedError),
        (httpx.ReadError, uc.ConnectionFailedError),
        (httpx.RemoteProtocolError, uc.ConnectionFailedError),
        (httpx.DecodingError, uc.MalformedResponseError),
        (httpx.UnsupportedProtocol, uc.ConnectionFailedError),
        (OSError, uc.ConnectionFailedError),
        (ValueError, uc.ConnectionFailedError),
    ],
)
@pytest.mark.anyio
async def test_whatever_httpx_raises_is_ours(raised, cls):
    """No foreign error comes out, from either client."""

    def fail(request):
        raise raised("planted")

    async def fail_later(request):
        raise raised("planted")

    http, later = httpx.Client(transport=httpx.MockTransport(fail)), httpx.AsyncClient(transport=httpx.MockTransport(fail_later))
    once = uc.Retry(attempts=1)
    with pytest.raises(cls) as caught:
        list(uc.Client(flexprice(), http_client=http, retry=once).customers())
    with pytest.raises(cls):
        await uc.AsyncClient(flexprice(), http_client=later, retry=once).customer("x")
    assert "planted" not in str(caught.value)
