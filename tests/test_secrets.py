"""Planted keys, tokens, e-mails, names and phones appear in nothing that the library says."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback
import warnings

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
MARKS = [KEY, TOKEN, EMAIL, NAME, PHONE, REF, "Plantagenet", "planted"]
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
    """All that an error says: its texts, traceback, fields, and a pickle of it."""
    fields = {
        name: getattr(error, name, None) for name in ("message", "code", "details", "request_id", "path", "checkpoint")
    }
    # a traceback quotes the source: this file's own names are no leak
    trace = "\n".join(line for line in traceback.format_exception(error) if __file__ not in line)
    return "\n".join(
        [str(error), repr(error), repr(fields), trace, repr(error.args), pickle.dumps(error, 0).decode("latin-1")]
    )


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
                said += [repr(listing), listing.checkpoint]
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
        said += [repr(listing.report), listing.checkpoint, *(spoken(e) for e in listing.report.bad_records)]
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
