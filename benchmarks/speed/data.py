"""Made-up customers as bytes, a page at a time, in the words of each provider.

Knows the providers' fields and how large their records are: about 745 bytes for Flexprice, 905 for FlexPortal. Must
not know HTTP. One row in six has names that are not ASCII, as real lists have: such a text costs a decoder more.
A row is one of a few hundred templates with its own ids and times put in, so that a million of them need no memory.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

LARGEST = 1_000_000  # customers in a list: as many as there are microseconds in a second, see `_row`
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=1, microseconds=1)  # between two customers: a million of them span two years
_TEMPLATES = 397  # a prime, so that no page size repeats the same rows
_MARKS = re.compile("(@id@|@number@|@time@)")
_ID, _NUMBER, _TIME = "@id@", "@number@", "@time@"

_NAMES = ("Ada Lovelace", "Max Weber", "Grace Hopper", "Peter Naur", "Barbara Liskov", "Tony Hoare", "Jean Sammet")
_OTHER_NAMES = ("Zoë Müller", "李小龙", "Łukasz Żółć", "Анна Каренина", "José Núñez", "佐藤 美咲", "Søren Ødegård")
_PLACES = (
    ("123 Main Street", "Springfield", "IL", "62701", "US"),
    ("10 Infinite Drive", "London", "Greater London", "SE11 0AA", "GB"),
    ("Keizersgracht 1", "Amsterdam", "Noord-Holland", "1012 AB", "NL"),
    ("MG Road 12", "Bengaluru", "KA", "560001", "IN"),
)
_OTHER_PLACES = (
    ("Straße des 17. Juni 135", "Köln", "Nordrhein-Westfalen", "50667", "DE"),
    ("千代田1-1", "東京", "東京都", "100-0001", "JP"),
    ("Rue de l'Été 3", "Montréal", "Québec", "H2X 1Y4", "CA"),
)


def reached(moment: datetime) -> int:
    """How many customers were created up to that moment; the order of time is the order of the indexes."""
    return max(0, (moment - EPOCH) // STEP + 1)


def rows(provider: str, first: int, last: int) -> bytes:
    """The rows of the indexes from `first` up to, not including, `last` (or downwards), as JSON with commas between."""
    made = _templates(provider)
    step = 1 if last >= first else -1
    return b",".join(_row(made[index % _TEMPLATES], index) for index in range(first, last, step))


def id_of(index: int) -> str:
    """The id of the customer of that index."""
    return f"cust_01{index:024d}"


def index_of(id_: str) -> int:
    """The index of the customer with that id."""
    return int(id_.removeprefix("cust_01"))


def _row(template: tuple[list[bytes], list[tuple[int, int]]], index: int) -> bytes:
    """A row: joined of pieces, as formatting would take the server longer than its clients."""
    pieces, places = template
    digits = b"%024d" % index
    moment = b"".join((_day(index // 1440), _minute(index % 1440), digits[-6:], b"Z"))  # STEP's microsecond is `index`
    own = (b"cust_01" + digits, digits[-8:], moment)
    row = pieces.copy()
    for at, kind in places:
        row[at] = own[kind]
    return b"".join(row)


@functools.cache
def _day(number: int) -> bytes:
    return (EPOCH + timedelta(days=number)).date().isoformat().encode()


@functools.cache
def _minute(number: int) -> bytes:
    return b"T%02d:%02d:00." % divmod(number, 60)


@functools.cache
def _templates(provider: str) -> list[tuple[list[bytes], list[tuple[int, int]]]]:
    """A few hundred different rows, each as its pieces and the places of what is a customer's own."""
    draw = random.Random(provider)
    return [_template(_MAKERS[provider](draw, number)) for number in range(_TEMPLATES)]


def _template(fields: dict[str, Any]) -> tuple[list[bytes], list[tuple[int, int]]]:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    pieces = _MARKS.split(text)
    marks = (_ID, _NUMBER, _TIME)
    places = [(n, marks.index(piece)) for n, piece in enumerate(pieces) if piece in marks]
    return [piece.encode() for piece in pieces], places


