"""What speaks for two customers being one: values to compare, by how much they say.

Knows the common model; must not know accounts or stores. A name alone is no evidence, and neither is a phone number
alone: people share both.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Any

from .._extras import need
from ..models import Customer

WHY = ("external_id", "email", "phone_and_name")
"""The tiers, the surest first; a key's tier is its place here."""
SURE = ("very likely", "likely", "possible", "doubtful")
"""How sure a cluster is: that of the weakest tier that holds it together, or doubtful because it is too large."""
_LONGEST = 200


def numbers() -> Any:
    """The package that reads phone numbers.

    Raises:
        ConfigurationError: It is not installed.
    """
    return need("phonenumbers", "matching customers by phone (matching=False leaves it out)", "report")


def keys(customer: Customer, phones: Any) -> list[tuple[int, str]]:
    """Values by which this customer may be found again, each with its tier.

    Args:
        customer: Whose.
        phones: The package that reads phone numbers.
    """
    found = []
    if external := _stripped(customer.external_id):
        found.append((0, short(external)))
    if email := _email(customer.email):
        found.append((1, short(email)))
    found += [(2, key) for key in _phone_keys(customer, phones)]
    return found


def _stripped(text: str | None) -> str:
    return text.strip() if text else ""


def _email(text: str | None) -> str:
    """Trimmed and case-folded; nothing where it is no address, such as "n/a"."""
    folded = _stripped(text).casefold()
    local, _, domain = folded.rpartition("@")
    return folded if local and domain else ""


def _phone_keys(customer: Customer, phones: Any) -> Iterator[str]:
    labels = set(_labels(customer))
    number = e164(customer, phones) if labels else None
    if number:
        for label in sorted(labels):
            yield f"{number}|{hashlib.blake2b(label.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"


def _labels(customer: Customer) -> Iterator[str]:
    """The customer's names, of person and company alike: one provider's name is another's company."""
    joined = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    for text in (customer.name, customer.company, joined):
        folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split()) if text else ""
        if folded:
            yield folded


def e164(customer: Customer, phones: Any) -> str | None:
    """The customer's number in E.164 (an extension added), or `None` where it can't be told.

    A number without a country code is read as one of the customer's country, and as nothing where that isn't known.
    """
    text = _stripped(customer.phone)
    if not text:
        return None
    try:
        number = phones.parse(text, country(customer))
    except phones.NumberParseException:
        return None
    if not phones.is_possible_number(number):
        return None
    written: str = phones.format_number(number, phones.PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def country(customer: Customer) -> str | None:
    """The ISO code of the billing address, else of the shipping address."""
    for address in (customer.billing_address, customer.shipping_address):
        if address is not None and address.country_code:
            return address.country_code
    return None


def short(text: str) -> str:
    """The text, or its beginning and a digest where it is too long to keep; what it can't be written is replaced."""
    plain = text.encode("utf-8", "replace").decode()
    if plain == text and len(text) <= _LONGEST:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{plain[:60]}… {digest}"
