"""Conversations recorded from the sandbox, played to both clients; what is expected is worked out from its rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cassette_steps import RUNNERS
from cassette_tape import load, no_sockets, replaying
from from_sandbox import (
    CONVERSATIONS,
    OTHER_TENANT,
    path_of,
    provider_of,
    replayed_account,
    setup_of,
)

import unified_customers as uc
from unified_customers.sandbox import Sandbox

BY_NAME = {conversation.name: conversation for conversation in CONVERSATIONS}
EVERYBODY = [
    "flexportal/list_three_pages",
    "flexportal/list_page_that_just_fits",
    "flexportal/list_empty",
    "flexportal/throttled_then_served",
    "flatpeak/sign_in_and_list_three_pages",
    "flatpeak/list_empty",
    "flatpeak/token_refused_once",
    "flatpeak/throttled_then_served",
    "flexprice/documents_offset_walk",
    "flexprice/sandbox_keyset_walk",
    "flexprice/sandbox_throttled_then_served",
]
REFUSED = {
    "flexportal/key_refused": (uc.AuthenticationError, 401, "INVALID_TOKEN", "check api_key (FLEXPORTAL_API_KEY)"),
    "flexportal/tenant_denied": (uc.PermissionDeniedError, 403, "NO_TENANT_ACCESS", "FLEXPORTAL_TENANT_ID"),
    "flexportal/get_unknown_id": (uc.NotFoundError, 404, "NOT_FOUND", "Customer not found"),
    "flatpeak/credentials_refused": (uc.AuthenticationError, 403, None, "Bad credentials"),
    "flatpeak/get_unknown_id": (uc.NotFoundError, 404, "not_found", "not_found"),
    "flexprice/documents_key_refused": (uc.AuthenticationError, 401, None, "check api_key (FLEXPRICE_API_KEY)"),
    "flexprice/documents_get_unknown_id": (uc.NotFoundError, 404, None, "Customer not found"),
}


@pytest.fixture(params=RUNNERS, ids=str)
def play(request, monkeypatch):
    """Plays a cassette to one of the clients with recording off and sockets blocked; all of it must be asked for."""

    def played(name):
        conversation = BY_NAME[name]
        with no_sockets(monkeypatch), replaying(path_of(conversation)) as cassette:
            told = RUNNERS[request.param](conversation, replayed_account(conversation))
        assert cassette.all_played
        return told

    return played


def rows(name):
    """What the sandbox held during a conversation, in its provider's spelling, in the order of its list."""
    setup, provider = setup_of(BY_NAME[name]), provider_of(BY_NAME[name])
    box = Sandbox(setup.customers, flexprice=setup.flavour)  # not started: nothing listens
    oldest_first = getattr(box, provider).rows
    return oldest_first if provider == "flexprice" else oldest_first[::-1]


def ids(found):
    return [row.id if isinstance(row, uc.Customer) else row.get("customerId") or row["id"] for row in found]


def asked(name):
    return [(request.method, request.path, dict(request.query)) for request in load(path_of(BY_NAME[name]))[0]]


def test_there_is_a_test_for_every_conversation():
    """Every conversation that is recorded is asserted by one of these tests."""
    alone = {"filters", "sorted_by_revenue", "get_with_profitability", "two_tenants", "list_backwards", "get"}
    alone |= {"by_reference_id", "documents_comma_ids", "documents_check"}
    rest = set(BY_NAME) - set(EVERYBODY) - set(REFUSED)
    assert {name.partition("/")[2] for name in rest} == alone


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_customer_of_the_sandbox_arrives_once_in_the_provider_order(play, name):
    """Every customer that the sandbox held arrives once, in the order of the provider's list."""
    assert ids(play(name).results[0]) == ids(rows(name))


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_the_error_that_says_what_to_do(play, name):
    """A refusal becomes the error that its status means, and says what to do about it."""
    (error,) = play(name).results
    kind, status, code, says = REFUSED[name]
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert says in str(error)
    assert "made-up" not in str(error)


