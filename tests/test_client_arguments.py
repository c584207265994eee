"""What clients are made of, where they may go, and what is said of them."""

from __future__ import annotations

import logging
import pickle

import httpx
import pytest
from fakes import flexprice, reply
from wires import async_client_of, client_of, wired

import unified_customers as uc
from unified_customers._wire import Unreachable

# Redirects


def redirecting(status, location):
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
@pytest.mark.parametrize(
    "location",
    ["/v1/customers?moved=1&limit=1000&offset=0&order=asc", "https://provider.example/v1/customers?moved=1&limit=1000"],
)
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
    [
        (30, 10, 30),
        (5, 5, 5),
        (2.5, 2.5, 2.5),
        ((1, 20), 1, 20),
        ((20, 1), 20, 1),
        ("never", None, None),
        (httpx.Timeout(7), 7, 7),
    ],
)
@pytest.mark.parametrize("kind", [uc.Client, uc.AsyncClient])
def test_timeouts(kind, timeout, connect, read):
    """One number, a pair, httpx's own, or for ever by a deliberate word."""
    client = kind(flexprice(), timeout=timeout)
    assert (client._http.timeout.connect, client._http.timeout.read) == (connect, read)
    assert kind(flexprice())._http.timeout == httpx.Timeout(30, connect=10)


@pytest.mark.parametrize(
    "timeout", [None, 0, -1, True, "forever", float("inf"), float("nan"), (1,), (1, 2, 3), (0, 5), (None, 5), [1, 2]]
)
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

    http, later = (
        httpx.Client(transport=httpx.MockTransport(fail)),
        httpx.AsyncClient(transport=httpx.MockTransport(fail_later)),
    )
    once = uc.Retry(attempts=1)
    with pytest.raises(cls) as caught:
        list(uc.Client(flexprice(), http_client=http, retry=once).customers())
    with pytest.raises(cls):
        await uc.AsyncClient(flexprice(), http_client=later, retry=once).customer("x")
    assert "planted" not in str(caught.value)
