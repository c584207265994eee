"""The sandbox's other Flexprice obeys the public list page (seed 003), not the real server."""

from __future__ import annotations

import re

import httpx
import pytest

from unified_customers.sandbox import Sandbox

ROOT = "/v1/customers"


@pytest.fixture
def box():
    with Sandbox(customers=120, flexprice="documents") as box:
        yield box.flexprice


@pytest.fixture
def client(box):
    with httpx.Client(base_url=box.base_url, headers={"authorization": f"Bearer {box.api_key}"}) as client:
        yield client


def listed(client, **params):
    reply = client.get(ROOT, params={"limit": 1000, **params})
    assert reply.status_code == 200, reply.text
    return reply.json()["items"]


def test_either_header_carries_the_key(box):
    """Bearer as the page shows it; x-api-key as the other documents do; neither is 401 in the old shape."""
    for headers in ({"authorization": f"Bearer {box.api_key}"}, {"x-api-key": box.api_key}):
        assert httpx.get(box.base_url + ROOT, headers=headers).status_code == 200
    refused = httpx.get(box.base_url + ROOT)
    assert refused.status_code == 401
    assert refused.json()["success"] is False
    assert set(refused.json()["error"]) == {"message", "internal_error"}


def test_the_offset_is_echoed(client):
    """The page's own sample: offset 0 for the first page."""
    page = client.get(ROOT, params={"limit": 10, "offset": 30}).json()
    assert page["pagination"]["offset"] == 30
    assert page["pagination"]["limit"] == 10


def test_offsets_walk_everybody_once(box, client):
    """All statuses, newest first, in a stable order."""
    pages = [listed(client, limit=25, offset=offset) for offset in range(0, 200, 25)]
    assert [row["id"] for page in pages for row in page] == box.ids
    assert {row["status"] for page in pages for row in page} == {"published", "archived"}


def test_rows_look_as_on_the_page(client):
    """Short ids, whole seconds, a parent, metadata never null, none of the newer fields."""
    rows = listed(client)
    for row in rows:
        assert re.fullmatch(r"cust_[a-z0-9]{12}", row["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created_at"])
        assert isinstance(row["metadata"], dict)
        assert not {"timezone", "contact", "created_by"} & set(row)
    assert any(row["parent_customer_id"] for row in rows)


def test_lists_of_ids_are_comma_separated(box, client):
    """Ids, external ids and parents."""
    three = box.ids[3:6]
    assert [row["id"] for row in listed(client, customer_ids=",".join(three))] == three
    external = [row["external_id"] for row in listed(client)[:2]]
    assert [row["external_id"] for row in listed(client, external_ids=",".join(external))] == external
    children = listed(client, parent_customer_ids="cust_abc123xyz789,cust_other")
    assert 0 < len(children) < len(box.ids)


@pytest.mark.parametrize("field", ["name", "email", "created_at"])
def test_sort_and_order_are_honoured(client, field):
    """By the documented parameters."""
    values = [row[field] for row in listed(client, sort=field, order="asc")]
    assert values == sorted(values)


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"order": "up"}, {"sort": "zzz"}])
def test_what_the_page_forbids_is_400(client, params):
    """Limits from 1 to 1000, and so on."""
    assert client.get(ROOT, params=params).status_code == 400


def test_there_is_no_search(client):
    """404 for the route that only the real server has."""
    assert client.post(f"{ROOT}/search", json={}).status_code == 404


def test_statuses_filter_and_one_customer_can_be_had(box, client):
    """Draft is a word here, too."""
    made = box.insert(status="draft")[0]
    assert [row["id"] for row in listed(client, status="draft")] == [made]
    assert client.get(f"{ROOT}/{made}").json()["status"] == "draft"
    assert client.get(f"{ROOT}/nobody").status_code == 404
    box.delete(made)
    assert client.get(f"{ROOT}/{made}").json()["status"] == "archived"
