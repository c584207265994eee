"""The listings and iterators that users hold: position and pages over a walk, sync and async.

Knows walks; must not know httpx. A walk is an object, not a generator, so an error doesn't end it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from . import _checkpoint
from ._walk import Plan, Report, Walk, with_checkpoint
from ._wire import Conversation
from .errors import BadRecordError, CustomersError
from .models import Customer, Page

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from .tables.batches import AsyncBatches


class SyncPump(Protocol):
    """Carries a conversation out."""

    def pump(self, conversation: Conversation[Any]) -> Any:
        """Send what it asks for, and return what it ends in."""

    def turn(self, walk: Walk) -> bool:
        """Carry a walk's turn out, looking ahead as far as its plan says."""


class AsyncPump(Protocol):
    """Carries a conversation out."""

    async def pump(self, conversation: Conversation[Any]) -> Any:
        """Send what it asks for, and return what it ends in."""

    async def turn(self, walk: Walk) -> bool:
        """Carry a walk's turn out, looking ahead as far as its plan says."""

    def task(self) -> int:
        """Which task this is."""


class _Base:
    """What both kinds of listing share: the plan, and the walk that last advanced."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._walk: Walk | None = None

    @property
    def plan(self) -> Plan:
        """What is read; for `Directory`."""
        return self._plan

    @property
    def checkpoint(self) -> str:
        """Where the walk that last advanced stands: ``customers(after=checkpoint)`` goes on from there."""
        if self._walk is not None:
            return self._walk.checkpoint
        plan = self._plan
        return _checkpoint.save(plan.context.adapter, plan.query, plan.start, plan.local_values)

    @property
    def report(self) -> Report:
        """What the walk that last advanced did so far."""
        return Walk(self._plan).report if self._walk is None else self._walk.report

    def _advanced(self, walk: Walk) -> None:
        self._walk = walk

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._plan.context.adapter.name} for {self._plan.query!r}>"


class _Walking:
    """What every iterator has: its own walk's checkpoint and report."""

    def __init__(self, walk: Walk, tell: Callable[[Walk], None]) -> None:
        self._leaving = walk.told.leaving()  # of its own, as the listing may hold the walk on; gone before the walk
        self._walk = walk
        self._tell = tell

    @property
    def checkpoint(self) -> str:
        """Where this walk stands."""
        return self._walk.checkpoint

    @property
    def report(self) -> Report:
        """What this walk did so far."""
        return self._walk.report

    def judge(self, errors: Sequence[BadRecordError], _account: str | None = None) -> list[Customer | None]:
        """For tables: what takes the place of customers that they can't hold."""
        return self._walk.judge(errors)


class CustomerIterator(_Walking):
    """Customers of one walk; after an error, `next()` tries the same page again."""

    def __init__(self, walk: Walk, tell: Callable[[Walk], None], pump: SyncPump) -> None:
        super().__init__(walk, tell)
        self._pump = pump

    def __iter__(self) -> CustomerIterator:
        return self

    def __next__(self) -> Customer:
        while True:
            state = self._walk.state
            index = state.index
            if index < state.count:
                customer = state.make(index)
                if state.index == index:  # no other thread was handed it meanwhile
                    state.index = index + 1  # nothing is called from here on, so no signal comes between
                    return customer
                continue
            self._tell(self._walk)
            if not _turn(self._walk, self._pump):
                raise StopIteration


class PageIterator(_Walking):
    """Pages of one walk."""

    def __init__(self, walk: Walk, tell: Callable[[Walk], None], pump: SyncPump) -> None:
        super().__init__(walk, tell)
        self._pump = pump

    def __iter__(self) -> PageIterator:
        return self

    def __next__(self) -> Page:
        walk = self._walk
        while True:
            self._tell(walk)
            if not (walk.pending or _turn(walk, self._pump)):
                raise StopIteration
            state = walk.state
            index, count = state.index, state.count
            page = walk.page_of(state, walk.report.pages)
            if page is None:
                raise StopIteration
            if index < count and state.index == index:  # no other thread was handed it meanwhile
                state.index = count
                return page


def _turn(walk: Walk, pump: SyncPump) -> bool:
    walk.enter(threading.get_ident())
    try:
        if walk.pending:  # another thread has read a page meanwhile
            return True
        return pump.turn(walk) if walk.look is not None else bool(pump.pump(walk.turn()))
    except CustomersError as error:
        raise with_checkpoint(error, walk) from error.__cause__
    finally:
        walk.leave()


