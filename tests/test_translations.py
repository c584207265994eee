"""Each provider's JSON into the common model: every field, every spelling, odd words and nulls.

The rows are those of the providers' documents (seeds 000 to 004) and of a recorded real Flexprice server; the people
are made up.
"""

# ruff: noqa: E501 - rows as the providers send them

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest
from fakes import ONCE, Account, flatpeak, flexportal, flexprice, reply

import unified_customers as uc
from unified_customers.models import Address, Kind, Metrics, Status

PAGES = {
    "flexportal": (flexportal, lambda row: b'{"customers": [' + row + b'], "hasMore": false, "nextCursor": null}'),
    "flexprice": (flexprice, lambda row: b'{"items": [' + row + b'], "pagination": {"total": 1}}'),
    "flatpeak": (
        lambda: flatpeak(account_id=None, api_key=None, bearer_token="t"),
        lambda row: b'{"object": "list", "has_more": false, "data": [' + row + b"]}",
    ),
}
IDS = {"flexportal": "customerId", "flexprice": "id", "flatpeak": "id"}


def read(name: str, row: str | dict) -> uc.Customer:
    """The customer as listed, after making sure that `customer()` reads the same."""
    sent = (row if isinstance(row, str) else json.dumps(row)).encode()
    make, page = PAGES[name]
    (listed,) = Account(make(), lambda _: reply(200, page(sent)), ONCE).customers()
    got = Account(make(), lambda _: reply(200, sent), ONCE).customer(listed.id)
    assert got == listed
    assert json.loads(json.dumps(listed.raw, default=float)) == json.loads(sent)
    return listed


def fields(customer: uc.Customer) -> dict:
    """What is set, but for `raw`, `provider` and `id`."""
    values = attrs.asdict(customer, recurse=False)
    left_out = ("raw", "provider", "id")
    return {name: value for name, value in values.items() if value not in (None, {}) and name not in left_out}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


# FlexPortal: seeds 000 and 002

PORTAL_WHOLE = """{
  "customerId": "cust_abc123", "tenantId": "ten_1", "email": "john@example.com", "firstName": "John", "lastName": "Smith",
  "company": "Acme Corp", "phone": "+31612345678", "customerType": "business", "status": "active",
  "customFields": {"tier": "gold", "seats": 5}, "totalOrders": 3, "totalDevicesRented": 2.0, "totalMonthlyRevenue": 1234.10,
  "orderIds": ["ord_1"], "rentalIds": [],
  "lastBillingAddress": {"contactName": "John Smith", "streetAddress": "123 Main Street", "city": "Amsterdam",
    "postalCode": "1012 AB", "country": "Netherlands"},
  "lastShippingAddress": {"contactName": "John Smith", "company": "Acme Corp", "streetAddress": "456 Office Park",
    "buildingInfo": "Floor 3", "locality": "Noord", "city": "Rotterdam", "adminArea": "ZH", "postalCode": null, "country": "NL"},
  "createdAt": "2024-01-15T10:30:00Z", "updatedAt": {"_seconds": 1705314600, "_nanoseconds": 500000000}, "createdBy": "system",
  "profitability": {"lifetimeCollected": 4250.00, "totalAcquisitionCost": 3600.00, "costRecoveryPercent": 118.05,
    "averageMonthlyRevenue": 354.17, "totalDevicesEver": 3, "activeDevices": 2}
}"""


def test_flexportal_whole():
    """Every field of seeds 000 and 002; money to the last digit."""
    customer = read("flexportal", PORTAL_WHOLE)
    assert (customer.provider, customer.id) == ("flexportal", "cust_abc123")
    assert fields(customer) == {
        "name": "John Smith",
        "first_name": "John",
        "last_name": "Smith",
        "company": "Acme Corp",
        "email": "john@example.com",
        "phone": "+31612345678",
        "kind": Kind.BUSINESS,
        "status": Status.ACTIVE,
        "raw_status": "active",
        "billing_address": Address(
            name="John Smith",
            line1="123 Main Street",
            city="Amsterdam",
            postal_code="1012 AB",
            country="Netherlands",
            country_code="NL",
        ),
        "shipping_address": Address(
            name="John Smith",
            company="Acme Corp",
            line1="456 Office Park",
            line2="Floor 3, Noord",
            city="Rotterdam",
            state="ZH",
            country="NL",
            country_code="NL",
        ),
        "created_at": utc(2024, 1, 15, 10, 30),
        "updated_at": utc(2024, 1, 15, 10, 30, 0, 500_000),
        "metadata": {"tier": "gold", "seats": 5},
        "metrics": Metrics(
            orders=3,
            devices_rented=2,
            monthly_revenue=Decimal("1234.10"),
            lifetime_collected=Decimal("4250.00"),
            acquisition_cost=Decimal("3600.00"),
            cost_recovery_percent=Decimal("118.05"),
            average_monthly_revenue=Decimal("354.17"),
            devices_ever=3,
            devices_active=2,
        ),
        "account_id": "ten_1",
    }
    assert str(customer.metrics.monthly_revenue) == "1234.10"
    assert str(customer.metrics.lifetime_collected) == "4250.00"