def test_flexportal_pages_are_asked_for_by_the_cursor_that_came(play):
    """FlexPortal's next page is asked for with the cursor of the one before, and only while there is more."""
    told, everybody = play("flexportal/list_three_pages"), ids(rows("flexportal/list_three_pages"))
    cursors = [query.get("startAfter") for _, _, query in asked("flexportal/list_three_pages")]
    assert cursors == [None, everybody[2], everybody[5]]
    assert told.listings[0].report.pages == 3


def test_flexportal_filters_give_those_who_match(play):
    """FlexPortal's filters, its own parameter among them, give exactly the customers that match."""
    everybody = rows("flexportal/filters")
    tests = [
        lambda row: row["status"] == "active",
        lambda row: row["status"] == "inactive",
        lambda row: row["customerType"] == "business",
        lambda row: row["email"] == "customer+3@example.net",
        lambda row: not row["totalDevicesRented"],
        lambda row: row["customerType"] == "individual" and row["totalDevicesRented"],
    ]
    expected = [ids(filter(test, everybody)) for test in tests]
    assert [ids(found) for found in play("flexportal/filters").results] == expected
    assert [len(found) for found in expected] == [12, 0, 4, 1, 3, 6]


def test_flexportal_sorts_by_revenue(play):
    """FlexPortal's order by revenue arrives as it is sent, over two pages."""
    (found,) = play("flexportal/sorted_by_revenue").results
    revenue = [customer.metrics.monthly_revenue for customer in found]
    assert revenue == sorted(revenue, reverse=True)
    assert sorted(ids(found)) == sorted(ids(rows("flexportal/sorted_by_revenue")))


def test_flexportal_one_customer_brings_profitability(play):
    """A FlexPortal customer read alone has figures of profitability, exact to the cent, that the list left out."""
    listed, *alone = play("flexportal/get_with_profitability").results
    assert ids(alone) == ids(listed)
    for customer in alone:
        sent = customer.raw["profitability"]
        assert isinstance(customer.metrics.lifetime_collected, Decimal)
        assert str(customer.metrics.lifetime_collected) == str(sent["lifetimeCollected"])
        assert customer.metrics.devices_ever == sent["totalDevicesEver"]
        assert customer.metrics.average_monthly_revenue == sent["averageMonthlyRevenue"]


def test_flexportal_times_are_read_in_each_spelling(play):
    """FlexPortal's times are read as text, epoch seconds, milliseconds and both spellings of Firestore."""
    found = {c.id: c.created_at for c in play("flexportal/filters").results[0]}
    sent = {row["customerId"]: row.get("createdAt") for row in rows("flexportal/filters")}
    kinds = {type(value).__name__ for value in sent.values()}
    assert {"str", "int", "dict", "NoneType"} <= kinds
    for customer_id, value in sent.items():
        if not value:  # null, {} or left out
            assert found[customer_id] is None
        elif isinstance(value, int):
            assert found[customer_id] == datetime.fromtimestamp(value / (1000 if value > 10**11 else 1), UTC)
        elif isinstance(value, dict):
            seconds = value.get("_seconds", value.get("seconds"))
            assert int(found[customer_id].timestamp()) == seconds


def test_two_tenants_at_one_address_get_their_own_customers(play, monkeypatch):
    """Two tenants with one URL get each their own customers, and a third gets no answer at all."""
    first, second = play("flexportal/two_tenants").results
    assert {customer.account_id for customer in first} == {"bu_sandbox"}
    assert [(customer.account_id, customer.email) for customer in second] == [(OTHER_TENANT, "other@example.org")]
    (one, other) = asked("flexportal/two_tenants")
    assert one == other
    conversation = BY_NAME["flexportal/two_tenants"]
    third = replayed_account(conversation)(tenant_id="bu_third")
    with (
        no_sockets(monkeypatch),
        replaying(path_of(conversation)),
        uc.Client(third, retry=uc.Retry(attempts=1)) as client,
        pytest.raises(uc.ConnectionFailedError),
    ):
        list(client.customers())


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("flexportal/throttled_then_served", [1.0]),
        ("flatpeak/throttled_then_served", [3.0, 3.0]),
        ("flexprice/sandbox_throttled_then_served", [1.0]),
    ],
)
def test_a_throttled_request_waits_as_long_as_it_was_told(play, name, waits):
    """A request that was throttled is sent again after the seconds that the provider asked for."""
    told = play(name)
    assert told.waits == waits
    assert told.events.count("retry") == len(waits)
    assert told.listings[0].report.retries == len(waits)


