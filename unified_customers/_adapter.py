"""What an adapter is: the one protocol between a provider's ways and everything that is written once.

Knows values only; must not know httpx or any one provider. Inheriting from `Adapter` is optional: it brings
the answers of a provider that needs no sign-in, has no total and forgets no cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar, Protocol, TypeAlias, overload

import attrs
import msgspec

from ._countries import code_of
from ._values import stamp
from ._wire import Request, Response, Token
from .errors import ApiError, BadRecordError, Fault, FilterIgnoredError, UnsupportedError
from .models import EMPTY, Address, Capabilities, Customer, Query

Position: TypeAlias = Any
"""Where a walk stands: a small frozen attrs value, one of the adapter's `positions`."""

Keep: TypeAlias = Callable[[BadRecordError], Customer | None]
"""What to do with a record that can't be read: raise it, or return what stands in for it, if anything."""


class Row(msgspec.Struct, gc=False):
    """One record of a page: its place in the list, and the customer, unless it could not be read.

    Attributes:
        moment: When the record was created.
        made: The customer, where it was built already.
        page: The page that builds it, else.
        number: Which record of that page it is, from 0.
    """

    id: str
    moment: datetime | None
    made: Customer | None = None
    page: Rows | None = None
    number: int = 0

    @property
    def customer(self) -> Customer | None:
        """The customer, or `None`."""
        return self.made if self.page is None else self.page.make(self.number)

    def __repr__(self) -> str:
        return f"Row(id={self.id!r})"


class Rows(Sequence[Row]):
    """The records of a page that was decoded the fast way, with a column each of ids and moments.

    A row is made when it is asked for, and so is a customer: where none is kept, each is gone before the next is made,
    and the garbage collector never hears of it.

    Args:
        ids: The ids.
        moments: When each was created.
        make: What builds the customer of a number.
    """

    __slots__ = ("ids", "make", "moments")

    def __init__(self, ids: list[str], moments: list[datetime | None], make: Callable[[int], Customer]) -> None:
        self.ids, self.moments, self.make = ids, moments, make

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self.ids)))]
        number = index if index >= 0 else index + len(self.ids)
        return Row(self.ids[index], self.moments[index], None, self, number)


def ids_of(rows: Sequence[Row]) -> list[str]:
    """The ids of rows."""
    return rows.ids if isinstance(rows, Rows) else [row.id for row in rows]


def moments_of(rows: Sequence[Row]) -> list[datetime | None]:
    """When the rows were created."""
    return rows.moments if isinstance(rows, Rows) else [row.moment for row in rows]


class Unbuilt(Sequence[Customer]):
    """The customers of rows that were decoded the fast way, each built when it is asked for.

    Attributes:
        ids: The customers' ids.
        make: What builds the customer of a number.
    """

    __slots__ = ("ids", "make")

    def __init__(self, ids: list[str], make: Callable[[int], Customer]) -> None:
        self.ids, self.make = ids, make

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Customer: ...
    @overload
    def __getitem__(self, index: slice) -> Unbuilt: ...
    def __getitem__(self, index: int | slice) -> Customer | Unbuilt:
        if isinstance(index, slice):
            return self.picked(range(*index.indices(len(self.ids))))
        return self.make(range(len(self.ids))[index])

    def __iter__(self) -> Iterator[Customer]:
        return map(self.make, range(len(self.ids)))

    def picked(self, numbers: Sequence[int]) -> Unbuilt:
        """Some of them, by their numbers."""
        make = self.make
        return Unbuilt([self.ids[n] for n in numbers], lambda n: make(numbers[n]))