BASE = {"customerId": "c"}


@pytest.mark.parametrize(
    ("sent", "want"),
    [
        ({}, {}),
        ({"email": "", "firstName": "", "company": "", "phone": "", "status": "", "customerType": ""}, {}),
        ({key: None for key in json.loads(PORTAL_WHOLE) if key != "customerId"}, {}),
        ({"firstName": "Ada"}, {"name": "Ada", "first_name": "Ada"}),
        ({"lastName": "L"}, {"name": "L", "last_name": "L"}),
        ({"status": "inactive"}, {"status": Status.INACTIVE, "raw_status": "inactive"}),
        ({"status": "paused"}, {"status": "paused", "raw_status": "paused"}),
        ({"status": "Active"}, {"status": "Active", "raw_status": "Active"}),
        ({"customerType": "individual"}, {"kind": Kind.INDIVIDUAL}),
        ({"customerType": "charity"}, {"kind": "charity"}),
        ({"createdAt": 1705314600}, {"created_at": utc(2024, 1, 15, 10, 30)}),
        ({"createdAt": 1705314600000}, {"created_at": utc(2024, 1, 15, 10, 30)}),
        ({"createdAt": 1705314600.5}, {"created_at": utc(2024, 1, 15, 10, 30, 0, 500_000)}),
        ({"createdAt": {"seconds": 1705314600, "nanoseconds": 1000}}, {"created_at": utc(2024, 1, 15, 10, 30, 0, 1)}),
        ({"createdAt": {}}, {}),
        ({"createdAt": "<unknown>"}, {}),
        ({"createdAt": []}, {}),
        ({"billingAddress": {"city": "Delft"}}, {"billing_address": Address(city="Delft")}),
        ({"shippingAddress": {"city": "Delft"}}, {"shipping_address": Address(city="Delft")}),
        (
            {"billingAddress": {"city": "Delft"}, "lastBillingAddress": {"city": "Gouda"}},
            {"billing_address": Address(city="Gouda")},
        ),
        ({"billingAddress": {"city": "Delft"}, "lastBillingAddress": None}, {"billing_address": Address(city="Delft")}),
        ({"lastBillingAddress": {}}, {}),
        ({"lastBillingAddress": {"country": "Middle Earth"}}, {"billing_address": Address(country="Middle Earth")}),
        ({"customFields": {}}, {}),
        ({"lifetimeCollected": 5}, {"metrics": Metrics(lifetime_collected=Decimal(5))}),
        (
            {"lifetimeCollected": 5, "profitability": {"lifetimeCollected": 6, "activeDevices": 1}},
            {"metrics": Metrics(lifetime_collected=Decimal(5), devices_active=1)},
        ),
        (
            {"customerMargin": "-1.50", "customerMarginPercent": 12.5, "subscriptionsTracked": 4},
            {"metrics": Metrics(margin=Decimal("-1.50"), margin_percent=Decimal("12.5"), subscriptions_tracked=4)},
        ),
        ({"profitability": {}}, {}),
        ({"totalOrders": 0}, {"metrics": Metrics(orders=0)}),
        ({"totalDevicesRented": 2.5}, {"metrics": Metrics(devices_rented=Decimal("2.5"))}),
        ({"vatNumber": "NL1", "nested": {"a": [1, None]}}, {}),
    ],
    ids=str,
)
def test_flexportal_in_part(sent, want):
    """Both spellings, missing and null keys, words and keys that nobody knows."""
    assert fields(read("flexportal", {**BASE, **sent})) == want


def test_flexportal_wrapped_in_data():
    """The older documents wrap one customer."""
    one = Account(flexportal(), lambda _: reply(200, {"data": {"customerId": "c", "email": "a@b.co"}}), ONCE).customer(
        "c"
    )
    assert (one.id, one.email) == ("c", "a@b.co")


def test_flexportal_numbers_for_ids():
    """A number is its digits."""
    assert Account(flexportal(), lambda _: reply(200, {"customerId": 17}), ONCE).customer("17").id == "17"


# Flexprice: seed 003 and the real server (real-flexprice/exchanges.jsonl, nos. 49, 50, 52)

