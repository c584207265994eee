"""Flexprice's settings, and which request comes when.

Knows the ways to read a Flexprice list and when to change between them; must not know field names, httpx or the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from ..._adapter import (
    Adapter,
    Batch,
    Keep,
    Position,
    Problem,
    Row,
    broken_filter,
    raised,
    readable,
    refuse_disorder,
    refuse_own,
)
from ..._decode import decode, obj
from ..._settings import Secret, given, one_of, reveal, secret
from ..._settings import address as base_address
from ..._url import JSON, url
from ..._values import stamp
from ..._wire import Request, Response
from ...errors import (
    BadRecordError,
    ConflictError,
    Fault,
    FilterIgnoredError,
    MalformedResponseError,
    NotFoundError,
    PaginationError,
    UnsupportedError,
)
from ...models import Capabilities, Customer, Query
from ...paging import chunks, keyset, offset, scattered, slices, windows
from ...paging.chunks import ChunkPosition
from ...paging.keyset import KeysetPosition
from ...paging.offset import OffsetPosition
from ...paging.scattered import ScatteredPosition, Slice
from ...paging.slices import SlicesPosition
from ...paging.windows import WindowPosition
from . import spelling, wanted, writing
from .records import CUSTOMERS, NAME, answer_of, problem_of
from .wanted import WantedPosition

REGIONS = {"us": "https://us.api.flexprice.io", "india": "https://api.cloud.flexprice.io"}
LARGEST = 1000
_NO_SEARCH = frozenset({404, 405, 501})
_SORTS = [
    "created_at",
    "updated_at",
    "id",
    "external_id",
    "name",
    "email",
    "contact",
    "timezone",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
]


@attrs.frozen(kw_only=True)
class FirstPage:
    """Before anything was read: page one is the documented list, whatever server answers."""


@attrs.frozen(kw_only=True)
class Flexprice(Adapter):
    """A Flexprice environment.

    Args:
        api_key: From the dashboard, bound to one environment; or a callable that returns it, or the path of a file.
        region: ``"us"`` or ``"india"``; a tenant lives in one of them.
        base_url: Another address instead: a self-hosted server, or the one of the old documents.
        environment_id: For the `X-Environment-ID` header, which only keys from a server's own configuration need.
        auth: ``"both"`` sends the key as `x-api-key` (the real server) and as a bearer (the documents); or one of them.
        scan: How a list longer than a page is read: ``"auto"``, ``"keyset"`` or ``"offset"``.
        allow_http: Whether `base_url` may be plain http beyond this machine.

    Raises:
        ConfigurationError: A setting is missing or can't be right.
    """

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "Flexprice"
    capabilities: ClassVar[Capabilities] = Capabilities(
        filters=("email", "status", "external_id", "ids", "parent_ids"),
        sorts=tuple(_SORTS),
        orders=("asc", "desc"),
        statuses=("active", "archived", "deleted", "draft", "any"),
        max_page_size=LARGEST,
        total=True,
        get_by=("id", "external_id"),
        since=True,
        creates=writing.CREATES,
        requires=writing.REQUIRES,
        updates=writing.CREATES,
        clears=writing.CLEARS,
        address=tuple(writing.ADDRESS),
        unique=True,
        own=("timezone",),
        archives=True,
    )
    positions: ClassVar[tuple[type[Any], ...]] = (
        FirstPage,
        KeysetPosition,
        OffsetPosition,
        WindowPosition,
        ChunkPosition,
        WantedPosition,
        SlicesPosition,
        ScatteredPosition,
        Slice,
    )
    status_words: ClassVar[Mapping[str, str]] = {
        "active": "published",
        "archived": "archived",
        "deleted": "deleted",
        "draft": "draft",
    }
    environment: ClassVar[Mapping[str, str]] = {
        "api_key": "API_KEY",
        "region": "REGION",
        "base_url": "BASE_URL",
        "environment_id": "ENVIRONMENT_ID",
    }
    own_names: ClassVar[tuple[str, ...]] = writing.OWN
    key_advice: ClassVar[str] = (
        "check api_key (FLEXPRICE_API_KEY), and that region (or base_url) is the one it belongs to"
    )

    api_key: Secret = attrs.field(repr=False, default="")
    region: str = "us"
    base_url: str | None = None
    environment_id: str | None = None
    auth: str = "both"
    scan: str = "auto"
    allow_http: bool = False

    def __attrs_post_init__(self) -> None:
        given(self.api_key, "api_key", "FLEXPRICE_API_KEY")
        one_of(self.region, REGIONS, "region")
        one_of(self.auth, ("both", "x-api-key", "bearer"), "auth")
        one_of(self.scan, ("auto", "keyset", "offset"), "scan")
        if self.environment_id is not None:
            secret(self.environment_id, "environment_id", "FLEXPRICE_ENVIRONMENT_ID")
        self._base()

    def _base(self) -> str:
        return base_address(self.base_url or REGIONS[self.region], allow_http=self.allow_http)

    def _headers(self) -> spelling.Headers:
        headers, key = list(JSON), self._key()
        if self.auth in {"both", "x-api-key"}:
            headers.append(("x-api-key", key))
        if self.auth in {"both", "bearer"}:
            headers.append(("authorization", f"Bearer {key}"))
        if self.environment_id is not None:
            headers.append(("x-environment-id", self.environment_id))
        return tuple(headers)

    def _key(self) -> str:
        return reveal(self.api_key, "api_key")

    def account(self) -> tuple[str, ...]:
        return self._base(), self.environment_id or ""

    def home(self, customer: Customer) -> str:
        return f"{customer.account_id or ''}/{customer.raw.get('environment_id') or ''}"

    def secrets(self) -> tuple[str, ...]:
        return (self._key(),)

    def check_query(self, query: Query) -> Query:
        refuse_own(query, spelling.OWN)
        for name in query.params:
            if name in spelling.IGNORED:
                raise UnsupportedError(
                    f"Flexprice takes {name} and ignores it: use params={{'filters': [...]}} on created_at"
                )
        if query.sort not in {None, "created_at"} and query.status == "any":
            raise UnsupportedError("status='any' reads two lists in order of time: leave sort= out")
        if query.created_after is not None and (
            self.scan == "offset" or len(query.ids or query.external_ids or ()) > 1
        ):
            raise UnsupportedError("created_after= is a search's: leave scan='offset' and lists of ids out")
        return query

    # Where a walk starts

    def start(self, query: Query) -> Position:
        if query.parent_ids is not None and len(query.parent_ids) > 1:
            return ChunkPosition(inner=self.start(_parent(query, 0)))
        if len(query.ids or ()) > 1 or len(query.external_ids or ()) > 1:
            return WantedPosition(inner=self._start_plain(query))
        return self._start_plain(query)

    def _start_plain(self, query: Query) -> Position:
        if query.status == "any":
            start = self._start_one(query)
            return WindowPosition(lead=start, follow=start)
        return self._start_one(query)

    def _start_one(self, query: Query) -> Position:
        if _ranked(query) or self.scan == "offset":
            return OffsetPosition()
        down = query.order == "desc"
        searched = self.scan == "keyset" or query.sort or query.created_after
        return KeysetPosition(down=down) if searched else FirstPage()

    def spread(self, query: Query, position: Position) -> Position:
        if isinstance(position, SlicesPosition):
            return attrs.evolve(position, loose=False)
        if isinstance(position, OffsetPosition | ScatteredPosition):
            return position
        if not isinstance(position, FirstPage | KeysetPosition):
            raise UnsupportedError(
                "Flexprice's status='any' and lists of ids are read as several lists, one page after another: leave "
                "concurrency= out"
            )
        if query.order == "desc":
            raise UnsupportedError("Flexprice is read concurrently oldest first: leave order= or concurrency= out")
        return SlicesPosition(inner=position)

    def loosen(self, query: Query, position: Position) -> Position:
        position = self.spread(query, position)
        if _ranked(query) or self.scan == "offset":
            raise UnsupportedError(
                "Flexprice's pages by offset are read in order, because each has to meet the one before it to prove "
                "that none is lost: leave ordered= out"
            )
        if isinstance(position, OffsetPosition):  # a server without search: on in one piece
            return SlicesPosition(inner=position, cut="slices")
        return scattered.scattered(position) if isinstance(position, SlicesPosition) else position

    def places(self, query: Query, position: Position, count: int) -> Sequence[Position]:
        return scattered.places(position, count) if isinstance(position, ScatteredPosition) else (position,)

    def foresee(self, query: Query, position: Position, count: int) -> Sequence[Position]:
        if isinstance(position, OffsetPosition):
            return offset.foreseen(position, count, query.page_size, LARGEST)
        if isinstance(position, ScatteredPosition):
            return scattered.others(position, count)
        if not isinstance(position, SlicesPosition):
            return ()
        if position.cut == "":
            return (SlicesPosition(inner=KeysetPosition(), cut="newest"),)
        return slices.foreseen(position, count)

    # Which request a position means

    def list_request(self, query: Query, position: Position) -> Request:
        return self._request(query, position, commas=False)

    def _request(self, query: Query, position: Position, *, commas: bool) -> Request:
        if isinstance(position, ChunkPosition):
            return self._request(_parent(query, position.index), position.inner, commas=commas)
        if isinstance(position, WantedPosition):
            style = position.style in {wanted.PROBE, wanted.COMMAS}
            return self._request(wanted.narrowed(query, position), position.inner, commas=style)
        if isinstance(position, WindowPosition):
            return self._request(_window(query, position), windows.current(position), commas=commas)
        if isinstance(position, SlicesPosition) and slices.probing(position):
            return self._searched(query, KeysetPosition(down=True), 1)
        if isinstance(position, SlicesPosition | ScatteredPosition) and position.until is not None:
            return self._searched(query, position.inner, self._asked(query, position), position.until)
        if isinstance(position, SlicesPosition | ScatteredPosition):
            return self._request(query, position.inner, commas=commas)
        if isinstance(position, KeysetPosition):
            return self._searched(query, *keyset.asking(position, self._asked(query, position)))
        base, headers, asked = self._base(), self._headers(), self._asked(query, position)
        at = position.offset if isinstance(position, OffsetPosition) else 0
        if _ranked(query):
            return spelling.ranked(base, headers, query, limit=asked, offset=at)
        return spelling.listing(base, headers, query, limit=asked, offset=at, commas=commas)

    def _searched(self, query: Query, position: KeysetPosition, asked: int, until: str | None = None) -> Request:
        return spelling.after(self._base(), self._headers(), query, position, asked, until=until)

    def _asked(self, query: Query, position: Position) -> int:
        if isinstance(position, SlicesPosition | ScatteredPosition):
            return self._asked(query, position.inner)
        if isinstance(position, KeysetPosition):
            return keyset.size_of(position, query.page_size, LARGEST)
        if isinstance(position, OffsetPosition):
            return offset.size_of(position, query.page_size, LARGEST)
        return query.page_size

    def understands(self, query: Query, position: Position, response: Response) -> bool:
        if isinstance(position, ChunkPosition | WantedPosition):
            return self.understands(query, position.inner, response)
        if isinstance(position, WindowPosition):
            return self.understands(query, windows.current(position), response)
        if isinstance(position, SlicesPosition) and not slices.probing(position):
            return self.understands(query, position.inner, response)
        by_search = isinstance(position, KeysetPosition | SlicesPosition | ScatteredPosition) or _ranked(query)
        return by_search and response.status in _NO_SEARCH

    # What an answer adds

    def read_page(self, query: Query, position: Position, response: Response, keep: Keep) -> Batch:
        if isinstance(position, ChunkPosition):
            batch = self.read_page(_parent(query, position.index), position.inner, response, keep)
            index = position.index + 1
            last = index >= len(query.parent_ids or ())
            following = None if last else self.start(_parent(query, index))
            return chunks.advance(position, batch, following=following)
        if isinstance(position, WantedPosition):
            few = wanted.narrowed(query, position)
            batch = self.read_page(few, position.inner, response, keep)
            return wanted.advance(query, position, batch, lambda: self._start_plain(query))
        if isinstance(position, WindowPosition):
            batch = self._read(_window(query, position), windows.current(position), response, keep, moves=True)
            return windows.advance(position, batch, down=query.order == "desc")
        if isinstance(position, SlicesPosition):
            return self._read_slice(query, position, response, keep)
        if isinstance(position, ScatteredPosition):
            return self._read_scattered(query, position, response, keep)
        return self._read(query, position, response, keep)

    def _read_slice(self, query: Query, position: SlicesPosition, response: Response, keep: Keep) -> Batch:
        if slices.probing(position):
            rows = [] if response.status in _NO_SEARCH else answer_of(response, _skip).rows
            batch = slices.after_probe(position, rows, query.page_size)
            if position.loose and batch.next is not None:
                return attrs.evolve(batch, next=scattered.scattered(batch.next))
            return batch
        batch = self._read(query, position.inner, response, keep, slice_=position)
        return slices.advance(position, batch, page_size=query.page_size)

    def _read_scattered(self, query: Query, position: ScatteredPosition, response: Response, keep: Keep) -> Batch:
        batch = self._read(query, position.inner, response, keep, moves=True, slice_=position)
        if not isinstance(batch.next, OffsetPosition):
            return scattered.advance(position, batch, page_size=query.page_size)
        whole = scattered.undivided(position)
        if whole is None:
            raise PaginationError(
                "stopped honouring its search while a walk was reading it in several places: start again, without "
                "after= and ordered="
            )
        batch = self._without_search(whole, "")
        return attrs.evolve(batch, at=lambda _: position, next=SlicesPosition(inner=batch.next, cut="slices"))

    def _read(
        self,
        query: Query,
        position: Position,
        response: Response,
        keep: Keep,
        *,
        moves: bool = False,
        slice_: SlicesPosition | ScatteredPosition | None = None,
    ) -> Batch:
        asked = self._asked(query, position)
        if isinstance(position, KeysetPosition):
            if response.status in _NO_SEARCH:
                return self._without_search(position, "has no POST /v1/customers/search")
            if position.newer:
                return keyset.counted(position, answer_of(response, _skip).total)
            answer = answer_of(response, keep)
            if position.audit:
                return keyset.audited(position, answer.total)
            if not keyset.in_bounds(position, answer.rows):
                return self._without_search(position, "does not honour the bounds of a search")
            rows, total = (
                (answer.rows, answer.total) if slice_ is None else slices.bounded(slice_, answer.rows, answer.total)
            )
            counts = not moves and (slice_ is None or slice_.until is None)
            return keyset.advance(position, rows, asked=asked, total=total, counts=counts)
        if response.status in _NO_SEARCH:
            raise UnsupportedError("has no POST /v1/customers/search, which sort= needs: leave sort= out")
        answer = answer_of(response, keep)
        if query.sort == "updated_at":
            times = [row.customer.updated_at for row in answer.rows if row.customer is not None]
            refuse_disorder("updated_at", times, down=query.order == "desc")
        if isinstance(position, FirstPage):
            return self._read_first(query, answer.rows, answer.total, asked, moves=moves)
        return offset.advance(
            position,
            answer.rows,
            asked=asked,
            total=answer.total,
            page_size=query.page_size,
            largest=LARGEST,
            unique=_ranked(query),
            moves=moves,
        )

    def _read_first(self, query: Query, rows: Sequence[Row], total: int | None, asked: int, *, moves: bool) -> Batch:
        """Page one; a short one whose total agrees is all, anything else goes on by keyset."""
        start = KeysetPosition(down=query.order == "desc")
        if not keyset.in_bounds(start, rows):  # not in the order asked for, or without times
            _refuse_ignored_order(query, rows)
            return offset.advance(
                OffsetPosition(),
                rows,
                asked=asked,
                total=total,
                page_size=query.page_size,
                largest=LARGEST,
                moves=moves,
            )
        items, behind = readable(rows)
        ended = len(rows) < asked and (total is None or total == len(rows))

        def at(count: int) -> KeysetPosition:
            return _read_by_list(start, rows[: behind(count)], total)

        return Batch(
            items=items,
            at=at,
            next=None if ended else at(len(items)),
            total=total,
            scan="offset" if ended else "keyset",
        )

    def _without_search(self, position: KeysetPosition, says: str) -> Batch:
        """Go on by offset, with what the keyset knows."""
        if self.scan == "keyset":
            raise UnsupportedError(f"{says}: use scan='auto', or scan='offset'")
        if position.seen and position.at is None:
            raise PaginationError(
                "sent customers without the time of their creation, so the walk has no place to go on"
            )
        ids = (*position.ids, *position.run)
        course = "down" if position.down else "up"
        following = offset.start_after(position.at, ids, position.seen, course, position.first)
        return Batch(items=(), at=lambda _: position, next=following, recovered=True, scan="offset")

    def breaks(self, query: Query, customer: Customer) -> str | None:
        status = None if query.status == "any" else query.status
        metadata = query.params.get("metadata")
        if isinstance(metadata, Mapping) and not metadata.items() <= dict(customer.metadata).items():
            return "params.metadata"
        return broken_filter(attrs.evolve(query, status=status), customer)

    # One customer, a count, a probe, an error

    def one(self, *, id: str | None, external_id: str | None) -> tuple[Request, Callable[[Response], Customer]]:
        value = id if id is not None else external_id or ""
        if "/" in value or not value.strip("."):  # decoded before routing, so it can't stand in a path
            query = Query(ids=(value,)) if id is not None else Query(external_ids=(value,))
            request = spelling.listing(self._base(), self._headers(), query, limit=2, offset=0, commas=False)
            return request, lambda response: _only(response, query, self.breaks)
        path = (value,) if id is not None else ("external", value)
        template = "/v1/customers/{id}" if id is not None else "/v1/customers/external/{external_id}"
        address = url(self._base(), "v1", "customers", *path)
        request = Request(method="GET", url=address, what="get a customer", headers=self._headers(), template=template)
        return request, lambda response: CUSTOMERS.one(obj(decode(response)), "$")

    def count(self, query: Query) -> Sequence[tuple[Request, Callable[[Response], int]]]:
        if any(len(values or ()) > 1 for values in (query.ids, query.external_ids, query.parent_ids)):
            raise UnsupportedError("Flexprice counts no list of ids reliably: count the customers of a walk instead")
        words = ("published", "archived") if query.status == "any" else (query.status,)
        return [self._count(attrs.evolve(query, status=word)) for word in words]

    def _count(self, query: Query) -> tuple[Request, Callable[[Response], int]]:
        request = spelling.listing(self._base(), self._headers(), query, limit=1, offset=0, commas=False)
        return attrs.evolve(request, what="count customers"), lambda response: self._total(response, query)

    def _total(self, response: Response, query: Query) -> int:
        answer = answer_of(response, _skip)
        for row in answer.rows:
            broken = None if row.customer is None else self.breaks(query, row.customer)
            if broken is not None:
                raise FilterIgnoredError(f"ignored the filter {broken}, so its total is not that of the query")
        if answer.total is None:
            raise MalformedResponseError("sent no total", path="$.pagination.total")
        return answer.total

    def probe(self, query: Query) -> tuple[Request, Callable[[Response], str]] | None:
        if self.scan == "offset":
            return None
        request = spelling.after(self._base(), self._headers(), query, KeysetPosition(), 1)
        return request, lambda response: "offset" if response.status in _NO_SEARCH else "keyset"

    def problem(self, response: Response) -> Problem:
        return problem_of(response)

    # Writing

    def faults(self, fields: Mapping[str, Any], *, creating: bool) -> Iterable[Fault]:
        return writing.faults(fields)

    def create(self, fields: Mapping[str, Any]) -> tuple[Request, Callable[[Response], Customer]]:
        return writing.create(self._base(), self._headers(), fields), writing.created

    def looks_first(self, fields: Mapping[str, Any]) -> bool:
        return writing.looks_first(fields)

    def update(
        self, id: str, fields: Mapping[str, Any], current: Customer | None
    ) -> Sequence[tuple[Request, Callable[[Response], Customer]]]:
        bodies = writing.changes(fields, current)
        return [(writing.change(self._base(), self._headers(), id, content), writing.changed) for content in bodies]

    def archive(self, id: str) -> tuple[Request, Callable[[Response], None]]:
        return writing.archive(self._base(), self._headers(), id), writing.done

    def differences(self, fields: Mapping[str, Any], customer: Customer) -> tuple[str, ...]:
        return writing.differences(fields, customer)


def _ranked(query: Query) -> bool:
    """Whether the caller's order needs the search by rank: any but that of creation."""
    return query.sort is not None and query.sort != "created_at"


