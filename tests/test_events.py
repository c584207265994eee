"""What a watcher is told: every walk from its beginning to its end, and nothing about anybody."""

from __future__ import annotations

import gc
import logging
import pickle
import threading
import weakref

import anyio
import attrs
import httpx
import pytest
from fakes import UNREACHABLE, Account, FakeFlexprice, flexprice, people, reply
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers import _watch, events

CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
KINDS = [events.WalkBegan, events.RequestEnded, events.Repeated, events.SigningIn, events.PageRead,
         events.SteppedBack, events.WalkEnded]  # fmt: skip
ONCE = uc.Retry(attempts=1)


@pytest.fixture(scope="module")
def box():
    with uc.sandbox(customers=25) as box:
        yield box


def account(box, name):
    return CLASSES[name](**getattr(box, name).settings)


def of(heard, kind):
    return [event for event in heard if isinstance(event, kind)]


def test_kinds_are_closed_frozen_and_told_apart():
    """Each class has a kind of its own, and can't be changed."""
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    assert {kind.__name__ for kind in KINDS} | {"Event", "Listener", "each"} == set(events.__all__)
    event = events.SigningIn(provider="x", what="sign in")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.what = "y"
    assert pickle.loads(pickle.dumps(event)) == event


@given(
    st.integers(0, 30),
    st.integers(1, 7),
    st.dictionaries(st.integers(1, 12), st.sampled_from(["503", "gone", "unreachable"]), max_size=5),
    st.sampled_from([ONCE, uc.Retry(attempts=3, jitter=0, budget=1e6)]),
)
def test_every_beginning_has_one_end_and_the_numbers_add_up(count, size, faults, retry):
    """Whatever fails, and however often the caller asks on."""
    answers = {"503": reply(503, b""), "gone": reply(400, b""), "unreachable": UNREACHABLE}
    server, heard, got = FakeFlexprice(people(range(0, count * 10, 10))), [], []
    server.meddle = lambda request, n: answers.get(faults.get(n))
    walk = iter(Account(flexprice(), server, retry, heard.append).customers(page_size=size))
    failures, ended = 0, False
    while not ended:
        try:
            for one in walk:
                got.append(one.id)  # noqa: PERF401 - to keep what came before an error
            ended = True
        except uc.CustomersError:
            failures += 1
    ends, begins = of(heard, events.WalkEnded), of(heard, events.WalkBegan)
    assert [end.outcome for end in ends] == ["failed"] * failures + ["complete"]
    assert [begin.again for begin in begins] == [False] + [True] * failures
    assert len({event.walk for event in heard}) == 1
    pages = of(heard, events.PageRead | events.SteppedBack)
    assert sum(page.items for page in pages) == ends[-1].read == len(got) == count
    assert [page.read for page in pages] == sorted(page.read for page in pages)
    assert len(of(heard, events.RequestEnded)) == len(server.requests) == ends[-1].requests
    assert len(of(heard, events.Repeated)) == ends[-1].retries
    assert isinstance(heard[0], events.WalkBegan)
    assert isinstance(heard[-1], events.WalkEnded)


@pytest.mark.parametrize("name", CLASSES)
def test_requests_are_told_with_their_path_s_template(box, name):
    """Method, template, host and port, status and seconds; never the address."""
    heard, id_ = [], getattr(box, name).ids[0]
    with uc.Client(account(box, name), on_event=heard.append) as client:
        list(client.customers(page_size=10))
        client.customer(id_)
    requests = of(heard, events.RequestEnded)
    assert all(request.template and request.elapsed > 0 and request.status == 200 for request in requests)
    assert {(request.host, request.port) for request in requests} == {("127.0.0.1", int(box.url.rpartition(":")[2]))}
    assert requests[-1].template.endswith("/customers/{id}")
    assert requests[-1].walk is None
    assert id_ not in repr(heard)
    assert of(heard, events.WalkBegan)[0].page_size == 10


def test_a_sign_in_belongs_to_the_walk_that_needs_it(box):
    """Before its first page."""
    heard = []
    with uc.Client(account(box, "flatpeak"), on_event=heard.append) as client:
        list(client.customers())
    assert [event.kind for event in heard] == ["begin", "sign-in", "request", "request", "page", "end"]
    assert len({event.walk for event in heard}) == 1


