"""Whether and when a request is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fakes import UNREACHABLE, Account, FakeFlexprice, flexprice, people, reply
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers._retry import may_help, retry_after
from unified_customers._wire import Response

SERVER = uc.ServerError("x", status=503)
RETRIED = {408, 425, 429, 500, 502, 503, 504}


@given(st.integers(1, 12), st.integers(1, 20))
def test_attempts_count_sends(attempts, attempt):
    """`attempts=n` sends n times, `attempts=1` never repeats."""
    retry = uc.Retry(attempts=attempts, budget=1e8, jitter=0)
    assert (retry.wait(SERVER, attempt, 0.0) is not None) == (attempt < attempts)


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.integers(1, 4000))
def test_a_wait_lies_within_its_bounds(first, most, jitter, chance, attempt):
    """Doubling, capped, and no more jitter than was asked for; however many attempts."""
    retry = uc.Retry(attempts=10**6, budget=1e8, first_wait=first, max_wait=most, jitter=jitter, random=lambda: chance)
    full = min(most, first * 2.0 ** min(attempt - 1, 60))
    wait = retry.wait(SERVER, attempt, 0.0)
    assert full * (1 - jitter) - 1e-9 <= wait <= full


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000))
def test_the_budget_is_never_overdrawn(budget, spent, wait):
    """What was spent and the next wait fit, or it gives up."""
    retry = uc.Retry(budget=budget, first_wait=wait, max_wait=1000, jitter=0)
    chosen = retry.wait(SERVER, 1, spent)
    assert chosen is None if spent + wait > budget else spent + chosen <= budget


@given(st.floats(0, 1e12))
def test_retry_after_outweighs_the_own_wait(seconds):
    """A provider's wish is kept, where the budget allows it."""
    retry = uc.Retry(budget=120)
    error = uc.RateLimitedError("x", status=429, retry_after=seconds)
    assert retry.wait(error, 1, 0.0) == (seconds if seconds <= 120 else None)


def test_jitter_spreads():
    """With the default, waits differ."""
    retry = uc.Retry()
    assert len({retry.wait(SERVER, 1, 0.0) for _ in range(50)}) > 10


@pytest.mark.parametrize("status", range(300, 600))
def test_which_statuses_are_repeated(status):
    """Those of the contract, and no other 4xx."""
    assert may_help(uc.ApiError("x", status=status)) is (status in RETRIED)


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (uc.RequestTimeoutError("x"), True),
        (uc.ConnectionFailedError("x"), True),
        (uc.MalformedResponseError("x"), True),
        (uc.BadRecordError("x"), False),
        (uc.PaginationError("x"), False),
        (uc.LoopError("x"), False),
        (uc.FilterIgnoredError("x"), False),
        (uc.ConfigurationError("x"), False),
        (uc.CheckpointError("x"), False),
        (uc.UnsupportedError("x"), False),
        (uc.InvalidRequestError("x"), False),
    ],
)
def test_which_errors_are_repeated(error, helps):
    """A cut answer may be whole the next time; a bad record stays bad."""
    assert may_help(error) is helps


NOW = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def asked(value, date=None):
    headers = {"retry-after": value, **({"date": date} if date else {})}
    return retry_after(headers, Response(status=429, headers=headers, body=b"", received=NOW.timestamp()))


def http(moment):
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("315360000", 315360000.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("-nan", None),
        ("7 seconds", None),
        ("Mon, 99 Foo 2024 10:00:00 GMT", None),
        ("inf", None),
        ("Infinity", None),
    ],
)
def test_retry_after_in_seconds(value, want):
    """Seconds, never below nothing; what can't be read is not said."""
    assert asked(value) == want


def test_an_endless_retry_after_gives_up():
    """1e999 seconds never fit the budget."""
    found = asked("1e999")
    assert found is None or uc.Retry().wait(uc.RateLimitedError("x", status=429, retry_after=found), 1, 0.0) is None


