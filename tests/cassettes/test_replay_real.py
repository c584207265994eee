"""The recorded conversations with a real Flexprice server, played to both clients."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import chain

import pytest
from cassette_steps import RUNNERS
from cassette_tape import no_sockets, replaying
from from_real import CONVERSATIONS, KEY, account, path_of, recorded

import unified_customers as uc

BY_NAME = {conversation.name.partition("/")[2]: conversation for conversation in CONVERSATIONS}

# Error class, status, code and a piece of the message, where the recorded server refused.
REFUSED = {
    "key_as_bearer_alone": [(uc.AuthenticationError, 401, None, "401 Invalid token")],
    "wrong_x_api_key": [(uc.AuthenticationError, 401, None, "401 Unauthorized")],
    "wrong_key_in_both_headers": [(uc.AuthenticationError, 401, None, "401 Invalid token")],
    "get_unknown_id": [(uc.NotFoundError, 404, "not_found", "was not found")],
    "get_unknown_external_id": [(uc.NotFoundError, 404, "not_found", "was not found")],
    "get_archived": [None, (uc.NotFoundError, 404, "not_found", "was not found")],
    "filter_email_refused": [(uc.InvalidRequestError, 400, "validation_error", "Please provide a valid email")],
    "filter_parent_ignored": [(uc.FilterIgnoredError, None, None, "ignored the filter parent_ids")],
    "params_expand_refused": [(uc.InvalidRequestError, 400, "validation_error", "not allowed to be expanded")],
}


@pytest.fixture(params=RUNNERS, ids=str)
def play(request, monkeypatch):
    """Plays a cassette to one of the clients with recording off and sockets blocked; all of it must be asked for."""

    def played(name, provider=account):
        conversation = BY_NAME[name]
        with no_sockets(monkeypatch), replaying(path_of(conversation)) as cassette:
            told = RUNNERS[request.param](conversation, provider)
        assert cassette.all_played
        assert cassette.play_count == len(conversation.exchanges)
        return told

    return played


def recorded_rows(name):
    """For each step, the rows that the server sent: a list for a list, a row for a customer."""
    conversation = BY_NAME[name]
    bodies = [json.loads(recorded()[number]["response"]["body"]) for number in conversation.exchanges]
    rows = [body.get("items", body) for body in bodies]
    return rows if len(rows) == len(conversation.steps) else [list(chain.from_iterable(rows))]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_row_of_the_real_server_arrives_once_in_its_order_and_whole(play, name):
    """Every row that the real server sent arrives once, in its order, with everything it held."""
    results = play(name).results
    refused = REFUSED.get(name, [None] * len(results))
    for result, rows, error in zip(results, recorded_rows(name), refused, strict=True):
        if error is not None:
            continue
        found = result if isinstance(rows, list) else [result]
        sent = rows if isinstance(rows, list) else [rows]
        assert [customer.id for customer in found] == [row["id"] for row in sent]
        assert [json.loads(json.dumps(uc.to_dict(customer)["raw"])) for customer in found] == sent


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_of_the_real_server_is_the_error_that_says_what_it_was(play, name):
    """A refusal of the real server becomes the error that its status means, with its own words and code."""
    for result, error in zip(play(name).results, REFUSED[name], strict=True):
        if error is None:
            continue
        kind, status, code, says = error
        assert type(result) is kind
        assert (result.status, result.code) == (status, code)
        assert says in str(result)
        assert result.provider == "flexprice"
        assert KEY not in str(result)


def test_the_error_carries_the_request_id_that_the_server_gave(play):
    """An error carries the request id under which the provider can find it."""
    (error,) = play("get_unknown_id").results
    assert error.request_id == recorded()[51]["response"]["headers"]["x-request-id"]
    assert "cust_0000" not in str(error)


def test_fields_of_a_real_customer_land_where_the_contract_says(play):
    """The fields of a real customer land where the contract says, and an empty text is no value."""
    full, plain = play("get_by_id").results
    assert (full.external_id, full.name, full.email, full.kind) == (
        "ext-01",
        "Köln & Söhne <GmbH>",
        "info@example.de",
        None,
    )
    assert (full.status, full.raw_status, full.live) == (uc.Status.ACTIVE, "published", None)
    assert dict(full.metadata) == {"plan": "pro", "seat": "1"}
    address = full.billing_address
    assert (address.line1, address.line2, address.city) == ("Street 1", "2nd floor", "Köln")
    assert (address.state, address.postal_code, address.country_code) == ("NW", "50667", "DE")
    assert full.created_at == datetime.fromisoformat(full.raw["created_at"])
    assert full.created_at.tzinfo is UTC
    assert plain.billing_address is None
    assert plain.raw["address_city"] == ""
    assert dict(plain.metadata) == {}
    assert plain.created_at == datetime(2026, 11, 21, 9, 27, 43, 302965, tzinfo=UTC)


def test_a_customer_by_its_external_id_has_its_contact_as_phone(play):
    """A customer read by its external id has the provider's contact as phone."""
    (customer,) = play("get_by_external_id").results
    assert (customer.external_id, customer.phone, customer.name) == ("ext-03", "+49 221 12345", "O'Brien")