@pytest.mark.parametrize("keywords", [{}, {"prefetch": 2}])
def test_a_walk_that_cannot_sign_in_has_failed_and_the_sign_in_is_repeated_once_over(keywords):
    """It was not left; and what the sign-in repeated is not repeated again by the request that needs it."""
    heard, retry = [], uc.Retry(attempts=3, first_wait=0)
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    settings = uc.Flatpeak(account_id="acc_1", api_key="sk_live_x")
    client = uc.Client(settings, retry=retry, http_client=http, on_event=heard.append)
    with client, pytest.raises(uc.ServerError):
        list(client.customers(**keywords))
    (ended,) = of(heard, events.WalkEnded)
    assert (ended.outcome, ended.error, ended.status) == ("failed", "ServerError", 503)
    assert len(of(heard, events.RequestEnded)) == 3


@pytest.mark.parametrize("kind", [uc.Directory, uc.AsyncDirectory])
def test_an_account_that_cannot_sign_in_has_failed_in_a_directory_too(kind):
    """Its error is collected, and the others are read to their end."""
    heard = []
    with uc.sandbox(customers=3) as box:
        strange = attrs.evolve(account(box, "flatpeak"), api_key="sk_live_of_nobody")
        accounts = {"flatpeak": strange, "flexprice": account(box, "flexprice")}
        directory = kind(accounts, retry=ONCE, on_event=heard.append)
        _read_collecting(directory)
    ends = {event.account: event.outcome for event in of(heard, events.WalkEnded)}
    assert ends == {"flatpeak": "failed", "flexprice": "complete"}


def _read_collecting(directory):
    async def run():
        async with directory:
            return [one async for one in directory.customers(on_account_error="collect")]

    if isinstance(directory, uc.AsyncDirectory):
        return anyio.run(run)
    with directory:
        return list(directory.customers(on_account_error="collect"))


def test_interleaved_walks_can_be_told_apart(box):
    """Each has a number of its own, in a directory as well, where the account's name stands too."""
    heard = []
    accounts = {f"my {name}": account(box, name) for name in CLASSES}
    with uc.Directory(accounts, on_event=heard.append) as directory:
        listing = directory.customers(page_size=5)
        assert len(list(zip(listing, listing, strict=True)) * 2) == 150 // 2 * 2
    numbers = {}
    for event in heard:
        numbers.setdefault(event.walk, set()).add(event.account)
    assert sorted(name for names in numbers.values() for name in names) == sorted([*accounts, *accounts])
    assert all(len(names) == 1 for names in numbers.values())
    assert [end.outcome for end in of(heard, events.WalkEnded)] == ["complete"] * 6


def test_names_of_filters_are_told_and_their_values_are_not(box):
    """Those that the provider applies, and those that are applied here."""
    heard = []
    with uc.Client(account(box, "flatpeak"), on_event=heard.append) as client:
        list(client.customers(external_id="planted-4711", email="planted@example.com", unsupported="local"))
    assert sorted(of(heard, events.WalkBegan)[0].filters) == ["email", "external_ids"]
    assert "planted" not in repr(heard)


@pytest.mark.parametrize(("read", "outcome"), [(0, None), (3, "left"), (24, "left"), (25, "complete")])
def test_a_walk_that_is_dropped_was_left_unless_all_was_handed_out(box, read, outcome):
    """As soon as nobody holds its iterator, though the listing is held."""
    heard = []
    with uc.Client(account(box, "flexprice"), on_event=heard.append) as client:
        listing = client.customers(page_size=10)
        walk = iter(listing)
        for _ in range(read):
            next(walk)
        del walk
        gc.collect()
        assert [end.outcome for end in of(heard, events.WalkEnded)] == ([outcome] if outcome else [])
    assert listing.report.items == read


