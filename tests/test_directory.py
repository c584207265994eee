"""Many accounts behind one iterator, over real sockets against the sandbox."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

QUICK = uc.Retry(attempts=2, first_wait=0.0, jitter=0)


@pytest.fixture(scope="module")
def box():
    """A sandbox for all tests of this file."""
    with Sandbox(customers=60, seed=3) as box:
        yield box


@pytest.fixture(autouse=True)
def calm(box):
    """No fault is left over from another test."""
    for provider in box.providers:
        provider.clear_faults()


def accounts(box):
    """The three accounts of the sandbox."""
    return [
        uc.FlexPortal(**box.flexportal.settings),
        uc.Flexprice(**box.flexprice.settings),
        uc.Flatpeak(**box.flatpeak.settings),
    ]


def truth(box):
    """Every customer that is there, by provider and id."""
    return sorted((provider.name, id_) for provider in box.providers for id_ in provider.ids)


def pairs(customers):
    """Whose customers these are."""
    return sorted((customer.provider, customer.id) for customer in customers)


@pytest.mark.parametrize("size", [7, 30, 60, 100])
@pytest.mark.parametrize("concurrency", [1, 2, 32])
def test_every_customer_of_every_account_comes_once(box, size, concurrency):
    """Whatever the pages, and however many accounts are read at once."""
    with uc.Directory(accounts(box), concurrency=concurrency) as directory:
        assert pairs(directory.customers(page_size=size)) == truth(box)
        assert pairs(directory.customers(page_size=size)) == truth(box)


@pytest.mark.anyio
@pytest.mark.parametrize("concurrency", [1, 32])
async def test_the_async_directory_does_the_same(box, concurrency):
    """On asyncio and trio."""
    async with uc.AsyncDirectory(accounts(box), concurrency=concurrency) as directory:
        assert pairs([c async for c in directory.customers(page_size=20)]) == truth(box)


def test_a_checkpoint_after_any_customer_resumes_all_accounts(box):
    """Nothing is repeated and nothing is missing, in a directory of another order."""
    everybody = truth(box)
    for stop in (0, 1, 13, 59, 60, 61, 119, 180):
        with uc.Directory(accounts(box)) as directory:
            walk = iter(directory.customers(page_size=7))
            got = [next(walk) for _ in range(stop)]
            checkpoint = walk.checkpoint
            walk.close()
        with uc.Directory(list(reversed(accounts(box)))) as directory:
            got += directory.customers(page_size=11, after=checkpoint)
        assert pairs(got) == everybody, stop


def test_names_are_the_caller_s_and_checkpoints_don_t_care(box):
    """A mapping names the accounts; its names may change from run to run."""
    one, two, three = accounts(box)
    with uc.Directory({"a": one, "b": two, "c": three}) as directory:
        listing = directory.customers(page_size=7)
        walk = iter(listing)
        got = [next(walk) for _ in range(50)]
        assert set(listing.report.accounts) == {"a", "b", "c"}
        checkpoint = walk.checkpoint
    with uc.Directory({"x": three, "y": one, "z": two}) as directory:
        got += directory.customers(after=checkpoint)
    assert pairs(got) == truth(box)


def test_one_account_s_error_ends_the_walk_and_asking_on_tries_again(box):
    """The error has that account's own checkpoint; nothing of the others is lost."""
    box.flexprice.fault("500", times=2)
    with uc.Directory(accounts(box), retry=QUICK) as directory:
        walk = iter(directory.customers(page_size=20))
        got, errors = [], []
        while True:
            try:
                got.append(next(walk))
            except StopIteration:
                break
            except uc.CustomersError as error:
                errors.append(error)
    assert [error.provider for error in errors] == ["flexprice"]
    assert errors[0].checkpoint.startswith("uc1.")
    assert pairs(got) == truth(box)


def test_errors_are_collected_where_the_caller_says_so(box):
    """The others finish, and the error stands in `errors` with its checkpoint."""
    box.flatpeak.fault("500", times=50)
    with uc.Directory(accounts(box), retry=QUICK) as directory:
        listing = directory.customers(on_account_error="collect")
        assert pairs(listing) == [pair for pair in truth(box) if pair[0] != "flatpeak"]
        assert set(listing.errors) == {"flatpeak"}
        box.flatpeak.clear_faults()
        with uc.Client(uc.Flatpeak(**box.flatpeak.settings)) as client:
            assert len(list(client.customers(after=listing.errors["flatpeak"].checkpoint))) == 60


def test_a_walk_that_is_broken_off_leaves_no_thread_behind(box):
    """Readers that wait for room go away when nobody listens any more."""
    with uc.Directory(accounts(box)) as directory:
        walk = iter(directory.customers(page_size=1))
        next(walk)
        mine = [thread for thread in threading.enumerate() if thread.name.endswith("(_reader)")]
        walk.close()
    assert mine
    assert not any(thread.is_alive() for thread in mine)


def test_what_one_provider_lacks_is_refused_before_anything_is_sent(box):
    """By name; locally it can be done."""
    with uc.Directory(accounts(box)) as directory:
        before = [len(provider.requests) for provider in box.providers]
        with pytest.raises(uc.UnsupportedError, match="Flatpeak"):
            directory.customers(email="nobody@example.com")
        assert [len(provider.requests) for provider in box.providers] == before
        wanted = next(iter(directory.customers())).email
        found = list(directory.customers(email=wanted, unsupported="local"))
        assert {customer.email for customer in found} == {wanted}