@pytest.mark.parametrize("ahead", [-100, 0, 2, 60, 10 * 365 * 86400])
@pytest.mark.parametrize("skew", [-86400 * 400, 0, 86400 * 400])
def test_retry_after_as_a_date_is_measured_by_the_answers_own_clock(ahead, skew):
    """A wrong clock on either side does no harm."""
    there = NOW + timedelta(seconds=skew)
    assert asked(http(there + timedelta(seconds=ahead)), http(there)) == max(0, ahead)


@pytest.mark.parametrize("date", [None, "", "nonsense", "Mon, 99 Foo"])
def test_without_a_date_our_clock_has_to_do(date):
    """The moment of receipt stands in."""
    assert asked(http(NOW + timedelta(seconds=30)), date) == 30


@given(st.text(max_size=30), st.none() | st.text(max_size=30))
def test_any_retry_after_is_seconds_or_nothing(value, date):
    """Whatever a proxy writes there."""
    found = asked(value, date)
    assert found is None or found >= 0


BAD = [
    {"attempts": 0},
    {"attempts": -1},
    {"attempts": 1.5},
    {"attempts": True},
    {"attempts": None},
    {"budget": -1},
    {"budget": float("nan")},
    {"budget": float("inf")},
    {"budget": "x"},
    {"budget": True},
    {"first_wait": -1},
    {"max_wait": None},
    {"jitter": 2},
    {"jitter": -0.1},
    {"jitter": "x"},
    {"jitter": float("nan")},
]


@pytest.mark.parametrize("settings", BAD, ids=str)
def test_settings_that_make_no_sense_are_refused(settings):
    """At once, by name."""
    with pytest.raises(uc.ConfigurationError, match=next(iter(settings))):
        uc.Retry(**settings)


# As a walk uses it


def failing(statuses, retry):
    server = FakeFlexprice(people([0]))
    answers = iter(statuses)

    def meddle(request, n):
        status = next(answers, 200)
        return UNREACHABLE if status is None else None if status == 200 else reply(status, b"", retry_after="2")

    server.meddle = meddle
    events = []
    return Account(flexprice(), server, retry, events.append), server, events


def test_each_wait_is_told_and_counted():
    """`on_event` and the report see every repeat."""
    account, _, events = failing([503, None, 429], uc.Retry(attempts=4, jitter=0, first_wait=0.5))
    listing = account.customers()
    assert len(list(listing)) == 1
    assert account.slept == [2.0, 1.0, 2.0]
    told = [(e.kind, e.wait, e.attempt, e.status) for e in events if e.kind == "retry"]
    assert told == [("retry", 2.0, 1, 503), ("retry", 1.0, 2, None), ("retry", 2.0, 3, 429)]
    assert (listing.report.requests, listing.report.retries, listing.report.waited) == (4, 3, 5.0)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_are_the_sends_on_the_wire(attempts):
    """And then the error comes."""
    account, server, _ = failing([503] * 50, uc.Retry(attempts=attempts, budget=1e6))
    with pytest.raises(uc.ServerError) as caught:
        list(account.customers())
    assert len(server.requests) == attempts
    assert caught.value.retry_after == 2.0
    assert caught.value.checkpoint is not None


@pytest.mark.parametrize("status", sorted(set(range(400, 500)) - RETRIED))
def test_no_other_4xx_is_repeated(status):
    """It would be refused again."""
    account, server, _ = failing([status], uc.Retry(attempts=5))
    with pytest.raises(uc.ApiError):
        list(account.customers())
    assert len(server.requests) == 1
    assert account.slept == []


def test_a_retry_after_beyond_the_budget_is_not_waited_for():
    """Ten years are told, not slept."""
    server = FakeFlexprice(people([0]))
    server.meddle = lambda request, n: reply(429, b"", retry_after="315360000")
    account = Account(flexprice(), server, uc.Retry())
    with pytest.raises(uc.RateLimitedError) as caught:
        list(account.customers())
    assert caught.value.retry_after == 315360000
    assert account.slept == []