def test_a_page_that_was_let_go_is_not_held_by_who_watches(box):
    """A directory lets go of a page when it hands it on, and there may be a thousand accounts."""
    with uc.Client(account(box, "flexprice"), on_event=[].append) as client:
        walk = iter(client.customers(page_size=10))
        next(walk)
        page = weakref.ref(walk._walk.state)
        walk._walk.state = None
        gc.collect()
        assert page() is None


def test_closing_a_client_ends_its_walks(box):
    """Once; whoever asks on is told that the client is closed."""
    heard = []
    with uc.Client(account(box, "flexprice"), on_event=heard.append) as client:
        walk = iter(client.customers(page_size=10))
        next(walk)
    assert [end.outcome for end in of(heard, events.WalkEnded)] == ["left"]
    with pytest.raises(uc.ConfigurationError):
        list(walk)
    del walk
    assert len(of(heard, events.WalkEnded)) == 1


@pytest.mark.anyio
async def test_async_walks_tell_the_same(box):
    """On asyncio and trio, event for event."""
    heard, alike = [], []
    with uc.Client(account(box, "flatpeak"), on_event=heard.append) as client:
        list(client.customers(page_size=10))
    async with uc.AsyncClient(account(box, "flatpeak"), on_event=alike.append) as client:
        async for _ in client.customers(page_size=10):
            pass
        async for _ in client.customers(page_size=10):
            break
    told = [(event.kind, getattr(event, "read", None)) for event in alike]
    assert told[: len(heard)] == [(event.kind, getattr(event, "read", None)) for event in heard]
    assert alike[-1].outcome == "left"


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS if kind not in {events.WalkEnded, events.SteppedBack}])
def test_what_a_listener_raises_comes_out_once_and_costs_no_customer(kind):
    """Whichever event it raised at."""
    raised = []

    def watch(event):
        if event.kind == kind and not raised:
            raised.append(event)
            raise ZeroDivisionError

    with uc.sandbox(customers=25) as box:
        box.flatpeak.fault("503", times=1)
        retry = uc.Retry(first_wait=0.001, jitter=0)
        with uc.Client(account(box, "flatpeak"), retry=retry, on_event=watch) as client:
            walk, got = iter(client.customers(page_size=10)), []
            with pytest.raises(ZeroDivisionError):
                got.extend(walk)
            got.extend(walk)
        assert sorted(one.id for one in got) == sorted(box.flatpeak.ids)


def test_what_a_listener_raises_when_a_walk_is_left_goes_to_the_log(box, caplog):
    """There is no call that it could come out of."""

    def watch(event):
        if event.kind == "end":
            raise ZeroDivisionError

    with uc.Client(account(box, "flexprice"), on_event=watch) as client:
        walk = iter(client.customers(page_size=10))
        next(walk)
    assert "on_event raised when walk" in caplog.text


def test_where_nobody_listens_no_event_is_made(box, monkeypatch):
    """Nor is a walk watched for being dropped."""
    monkeypatch.setattr(_watch.Watch, "tell", None)
    monkeypatch.setattr(_watch, "Leaving", None)
    monkeypatch.setattr(_watch, "copy_context", None)
    with uc.Client(account(box, "flatpeak")) as client:
        assert len(list(client.customers(page_size=3))) == 25
        next(iter(client.customers()))


def test_events_are_told_by_the_request_never_by_the_customer(box):
    """A page of 25 makes as many events as a page of one."""
    counts = set()
    with uc.Client(account(box, "flexportal"), on_event=(heard := []).append) as client:
        for most in (1, 25):
            list(client.customers(max_items=most))
            counts.add(len(heard))
            heard.clear()
    assert counts == {4}


def test_a_walk_begins_in_the_context_of_whoever_started_it(box):
    """Not in that of a directory's reader, nor of a thread that happens to go on with it."""
    from contextvars import ContextVar

    var, seen = ContextVar("var", default=None), []

    def watch(event):
        seen.append((event.kind, var.get(), threading.current_thread()))

    with uc.Directory({"a": account(box, "flexprice")}, on_event=watch) as directory:
        listing = directory.customers()
        var.set("here")
        list(listing)
    assert {told for kind, told, _ in seen if kind == "begin"} == {"here"}
    assert {thread for kind, _, thread in seen if kind == "begin"} != {threading.current_thread()}


