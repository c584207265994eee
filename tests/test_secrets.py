"""Planted keys, tokens, e-mails, names and phones appear in nothing that the library says."""

from __future__ import annotations

import base64
import copy
import gc
import io
import json
import logging
import pickle
import threading
import traceback
import warnings
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FunctionType

import attrs
import httpx
import pytest
from fakes import Account, Server, reply
from hypothesis import given, settings
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers._wire import Unreachable

KEY = "sk_planted_key_1"
TOKEN = "tok_planted_token_1"
EMAIL = "planted.person@mail.example"
NAME = "Plantagenet Plantedson"
PHONE = "+31612345999"
REF = "planted-reference-7"
BASIC = base64.b64encode(f"acc_1:{KEY}".encode()).decode()
MARKS = [KEY, TOKEN, BASIC, EMAIL, NAME, PHONE, REF, "Plantagenet", "planted"]
PERSON = {
    "flexportal": {
        "customerId": "cust_1",
        "email": EMAIL,
        "firstName": "Plantagenet",
        "lastName": "Plantedson",
        "phone": PHONE,
        "company": NAME,
        "status": "active",
        "lastBillingAddress": {"contactName": NAME, "streetAddress": REF, "city": "x", "country": "NL"},
    },
    "flexprice": {
        "id": "cust_1",
        "external_id": REF,
        "name": NAME,
        "email": EMAIL,
        "contact": PHONE,
        "status": "published",
        "address_line1": REF,
        "created_at": "2024-01-01T00:00:00Z",
    },
    "flatpeak": {"id": "cust_1", "reference_id": REF, "personal_details": {"email": EMAIL, "phone": PHONE}},
}
SPOILT = {"flexportal": "lastName", "flexprice": "name", "flatpeak": "reference_id"}
KEYWORDS = {"flexportal": {"email": EMAIL}, "flexprice": {"external_id": REF}, "flatpeak": {"external_id": REF}}
ACCOUNTS = {
    "flexportal": lambda: uc.FlexPortal(api_key=KEY, tenant_id="ten_1", base_url="https://h.example"),
    "flexprice": lambda: uc.Flexprice(api_key=KEY, base_url="https://h.example"),
    "flatpeak": lambda: uc.Flatpeak(account_id="acc_1", api_key=KEY, base_url="https://h.example"),
    "flatpeak token": lambda: uc.Flatpeak(bearer_token=TOKEN, base_url="https://h.example"),
}


def page_of(name, rows):
    name = name.split()[0]
    if name == "flexportal":
        return {"customers": rows, "hasMore": False, "nextCursor": None}
    if name == "flexprice":
        return {"items": rows, "pagination": {"total": len(rows)}}
    return {"data": rows, "has_more": False}


def echo(name: str, style: str = "filtered") -> str:
    """All that a provider can know of the caller: the key, the token in use, e-mails, and the values that were sent."""
    secret = {"flatpeak": f"{KEY} {TOKEN}", "flatpeak token": TOKEN}.get(name, KEY)
    provider = name.split(maxsplit=1)[0]
    sent = REF if style in {"get", "find"} or (style == "filtered" and provider != "flexportal") else "x"
    return f"no: {secret} <{EMAIL}> '{sent}' Bearer {secret.split()[-1]} in /v1/customers?email={EMAIL}"


def details(name, style):
    text = echo(name, style)
    return {"code": text, "message": text, "type": text, "request_id": text, "details": [{"path": text, text: [text]}]}


