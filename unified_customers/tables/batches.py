"""Customers as Arrow record batches: column by column, as a stream of one walk.

Knows customers and pages; must not know how pages are read. An error of the walk ends no stream: what was read before
it is handed out first, so that the error's checkpoint leaves out nobody, and asking on reads the same page again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import BadRecordError, CustomersError, InvalidRequestError
from ..models import Customer, Page
from .columns import Column, columns
from .figures import fitted, held, too_large
from .schema import arrow, field, schema, type_of
from .texts import exact, whole

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

BATCH = 2_000
"""Customers that a batch of a stream has at the least, but for the last one. Larger ones are no faster, and keep more
customers in memory until they are made."""

FILE = 10_000
"""The same in a file, where small ones would be slow to query."""

Group = tuple[str | None, Sequence[Customer]]


class Pages(Protocol):
    """An iterator of pages."""

    def __next__(self) -> Page:
        """The next page."""

    def judge(self, errors: Sequence[BadRecordError], account: str | None, /) -> Sequence[Customer | None]:
        """What takes the place of customers that a table can't hold."""


class AsyncPages(Protocol):
    """An asynchronous iterator of pages."""

    async def __anext__(self) -> Page:
        """The next page."""

    def judge(self, errors: Sequence[BadRecordError], account: str | None, /) -> Sequence[Customer | None]:
        """What takes the place of customers that a table can't hold."""


def batch(groups: Iterable[Group], *, raw: bool = False, only: Sequence[str] | None = None) -> pa.RecordBatch:
    """A record batch of customers, each group with its account's name; of all columns, or only of those named.

    Raises:
        BadRecordError: A figure is too large for the column; digits beyond its scale are rounded.
    """
    groups = [(account, list(items)) for account, items in groups]
    customers = [one for _, items in groups for one in items]
    known = {column.name: column for column in columns(raw=raw)}
    wanted = list(known if only is None else only)
    whole = schema(raw=raw)
    arrays = [
        _texts([account or one.provider for account, items in groups for one in items])
        if name == "account"
        else _array(known[name], customers)
        for name in wanted
    ]
    made = arrow().schema([whole.field(name) for name in wanted], metadata=whole.metadata)
    return arrow().RecordBatch.from_arrays(arrays, schema=made)


def _array(column: Column, customers: Sequence[Customer]) -> Any:
    values = list(map(attrgetter(column.name), customers))
    if column.members:
        return _struct(column, values, customers)
    return _plain(column.kind, values)


def _plain(kind: str, values: list[Any]) -> Any:
    if kind == "text":
        return _texts(values)
    if kind == "json":
        return _texts([exact(value) for value in values])
    return _map(values) if kind == "map" else arrow().array(values, type_of(kind))


def _texts(values: list[Any]) -> Any:
    try:
        return arrow().array(values, type_of("text"))
    except UnicodeEncodeError:  # half a character
        return arrow().array([None if value is None else whole(value) for value in values], type_of("text"))


def _map(values: list[Any]) -> Any:
    """Names in order, so that the same content is the same value however it was sent."""
    offsets, names, texts = [0], [], []
    for value in values:
        if value:
            for name in sorted(value):
                inner = value[name]
                names.append(name)
                texts.append(inner if inner is None or isinstance(inner, str) else exact(inner))
        offsets.append(len(names))
    return arrow().MapArray.from_arrays(offsets, _texts(names), _texts(texts))


def _struct(column: Column, values: list[Any], customers: Sequence[Customer]) -> Any:
    pa = arrow()
    missing = [value is None for value in values]
    arrays = []
    for member in column.members:
        get = attrgetter(member.name)
        inner = [None if value is None else get(value) for value in values]
        decimal = member.kind == "decimal"
        arrays.append(_decimals(column, member, inner, customers) if decimal else _plain(member.kind, inner))
    fields = [field(member) for member in column.members]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=pa.array(missing, pa.bool_()))


def _decimals(column: Column, member: Column, values: list[Any], customers: Sequence[Customer]) -> Any:
    pa, kind = arrow(), type_of("decimal")
    exactly = [Decimal(value) if isinstance(value, int) else value for value in values]
    try:
        return pa.array(exactly, kind)
    except pa.ArrowInvalid:
        path = f"$.{column.name}.{member.name}"
        return pa.array([_fitted(*pair, path) for pair in zip(exactly, customers, strict=True)], kind)


