"""The suite's three fakes as the kit wants them: `n` made-up customers in `.records`, which decide every answer.

A record that the kit puts in or changes becomes a person again before each request, for the fake's filters and order.
"""

from __future__ import annotations

from typing import Any, ClassVar

from fakes import FakeFlatpeak, FakeFlexPortal, FakeFlexprice, Person


def made_up(n: int, words: tuple[str, ...] = ("published",)) -> list[Person]:
    """People whose ids sort in no order of time; each third shares its moment with the one before."""
    return [
        Person(
            id=f"cus_{(k * 7919 + 13) % 100_003:05d}",
            at=(k - (k % 3 == 1)) * 1_000_000,
            status=words[k % len(words)],
            name=f"Person{k} Plantagenet",
            kind=("individual", "business")[k % 2],
            parent=f"par_{k % 2}",
        )
        for k in range(n)
    ]


class Recorded:
    """Mixed into a fake: its people are what the records say."""

    names: ClassVar[dict[str, str]]
    created: ClassVar[str]

    def remember(self, people: list[Person]) -> None:
        self.known = {person.id: person for person in people}
        self.records = {person.id: super(Recorded, self).raw(person) for person in people}

    def answer(self, request):
        self.people = {id_: self.person(id_, record) for id_, record in self.records.items()}
        return super().answer(request)

    def person(self, id_: str, record: dict[str, Any]) -> Person:
        known = self.known.get(id_)
        fields = {field: record.get(name) or "" for name, field in self.names.items()}
        person = Person(id=id_, at=known.at if known else 0, **{**fields, "status": self.status(record)})
        person.iso = record.get(self.created, person.iso)
        return person

    def status(self, record: dict[str, Any]) -> str:
        return str(record.get("status") or "published")

    def raw(self, person: Person) -> dict[str, Any]:
        return self.records[person.id]


class Portal(Recorded, FakeFlexPortal):
    """FlexPortal with addresses, figures and fields of one's own."""

    names: ClassVar = {"email": "email", "firstName": "name", "customerType": "kind"}
    created = "createdAt"

    def __init__(self, n: int, **options: Any):
        super().__init__(**options)
        self.remember(made_up(n))
        for k, record in enumerate(self.records.values()):
            record |= {
                "phone": f"+3160000{k:04d}",
                "lastBillingAddress": {"streetAddress": f"Plantlane {k}", "city": "Delft", "country": "NL"},
                "customFields": {"tier": "gold"},
                "totalOrders": k,
                "totalMonthlyRevenue": "12.50",
                "totalDevicesRented": 3,
                "profitability": {"customerMargin": 1.5},
                "updatedAt": "2024-02-01T10:00:00Z",
            }

    @staticmethod
    def word(person: Person) -> str:
        return {"published": "active"}.get(person.status, person.status)


class Price(Recorded, FakeFlexprice):
    """Flexprice's real server."""

    names: ClassVar = {"email": "email", "name": "name", "external_id": "ref", "parent_customer_id": "parent"}
    created = "created_at"

    def __init__(self, n: int, **options: Any):
        super().__init__(**options)
        self.remember(made_up(n))
        for k, record in enumerate(self.records.values()):
            record |= {
                "contact": f"+3160000{k:04d}",
                "address_line1": f"Plantlane {k}",
                "address_country": "NL",
                "metadata": {"tier": "gold"},
                "updated_at": "2024-02-01T10:00:00Z",
            }

    def _sort(self, rows: list[Person], keys: list[tuple[str, bool]]) -> None:
        """By columns too that a person does not have."""
        super()._sort(rows, [(name, down) for name, down in keys if hasattr(Person, name)])


class Peak(Recorded, FakeFlatpeak):
    """Flatpeak, with the details of its older releases."""

    names: ClassVar = {"reference_id": "ref"}
    created = "time_created"

    def __init__(self, n: int, *, signed_in: bool = False, **options: Any):
        super().__init__(**options)
        if signed_in:  # somebody else did, and the token is tok1
            self.logins, self._left = 1, self.lives
        self.remember(made_up(n))
        for k, record in enumerate(self.records.values()):
            record |= {
                "personal_details": {"email": f"p{k}@mail.example", "phone": f"+3160000{k:04d}"},
                "postal_address": {"address_line1": f"Plantlane {k}", "country_code": "NL"},
            }