def _parent(query: Query, index: int) -> Query:
    """The query for one parent: several at once are spelt differently from server to server."""
    return attrs.evolve(query, parent_ids=(query.parent_ids or ())[index : index + 1])


def _window(query: Query, position: WindowPosition) -> Query:
    return attrs.evolve(query, status="published" if position.phase == "lead" else "archived")


def _read_by_list(start: KeysetPosition, rows: Sequence[Row], total: int | None) -> KeysetPosition:
    """The keyset after rows whose order within a moment means nothing."""
    if not rows or rows[-1].moment is None:
        return start
    last = rows[-1].moment
    ids = tuple(row.id for row in rows if row.moment == last)
    rank = 0 if len(ids) > keyset.MOST_IDS else None
    left = None if total is None else max(0, total - len(rows))
    fine = any(row.moment is not None and row.moment.microsecond % 1000 for row in rows)
    return KeysetPosition(
        at=stamp(last),
        ids=ids,
        rank=rank,
        seen=len(rows),
        down=start.down,
        left=left,
        first=total,
        fine=fine,
        top=stamp(rows[0].moment) if start.down and rows[0].moment is not None else None,
    )


def _refuse_ignored_order(query: Query, rows: Sequence[Row]) -> None:
    """A caller's own order that the server ignores is an error; without one, any order will do."""
    if query.order is not None and all(row.moment is not None for row in rows):
        raise FilterIgnoredError("ignored order=: its customers came in another order")


def _only(response: Response, query: Query, breaks: Callable[[Query, Customer], str | None]) -> Customer:
    rows = answer_of(response, raised).rows
    found = [row.customer for row in rows if row.customer is not None and breaks(query, row.customer) is None]
    if len(found) > 1:
        raise ConflictError("has several customers with that id: list them with customers(…)")
    if not found:
        raise NotFoundError("has no such customer")
    return found[0]


def _skip(_: BadRecordError) -> None:
    return None
