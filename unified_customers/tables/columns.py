"""The one table of columns: Arrow's schema, the flat columns of CSV, DuckDB's table and the documentation follow it.

Knows the fields of customers; must not know pyarrow or duckdb.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..errors import ConfigurationError

VERSION = "1"
"""The schema's version; it changes when a column goes, or changes its type or meaning."""

DIGITS, SCALE = 38, 18
"""Of the decimals: 20 digits before the point, 18 behind it."""


@attrs.frozen
class Column:
    """A column.

    Attributes:
        name: As the field of `Customer`, but for `account`.
        kind: ``text``, ``time``, ``flag``, ``decimal``, ``map``, ``json``, or ``struct`` with `members`.
        says: What it holds.
        required: Whether it always has a value.
        members: A struct's own columns.
        flat: What the names of its members begin with in flat files.
    """

    name: str
    kind: str
    says: str
    required: bool = False
    members: tuple[Column, ...] = ()
    flat: str = ""


_ADDRESS = (
    Column("name", "text", "who receives what is sent there"),
    Column("company", "text", "the company at that address"),
    Column("line1", "text", "street and number"),
    Column("line2", "text", "building, floor, district"),
    Column("city", "text", "the city"),
    Column("state", "text", "state, province or region"),
    Column("postal_code", "text", "the postal code"),
    Column("country", "text", "the country as the provider sent it, a name or a code"),
    Column("country_code", "text", "ISO 3166-1 alpha-2, where that is certain"),
)

_METRICS = (
    Column("orders", "decimal", "number of orders"),
    Column("devices_rented", "decimal", "number of devices rented"),
    Column("monthly_revenue", "decimal", "money a month, in major units"),
    Column("lifetime_collected", "decimal", "money collected so far, in major units"),
    Column("acquisition_cost", "decimal", "money, in major units"),
    Column("margin", "decimal", "money, in major units"),
    Column("margin_percent", "decimal", "per cent, on the provider's scale"),
    Column("subscriptions_tracked", "decimal", "number of subscriptions"),
    Column("cost_recovery_percent", "decimal", "per cent, on the provider's scale: 118.05 means 118.05 %"),
    Column("average_monthly_revenue", "decimal", "money a month, in major units"),
    Column("devices_ever", "decimal", "number of devices"),
    Column("devices_active", "decimal", "number of devices"),
)

COLUMNS = (
    Column("account", "text", "the account's name; the provider's where there is one account without a name", True),
    Column("provider", "text", "the adapter's name, such as `flexprice`", True),
    Column("id", "text", "the provider's id", True),
    Column("external_id", "text", "the id that you gave the customer"),
    Column("name", "text", "the name"),
    Column("first_name", "text", "the first name"),
    Column("last_name", "text", "the last name"),
    Column("company", "text", "the company"),
    Column("email", "text", "the e-mail address"),
    Column("phone", "text", "the telephone number as sent"),
    Column("kind", "text", "`individual`, `business`, or the provider's word"),
    Column("status", "text", "`active`, `inactive`, `archived`, `deleted`, `draft`, or the provider's word"),
    Column("raw_status", "text", "the status as the provider sent it"),
    Column("billing_address", "struct", "the billing address", members=_ADDRESS, flat="billing_"),
    Column("shipping_address", "struct", "the shipping address", members=_ADDRESS, flat="shipping_"),
    Column("parent_id", "text", "the id of the customer above"),
    Column("created_at", "time", "when the customer was created"),
    Column("updated_at", "time", "when the customer was last changed"),
    Column("metadata", "map", "what you stored with the customer; a value that is no text stands as its JSON text"),
    Column("metrics", "struct", "the provider's figures", members=_METRICS, flat="metrics_"),
    Column("account_id", "text", "the provider's tenant or account of the row"),
    Column("live", "flag", "Flatpeak's `live_mode`"),
)

RAW = Column("raw", "json", "the provider's own object, whole, as JSON text; only where it was asked for")


def columns(*, raw: bool) -> tuple[Column, ...]:
    """The columns, with the provider's own object or without."""
    return (*COLUMNS, RAW) if raw else COLUMNS


def flattened(*, raw: bool) -> Iterator[tuple[str, Column, Column | None]]:
    """The columns of flat files: a name, the column, and its member if it is a struct."""
    for column in columns(raw=raw):
        if not column.members:
            yield column.name, column, None
        for member in column.members:
            yield column.flat + member.name, column, member


def refuse_columns(names: Sequence[str], *, raw: bool) -> None:
    """Refuse names that no column has.

    Raises:
        ConfigurationError: There is such a name, or no name at all.
    """
    known = [column.name for column in columns(raw=raw)]
    unknown = [] if isinstance(names, str) else [name for name in names if name not in known]
    if isinstance(names, str) or unknown or not names or len(set(names)) < len(names):
        said = f"there is no column {unknown[0]!r}: " if unknown else ""
        raise ConfigurationError(f"columns= takes names of columns, each once: {said}there are {', '.join(known)}")
