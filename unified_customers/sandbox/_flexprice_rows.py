"""Made-up Flexprice customers, as the real server stores them and as the public page shows them.

Knows Flexprice's fields and their order. Must not know its paths, filters or paging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._clock import spell_microseconds, spell_seconds
from ._ids import base36
from ._people import ZONES, make_person, phone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ._table import Fields

NOBODY = "00000000-0000-0000-0000-000000000000"  # the default tenant, environment and user of a self-hosted server
REAL_ORDER = (
    "id",
    "external_id",
    "name",
    "email",
    "contact",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
    "timezone",
    "metadata",
    "environment_id",
    "tenant_id",
    "status",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
)
_METADATA: tuple[Any, ...] = (
    None,
    {},
    {"plan": "pro", "seat": "1"},
    {"plan": "free"},
    {"": "empty key", "ключ": "значение", "emoji": "👍🏽", "html": "<b>&</b>"},
    {"n": "1234.10", "null": "null", "true": "true", "long": "x" * 300},
)


def blank(id: str, micro: int) -> Fields:
    """A customer with nothing set, times spelled as after a read."""
    moment = spell_microseconds(micro)
    return {
        "id": id,
        "external_id": "",
        "name": "",
        "email": "",
        **dict.fromkeys(REAL_ORDER[5:11], ""),
        "timezone": "UTC",
        "metadata": None,
        "environment_id": NOBODY,
        "tenant_id": NOBODY,
        "status": "published",
        "created_at": moment,
        "updated_at": moment,
        "created_by": NOBODY,
        "updated_by": NOBODY,
    }


def made_up(random: Random, number: int, *, odd: bool) -> Fields:
    """What a user of the API would have sent for a customer."""
    draw = random.random
    person = make_person(random, number)
    place = person.place
    fields: Fields = {"external_id": f"ext-{number:06d}", "name": person.name or "-"}
    if draw() < 0.85:
        fields["email"] = person.email
    if draw() < 0.5:
        fields |= {
            "address_line1": place.street,
            "address_city": place.city,
            "address_state": place.state,
            "address_postal_code": place.postal_code,
            "address_country": place.code,
        }
    if draw() < 0.35:
        fields["contact"] = phone(number)
    if draw() < 0.4:
        fields["timezone"] = ZONES[int(draw() * len(ZONES))]
    fields["metadata"] = _METADATA[int(draw() * (len(_METADATA) if odd else 4))]
    if odd:
        _add_odd(fields, number)
    return fields


def _add_odd(fields: Fields, number: int) -> None:
    turn = number % 17
    if turn == 3:
        fields["external_id"] = f"path/with/slash-{number}"
    elif turn == 5:
        fields["external_id"] = f"a?b=1&c#d%2F+ é {number}"
    elif turn == 7:
        fields |= {"contact": "", "email": f"o'brien+{number}@example.com"}
    elif turn == 11:
        fields["address_line2"] = "Étage 2, “Aile” B\u2028back"


def moments(random: Random, start: int, span: int, count: int) -> Iterator[int]:
    """Created moments in microseconds: every precision, and here and there a group that shares one."""
    step = span // (count + 1)
    tied, moment = 0, start
    for number in range(count):
        if tied:
            tied -= 1
        else:
            moment = start + int((number + random.random()) * step)
            moment -= moment % (1, 1, 10, 1000, 1_000_000)[number % 5]
            tied = int(random.random() * 6) + 1 if random.random() < 0.015 else 0
        yield moment


def documented(random: Random, number: int, real: Fields, micro: int) -> Fields:
    """The same customer in the shape of the public page (seed 003)."""
    kept = {name: real[name] for name in REAL_ORDER if name in real and name not in _NOT_DOCUMENTED}
    parent = None if number % 6 else "cust_abc123xyz789"
    moment = spell_seconds(micro)
    return {
        **kept,
        "id": "cust_" + base36(random, 12),
        "parent_customer_id": parent,
        "metadata": real["metadata"] or {},
        "environment_id": "env_prod_001",
        "tenant_id": "tenant_001",
        "created_at": moment,
        "updated_at": moment,
    }


_NOT_DOCUMENTED = {"contact", "timezone", "created_by", "updated_by"}

STRANGE: tuple[Fields, ...] = (
    {"external_id": None},
    {"timezone": None, "address_country": "Germany"},
    {"email": None, "name": None},
    {"metadata": {"seats": 3, "active": True, "nested": {"a": None}}},
    {"metadata": []},
    {"updated_at": None},
    {"updated_at": "0001-01-01T00:00:00Z"},
    {"billing_currency": "eur", "contact_persons": [{"name": "A"}], "tax_treatment": None},
)
