"""The caller's keywords, checked and put into the provider's words, before anything is sent.

Knows keywords and capabilities; must not know HTTP or how a provider pages.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ParamSpec, TypeVar

import attrs

from ._adapter import Adapter
from ._values import stamp
from .errors import InvalidRequestError, UnsupportedError
from .models import Customer, Metrics, Query, ReadOnlyDict

P = ParamSpec("P")
R = TypeVar("R")
Test = Callable[[Customer], bool]
ANY = "any"
_SORTED_HERE = (
    *("id", "external_id", "name", "first_name", "last_name", "company", "email", "phone", "kind", "status"),
    *("parent_id", "created_at", "updated_at", "account_id"),
)
_LONGEST = 4000  # an address that is longer is refused by most servers, and by httpx at 64 KiB


def known_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse a misspelt keyword by name: a provider may ignore it, and return everybody."""
    names = [n for n in inspect.signature(function).parameters if n != "self"]

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in names:
                raise UnsupportedError(f"there is no keyword {name}=: {nearest(name, names)}")
        return function(*args, **kwargs)

    return checked


def nearest(word: str, words: Iterable[str]) -> str:
    """What a word that is not known may have been meant for."""
    import difflib

    near = difflib.get_close_matches(word.casefold(), list(words), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(words))}"


@attrs.frozen(kw_only=True)
class Wanted:
    """The keywords of `customers()` as given."""

    email: str | None = None
    status: str | None = None
    kind: str | None = None
    external_id: str | Iterable[str] | None = None
    ids: str | Iterable[str] | None = None
    parent_ids: str | Iterable[str] | None = None
    created_after: datetime | date | str | None = None
    sort: str | None = None
    order: str | None = None
    params: Mapping[str, Any] | None = None
    page_size: int | None = None
    backwards: bool = False
    unsupported: str = "raise"


@attrs.frozen
class Sort:
    """An order that is made here, because the provider lacks it: a customer's field, or one of its metrics."""

    field: str
    down: bool

    def __call__(self, customers: Iterable[Customer]) -> list[Customer]:
        """The customers in that order; those without a value come last."""
        keyed = [(self._value(customer), customer) for customer in customers]
        known = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=self.down)
        return [customer for _, customer in known] + [customer for value, customer in keyed if value is None]

    def _value(self, customer: Customer) -> Any:
        if self.field in _SORTED_HERE:
            return getattr(customer, self.field)
        return None if customer.metrics is None else getattr(customer.metrics, self.field)


@attrs.frozen
class Checked:
    """The query in the provider's words, and what is to be filtered here."""

    query: Query
    local: dict[str, Test]
    values: dict[str, Any]
    hide: tuple[str, ...]
    sort: Sort | None = None


def check(adapter: Adapter, wanted: Wanted) -> Checked:
    """Check the keywords against what the provider can do.

    Raises:
        UnsupportedError: The provider lacks a filter, a word or a sort.
        InvalidRequestError: A value can't be right.
    """
    if wanted.unsupported not in {"raise", "local"}:
        raise InvalidRequestError("unsupported= is 'raise' or 'local'")
    filters = _filters(wanted)
    here_too = wanted.unsupported == "local"
    near = {name: value for name, value in filters.items() if _has(adapter, name, value, strictly=here_too)}
    far = {name: value for name, value in filters.items() if name not in near}
    if far.get("status") == ANY and not adapter.status_words:
        del far["status"]  # a provider without a status lists every customer that there is
    if far and wanted.unsupported == "raise":
        raise _lacking(adapter, next(iter(far)))
    sort, order, here = _sorting(adapter, wanted)
    query = Query(
        email=near.get("email"),
        status=_word(adapter, "status", near.get("status"), adapter.status_words, extra=(ANY,)),
        kind=_word(adapter, "kind", near.get("kind"), adapter.kind_words),
        external_ids=near.get("external_id"),
        ids=near.get("ids"),
        parent_ids=near.get("parent_ids"),
        created_after=near.get("created_after"),
        sort=sort,
        order=order,
        params=_params(wanted.params),
        page_size=_page_size(adapter, wanted.page_size),
        backwards=wanted.backwards,
    )
    if wanted.backwards and not adapter.capabilities.backwards:
        raise UnsupportedError(f"{adapter.title} can't be walked backwards: leave before= out", provider=adapter.name)
    tests = {name: _TESTS[name](value) for name, value in far.items()}
    values = far if here is None else {**far, "sort": [here.field, here.down]}
    return Checked(adapter.check_query(query), tests, values, tuple(texts([filters, wanted.params or {}])), here)


def _filters(wanted: Wanted) -> dict[str, Any]:
    singles = {name: text(getattr(wanted, name), name) for name in ("email", "status", "kind")}
    several = {name: _several(getattr(wanted, name), name) for name in ("external_id", "ids", "parent_ids")}
    times = {"created_after": _moment(wanted.created_after, "created_after")}
    return {name: value for name, value in {**singles, **several, **times}.items() if value is not None}


def _moment(value: Any, name: str) -> str | None:
    """A moment as text, in UTC; a date means its beginning."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return stamp(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    except (ValueError, OverflowError, AttributeError):
        raise InvalidRequestError(f"{name}= takes a date or a time, such as 2026-11-25 or 2026-11-25T08:00Z") from None


def text(value: Any, name: str, *, secret: bool = False) -> str | None:
    """A text that can be sent, or `None`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name}= takes a text, not {type(value).__name__}")
    if not value.strip():
        raise InvalidRequestError(f"{name}= is empty: leave it out (or None) if it is not meant")
    if len(value) > _LONGEST:
        raise InvalidRequestError(f"{name}= is too long to be sent ({len(value):,} characters)")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name}= holds half a character (a lone surrogate), which can't be sent") from None
    return str(value)