SEED_003 = """{
  "id": "cust_abc123xyz789", "external_id": "user_12345", "name": "Acme Corporation", "email": "billing@acme.com",
  "address_line1": "123 Main Street", "address_line2": "", "address_city": "San Francisco", "address_state": "CA",
  "address_postal_code": "94105", "address_country": "US", "parent_customer_id": null, "metadata": {"plan_tier": "enterprise"},
  "environment_id": "env_prod_001", "tenant_id": "tenant_001", "status": "published",
  "created_at": "2024-01-15T10:30:00Z", "updated_at": "2024-01-15T10:30:00Z"
}"""
ZERO = "00000000-0000-0000-0000-000000000000"
REAL_49 = (
    r'{"id":"cust_01M7YPXPYB7G644AHZBP5Y0KJH","external_id":"ext-01","name":"Köln \u0026 Söhne \u003cGmbH\u003e",'
    r'"email":"info@example.de","address_line1":"Street 1","address_line2":"2nd floor","address_city":"Köln",'
    r'"address_state":"NW","address_postal_code":"50667","address_country":"DE","timezone":"UTC",'
    r'"metadata":{"plan":"pro","seat":"1"},"environment_id":"00000000-0000-0000-0000-000000000000",'
    r'"tenant_id":"00000000-0000-0000-0000-000000000000","status":"published","created_at":"2026-11-21T09:27:43.307099Z",'
    r'"updated_at":"2026-11-21T09:27:43.307099Z","created_by":"00000000-0000-0000-0000-000000000000",'
    r'"updated_by":"00000000-0000-0000-0000-000000000000"}'
)
REAL_50 = (
    r'{"id":"cust_01M7YPXPY6328SR8D6DRACWPJ0","external_id":"ext-00","name":"Ada Example","email":"ada@example.com",'
    r'"address_line1":"","address_line2":"","address_city":"","address_state":"","address_postal_code":"",'
    r'"address_country":"","timezone":"UTC","metadata":null,"tenant_id":"00000000-0000-0000-0000-000000000000",'
    r'"status":"published","created_at":"2026-11-21T09:27:43.302965Z","updated_at":"2026-11-21T09:27:43.302965Z"}'
)
REAL_52 = (
    r'{"id":"cust_01M7YPXPYHZFXXDWE4Q6RHVBXJ","external_id":"ext-03","name":"O' + "'" + r'Brien","email":"o' + "'"
    r'brien@example.com","contact":"+49 221 12345","address_country":"","timezone":"Asia/Kolkata","metadata":null,'
    r'"status":"published","created_at":"2026-11-21T09:27:43.313682Z","updated_at":"2026-11-21T09:27:43.313682Z"}'
)


@pytest.mark.parametrize(
    ("row", "want"),
    [
        (
            SEED_003,
            {
                "external_id": "user_12345",
                "name": "Acme Corporation",
                "email": "billing@acme.com",
                "status": Status.ACTIVE,
                "raw_status": "published",
                "billing_address": Address(
                    line1="123 Main Street",
                    city="San Francisco",
                    state="CA",
                    postal_code="94105",
                    country="US",
                    country_code="US",
                ),
                "created_at": utc(2024, 1, 15, 10, 30),
                "updated_at": utc(2024, 1, 15, 10, 30),
                "metadata": {"plan_tier": "enterprise"},
                "account_id": "tenant_001",
            },
        ),
        (
            REAL_49,
            {
                "external_id": "ext-01",
                "name": "Köln & Söhne <GmbH>",
                "email": "info@example.de",
                "status": Status.ACTIVE,
                "raw_status": "published",
                "billing_address": Address(
                    line1="Street 1",
                    line2="2nd floor",
                    city="Köln",
                    state="NW",
                    postal_code="50667",
                    country="DE",
                    country_code="DE",
                ),
                "created_at": utc(2026, 11, 21, 9, 27, 43, 307099),
                "updated_at": utc(2026, 11, 21, 9, 27, 43, 307099),
                "metadata": {"plan": "pro", "seat": "1"},
                "account_id": ZERO,
            },
        ),
        (
            REAL_50,
            {
                "external_id": "ext-00",
                "name": "Ada Example",
                "email": "ada@example.com",
                "status": Status.ACTIVE,
                "raw_status": "published",
                "created_at": utc(2026, 11, 21, 9, 27, 43, 302965),
                "updated_at": utc(2026, 11, 21, 9, 27, 43, 302965),
                "account_id": ZERO,
            },
        ),
        (
            REAL_52,
            {
                "external_id": "ext-03",
                "name": "O'Brien",
                "email": "o'brien@example.com",
                "phone": "+49 221 12345",
                "status": Status.ACTIVE,
                "raw_status": "published",
                "created_at": utc(2026, 11, 21, 9, 27, 43, 313682),
                "updated_at": utc(2026, 11, 21, 9, 27, 43, 313682),
            },
        ),
    ],
    ids=["seed 003", "real 49", "real 50", "real 52"],
)
def test_flexprice_rows(row, want):
    """The documents' row and the real server's, whole."""
    assert fields(read("flexprice", row)) == want