@pytest.mark.parametrize("keyword", [{"before": "cus_1"}, {"max_items": 3}])
def test_keywords_that_mean_one_account_are_refused(box, keyword):
    """A directory has no order across accounts."""
    with uc.Directory(accounts(box)) as directory, pytest.raises(uc.InvalidRequestError):
        directory.customers(**keyword)


def test_an_account_stands_once_and_a_directory_has_some(box):
    """An empty directory and a doubled account are refused."""
    for wrong in ([], {}, [*accounts(box), *accounts(box)]):
        with pytest.raises(uc.ConfigurationError):
            uc.Directory(wrong)
    with pytest.raises(uc.ConfigurationError):
        uc.Directory(accounts(box), concurrency=0)


def test_checkpoints_of_one_account_and_of_many_are_told_apart(box):
    """Each says what it is."""
    with uc.Directory(accounts(box)) as directory, uc.Client(accounts(box)[0]) as client:
        many, one = directory.customers().checkpoint, client.customers().checkpoint
        with pytest.raises(uc.CheckpointError, match="one account"):
            directory.customers(after=one)
        with pytest.raises(uc.CheckpointError, match="Directory"):
            client.customers(after=many)
        for damaged in ("", many[:-1], many[:40] + "x" + many[41:]):
            with pytest.raises(uc.CheckpointError):
                directory.customers(after=damaged)


@pytest.mark.anyio
async def test_an_async_directory_is_opened_first(box):
    """Its readers are tasks, which need a place to live."""
    directory = uc.AsyncDirectory(accounts(box))
    with pytest.raises(uc.ConfigurationError, match="async with"):
        async for _ in directory.customers():
            pass


@pytest.mark.anyio
async def test_a_broken_off_async_walk_ends_with_its_directory(box):
    """No warning, no task left."""
    async with uc.AsyncDirectory(accounts(box)) as directory:
        got = []
        async for customer in directory.customers(page_size=1):
            got.append(customer)
            if len(got) == 5:
                break
    assert max(Counter((c.provider, c.id) for c in got).values()) == 1


@pytest.mark.parametrize("size", [7, 60])
def test_pages_say_whose_they_are(box, size):
    """By the account's name; their checkpoints are that account's own."""
    named = dict(zip("abc", accounts(box), strict=True))
    with uc.Directory(named) as directory:
        pages = list(directory.customers(page_size=size).pages())
    assert pairs(customer for page in pages for customer in page) == truth(box)
    for name, adapter in named.items():
        mine = [page for page in pages if page.account == name]
        assert {customer.provider for page in mine for customer in page} == {adapter.name}
        assert [page.number for page in mine] == list(range(1, len(mine) + 1))
        assert all(page.has_more and page.next for page in mine[:-1])
        with uc.Client(adapter) as client:
            assert [page.items for page in mine] == [page.items for page in client.customers(page_size=size).pages()]
            rest = list(client.customers(after=mine[0].next)) if mine[0].next else []
        assert pairs(rest) == pairs(customer for page in mine[1:] for customer in page)


def test_the_checkpoint_stands_behind_a_page_that_was_handed_out(box):
    """Wherever a walk by pages is left, the rest is the rest."""
    for stop in (0, 1, 5, 27):
        with uc.Directory(accounts(box)) as directory:
            walk = directory.customers(page_size=7).pages()
            got = [customer for _ in range(stop) for customer in next(walk)]
            checkpoint = walk.checkpoint
            walk.close()
            got += [customer for page in directory.customers(after=checkpoint).pages() for customer in page]
        assert pairs(got) == truth(box), stop


@pytest.mark.anyio
async def test_async_pages_are_the_same(box):
    """With the account's name, and a checkpoint behind each."""
    async with uc.AsyncDirectory(accounts(box)) as directory:
        listing, got = directory.customers(page_size=7), []
        async for page in listing.pages():
            got += page
            assert {customer.provider for customer in page} == {page.account}
            if len(got) > 90:
                break
        rest = [c async for page in directory.customers(after=listing.checkpoint).pages() for c in page]
    assert pairs([*got, *rest]) == truth(box)


def test_pages_go_on_after_an_error(box):
    """The page that could not be read comes when it is asked for again."""
    box.flexprice.fault("500", times=2)
    with uc.Directory(accounts(box), retry=QUICK) as directory:
        walk, got, failed = directory.customers(page_size=20).pages(), [], 0
        while True:
            try:
                got += next(walk)
            except StopIteration:
                break
            except uc.ServerError:
                failed += 1
    assert (failed, pairs(got)) == (1, truth(box))


def test_a_status_that_one_provider_lacks_is_nobody_s_there(box):
    """With `unsupported="local"` one query runs over all of them."""
    with uc.Directory(accounts(box)) as directory:
        for status in ("inactive", "archived"):
            everybody = list(directory.customers(status="any"))
            got = list(directory.customers(status=status, unsupported="local"))
            wanted = [one for one in everybody if one.status == status and one.provider != "flatpeak"]
            assert pairs(got) == pairs(wanted)
