"""Made-up people and firms in many scripts, and where they live.

Knows names, reserved phone ranges and reserved mail domains only. Must not know a provider's spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

NAMES = (
    ("Ada", "Lovelace"),
    ("Zoë", "Müller"),
    ("José", "Núñez Ángel"),
    ("Søren", "Ødegård"),
    ("Łukasz", "Żółć"),
    ("Þórunn", "Guðjónsdóttir"),
    ("Nguyễn", "Thị Ánh"),
    ("Siobhán", "O'Brien"),
    ("小龙", "李"),
    ("美咲", "佐藤"),
    ("민준", "김"),
    ("محمد", "الأحمد"),
    ("דוד", "כהן"),
    ("Анна", "Каренина"),
    ("Олександр", "Ґрищенко"),
    ("Ελένη", "Παπαδοπούλου"),
    ("अर्जुन", "शर्मा"),
    ("กมล", "ศรีสุข"),
    ("Zalgo", "Z\u0351\u036b\u0343a\u0369l\u0350g\u0310o"),  # combining marks
    ("Jose\u0301", "Decomposed"),  # the accent as its own character
    ("👩🏽\u200d🚀", "Emoji"),
    ("=SUM(A1)", "+cmd"),  # what a spreadsheet would run
    ("\u202eright", "to left"),  # a direction override
    ('Quote"', "Back\\slash"),
    ("Tab\there", "New\nline"),
    ("<b>Tag</b>", "& Söhne"),
    ("Prince", ""),
    ("A", "B"),
    ("Maximiliane", "von und zu Hohenstein-Lichtenau"),
    ("NULL", "None"),
)
COMPANIES = (
    "Acme Corporation",
    "Köln & Söhne <GmbH>",
    "株式会社サンプル",
    "ООО «Пример»",
    "شركة المثال",
    "उदाहरण प्राइवेट लिमिटेड",
    'O\'Reilly, "Quoted" & Co.',
    "@handle Ltd",
    "Ça & Là S.à r.l.",
)
DOMAINS = ("example.com", "example.org", "example.net", "shop.test")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")


class Place(NamedTuple):
    """A postal place, its country both as a name and as a code."""

    street: str
    city: str
    state: str
    postal_code: str
    country: str
    code: str


PLACES = (
    Place("Keizersgracht 1", "Amsterdam", "Noord-Holland", "1012 AB", "Netherlands", "NL"),
    Place("Domkloster 4", "Köln", "NW", "50667", "Germany", "DE"),
    Place("123 Main Street", "San Francisco", "CA", "94105", "United States", "US"),
    Place("10 Infinite Drive", "London", "Greater London", "SE11 0AA", "United Kingdom", "GB"),
    Place("千代田1-1", "東京", "東京都", "100-0001", "Japan", "JP"),
    Place("شارع الكورنيش 7", "الدوحة", "", "", "Qatar", "QA"),
    Place("MG Road 12", "Bengaluru", "KA", "560001", "India", "IN"),
    Place("Rue de l'Été 3", "Montréal", "QC", "H2X 1Y4", "Canada", "CA"),
    Place("1 O'Connell Street", "Dublin", "", "D01 F5P2", "Ireland", "IE"),
    Place("Nevskij pr. 5", "Tallinn", "Harju", "10111", "Estonia", "EE"),
)


class Person(NamedTuple):
    """One made-up person."""

    first: str
    last: str
    email: str
    phone: str
    company: str
    place: Place

    @property
    def name(self) -> str:
        """First and last name joined."""
        return f"{self.first} {self.last}".strip()


def make_person(random: Random, number: int) -> Person:
    """A person for that running number; the mail address holds it, so addresses differ."""
    draw = random.random
    first, last = NAMES[int(draw() * len(NAMES))]
    return Person(
        first,
        last,
        f"customer+{number}@{DOMAINS[int(draw() * 4)]}",
        phone(int(draw() * 1000)),
        COMPANIES[int(draw() * len(COMPANIES))],
        PLACES[int(draw() * len(PLACES))],
    )


def phone(number: int) -> str:
    """A number from the ranges reserved for fiction."""
    if number % 2:
        return f"+1-555-01{number % 100:02d}"
    return f"+44 20 7946 0{number % 1000:03d}"
