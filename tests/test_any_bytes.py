"""Any bytes with any status give customers or one of our errors, from every adapter, for lists and for one."""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest
from fakes import ONCE, Account, flatpeak, flexportal, flexprice
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import bodies, json_values

import unified_customers as uc
from unified_customers._wire import Response

PORTAL = {
    "customerId": "cust_1",
    "tenantId": "ten_1",
    "email": "ada@planted.example",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "phone": None,
    "customerType": "business",
    "status": "active",
    "customFields": {"tier": "gold"},
    "totalOrders": 3,
    "totalMonthlyRevenue": 1234.10,
    "lastBillingAddress": {"contactName": "Ada", "streetAddress": "1 Main", "city": "Delft", "country": "NL"},
    "createdAt": {"_seconds": 1705314600, "_nanoseconds": 0},
    "profitability": {"lifetimeCollected": 4250.00},
}
PRICE = {
    "id": "cust_1",
    "external_id": "e1",
    "name": "Ada",
    "email": "ada@planted.example",
    "address_country": "NL",
    "metadata": None,
    "status": "published",
    "created_at": "2024-01-15T10:30:00.123456789Z",
}
PEAK = {
    "object": "customer",
    "id": "cus_1",
    "live_mode": True,
    "reference_id": "CUS1",
    "time_created": "2021-05-05T05:37:27Z",
    "personal_details": {"email": "ada@planted.example", "phone": "4401"},
    "postal_address": {"address_line1": "123", "country_code": "GB"},
}
PAGES = {
    "flexportal": {"customers": [PORTAL], "count": 1, "limit": 100, "hasMore": False, "nextCursor": None},
    "flexprice": {"items": [PRICE], "pagination": {"total": 1, "limit": 1000, "offset": 1000}},
    "flatpeak": {"object": "list", "url": "/customers", "has_more": False, "data": [PEAK]},
}
ONE = {"flexportal": PORTAL, "flexprice": PRICE, "flatpeak": PEAK}
ADAPTERS = {
    "flexportal": flexportal,
    "flexprice": flexprice,
    "flatpeak": lambda: flatpeak(account_id=None, api_key=None, bearer_token="tok"),
}
NAMES = st.sampled_from(list(ADAPTERS))
STATUSES = st.sampled_from(
    [
        200,
        200,
        201,
        204,
        206,
        301,
        302,
        304,
        307,
        400,
        401,
        403,
        404,
        405,
        409,
        410,
        413,
        418,
        422,
        429,
        499,
        500,
        502,
        503,
        504,
        599,
    ]
) | st.integers(200, 599)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ["text/html", "application/json; charset=utf-16", "application/json;charset=x", "é"]
        ),
        "retry-after": st.sampled_from(["1e999", "Mon, 99", "-1", "315360000"]) | st.text(max_size=6),
        "location": st.sampled_from(
            ["https://elsewhere.example/", "/v1/customers?limit=5", "//x", "http://[", "\n", "?"]
        )
        | st.text(max_size=6),
        "date": st.text(max_size=8),
        "x-request-id": st.text(max_size=8),
    },
)


def ask(name, status, body, headers=None, **keywords):
    """List and get; customers or one of our errors, and nothing of the bytes in the latter."""
    headers = {"content-type": "application/json", **(headers or {})}
    for style in ("list", "get", "find", "count", "check"):
        asked = 0

        def server(request):
            nonlocal asked
            asked += 1
            assert asked < 400
            return Response(status=status, headers=headers, body=body)

        account = Account(ADAPTERS[name](), server, ONCE)
        try:
            if style == "list":
                listing = account.customers(max_items=200, **keywords)
                assert all(isinstance(c, uc.Customer) for c in listing)
                listing.checkpoint.encode()
            elif style == "get":
                assert account.customer("cust_1").id == "cust_1"
            elif style == "find":
                assert account.customer(external_id="e1").external_id == "e1"
            elif style == "count":
                assert account.count() >= 0
            else:
                account.check()
        except uc.CustomersError as error:
            judge(error, name)


