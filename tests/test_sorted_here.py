"""A sort that the provider lacks, made here with `unsupported="local"`."""

from __future__ import annotations

import pytest
from fakes import Account, FakeFlatpeak, FakeFlexprice, flatpeak, flexprice, people

import unified_customers as uc

ONCE = uc.Retry(attempts=1)


def account(times=range(0, 70, 10)):
    """A Flatpeak account of a few customers."""
    return Account(flatpeak(), FakeFlatpeak(people(times)))


def test_a_sort_that_is_lacking_is_made_here():
    """Everybody comes once, in the order asked for, whatever the pages."""
    for size in (1, 3, 100):
        got = [c.id for c in account().customers(sort="id", unsupported="local", page_size=size)]
        assert got == sorted(c.id for c in account().customers())
        assert len(got) == 7


def test_an_order_alone_sorts_by_creation():
    """`order="asc"` on a newest-first list is oldest first."""
    listing = account().customers(order="asc", unsupported="local", page_size=2)
    times = [c.created_at for c in listing]
    assert times == sorted(times)
    assert listing.report.local == ("sort",)


def test_max_items_counts_after_sorting():
    """The first of all in that order, not the first that were read."""
    everybody = sorted(c.id for c in account().customers())
    assert [c.id for c in account().customers(sort="id", unsupported="local", max_items=2)] == everybody[:2]


def test_customers_without_a_value_come_last():
    """Whichever way is sorted."""
    for order in ("asc", "desc"):
        got = [c.email for c in account().customers(sort="email", order=order, unsupported="local")]
        known = [email for email in got if email is not None]
        assert got == known + [None] * (len(got) - len(known))


def test_the_checkpoint_is_at_the_start_and_the_end_only():
    """In between it is refused clearly, because nothing but all of it could be read again."""
    listing = account().customers(sort="id", unsupported="local")
    walk = iter(listing)
    assert [c.id for c in account().customers(sort="id", unsupported="local", after=walk.checkpoint)]
    next(walk)
    with pytest.raises(uc.UnsupportedError, match="start and end"):
        _ = walk.checkpoint
    list(walk)
    assert list(account().customers(sort="id", unsupported="local", after=walk.checkpoint)) == []


def test_an_error_while_reading_loses_nothing():
    """The next `next()` reads on, and then hands everybody out."""
    server = FakeFlatpeak(people(range(0, 70, 10)))
    honest, fails = server.answer, iter((False, False, True, False, True))

    def answer(request):
        if next(fails, False):
            raise uc.ConnectionFailedError("planned")
        return honest(request)

    server.answer = answer
    walk = iter(Account(flatpeak(), server, ONCE).customers(sort="id", unsupported="local", page_size=2))
    for _ in range(2):
        with pytest.raises(uc.ConnectionFailedError):
            next(walk)
    got = [c.id for c in walk]
    assert got == sorted(got)
    assert len(got) == 7


def test_an_unknown_field_is_refused_by_name():
    """With the nearest known one, and before anything is sent."""
    with pytest.raises(uc.UnsupportedError, match="created_at"):
        account().customers(sort="creatd_at", unsupported="local")


def test_the_provider_sorts_where_it_can():
    """`unsupported="local"` changes nothing for what the provider has."""
    listing = Account(flexprice(), FakeFlexprice(people([0, 10]))).customers(order="desc", unsupported="local")
    assert len(list(listing)) == 2
    assert listing.report.local == ()
