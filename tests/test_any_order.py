"""Pages as they come: the same customers as one after another, and no slow or failing slice in the way of the others.

Which answer comes first is drawn from a seed in the walks over fakes, and made by holding answers back in those over
threads and tasks. Walks over rows that move stand in `test_churn.py`, interrupted ones in `test_interruption.py`.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from random import Random

import anyio
import msgspec
import pytest
from fakes import ONCE, PATIENT, Account, FakeFlexprice, Person, flexprice, people, reply
from strategies import DOCUMENTS
from test_lookahead import TIMES
from wires import Wire, async_client_of, client_of

import unified_customers as uc

LOOSE = {"ordered": False, "concurrency": 4}
SCANS = ["auto", "keyset"]


def account(times, scan="auto", retry=ONCE, seed=7, **options):
    """An account over a fake server; which of several answers comes first is drawn from the seed."""
    found = Account(flexprice(scan=scan), FakeFlexprice(people(times), **options), retry)
    found.pick = Random(seed).choice
    return found


def ids(listing):
    return [customer.id for customer in listing]


def sent(request):
    """What a search asks for, as (after, before)."""
    body = msgspec.json.decode(getattr(request, "content", None) or getattr(request, "body", None) or b"{}")
    bounds = {one["operator"]: one["value"].get("date") for one in body.get("filters", [])}
    return bounds.get("after"), bounds.get("before")


# Complete


@pytest.mark.parametrize("ways", [2, 3, 8, 40])
@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("times", TIMES)
def test_everybody_comes_once(times, scan, ways):
    """However they are spread over time, and whichever answer comes first."""
    for seed in range(3):
        listing = account(TIMES[times], scan, seed=seed).customers(page_size=5, concurrency=ways, ordered=False)
        assert sorted(ids(listing)) == sorted(person.id for person in people(TIMES[times]))
        assert listing.report.drift == 0
        assert listing.report.items == len(TIMES[times])


def test_they_do_come_in_another_order():
    """Or these tests would try nothing."""
    got = ids(account(TIMES["evenly"]).customers(page_size=5, **LOOSE))
    plain = [person.id for person in people(TIMES["evenly"])]
    assert got != plain
    assert sorted(got) == sorted(plain)


@pytest.mark.parametrize("times", ["seven at a time", "in two lumps", "at random", "all at one moment"])
@pytest.mark.parametrize("scan", SCANS)
def test_every_checkpoint_goes_on_to_exactly_the_rest(times, scan):
    """In any order, or in order; by one request, or by several."""
    found = account(TIMES[times][:47], scan)
    everybody = {person.id for person in people(TIMES[times][:47])}
    walk = iter(found.customers(page_size=5, **LOOSE))
    got, marks = [], []
    for customer in walk:
        got.append(customer.id)
        marks.append(walk.checkpoint)
    others = [{}, {"concurrency": 3}, {"concurrency": 2, "ordered": False}, {"concurrency": 9, "ordered": False}]
    for at, mark in enumerate(marks, 1):
        for keywords in others:
            rest = ids(found.customers(page_size=5, after=mark, **keywords))
            assert sorted(rest) == sorted(everybody - set(got[:at]))


@pytest.mark.parametrize("before", [{}, {"concurrency": 3}])
def test_a_checkpoint_of_a_walk_in_order_goes_on_in_any(before):
    """Wherever it was made."""
    found = account(TIMES["seven at a time"][:47])
    walk = iter(found.customers(page_size=5, **before))
    got = []
    for customer in walk:
        got.append(customer.id)
        rest = ids(found.customers(page_size=5, after=walk.checkpoint, **LOOSE))
        assert sorted([*got, *rest]) == sorted(person.id for person in people(TIMES["seven at a time"][:47]))


def test_the_end_goes_on_to_what_was_created_later():
    """Although the last slice may have been read before the others."""
    for seed in range(20):
        found = account(TIMES["evenly"], seed=seed)
        walk = iter(found.customers(page_size=5, **LOOSE))
        assert len(list(walk)) == 95
        assert ids(found.customers(after=walk.checkpoint, **LOOSE)) == []
        found.server.people["later"] = Person(id="later", at=10**6)
        for keywords in ({}, LOOSE):
            assert ids(found.customers(after=walk.checkpoint, **keywords)) == ["later"]


@pytest.mark.parametrize("most", [1, 4, 5, 6, 33, 200])
def test_no_more_than_max_items(most):
    """Some of them, each once; the checkpoint goes on to the others."""
    found = account(TIMES["evenly"])
    walk = iter(found.customers(page_size=5, max_items=most, **LOOSE))
    got = ids(walk)
    assert len(set(got)) == len(got) == min(most, 95)
    rest = ids(found.customers(page_size=5, after=walk.checkpoint, **LOOSE))
    assert len({*got, *rest}) == len(got) + len(rest) == 95


def test_pages_come_whole():
    """Each is one answer's, and their checkpoints are exact."""
    found = account(TIMES["at random"])
    got = []
    for page in found.customers(page_size=5, **LOOSE).pages():
        got += [customer.id for customer in page]
        if page.next is not None:
            rest = ids(found.customers(page_size=5, after=page.next))
            assert len({*got, *rest}) == len(got) + len(rest) == 95
    assert len(got) == 95


