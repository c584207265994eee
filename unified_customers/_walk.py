"""One pass over one query: what to hand out, when to stop, where it stands.

Pure: `turn()` is a conversation. Knows the rules that hold for every provider; must not know httpx
or a provider's spellings. A turn that fails changes nothing, so the next one asks for the same page again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import attrs

from . import _checkpoint
from ._adapter import Batch, Position, Unbuilt
from ._conversation import Context, Tally
from ._guard import Guard
from ._lookahead import InAnyOrder, Lookahead
from ._query import Sort
from ._redact import NOTHING, Hidden
from ._watch import WalkWatch
from ._wire import Conversation, First, Request, Response
from .errors import (
    BadRecordError,
    ConfigurationError,
    CustomersError,
    DriftError,
    FilterIgnoredError,
    LoopError,
    UnsupportedError,
)
from .models import EMPTY, Customer, Page, Query

OnBadRecord = str | Callable[[BadRecordError], Any]
_id = attrgetter("id")
_KEPT_BAD = 1000
_RECOVERIES = 64


@attrs.define(kw_only=True)
class Report:
    """What a walk did so far.

    Attributes:
        provider: The adapter's name.
        items: Customers handed out.
        pages: Answers that brought customers, or the end.
        requests: Requests sent, repeats and redirects included, sign-ins not.
        retries: Requests that were repeated; sign-ins not.
        waited: Seconds spent waiting between repeats.
        scan: How the list was read last: ``"cursor"``, ``"keyset"`` or ``"offset"``; `None` before the first answer.
        duplicates: Rows that the provider sent once more; those that the walk asked for again don't count.
        drift: How often rows moved under the walk, so that it stepped back.
        bad_records: Records that could not be read and were left out: the first thousand.
        bad: How many there were.
        local: Filters (and a sort) applied here, because the provider lacks them.
        filtered: Customers that those filters left out.
        total: The provider's last count of all matches, a hint.
        unseen: How many customers a newest-first walk could not see, because they were created after its start: known
            at its end, and only where the provider counts (Flexprice, in walks of several pages); else `None`.
    """

    provider: str
    items: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    scan: str | None = None
    duplicates: int = 0
    drift: int = 0
    bad_records: list[BadRecordError] = attrs.field(factory=list, repr=False)
    bad: int = 0
    local: tuple[str, ...] = ()
    filtered: int = 0
    total: int | None = None
    unseen: int | None = None


@attrs.frozen(kw_only=True)
class Plan:
    """Everything that a walk needs to know about what the caller asked for."""

    context: Context
    query: Query
    start: Position
    local: Mapping[str, Callable[[Customer], bool]] = attrs.field(repr=False)
    sort: Sort | None = None
    local_values: Mapping[str, Any] = attrs.field(default=EMPTY, repr=False)
    on_bad_record: OnBadRecord = "raise"
    max_items: int | None = None
    hide: Hidden = NOTHING
    concurrency: int = 1
    prefetch: int = 0
    ordered: bool = True


@attrs.frozen
class Held:
    """What a turn brought: customers to hand out, and where the walk stands after each.

    Attributes:
        places: For each customer, how far the batch it came in was used when it is handed out.
        at: The position after so much of that batch.
        next: The position after all of it, or `None` at the end.
    """

    items: Sequence[Customer]
    places: Sequence[int]
    at: Callable[[int], Position]
    next: Position | None

    def position(self, index: int) -> Position:
        """The position after the first `index` customers."""
        if self.next is not None and index == len(self.items):
            return self.next
        return self.at(self.places[index - 1] if index else 0)


@attrs.define(kw_only=True)
class State:
    """Where a walk is. A turn makes a new one and puts it in its place in one step, so that no signal can tear it.

    Attributes:
        items: What is handed out.
        make: What makes the customer of a number: iterators ask it without a detour.
        count: How many there are.
        index: How many of them were.
        done: How many were handed out before them.
        held: What the last turn brought.
        left: How many customers are still wanted, if not all.
        batch: The last answer's.
        pool: What was read to be sorted, as (what was read before, a page); `None` where nothing is sorted here.
        ids: What the guard is to note of this turn, and so are the next two.
        content: First and last id of the page, and its length.
        mark: Where the walk goes on.
        recoveries: Answers without news in a row.
        circle: Whether the walk goes on where it was before.
    """

    items: Sequence[Customer] = ()
    make: Callable[[int], Customer] = ().__getitem__
    count: int = 0
    index: int = 0
    done: int = 0
    held: Held
    left: int | None = None
    batch: Batch | None = None
    pool: tuple[Any, ...] | None = None
    ids: Sequence[str] = ()
    content: tuple[Any, ...] | None = None
    mark: tuple[Any] | None = None
    recoveries: int = 0
    circle: bool = False


class OneReader:
    """What one thread or task at a time may ask."""

    def __init__(self) -> None:
        self._reader: dict[str, Any] = {}

    def enter(self, reader: Any) -> None:
        """One thread or task asks at a time; whoever was struck by a signal in between may come again.

        Raises:
            ConfigurationError: Another one is at it.
        """
        if self._reader.setdefault("is", reader) != reader:
            raise ConfigurationError(
                "this iterator is being read by another thread or task: give each an iterator of its own"
            )

    def leave(self) -> None:
        """It has what it asked for, or not."""
        self._reader.clear()


class Walk(OneReader):
    """One pass; hands out `state.items[state.index:]`, then wants another turn."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = State(
            held=Held((), (), lambda _: plan.start, plan.start),
            left=None if plan.sort is not None else plan.max_items,
            pool=None if plan.sort is None else (),
        )
        self._report = Report(provider=plan.context.adapter.name, local=tuple(plan.local_values))
        self.told = WalkWatch(plan.context.watch, plan, self._report)
        self._tally = Tally(walk=self.told.walk)
        self._guard = Guard()
        super().__init__()
        looks = plan.prefetch > 0 or plan.concurrency > 1
        look = Lookahead if plan.ordered else InAnyOrder
        self.look = (
            look(plan.context, plan.query, plan.hide, plan.concurrency, plan.prefetch, walk=self.told.walk)
            if looks
            else None
        )
        self._leaving = self.told.leaving()

    @property
    def pending(self) -> bool:
        """Whether there is something that a turn brought and nobody was handed."""
        return self.state.index < self.state.count

    def hand_over(self) -> None:
        """All of the page was handed out."""
        self.state.index = self.state.count

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to ask for."""
        state = self.state
        return (state.held.next is None or state.left == 0) and state.pool is None

    @property
    def over(self) -> bool:
        """Whether there is nothing left to ask for, nor anything wrong to tell when asked."""
        return self.ended and not self.state.circle

    def let_go(self) -> State:
        """Give all of a page away, to be handed out elsewhere, and keep nothing of it but where it ended."""
        given = self.state
        place, following = given.held.position(given.count), given.held.next
        held = Held((), (), lambda _: place, following)
        done = given.done + given.count
        self.state = attrs.evolve(
            given, items=(), make=().__getitem__, count=0, index=0, done=done, held=held, batch=None
        )
        self.told.stands(self.state)
        if self.over:
            self._guard, self.state.ids = Guard(), ()  # nothing can come again
        return given

    def aims(self) -> Sequence[tuple[Position, Request]]:
        """What to ask for before its turn: see `Lookahead.aims`."""
        held = self.state.held
        if self.look is None or self.ended or held.next is None:
            return ()
        return self.look.aims(held.next, self.state.left)

    @property
    def report(self) -> Report:
        """What the walk did so far."""
        self._report.items = self.state.done + self.state.index
        return self._report

    @property
    def position(self) -> Position:
        """Where the walk stands after what was handed out."""
        if self.state.pool is not None:
            return self.plan.start  # read to be sorted, but nothing of it handed out
        return self.state.held.position(self.state.index)

    @property
    def checkpoint(self) -> str:
        """The position for another process."""
        return self.save(self.position)

    def save(self, position: Position) -> str:
        """The checkpoint of a position of this walk."""
        plan = self.plan
        return _checkpoint.save(plan.context.adapter, plan.query, position, plan.local_values)

    def turn(self) -> Conversation[bool]:
        """Read on until there is something to hand out; `False` at the end."""
        self.told.began()
        try:
            found = yield from self._turn()
        except CustomersError as error:
            self.told.ended("failed", error)
            raise
        if not found:
            self.told.ended("complete")
        return found

    def _turn(self) -> Conversation[bool]:
        if self.state.circle:
            raise _circles()
        if self.state.pool is not None and self.plan.sort is not None:
            return (yield from self._sorted(self.plan.sort))
        while not self.ended:
            batch = yield from self._read(self.state.held.next)
            self._accept(batch)
            if self.state.items:
                return True
        return False

    def _sorted(self, sort: Sort) -> Conversation[bool]:
        """Read everything, then hand it out in the caller's order; a turn that failed goes on where it was."""
        while self.state.held.next is not None:
            batch = yield from self._read(self.state.held.next)
            self._accept(batch)
        held = self.state.held
        end = held.position(len(held.items))
        items = sort(_poured(self.state.pool or ()))[: self.plan.max_items]
        last = len(items)

        def at(count: int) -> Position:
            if 0 < count < last:
                raise UnsupportedError("a walk that is sorted here has a checkpoint at its start and end only")
            return end if count else self.plan.start

        held = Held(items, range(1, last + 1), at, None)
        self.state = State(items=items, make=items.__getitem__, count=last, held=held, batch=self.state.batch)
        self.told.stands(self.state)
        return bool(items)

    def _place(self, position: Position) -> Conversation[Position]:
        """Where to read on: in order, there is one place; else that whose answer comes first."""
        places = () if self.look is None else self.look.places(position)
        if len(places) > 1:
            number = yield First(tuple(request for _, request in places), tuple(self.aims()))
            return places[number][0]
        return places[0][0] if places else position

    def _read(self, position: Position) -> Conversation[Batch]:
        position = yield from self._place(position)
        context, query = self.plan.context, self.plan.query
        bad: list[BadRecordError] = []

        def read(response: Response) -> Batch:
            self.told.elapsed = response.elapsed
            bad.clear()  # a page that is read again brings its bad records again
            batch = None if self.look is None else self.look.already_read(position, response)
            if batch is None:
                batch = context.adapter.read_page(query, position, response, lambda error: self._keep(error, bad))
            if query.given() or self.plan.local or self.plan.sort is not None:
                batch = batch.built()
            self._check(batch)
            return batch

        request = context.adapter.list_request(query, position)
        try:
            batch = yield from context.ask(
                request,
                read,
                self._tally,
                hide=self.plan.hide,
                accept=lambda response: context.adapter.understands(query, position, response),
                ahead=self.look is not None,
            )
        finally:
            report, tally = self._report, self._tally
            ahead = 0 if self.look is None else self.look.unused
            report.requests, report.retries, report.waited = tally.requests + ahead, tally.retries, tally.waited
        self._note_bad(bad)
        return batch

    def _keep(self, error: BadRecordError, bad: list[BadRecordError]) -> Customer | None:
        if self.plan.on_bad_record == "raise":
            raise error
        error.provider = self.plan.context.adapter.name
        bad.append(error)
        kept = self.plan.on_bad_record(error) if callable(self.plan.on_bad_record) else None
        return kept if isinstance(kept, Customer) else None

    def judge(self, errors: Sequence[BadRecordError]) -> list[Customer | None]:
        """Customers that were read, but that a table can't hold: what takes their place, as the caller chose.

        Raises:
            BadRecordError: The first, where bad records are to be raised.
        """
        bad: list[BadRecordError] = []
        kept = [self._keep(error, bad) for error in errors]
        self._report.bad += len(bad)
        self._report.bad_records.extend(bad[: _KEPT_BAD - len(self._report.bad_records)])
        return kept

    def _note_bad(self, bad: Sequence[BadRecordError]) -> None:
        report = self._report
        report.bad += len(bad)
        self.told.bad = len(bad)
        report.bad_records.extend(bad[: _KEPT_BAD - len(report.bad_records)])

    def _check(self, batch: Batch) -> None:
        """A row that the query excludes means that the provider ignored a filter."""
        query, adapter = self.plan.query, self.plan.context.adapter
        if not query.given():
            return
        for customer in batch.items:
            name = adapter.breaks(query, customer)
            if name is not None:
                raise FilterIgnoredError(
                    f"ignored the filter {name}: it returned customers that the query excludes. Leave {name} out "
                    "and filter what comes"
                )

    def _accept(self, batch: Batch) -> None:
        """Take a batch over, after every rule has been checked; nothing changes if one is broken."""
        before = self.state
        self._remember(before)
        ids = batch.items.ids if isinstance(batch.items, Unbuilt) else list(map(_id, batch.items))
        places = self._new(ids)
        if batch.fallback is not None and 2 * len(places) < len(batch.items):
            batch, places, ids = batch.fallback(), (), []
        if batch.strict and len(places) < len(batch.items):
            raise DriftError(
                "lists customers of one moment in another order each time, and there are more of them than fit a "
                "page: nothing proves that none is lost. scan='keyset' reads them where the server has a search"
            )
        wanted = [n for n in places if self._wanted(batch.items[n - 1])] if self.plan.local else places
        if before.left is not None:
            wanted = wanted[: before.left]
        state = self._judged(batch, places, ids)
        self._fill(state, batch, wanted)
        state.ids, state.done = ids, before.done + before.index
        self.state = state
        self._note(batch, len(places), len(wanted))

    def _remember(self, state: State) -> None:
        """Note the last page, now that the next has come."""
        self._guard.ids.add(state.ids)
        if state.content is not None:
            self._guard.note_page(state.content)
        if state.mark is not None:
            self._guard.note_place(state.mark[0])

    def _fill(self, state: State, batch: Batch, wanted: Sequence[int]) -> None:
        items = batch.items if len(wanted) == len(batch.items) else _picked(batch.items, wanted)
        state.held = _held(batch, items, wanted, self.state.left)
        state.left = None if self.state.left is None else self.state.left - len(wanted)
        if self.state.pool is None:
            state.items, state.count = items, len(items)
            state.make = items.make if isinstance(items, Unbuilt) else items.__getitem__
        else:
            state.pool = (self.state.pool, items)

    def _new(self, ids: Sequence[str]) -> Sequence[int]:
        """Places, from 1, of ids that were not handed out of late, each id once."""
        known = self._guard.ids
        if known.has_none(ids) and len(set(ids)) == len(ids):
            return range(1, len(ids) + 1)
        first: dict[str, int] = {}
        for n, one in enumerate(ids, 1):
            first.setdefault(one, n)
        return [n for one, n in first.items() if one not in known]

    def page(self) -> Page | None:
        """What the last turn brought, as a page."""
        return self.page_of(self.state, self._report.pages)

    def page_of(self, state: State, number: int, account: str | None = None) -> Page | None:
        """What a turn brought, as a page; the walk may have gone on since."""
        batch, following = state.batch, state.held.next
        if batch is None:
            return None
        onward = following is not None
        return Page(
            items=tuple(state.items),
            next=None if following is None else self.save(following),
            previous=None if batch.previous is None else self._save_back(batch.previous),
            total=batch.total,
            has_more=onward,
            number=number,
            account=account,
        )

    def _save_back(self, position: Position) -> str:
        plan = self.plan
        query = attrs.evolve(plan.query, backwards=not plan.query.backwards)
        return _checkpoint.save(plan.context.adapter, query, position, plan.local_values)

    def _wanted(self, customer: Customer) -> bool:
        return all(test(customer) for test in self.plan.local.values())

    def _judged(self, batch: Batch, places: Sequence[int], ids: Sequence[str]) -> State:
        """The state after a batch, unless it leads in a circle."""
        state = State(held=self.state.held, batch=batch)
        if batch.recovered:
            state.recoveries = self.state.recoveries + 1 if not places else 0
            if state.recoveries > _RECOVERIES * (1 if self.plan.ordered else self.plan.concurrency):
                raise LoopError("leads the walk back and forth without news")
            return state
        if batch.next is None:
            return state
        if batch.items and not places:
            raise LoopError("sent a page of customers that were all read before, and promises more")
        if batch.items:
            state.content = ids[0], ids[-1], len(ids)
            if self._guard.read_before(state.content):
                raise LoopError("sent a page that was read before, and promises more")
        state.mark = (getattr(batch.next, "mark", batch.next),)
        state.circle = self._guard.was_at(state.mark[0])
        if state.circle and not places:
            raise _circles()
        return state

    def _note(self, batch: Batch, new: int, wanted: int) -> None:
        report = self._report
        report.scan = batch.scan
        report.total = report.total if batch.unseen is not None and batch.total is None else batch.total
        report.unseen = batch.unseen if batch.unseen is not None else report.unseen
        report.duplicates += batch.dropped + len(batch.items) - new
        report.filtered += new - wanted
        report.drift += bool(batch.recovered and batch.why)
        report.pages += not (batch.recovered and not batch.items)
        moved = batch.why if batch.recovered else ""
        self.told.page(self.state, wanted, batch.dropped + len(batch.items) - new, moved)


