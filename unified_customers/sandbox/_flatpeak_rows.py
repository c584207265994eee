"""Made-up Flatpeak customers: seven fields, some bare, some with the keys of the earlier model.

Knows Flatpeak's fields (seed 004). Must not know its paths or paging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._clock import spell_seconds
from ._ids import hexadecimal
from ._people import Person, make_person

if TYPE_CHECKING:
    from random import Random

    from ._table import Fields


def make_fields(random: Random, number: int, micro: int, account: str, *, odd: bool) -> Fields:
    """One customer; ids of both lengths that occur, 24 and 32 hex digits."""
    draw = random.random
    fields: Fields = {
        "id": "cus_" + hexadecimal(random, 24 if draw() < 0.5 else 32),
        "object": "customer",
        "live_mode": False,  # the sandbox's key is a test key
        "time_created": spell_seconds(micro),
        "account_id": account,
    }
    if draw() < 0.85:
        fields["reference_id"] = f"CUS{number:010d}"
    if draw() < 0.7:
        fields["locations"] = [_id(random, "loc") for _ in range(int(draw() * 3))]
    if odd and number % 4 == 1:
        fields |= legacy(random, number, micro)
    return fields


def _id(random: Random, prefix: str) -> str:
    return f"{prefix}_{hexadecimal(random, 32)}"


def legacy(random: Random, number: int, micro: int) -> Fields:
    """The keys that the seed's own example still shows and its schema no longer names."""
    person = make_person(random, number)
    whole: Fields = {
        "personal_details": _personal(person, number),
        "postal_address": _postal(person),
        "geo_location": _coordinates(number),
        "legal": {"terms_accepted": True, "timestamp": spell_seconds(micro), "ip": "192.0.2.7"},
        "providers": [_id(random, "prv")],
        "devices": [_id(random, "dev") for _ in range(number % 3)],
    }
    if number % 3 == 0:
        whole |= {"is_disabled": False, "is_deleted": False, "products": [_id(random, "prd")]}
    if number % 5 == 0:
        del whole["postal_address"], whole["geo_location"]
    return whole


def _personal(person: Person, number: int) -> Fields:
    return {
        "email": person.email,
        "email_verified": number % 2 == 0,
        "phone": "".join(filter(str.isdigit, person.phone)),
        "phone_verified": True,
        "preferred_locale": "EN",
        "timezone": "Etc/UTC",
    }


def _postal(person: Person) -> Fields:
    place = person.place
    return {
        "address_line1": place.street,
        "address_line2": "",
        "city": place.city,
        "state": place.state,
        "post_code": place.postal_code.replace(" ", ""),
        "country_code": place.code,
    }


def _coordinates(number: int) -> Any:
    # Three spellings are on record: strings, numbers under other names, and a pair.
    spellings: tuple[Any, ...] = (
        {"latitude": "-77.52907766250239", "longitude": "167.1522246611749"},
        {"lat": 51.5033, "lng": -0.1196},
        [51.5033, -0.1196],
    )
    return spellings[number % 3]


STRANGE: tuple[Fields, ...] = (
    {"live_mode": "false"},
    {"time_created": 1530291411},
    {"account_id": None},
    {"locations": None, "reference_id": None},
    {"object": None},
    {"reference_id": 4711},
)


def make_strange(fields: Fields, number: int) -> Fields:
    """Break the schema in one of the ways in which servers do."""
    turn = number % (len(STRANGE) + 1)
    if turn < len(STRANGE):
        return fields | STRANGE[turn]
    del fields["time_created"]
    return fields
