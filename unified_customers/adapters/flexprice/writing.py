"""What Flexprice takes in a create or an update, and how it is spelt: its rules, and the traps around them.

Knows fields, lengths and patterns, each of the server's own source or seen on a real one (docs/providers/flexprice.md);
must not know when a request is sent.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from ..._adapter import differing
from ..._countries import code_of
from ..._decode import decode, obj
from ..._url import JSON_BODY, body, url
from ..._values import moment
from ..._wire import Request, Response
from ...errors import Fault, MalformedResponseError, UnsupportedError
from ...models import Address, Customer
from .records import CUSTOMERS
from .spelling import Headers

CREATES = ("name", "email", "phone", "external_id", "billing_address", "metadata")
REQUIRES = ("external_id", "name")
CLEARS = ("phone", "billing_address", "metadata")
ADDRESS = {
    "line1": "address_line1",
    "line2": "address_line2",
    "city": "address_city",
    "state": "address_state",
    "postal_code": "address_postal_code",
    "country": "address_country",
}
_NAMES = {"name": "name", "email": "email", "phone": "contact", "external_id": "external_id", "metadata": "metadata"}
OWN = (*_NAMES.values(), *ADDRESS.values())
_IGNORED = "integration_entity_mapping"
_OLD_IDS = "old_external_ids"  # what the server notes in metadata when an external id changes

_LONGEST = {"name": 255, "email": 255, "phone": 20, "external_id": 255}  # characters
_LONGEST_PART = {"line1": 255, "line2": 255, "city": 100, "state": 100, "postal_code": 20}  # bytes
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]+"
_WIDE = r"\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
_QUOTED = rf"(?:[\t !#-\[\]-~{_WIDE}]|\\[\t -~{_WIDE}])+"
_EDGE = r"[A-Za-z0-9\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]"
_LABEL = rf"{_EDGE}(?:[A-Za-z0-9\-~\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]*{_EDGE})?"
_TOP = r"[A-Za-z\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]"
_TOP_LABEL = rf"{_TOP}(?:[A-Za-z0-9\-~\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]*{_TOP})?"
_LOCAL = rf'(?:{_ATOM}(?:\.{_ATOM})*|"{_QUOTED}")'
_EMAIL = rf"{_LOCAL}@(?:{_LABEL}\.)+{_TOP_LABEL}"  # compiled at its first use, as it takes 20 ms
_TAX_IDS = {
    "gstin": re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]"),
    "pan": re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]"),
    "hsn_sac": re.compile(r"[0-9]{4,8}"),
}
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+)*")


# Rules


def faults(fields: Mapping[str, Any]) -> Iterable[Fault]:
    """What the server would refuse or spoil."""
    for name, longest in _LONGEST.items():
        if len(fields.get(name) or "") > longest:
            yield Fault(name, f"is longer than {longest} characters")
    if fields.get("email") and not re.fullmatch(_EMAIL, fields["email"]):
        yield Fault("email", "is no e-mail address as Flexprice reads one")
    yield from _address_faults(fields.get("billing_address"))
    yield from _metadata_faults(fields.get("metadata") or {})
    yield from _own_faults(fields.get("params") or {})


def _address_faults(address: Address | None) -> Iterable[Fault]:
    if address is None:
        return
    for part, longest in _LONGEST_PART.items():
        if len((getattr(address, part) or "").encode()) > longest:  # after the characters the server counts bytes
            yield Fault(f"billing_address.{part}", f"is longer than {longest} bytes")
    if address.country and not _country(address):
        yield Fault("billing_address.country", "has no certain ISO 3166-1 code: give country_code, two capital letters")


def _metadata_faults(metadata: Mapping[str, Any]) -> Iterable[Fault]:
    for key, value in metadata.items():
        place = f"metadata.{key}" if key in _TAX_IDS else "metadata"
        if not isinstance(value, str):
            yield Fault(place, f"holds texts only, and one value is of type {type(value).__name__}")
        elif key in _TAX_IDS and value and not _TAX_IDS[key].fullmatch(value.strip().upper()):
            yield Fault(place, "is reserved for an Indian tax number, and is none")


def _own_faults(params: Mapping[str, Any]) -> Iterable[Fault]:
    if _IGNORED in params:
        yield Fault(f"params.{_IGNORED}", "is taken by the server and ignored", "unsupported")
    if "timezone" in params and not is_zone(params["timezone"]):
        yield Fault("params.timezone", "is the IANA name of a time zone, such as Asia/Kolkata; it can't be cleared")


def is_zone(name: Any) -> bool:
    """Whether that is the name of a time zone; by its form alone on a machine that knows no zones."""
    return isinstance(name, str) and _is_zone(str(name))


@functools.lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    import zoneinfo

    if not _ZONE.fullmatch(name) or name.casefold() == "local":
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return not zoneinfo.available_timezones()
    return True


# Requests


def create(base: str, headers: Headers, fields: Mapping[str, Any]) -> Request:
    """``POST /v1/customers``."""
    return Request(
        method="POST",
        url=url(base, "v1", "customers"),
        what="create a customer",
        headers=(*headers, *JSON_BODY[1:]),
        body=body(_spelt(fields)),
        safe=False,
        template="/v1/customers",
    )


def change(base: str, headers: Headers, id: str, content: Mapping[str, Any]) -> Request:
    """``PUT /v1/customers?id=…``: what is not in it stays."""
    return Request(
        method="PUT",
        url=url(base, "v1", "customers", query=[("id", id)]),
        what="update a customer",
        headers=(*headers, *JSON_BODY[1:]),
        body=body(content),
        template="/v1/customers",
    )


def archive(base: str, headers: Headers, id: str) -> Request:
    """``DELETE /v1/customers/…``."""
    return Request(
        method="DELETE",
        url=url(base, "v1", "customers", id),
        what="archive a customer",
        headers=headers,
        template="/v1/customers/{id}",
    )


def changes(fields: Mapping[str, Any], current: Customer | None) -> list[dict[str, Any]]:
    """The bodies of an update, one after another.

    Raises:
        UnsupportedError: The customer has a country, and would have none.
    """
    address = fields.get("billing_address")
    had = None if current is None or current.billing_address is None else current.billing_address.country
    if "billing_address" in fields and not _country(address) and had:
        fault = Fault("billing_address.country", "can't be cleared at Flexprice", "unsupported")
        raise UnsupportedError(
            "nothing was changed: this customer has a country, which Flexprice can't clear: give the address one",
            provider="flexprice",
            faults=[fault],
        )
    content = _spelt({name: {} if name == "metadata" and value is None else value for name, value in fields.items()})
    if needs_metadata_first(fields, current):
        return [{"metadata": {}}, content]
    return [content]


def looks_first(fields: Mapping[str, Any]) -> bool:
    """Whether what the customer is now decides how it can be changed."""
    return "external_id" in fields or ("billing_address" in fields and not _country(fields["billing_address"]))


def needs_metadata_first(fields: Mapping[str, Any], current: Customer | None) -> bool:
    """Whether the server would crash: it notes a changed external id in the metadata, also where that is null."""
    if "external_id" not in fields or current is None or current.external_id == fields["external_id"]:
        return False
    return current.raw.get("metadata") is None


def _country(address: Address | None) -> str | None:
    return None if address is None else address.country_code or code_of(address.country)


def _spelt(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields under the server's names; the empty text is how it writes, and clears, what is unset."""
    content = {_NAMES[name]: "" if value is None else value for name, value in fields.items() if name in _NAMES}
    if "billing_address" in fields:
        content |= _spelt_address(fields["billing_address"] or Address())
    return content | dict(fields.get("params") or {})