def test_a_sort_made_here_stays_one():
    """It reads all before it hands out the first, so in which order they came is nobody's business."""
    found = client_of("flexprice", 60)[0]
    listing = found.customers(page_size=4, sort="parent_id", unsupported="local", **LOOSE)
    assert len(list(listing)) == 60


# Servers that don't do as they should


@pytest.mark.parametrize("ignored", ["before", "after", "not_in", "sort"])
@pytest.mark.parametrize("times", TIMES)
def test_a_server_that_ignores_a_bound_loses_nobody(times, ignored):
    """The walk goes on by offset, or raises."""
    for seed in range(3):
        found = account(TIMES[times], seed=seed, ignores=(ignored,), ties="id")
        got = []
        try:
            got += [customer.id for customer in found.customers(page_size=5, **LOOSE)]
        except uc.PaginationError:
            assert ignored != "before"
        else:
            assert len(got) == len(TIMES[times])
        assert len(set(got)) == len(got)


@pytest.mark.parametrize("times", TIMES)
def test_a_server_without_search_is_read_in_order(times):
    """By offset, in one piece."""
    found = Account(flexprice(), FakeFlexprice(people(TIMES[times]), **{**DOCUMENTS, "ties": "id"}), ONCE)
    assert ids(found.customers(page_size=5, **LOOSE)) == ids(found.customers(page_size=5))


def test_a_search_that_is_gone_meanwhile_is_an_error_and_no_loss():
    """Offsets can't take over where several slices stand open."""
    for when in range(1, 30):
        found = account(TIMES["evenly"])

        def gone(_, n, found=found, when=when):
            found.server.search = n < when

        found.server.meddle = gone
        got = []
        try:
            got += [customer.id for customer in found.customers(page_size=5, **LOOSE)]
        except uc.PaginationError as error:
            assert "start again" in str(error)  # noqa: PT017 - it may come or not
        else:
            assert len(got) == 95
        assert len(set(got)) == len(got)


def test_customers_that_are_counted_and_never_sent_are_missed():
    """At the end all are counted, though the last slice was read long before."""
    for seed in range(10):
        found = account(TIMES["evenly"], seed=seed)
        found.server.total = lambda n: n + 3 if n > 90 else n
        with pytest.raises(uc.DriftError, match="counts 98 customers, and 95 were read"):
            list(found.customers(page_size=5, **LOOSE))


class Coarse(FakeFlexprice):
    """Sorts by microseconds and shows milliseconds."""

    def raw(self, person):
        shown = super().raw(person)
        return {**shown, "created_at": f"{person.iso[:23]}Z"}