def answering(body):
    """A server with one good answer."""
    return lambda _: Response(status=200, headers={}, body=body)


def judge(error, name):
    """Ours, with its provider, nothing of the record, and fit to be printed."""
    assert error.provider == name
    assert "planted" not in str(error)
    assert "planted" not in repr(error.details)
    assert (str(error) + repr(error.details) + repr(error.code) + repr(error.request_id)).encode()


@settings(max_examples=250)
@given(NAMES, STATUSES, bodies(), HEADERS)
@example("flexprice", 200, b"", {})
@example("flexportal", 204, b"", {})
@example("flatpeak", 200, b"null", {})
@example("flatpeak", 403, b"[]", {"x-request-id": "\x1b[31m"})
@example("flexprice", 500, b'{"error": {"message": 5, "internal_error": []}}', {})
@example("flexprice", 307, b"", {"location": "/v1/customers"})
def test_any_bytes_with_any_status(name, status, body, headers):
    """Nothing else comes out."""
    ask(name, status, body, headers)


@st.composite
def spoilt_pages(draw):
    """A valid page or customer with one value replaced by any JSON, or a key taken away."""
    name = draw(NAMES)
    page = json.loads(json.dumps(draw(st.sampled_from([PAGES[name], ONE[name]]))))
    place, steps = page, draw(st.integers(1, 4))
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        steps -= 1
        if steps <= 0 or not isinstance(place[key], dict | list) or not place[key]:
            break
        place = place[key]
    if draw(st.booleans()):
        place[key] = draw(json_values)
    else:
        del place[key]
    return name, page


@settings(max_examples=300)
@given(spoilt_pages(), STATUSES, st.sampled_from(["raise", "skip"]))
def test_a_page_with_one_strange_value(spoilt, status, policy):
    """Read, skipped or refused; never a foreign error."""
    name, page = spoilt
    ask(name, status if status < 300 else 200, json.dumps(page).encode(), on_bad_record=policy)


