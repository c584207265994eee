"""Which account goes into which bundle, and where a large one is cut: rules that hold for every input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from unified_customers._bundles.packing import pack
from unified_customers._bundles.windows import Window, cut
from unified_customers._values import stamp
from unified_customers.models import Customer

costs = st.dictionaries(st.text(min_size=1), st.none() | st.integers(0, 10**6), min_size=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


@given(costs, st.integers(1, 30))
def test_each_account_is_in_exactly_one_bundle(costs, most):
    """Whatever is known of them."""
    assert sorted(name for names in pack(costs, most) for name in names) == sorted(costs)


@given(costs, st.integers(1, 30))
def test_there_are_no_more_bundles_than_needed(costs, most):
    """As many as the average asks for, and none is empty."""
    bundles = pack(costs, most)
    assert len(bundles) <= -(-len(costs) // most)
    assert all(bundles)


@given(costs, st.integers(1, 30))
def test_no_bundle_has_more_than_another_by_more_than_one_account(costs, most):
    """The one that has most could not give its last account to the one that has least and be better."""
    known = [cost for cost in costs.values() if cost is not None]
    average = max(1, sum(known) // len(known)) if known else 1
    loads = [[average if costs[name] is None else costs[name] for name in names] for names in pack(costs, most)]
    if known and len(loads) == -(-len(costs) // most):
        assert max(sum(load) - min(load) for load in loads) <= min(sum(load) for load in loads)


def test_accounts_of_unknown_size_are_dealt_like_cards():
    """Round robin."""
    assert pack(dict.fromkeys("abcde"), 2) == [["a", "d"], ["b", "e"], ["c"]]


def test_a_giant_has_a_bundle_of_its_own():
    """So that nothing waits behind it."""
    bundles = pack({"giant": 1000, **{f"t{n}": 1 for n in range(9)}}, 5)
    assert ["giant"] in bundles


moments = st.lists(st.integers(0, 10**9), min_size=2, max_size=60).map(
    lambda found: [START + timedelta(microseconds=one) for one in sorted(found)]
)


def customer(moment):
    """Somebody who was created then."""
    return Customer(provider="x", id="1", created_at=moment)


@given(moments, st.integers(1, 20), st.integers(-3, 3))
def test_windows_hold_each_moment_once_even_where_the_count_is_wrong(times, most, wrong):
    """They lie side by side, and the outer two have no end; a count decides where to cut, and nothing else."""

    def count(since, until):
        return max(0, sum(since <= one < until for one in times) + wrong)

    windows = cut(times[0], times[-1], len(times), most, count)
    outside = [START - timedelta(days=9999), START + timedelta(days=9999)]
    for moment in [*times, *outside]:
        holding = [one for one in windows if (one.since or "") <= stamp(moment) and one.holds(customer(moment))]
        assert len(holding) == 1
    assert (windows[0].since, windows[-1].until) == (None, None)
    assert [one.until for one in windows[:-1]] == [one.since for one in windows[1:]]


@given(moments, st.integers(1, 20))
def test_no_window_is_fuller_than_it_should_be_unless_it_is_very_narrow(times, most):
    """A second is not cut."""

    def count(since, until):
        return sum(since <= one < until for one in times)

    for one in cut(times[0], times[-1], len(times), most, count):
        inside = [at for at in times if (one.since or "") <= stamp(at) and one.holds(customer(at))]
        assert len(inside) <= most or inside[-1] - inside[0] <= timedelta(seconds=1)


def test_a_customer_without_a_time_is_in_the_window_that_has_no_end():
    """Only there."""
    nobody = customer(None)
    assert Window("2024-01-01T00:00:00.000000Z", None).holds(nobody)
    assert not Window(None, "2024-01-01T00:00:00.000000Z").holds(nobody)
