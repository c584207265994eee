"""The sandbox's real Flexprice where the recording is silent: what is known of the server beyond it."""

from __future__ import annotations

import json

import httpx
import pytest

from unified_customers.sandbox import Sandbox

ROOT = "/v1/customers"


@pytest.fixture
def sandbox():
    with Sandbox(customers=150) as box:
        yield box


@pytest.fixture
def box(sandbox):
    return sandbox.flexprice


@pytest.fixture
def client(box):
    with httpx.Client(base_url=box.base_url, headers={"x-api-key": box.api_key}) as client:
        yield client


def listed(client, **params):
    reply = client.get(ROOT, params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()["items"]


def searched(client, *filters, **more):
    reply = client.post(f"{ROOT}/search", json={"filters": list(filters), "limit": 1000, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()["items"]


def where(field, operator, **value):
    return {"field": field, "operator": operator, "value": value}


def test_an_environment_can_be_demanded(box, client):
    """As for keys of a configuration file: 403 without the right X-Environment-ID."""
    box.environment_id = "env_1"
    refused = client.get(ROOT)
    assert (refused.status_code, refused.json()["error"]) == (403, "Access denied")
    assert client.get(ROOT, headers={"x-environment-id": "env_1"}).status_code == 200


def test_request_ids_are_echoed_or_made(client):
    """Every reply that reaches the middleware has one; the redirect has none."""
    assert client.get(ROOT, headers={"x-request-id": "mine"}).headers["x-request-id"] == "mine"
    assert len(client.get(ROOT).headers["x-request-id"]) == 26
    assert "x-request-id" not in client.get(f"{ROOT}/").headers


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("POST", f"{ROOT}/", 307, f"/flexprice{ROOT}"),
        ("GET", f"{ROOT}/?limit=3", 301, f"/flexprice{ROOT}?limit=3"),
        ("GET", f"{ROOT}/external/", 301, f"/flexprice{ROOT}/external"),
        ("GET", "/V1/customers", 404, None),
        ("GET", "/v1//customers", 404, None),
        ("GET", f"{ROOT}/a%2Fb", 404, None),
        ("HEAD", ROOT, 404, None),
        ("GET", f"{ROOT}/usage", 404, None),
    ],
)
def test_routing_is_gins(client, method, path, status, location):
    """Redirects for a trailing slash, plain-text 404 for the rest, no 405."""
    reply = client.request(method, path)
    assert (reply.status_code, reply.headers.get("location")) == (status, location)
    if status == 404:
        assert reply.headers["content-type"] == "text/plain"


def test_options_needs_no_key_and_bad_escapes_reach_no_route(box):
    """200 for OPTIONS; 400 from Go itself for a broken percent sign."""
    assert httpx.options(box.base_url + ROOT).status_code == 200
    broken = httpx.Request("GET", box.base_url + ROOT, extensions={"target": b"/flexprice/v1/customers/%zz"})
    with httpx.Client() as client:
        assert client.send(broken).status_code == 400


def test_a_redirected_get_of_nobody_is_the_whole_list(box, client):
    """Why a client must refuse an empty id."""
    reply = client.get(f"{ROOT}/", follow_redirects=True)
    assert reply.json()["pagination"]["total"] == len(box.ids)


def test_default_list_hides_what_is_archived(box, client):
    """Published only; archived ones by status; a get shows both."""
    everybody = {row["id"]: row["status"] for row in box.rows}
    assert {row["id"] for row in listed(client, limit=1000)} == set(box.ids)
    archived = listed(client, status="archived", limit=1000)
    assert {row["id"] for row in archived} == {i for i, status in everybody.items() if status == "archived"}
    assert client.get(f"{ROOT}/{archived[0]['id']}").json() == archived[0]


def test_equal_times_come_in_another_order_for_another_page(box, client):
    """Yet the same query gives the same order, and the rows are the same."""
    box.clear()
    box.insert(40, created_at="2026-01-02T03:04:05.678901Z")
    ids = [[row["id"] for row in listed(client, limit=limit)] for limit in (40, 41, 40)]
    assert ids[0] == ids[2] != ids[1]
    assert set(ids[0]) == set(ids[1])
    by_id = client.post(f"{ROOT}/search", json={"sort": [{"field": "id", "direction": "asc"}]}).json()
    assert [row["id"] for row in by_id["items"]] == sorted(ids[0])


def test_times_are_trimmed_as_go_trims_them(client):
    """Zero to six digits on reads, never a trailing zero."""
    rows = listed(client, limit=1000)
    fractions = [row["created_at"].partition(".")[2].rstrip("Z") for row in rows]
    assert not any(fraction.endswith("0") for fraction in fractions)
    assert {0, 3, 6} <= {len(fraction) for fraction in fractions}


@pytest.mark.parametrize(
    ("params", "message", "details"),
    [
        ({"limit": "1.5"}, "Invalid filter parameters", None),
        ({"offset": "9223372036854775808"}, "Invalid filter parameters", None),
        ({"order": ""}, "Invalid filter parameters", {"order": "must be either 'asc' or 'desc'"}),
        ({"metadata": "plan"}, "Invalid filter parameters", None),
        ({"start_time": "yesterday"}, "Invalid filter parameters", None),
        ({"filters": "[]"}, "Invalid filter parameters", None),
        (
            {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"},
            "Please provide a valid time range",
            {"end_time": "must be after start_time"},
        ),
    ],
)
def test_bad_parameters_are_400(client, params, message, details):
    """With the handlers' flat body."""
    reply = client.get(ROOT, params=params)
    assert reply.status_code == 400
    assert (reply.json()["message"], reply.json().get("details")) == (message, details)


def test_sort_on_get_never_works(client):
    """Plain text is 400, a JSON object a database error."""
    assert client.get(ROOT, params={"sort": "created_at"}).status_code == 400
    assert client.get(ROOT, params={"sort": '{"field":"name","direction":"asc"}'}).status_code == 500


def test_the_first_of_a_repeated_scalar_wins_and_empty_ones_mean_nothing(client):
    """`limit=5&limit=7` is 5; `limit=` is 50; an empty filter filters nothing."""
    assert len(client.get(f"{ROOT}?limit=5&limit=7").json()["items"]) == 5
    assert client.get(f"{ROOT}?limit=&status=&email=&offset=").json()["pagination"]["limit"] == 50


def test_filters_can_come_on_get_too(client):
    """As repeated JSON objects, ANDed."""
    wanted = [
        json.dumps(where("address_country", "eq", string="DE")),
        json.dumps(where("email", "contains", string="@")),
    ]
    rows = client.get(ROOT, params={"filters": wanted, "limit": 1000}).json()["items"]
    assert rows
    assert all(row["address_country"] == "DE" and row["email"] for row in rows)


def test_working_operators_narrow(box, client):
    """eq and in are exact, contains ignores case, before and after are strict."""
    rows = listed(client, limit=1000, order="asc")
    middle = rows[70]["created_at"]
    assert searched(client, where("name", "contains", string="O'BRIEN"))
    assert not searched(client, where("name", "eq", string="o'brien"))
    late = searched(client, where("created_at", "after", date=middle))
    early = searched(client, where("created_at", "before", date=middle))
    same = searched(client, where("created_at", "after", date=middle), where("created_at", "before", date=middle))
    assert len(late) + len(early) + sum(row["created_at"] == middle for row in rows) == len(rows)
    assert same == []
    some = [row["id"] for row in rows[:3]]
    assert {row["id"] for row in searched(client, where("id", "in", array=some))} == set(some)
    assert len(searched(client, where("id", "not_in", array=some))) == len(rows) - 3


@pytest.mark.parametrize(
    "condition",
    [
        where("created_at", "gte", date="2035-01-01T00:00:00Z"),
        where("name", "starts_with", string="x"),
        where("id", "in", array=[]),
        where("name", "contains", number=1),
        where("id", "gt", string="z"),
        where("created_at", "after", string="2035-01-01T00:00:00Z"),
    ],
)
def test_conditions_the_server_does_not_understand_are_dropped(box, client, condition):
    """Without a word: everybody comes back."""
    assert len(searched(client, condition)) == len(box.ids)


def test_a_null_contact_is_neither_containing_nor_not(box, client):
    """As SQL has it."""
    containing = searched(client, where("contact", "contains", string="555"))
    others = searched(client, where("contact", "not_contains", string="555"))
    assert containing
    assert 0 < len(containing) + len(others) == sum("contact" in row for row in listed(client, limit=1000))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"filters":[{"field":"zzz","operator":"eq","value":{"string":"a"}}]}', {400, 500}),
        ('{"filters":[{"field":"name","operator":"eq","value":"a"}]}', {400}),
        ('{"filters":[{"field":"created_at","operator":"after","value":{"date":"soon"}}]}', {400}),
        ('{"filters":{}}', {400}),
        ('{"limit":3.0}', {400}),
        ("[]", {400}),
        ('{"Limit":3}{', {200}),
        ('{"sort":[{"field":"name"}],"limit":2}', {200}),
        ('{"metadata":{"a":1}}', {400}),
    ],
)
def test_search_bodies_bind_as_in_go(client, body, status):
    """Types are strict, names are not case-sensitive, what follows the first value is not read."""
    assert client.post(f"{ROOT}/search", content=body).status_code in status