def _held(batch: Batch, items: Sequence[Customer], wanted: Sequence[int], left: int | None) -> Held:
    """What is handed out of a batch; rows behind the last wanted one that nobody wants are behind the walk too."""
    at, following, rest = batch.at, batch.next, len(batch.items)
    if not wanted:
        return Held((), (), lambda _: at(rest) if following is None else following, following)
    if left is None or left > len(wanted):
        wanted = wanted if wanted[-1] == rest else [*wanted[:-1], rest]
    elif wanted[-1] < rest:
        following = at(wanted[-1])
    return Held(items, wanted, at, following)


def _picked(items: Sequence[Customer], places: Sequence[int]) -> Sequence[Customer]:
    if isinstance(items, Unbuilt):
        return items.picked([n - 1 for n in places])
    return [items[n - 1] for n in places]


def _poured(pool: tuple[Any, ...]) -> list[Customer]:
    """What was read to be sorted, in the order in which it came."""
    pages: list[Sequence[Customer]] = []
    while pool:
        pool, page = pool
        pages.append(page)
    return [customer for page in reversed(pages) for customer in page]


def _circles() -> LoopError:
    return LoopError("leads back to a place that was already read, and promises more")


def with_checkpoint(error: CustomersError, walk: Walk) -> CustomersError:
    """The error, with the place where the walk can go on."""
    error.provider = error.provider or walk.plan.context.adapter.name
    if error.checkpoint is None:
        error.checkpoint = walk.checkpoint
    return error
