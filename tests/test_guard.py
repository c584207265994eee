"""Noticing circles of any period in constant memory."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_customers._guard import Brent, Guard, Recent


def stepped(brent, mark):
    """Ask, and go on."""
    again = brent.repeats(mark)
    brent.step(mark)
    return again


def at(guard, mark):
    """Ask, and note."""
    again = guard.was_at(mark)
    guard.note_place(mark)
    return again


def circling(lead_in: int, period: int):
    """0, 1, …, then round and round."""
    yield from range(lead_in)
    while True:
        yield from range(lead_in, lead_in + period)


@given(st.integers(0, 300), st.integers(1, 300))
def test_brent_finds_every_circle(lead_in, period):
    """Soon after it has closed, and never before."""
    brent, limit = Brent(), 4 * (lead_in + period) + 4
    found = next(n for n, mark in enumerate(islice(circling(lead_in, period), limit)) if stepped(brent, mark))
    assert found >= lead_in + period


@given(st.lists(st.integers(), unique=True, max_size=200))
def test_brent_raises_no_false_alarm(marks):
    """What differs does not repeat."""
    brent = Brent()
    assert not any(stepped(brent, mark) for mark in marks)


@given(st.integers(0, 50), st.integers(1, 1500))
def test_the_guard_finds_a_circle_at_once_or_soon(lead_in, period):
    """Short circles when they close, long ones within a few rounds."""
    guard, limit = Guard(), 4 * (lead_in + period) + 4
    found = next(n for n, mark in enumerate(islice(circling(lead_in, period), limit)) if at(guard, mark))
    assert found >= lead_in + period
    if period <= 1000:
        assert found == lead_in + period


def test_asking_changes_nothing_and_noting_twice_does_no_harm():
    """A signal may come between the two, and what is noted then is noted again."""
    guard = Guard()
    for n in range(300):
        assert not guard.was_at(n)
        assert not guard.was_at(n)
        assert not guard.read_before((n,))
        for _ in range(1 + n % 2):
            guard.note_place(n)
            guard.note_page((n,))
    assert guard.was_at(7)


def test_the_guards_memory_is_constant():
    """A million places leave no more behind than a few thousand."""
    guard = Guard()
    for n in range(50_000):
        assert not at(guard, n)
        guard.ids.add((n,))
    assert 4096 <= len(guard.ids._young) + len(guard.ids._old) < 2 * 4096
    assert len(guard._marks._young) + len(guard._marks._old) < 2 * 1024


@given(st.lists(st.integers(0, 30), max_size=100), st.integers(1, 10))
def test_recent_knows_the_last_few(values, size):
    """The last `size` distinct values at least, and never twice as many."""
    recent, order = Recent(size), []
    for value in values:
        recent.add((value,))
        order = [*(one for one in order if one != value), value][-size:]
    known = {value for value in range(31) if value in recent}
    assert known >= set(order)
    assert len(known) < 2 * size or len(known) == len(order)
    assert recent.has_none(set(range(31)) - known)
    assert not known or not recent.has_none(known)


@pytest.mark.parametrize("mark", [None, "", 0, (), frozenset(), Guard])
def test_any_mark_counts(mark):
    """Also the empty ones: a first page asked for twice is a circle."""
    guard = Guard()
    assert not at(guard, mark)
    assert at(guard, mark)


def test_the_same_page_twice_is_noticed():
    """By its content, whatever its cursor says."""
    guard = Guard()
    assert not guard.read_before(("a", "b", 2))
    guard.note_page(("a", "b", 2))
    assert guard.read_before(("a", "b", 2))
