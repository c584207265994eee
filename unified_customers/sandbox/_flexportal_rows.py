"""Made-up FlexPortal customers: schema-valid and rich, odd where the schema leaves room.

Knows FlexPortal's fields (seeds 000 and 002). Must not know its paths or paging.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ._clock import spell_microseconds, spell_seconds
from ._ids import base36
from ._people import Person, Place, make_person, phone

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from ._table import Fields

MONEY = tuple(map(Decimal, ("0", "0.00", "19.90", "49.00", "354.17", "1234.10", "98765432.10", "0.1")))


def make_fields(random: Random, number: int, micro: int, tenant: str, *, odd: bool) -> Fields:
    """One customer as the list shows it."""
    person = make_person(random, number)
    business = random.random() < 0.35
    devices = int(random.random() * 5)
    fields: Fields = {
        "customerId": "cust_" + base36(random, 16),
        "tenantId": tenant,
        "email": person.email,
        "firstName": person.first,
        "lastName": person.last,
        "customerType": "business" if business else "individual",
        "totalOrders": int(random.random() * 9),
        "totalDevicesRented": devices,
        "totalMonthlyRevenue": MONEY[int(random.random() * len(MONEY))] if devices else 0,
        "status": "inactive" if random.random() < 0.12 else "active",
        "orderIds": [f"ord_{base36(random, 10)}" for _ in range(int(random.random() * 3))],
        "rentalIds": [f"rental_{base36(random, 10)}" for _ in range(devices)],
        "createdBy": ("system", "user_4711", "ops@example.com")[number % 3],
        "createdAt": spell_seconds(micro),
        "updatedAt": spell_seconds(micro + 86_400_000_000),
    }
    if business:
        fields["company"] = person.company
    _add_optional(random, fields, person)
    if odd:
        _add_odd(fields, number, micro, person)
    return fields


def _add_optional(random: Random, fields: Fields, person: Person) -> None:
    """What the schema does not require: present on some rows, missing on others."""
    draw = random.random
    if draw() < 0.7:
        fields["phone"] = person.phone
    if draw() < 0.8:
        fields["lastBillingAddress"] = address(person)
    if draw() < 0.4:
        fields["lastShippingAddress"] = address(person, company=person.company)
    if draw() < 0.3:
        fields["customFields"] = {"vat": f"NL{int(draw() * 10**9):09d}B01"}
    if draw() < 0.6:
        fields.update(metrics(int(draw() * 900_000)))


def address(person: Person, **more: Any) -> Fields:
    """A postal address in FlexPortal's words."""
    place: Place = person.place
    whole: Fields = {
        "contactName": person.name,
        "streetAddress": place.street,
        "city": place.city,
        "adminArea": place.state,
        "postalCode": place.postal_code or None,
        "country": place.country if len(person.email) % 2 else place.code,
    }
    return whole | more


def metrics(cents: int) -> Fields:
    """The schema's own figures about profit, at the top level of a customer."""
    collected, cost = Decimal(cents).scaleb(-2), Decimal(cents * 3 // 4 + 5000).scaleb(-2)
    margin = collected - cost
    return {
        "lifetimeCollected": collected,
        "totalAcquisitionCost": cost,
        "customerMargin": margin,
        "customerMarginPercent": _percent(margin, collected),
        "subscriptionsTracked": cents % 7,
    }


def profitability(fields: Fields) -> Fields:
    """The nested figures that the documents promise for a single customer."""
    collected = Decimal(str(fields.get("lifetimeCollected", "4250.00")))
    cost = Decimal(str(fields.get("totalAcquisitionCost", "3600.00")))
    devices = fields.get("totalDevicesRented", 0)
    return {
        "lifetimeCollected": collected,
        "totalAcquisitionCost": cost,
        "costRecoveryPercent": _percent(collected, cost),
        "averageMonthlyRevenue": (collected / 12).quantize(Decimal("0.01")),
        "totalDevicesEver": devices + 1,
        "activeDevices": devices,
    }


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return (part * 100 / whole).quantize(Decimal("0.01")) if whole else Decimal("0.00")


def _add_odd(fields: Fields, number: int, micro: int, person: Person) -> None:
    """Values that the schema allows and few clients expect."""
    ways = len(_SPELLINGS) + 1  # one more: the key is left out
    _spell_moment(fields, "createdAt", micro, number % ways)
    _spell_moment(fields, "updatedAt", micro + 86_400_000_000, number // 2 % ways)
    turn = number % 13
    if turn == 1:
        fields["billingAddress"] = fields.pop("lastBillingAddress", None) or address(person)
        fields["shippingAddress"] = address(person, company="", buildingInfo="2nd floor", locality="Zuid")
    elif turn == 3:
        fields["profitability"] = profitability(fields)
    elif turn == 5:
        fields["customFields"] = {"score": 1.5, "nested": {"list": [1, None, "é"]}, "": "", "flag": True}
    elif turn == 7:
        fields |= {"company": "", "phone": "", "lastName": "", "_internal": {"shard": 7}}
    elif turn == 9:
        fields |= {"totalOrders": 3.0, "totalMonthlyRevenue": Decimal("1234.10"), "phone": phone(number)}
    elif turn == 11:
        fields |= {"customFields": {}, "notes": None, "vatNumber": "GB123456789"}


def _spell_moment(fields: Fields, key: str, micro: int, spelling: int) -> None:
    if spelling < len(_SPELLINGS):
        fields[key] = _SPELLINGS[spelling](micro)
    else:
        del fields[key]


def _stamp(prefix: str) -> Callable[[int], Fields]:
    return lambda micro: {
        f"{prefix}seconds": micro // 1_000_000,
        f"{prefix}nanoseconds": micro % 1_000_000 * 1000,
    }


# createdAt and updatedAt are untyped in the schema ({}), so every spelling of a moment may come.
_SPELLINGS: tuple[Callable[[int], Any], ...] = (
    spell_seconds,
    spell_microseconds,
    lambda micro: spell_seconds(micro + 19_800_000_000).replace("Z", "+05:30"),
    lambda micro: micro // 1_000_000,
    lambda micro: micro // 1000,
    _stamp("_"),
    _stamp(""),
    lambda _micro: None,
    lambda micro: spell_seconds(micro).replace("Z", ".000Z"),
    lambda _micro: {},
)


STRANGE: tuple[Fields, ...] = (
    {"status": "suspended"},
    {"customerType": "non-profit"},
    {"customFields": None},
    {"email": None, "phone": None, "company": None},
    {"firstName": None},
    {"orderIds": None},
    {"totalMonthlyRevenue": "1234.10"},
    {"lastBillingAddress": {"city": "Nowhere"}},
    {"lastBillingAddress": None, "lastShippingAddress": {}},
)
MISSING = ("customerType", "createdBy", "lastName", "rentalIds", "totalOrders")


def make_strange(fields: Fields, number: int) -> Fields:
    """Break the schema in one of the ways in which servers do."""
    turn = number % (len(STRANGE) + len(MISSING))
    if turn < len(STRANGE):
        return fields | STRANGE[turn]
    fields.pop(MISSING[turn - len(STRANGE)], None)
    return fields
