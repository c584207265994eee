"""The sandbox's FlexPortal behaves as seeds 000 to 002 and the Update and Delete pages say."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from unified_customers.sandbox import MISSING, Sandbox


@pytest.fixture
def box():
    with Sandbox(customers=120) as box:
        yield box.flexportal


@pytest.fixture
def client(box):
    headers = {"authorization": f"Bearer {box.api_key}", "tenant-id": box.tenant_id}
    with httpx.Client(base_url=box.base_url, headers=headers) as client:
        yield client


def listed(client, **params):
    reply = client.get("/v1/customers", params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()


def walk(client, **params):
    rows, cursor = [], {}
    while True:
        page = listed(client, **params, **cursor)
        rows += page["customers"]
        if not page["hasMore"]:
            assert page["nextCursor"] is None
            return rows
        cursor = {"startAfter": page["nextCursor"]}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "AUTH_REQUIRED"),
        ({"authorization": "Basic abc"}, 401, "AUTH_REQUIRED"),
        ({"authorization": "Bearer wrong", "tenant-id": "bu_sandbox"}, 401, "INVALID_TOKEN"),
        ({"authorization": "Bearer pk_live_sandbox_flexportal"}, 403, "NO_TENANT_ACCESS"),
        (
            {"authorization": "Bearer pk_live_sandbox_flexportal", "tenant-id": "other"},
            403,
            "NO_TENANT_ACCESS",
        ),
    ],
)
def test_keys_and_tenants_are_checked(box, headers, status, code):
    """401 for the key, 403 for the tenant, with the documented codes."""
    reply = httpx.get(box.base_url + "/v1/customers", headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("sent", "effective"), [({}, 50), ({"limit": "7"}, 7), ({"limit": "500"}, 100)])
def test_the_page_size_defaults_to_50_and_ends_at_100(client, sent, effective):
    """`limit` is told back, `count` is the rows of this page."""
    page = listed(client, **sent)
    assert (page["limit"], page["count"], len(page["customers"])) == (effective, effective, effective)


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5"])
def test_a_page_size_that_is_none_is_refused(client, limit):
    """400 with the documented validation code."""
    reply = client.get("/v1/customers", params={"limit": limit})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("style", ["id", "opaque"])
def test_a_walk_gives_everybody_once_newest_first(box, client, style):
    """With either kind of cursor."""
    box.cursor_style = style
    assert [row["customerId"] for row in walk(client, limit="13")] == box.ids
    assert len(box.ids) == len(set(box.ids)) == 120


def test_filters_narrow_and_combine(client):
    """Status, type, e-mail and active rentals."""
    everybody = walk(client)
    assert {row["status"] for row in walk(client, status="inactive")} == {"inactive"}
    both = walk(client, customerType="business", hasActiveRentals="true", status="active")
    assert both == [
        row
        for row in everybody
        if (row["customerType"], row["status"]) == ("business", "active") and row["totalDevicesRented"]
    ]
    assert listed(client, email=everybody[5]["email"])["customers"] == [everybody[5]]


@pytest.mark.parametrize("field", ["firstName", "lastName", "email", "totalMonthlyRevenue", "totalDevicesRented"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_sorting_is_by_the_field_and_complete(box, client, field, direction):
    """Also where many rows share a value."""
    rows = walk(client, limit="9", sortBy=field, sortDir=direction)
    values = [row[field] for row in rows]
    assert values == sorted(values, reverse=direction == "desc")
    assert sorted(row["customerId"] for row in rows) == sorted(box.ids)


def test_one_customer_is_bare_and_has_profitability(box, client):
    """The object itself, with the nested figures of seed 002; 404 with its code for an unknown id."""
    reply = client.get(f"/v1/customers/{box.ids[0]}")
    assert reply.json()["customerId"] == box.ids[0]
    assert set(reply.json()["profitability"]) == {
        "lifetimeCollected",
        "totalAcquisitionCost",
        "costRecoveryPercent",
        "averageMonthlyRevenue",
        "totalDevicesEver",
        "activeDevices",
    }
    unknown = client.get("/v1/customers/cust_nobody")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("policy", "status"), [("404", 404), ("400", 400), ("empty", 200), ("restart", 200)])
def test_a_lost_cursor_is_met_as_chosen(box, client, policy, status):
    """The documents do not say what happens to a cursor whose row is gone."""
    box.lost_cursor = policy
    page = listed(client, limit="5")
    box.delete(page["nextCursor"], hard=True)
    reply = client.get("/v1/customers", params={"limit": "5", "startAfter": page["nextCursor"]})
    assert reply.status_code == status
    if status == 200:
        assert [row["customerId"] for row in reply.json()["customers"]] == ([] if policy == "empty" else box.ids[:5])


def test_a_soft_deleted_customer_is_inactive_and_may_be_hidden(box, client):
    """Two documents disagree on whether the default list shows it; get shows it in any case."""
    gone = box.ids[0]
    assert client.delete(f"/v1/customers/{gone}").json()["success"] is True
    assert client.get(f"/v1/customers/{gone}").json()["status"] == "inactive"
    assert gone in [row["customerId"] for row in listed(client)["customers"]]
    box.hide_inactive = True
    assert {row["status"] for row in walk(client)} == {"active"}
    assert gone in [row["customerId"] for row in walk(client, status="inactive")]


def test_put_changes_what_is_sent_under_the_read_names(box, client):
    """The answer wraps the customer; billingAddress is read back as lastBillingAddress."""
    address = {"contactName": "A", "streetAddress": "B 1", "city": "C", "country": "NL"}
    before = client.get(f"/v1/customers/{box.ids[3]}").json()
    reply = client.put(
        f"/v1/customers/{box.ids[3]}", json={"lastName": "Neu", "billingAddress": address, "nonsense": 1}
    )
    assert set(reply.json()) == {"success", "message", "customerId", "customer"}
    after = client.get(f"/v1/customers/{box.ids[3]}").json()
    assert (after["lastName"], after["lastBillingAddress"]) == ("Neu", address)
    assert after["firstName"] == before["firstName"]
    assert "nonsense" not in after
    assert client.put("/v1/customers/nobody", json={}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"firstName":""}',
        b'{"customerId":""}',
        b'{"status":"gone"}',
        b'{"email":1}',
        b'{"billingAddress":"Street 1"}',
        b'{"billingAddress":{"contactName":"A","streetAddress":"B","city":"C"}}',
        b'{"shippingAddress":{"contactName":"A","streetAddress":"B","city":"C","country":"NL","company":null}}',
    ],
)
def test_put_refuses_what_the_schema_refuses(box, client, body):
    """400 and nothing changed."""
    before = box.rows
    assert client.put(f"/v1/customers/{box.ids[0]}", content=body).status_code == 400
    assert box.rows == before


def test_a_customer_with_subscriptions_can_be_kept_from_being_deleted(box, client):
    """The documents name the code, and no status."""
    busy = next(row["customerId"] for row in box.rows if row["rentalIds"])
    box.refuse_busy = True
    reply = client.delete(f"/v1/customers/{busy}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS")
    assert client.get(f"/v1/customers/{busy}").json()["status"] == "active"


def test_money_keeps_its_literal_digits(box, client):
    """1234.10 is written 1234.10 and not as a float would print."""
    made = box.insert(totalMonthlyRevenue=Decimal("1234.10"))[0]
    assert b'"totalMonthlyRevenue":1234.10,' in client.get(f"/v1/customers/{made}").content
    assert b":1234.10" in client.get("/v1/customers?limit=1").content


REQUIRED = {
    "customerId": str,
    "tenantId": str,
    "email": str,
    "firstName": str,
    "lastName": str,
    "customerType": str,
    "totalOrders": (int, float),
    "totalDevicesRented": (int, float),
    "totalMonthlyRevenue": (int, float),
    "status": str,
    "orderIds": list,
    "rentalIds": list,
    "createdBy": str,
}
OPTIONAL = {"company": str, "phone": str, "customFields": dict, "lastBillingAddress": dict}


def test_odd_rows_still_keep_the_schema(client):
    """Every row satisfies seed 000: required keys, types, enums, addresses with their four fields."""
    for row in walk(client):
        assert all(isinstance(row[name], kind) for name, kind in REQUIRED.items()), row
        assert all(isinstance(row.get(name, kind()), kind) for name, kind in OPTIONAL.items()), row
        assert row["status"] in {"active", "inactive"}
        assert row["customerType"] in {"individual", "business"}
        for address in (row.get("lastBillingAddress"), row.get("lastShippingAddress")):
            assert address is None or {"contactName", "streetAddress", "city", "country"} <= set(address)


def test_moments_come_in_every_spelling(client):
    """Text, seconds, milliseconds, two kinds of objects, null, nothing, an empty object."""
    rows = walk(client)
    kinds = {type(row.get("createdAt", ...)).__name__ for row in rows}
    assert kinds == {"str", "int", "dict", "NoneType", "ellipsis"}
    objects = {tuple(row["createdAt"]) for row in rows if isinstance(row.get("createdAt"), dict)}
    assert objects == {("_seconds", "_nanoseconds"), ("seconds", "nanoseconds"), ()}


def test_strange_rows_break_the_schema_when_asked_to():
    """Unknown words, nulls and missing keys come with `strange` only."""
    with Sandbox(customers=120, strange=True) as strange:
        rows = strange.flexportal.rows
    assert {row["status"] for row in rows} == {"active", "inactive", "suspended"}
    assert any("createdBy" not in row for row in rows)
    assert any(row.get("customFields", 1) is None for row in rows)


def test_an_inserted_field_can_be_anything_or_missing(box, client):
    """The given fields win; MISSING leaves a key out."""
    made = box.insert(email=None, firstName=MISSING, extra={"a": [1]})[0]
    row = client.get(f"/v1/customers/{made}").json()
    assert (row["email"], row["extra"], "firstName" in row) == (None, {"a": [1]}, False)
