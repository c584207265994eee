"""The official `flexprice` SDK, with each of its models mapped to one class with the fields of our `Customer`.

Knows the SDK's public names. Has no list iterator to use, so the loop over offsets is written here; the mapping is as
plain as it can be, and keeps the SDK's model as `raw`, which costs nothing. Options: `base`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from flexprice import Flexprice
from talk import options, serve

SIZE = 1000
STATUS = {"published": "active"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The fields of ours."""

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    country_code: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The fields of ours; a frozen dataclass with slots takes as long to make as attrs' class."""

    provider: str
    id: str
    external_id: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    kind: str | None = None
    status: str | None = None
    raw_status: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    parent_id: str | None = None
    created_at: Any = None
    updated_at: Any = None
    metadata: Any = None
    metrics: Any = None
    account_id: str | None = None
    live: bool | None = None
    raw: Any = None


def customer_of(sent: Any) -> Customer:
    """The SDK's model as ours."""
    status = sent.status  # a plain text for the words that the SDK knows
    country = sent.address_country or None
    return Customer(
        provider="flexprice",
        id=sent.id,
        external_id=sent.external_id or None,
        name=sent.name or None,
        email=sent.email or None,
        phone=sent.contact or None,
        status=STATUS.get(status, status),
        raw_status=status,
        billing_address=Address(
            line1=sent.address_line1 or None,
            line2=sent.address_line2 or None,
            city=sent.address_city or None,
            state=sent.address_state or None,
            postal_code=sent.address_postal_code or None,
            country=country,
            country_code=country if country is not None and len(country) == 2 else None,
        ),
        created_at=sent.created_at,
        updated_at=sent.updated_at,
        metadata=sent.metadata,
        account_id=sent.tenant_id or None,
        raw=sent,
    )


def walk(client: Flexprice) -> dict[str, Any]:
    """One walk."""
    seen = offset = 0
    while True:
        page = client.customers.query_customer(limit=SIZE, offset=offset)
        for customer in map(customer_of, page.items):
            seen += customer.id is not None
        offset += SIZE
        if len(page.items) < SIZE:
            return {"customers": seen}


def main() -> None:
    """Open a client, and serve."""
    client = Flexprice(server_url=options()["base"] + "/v1", api_key_auth="key-of-the-benchmark")
    serve(lambda: walk(client))


main()