@pytest.mark.parametrize("half", ["\ud800", "a\udfff"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_half_a_character_anywhere(name, half):
    """A lone surrogate in any text of a page or of an error: read, skipped or refused, and nothing unprintable said."""

    def spoilt(value):
        if isinstance(value, str):
            yield half
        items = (
            list(value.items())
            if isinstance(value, dict)
            else list(enumerate(value))
            if isinstance(value, list)
            else []
        )
        for key, inner in items:
            for other in spoilt(inner):
                copied = dict(value) if isinstance(value, dict) else list(value)
                copied[key] = other
                yield copied

    more = {**PAGES[name], "nextCursor": "x", "hasMore": True} if name == "flexportal" else PAGES[name]
    errors = {
        "error": {"code": "c", "message": "m", "details": ["d"]},
        "message": "m",
        "code": "c",
        "details": {"a": "b"},
    }
    for page in (PAGES[name], more, ONE[name]):
        for one in spoilt(page):
            for policy in ("raise", "skip"):
                ask(name, 200, json.dumps(one).encode(), on_bad_record=policy)
    for one in (*spoilt(errors), {half: half}, {"details": {half: half}}):
        ask(name, 400, json.dumps(one).encode())


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
def test_a_page_cut_at_every_byte(name, status):
    """A cut answer is never taken for a shorter list."""
    for page in (PAGES[name], ONE[name]):
        whole = json.dumps(page).encode()
        for at in range(len(whole)):
            ask(name, status, whole[:at])
            if status == 200 and page is PAGES[name]:
                account = Account(ADAPTERS[name](), answering(whole[:at]), ONCE)
                with pytest.raises(uc.MalformedResponseError):
                    list(account.customers())


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_page_with_every_byte_changed(name):
    """One flipped byte anywhere."""
    whole = json.dumps(PAGES[name]).encode()
    for at in range(len(whole)):
        for byte in (0, 0x22, 0x5D, 0xFF, whole[at] ^ 1):
            ask_list(name, whole[:at] + bytes([byte]) + whole[at + 1 :])


def ask_list(name, body):
    account = Account(ADAPTERS[name](), lambda _: Response(status=200, headers={}, body=body), ONCE)
    with contextlib.suppress(uc.CustomersError):
        list(account.customers(max_items=50))


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"0",
        b'""',
        b"[]",
        b"{}",
        b'{"error": {"code": "X", "message": "no"}}',
        b'{"object": "error", "type": "api_error"}',
        b'{"message": "no"}',
        b"<html><body>502</body></html>",
        b"\x1f\x8b\x08",
        gzip.compress(b"{}", mtime=0),
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xef\xbb\xbf",
        b"{" + b'"a":1,' * 10 + b"}",
        '{"items": [], "customers": [], "data": []}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_200_that_is_no_page_is_never_an_empty_list(name, body):
    """The gravest mistake would be to take it for the end."""
    account = Account(ADAPTERS[name](), lambda _: Response(status=200, headers={}, body=body), ONCE)
    with pytest.raises(uc.CustomersError):
        list(account.customers())


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("status", [*range(201, 207), *range(300, 309), *range(400, 432), 451, *range(500, 512), 599])
def test_an_error_status_is_never_a_page(name, status):
    """Status before body: a page that comes with an error is an error; with 2xx it is read."""
    body = json.dumps(PAGES[name]).encode()
    account = Account(ADAPTERS[name](), lambda _: Response(status=status, headers={}, body=body), ONCE)
    if status < 300:
        assert len(list(account.customers())) == 1
        return
    with pytest.raises(uc.ApiError) as caught:
        list(account.customers())
    assert caught.value.status == status
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=200)
@given(body=bodies(), status=STATUSES)
def test_any_sign_in_answer(name, body, status):
    """A sign-in that is answered with anything is good or one of our errors."""
    if name != "flatpeak":
        return

    def server(request):
        good = not request.url.endswith("/login")
        return Response(
            status=200 if good else status, headers={}, body=json.dumps(PAGES[name]).encode() if good else body
        )

    try:
        list(Account(flatpeak(), server, ONCE).customers())
    except uc.CustomersError as error:
        judge(error, "flatpeak")


@given(
    st.lists(
        st.sampled_from([PRICE, {}, None, 5, {"id": None}, {"id": "x", "metadata": 5}, {**PRICE, "id": "cust_2"}]),
        max_size=6,
    )
)
def test_bad_records_among_good_ones(records):
    """Skipped ones are counted and kept, with their path; the good ones all come."""
    body = json.dumps({"items": records, "pagination": {"total": len(records)}}).encode()
    account = Account(flexprice(), lambda _: Response(status=200, headers={}, body=body), ONCE)
    good = {r["id"] for r in records if isinstance(r, dict) and r.get("email")}
    bad = [n for n, r in enumerate(records) if not (isinstance(r, dict) and r.get("email"))]
    listing = account.customers(on_bad_record="skip", max_items=10)
    got = []
    try:
        got.extend(customer.id for customer in listing)
    except uc.PaginationError:
        assert bad  # the total counts records that could not be placed
    assert set(got) == good
    assert [error.path.split("]")[0] for error in listing.report.bad_records][: len(bad)] == [
        f"$.items[{n}" for n in bad
    ]
    if bad:
        with pytest.raises(uc.BadRecordError) as caught:
            list(account.customers())
        assert caught.value.path.startswith(f"$.items[{bad[0]}]")


def test_a_callable_may_mend_a_bad_record():
    """What it returns takes the record's place."""
    body = json.dumps(
        {"items": [{**PRICE, "metadata": 5}, {**PRICE, "id": "cust_2"}], "pagination": {"total": 2}}
    ).encode()
    account = Account(flexprice(), lambda _: Response(status=200, headers={}, body=body), ONCE)
    seen = []

    def mend(error):
        seen.append((error.path, error.record_id, error.provider))
        return uc.Customer(provider="flexprice", id=error.record_id)

    assert [c.id for c in account.customers(on_bad_record=mend)] == ["cust_1", "cust_2"]
    assert seen == [("$.items[0].metadata", "cust_1", "flexprice")]