@pytest.mark.parametrize("apart", [250, 700, 10_000, 123_457])
def test_times_that_are_shown_coarser_than_they_are_sorted_lose_nobody(apart):
    """Edges of slices that are wide enough fall between the moments that are shown."""
    found = Account(flexprice(), Coarse(people(n * apart for n in range(95)), ties="id"), ONCE)
    got = []
    try:
        got += [customer.id for customer in found.customers(page_size=5, **LOOSE)]
    except uc.PaginationError:
        assert apart < 10_000
    else:
        assert len(got) == 95
    assert len(set(got)) == len(got)


# Small and flat


def long_ids(times):
    """Rows whose ids don't compress."""
    rows = people(times)
    for n, person in enumerate(rows):
        person.id = "cust_" + base64.b32encode(hashlib.sha256(str(n).encode()).digest()).decode()[:26]
    return rows


@pytest.mark.parametrize("each", [90, 600, 1000, 1300])
def test_the_worst_ties_in_all_slices_stay_small(each):
    """At most 64 KiB, however many share each moment, and resumed exactly."""
    found = Account(flexprice(), FakeFlexprice(long_ids(10**9 * (n // each) for n in range(12 * each))), ONCE)
    for seed in range(2):
        found.pick = Random(seed).choice
        walk = iter(found.customers(concurrency=12, ordered=False))
        got, sizes = [], []
        for customer in walk:
            got.append(customer.id)
            if len(got) % 371 == 0:
                sizes.append(len(walk.checkpoint))
        assert len(set(got)) == len(got) == 12 * each
        assert max(sizes, default=0) <= 64 * 1024


def test_what_a_walk_holds_does_not_grow():
    """As many slices as are in flight and what is not cut yet, from its start to its end."""
    found = account(sorted(Random(2).randrange(10**12) for _ in range(3000)))
    walk = iter(found.customers(page_size=10, **LOOSE))
    most, jobs = 0, 0
    for _ in walk:
        slices = getattr(walk._walk.state.held.next, "slices", ())
        most, jobs = max(most, len(slices)), max(jobs, len(walk._walk.look.jobs))
    assert most <= 12
    assert jobs <= 4


def test_evenly_spread_customers_cost_as_many_requests_as_in_order():
    """And so do gaps, or nearly."""
    for times in ([n * 1000 for n in range(330)], TIMES["in two lumps"]):
        costs = []
        for keywords in ({"ordered": False}, {}):
            listing = account(times).customers(page_size=10, concurrency=8, **keywords)
            list(listing)
            costs.append(listing.report.requests)
        assert costs[0] <= 1.3 * costs[1] + 4


# Slow and failing slices


class Holding(Wire):
    """A wire that holds the answers back to requests of some slices, until they are let go."""

    def __init__(self, server, holds):
        super().__init__(server)
        self.holds, self.waits, self.let_go, self.gave_up = holds, 0, threading.Event(), False

    def __call__(self, request):
        if self.holds(*sent(request)):
            self.waits += 1
            self.gave_up = not self.let_go.wait(20) or self.gave_up
        return super().__call__(request)


def test_a_slow_slice_holds_up_no_other():
    """In threads: all others come before its answer is let go."""
    wire = Holding(FakeFlexprice(people(range(0, 600, 10)), ties="id"), lambda after, before: before == edge)
    edge = edges(wire.server)[0]
    with uc.Client(flexprice(), http_client=wire.sync) as client:
        got = []
        for customer in client.customers(page_size=4, **LOOSE):
            got.append(customer.id)
            if len(got) >= 50:
                wire.let_go.set()
    assert wire.waits
    assert not wire.gave_up
    assert len(set(got)) == len(got) == 60


def edges(server, size=4):
    """Where the slices of that server end."""
    asked, meddle = [], server.meddle

    def note(request, n):
        asked.append(sent(request)[1])
        return meddle(request, n)

    server.meddle = note
    list(Account(flexprice(), server, ONCE).customers(page_size=size, **LOOSE))
    server.meddle = meddle
    return [edge for edge in asked if edge is not None]


@pytest.mark.anyio
async def test_a_slow_slice_holds_up_no_other_asynchronously():
    """In tasks, on asyncio and trio."""
    client, wire = async_client_of("flexprice", 60)
    edge, let_go, waited = edges(wire.server)[0], anyio.Event(), []
    plain = client._http._transport.handler

    async def slowly(request):
        if sent(request)[1] == edge:
            waited.append(len(got))
            await let_go.wait()
        return await plain(request)

    client._http._transport.handler = slowly
    got = []
    with anyio.fail_after(30):
        async with client:
            async for customer in client.customers(page_size=4, **LOOSE):
                got.append(customer.id)
                if len(got) >= 50:
                    let_go.set()
    assert waited
    assert len(set(got)) == len(got) == 60


def test_a_repeat_holds_up_no_other():
    """The wait between two attempts is spent where the request runs."""
    server = FakeFlexprice(people(range(0, 600, 10)), ties="id")
    edge, failed, waiting = edges(server)[1], [], threading.Event()
    gave_up = []

    def fail_once(request, _):
        if sent(request)[1] == edge and not failed:
            failed.append(edge)
            return reply(503, b"", retry_after="2")
        return None

    server.meddle = fail_once
    with uc.Client(
        flexprice(), http_client=Wire(server).sync, _sleep=lambda _: gave_up.append(not waiting.wait(20))
    ) as client:
        listing, got = client.customers(page_size=4, **LOOSE), []
        for customer in listing:
            got.append(customer.id)
            if len(got) >= 50:
                waiting.set()
    assert gave_up == [False]
    assert len(set(got)) == len(got) == 60
    assert (listing.report.retries, listing.report.waited) == (1, 2)


def test_a_slice_that_fails_raises_with_the_checkpoint_of_all():
    """The others come; `next()` tries it again, and so does whoever goes on from the error."""
    for seed in range(10):
        found = account(TIMES["evenly"], seed=seed)
        edge, broken = edges(found.server, 5)[2], {"slice": True}
        found.server.meddle = lambda request, _, e=edge, b=broken: (
            reply(500, b"") if b["slice"] and sent(request)[1] == e else None
        )
        walk, got, errors = iter(found.customers(page_size=5, **LOOSE)), [], 0
        while errors < 3:
            try:
                got.append(next(walk).id)
            except uc.ServerError as error:
                errors += 1
                broken["slice"] = False
                rest = ids(found.customers(page_size=5, after=error.checkpoint, **LOOSE))
                assert len({*got, *rest}) == len(got) + len(rest) == 95
                broken["slice"] = errors < 3
        got += ids(walk)
        assert len(set(got)) == len(got) == 95


def test_attempts_are_counted_once():
    """What was repeated where it ran is not repeated again when its turn comes."""
    found = account(TIMES["evenly"], retry=PATIENT)
    edge, tries = edges(found.server, 5)[2], []

    def fail(request, _):
        if sent(request)[1] != edge:
            return None
        tries.append(edge)
        return reply(503, b"")

    found.server.meddle = fail
    with pytest.raises(uc.ServerError):
        list(found.customers(page_size=5, **LOOSE))
    assert len(tries) == PATIENT.attempts


def test_an_answer_that_can_not_be_read_is_asked_for_again():
    """As in order: one bad answer costs a repeat."""
    found = account(TIMES["evenly"], retry=PATIENT)
    found.server.meddle = lambda _, n: reply(200, b"<html>") if n in {5, 9} else None
    listing = found.customers(page_size=5, **LOOSE)
    assert len(set(ids(listing))) == 95
    assert listing.report.retries == 2


# Threads, tasks


@pytest.mark.parametrize("ways", [2, 8])
def test_over_threads_everybody_comes_once(ways):
    """And each checkpoint goes on."""
    client, _ = client_of("flexprice", 60)
    walk = iter(client.customers(page_size=4, concurrency=ways, ordered=False))
    got, marks = [], []
    for customer in walk:
        got.append(customer.id)
        marks.append(walk.checkpoint)
    assert sorted(got) == sorted(ids(client.customers()))
    for at in range(0, 60, 7):
        assert sorted(got[at + 1 :]) == sorted(ids(client.customers(page_size=4, after=marks[at], **LOOSE)))


@pytest.mark.anyio
@pytest.mark.parametrize("ways", [2, 8])
async def test_over_tasks_everybody_comes_once(ways):
    """On asyncio and trio."""
    client, _ = async_client_of("flexprice", 60)
    async with client:
        got = [c.id async for c in client.customers(page_size=4, concurrency=ways, ordered=False)]
        assert sorted(got) == sorted([c.id async for c in client.customers()])
    assert client._jobs == set()


def test_left_early():
    """Nothing of it is in the way of the next walk."""
    client, _ = client_of("flexprice", 60)
    with client:
        for _ in range(3):
            next(iter(client.customers(page_size=4, **LOOSE)))
        assert len(list(client.customers(page_size=4, **LOOSE))) == 60


def test_closing_does_not_wait_for_repeats():
    """A request that waits for its next attempt is woken, and ends."""
    server, waiting = FakeFlexprice(people(range(0, 600, 10)), ties="id"), threading.Event()
    edge = edges(server)[1]
    server.meddle = lambda request, _: reply(503, b"", retry_after="50") if sent(request)[1] == edge else None
    before = set(threading.enumerate())

    def watch(event):
        if isinstance(event, uc.events.Repeated):
            waiting.set()

    with uc.Client(flexprice(), http_client=Wire(server).sync, on_event=watch) as client:
        for _ in client.customers(page_size=4, **LOOSE):
            if waiting.wait(0.01):
                break
    assert waiting.is_set()
    assert not set(threading.enumerate()) - before


@pytest.mark.anyio
async def test_a_cancelled_walk_goes_on_from_its_checkpoint():
    """Cancelled while it waits for whichever comes first."""
    client, _ = async_client_of("flexprice", 60)
    async with client:
        for stop in (1, 4, 5, 9, 30):
            listing, got = client.customers(page_size=4, **LOOSE), []
            with anyio.CancelScope() as scope:
                async for customer in listing:
                    got.append(customer.id)
                    if len(got) == stop:
                        scope.cancel()
            rest = [customer.id async for customer in client.customers(page_size=4, after=listing.checkpoint)]
            assert len({*got, *rest}) == len(got) + len(rest) == 60


# Refusals


@pytest.mark.parametrize(
    ("name", "keywords", "error", "says"),
    [
        ("flexprice", {}, uc.InvalidRequestError, "concurrency="),
        ("flexprice", {"concurrency": 1}, uc.InvalidRequestError, "concurrency="),
        ("flexportal", {"concurrency": 2}, uc.UnsupportedError, "prefetch="),
        ("flatpeak", {"concurrency": 2}, uc.UnsupportedError, "prefetch="),
        ("flexprice", {"concurrency": 2, "sort": "name"}, uc.UnsupportedError, "ordered="),
        ("flexprice", {"concurrency": 2, "status": "any"}, uc.UnsupportedError, "concurrency="),
        ("flexprice", {"concurrency": 2, "order": "desc"}, uc.UnsupportedError, "oldest first"),
    ],
)
def test_where_it_can_not_be_it_is_refused(name, keywords, error, says):
    """Before any request, with the reason."""
    client, wire = client_of(name)
    with pytest.raises(error, match=says):
        client.customers(ordered=False, **keywords)
    assert wire.sent == []


def test_offsets_are_read_in_order():
    """Each page has to meet the one before it."""
    with pytest.raises(uc.UnsupportedError, match="ordered="):
        uc.Client(flexprice(scan="offset")).customers(**LOOSE)


@pytest.mark.parametrize("ordered", [None, 0, "no"])
def test_what_is_neither_true_nor_false_is_refused(ordered):
    """Before any request."""
    client, _ = client_of("flexprice")
    with pytest.raises(uc.InvalidRequestError, match="True or False"):
        client.customers(concurrency=2, ordered=ordered)
