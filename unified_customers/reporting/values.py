"""What a report is made of: frozen values.

Knows numbers and words; must not know where they come from, or how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import attrs


@attrs.frozen(kw_only=True)
class Count:
    """How many customers have a value.

    Attributes:
        value: The value; `None` for those that have none.
        customers: How many they are.
    """

    value: str | None
    customers: int


@attrs.frozen(kw_only=True)
class Breakdown:
    """Customers by one field, the most frequent value first.

    Attributes:
        counts: A value each.
        other: Customers whose value is not in `counts`, because there were too many different ones.
    """

    counts: tuple[Count, ...] = ()
    other: int = 0

    def __iter__(self) -> Iterator[Count]:
        return iter(self.counts)

    def get(self, value: str | None) -> int:
        """How many customers have that value."""
        return next((one.customers for one in self.counts if one.value == value), 0)


@attrs.frozen(kw_only=True)
class Month:
    """Customers that were created in a month, in UTC.

    Attributes:
        month: Such as ``"2026-02"``.
        customers: All of them.
        by_provider: The same by provider.
    """

    month: str
    customers: int
    by_provider: Mapping[str, int]


@attrs.frozen(kw_only=True)
class TopCustomer:
    """One of the customers with the most revenue a month.

    Attributes:
        name: The name, else the company, else `None`; a very long one is cut.
        revenue: A month, in major units of the account's currency.
    """

    account: str
    id: str
    name: str | None
    revenue: Decimal


@attrs.frozen(kw_only=True)
class CountryRevenue:
    """Revenue a month of the customers of one country.

    Attributes:
        country: ISO 3166-1 alpha-2; `None` for customers without a certain one.
    """

    country: str | None
    revenue: Decimal
    customers: int


@attrs.frozen(kw_only=True)
class Revenue:
    """Monthly revenue in one currency: of one account, or of accounts that are known to share it.

    Attributes:
        accounts: Whose.
        currency: As the caller said, or `None` where nobody did: the providers don't send it.
        total: The sum, exact.
        customers: Customers with a figure.
        paying: Those with a figure above nought.
        negative: Those with a figure below nought; they are in the sum.
        unreadable: Figures left out of the sum, because no amount of money looks so (1e999, for instance).
        top: The ten with the most.
        by_country: The highest first.
    """

    accounts: tuple[str, ...]
    currency: str | None
    total: Decimal
    customers: int
    paying: int
    negative: int
    unreadable: int
    top: tuple[TopCustomer, ...]
    by_country: tuple[CountryRevenue, ...]


@attrs.frozen(kw_only=True)
class Reading:
    """What a walk said of itself: see `Report`, whose names these are.

    Attributes:
        bad: Records that could not be read and are in no count.
        bad_ids: The ids of the first hundred, where they could be read.
        waited: Seconds.
    """

    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    scan: str | None = None
    duplicates: int = 0
    drift: int = 0
    bad: int = 0
    bad_ids: tuple[str, ...] = ()
    filtered: int = 0
    unseen: int | None = None


@attrs.frozen(kw_only=True)
class Failure:
    """Why an account could not be read to its end.

    Attributes:
        kind: The error's class.
        message: What it said; it holds no key and no customer's data.
    """

    kind: str
    message: str


@attrs.frozen(kw_only=True)
class Account:
    """One account.

    Attributes:
        customers: That were read; of an incomplete account only a part of those that it has.
        complete: Whether it was read to its end, without bad records.
        error: Why not.
        reading: What its walk said; `None` where the customers came from elsewhere.
    """

    name: str
    provider: str
    customers: int
    complete: bool
    error: Failure | None = None
    reading: Reading | None = None


@attrs.frozen(kw_only=True)
class Spelling:
    """A country as it was sent, that no code is certain for."""

    country: str
    customers: int


@attrs.frozen(kw_only=True)
class Quality:
    """How much of the customers' data is there. Each is a number of customers.

    Attributes:
        without_email: No e-mail; and so on.
        without_country: No certain country: none was sent, or it could not be read.
        unread_country: A country was sent and could not be read; they are in `without_country` too.
        spellings: The most frequent of those.
        undated: No time of creation.
        future: A time of creation after the report's own.
        bad_records: Records that could not be read; these are in no other number.
    """

    without_email: int
    without_phone: int
    without_country: int
    without_address: int
    without_name: int
    unread_country: int
    spellings: tuple[Spelling, ...]
    undated: int
    future: int
    bad_records: int


@attrs.frozen(kw_only=True)
class Shared:
    """A value that so many customers of one account have that it tells nobody apart.

    Attributes:
        why: Which kind of value: ``"external_id"``, ``"email"``, ``"phone_and_name"``.
        value: The value; of a phone the number.
        customers: How many have it, in all accounts.
    """

    why: str
    value: str
    customers: int


@attrs.frozen(kw_only=True)
class Overlap:
    """How many customers two accounts have in common, doubtful clusters left out."""

    first: str
    second: str
    clusters: int


@attrs.frozen(kw_only=True)
class Matching:
    """The same customer several times, in numbers; the clusters themselves are `Summary.matches`.

    Attributes:
        across: Clusters with customers of more than one account.
        across_customers: Customers in them.
        within: Clusters within one account: possible duplicates.
        within_customers: Customers in them.
        by_sure: Clusters across accounts by how sure they are.
        overlaps: Clusters by pair of accounts: the fifty largest.
        shared: The ten most frequent values that were no evidence, because more than `shared_limit` customers of one
            account have them.
        shared_values: How many such values there are.
        shared_limit: See `shared`.
    """

    across: int
    across_customers: int
    within: int
    within_customers: int
    by_sure: Mapping[str, int]
    overlaps: tuple[Overlap, ...]
    shared: tuple[Shared, ...]
    shared_values: int
    shared_limit: int