def _spelt_address(address: Address) -> dict[str, str]:
    """An address is replaced whole; an empty country would be refused, so it is left out."""
    parts = {wire: getattr(address, part) or "" for part, wire in ADDRESS.items() if part != "country"}
    country = _country(address)
    return {**parts, ADDRESS["country"]: country} if country else parts


# Answers


def created(response: Response) -> Customer:
    """The customer of a create's answer, which shows nanoseconds where the database keeps rounded microseconds."""
    customer = CUSTOMERS.one(obj(decode(response)), "$")
    born, changed_at = _rounded(customer.raw.get("created_at")), _rounded(customer.raw.get("updated_at"))
    return attrs.evolve(customer, created_at=born, updated_at=changed_at)


def changed(response: Response) -> Customer:
    """The customer of an update's answer, without `updated_at`: the server shows the time before it."""
    return attrs.evolve(CUSTOMERS.one(obj(decode(response)), "$"), updated_at=None)


def done(response: Response) -> None:
    """An archive's answer is empty; a gateway's page is none, nor is an object that tells of an error.

    Raises:
        MalformedResponseError: It says something else.
    """
    if response.body.strip() and "error" in obj(decode(response)):
        raise MalformedResponseError("archiving a customer was answered with an error", status=response.status)


def _rounded(value: Any) -> datetime | None:
    cut = moment(value)
    seventh = re.search(r"\.\d{6}(\d)", value) if isinstance(value, str) else None
    late = seventh is not None and seventh[1] >= "5" and cut is not None and cut < datetime.max.replace(tzinfo=UTC)
    return cut + timedelta(microseconds=1) if late and cut is not None else cut


def differences(fields: Mapping[str, Any], customer: Customer) -> tuple[str, ...]:
    """Fields that a customer shows otherwise; what the server adds to metadata by itself is none."""
    if "metadata" in fields and "external_id" in fields and _OLD_IDS not in (fields["metadata"] or {}):
        theirs = {key: value for key, value in customer.metadata.items() if key != _OLD_IDS}
        customer = attrs.evolve(customer, metadata=theirs)
    found = differing(fields, customer, ADDRESS)
    zone = (fields.get("params") or {}).get("timezone")
    return found if zone in (None, customer.raw.get("timezone")) else (*found, "params.timezone")
