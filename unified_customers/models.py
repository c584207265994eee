"""What every provider's customers are turned into: frozen values with one set of names.

Knows nothing of HTTP and of any provider's spelling. Facts about the fields: docs/providers/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, NoReturn, TypedDict

import attrs

from ._json import FAULTS, parse, parse_plainly
from ._plain import plain
from .errors import InvalidRequestError


class Status(StrEnum):
    """The states that providers have in common; a word that is none of these stays a plain `str`."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"
    DELETED = "deleted"
    DRAFT = "draft"


class Kind(StrEnum):
    """Who the customer is; a word that is none of these stays a plain `str`."""

    INDIVIDUAL = "individual"
    BUSINESS = "business"


class ReadOnlyDict(dict[str, Any]):
    """A dict that can't be changed; unlike `MappingProxyType` it pickles, copies and turns into JSON."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        msg = "this mapping is read-only; make a copy with dict(...)"
        raise TypeError(msg)

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return ReadOnlyDict, (dict(self),)

    def __copy__(self) -> ReadOnlyDict:
        return self


EMPTY = ReadOnlyDict()


# The slots of the values that pages are full of stand in bases of their own, for `_slots` to fill.


class _AddressSlots:
    __slots__ = (
        "__weakref__",
        "city",
        "company",
        "country",
        "country_code",
        "line1",
        "line2",
        "name",
        "postal_code",
        "state",
    )


@attrs.frozen(kw_only=True)
class Address(_AddressSlots):
    """A postal address.

    Attributes:
        country: As the provider sent it: a name or a code.
        country_code: ISO 3166-1 alpha-2 where that is certain, else `None`.
    """

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    country_code: str | None = None

    def __repr__(self) -> str:
        return f"Address(country_code={self.country_code!r})"


class _MetricsSlots:
    __slots__ = (
        "__weakref__",
        "acquisition_cost",
        "average_monthly_revenue",
        "cost_recovery_percent",
        "devices_active",
        "devices_ever",
        "devices_rented",
        "lifetime_collected",
        "margin",
        "margin_percent",
        "monthly_revenue",
        "orders",
        "subscriptions_tracked",
    )


@attrs.frozen(kw_only=True)
class Metrics(_MetricsSlots):
    """A customer's figures, each `None` where the provider did not send it.

    Money is in major units of the account's currency; percentages are on the provider's own scale
    (FlexPortal's `cost_recovery_percent`: 118.05 means 118.05 %; seed 002). Counts are `int`, or a
    `Decimal` where a provider sends a fraction.
    """

    orders: int | Decimal | None = None
    devices_rented: int | Decimal | None = None
    monthly_revenue: Decimal | None = None
    lifetime_collected: Decimal | None = None
    acquisition_cost: Decimal | None = None
    margin: Decimal | None = None
    margin_percent: Decimal | None = None
    subscriptions_tracked: int | Decimal | None = None
    cost_recovery_percent: Decimal | None = None
    average_monthly_revenue: Decimal | None = None
    devices_ever: int | Decimal | None = None
    devices_active: int | Decimal | None = None


class _CustomerSlots:
    __slots__ = (
        "__weakref__",
        "account_id",
        "billing_address",
        "company",
        "created_at",
        "email",
        "external_id",
        "first_name",
        "id",
        "kind",
        "last_name",
        "live",
        "metadata",
        "metrics",
        "name",
        "parent_id",
        "phone",
        "provider",
        "raw",
        "raw_status",
        "shipping_address",
        "status",
        "updated_at",
    )


@attrs.frozen(kw_only=True)
class Customer(_CustomerSlots):
    """One customer, whichever provider it comes from.

    Attributes:
        provider: The adapter's name, such as ``"flexprice"``.
        id: The provider's id.
        external_id: The id that you gave it, where the provider stores one.
        kind: `Kind`, or the provider's word where it is none of those.
        status: `Status`, or the provider's word where it is none of those.
        raw_status: The word as sent.
        created_at: Aware, in UTC, with microseconds.
        updated_at: Likewise.
        metadata: Read-only; what you stored with the customer.
        metrics: The provider's figures, or `None` where it has none.
        account_id: The provider's tenant or account of this row.
        live: Flatpeak's `live_mode`; elsewhere `None`.
        raw: The provider's object, whole and read-only.

    A field that a provider does not have, or sent empty, is `None`; it is never made up.
    """

    provider: str
    id: str
    external_id: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    kind: Kind | str | None = None
    status: Status | str | None = None
    raw_status: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    parent_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    metadata: Mapping[str, Any] = attrs.field(default=EMPTY, hash=False)
    metrics: Metrics | None = None
    account_id: str | None = None
    live: bool | None = None
    raw: Mapping[str, Any] = attrs.field(default=EMPTY, hash=False)

    def __repr__(self) -> str:
        kind = None if self.kind is None else str(self.kind)
        status = None if self.status is None else str(self.status)
        return (
            f"Customer(provider={self.provider!r}, id={self.id!r}, "
            f"external_id={self.external_id!r}, kind={kind!r}, status={status!r})"
        )


class _Late:
    """A field that is made when somebody looks at it, as few do; then it is what it would have been from the start.

    Until then its slot holds what it is made of: the bytes of the record (its own, so that no customer keeps its
    whole page in memory), or its decoded form. Which reader makes it is told by the type of what is there.
    """

    def __init__(self, slot: Any) -> None:
        self.slot = slot
        self.readers: dict[type[Any], Callable[[Any], Any]] = {}
        self.__doc__ = slot.__doc__

    def __get__(self, customer: Any, owner: type[Any] | None = None) -> Any:
        if customer is None:
            return self
        value = self.slot.__get__(customer, owner)
        reader = self.readers.get(type(value))
        if reader is not None:
            value = reader(value)
            self.slot.__set__(customer, value)
        return value

    def __set__(self, customer: Any, value: Any) -> None:
        self.slot.__set__(customer, value)


LATE: Mapping[str, Any] = {
    name: _Late(getattr(Customer, name))
    for name in ("billing_address", "shipping_address", "updated_at", "metadata", "metrics", "raw")
}
"""The fields that may be made late, by their names."""

for _name, _field in LATE.items():
    setattr(Customer, _name, _field)
LATE["metadata"].readers[dict] = ReadOnlyDict
LATE["raw"].readers[bytes] = lambda words: ReadOnlyDict(parse(words))


@attrs.frozen(kw_only=True)
class Page:
    """The customers of one answer, in the order of the walk.

    Attributes:
        items: Without those that were already handed out.
        next: Checkpoint for `after=`, or `None` at the end.
        previous: Checkpoint for `before=`, where the provider can walk backwards; else `None`.
        total: The provider's count of all matches: a hint, taken at another moment than the page.
        has_more: Whether the walk goes on.
        number: 1 for the first page of this walk.
        account: The account's name, in the pages of a `Directory`; else `None`.
    """

    items: tuple[Customer, ...]
    next: str | None = None
    previous: str | None = None
    total: int | None = None
    has_more: bool = False
    number: int = 1
    account: str | None = None

    def __iter__(self) -> Iterator[Customer]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@attrs.frozen(kw_only=True)
class Capabilities:
    """What an adapter can do; everything else is refused before a request is sent.

    Attributes:
        filters: Keywords of `customers()` that the provider filters by.
        sorts: Names for `sort=`, in our spelling.
        statuses: Words for `status=`, in our spelling.
        max_page_size: The provider's largest page.
        backwards: Whether `before=` works.
        total: Whether `count()` works.
        get_by: Keywords of `customer()`.
        sign_in: Whether a token is fetched first.
        since: Whether `created_after=` works, and a walk from a finished walk's checkpoint brings what was created
            later: so it is where a provider lists oldest first and filters by time.
        creates: Fields that `create()` takes; none where customers can't be created.
        requires: Those of them that it needs.
        updates: Fields that `update()` takes; none where customers can't be changed.
        clears: Those of them that `None` clears.
        address: Parts of an address that can be written.
        unique: Whether no two live customers can have the same external id, so that a create whose answer was lost
            can be settled by looking it up.
        own: Fields of its own that `params=` takes in a write and that `raw` shows: a move between two accounts of the
            provider takes them along.
        archives: Whether `archive()` works.
        deletes: Whether `delete()` works.
    """

    filters: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    max_page_size: int = 100
    backwards: bool = False
    total: bool = False
    get_by: tuple[str, ...] = ("id",)
    sign_in: bool = False
    since: bool = False
    creates: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    unique: bool = False
    own: tuple[str, ...] = ()
    archives: bool = False
    deletes: bool = False


class CustomerFields(TypedDict, total=False):
    """What `create()` and `update()` take: fields of `Customer`, and a provider's own parameters in `params`."""

    name: str | None
    first_name: str | None
    last_name: str | None
    company: str | None
    email: str | None
    phone: str | None
    kind: str | None
    status: str | None
    external_id: str | None
    billing_address: Address | None
    shipping_address: Address | None
    metadata: Mapping[str, Any] | None
    params: Mapping[str, Any] | None


@attrs.frozen(kw_only=True)
class Query:
    """What is asked for, checked and in one canonical form, so that two queries can be compared."""

    email: str | None = None
    status: str | None = None
    kind: str | None = None
    external_ids: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    parent_ids: tuple[str, ...] | None = None
    created_after: str | None = None
    sort: str | None = None
    order: str | None = None
    params: Mapping[str, Any] = EMPTY
    page_size: int = 100
    backwards: bool = False

    def given(self) -> dict[str, Any]:
        """The parts that decide which customers are meant, and in what order."""
        parts = attrs.asdict(self, recurse=False, filter=lambda a, v: v is not None and a.name != "page_size")
        return {name: value for name, value in parts.items() if value not in ({}, False)}

    def __repr__(self) -> str:
        return f"Query({', '.join(self.given())})"


def to_dict(customer: Customer) -> dict[str, Any]:
    """Turn a customer into plain JSON values; `from_dict` is the way back.

    Times become ISO 8601 text in UTC, money becomes text so that no digit is lost.
    """
    return {**but_raw(customer), "raw": _plain_raw(customer)}


def but_raw(customer: Customer) -> dict[str, Any]:
    """The plain values of every field but `raw`, which is the last."""
    return dict(zip(_BUT_RAW, map(plain, _READ(customer)), strict=True))


_BUT_RAW = tuple(field.name for field in attrs.fields(Customer) if field.name != "raw")
_READ = attrgetter(*_BUT_RAW)


def unread(customer: Customer) -> bytes | None:
    """The bytes of `raw`, where nobody has looked at it."""
    held = LATE["raw"].slot.__get__(customer)
    return held if type(held) is bytes else None


def _plain_raw(customer: Customer) -> Any:
    words = unread(customer)
    if words is not None:
        with suppress(*FAULTS):  # what `parse` can mend is left to it
            return parse_plainly(words)
    return plain(customer.raw)


def from_dict(data: Mapping[str, Any]) -> Customer:
    """Rebuild a customer from what `to_dict` made, also after a round trip through JSON.

    Raises:
        InvalidRequestError: A field is unknown, missing or can't be read.
    """
    try:
        return _customer(dict(data))
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError) as error:
        msg = f"this is not a customer as to_dict() makes it ({type(error).__name__})"
        raise InvalidRequestError(msg) from None


def _customer(fields: dict[str, Any]) -> Customer:
    fields.pop("account", None)  # which an export adds
    for name in ("created_at", "updated_at"):
        if fields.get(name) is not None:
            fields[name] = datetime.fromisoformat(fields[name]).astimezone(UTC)
    for name in ("billing_address", "shipping_address"):
        if fields.get(name) is not None:
            fields[name] = Address(**fields[name])
    if fields.get("metrics") is not None:
        fields["metrics"] = Metrics(**{k: _number(v) for k, v in fields["metrics"].items()})
    fields["kind"] = open_enum(Kind, fields.get("kind"))
    fields["status"] = open_enum(Status, fields.get("status"))
    for name in ("metadata", "raw"):
        fields[name] = ReadOnlyDict(_revive(fields.get(name) or {}))
    return Customer(**fields)


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value


def _revive(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"$decimal"}:
            return Decimal(value["$decimal"])
        return {name: _revive(inner) for name, inner in value.items()}
    return [_revive(inner) for inner in value] if isinstance(value, list) else value


def open_enum(words: type[StrEnum], value: str | None) -> Any:
    """The member with that value, or the word itself where there is none."""
    try:
        return None if value is None else words(value)
    except ValueError:
        return value