ANSWERS = {
    "a page": lambda name, style: reply(200, page_of(name, [PERSON[name.split()[0]]])),
    "a bad record": lambda name, style: reply(
        200, page_of(name, [{**PERSON[name.split()[0]], SPOILT[name.split()[0]]: [NAME, EMAIL]}])
    ),
    **{
        f"a {status} that echoes": lambda name, style, status=status: reply(
            status, {**details(name, style), "error": details(name, style)}, x_request_id=echo(name, style)
        )
        for status in (400, 401, 403, 404, 409, 429, 500)
    },
    "a 401 in a word": lambda name, style: reply(401, {"error": echo(name, style)}),
    "a 500 of HTML": lambda name, style: reply(500, f"<html>{echo(name)}</html>".encode(), content_type="text/html"),
    "a 200 of HTML": lambda name, style: reply(200, f"<html>{echo(name)}</html>".encode(), content_type="text/html"),
    "a 200 with an error": lambda name, style: reply(200, {"error": {"message": echo(name)}}),
    "a redirect": lambda name, style: reply(302, b"", location=f"https://elsewhere.example/?key={KEY}&email={EMAIL}"),
    "a cut page": lambda name, style: reply(200, f'{{"items": [{{"email": "{EMAIL}", "key": "{KEY}'.encode()),
    "no answer": lambda name, style: Unreachable(kind="connection", reason="ConnectError"),
    "somebody else": lambda name, style: reply(
        200,
        page_of(
            name,
            [{**PERSON[name.split()[0]], "reference_id": "x", "external_id": "x", "email": "other@planted.example"}],
        ),
    ),
}


class Answering(Server):
    """Signs in whoever asks, then gives one answer to everything."""

    def __init__(self, answer):
        super().__init__()
        self._answer = answer

    def answer(self, request):
        if request.url.endswith("/login"):
            return reply(200, {"bearer_token": TOKEN, "expires_in": 3600})
        return self._answer


def spoken(error: BaseException) -> str:
    """All that an error says: its texts, traceback, fields, a pickle of it, what led to it, and its checkpoint."""
    # a traceback quotes the source: this file's own names are no leak
    trace = "\n".join(line for line in traceback.format_exception(error) if __file__ not in line)
    said = [f"{one} {one!r} {vars(one)} {one.args}" for one in chain(error)]
    checkpoint = getattr(error, "checkpoint", None)
    return "\n".join([trace, *said, pickle.dumps(error, 0).decode("latin-1"), unpacked(checkpoint)])


def chain(error: BaseException, *, suppressed: bool = False) -> list[BaseException]:
    """An error and those that led to it, as error trackers follow them; or also those that `from None` hides."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in found:
            continue
        found.append(one)
        waiting += [one.__cause__, one.__context__ if suppressed or not one.__suppress_context__ else None]
        waiting += getattr(one, "exceptions", ())
    return found


def unpacked(checkpoint: str | None) -> str:
    """What a curious reader finds in a checkpoint, and in those that it holds."""
    if checkpoint is None:
        return ""
    body = checkpoint.split(".")[1]
    text = zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).decode()
    inner = [unpacked(one) for _, one in json.loads(text).values()] if checkpoint.startswith("ucd") else []
    return "\n".join([checkpoint, text, *inner])


def leaks(text: str, allowed=()) -> list[str]:
    return [mark for mark in MARKS if mark.lower() in text.lower() and mark not in allowed]


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("style", ["list", "filtered", "get", "find", "count", "check", "skip"])
def test_nothing_planted_is_said(name, answer, style, caplog, capsys):
    """Whatever goes wrong, in errors with tracebacks and pickles, logs, warnings, events, reports and checkpoints."""
    caplog.set_level(logging.DEBUG)
    said, events = [], []
    account = Account(ACCOUNTS[name](), Answering(ANSWERS[answer](name, style)), uc.Retry(attempts=2), events.append)
    provider = name.split()[0]
    listing = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if style in {"list", "filtered", "skip"}:
                keywords = KEYWORDS[provider] if style == "filtered" else {}
                listing = account.customers(**keywords, on_bad_record="skip" if style == "skip" else "raise")
                said += [repr(listing), unpacked(listing.checkpoint)]
                said += [f"{customer!r} {customer}" for customer in listing]
            elif style == "get":
                said.append(repr(account.customer(REF)))
            elif style == "find":
                said.append(repr(account.customer(external_id=REF)))
            elif style == "count":
                said.append(repr(account.count()))
            else:
                said.append(repr(account.check()))
        except uc.CustomersError as error:
            said.append(spoken(error))
    if listing is not None:
        said += [repr(listing.report), pickle.dumps(listing.report, 0).decode("latin-1"), unpacked(listing.checkpoint)]
        said += [spoken(error) for error in listing.report.bad_records]
    said += [repr(events), repr(account.context.adapter), str(account.context.adapter), caplog.text]
    said += [str(warning.message) for warning in caught]
    said += list(capsys.readouterr())
    # a customer's repr shows the external id that its owner chose, and nothing else does
    assert leaks("\n".join(said).replace(f"external_id={REF!r}", "")) == []


@settings(max_examples=40)
@given(st.sampled_from(sorted(ACCOUNTS)), st.sampled_from([400, 401, 403, 404, 409, 422, 429, 500]), st.data())
def test_an_echo_anywhere_in_an_error_body_is_masked(name, status, data):
    """Whatever shape the provider's error has."""
    text = echo(name)
    leaf = st.sampled_from([text, EMAIL, f"x{text}x", None, 5])
    names = [
        "error",
        "message",
        "code",
        "details",
        "type",
        "title",
        "internal_error",
        text,
        EMAIL,
        "context",
        "request_id",
    ]
    body = data.draw(
        st.recursive(
            leaf,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
            max_leaves=8,
        )
    )
    account = Account(ACCOUNTS[name](), Answering(reply(status, body)), uc.Retry(attempts=1))
    with pytest.raises(uc.ApiError) as caught:
        list(account.customers(**KEYWORDS[name.split()[0]]))
    assert leaks(spoken(caught.value)) == []


