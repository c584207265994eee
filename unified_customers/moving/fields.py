"""A customer as flat texts: one for each field that can be moved, by a path such as `billing_address.city`.

Knows the model's fields; must not know any provider. Plans, journals, comparisons and reports all speak of these paths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InvalidRequestError
from ..models import Address, Customer

SCALARS = ("external_id", "name", "first_name", "last_name", "company", "email", "phone", "kind", "status", "parent_id")
ADDRESSES = ("billing_address", "shipping_address")
PARTS = ("name", "company", "line1", "line2", "city", "state", "postal_code", "country")
METADATA, OWN = "metadata.", "params."
Flat = dict[str, str]
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def flat(customer: Customer, own: Iterable[str] = ()) -> Flat:
    """What a customer has, by path; a field that is not set is left out.

    The provider's `own` fields are texts as it sent them. A country is its ISO code where that is certain, so that
    `Netherlands` and `NL` are the same.
    """
    found = {name: str(value) for name in SCALARS if (value := getattr(customer, name)) is not None}
    for name in ADDRESSES:
        found.update(_flat_address(name, getattr(customer, name)))
    found.update(flat_metadata(customer.metadata))
    found.update({OWN + name: text for name in own if isinstance(text := customer.raw.get(name), str) and text})
    return found


def _flat_address(name: str, address: Address | None) -> Flat:
    if address is None:
        return {}
    parts = {part: getattr(address, part) for part in PARTS}
    parts["country"] = address.country_code or address.country
    return {f"{name}.{part}": value for part, value in parts.items() if value}


def flat_metadata(metadata: Mapping[str, Any]) -> Flat:
    """Metadata by path; what is no text is written as JSON.

    Raises:
        InvalidRequestError: A key is no text, or a value can't be written so.
    """
    if not all(isinstance(key, str) for key in metadata):
        raise InvalidRequestError("metadata: has a key that is no text")
    return {METADATA + key: as_text(value) for key, value in metadata.items() if value is not None}


def as_text(value: Any) -> str:
    """A text as it is; anything else as JSON, its keys in order.

    Raises:
        InvalidRequestError: It can't be written so: too deep, too large a number, or a key that is no text.
    """
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequestError(f"metadata: can't be written as JSON ({type(value).__name__})") from None


def keywords(found: Mapping[str, str]) -> dict[str, Any]:
    """Flat texts as the keywords of `Client.create` and `Client.update`."""
    out: dict[str, Any] = {name: found[name] for name in SCALARS if name in found}
    for name in ADDRESSES:
        parts = {part: found[f"{name}.{part}"] for part in PARTS if f"{name}.{part}" in found}
        if parts:
            out[name] = Address(**parts, country_code=_code(parts.get("country")))
    for name, prefix in (("metadata", METADATA), ("params", OWN)):
        inner = {path.removeprefix(prefix): value for path, value in found.items() if path.startswith(prefix)}
        if inner:
            out[name] = inner
    return out


def _code(country: str | None) -> str | None:
    return country if country is not None and len(country) == 2 and country.isupper() else None


def field_of(path: str) -> str:
    """The keyword that a path belongs to."""
    return path.partition(".")[0]


def shown(path: str) -> str:
    """A path as messages show it: without a metadata key that may be anything but a key."""
    return field_of(path) if path.startswith(METADATA) else path


def dumped(value: Any) -> str:
    """JSON, the same for the same value; in ASCII, so that half a character can be kept too."""
    return _ENCODER.encode(value)


def storable(text: str) -> str:
    """The text as SQLite takes it: half a character, which nobody can send, as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def digest(*parts: Any) -> str:
    """A short name for some values, which doesn't tell them."""
    return hashlib.sha256(dumped(parts).encode()).hexdigest()[:32]


def fingerprint(customer: Customer, own: Iterable[str], back: Mapping[str, Sequence[str | None]] | None = None) -> str:
    """What a customer is like, so that a later change shows: its fields, and what hangs on it in the provider's lists.

    Times are left out: an update's answer may show the old ones (Flexprice).

    Args:
        customer: The customer.
        own: The provider's own fields that count.
        back: By path, what a field was before a change that is to be left out of account.
    """
    lists = {key: as_text(value) for key, value in customer.raw.items() if isinstance(value, list) and value}
    found = {**flat(customer, own), **{path: was for path, (was, *_) in (back or {}).items()}}
    return digest({path: value for path, value in found.items() if value is not None}, lists)


def chosen(found: Mapping[str, str], fields: Iterable[str]) -> Flat:
    """The texts of these keywords."""
    wanted = frozenset(fields)
    return {path: value for path, value in found.items() if field_of(path) in wanted}