@attrs.frozen(kw_only=True)
class Batch:
    """What one answer adds to a walk.

    Attributes:
        items: Customers not handed out before, in the order of the walk.
        at: The position after the first `n` of `items`.
        next: Where to go on, or `None` at the end.
        recovered: The walk stepped back or changed its method, so rules about repetition rest for this answer.
        why: In a word, why it recovered.
        dropped: How many rows were left out because they had been handed out; not those that the walk itself asked for
            again, which say nothing about the provider.
        scan: How the list is read: ``"cursor"``, ``"keyset"`` or ``"offset"``.
        previous: Where a walk backwards from the first item would start.
        fallback: What to do instead if most of `items` turn out to have been handed out long ago: the provider may
            have started again from the top.
        strict: An item that turns out to have been handed out proves that the list has no order to go by.
        unseen: How many customers were created in front of a newest-first walk since its start, where that is known.
    """

    items: Sequence[Customer]
    at: Callable[[int], Position]
    next: Position | None
    total: int | None = None
    recovered: bool = False
    why: str = ""
    dropped: int = 0
    scan: str = "cursor"
    previous: Position | None = None
    fallback: Callable[[], Batch] | None = None
    strict: bool = False
    unseen: int | None = None

    def built(self) -> Batch:
        """The same, its customers built once and for all: for whoever looks at them more than once."""
        return attrs.evolve(self, items=tuple(self.items)) if isinstance(self.items, Unbuilt) else self


@attrs.frozen(kw_only=True)
class Problem:
    """What a provider's error body says, as far as it could be read.

    Attributes:
        says: For people; the status and the advice are added.
        cls: A class that fits better than the status's own.
        advice: What to do, where the general advice would mislead.
    """

    says: str = ""
    code: str | None = None
    details: Any = None
    request_id: str | None = None
    cls: type[ApiError] | None = None
    advice: str = ""