@pytest.mark.parametrize(
    ("sent", "want"),
    [
        ({}, {}),
        ({"status": "archived"}, {"status": Status.ARCHIVED, "raw_status": "archived"}),
        ({"status": "deleted"}, {"status": Status.DELETED, "raw_status": "deleted"}),
        ({"status": "draft"}, {"status": Status.DRAFT, "raw_status": "draft"}),
        ({"status": "frozen"}, {"status": "frozen", "raw_status": "frozen"}),
        ({"status": ""}, {}),
        ({"parent_customer_id": "p"}, {"parent_id": "p"}),
        ({"parent_customer_id": ""}, {}),
        ({"metadata": {}}, {}),
        ({"metadata": {"k": None}}, {"metadata": {"k": None}}),
        ({"created_at": "2024-01-15T16:00:00.123456789+05:30"}, {"created_at": utc(2024, 1, 15, 10, 30, 0, 123456)}),
        ({"contact": None, "external_id": None, "name": None, "email": None}, {}),
        ({"billing_currency": "EUR", "contact_persons": [{}], "tax_treatment": None}, {}),
        ({"address_country": "ZZ"}, {"billing_address": Address(country="ZZ")}),
    ],
    ids=str,
)
def test_flexprice_in_part(sent, want):
    """Empty means unset, unknown is kept, and newer servers' keys do no harm."""
    assert fields(read("flexprice", {"id": "cust_1", **sent})) == want


# Flatpeak: seed 004, the schema's seven fields and the list example of an earlier model

LEGACY = """{
  "live_mode": true, "object": "customer", "id": "cus_a83ec6da1e0d4917b9e9abf58d60574e",
  "account_id": "acc_c85e9f90aa18454487b50d3c1785ed4e", "reference_id": "ABC1234567890", "time_created": "2021-05-05T05:37:27Z",
  "personal_details": {"email": "user@example.com", "email_verified": true, "phone": "440123456789", "phone_verified": true,
    "preferred_locale": "EN", "timezone": "Etc/UTC"},
  "postal_address": {"address_line1": "123", "address_line2": "Infinite Drive", "city": "London", "state": "Greater London",
    "post_code": "SE110AA", "country_code": "GB"},
  "geo_location": {"latitude": "-77.52907766250239", "longitude": "167.1522246611749"},
  "legal": {"terms_accepted": true, "timestamp": "2021-05-05T05:37:27Z", "ip": "8.8.8.8"},
  "providers": ["prv_37ef12d765d0403e8745c29b29826d69"], "locations": ["loc_5de9bad5d97b49a1b7382f2c0cec9799"],
  "devices": ["dev_021ff68976894b73b62ec1d71cd6bb7b"]
}"""


@pytest.mark.parametrize(
    ("row", "want"),
    [
        (
            LEGACY,
            {
                "external_id": "ABC1234567890",
                "email": "user@example.com",
                "phone": "440123456789",
                "billing_address": Address(
                    line1="123",
                    line2="Infinite Drive",
                    city="London",
                    state="Greater London",
                    postal_code="SE110AA",
                    country="GB",
                    country_code="GB",
                ),
                "created_at": utc(2021, 5, 5, 5, 37, 27),
                "account_id": "acc_c85e9f90aa18454487b50d3c1785ed4e",
                "live": True,
            },
        ),
        (
            {
                "object": "customer",
                "id": "cus_65e421d1daa4a24082b4f590",
                "live_mode": False,
                "time_created": "2021-05-05T05:37:27Z",
                "account_id": "acc_1",
                "reference_id": "CUS1234567890",
            },
            {
                "external_id": "CUS1234567890",
                "created_at": utc(2021, 5, 5, 5, 37, 27),
                "account_id": "acc_1",
                "live": False,
            },
        ),
        ({"id": "c"}, {}),
        ({"id": "c", "reference_id": "", "account_id": None, "live_mode": None, "time_created": None}, {}),
        ({"id": "c", "time_created": 1530291411}, {"created_at": utc(2018, 6, 29, 16, 56, 51)}),
        ({"id": "c", "time_created": "2022-01-24T14:15:22.003"}, {"created_at": utc(2022, 1, 24, 14, 15, 22, 3000)}),
        ({"id": "c", "postal_address": {"state": ""}, "personal_details": {}}, {}),
        ({"id": "c", "postal_address": None, "personal_details": None, "geo_location": [1, 2], "is_deleted": True}, {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_flatpeak_rows(row, want):
    """The schema's seven fields, and what older releases had."""
    assert fields(read("flatpeak", row)) == want