def test_each_calls_every_listener_and_raises_the_first_error():
    """Though one before it raised."""
    heard, event = [], events.SigningIn(provider="x", what="sign in")

    def first(_):
        raise KeyError

    def second(_):
        raise ZeroDivisionError

    with pytest.raises(KeyError):
        events.each(first, heard.append, second, heard.append)(event)
    assert heard == [event, event]
    events.each()(event)


# The log


def records(caplog):
    return [record for record in caplog.records if record.name.startswith("unified_customers")]


def test_the_log_has_levels_sentences_and_fields(caplog):
    """DEBUG for what is ordinary, INFO for ends, WARNING for repeats, bad records and errors."""
    caplog.set_level(logging.DEBUG, "unified_customers")
    with uc.sandbox(customers=25) as box:
        box.flexprice.fault("429", times=1, retry_after=0)
        box.flexprice.fault("bad-record", times=1)
        retry = uc.Retry(first_wait=0.001, jitter=0)
        with uc.Directory({"berlin": account(box, "flexprice")}, retry=retry) as directory:
            list(directory.customers(on_bad_record="skip"))
    told = [(record.levelname, record.uc_kind) for record in records(caplog)]
    assert told[:3] == [("DEBUG", "begin"), ("DEBUG", "request"), ("WARNING", "retry")]
    assert ("WARNING", "page") in told
    assert told[-1] == ("INFO", "end")
    page = next(record for record in records(caplog) if record.uc_kind == "page" and record.levelname == "WARNING")
    assert (page.uc_provider, page.uc_account, page.uc_bad) == ("flexprice", "berlin", 1)
    assert "berlin: " in page.getMessage()
    assert "1 records could not be read" in page.getMessage()
    assert all(record.getMessage() for record in records(caplog))


def test_a_failed_walk_is_a_warning_with_the_error_s_class(box, caplog):
    """The text of the error is the caller's to log."""
    gone = uc.Flexprice(api_key="k", base_url="http://127.0.0.1:1")
    with uc.Client(gone, retry=ONCE) as client, pytest.raises(uc.ConnectionFailedError):
        list(client.customers())
    (record,) = records(caplog)
    assert (record.levelname, record.uc_outcome, record.uc_error) == ("WARNING", "failed", "ConnectionFailedError")


def test_every_field_of_every_event_can_stand_in_a_log_record():
    """None takes the name of a LogRecord's own attribute, which logging refuses."""
    logger = logging.getLogger("test")
    for kind in KINDS:
        names = {f"uc_{field.name}": None for field in attrs.fields(kind)}
        logger.makeRecord("test", logging.DEBUG, "f", 1, "m", (), None, extra=names)


def test_the_log_is_silent_where_no_program_set_it_up():
    """Not even Python's last resort prints a warning."""
    import subprocess
    import sys

    code = (
        "import unified_customers as uc\n"
        "with uc.Client(uc.Flexprice(api_key='k', base_url='http://127.0.0.1:1'), retry=uc.Retry(attempts=2,"
        " first_wait=0.001)) as client:\n"
        "    try:\n        list(client.customers())\n    except uc.ConnectionFailedError:\n        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", CLASSES)
def test_the_log_at_its_finest_holds_nothing_planted(name, caplog):
    """No key, no filter's value, no id, no customer's data, in messages and in fields."""
    caplog.set_level(logging.DEBUG)
    with uc.sandbox(customers=25) as box:
        settings, held = account(box, name), getattr(box, name).ids[0]
        with uc.Client(settings, retry=ONCE) as client:
            people = list(client.customers(page_size=10))
            list(client.customers(email="planted@example.com", unsupported="local"))
            client.customer(held)
            getattr(box, name).fault("500", times=1)
            with pytest.raises(uc.ServerError):
                list(client.customers(email="planted@example.com", unsupported="local"))
    text = "\n".join(f"{record.getMessage()} {vars(record)}" for record in records(caplog))
    secret = [*settings.secrets(), "planted", held, *(one.email for one in people if one.email)]
    assert [word for word in secret if word in text] == []
    assert "failed: ServerError" in text
