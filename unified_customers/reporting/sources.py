"""What a report can be made of, as customers by account, and what is known of the reading in the end.

Knows listings by what they can do: pages, reports, errors; must not know how they read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import CustomersError, InvalidRequestError
from ..models import Customer, Page
from .evidence import short
from .values import Failure, Reading

_IDS = 100
_WHAT = "a Client, a Directory, one of their listings, or an iterable of customers"
Part = tuple[str, Sequence[Customer]]


class Source:
    """Where the customers come from.

    Args:
        given: A client, a directory, a listing, or an iterable of customers or pages.

    Raises:
        InvalidRequestError: It is none of those.
    """

    def __init__(self, given: Any) -> None:
        if callable(getattr(given, "customers", None)):
            given = _all_of(given)
        if hasattr(given, "__aiter__") or not hasattr(given, "__iter__") or isinstance(given, str | bytes | Mapping):
            more = ": read an async listing into pages first, and give those" if hasattr(given, "__aiter__") else ""
            raise InvalidRequestError(f"a report is made of {_WHAT}, not of {type(given).__name__}{more}")
        self._listing = given

    def parts(self) -> Iterator[Part]:
        """Customers with their account's name, read anew."""
        pages = getattr(self._listing, "pages", None)
        for item in pages() if callable(pages) else self._listing:
            yield from _parts(item)

    @property
    def readings(self) -> dict[str, tuple[str, Reading]]:
        """What the walk of each account said of itself, with its provider; nothing where there was no walk."""
        report = getattr(self._listing, "report", None)
        reports = getattr(report, "accounts", None)
        if isinstance(reports, Mapping):
            return {name: (one.provider, _reading(one)) for name, one in reports.items()}
        return {} if report is None else {report.provider: (report.provider, _reading(report))}

    @property
    def known(self) -> set[str]:
        """Names of the accounts, where they are known before anything is read."""
        return set(self.readings)

    @property
    def failures(self) -> dict[str, Failure]:
        """Why accounts could not be read to their end."""
        errors = getattr(self._listing, "errors", None)
        if not isinstance(errors, Mapping):
            return {}
        return {name: Failure(kind=type(error).__name__, message=_said(error, name)) for name, error in errors.items()}


def _all_of(given: Any) -> Any:
    """Every customer of a client or a directory; a failed account doesn't end a directory's report."""
    from ..directory import AsyncDirectory, Directory  # noqa: PLC0415 - whoever has one has imported it

    if isinstance(given, AsyncDirectory) or hasattr(given, "__aenter__"):
        raise InvalidRequestError(f"a report is made of {_WHAT}; an async one can't be read here")
    query: dict[str, Any] = {"status": "any", "on_bad_record": "skip"}
    if isinstance(given, Directory):
        query["on_account_error"] = "collect"
    return given.customers(**query)


def _said(error: BaseException, account: str) -> str:
    """What the error says, without the account's name that a directory puts before it."""
    return error.message.removeprefix(f"{account}: ") if isinstance(error, CustomersError) else type(error).__name__


def _parts(item: Any) -> Iterator[Part]:
    if isinstance(item, Customer):
        yield _account(item), (item,)
    elif isinstance(item, Page):
        if item.items:  # a page of a client's listing has no account's name, and customers of one provider
            yield item.account or item.items[0].provider, item.items
    else:
        raise InvalidRequestError(f"a report is made of {_WHAT}; this iterable has a {type(item).__name__} in it")


def _account(customer: Customer) -> str:
    """The name of a loose customer's account: the provider's, and the tenant's where there is one."""
    return short(f"{customer.provider}/{customer.account_id}" if customer.account_id else customer.provider)


def _reading(report: Any) -> Reading:
    ids = (error.record_id for error in report.bad_records[:_IDS])
    return Reading(
        pages=report.pages,
        requests=report.requests,
        retries=report.retries,
        waited=round(report.waited, 3),
        scan=report.scan,
        duplicates=report.duplicates,
        drift=report.drift,
        bad=report.bad,
        bad_ids=tuple(short(one) for one in ids if one),
        filtered=report.filtered,
        unseen=report.unseen,
    )
