"""One pass over customers, and what comes of it.

Knows who counts what; must not know how anything is counted, matched or shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..errors import InvalidRequestError
from ..models import Customer
from .clusters import found
from .counting import Counts
from .evidence import country, keys, numbers, short
from .matches import Matches
from .money import Ledger, shared
from .notes import notes
from .sources import Source
from .stores import Key, Memory, Person, Store
from .summary import Summary
from .values import Account, Matching, Revenue

IN_MEMORY = 20_000
"""Customers that matching keeps in memory; more go to disk."""
WITHOUT_DUCKDB = 100_000
"""Customers that matching keeps in memory at most, where DuckDB is not installed."""
_BATCH = 2000
_CUT = 300


def report(
    source: Any, *, currency: Mapping[str, str] | None = None, matching: bool = True, now: datetime | None = None
) -> Summary:
    """Count the customers of a source in one pass, and find those that seem to be the same.

    Memory doesn't grow with the number of customers, but for some 18 bytes each: beyond 20,000 customers, what matching
    compares goes to a temporary database on disk, which is deleted at the end.

    Args:
        source: A `Client` or `Directory`: all their customers, archived ones too; bad records are left out and
            counted, and a directory's account that fails leaves an incomplete report. Or a listing of either, which is
            read as it was asked for. Or any iterable of customers, or of pages.
        currency: The currency of accounts by name, as you know them: the providers don't send it. Revenue is added up
            over the accounts for which you name the same.
        matching: Whether to look for the same customer at several accounts, and twice in one.
        now: The time of the report; the present by default.

    Raises:
        ConfigurationError: Matching needs the extra `report`, and it is not installed; or the temporary folder is full.
        InvalidRequestError: `source` is something else, or `currency` names an account that a directory doesn't have.
        CustomersError: Reading failed, and the source doesn't collect errors.
    """
    given = Source(source)
    named = _currencies(currency, given)
    with _matcher(wanted=matching) as matcher:
        making = _Making(_utc(now), matcher)
        for account, customers in given.parts():
            making.add(account, customers)
        return making.summary(given, named)


def _utc(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now.astimezone(UTC) if now.tzinfo is not None else now.replace(tzinfo=UTC)


def _currencies(currency: Mapping[str, str] | None, given: Source) -> dict[str, str]:
    named: dict[str, Any] = dict(currency or {})
    for account, word in named.items():
        if not isinstance(word, str) or not word.strip():
            raise InvalidRequestError('currency= maps an account\'s name to its currency, such as {"doha": "QAR"}')
        if given.known and account not in given.known:
            raise InvalidRequestError(
                f"currency= names the account {account!r}; the accounts are {', '.join(sorted(given.known))}"
            )
    return {account: word.strip().upper() for account, word in named.items()}


class _Matcher:
    """Keeps what matching needs: in memory first, and on disk when that is too much."""

    def __init__(self) -> None:
        self._phones = numbers()
        self._store: Store = Memory()
        self._count = 0
        self._people: list[Person] = []
        self._keys: list[list[Key]] = []

    def add(self, account: str, customers: Iterable[Customer]) -> None:
        """Keep some more."""
        for customer in customers:
            self._people.append(_person(account, customer))
            self._keys.append(keys(customer, self._phones))
        if len(self._people) >= _BATCH:
            self._put()

    def _put(self) -> None:
        self._count += len(self._people)
        if isinstance(self._store, Memory) and self._count > IN_MEMORY:
            self._move(self._store)
        self._store.add(self._people, self._keys)
        self._people, self._keys = [], []

    def _move(self, memory: Memory) -> None:
        """Go on on disk, if there is DuckDB."""
        from .stores_duckdb import on_disk  # noqa: PLC0415 - only large reports need it

        disk = on_disk(self._count, WITHOUT_DUCKDB)
        if disk is not None:
            self._store = disk
            for start in range(0, len(memory.people), _BATCH):
                disk.add(memory.people[start : start + _BATCH], memory.keys[start : start + _BATCH])

    def found(self) -> tuple[Matching, Matches]:
        """What came of it."""
        self._put()
        return found(self._store, self._count)

    def close(self) -> None:
        """Delete what was kept."""
        self._store.close()


@contextmanager
def _matcher(*, wanted: bool) -> Iterator[_Matcher | None]:
    if not wanted:
        yield None
        return
    matcher = _Matcher()
    try:
        yield matcher
    finally:
        matcher.close()


def _person(account: str, customer: Customer) -> Person:
    status = None if customer.status is None else str(customer.status)
    name = customer.name or " ".join(part for part in (customer.first_name, customer.last_name) if part)
    texts = (customer.external_id, name or None, customer.company, customer.email, customer.phone, status)
    external, name_, company, email, phone, word = (_cut(text) for text in texts)
    return account, customer.provider, _plain(customer.id), external, name_, company, email, phone, word


def _cut(text: str | None) -> str | None:
    return None if text is None else _plain(text if len(text) <= _CUT else f"{text[:_CUT]}…")


def _plain(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class _Making:
    """A report in the making."""

    def __init__(self, now: datetime, matcher: _Matcher | None) -> None:
        self._now = now
        self._matcher = matcher
        self._counts = Counts(now)
        self._ledgers: dict[str, Ledger] = {}
        self._accounts: dict[str, tuple[str, int]] = {}

    def add(self, account: str, customers: Iterable[Customer]) -> None:
        """Some more customers of an account."""
        ledger = self._ledgers.setdefault(account, Ledger(account))
        provider, number = self._accounts.get(account, ("", 0))
        for customer in customers:
            self._counts.add(customer)
            ledger.add(customer, country(customer))
            provider, number = customer.provider, number + 1
        self._accounts[account] = provider, number
        if self._matcher is not None:
            self._matcher.add(account, customers)

    def summary(self, given: Source, currency: Mapping[str, str]) -> Summary:
        """What came together."""
        accounts = self._all_accounts(given)
        revenues = self._revenues(currency)
        matching, matches = (None, Matches()) if self._matcher is None else self._matcher.found()
        counts = self._counts
        bad = sum(one.reading.bad for one in accounts if one.reading is not None)
        summary = Summary(
            made_at=self._now,
            complete=all(one.complete for one in accounts),
            customers=counts.customers,
            accounts=accounts,
            by_provider=counts.provider.breakdown(),
            by_kind=counts.kind.breakdown(),
            by_status=counts.status.breakdown(),
            by_country=counts.country.breakdown(),
            months=counts.months.months(),
            revenue=revenues,
            shared_revenue=shared(revenues),
            quality=counts.gaps.quality(counts.months, bad),
            matching=matching,
            matches=matches,
        )
        return notes(summary, unknown=set(currency) - set(self._accounts) - given.known)

    def _revenues(self, currency: Mapping[str, str]) -> tuple[Revenue, ...]:
        made = (ledger.revenue(currency.get(name)) for name, ledger in sorted(self._ledgers.items()))
        return tuple(one for one in made if one is not None)

    def _all_accounts(self, given: Source) -> tuple[Account, ...]:
        readings, failures = given.readings, given.failures
        made = []
        for name in sorted({*self._accounts, *readings, *failures}):
            provider, number = self._accounts.get(name, ("", 0))
            walked, reading = readings.get(name, (provider, None))
            error = failures.get(name)
            bad = reading.bad if reading is not None else 0
            made.append(
                Account(
                    name=name,
                    provider=short(provider or walked),
                    customers=number,
                    complete=error is None and not bad,
                    error=error,
                    reading=reading,
                )
            )
        return tuple(made)