def _person(draw: random.Random) -> tuple[str, tuple[str, ...]]:
    other = draw.random() < 1 / 6
    return draw.choice(_OTHER_NAMES if other else _NAMES), draw.choice(_OTHER_PLACES if other else _PLACES)


def _hex(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


def _flexprice(draw: random.Random, number: int) -> dict[str, Any]:
    name, (street, city, state, code, country) = _person(draw)
    return {
        "id": _ID,
        "external_id": f"ext-{_NUMBER}-{_hex(draw, 12)}",
        "name": f"{name} {draw.choice(('Ltd', 'GmbH', 'Inc.'))}",
        "email": f"billing+{_NUMBER}@{_hex(draw, 8)}.example.com",
        "contact": f"+1 555 01{number % 100:02d}" if draw.random() < 0.5 else "",
        "address_line1": street,
        "address_line2": f"Building {draw.randrange(9)}, Suite {draw.randrange(900)}" if draw.random() < 0.6 else "",
        "address_city": city,
        "address_state": state,
        "address_postal_code": code,
        "address_country": country,
        "timezone": draw.choice(("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York")),
        "metadata": {"plan": draw.choice(("free", "pro")), "crm_id": _hex(draw, 32), "region": "emea"}
        if draw.random() < 0.7
        else {},
        "environment_id": "env_01JF3Z7Q4R8XKX2M5T9B6CVWHN",
        "tenant_id": "00000000-0000-0000-0000-000000000000",
        "status": "published",
        "created_at": _TIME,
        "updated_at": _TIME,
        "created_by": "user_01JF3Z7Q4R8XKX2M5T9B6CVWHN",
        "updated_by": "user_01JF3Z7Q4R8XKX2M5T9B6CVWHN",
    }


def _flexportal(draw: random.Random, number: int) -> dict[str, Any]:
    name, place = _person(draw)
    first, _, last = name.partition(" ")
    devices = draw.randrange(5)
    return {
        "customerId": _ID,
        "tenantId": "tenant_7f3a91",
        "email": f"person+{_NUMBER}@{_hex(draw, 8)}.example.com",
        "firstName": first,
        "lastName": last,
        "company": f"{last} Rentals" if draw.random() < 0.4 else "",
        "phone": f"+1 555 01{number % 100:02d}",
        "customerType": draw.choice(("individual", "business")),
        "totalOrders": draw.randrange(9),
        "totalDevicesRented": devices,
        "totalMonthlyRevenue": round(devices * 19.9 + draw.randrange(100) / 100, 2),
        "status": "inactive" if draw.random() < 0.1 else "active",
        "orderIds": [f"ord_{_hex(draw, 10)}"],
        "rentalIds": [f"rental_{_hex(draw, 10)}" for _ in range(devices)],
        "lastBillingAddress": _address(name, place),
        "lastShippingAddress": _address(name, place),
        "customFields": {"vat": f"NL{draw.randrange(10**9):09d}B01"} if draw.random() < 0.3 else {},
        "createdBy": "system",
        "createdAt": _TIME,
        "updatedAt": _TIME,
    }


def _address(name: str, place: tuple[str, ...]) -> dict[str, str]:
    street, city, state, code, country = place
    return {
        "contactName": name,
        "buildingInfo": "2nd floor" if len(street) % 2 else "",
        "streetAddress": street,
        "city": city,
        "adminArea": state,
        "postalCode": code,
        "country": country,
    }


def _flatpeak(draw: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": _ID,
        "object": "customer",
        "live_mode": False,
        "time_created": _TIME,
        "account_id": "acc_65f2b1c0a7e94d3f8c21",
        "reference_id": f"CUS{_NUMBER}",
        "locations": [f"loc_{_hex(draw, 32)}" for _ in range(number % 3)],
    }


_MAKERS: dict[str, Callable[[random.Random, int], dict[str, Any]]] = {
    "flexprice": _flexprice,
    "flexportal": _flexportal,
    "flatpeak": _flatpeak,
}
