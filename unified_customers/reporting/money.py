"""Monthly revenue of one account: the sum, the ten highest, by country; and sums over accounts that share a currency.

Knows decimal figures; must not know a provider. No provider sends a currency with its revenue (FlexPortal's documents:
one fixed currency per business unit), so figures of two accounts are added only where the caller says that they are of
one currency. Sums are exact.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from functools import reduce

from ..models import Customer
from .evidence import short
from .values import CountryRevenue, Revenue, TopCustomer

_TOP = 10
_EXACT = Context(prec=200)
_HIGHEST, _FINEST = 60, -60  # powers of ten that an amount of money may have; 200 digits hold any sum of such


def add(first: Decimal, second: Decimal) -> Decimal:
    """Their sum, with every digit."""
    return _EXACT.add(first, second)


def readable(amount: Decimal) -> bool:
    """Whether it can be an amount of money; 1E+999999 is a number that would need a megabyte."""
    if not amount.is_finite():
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _FINEST and amount.adjusted() <= _HIGHEST


class Ledger:
    """The revenue of one account."""

    def __init__(self, account: str) -> None:
        self.account = account
        self._total = Decimal(0)
        self._numbers: Counter[str] = Counter()
        self._top: list[tuple[Decimal, _Falling, str | None]] = []
        self._countries: dict[str | None, Decimal] = defaultdict(Decimal)
        self._customers: Counter[str | None] = Counter()

    def add(self, customer: Customer, country: str | None) -> None:
        """One more customer, if it has a figure."""
        amount = customer.metrics.monthly_revenue if customer.metrics is not None else None
        if amount is None:
            return
        if not readable(amount):
            self._numbers["unreadable"] += 1
            return
        self._numbers["customers"] += 1
        self._numbers["paying" if amount > 0 else "negative" if amount < 0 else "nought"] += 1
        self._total = add(self._total, amount)
        self._countries[country] = add(self._countries[country], amount)
        self._customers[country] += 1
        self._rank(customer, amount)

    def _rank(self, customer: Customer, amount: Decimal) -> None:
        if amount <= 0 or (len(self._top) == _TOP and amount < self._top[0][0]):
            return
        name = customer.name or customer.company
        entry = (amount, _Falling(customer.id), short(name) if name else None)
        if len(self._top) < _TOP:
            heapq.heappush(self._top, entry)
        elif entry[:2] > self._top[0][:2]:
            heapq.heapreplace(self._top, entry)

    def revenue(self, currency: str | None) -> Revenue | None:
        """What came together; `None` where no customer had a figure."""
        if not self._numbers:
            return None
        ranked = sorted(self._top, key=lambda entry: entry[:2], reverse=True)
        top = (
            TopCustomer(account=self.account, id=id_.text, name=name, revenue=amount) for amount, id_, name in ranked
        )
        return Revenue(
            accounts=(self.account,),
            currency=currency,
            total=self._total,
            customers=self._numbers["customers"],
            paying=self._numbers["paying"],
            negative=self._numbers["negative"],
            unreadable=self._numbers["unreadable"],
            top=tuple(top),
            by_country=_ranked(self._countries, self._customers),
        )


class _Falling:
    """An id that counts for more the earlier it stands in the alphabet, so that equals rank in one order only."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _Falling) -> bool:
        return self.text > other.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]


def _ranked(amounts: Mapping[str | None, Decimal], customers: Mapping[str | None, int]) -> tuple[CountryRevenue, ...]:
    ranked = sorted(amounts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    return tuple(CountryRevenue(country=code, revenue=sum_, customers=customers[code]) for code, sum_ in ranked)


def shared(revenues: Iterable[Revenue]) -> tuple[Revenue, ...]:
    """Sums over the accounts of each currency that the caller named for two or more."""
    groups: dict[str, list[Revenue]] = defaultdict(list)
    for one in revenues:
        if one.currency is not None:
            groups[one.currency].append(one)
    return tuple(reduce(_both, group) for _, group in sorted(groups.items()) if len(group) > 1)


def _both(one: Revenue, two: Revenue) -> Revenue:
    amounts: dict[str | None, Decimal] = defaultdict(Decimal)
    customers: Counter[str | None] = Counter()
    for part in (*one.by_country, *two.by_country):
        amounts[part.country] = add(amounts[part.country], part.revenue)
        customers[part.country] += part.customers
    top = sorted((*one.top, *two.top), key=lambda entry: (-entry.revenue, entry.account, entry.id))
    return Revenue(
        accounts=(*one.accounts, *two.accounts),
        currency=one.currency,
        total=add(one.total, two.total),
        customers=one.customers + two.customers,
        paying=one.paying + two.paying,
        negative=one.negative + two.negative,
        unreadable=one.unreadable + two.unreadable,
        top=tuple(top[:_TOP]),
        by_country=_ranked(amounts, customers),
    )
