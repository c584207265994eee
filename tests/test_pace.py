"""A limit of requests a second: kept by all walks together, slower after a 429, and back again."""

from __future__ import annotations

import math
import sys
import time
from itertools import pairwise

import anyio
import pytest
from fakes import reply
from hypothesis import given
from hypothesis import strategies as st
from wires import client_of, wired

import unified_customers as uc
from unified_customers._pace import Pace


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 10), max_size=50))
def test_requests_leave_no_faster_than_the_rate(rate, gaps):
    """Whenever they come: no two leave closer together than one over the rate."""
    pace, now, left = Pace(rate), 0.0, []
    for gap in gaps:
        now += gap
        left.append(now + pace.wait(now))
    assert all(b - a >= 1 / rate - 1e-9 for a, b in pairwise(left))


def test_nobody_waits_when_there_is_room():
    """A late request leaves at once."""
    pace = Pace(10)
    assert pace.wait(100.0) == 0.0
    assert pace.wait(100.1) == 0.0
    assert pace.wait(100.15) == pytest.approx(0.05)


def test_half_as_fast_after_each_429_and_back_again():
    """By a twentieth of the rate for each request that goes well, and never beyond it."""
    pace = Pace(8)
    pace.heard(429, None, 0.0)
    pace.heard(429, None, 0.0)
    assert pace.rate == 2
    pace.heard(200, None, 0.0)
    assert pace.rate == pytest.approx(2.4)
    for _ in range(100):
        pace.heard(200, None, 0.0)
    assert pace.rate == 8


def test_never_so_slow_that_it_stands_still():
    """However many 429s come."""
    pace = Pace(64)
    for _ in range(1000):
        pace.heard(429, None, 0.0)
    assert pace.rate == 1


@pytest.mark.parametrize(("says", "waits"), [(None, 0.25), (3.0, 3.0), (0.0, 0.25), (315_360_000.0, 60.0)])
def test_everybody_waits_as_long_as_the_provider_says(says, waits):
    """But not ten years: that is an error for the request that was told so, no standstill for the others."""
    pace = Pace(8)
    pace.heard(429, says, 100.0)
    assert pace.wait(100.0) == pytest.approx(waits)


@pytest.mark.parametrize("rate", [0, -1, True, "5", math.inf, math.nan])
def test_what_is_no_rate_is_refused(rate):
    """With what it should be."""
    adapter, wire = wired("flexportal")
    with pytest.raises(uc.ConfigurationError, match="rate="):
        uc.Client(adapter, http_client=wire.sync, rate=rate)


def test_all_walks_of_a_client_share_it(monkeypatch):
    """Two walks in turn, by a clock that stands still: the waits add up."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    adapter, wire = wired("flexportal", 8)
    slept = []
    client = uc.Client(adapter, http_client=wire.sync, rate=4, _sleep=slept.append)
    walks = [iter(client.customers(page_size=4)) for _ in range(2)]
    for walk in walks:
        list(walk)
    assert slept == [pytest.approx(n / 4) for n in range(1, len(wire.sent))]


@pytest.mark.anyio
async def test_asynchronously_as_well(monkeypatch):
    """The same, awaited."""
    adapter, wire = wired("flexportal", 8)
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    async with uc.AsyncClient(adapter, http_client=wire.later, rate=0.001, _sleep=sleep) as client:
        assert len([customer async for customer in client.customers(page_size=4)]) == 8
    assert len(slept) == len(wire.sent) - 1
    assert slept[0] == pytest.approx(1000, abs=60)


def test_a_429_slows_the_whole_client():
    """The walk itself goes on after its retry."""
    adapter, wire = wired("flexportal", 12)
    wire.server.meddle = lambda _, n: reply(429, b"", retry_after="2") if n == 2 else None
    client = uc.Client(adapter, http_client=wire.sync, rate=1e6, _sleep=lambda _: None)
    assert len(list(client.customers(page_size=4))) == 12
    assert client._pace.rate < 1e6


def test_no_rate_no_wait():
    """It is off by default."""
    client, _ = client_of("flexportal")
    assert client._pace is None


# HTTP/2


def test_http2_is_offered_where_the_extra_is_there():
    """By the client's own httpx client."""
    pytest.importorskip("h2")
    adapter, _ = wired("flexportal")
    with uc.Client(adapter, http2=True) as client:
        assert client._http._transport._pool._http2
    with uc.Client(adapter) as client:
        assert not client._http._transport._pool._http2


def test_without_the_extra_it_is_named(monkeypatch):
    """With the command that mends it."""
    monkeypatch.setitem(sys.modules, "h2", None)
    adapter, _ = wired("flexportal")
    with pytest.raises(uc.ConfigurationError, match=r"pip install 'unified-customers\[http2\]'"):
        uc.Client(adapter, http2=True)