def test_a_signed_in_token_is_masked_too():
    """An error that echoes the bearer token of the sign-in."""
    account = Account(
        ACCOUNTS["flatpeak"](), Answering(reply(400, {"message": f"bad token {TOKEN}"})), uc.Retry(attempts=1)
    )
    with pytest.raises(uc.ApiError) as caught:
        list(account.customers())
    assert TOKEN not in spoken(caught.value)


def test_the_network_room_logs_nothing_planted(caplog):
    """httpx and httpcore at DEBUG, over a real client."""
    caplog.set_level(logging.DEBUG)

    def answer(request):
        return httpx.Response(400, json={"message": f"no {KEY if 'login' in str(request.url) else ''} {EMAIL}"})

    for name, make in ACCOUNTS.items():
        http = httpx.Client(transport=httpx.MockTransport(answer))
        with uc.Client(make(), http_client=http, retry=uc.Retry(attempts=1)) as client:
            assert leaks(repr(client)) == []
            with pytest.raises(uc.ApiError):
                list(client.customers(**KEYWORDS[name.split()[0]]))
            with pytest.raises(uc.ApiError):
                client.customer(REF)
    assert leaks(caplog.text) == []


def test_over_sockets_httpcore_logs_nothing_planted(caplog):
    """Its DEBUG lines show what goes over the wire's edges."""
    from unified_customers.sandbox import Sandbox

    caplog.set_level(logging.DEBUG)
    with Sandbox(customers=3) as box:
        with uc.Client(uc.Flexprice(**box.flexprice.settings)) as client:
            list(client.customers(email=EMAIL))
        with uc.Client(uc.Flatpeak(**box.flatpeak.settings)) as client:
            list(client.customers(external_id=REF))
        keys = [value for p in box.providers for name, value in p.settings.items() if name == "api_key"]
    assert "httpcore" in caplog.text
    assert leaks(caplog.text) == []
    assert not any(key in caplog.text for key in keys)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_settings_show_no_key_in_any_form(name):
    """repr, str, format, a copy, and a traceback with locals of the library."""
    account = ACCOUNTS[name]()
    out = io.StringIO()
    print(account, f"{account}", repr([account]), copy.copy(account), file=out)
    assert leaks(out.getvalue()) == []


def test_wire_values_show_nothing():
    """Requests, answers and tokens may end up in a debugger's log."""
    seen = []
    server = Answering(reply(200, page_of("flatpeak", [PERSON["flatpeak"]])))
    account = Account(ACCOUNTS["flatpeak"](), lambda request: seen.append(request) or server(request))
    list(account.customers(external_id=REF))
    assert leaks(repr(seen) + repr(account._token) + repr([server(request) for request in seen])) == []


