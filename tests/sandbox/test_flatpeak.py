"""The sandbox's Flatpeak behaves as seed 004 and its other documents say."""

from __future__ import annotations

import httpx
import pytest

from unified_customers.sandbox import Sandbox


@pytest.fixture
def sandbox():
    with Sandbox(customers=75) as box:
        yield box


@pytest.fixture
def box(sandbox):
    return sandbox.flatpeak


@pytest.fixture
def client(box):
    with httpx.Client(base_url=box.base_url) as client:
        client.headers["authorization"] = f"Bearer {box.issue_token()}"
        yield client


def ids(reply):
    assert reply.status_code == 200, reply.text
    return [row["id"] for row in reply.json()["data"]]


def test_signing_in_gives_a_token_that_ends_by_the_sandboxs_clock(sandbox, box):
    """An hour, of which nothing passes unless the clock is moved."""
    with httpx.Client(base_url=box.base_url) as client:
        login = client.get("/login", auth=(box.account_id, box.api_key))
        assert set(login.json()) == {"bearer_token", "expires_in", "live_mode"}
        assert login.json()["live_mode"] is False
        headers = {"authorization": f"Bearer {login.json()['bearer_token']}"}
        sandbox.clock.advance(3599)
        assert client.get("/customers", headers=headers).status_code == 200
        sandbox.clock.advance(1)
        refused = client.get("/customers", headers=headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == "access_denied"
    assert "message" not in refused.json()


@pytest.mark.parametrize("auth", [None, ("acc_x", "sk_x"), ("acc_65e421bed29d88d9012e0662", "sk_x")])
def test_bad_credentials_are_403_with_a_message_only(box, auth):
    """Never 401."""
    reply = httpx.get(box.base_url + "/login", auth=auth)
    assert (reply.status_code, reply.json()) == (403, {"message": "Bad credentials"})


def test_the_token_may_come_under_an_older_key(box):
    """As the public SDK and the newer words have it."""
    for key in ("token", "bearer"):
        box.token_key = key
        login = httpx.get(box.base_url + "/login", auth=(box.account_id, box.api_key)).json()
        assert key in login
        assert "bearer_token" not in login


def test_lists_come_newest_first_in_pages_of_30(box, client):
    """The documented default and envelope, and the version in a header."""
    reply = client.get("/customers")
    assert ids(reply) == box.ids[:30]
    assert reply.json()["has_more"] is True
    assert (reply.json()["object"], reply.json()["url"]) == ("list", "/customers")
    assert reply.headers["flatpeak-version"] == "2025-09-14.anode"


def test_forward_and_back_again_meet_the_same_pages(box, client):
    """Both directions are newest first within a page; has_more looks the way of travel."""
    first = client.get("/customers", params={"limit": 30})
    second = client.get("/customers", params={"limit": 30, "starting_after": ids(first)[-1]})
    third = client.get("/customers", params={"limit": 30, "starting_after": ids(second)[-1]})
    assert ids(first) + ids(second) + ids(third) == box.ids
    assert [page.json()["has_more"] for page in (first, second, third)] == [True, True, False]
    back = client.get("/customers", params={"limit": 30, "ending_before": ids(third)[0]})
    assert (ids(back), back.json()["has_more"]) == (ids(second), True)
    again = client.get("/customers", params={"limit": 30, "ending_before": ids(back)[0]})
    assert (ids(again), again.json()["has_more"]) == (ids(first), False)


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"limit": 0}, 400, "invalid_parameter"),
        ({"limit": 101}, 400, "invalid_parameter"),
        ({"limit": "x"}, 400, "invalid_parameter"),
        ({"starting_after": "cus_1", "ending_before": "cus_2"}, 400, "invalid_parameter"),
        ({"starting_after": "cus_gone"}, 404, "not_found"),
        ({"ending_before": "cus_gone"}, 404, "not_found"),
    ],
)
def test_bad_parameters_are_refused(client, params, status, code):
    """With the flat error object."""
    reply = client.get("/customers", params=params)
    assert (reply.status_code, reply.json()["code"], reply.json()["object"]) == (status, code, "error")


def test_a_cursor_is_lost_with_its_row(box, client):
    """Deleting the row that a client stands on leaves it without a place."""
    last = ids(client.get("/customers"))[-1]
    box.delete(last)
    assert client.get("/customers", params={"starting_after": last}).status_code == 404


def test_reference_ids_filter_and_need_not_be_unique(box, client):
    """Several customers may share one."""
    made = box.insert(2, reference_id="twin")
    assert ids(client.get("/customers", params={"reference_id": "twin"})) == made[::-1]
    assert ids(client.get("/customers", params={"reference_id": "nobody"})) == []


def test_create_update_delete(box, client):
    """201, 202 with the object, 202 with a message; then 404."""
    made = client.post("/customers", json={"reference_id": "mine"})
    assert made.status_code == 201
    path = f"/customers/{made.json()['id']}"
    assert client.get(path).json() == made.json()
    changed = client.patch(path, json={"reference_id": "yours"})
    assert (changed.status_code, changed.json()["reference_id"]) == (202, "yours")
    assert box.ids[0] == made.json()["id"]
    gone = client.delete(path)
    assert (gone.status_code, gone.json()) == (202, {"message": "Accepted"})
    assert client.get(path).status_code == 404
    assert client.post("/customers", json={"reference_id": 1}).status_code == 400


def test_rows_keep_the_schema_and_show_both_models(client):
    """Five required fields on all; some bare, some with the keys of the earlier model; ids of two lengths."""
    rows = client.get("/customers", params={"limit": 100}).json()["data"]
    for row in rows:
        assert isinstance(row["live_mode"], bool)
        assert all(isinstance(row[name], str) for name in ("id", "object", "time_created", "account_id"))
        assert isinstance(row.get("reference_id", ""), str)
        assert isinstance(row.get("locations", []), list)
    assert {len(row["id"]) for row in rows} == {4 + 24, 4 + 32}
    assert any("personal_details" in row for row in rows)
    assert any(set(row) == {"id", "object", "live_mode", "time_created", "account_id"} for row in rows)
    assert len({str(type(row["geo_location"])) for row in rows if "geo_location" in row}) == 2
