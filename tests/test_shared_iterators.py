"""One iterator in the hands of two threads: each customer once, however they come between each other."""

from __future__ import annotations

import threading

import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

PAGE = 10


@pytest.fixture
def settings():
    with Sandbox(customers=60) as box:
        yield uc.FlexPortal(**box.flexportal.settings)


def elsewhere(iterator, got):
    """What another thread is handed."""
    thread = threading.Thread(target=lambda: got.append(next(iterator)))
    thread.start()
    thread.join()


def opened(kind, settings):
    return uc.Client(settings) if kind == "client" else uc.Directory([settings])


def ids(got):
    return [one.id for item in got for one in (item if isinstance(item, uc.Page) else [item])]


@pytest.mark.parametrize("pages", [False, True])
@pytest.mark.parametrize("kind", ["client", "directory"])
def test_a_page_that_another_thread_read_is_not_passed_over(settings, kind, pages):
    """Both saw that the page before was through, and one of them was slow."""
    with opened(kind, settings) as source:
        listing = source.customers(page_size=PAGE)
        iterator = listing.pages() if pages else iter(listing)
        got = [next(iterator) for _ in range(1 if pages else PAGE)]
        walk = iterator._walk if kind == "client" else iterator._progress
        enter = walk.enter

        def slow(reader):
            walk.enter = enter
            elsewhere(iterator, got)
            enter(reader)

        walk.enter = slow
        got += iterator
    assert len(ids(got)) == len({*ids(got)}) == 60


@pytest.mark.parametrize("kind", ["client", "directory"])
def test_a_customer_that_another_thread_was_handed_is_not_handed_out_again(settings, kind):
    """Both had come to the same one, and one of them was slow."""
    with opened(kind, settings) as source:
        iterator = iter(source.customers(page_size=PAGE))
        got = [next(iterator)]
        state = iterator._walk.state if kind == "client" else iterator._state
        make = state.make

        def slow(index):
            state.make = make
            elsewhere(iterator, got)
            return make(index)

        state.make = slow
        got += iterator
    assert len(ids(got)) == len({*ids(got)}) == 60