class Adapter(Protocol):
    """One provider: its settings as fields, its ways as pure methods."""

    name: ClassVar[str]
    title: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    positions: ClassVar[tuple[type[Any], ...]]
    status_words: ClassVar[Mapping[str, str]] = EMPTY
    kind_words: ClassVar[Mapping[str, str]] = EMPTY
    environment: ClassVar[Mapping[str, str]] = EMPTY
    """Setting by environment variable's suffix, such as ``{"api_key": "API_KEY"}``."""
    key_advice: ClassVar[str] = "check the key"
    own_names: ClassVar[tuple[str, ...]] = ()
    """Names in a body that the library writes itself, so that ``params=`` of `create()` and `update()` can't."""

    def account(self) -> tuple[str, ...]:
        """What tells this account from another: never the key, which may rotate."""
        ...

    def home(self, customer: Customer) -> str:
        """The account that a customer lies in, as its record tells: the key alone may say which one is read."""
        return customer.account_id or ""

    def secrets(self) -> tuple[str, ...]:
        """Texts that must never be shown."""
        ...

    def start(self, query: Query) -> Position:
        """The position before the first customer; may refuse what the provider can't do."""
        ...

    def start_before(self, query: Query, customer_id: str) -> Position:
        """The position for a walk backwards from a customer."""
        raise UnsupportedError(f"{self.title} can't be walked backwards: leave before= out")

    def list_request(self, query: Query, position: Position) -> Request:
        """The request for the page at `position`."""
        ...

    def read_page(self, query: Query, position: Position, response: Response, keep: Keep) -> Batch:
        """What that page's answer adds to the walk."""
        ...

    def one(self, *, id: str | None, external_id: str | None) -> tuple[Request, Callable[[Response], Customer]]:
        """The request for one customer, and how its answer is read."""
        ...

    def problem(self, response: Response) -> Problem:
        """What an error answer says."""
        ...

    def understands(self, query: Query, position: Position, response: Response) -> bool:
        """Whether `read_page` makes something of this error status, such as a cursor that is gone."""
        return False

    def check_query(self, query: Query) -> Query:
        """The query in the provider's own words; refuses what general rules can't see."""
        return query

    def breaks(self, query: Query, customer: Customer) -> str | None:
        """The filter of the query that this customer breaks, or `None`."""
        return broken_filter(query, customer)

    def count(self, query: Query) -> Sequence[tuple[Request, Callable[[Response], int]]]:
        """Requests whose numbers add up to the total of `query`."""
        raise UnsupportedError(f"{self.title} tells no total: count the customers of a walk instead")

    def spread(self, query: Query, position: Position) -> Position:
        """The same place, for a walk that has pages in flight at the same time."""
        raise UnsupportedError(
            f"{self.title} can't be read concurrently: where a page starts is known from the page before it. "
            "prefetch= reads ahead, and Directory reads accounts at the same time"
        )

    def loosen(self, query: Query, position: Position) -> Position:
        """The same place, for a walk that hands pages out as their answers come, in no order."""
        self.spread(query, position)  # says why, where not even that can be done
        raise UnsupportedError(f"{self.title} is read in order: leave ordered= out")

    def places(self, query: Query, position: Position, count: int) -> Sequence[Position]:
        """Up to `count` ways to go on from `position`, each with a request of its own: any may be answered first."""
        return (position,)

    def foresee(self, query: Query, position: Position, count: int) -> Sequence[Position]:
        """Up to `count` places that a walk which stands at `position` will come to, if nothing moves."""
        return ()

    def probe(self, query: Query) -> tuple[Request, Callable[[Response], str]] | None:
        """A request that finds out how a long list would be read, for `check()`."""
        return None

    def signs_in(self) -> bool:
        """Whether a token has to be fetched first."""
        return False

    def sign_in_request(self) -> Request:
        """The request for a token."""
        raise UnsupportedError(f"{self.title} needs no sign-in")

    def read_token(self, response: Response, now: float) -> Token:
        """The token of that answer; `now` is in seconds on the client's monotonic clock."""
        raise UnsupportedError(f"{self.title} needs no sign-in")

    def signed(self, request: Request, token: Token) -> Request:
        """The request with the token."""
        return request

    # Writing: whoever can't inherits a refusal

    def faults(self, fields: Mapping[str, Any], *, creating: bool) -> Iterable[Fault]:
        """What the provider would refuse or spoil in fields that capabilities list and general rules let through.

        Args:
            fields: By their names in `Customer`, `params` beside them; `None` is to be cleared.
            creating: Whether they are for `create`, rather than for `update`.
        """
        return ()

    def create(self, fields: Mapping[str, Any]) -> tuple[Request, Callable[[Response], Customer]]:
        """The request that creates a customer of checked fields, not `safe`, and how its answer is read."""
        raise UnsupportedError(f"{self.title} creates no customers here")

    def looks_first(self, fields: Mapping[str, Any]) -> bool:
        """Whether `update` has to know the customer as it is."""
        return False

    def update(
        self, id: str, fields: Mapping[str, Any], current: Customer | None
    ) -> Sequence[tuple[Request, Callable[[Response], Customer]]]:
        """The requests that change a customer, one after another, each harmless when repeated.

        Args:
            id: The customer's.
            fields: Checked fields: what is not among them stays.
            current: The customer as it is, where `looks_first` asked for it.
        """
        raise UnsupportedError(f"{self.title} changes no customers here")

    def archive(self, id: str) -> tuple[Request, Callable[[Response], None]]:
        """The request that takes a customer out of use and leaves it stored."""
        raise UnsupportedError(f"{self.title} archives no customers")

    def delete(self, id: str) -> tuple[Request, Callable[[Response], None]]:
        """The request that erases a customer and what hangs on it."""
        raise UnsupportedError(f"{self.title} erases no customers")

    def differences(self, fields: Mapping[str, Any], customer: Customer) -> tuple[str, ...]:
        """Names of those `fields` that a customer does not show as they were to be written."""
        ours = {theirs: word for word, theirs in self.kind_words.items()}
        kind = {"kind": ours.get(fields["kind"], fields["kind"])} if "kind" in fields else {}
        return differing({**fields, **kind}, customer, self.capabilities.address)


_NEEDED = ("account", "list_request", "one", "problem", "read_page", "secrets", "start")


def lacking(cls: type[Any]) -> list[str]:
    """Methods that an adapter must write and has not, whether it inherits from `Adapter` or not."""
    return [name for name in _NEEDED if getattr(cls, name, None) in {None, getattr(Adapter, name)}]


def _as_many(count: int) -> int:
    return count


def _built(row: Row) -> Any:
    return row.customer