# Over real sockets


@contextmanager
def serving(answer, name, style="filtered"):
    """A server on loopback that gives one answer to everything, with planted headers, after a sign-in."""
    usual = ANSWERS[answer](name, style)
    planted = {"set-cookie": f"session={TOKEN}", "x-request-id": echo(name, style), "x-echo": REF}
    served = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body in one packet

        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            given = reply(200, {"bearer_token": TOKEN, "expires_in": 3600}) if self.path == "/login" else usual
            self.send_response(given.status)
            for header, value in {**planted, **given.headers, "content-length": str(len(given.body))}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(given.body)
            served.append(self.path)

        do_POST = do_GET  # noqa: N815 - as the standard library calls it

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    assert [path for path in served if path != "/login"]


OVER_SOCKETS = [answer for answer in ANSWERS if answer != "no answer"]


def at(address, name):
    """The account with that address."""
    return attrs.evolve(ACCOUNTS[name](), base_url=address)


def clean(said, caplog):
    """Whether nothing planted was said or logged; httpcore was heard, so there was something to hear."""
    assert "httpcore" in caplog.text
    logged = "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_info}" for record in caplog.records)
    assert leaks("\n".join([*said, caplog.text, logged]).replace(f"external_id={REF!r}", "")) == []


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("answer", OVER_SOCKETS)
def test_over_sockets_nothing_planted_is_logged(name, answer, caplog):
    """httpx and httpcore at DEBUG, in which headers of the answer would stand."""
    caplog.set_level(logging.DEBUG)
    with (
        serving(answer, name) as address,
        uc.Client(at(address, name), retry=uc.Retry(attempts=1)) as client,
    ):
        said = [repr(client)]
        try:
            said += [repr(customer) for customer in client.customers(**KEYWORDS[name.split()[0]])]
        except uc.CustomersError as error:
            said.append(spoken(error))
    clean(said, caplog)


@pytest.mark.anyio
@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("answer", ["a page", "a 401 that echoes", "a redirect", "a cut page"])
async def test_over_sockets_nothing_planted_is_logged_async(name, answer, caplog):
    """On asyncio and trio, whose own loggers are heard too."""
    caplog.set_level(logging.DEBUG)
    with serving(answer, name) as address:
        async with uc.AsyncClient(at(address, name), retry=uc.Retry(attempts=1)) as client:
            said = [repr(client)]
            try:
                said += [repr(c) async for c in client.customers(**KEYWORDS[name.split()[0]])]
            except uc.CustomersError as error:
                said.append(spoken(error))
    clean(said, caplog)


def told_by(listing):
    """All that a directory's listing says of itself."""
    reports = [repr(listing.report), pickle.dumps(listing.report, 0).decode("latin-1")]
    bad = [spoken(error) for report in listing.report.accounts.values() for error in report.bad_records]
    return [repr(listing), str(listing), unpacked(listing.checkpoint), *reports, *bad, repr(listing.errors)]


STYLES = {
    "list": lambda _: ({}, {"on_bad_record": "skip"}, {"on_account_error": "collect"}),
    "filtered": lambda name: (KEYWORDS[name.split()[0]],),
}


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("answer", OVER_SOCKETS)
@pytest.mark.parametrize("style", STYLES)
def test_a_directory_says_nothing_planted(name, answer, style, caplog):
    """Errors, whether raised or collected, reports, checkpoints and events."""
    caplog.set_level(logging.DEBUG)
    events, said = [], []
    with (
        serving(answer, name, style) as address,
        uc.Directory({"one": at(address, name)}, retry=uc.Retry(attempts=1), on_event=events.append) as directory,
    ):
        for keywords in STYLES[style](name):
            listing = directory.customers(**keywords)
            try:
                said += [repr(customer) for customer in listing]
            except uc.CustomersError as error:
                said.append(spoken(error))
            said += [*told_by(listing), *(spoken(error) for error in listing.errors.values())]
        said += [repr(directory), repr(iter(listing)), repr(events)]
    clean(said, caplog)


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["a page", "a bad record", "a 401 that echoes", "a redirect"])
@pytest.mark.parametrize("style", STYLES)
async def test_an_async_directory_says_nothing_planted(answer, style, caplog):
    """Likewise."""
    caplog.set_level(logging.DEBUG)
    events, said = [], []
    with serving(answer, "flexprice", style) as address:
        accounts = {"one": at(address, "flexprice")}
        async with uc.AsyncDirectory(accounts, retry=uc.Retry(attempts=1), on_event=events.append) as directory:
            for keywords in STYLES[style]("flexprice"):
                listing = directory.customers(**keywords)
                try:
                    said += [repr(customer) async for customer in listing]
                except uc.CustomersError as error:
                    said.append(spoken(error))
                said += [*told_by(listing), *(spoken(error) for error in listing.errors.values())]
            said += [repr(directory), repr(events)]
    clean(said, caplog)