def _fitted(value: Decimal | None, customer: Customer, path: str) -> Decimal | None:
    held = None if value is None else fitted(value)
    if held is None and value is not None:
        raise too_large(customer, path)
    return held


class Batches:
    """The record batches of a walk; what came before an error is a batch, and after it `next()` goes on."""

    def __init__(
        self, pages: Pages, size: int, *, raw: bool, account: str | None, only: Sequence[str] | None = None
    ) -> None:
        self._pages, self._size, self._account = pages, size, account
        self._make = functools.partial(batch, raw=raw, only=only)
        self._groups: list[Group] = []
        self._error: CustomersError | None = None

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> pa.RecordBatch:
        while self._error is None and _count(self._groups) < self._size:
            try:
                page = next(self._pages, None)
            except CustomersError as error:  # its checkpoint is behind what waits here, which goes first
                self._error = error
                break
            if page is None:
                break
            if page.items:
                self._groups.append((page.account, page.items))
        if not self._groups:
            failed, self._error = self._error, None
            raise StopIteration if failed is None else failed
        made = _made(self._groups, self._pages.judge, self._account, self._make)
        self._groups = []
        return made


class AsyncBatches:
    """The same, awaited."""

    def __init__(self, pages: AsyncPages, size: int, *, raw: bool, account: str | None) -> None:
        self._pages, self._size, self._account = pages, size, account
        self._make = functools.partial(batch, raw=raw)
        self._groups: list[Group] = []
        self._error: CustomersError | None = None

    def __aiter__(self) -> AsyncBatches:
        return self

    async def __anext__(self) -> pa.RecordBatch:
        while self._error is None and _count(self._groups) < self._size:
            try:
                page = await self._pages.__anext__()
            except StopAsyncIteration:
                break
            except CustomersError as error:
                self._error = error
                break
            if page.items:
                self._groups.append((page.account, page.items))
        if not self._groups:
            failed, self._error = self._error, None
            raise StopAsyncIteration if failed is None else failed
        made = _made(self._groups, self._pages.judge, self._account, self._make)
        self._groups = []
        return made


def _made(
    groups: list[Group], judge: Any, account: str | None, make: Callable[[Iterable[Group]], pa.RecordBatch]
) -> pa.RecordBatch:
    """A batch without the customers that it can't hold, if the caller wants to go on without them."""

    def named() -> list[Group]:
        return [(name or account, items) for name, items in groups]

    try:
        return make(named())
    except BadRecordError:
        groups[:] = [(name, held(items, functools.partial(_judged, judge, name))[0]) for name, items in groups]
        return make(named())


def _judged(judge: Any, account: str | None, errors: Sequence[BadRecordError]) -> Sequence[Customer | None]:
    found: Sequence[Customer | None] = judge(errors, account)
    return found


def _count(groups: Sequence[Group]) -> int:
    return sum(len(items) for _, items in groups)


def reader(
    pages: Callable[[], Pages], *, batch_size: int | None, raw: bool, account: str | None
) -> pa.RecordBatchReader:
    """What `Listing.to_arrow` returns."""
    size = checked(batch_size, account)
    made = schema(raw=raw)
    return arrow().RecordBatchReader.from_batches(made, Batches(pages(), size, raw=raw, account=account))


def record_batches(
    pages: Callable[[], AsyncPages], *, batch_size: int | None, raw: bool, account: str | None
) -> AsyncBatches:
    """What `AsyncListing.record_batches` returns."""
    size = checked(batch_size, account)
    schema(raw=raw)  # raises if pyarrow is missing
    return AsyncBatches(pages(), size, raw=raw, account=account)


def checked(batch_size: int | None, account: str | None) -> int:
    """The size of a batch.

    Raises:
        InvalidRequestError: It is no size, or the account no name.
    """
    if account is not None and not str(account).strip():
        raise InvalidRequestError("account= is the name of the account, or None for the provider's")
    if batch_size is None:
        return BATCH
    if type(batch_size) is not int or batch_size < 1:
        raise InvalidRequestError("batch_size= is a whole number of customers, 1 or more")
    return batch_size