class Listing(_Base):
    """The customers of a query: lazy, and read anew by each `for`.

    ``for customer in listing`` and ``for page in listing.pages()`` each start a walk of their own.
    """

    def __init__(self, plan: Plan, pump: SyncPump) -> None:
        super().__init__(plan)
        self._pump = pump

    def __iter__(self) -> CustomerIterator:
        return CustomerIterator(Walk(self._plan), self._advanced, self._pump)

    def _noting(self, note: Callable[[BadRecordError], None]) -> CustomerIterator:
        """The same walk, which tells of each record that it leaves out; perhaps twice, where a page is read again."""
        plan = attrs.evolve(self._plan, on_bad_record=note)
        return CustomerIterator(Walk(plan), self._advanced, self._pump)

    def pages(self) -> PageIterator:
        """The same customers, by the page."""
        return PageIterator(Walk(self._plan), self._advanced, self._pump)

    def to_arrow(
        self, *, batch_size: int | None = None, raw: bool = False, account: str | None = None
    ) -> pa.RecordBatchReader:
        """The same customers as a stream of Arrow record batches: one walk, read as the batches are asked for.

        Args:
            batch_size: How many customers a batch has at the least, but for the last and one before an error: pages
                are not cut, so `checkpoint` is exact after each batch; 2,000 by default.
            raw: Whether the provider's own object is in a column, as JSON text.
            account: What stands in the column `account`; the provider's name by default.

        Raises:
            ConfigurationError: The extra `arrow` is not installed.
            CustomersError: As iterating raises it, from the reader; see the page on tables for other readers.
        """
        from .tables.batches import reader

        return reader(self.pages, batch_size=batch_size, raw=raw, account=account)


class AsyncCustomerIterator(_Walking):
    """Customers of one walk; after an error, `anext()` tries the same page again."""

    def __init__(self, walk: Walk, tell: Callable[[Walk], None], pump: AsyncPump) -> None:
        super().__init__(walk, tell)
        self._pump = pump

    def __aiter__(self) -> AsyncCustomerIterator:
        return self

    async def __anext__(self) -> Customer:
        state = self._walk.state
        index = state.index
        if index < state.count:
            customer = state.make(index)
            state.index = index + 1
            return customer
        self._tell(self._walk)
        if not await _async_turn(self._walk, self._pump):
            raise StopAsyncIteration
        state = self._walk.state
        customer = state.make(0)
        state.index = 1
        return customer


class AsyncPageIterator(_Walking):
    """Pages of one walk."""

    def __init__(self, walk: Walk, tell: Callable[[Walk], None], pump: AsyncPump) -> None:
        super().__init__(walk, tell)
        self._pump = pump

    def __aiter__(self) -> AsyncPageIterator:
        return self

    async def __anext__(self) -> Page:
        walk = self._walk
        self._tell(walk)
        page = walk.page() if walk.pending or await _async_turn(walk, self._pump) else None
        if page is None:
            raise StopAsyncIteration
        state, count = walk.state, len(page)
        state.index = count
        return page


async def _async_turn(walk: Walk, pump: AsyncPump) -> bool:
    walk.enter(pump.task())
    try:
        return await pump.turn(walk) if walk.look is not None else bool(await pump.pump(walk.turn()))
    except CustomersError as error:
        raise with_checkpoint(error, walk) from error.__cause__
    finally:
        walk.leave()


class AsyncListing(_Base):
    """The customers of a query: lazy, and read anew by each `async for`."""

    def __init__(self, plan: Plan, pump: AsyncPump) -> None:
        super().__init__(plan)
        self._pump = pump

    def __aiter__(self) -> AsyncCustomerIterator:
        return AsyncCustomerIterator(Walk(self._plan), self._advanced, self._pump)

    def pages(self) -> AsyncPageIterator:
        """The same customers, by the page."""
        return AsyncPageIterator(Walk(self._plan), self._advanced, self._pump)

    def record_batches(
        self, *, batch_size: int | None = None, raw: bool = False, account: str | None = None
    ) -> AsyncBatches:
        """The same customers as Arrow record batches, for `async for`; arguments are those of `Listing.to_arrow`."""
        from .tables.batches import record_batches

        return record_batches(self.pages, batch_size=batch_size, raw=raw, account=account)
