"""Clocks that jump, run ahead or stand still: no token, no wait and no walk depends on the time of day."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import pytest
from fakes import reply
from wires import ADAPTERS, async_client_of, client_of

import unified_customers as uc

DECADE = 10 * 365 * 86_400
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # by the provider's clock


@pytest.fixture
def wall(monkeypatch):
    """This machine's time of day, to be set by hand; the clock that only goes forward is left alone."""
    clock = [NOON.timestamp()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    return clock


def http(moment):
    """A moment as HTTP writes it."""
    return format_datetime(moment, usegmt=True)


def jumping(wall, by, meddle=lambda request, n: None):
    """The clock jumps before each answer, there and back again."""

    def jump(request, n):
        wall[0] += by if n % 2 else -by
        return meddle(request, n)

    return jump


# Tokens


@pytest.mark.parametrize("by", [-DECADE, DECADE])
def test_a_clock_that_jumps_costs_no_sign_in(wall, by):
    """A token is as fresh or as stale as it was."""
    client, wire = client_of("flatpeak", 20)
    wire.server.meddle = jumping(wall, by)
    for _ in range(3):
        assert len(list(client.customers(page_size=4))) == 20
        wall[0] += by
    assert wire.server.logins == 1


@pytest.mark.anyio
@pytest.mark.parametrize("by", [-DECADE, DECADE])
async def test_a_clock_that_jumps_costs_no_sign_in_async(wall, by):
    """Likewise."""
    client, wire = async_client_of("flatpeak", 20)
    wire.server.meddle = jumping(wall, by)
    for _ in range(3):
        assert len([c async for c in client.customers(page_size=4)]) == 20
        wall[0] += by
    assert wire.server.logins == 1


@pytest.mark.parametrize("by", [-DECADE, 0, DECADE])
def test_a_token_gets_old_whatever_the_time_of_day(wall, monkeypatch, by):
    """By the clock that only goes forward: a minute before its hour is over, not earlier and not later."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    client, wire = client_of("flatpeak", 3)
    for seconds, logins in ((0, 1), (3500, 1), (60, 2), (3500, 2), (60, 3)):
        now[0] += seconds
        wall[0] += by
        list(client.customers())
        assert wire.server.logins == logins


# Waiting


def refusing(**headers):
    """The first answer asks to wait."""
    return lambda request, n: reply(429, b"", **headers) if n == 1 else None


@pytest.mark.parametrize("by", [-DECADE, -3600, 0, 3600, DECADE])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_date_to_wait_for_is_measured_by_the_clock_that_wrote_it(wall, name, by):
    """Seven seconds are seven seconds, however wrong this machine's clock is, and wherever it jumps to."""
    client, wire = client_of(name)
    client._sleep = (slept := []).append
    wall[0] += by
    headers = {"date": http(NOON), "retry_after": http(NOON + timedelta(seconds=7))}
    wire.server.meddle = jumping(wall, by, refusing(**headers))
    assert len(list(client.customers())) == 10
    assert slept == [7.0]


@pytest.mark.parametrize(("by", "waits"), [(0, [7.0]), (DECADE, [0.0]), (3600, [0.0])])
def test_without_a_date_of_its_own_the_answer_is_measured_by_this_clock(wall, by, waits):
    """One that runs ahead waits too short, which costs a request and no more."""
    client, wire = client_of("flexprice")
    slept = []
    wall[0] += by
    wire.server.meddle = refusing(retry_after=http(NOON + timedelta(seconds=7)))
    client._sleep = slept.append
    listing = client.customers()
    assert len(list(listing)) == 10
    assert slept == [wait for wait in waits if wait]
    assert listing.report.waited == waits[0]


TEN_YEARS = {
    "seconds": ({"retry_after": str(DECADE)}, 0),
    "a date": ({"retry_after": http(NOON + timedelta(seconds=DECADE)), "date": http(NOON)}, 0),
    "a date, and a clock that is ahead": (
        {"retry_after": http(NOON + timedelta(seconds=DECADE)), "date": http(NOON)},
        DECADE,
    ),
    "a date, and a clock that is behind": ({"retry_after": http(NOON + timedelta(seconds=60))}, 60 - DECADE),
}


@pytest.mark.parametrize("how", TEN_YEARS)
@pytest.mark.parametrize("name", ADAPTERS)
def test_ten_years_are_told_and_not_waited_for(wall, name, how):
    """At once: an error that names its status and what to change, and from which the walk can go on."""
    headers, by = TEN_YEARS[how]
    client, wire = client_of(name)
    client._sleep = (slept := []).append
    list(client.customers())
    sent = len(wire.sent)
    wall[0] += by
    wire.server.meddle = lambda request, n: reply(429, b"", **headers) if n == sent + 2 else None
    walk, got = iter(client.customers(page_size=4)), []
    with pytest.raises(uc.RateLimitedError) as caught:
        got.extend(customer.id for customer in walk)
    assert slept == []
    assert len(wire.sent) == sent + 2
    assert caught.value.retry_after == DECADE
    assert caught.value.status == 429
    assert "Retry(attempts=…, budget=…)" in str(caught.value)
    got += [customer.id for customer in client.customers(after=caught.value.checkpoint)]
    assert got == [customer.id for customer in client.customers()]


@pytest.mark.anyio
@pytest.mark.parametrize("how", TEN_YEARS)
async def test_ten_years_are_not_waited_for_async(wall, how):
    """Likewise."""
    headers, by = TEN_YEARS[how]
    client, wire = async_client_of("flexprice")
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    client._sleep = sleep
    wall[0] += by
    wire.server.meddle = lambda request, n: reply(429, b"", **headers)
    with pytest.raises(uc.RateLimitedError) as caught:
        await anext(aiter(client.customers()))
    assert (slept, len(wire.sent), caught.value.retry_after) == ([], 1, DECADE)


@pytest.mark.parametrize("by", [-DECADE, DECADE])
def test_a_clock_that_jumps_spends_no_patience(wall, by):
    """What a request and its repeats may take is measured by the clock that only goes forward."""
    client, wire = client_of("flexprice", retry=uc.Retry(attempts=5, budget=60, jitter=0))
    client._sleep = (slept := []).append
    wire.server.meddle = jumping(wall, by, lambda request, n: reply(503, b"") if n < 5 else None)
    listing = client.customers()
    assert len(list(listing)) == 10
    assert slept == [0.5, 1.0, 2.0, 4.0]
    assert listing.report.retries == 4


# Telling


@pytest.mark.parametrize("by", [-DECADE, -90, 0, 90, DECADE])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_clock_that_is_wrong_is_told(wall, name, by):
    """`check()` says by how much the provider's clock is ahead."""
    client, wire = client_of(name)
    answer = wire.server.answer
    wire.server.answer = lambda request: dated(answer(request))
    wall[0] += by
    assert client.check().clock_skew == -by


def dated(answer):
    """The answer, with the provider's time."""
    answer.headers["date"] = http(NOON)
    return answer
