"""Customers as JSON and JSON lines: pure texts, a page at a time. CSV is the same as in exports.

Knows the common model; must not know streams, providers or HTTP. Written as pages come, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import attrs

import unified_customers as uc
from unified_customers.tables.flat import Csv
from unified_customers.tables.texts import dump

__all__ = ["Csv", "JsonArray", "JsonLines", "Writer", "cell", "country", "dump", "record"]


class Writer(Protocol):
    """Turns a stream of customers into text."""

    def begin(self) -> str:
        """What stands before the first customer."""

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """Some customers."""

    def end(self) -> str:
        """What stands after the last one."""


def record(customer: uc.Customer, *, raw: bool) -> dict[str, Any]:
    """A customer as JSON values, with the provider's own object or without."""
    if raw:
        return uc.to_dict(customer)
    fields = uc.to_dict(attrs.evolve(customer, raw={}))
    del fields["raw"]
    return fields


@attrs.define
class JsonLines:
    """An object per line."""

    raw: bool = False
    ascii: bool = False

    def begin(self) -> str:
        """Nothing."""
        return ""

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """A line for each."""
        return "".join(f"{dump(record(one, raw=self.raw), ascii=self.ascii)}\n" for one in customers)

    def end(self) -> str:
        """Nothing."""
        return ""


@attrs.define
class JsonArray:
    """One array; left open if the reading fails, so that half of it can't pass for the whole."""

    raw: bool = False
    ascii: bool = False
    _joint: str = attrs.field(default="\n", init=False)

    def begin(self) -> str:
        """The array's beginning."""
        return "["

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """Elements."""
        parts = []
        for one in customers:
            parts += [self._joint, dump(record(one, raw=self.raw), ascii=self.ascii)]
            self._joint = ",\n"
        return "".join(parts)

    def end(self) -> str:
        """The array's end."""
        return "\n]\n"


def cell(customer: uc.Customer, name: str) -> str:
    """One field as text; nothing where there is none."""
    if name == "billing_country":
        return country(customer)
    value = getattr(customer, name)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if name in {"created_at", "updated_at"} else str(value)


def country(customer: uc.Customer) -> str:
    """The billing country: its ISO code where that is certain, else as sent."""
    address = customer.billing_address
    return "" if address is None else address.country_code or address.country or ""
