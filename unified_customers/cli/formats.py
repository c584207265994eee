"""Customers as JSON, JSON lines and CSV: pure texts, a page at a time.

Knows the common model; must not know streams, providers or HTTP. Written as pages come, so memory stays flat.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any, Protocol

import attrs

import unified_customers as uc

# Valid JSON either way. Unescaped, some end a line for some readers, some steer a terminal; a surrogate is no UTF-8.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

COLUMNS = (
    "provider",
    "id",
    "external_id",
    "name",
    "first_name",
    "last_name",
    "company",
    "email",
    "phone",
    "kind",
    "status",
    "billing_country",
    "parent_id",
    "created_at",
    "updated_at",
    "account_id",
    "live",
)


class Writer(Protocol):
    """Turns a stream of customers into text."""

    def begin(self) -> str:
        """What stands before the first customer."""

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """Some customers."""

    def end(self) -> str:
        """What stands after the last one."""


def dump(value: Any, *, ascii: bool = False, indent: int | None = None) -> str:
    """JSON text that every reader takes in the same way."""
    text = json.dumps(value, ensure_ascii=ascii, indent=indent, allow_nan=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


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


class Csv:
    """Comma-separated values after RFC 4180, but with a bare newline between lines."""

    def begin(self) -> str:
        """The columns' names."""
        return _line(COLUMNS)

    def page(self, customers: Iterable[uc.Customer]) -> str:
        """A line for each."""
        return "".join(_line([defused(cell(one, name)) for name in COLUMNS]) for one in customers)

    def end(self) -> str:
        """Nothing."""
        return ""


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)  # with both in it, a cell that holds either is quoted
    return buffer.getvalue()[:-2] + "\n"


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


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before = + - @ TAB CR."""
    return f"'{text}" if text.startswith(_FORMULA) else text