def test_reading_back_after_each_update_shows_what_the_update_changed(play):
    """Reading a customer after each update shows the new name, metadata, external id, contact and city."""
    found = play("get_after_updates").results
    second = [customer for customer in found if customer.id.endswith("KJH")]
    assert [c.name for c in second] == ["New name"] * 5
    renamed = {"old_external_ids": "ext-01b"}  # the server's own note; it names the new id
    assert [dict(c.metadata) for c in second] == [{"plan": "pro", "seat": "1"}, {"only": "this"}, {}, renamed, renamed]
    assert [c.external_id for c in second] == ["ext-01"] * 3 + ["ext-01b"] * 2
    assert found[8].billing_address.city is None
    assert found[7].phone is None


def test_an_archived_customer_is_found_by_id_and_not_by_external_id(play):
    """An archived customer is found by its id, says so, and is gone under its external id."""
    by_id, by_external_id = play("get_archived").results
    assert (by_id.status, by_id.raw_status, by_id.external_id) == (uc.Status.ARCHIVED, "archived", "ext-06")
    assert isinstance(by_external_id, uc.NotFoundError)


def test_the_whole_list_is_read_in_one_page_and_the_report_says_so(play):
    """A list shorter than a page takes one request, and its total is the server's."""
    told = play("list_oldest_first_1000")
    (customers,), report = told.results, told.listings[0].report
    assert len(customers) == 27
    assert (report.requests, report.retries, report.total, report.scan) == (1, 0, 27, "offset")


def test_a_walk_over_one_moment_misses_nobody_while_rows_of_it_are_archived(play):
    """240 customers of one moment come once each, though three of them are archived between the pages."""
    told = play("walk_keyset_while_rows_are_archived")
    (customers,), report = told.results, told.listings[0].report
    assert len({customer.id for customer in customers}) == len(customers) == 240
    assert {customer.created_at for customer in customers} == {datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)}
    assert (report.requests, report.pages, report.scan, report.duplicates) == (5, 5, "keyset", 0)


def test_max_items_ends_a_walk_without_asking_for_the_next_page(play):
    """Customers beyond `max_items` are not asked for, and the checkpoint says where they are."""
    told = play("list_ten_oldest")
    assert len(told.results[0]) == 10
    assert told.listings[0].report.requests == 1
    assert told.listings[0].checkpoint


def test_an_id_with_a_comma_is_one_id_that_nobody_has(play):
    """An id with a comma is one id, and the real server has nobody of that id."""
    assert play("filter_id_with_a_comma").results == [[]]


def test_a_replayed_conversation_needs_the_same_query(monkeypatch):
    """A request that was not recorded gets no answer, and no connection either."""
    conversation = BY_NAME["list_three_oldest"]
    with no_sockets(monkeypatch), replaying(path_of(conversation)) as cassette:
        with (
            uc.Client(account(), retry=uc.Retry(attempts=1)) as client,
            pytest.raises(uc.ConnectionFailedError, match="CannotOverwriteExistingCassette"),
        ):
            list(client.customers(page_size=4, max_items=3))
        assert not cassette.all_played


def test_a_replayed_search_needs_the_same_body(monkeypatch):
    """A search with another body than the recorded one gets no answer."""
    conversation = BY_NAME["search_first_page_by_name"]
    with (
        no_sockets(monkeypatch),
        replaying(path_of(conversation)),
        uc.Client(account(), retry=uc.Retry(attempts=1)) as client,
        pytest.raises(uc.ConnectionFailedError),
    ):
        list(client.customers(sort="name", order="desc", page_size=3, max_items=3))