# Everything that has a repr


def reachable(*roots):
    """Every object of the library that can be reached from these: what a debugger, or an error tracker, may show."""
    seen, waiting = {}, list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen[id(one)] = one
        inner = gc.get_referents(one)
        if isinstance(one, FunctionType):  # not its globals: those are all there is
            inner = list(one.__closure__ or ())
        waiting += [other for other in inner if not type(other).__module__.startswith(("_pytest", "pytest"))]
    return [one for one in seen.values() if type(one).__module__.split(".")[0] == "unified_customers"]


THE_DATA = {"ReadOnlyDict"}  # `raw` and `metadata` are what a provider sent, and documented as such


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("filtered", [False, True])
def test_no_object_of_the_library_shows_anything_planted(name, filtered):
    """Clients, listings, walks, plans, positions, pages, customers, addresses, tokens, requests, queries, answers."""
    provider = name.split()[0]
    one = PERSON[provider]
    rows = [{**one, "customerId" if provider == "flexportal" else "id": f"cust_{n}"} for n in range(3)]
    server = Answering(reply(200, page_of(name, rows)))
    account = Account(ACCOUNTS[name](), server, uc.Retry(attempts=1))
    listing = account.customers(**(KEYWORDS[provider] if filtered else {}))
    walk, pages = iter(listing), listing.pages()
    found = reachable(account, server.requests, walk, pages, next(walk), next(pages))
    kinds = {type(each).__name__ for each in found}
    assert kinds >= {"Query", "Customer", "Page", "Request", "Context", type(account.context.adapter).__name__}
    for each in found:
        if type(each).__name__ not in THE_DATA:
            for text in (repr(each), str(each), f"{each}"):
                assert leaks(text.replace(f"external_id={REF!r}", "")) == [], type(each)


WRONG = [
    {"email": EMAIL + " "},
    {"email": [EMAIL]},
    {"page_size": EMAIL},
    {"kind": EMAIL},
    {"sort": EMAIL},
    {"order": EMAIL},
    {"external_id": [EMAIL, 3]},
    {"ids": []},
    {"after": EMAIL},
    {"after": f"uc1.{EMAIL}.x"},
    {"unsupported": EMAIL},
    {"max_items": EMAIL},
    {"on_bad_record": EMAIL},
    {"params": EMAIL},
    {"email": EMAIL + "\ud800"},
]


@pytest.mark.parametrize("keywords", WRONG, ids=lambda keywords: next(iter(keywords)))
@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_value_that_is_refused_is_not_repeated(name, keywords):
    """By the library itself, before anything is sent."""
    account = Account(ACCOUNTS[name](), Answering(reply(200, page_of(name, []))))
    try:
        said = repr(account.customers(**keywords))
    except uc.CustomersError as error:
        said = spoken(error)
    assert leaks(said) == []


# Keys that are kept elsewhere


def called():
    """A key's callable."""
    return KEY


def token():
    """A token's."""
    return TOKEN


@pytest.fixture
def key_file(tmp_path):
    """A key's file."""
    path = tmp_path / "secret"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    return path