def _several(value: Any, name: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
        raise InvalidRequestError(f"{name}= takes a text or several, not {type(value).__name__}")
    found = tuple(dict.fromkeys(one for one in (_some(inner, name) for inner in value)))
    if not found:
        raise InvalidRequestError(
            f"{name}= is an empty list: a provider may take that for no filter and return everybody"
        )
    return found


def _some(value: Any, name: str) -> str:
    found = text(value, name)
    if found is None:
        raise InvalidRequestError(f"{name}= holds None: leave it out")
    return found


def _has(adapter: Adapter, name: str, value: Any, *, strictly: bool) -> bool:
    """Whether the provider filters by that; strictly, only if it knows the word: else nobody there can have it."""
    if name == "status" and value == ANY:
        return ANY in adapter.capabilities.statuses
    if name == "created_after":
        return adapter.capabilities.since
    words = {"status": adapter.status_words, "kind": adapter.kind_words}.get(name) if strictly else None
    return name in adapter.capabilities.filters and (words is None or value in words or value in words.values())


def _lacking(adapter: Adapter, name: str) -> UnsupportedError:
    since = ("created_after",) if adapter.capabilities.since else ()
    can = ", ".join((*adapter.capabilities.filters, *since)) or "nothing"
    return UnsupportedError(
        f"{adapter.title} can't filter by {name} (it can by {can}): unsupported='local' reads all and filters here",
        provider=adapter.name,
    )


def _word(
    adapter: Adapter, name: str, value: str | None, words: Mapping[str, str], extra: tuple[str, ...] = ()
) -> str | None:
    """The provider's own word for ours."""
    if value is None or value in extra or value in words.values():
        return value
    if value in words:
        return words[value]
    known = ", ".join(dict.fromkeys((*words, *words.values(), *extra)))
    raise UnsupportedError(f"{adapter.title} has no such {name}: it knows {known}", provider=adapter.name)


def _sorting(adapter: Adapter, wanted: Wanted) -> tuple[str | None, str | None, Sort | None]:
    """The provider's sort and order, or an order to be made here."""
    sort, order = text(wanted.sort, "sort"), text(wanted.order, "order")
    if order not in {None, "asc", "desc"}:
        raise InvalidRequestError("order= is 'asc' or 'desc'")
    can = adapter.capabilities
    lacking = (sort is not None and sort not in can.sorts) or (order is not None and order not in can.orders)
    if lacking and wanted.unsupported == "local":
        return None, None, _sort_here(sort or "created_at", order)
    if sort is not None and sort not in can.sorts:
        says = nearest(sort, can.sorts) if can.sorts else "it sorts by nothing"
        raise UnsupportedError(f"{adapter.title} can't sort by that (sort=): {says}", provider=adapter.name)
    if order is not None and order not in can.orders:
        raise UnsupportedError(
            f"{adapter.title} can't list in order={order!r}: it knows {', '.join(can.orders) or 'one order only'}",
            provider=adapter.name,
        )
    return sort, order, None


def _sort_here(field: str, order: str | None) -> Sort:
    known = (*_SORTED_HERE, *(a.name for a in attrs.fields(Metrics)))
    if field not in known:
        raise UnsupportedError(f"nothing can be sorted by that here (sort=): {nearest(field, known)}")
    return Sort(field, order == "desc")


def _params(params: Any) -> Mapping[str, Any]:
    if params is None:
        return ReadOnlyDict()
    if not isinstance(params, Mapping):
        raise InvalidRequestError("params= takes a mapping of the provider's own parameters")
    for name, value in params.items():
        text(name, "params")
        _sendable(value, str(name))
    return ReadOnlyDict(sorted(params.items()))


def _sendable(value: Any, name: str) -> None:
    if value is None:
        raise InvalidRequestError(f"params: {name} is None: leave it out")
    if isinstance(value, str):
        value.encode("utf-8", "strict") if value.isascii() else text(value, f"params: {name}")
    elif isinstance(value, Mapping):
        for inner in value.values():
            _sendable(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            _sendable(inner, name)
    elif not isinstance(value, bool | int | float):
        raise InvalidRequestError(f"params: {name} can't be sent as {type(value).__name__}")


def _page_size(adapter: Adapter, value: Any) -> int:
    largest = adapter.capabilities.max_page_size
    if value is None:
        return largest
    if type(value) is not int or not 1 <= value <= largest:
        raise InvalidRequestError(
            f"page_size= is a whole number from 1 to {largest}; max_items= limits how many customers come in all",
            provider=adapter.name,
        )
    return value


def texts(value: Any) -> Iterable[str]:
    """Every text in the caller's values, to be masked in errors."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


_TESTS: dict[str, Callable[[Any], Test]] = {
    "email": lambda want: lambda c: (c.email or "").casefold() == want.casefold(),
    "status": lambda want: lambda c: want in {c.status, c.raw_status, ANY},
    "kind": lambda want: lambda c: c.kind == want,
    "external_id": lambda want: lambda c: c.external_id in want,
    "ids": lambda want: lambda c: c.id in want,
    "parent_ids": lambda want: lambda c: c.parent_id in want,
    "created_after": lambda want: lambda c: c.created_at is not None and stamp(c.created_at) >= want,
}
