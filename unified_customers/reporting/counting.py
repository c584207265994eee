"""Counts of customers, one at a time: by field, by month, and what is missing.

Knows the common model; must not know where customers come from. What is kept doesn't grow with their number: of values
that a provider makes up as it goes, so many are counted by themselves and the others together.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, datetime

from ..models import Address, Customer
from .evidence import country, short
from .values import Breakdown, Count, Month, Quality, Spelling

MOST = 200
"""Different values of one field that are counted by themselves."""
_SPELLINGS_KEPT, _SPELLINGS_SHOWN = 1000, 10


class Words:
    """Customers by a field whose values nobody promised to keep few."""

    def __init__(self, most: int = MOST) -> None:
        self._counts: Counter[str | None] = Counter()
        self._most = most
        self._other = 0

    def add(self, value: str | None) -> None:
        """One more customer."""
        if value in self._counts or len(self._counts) < self._most:
            self._counts[value] += 1
        else:
            self._other += 1

    def breakdown(self) -> Breakdown:
        """The most frequent first; of the equally frequent in order of the word, nothing last."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
        return Breakdown(counts=tuple(Count(value=v, customers=n) for v, n in ranked), other=self._other)


class Months:
    """Customers by the month of their creation and by provider."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._counts: dict[str, Counter[str]] = {}
        self.undated = self.future = 0

    def add(self, provider: str, created: datetime | None) -> None:
        """One more customer."""
        if created is None:
            self.undated += 1
            return
        moment = created if created.tzinfo is not None else created.replace(tzinfo=UTC)
        if moment > self._now:
            self.future += 1
        year, month = _month(moment)
        self._counts.setdefault(f"{year:04}-{month:02}", Counter())[provider] += 1

    def months(self) -> tuple[Month, ...]:
        """Oldest first."""
        return tuple(
            Month(month=month, customers=counts.total(), by_provider=dict(sorted(counts.items())))
            for month, counts in sorted(self._counts.items())
        )


def _month(moment: datetime) -> tuple[int, int]:
    """In UTC; at the ends of the calendar, where another zone's time has no UTC, as it stands."""
    with contextlib.suppress(OverflowError):
        moment = moment.astimezone(UTC)
    return moment.year, moment.month


class Gaps:
    """How much is missing."""

    def __init__(self) -> None:
        self._missing: Counter[str] = Counter()
        self._spellings: Counter[str] = Counter()

    def add(self, customer: Customer, code: str | None) -> None:
        """One more customer."""
        addresses = [one for one in (customer.billing_address, customer.shipping_address) if one is not None]
        named = customer.name or customer.company or customer.first_name or customer.last_name
        present = {"email": customer.email, "phone": customer.phone, "name": named, "country": code}
        for name, value in present.items():
            if value is None or not value.strip():
                self._missing[name] += 1
        if not any(map(_says_where, addresses)):
            self._missing["address"] += 1
        if code is None:
            self._unread(addresses)

    def _unread(self, addresses: list[Address]) -> None:
        sent = next((one.country for one in addresses if one.country and one.country.strip()), None)
        if sent is None:
            return
        self._missing["read"] += 1
        spelling = short(sent)
        if spelling in self._spellings or len(self._spellings) < _SPELLINGS_KEPT:
            self._spellings[spelling] += 1

    def quality(self, months: Months, bad: int) -> Quality:
        """What is missing, with what the months and the walks know of it."""
        ranked = sorted(self._spellings.items(), key=lambda item: (-item[1], item[0]))[:_SPELLINGS_SHOWN]
        return Quality(
            without_email=self._missing["email"],
            without_phone=self._missing["phone"],
            without_country=self._missing["country"],
            without_address=self._missing["address"],
            without_name=self._missing["name"],
            unread_country=self._missing["read"],
            spellings=tuple(Spelling(country=text, customers=number) for text, number in ranked),
            undated=months.undated,
            future=months.future,
            bad_records=bad,
        )


def _says_where(address: Address) -> bool:
    """Whether there is anything of a place in it; a contact's name is none."""
    lines = (address.line1, address.line2, address.city, address.state, address.postal_code, address.country)
    return any(part and part.strip() for part in lines)


class Counts:
    """Everything that is counted of customers, whatever account they are of."""

    def __init__(self, now: datetime) -> None:
        self.customers = 0
        self.provider, self.kind, self.status, self.country = Words(), Words(), Words(), Words()
        self.months, self.gaps = Months(now), Gaps()

    def add(self, customer: Customer) -> None:
        """One more."""
        code = country(customer)
        self.customers += 1
        self.provider.add(customer.provider)
        self.kind.add(_word(customer.kind))
        self.status.add(_word(customer.status))
        self.country.add(code)
        self.months.add(customer.provider, customer.created_at)
        self.gaps.add(customer, code)


def _word(value: str | None) -> str | None:
    return None if value is None else short(str(value))