def test_flatpeak_signs_in_once_for_a_whole_walk(play):
    """Flatpeak is signed in to once, before the first page."""
    told = play("flatpeak/sign_in_and_list_three_pages").events
    assert told == ["begin", "sign-in", "request", *["request", "page"] * 3, "end"]
    paths = [path for _, path, _ in asked("flatpeak/sign_in_and_list_three_pages")]
    assert paths == ["/login", *["/customers"] * 3]


def test_flatpeak_signs_in_again_when_a_token_dies_in_mid_walk(play):
    """A token that is refused in mid-walk is replaced, and the same page is asked for again."""
    assert play("flatpeak/token_refused_once").events.count("sign-in") == 2
    requests, answers = load(path_of(BY_NAME["flatpeak/token_refused_once"]))
    codes = [answer["status"]["code"] for answer in answers]
    assert codes == [200, 200, 200, 403, 200, 200]
    assert requests[3].uri == requests[5].uri


def test_flatpeak_is_walked_backwards_from_a_customer(play):
    """A walk backwards from the oldest gives everybody else, nearest first."""
    forward, backward = play("flatpeak/list_backwards").results
    assert ids(forward) == ids(rows("flatpeak/list_backwards"))
    assert ids(backward) == ids(forward)[-2::-1]
    assert any("ending_before" in query for _, _, query in asked("flatpeak/list_backwards"))


def test_flatpeak_fields_land_where_the_contract_says(play):
    """A Flatpeak customer has reference, account, mode and time, and is the same read alone."""
    listed, *alone = play("flatpeak/get").results
    assert alone == listed
    for customer, row in zip(alone, rows("flatpeak/get"), strict=False):
        assert customer.external_id == row.get("reference_id")
        assert customer.account_id == row["account_id"]
        assert customer.live is False
        assert customer.created_at == datetime.fromisoformat(row["time_created"])
        assert customer.email == row.get("personal_details", {}).get("email")


def test_flatpeak_finds_customers_by_reference(play):
    """Flatpeak finds a customer by your reference, in a list and alone, and says when there is none."""
    several, one, nobody, missing = play("flatpeak/by_reference_id").results
    assert [customer.external_id for customer in several] == ["CUS0000000003"]
    assert one == several[0]
    assert nobody == []
    assert type(missing) is uc.NotFoundError


def test_a_server_of_the_documents_is_read_on_by_offset(play):
    """A Flexprice without a search is read on by overlapping offsets, and the report says so."""
    told = play("flexprice/documents_offset_walk")
    assert told.listings[0].report.scan == "offset"
    assert [path for _, path, _ in asked("flexprice/documents_offset_walk")].count("/v1/customers/search") == 1


def test_a_server_like_the_real_one_is_read_on_by_keyset(play):
    """A Flexprice with a search is read on by keyset, and the report says so."""
    assert play("flexprice/sandbox_keyset_walk").listings[0].report.scan == "keyset"
    paths = [path for _, path, _ in asked("flexprice/sandbox_keyset_walk")]
    assert paths == ["/v1/customers", "/v1/customers/search", "/v1/customers/search"]


def test_a_server_that_wants_commas_gets_commas(play):
    """Ids that repeated keys don't find are asked for with commas, and each customer comes once."""
    first, by_id, by_external_id = play("flexprice/documents_comma_ids").results
    assert ids(by_id) == ids(first)[1:]
    assert ids(by_external_id) == ids(first)[:2]
    asked_for = [query.get("customer_ids", "") for _, _, query in asked("flexprice/documents_comma_ids")]
    assert ",".join(ids(first)[1:]) in asked_for


def test_check_says_what_it_found(play):
    """`check()` tells account, total and how a long list would be read."""
    (found,) = play("flexprice/documents_check").results
    assert (found.provider, found.reachable, found.total, found.items, found.scan) == (
        "flexprice",
        True,
        2,
        2,
        "offset",
    )
