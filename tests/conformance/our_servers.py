"""The suite's three fakes as the kit wants them: `n` made-up customers in `.records`, which decide every answer.

A record that the kit puts in or changes becomes a person again before each request, for the fake's filters and order.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import unquote

from fakes import FakeFlatpeak, FakeFlexPortal, FakeFlexprice, Person, asked_of, reply


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
        path, query = asked_of(request)
        own = query.get("id", [unquote(path.rpartition("/customers")[2].lstrip("/"))])[0]
        if request.method in {"PUT", "PATCH", "DELETE"} or (request.method == "POST" and not own):
            return self.write(request.method, own, json.loads(request.body or b"{}"))
        self.people = {id_: self.person(id_, record) for id_, record in self.records.items()}
        return super().answer(request)

    def person(self, id_: str, record: dict[str, Any]) -> Person:
        known = self.known.get(id_)
        fields = {field: record.get(name) or "" for name, field in self.names.items()}
        person = Person(id=id_, at=known.at if known else 0, **{**fields, "status": self.status(record)})
        person.iso = record.get(self.created, person.iso)
        return person

    def write(self, method: str, own: str, sent: dict[str, Any]):
        if method == "POST":
            own = f"new_{len(self.records)}"
            self.records[own] = {**self.blank(own), **sent}
            return reply(201, self.records[own])
        if own not in self.records:
            return reply(404, {})
        if method == "DELETE":
            return self.remove(own)
        self.records[own] |= sent
        return reply(200, self.records[own])

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
                "lastBillingAddress": {
                    "contactName": f"Plantagenet {k}",
                    "streetAddress": f"Plantlane {k}",
                    "city": "Delft",
                    "country": "NL",
                },
                "customFields": {"tier": "gold"},
                "totalOrders": k,
                "totalMonthlyRevenue": "12.50",
                "totalDevicesRented": 3,
                "profitability": {"customerMargin": 1.5},
                "updatedAt": "2024-02-01T10:00:00Z",
            }

    def write(self, method, own, sent):
        sent.pop("customerId", None)
        for name in ("Billing", "Shipping"):
            if f"{name.lower()}Address" in sent:
                sent[f"last{name}Address"] = sent.pop(f"{name.lower()}Address")
        done = super().write(method, own, sent)
        return reply(200, {"success": True, "customer": json.loads(done.body)}) if done.status == 200 else done

    def remove(self, own):
        self.records[own]["status"] = "inactive"
        return reply(200, self.records[own])

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

    def write(self, method, own, sent):
        """Published external ids are kept apart, and archived customers are gone."""
        published = [record for record in self.records.values() if record["status"] == "published"]
        if method == "POST" and any(record["external_id"] == sent["external_id"] for record in published):
            return reply(409, {"code": "already_exists"})
        gone = method == "DELETE" and self.records.get(own, {}).get("status") != "published"
        return reply(404, {"code": "not_found"}) if gone else super().write(method, own, sent)

    def blank(self, own):
        return {"id": own, "status": "published", "created_at": "2024-03-01T10:00:00Z", "metadata": None}

    def remove(self, own):
        self.records[own]["status"] = "archived"
        return reply(204, b"")

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

    def blank(self, own):
        return {"id": own, "object": "customer", "time_created": "2024-03-01T10:00:00Z"}

    def remove(self, own):
        del self.records[own]
        return reply(202, {"message": "Accepted"})