KEPT = {
    "flexportal": lambda kept: uc.FlexPortal(api_key=kept, tenant_id="ten_1", base_url="https://h.example"),
    "flexprice": lambda kept: uc.Flexprice(api_key=kept, base_url="https://h.example"),
    "flatpeak": lambda kept: uc.Flatpeak(account_id="acc_1", api_key=kept, base_url="https://h.example"),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("where", ["callable", "file"])
def test_a_key_that_is_kept_elsewhere_stands_nowhere_in_the_settings(name, where, key_file):
    """Not in their repr, pickle or fields, before and after a walk; and the walk has used it."""
    settings = KEPT[name](called if where == "callable" else key_file)
    server = Answering(reply(200, page_of(name, [PERSON[name]])))
    account = Account(settings, server)
    listing = account.customers()
    assert len(list(listing)) == 1
    assert any(KEY in value or BASIC in value for request in server.requests for _, value in request.headers)
    held = pickle.dumps(settings, 0).decode("latin-1") + repr(attrs.asdict(settings)) + repr(vars_of(settings))
    kept = held + repr(settings) + unpacked(listing.checkpoint)
    assert [mark for mark in (KEY, BASIC) if mark in kept] == []
    assert pickle.loads(pickle.dumps(settings)) == settings


def vars_of(settings):
    """What a settings object holds."""
    return {field.name: getattr(settings, field.name) for field in attrs.fields(type(settings))}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("where", ["callable", "file"])
@pytest.mark.parametrize("answer", [f"a {status} that echoes" for status in (400, 401, 403, 429, 500)])
def test_an_echo_of_a_key_that_is_kept_elsewhere_is_masked(name, where, answer, key_file):
    """Whatever the provider says."""
    settings = KEPT[name](called if where == "callable" else key_file)
    account = Account(settings, Answering(ANSWERS[answer](name, "list")), uc.Retry(attempts=1))
    with pytest.raises(uc.ApiError) as caught:
        list(account.customers())
    assert leaks(spoken(caught.value)) == []


def test_an_echo_of_a_token_that_is_kept_elsewhere_is_masked():
    """Likewise for Flatpeak's bearer token."""
    settings = uc.Flatpeak(bearer_token=token, base_url="https://h.example")
    answer = ANSWERS["a 401 that echoes"]("flatpeak token", "list")
    with pytest.raises(uc.ApiError) as caught:
        list(Account(settings, Answering(answer), uc.Retry(attempts=1)).customers())
    assert leaks(spoken(caught.value)) == []
    assert TOKEN not in pickle.dumps(settings, 0).decode("latin-1") + repr(settings)


def torn():
    """A callable that fails with the key on its lips."""
    raise KeyError(KEY)


def spaced():
    """A callable whose key can't be sent."""
    return f"{KEY}\n{KEY}"


@pytest.fixture(params=["a callable that fails", "a callable of two lines", "a file that is no text", "no file"])
def useless(request, tmp_path):
    """What a key can't be had from."""
    path = Path(tmp_path / "secret")
    if request.param == "a file that is no text":
        path.write_bytes(KEY.encode() + b"\xff\xfe")
    return {"a callable that fails": torn, "a callable of two lines": spaced}.get(request.param, path)


@pytest.mark.parametrize("name", KEPT)
def test_a_key_that_cannot_be_had_is_not_shown(name, useless):
    """In the error, and in all that it leads to for a traceback or an error tracker."""
    with pytest.raises(uc.ConfigurationError, match="api_key") as caught:
        list(Account(KEPT[name](useless), Answering(reply(200, page_of(name, [])))).customers())
    assert leaks(spoken(caught.value)) == []


@pytest.mark.parametrize("name", KEPT)
def test_a_key_that_cannot_be_had_does_not_travel_with_its_error(name, tmp_path):
    """Not even where `from None` hides what happened: a debugger, and some error trackers, look there."""
    path = tmp_path / "secret"
    path.write_bytes(KEY.encode() + b"\xff\xfe")
    for kept in (torn, path):
        with pytest.raises(uc.ConfigurationError) as caught:
            list(Account(KEPT[name](kept), Answering(reply(200, page_of(name, [])))).customers())
        said = [f"{one!r} {one.args}" for one in chain(caught.value, suppressed=True)]
        assert leaks("\n".join(said)) == []
