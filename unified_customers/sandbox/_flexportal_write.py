"""What FlexPortal's update takes: which fields, under which names, and what it refuses.

Knows the write names of the Update page, which differ from the read names. Must not know rows or HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._json import load

if TYPE_CHECKING:
    from ._table import Fields

_WRITABLE = ("email", "firstName", "lastName", "company", "phone", "customerType", "status")
_NEEDED = ("contactName", "streetAddress", "city", "country")
_OPTIONAL = ("company", "buildingInfo", "locality", "adminArea")
_ADDRESSES = {"billingAddress": "lastBillingAddress", "shippingAddress": "lastShippingAddress"}


def read_changes(body: bytes) -> Fields | str:
    """The changed fields under their read names, or what is wrong with the body."""
    try:
        given = load(body)
    except ValueError:
        return "Body is not JSON"
    wrong = _wrong_field(given)
    if wrong:
        return f"Invalid value for {wrong}"
    changes = {name: given[name] for name in _WRITABLE if name in given}
    return changes | {read: given[written] for written, read in _ADDRESSES.items() if written in given}


def _wrong_field(body: Any) -> str:
    if not isinstance(body, dict):
        return "body"
    for name, value in body.items():
        if name in {"customerId", "firstName", "lastName"} and (not isinstance(value, str) or not value):
            return str(name)
        if name in {"email", "company", "phone"} and not isinstance(value, str):
            return str(name)
        if name in _ADDRESSES and not _is_address(value):
            return str(name)
    if body.get("customerType", "business") not in {"individual", "business"}:
        return "customerType"
    return "" if body.get("status", "active") in {"active", "inactive"} else "status"


def _is_address(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    texts = [value.get(name) for name in _NEEDED] + [value.get(name, "") for name in _OPTIONAL]
    return all(isinstance(text, str) for text in texts) and isinstance(value.get("postalCode"), str | None)
