"""What FlexPortal's update takes, and how it is spelt (its Update and Delete pages).

Knows field names, which differ from those that are read, and the documents' rules; must not know requests. Nobody of us
has seen the server: where the pages disagree, what is sent is right by both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import Fault
from ..models import Address

_NAMES = {
    "first_name": "firstName",  # minLength 1 in the page's schema, and so is the next
    "last_name": "lastName",
    "company": "company",
    "email": "email",  # in the page's prose, not in its schema: the answer is compared with what was sent
    "phone": "phone",
    "kind": "customerType",
    "status": "status",  # the other way round; and how a deleted customer is made active again (Delete page)
}
_ADDRESSES = {"billing_address": "billingAddress", "shipping_address": "shippingAddress"}
_PARTS = {
    "name": "contactName",
    "company": "company",
    "line1": "streetAddress",
    "line2": "buildingInfo",  # read joined with `locality`, which is left out
    "city": "city",
    "state": "adminArea",
    "postal_code": "postalCode",
    "country": "country",
}
_NEEDED = ("name", "line1", "city", "country")
UPDATES = (*_NAMES, *_ADDRESSES)
ADDRESS = tuple(_PARTS)
OWN = ("customerId", *_NAMES.values(), *_ADDRESSES.values())
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def faults(fields: Mapping[str, Any]) -> Iterable[Fault]:
    """What the documents say is refused."""
    if fields.get("email") and not _EMAIL.fullmatch(fields["email"]):
        yield Fault("email", "is no e-mail address")
    for name in _ADDRESSES:
        if fields.get(name) is not None:
            yield from (Fault(f"{name}.{part}", "is required") for part in _NEEDED if not _part(fields[name], part))


def content(id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an update: the id as well, which the page's schema wants and its examples leave out."""
    spelt = {_NAMES[name]: value for name, value in fields.items() if name in _NAMES}
    spelt |= {_ADDRESSES[name]: _address(value) for name, value in fields.items() if name in _ADDRESSES}
    return {"customerId": id, **spelt, **(fields.get("params") or {})}


def _address(address: Address) -> dict[str, str]:
    parts = {wire: _part(address, part) for part, wire in _PARTS.items()}
    return {wire: value for wire, value in parts.items() if value}


def _part(address: Address, part: str) -> str | None:
    """A part of an address; a country goes by its name or its code, as both are read."""
    value: str | None = getattr(address, part)
    return value or (address.country_code if part == "country" else None)