def readable(rows: Sequence[Row]) -> tuple[Sequence[Customer], Callable[[int], int]]:
    """The customers of `rows`, and how many rows lie behind so many of them; all rows, once no customer is left."""
    if isinstance(rows, Rows):
        return Unbuilt(rows.ids, rows.make), _as_many
    if all(row.page is not None for row in rows):
        return Unbuilt(ids_of(rows), lambda number: _built(rows[number])), _as_many
    good = [(n, row.customer) for n, row in enumerate(rows, 1)]
    found = [(n, customer) for n, customer in good if customer is not None]

    def behind(count: int) -> int:
        return len(rows) if count >= len(found) else found[count - 1][0] if count else 0

    return tuple(customer for _, customer in found), behind


def broken_filter(query: Query, customer: Customer) -> str | None:
    """The unified filter that a row breaks; e-mails are compared without regard to case."""
    if query.email is not None and (customer.email or "").casefold() != query.email.casefold():
        return "email"
    if query.status is not None and customer.raw_status != query.status:
        return "status"
    if query.kind is not None and str(customer.kind) != query.kind:
        return "kind"
    if query.created_after is not None and (
        customer.created_at is None or stamp(customer.created_at) < query.created_after
    ):
        return "created_after"
    sets = (
        ("external_id", query.external_ids, customer.external_id),
        ("ids", query.ids, customer.id),
        ("parent_ids", query.parent_ids, customer.parent_id),
    )
    for name, allowed, value in sets:
        if allowed is not None and value not in allowed:
            return name
    return None


def differing(fields: Mapping[str, Any], customer: Customer, parts: Iterable[str]) -> tuple[str, ...]:
    """Names of `fields` in which a customer differs; of an address, its `parts` are compared."""
    found: list[str] = []
    for name, wanted in fields.items():
        if name != "params":
            found += _differing(name, wanted, customer, parts)
    return tuple(found)


def _differing(name: str, wanted: Any, customer: Customer, parts: Iterable[str]) -> list[str]:
    shown: Any = customer.raw_status if name == "status" else getattr(customer, name)
    if name.endswith("_address"):
        one, other = wanted or Address(), shown or Address()
        return [f"{name}.{part}" for part in parts if _part(one, part) != _part(other, part)]
    if name == "metadata":
        return [] if dict(wanted or {}) == dict(shown) else [name]
    return [] if wanted == shown else [name]


def _part(address: Address, part: str) -> str | None:
    """A part of an address, countries by their code where that is certain."""
    if part != "country":
        value: str | None = getattr(address, part)
        return value or None
    return address.country_code or code_of(address.country) or address.country or None


def refuse_own(query: Query, own: Iterable[str]) -> None:
    """Refuse parameters in `params=` that the library sends itself.

    Raises:
        UnsupportedError: One of `own` is among them; it is named.
    """
    for name in query.params:
        if name in own:
            raise UnsupportedError(f"params={{{name!r}: …}} is the library's own to send: use the keyword for it")


def raised(error: BadRecordError) -> None:
    """A `Keep` for where one customer is asked for: a record that can't be read is the answer's error."""
    raise error


def refuse_disorder(name: str, values: Iterable[Any], *, down: bool) -> None:
    """Refuse a page that is not in the order asked for; values that are missing have no place in it.

    Raises:
        FilterIgnoredError: The provider ignored the sort.
    """
    known = [value for value in values if value is not None]
    if any(a < b if down else a > b for a, b in pairwise(known)):
        raise FilterIgnoredError(
            f"ignored the sort by {name}: its customers came in another order. Leave sort= and order= out"
        )


def unreadable(error: BadRecordError, keep: Keep, raw: Any, id_key: str, moment: datetime | None) -> Row | None:
    """The row of a record that can't be read, so that paging still knows its place; `None` without an id."""
    kept = keep(error)
    found = raw.get(id_key) if isinstance(raw, Mapping) else None
    if kept is not None:
        return Row(kept.id, kept.created_at, kept)
    return Row(found, moment, None) if isinstance(found, str) and found else None