def test_an_unknown_column_draws_its_status(client):
    """Two marks on one error: now 400, now 500."""
    ask = {"sort": [{"field": "zzz", "direction": "asc"}]}
    assert {client.post(f"{ROOT}/search", json=ask).status_code for _ in range(20)} == {400, 500}


@pytest.mark.parametrize(
    ("body", "status", "field", "tag"),
    [
        ({}, 400, "ExternalID", "required"),
        ({"name": "x" * 256}, 400, "Name", "max"),
        ({"contact": "1" * 21}, 400, "Contact", "max"),
        ({"address_country": "DEU"}, 400, "AddressCountry", "len"),
        ({"address_country": "XX"}, 400, "AddressCountry", "iso3166_1_alpha2"),
        ({"timezone": "Mars/Olympus"}, 400, "Timezone", "timezone"),
    ],
)
def test_create_names_each_broken_rule(client, body, status, field, tag):
    """Keyed by the field's name in Go."""
    whole = {"external_id": "n", "name": "n"} | body if body else {}
    reply = client.post(ROOT, json=whole)
    assert reply.status_code == status
    assert reply.json()["details"][field].endswith(f"failed on the '{tag}' tag")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"address_line1": "é" * 200}, 400),
        ({"metadata": {"pan": "nope"}}, 400),
        ({"metadata": {"pan": "ABCDE1234F"}}, 201),
        ({"name": "nul\0"}, 500),
        ({"NAME": "as Go binds it"}, 201),
        ({"email": None, "metadata": None}, 201),
    ],
)
def test_create_checks_more_than_it_says(client, body, status):
    """Bytes for addresses, tax ids in metadata, what only the database refuses."""
    assert client.post(ROOT, json={"external_id": "n", "name": "n"} | body).status_code == status


def test_update_by_either_id_and_not_by_two_that_differ(box, client):
    """400 where they differ, 404 where the external one is unknown."""
    row = listed(client)[0]
    given = {"id": row["id"], "external_customer_id": row["external_id"]}
    assert client.put(ROOT, params=given, json={"name": "both"}).status_code == 200
    given["id"] = box.ids[1]
    assert client.put(ROOT, params=given, json={"name": "both"}).status_code == 400
    assert client.put(ROOT, params={"external_customer_id": "nobody"}, json={}).status_code == 404


def test_inserted_archived_and_changed_customers_show(box, client):
    """What a test does to the rows, a client sees."""
    first, second = box.insert(2, name="<&>")
    assert box.ids[:2] == [second, first]
    box.update(first, email="new@example.com")
    box.delete(second)
    newest = client.get(ROOT, params={"limit": 1})
    assert [row["id"] for row in newest.json()["items"]] == [first]
    assert newest.json()["items"][0]["email"] == "new@example.com"
    assert "\\u003c\\u0026\\u003e" in newest.text
    with pytest.raises(ValueError, match="already"):
        box.insert(id=first)
