"""The three providers in memory: plain functions from a `Request` to a `Response`, without a socket or a clock.

They are fast (thousands of walks a second), so that rules can be tried on every size. What they do is what the
providers' documents, and for Flexprice the recordings of a real server, say; each option is a liberty these leave.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import attrs
import msgspec

import unified_customers as uc
from unified_customers import _account
from unified_customers._listing import Listing
from unified_customers._query import Wanted
from unified_customers._retry import Retry
from unified_customers._values import stamp
from unified_customers._wire import First, Ready, Reply, Request, Response, Send, Token, Unreachable

HOST = "https://provider.example"
ONCE = Retry(attempts=1)
PATIENT = Retry(attempts=4, budget=1e6, jitter=0)


def reply(status: int, body: Any, **headers: str) -> Response:
    """A whole answer; anything but bytes becomes JSON."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers={"content-type": "application/json", **named}, body=content)


@attrs.frozen
class Answered:
    """A request that was answered before its turn."""

    outcome: Any
    begun: bool = True
    done: bool = True

    def result(self) -> Any:
        return self.outcome

    def cancel(self) -> None: ...


class Account:
    """What a client is without httpx: one account over one fake server; sleeps are counted, not slept."""

    def __init__(self, adapter: Any, server: Callable[[Request], Reply], retry: Retry = PATIENT, on_event: Any = None):
        self.context = _account.context_of(adapter, retry, on_event)
        self.server = server
        self.now = 0.0
        self.slept: list[float] = []
        self.pick: Callable[[list[int]], int] = Random(7).choice  # which of several answers comes first
        self._token: Token | None = None

    def pump(self, conversation: Any) -> Any:
        answer: Any = None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as stop:
                return stop.value
            answer = self._answered(step)

    def _answered(self, step: Any) -> Any:
        if isinstance(step, Send):
            self._sleep(step.after)
            return self.server(step.request)
        self._token = self.pump(self.context.sign_in(step, self._token, self.now))
        return self._token

    def turn(self, walk: Any) -> bool:
        """A turn that looks ahead: what is sent before its turn is answered at once, long before that turn comes."""
        if walk.look.at_once:
            self._begin(walk)
        conversation, answer = walk.turn(), None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as stop:
                self._begin(walk)
                return bool(stop.value)
            if isinstance(step, First):
                for aim in step.begin:
                    self._ask(walk.look, *aim)
                answer = self.pick([n for n, one in enumerate(step.requests) if walk.look.answered([one]) is not None])
            elif isinstance(step, Ready):
                job = walk.look.taken(step.request)
                answer = None if job is None else walk.look.note(job.result())
            else:
                answer = self._answered(step)

    def _begin(self, walk: Any) -> None:
        for position, request in walk.aims():
            self._ask(walk.look, position, request)

    def _ask(self, look: Any, position: Any, request: Request) -> None:
        outcome = self.pump(look.fetch(position, request))
        look.started(request, Answered(outcome))
        onward = look.onward(position, outcome)
        if onward is not None:
            self._ask(look, *onward)

    def _sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += seconds

    def customers(
        self,
        *,
        max_items=None,
        after=None,
        before=None,
        on_bad_record="raise",
        concurrency=1,
        prefetch=0,
        ordered=True,
        **keywords,
    ) -> Listing:
        wanted = Wanted(**keywords, backwards=before is not None)
        plan = _account.plan(
            self.context,
            wanted,
            after=after,
            before=before,
            max_items=max_items,
            concurrency=concurrency,
            prefetch=prefetch,
            ordered=ordered,
            on_bad_record=on_bad_record,
        )
        return Listing(plan, self)

    def customer(self, id=None, *, external_id=None) -> Any:
        return self.pump(_account.one(self.context, id, external_id))

    def count(self, **keywords) -> int:
        return self.pump(_account.count(self.context, Wanted(**keywords)))

    def check(self) -> Any:
        return self.pump(_account.check(self.context))


def run(conversation: Any, server: Callable[[Request], Reply]) -> Any:
    """Carry out a conversation that needs no sign-in, over a function."""
    answer: Any = None
    while True:
        try:
            step = conversation.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = server(step.request)


@attrs.define(slots=True)
class Person:
    """A customer as a server stores it; `at` is microseconds since 2024 began."""

    id: str
    at: int
    status: str = "published"
    ref: str = ""
    email: str = ""
    kind: str = "individual"
    name: str = ""
    parent: str = ""
    iso: str = ""

    def __attrs_post_init__(self) -> None:
        import datetime as dt

        self.iso = stamp(dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=self.at))
        self.ref = self.ref or f"ext-{self.id}"
        self.email = self.email or f"{self.id}@example.com"
        self.name = self.name or f"N{self.at % 7}"


def people(times: Iterable[int], statuses: Iterable[str] = ()) -> list[Person]:
    """One person for each time, with ids that sort in no order of time."""
    words = list(statuses)
    return [
        Person(id=f"cus_{(n * 7919 + 13) % 100_003:05d}", at=at, status=words[n % len(words)] if words else "published")
        for n, at in enumerate(times)
    ]


class Server:
    """What the fakes share: rows, a hook before each answer, and faults put in the way."""

    def __init__(self, rows: Iterable[Person] = (), *, seed: int = 0, cap: int | None = None):
        self.people = {person.id: person for person in rows}
        self.random = Random(seed)
        self.cap = cap
        self.requests: list[Request] = []
        self.meanwhile: Callable[[], Any] = lambda: None
        self.meddle: Callable[[Request, int], Reply | None] = lambda request, n: None

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        fault = self.meddle(request, len(self.requests))
        return self.answer(request) if fault is None else fault

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    def _size(self, asked: int) -> int:
        return asked if self.cap is None else min(asked, self.cap)


def asked_of(request: Request) -> tuple[str, dict[str, list[str]]]:
    """Path and query of a request."""
    parts = urlsplit(request.url)
    return parts.path, parse_qs(parts.query, keep_blank_values=True)


class FakeFlexPortal(Server):
    """Newest first, `startAfter` and `nextCursor`.

    Args:
        cursor: `id` (the last row's), `opaque` (a token for that row) or `place` (a token that can't be lost).
        lost: what a cursor whose row is gone is answered with: a status, `restart` or `empty`.
        created: how `createdAt` is written: `iso`, `s`, `ms`, `firestore` or `null`.
        hides: whether inactive customers are left out of the list without a status.
    """

    def __init__(self, rows=(), *, cursor="id", lost: Any = 400, created="iso", hides=False, **options):
        super().__init__(rows, **options)
        self.cursor, self.lost, self.created, self.hides = cursor, lost, created, hides

    def answer(self, request: Request) -> Reply:
        self.meanwhile()
        path, query = asked_of(request)
        if path != "/v1/customers":
            return self._one(unquote(path.removeprefix("/v1/customers/")))
        rows = self._rows(query)
        start = self._start(query, rows)
        if isinstance(start, Response):
            return start
        size = self._size(int(query["limit"][0]))
        page, more = rows[start : start + size], start + size < len(rows)
        cursor = self._cursor(page[-1]) if page and more else None
        return reply(200, self._envelope(page, size, more, cursor))

    def _envelope(self, page, size, more, cursor):
        raw = [self.raw(person) for person in page]
        return {"customers": raw, "count": len(raw), "limit": size, "hasMore": more, "nextCursor": cursor}

    def _rows(self, query) -> list[Person]:
        status = query.get("status", [None])[0]
        rows = [p for p in self.people.values() if status is None or self.word(p) == status]
        if status is None and self.hides:
            rows = [p for p in rows if self.word(p) == "active"]
        for name, field in (("email", "email"), ("customerType", "kind")):
            if name in query:
                rows = [p for p in rows if getattr(p, field) == query[name][0]]
        by = {"firstName": "name", "email": "email"}.get(query.get("sortBy", ["createdAt"])[0], "at")
        rows.sort(key=lambda p: (getattr(p, by), p.id), reverse=query.get("sortDir", ["desc"])[0] == "desc")
        return rows

    def _start(self, query, rows) -> int | Response:
        if "startAfter" not in query:
            return 0
        token = query["startAfter"][0]
        try:
            token = token if self.cursor == "id" else base64.b32decode(token).decode()
        except ValueError:
            return self._lost(token, rows, query)
        if self.cursor == "place":
            at, id_ = msgspec.json.decode(token)
            down = query.get("sortDir", ["desc"])[0] == "desc"
            return sum(1 for p in rows if ((p.at, p.id) >= (at, id_) if down else (p.at, p.id) <= (at, id_)))
        id_ = token
        place = next((n for n, p in enumerate(rows, 1) if p.id == id_), None)
        return place if place is not None else self._lost(id_, rows, query)

    def _lost(self, id_, rows, query) -> int | Response:
        gone = self.people.get(id_)
        if gone is not None:  # still stored, though not in this list: a document database finds its place
            down = query.get("sortDir", ["desc"])[0] == "desc"
            return sum(1 for p in rows if ((p.at, p.id) > (gone.at, gone.id)) == down)
        if self.lost == "restart":
            return 0
        if self.lost == "empty":
            return len(rows)
        return reply(self.lost, {"error": {"code": "VALIDATION_ERROR", "message": "Invalid cursor"}})

    def _cursor(self, person: Person) -> str:
        if self.cursor == "id":
            return person.id
        token = [person.at, person.id] if self.cursor == "place" else person.id
        content = msgspec.json.encode(token) if self.cursor == "place" else person.id.encode()
        return base64.b32encode(content).decode()

    @staticmethod
    def word(person: Person) -> str:
        return "active" if person.status == "published" else "inactive"

    def raw(self, person: Person) -> dict[str, Any]:
        return {
            "customerId": person.id,
            "tenantId": "ten_1",
            "email": person.email,
            "firstName": person.name,
            "lastName": "Test",
            "customerType": person.kind,
            "status": self.word(person),
            "createdAt": self._created(person),
        }

    def _created(self, person: Person) -> Any:
        seconds = 1_704_067_200 + person.at // 1_000_000
        return {
            "iso": person.iso,
            "s": seconds,
            "ms": 1_704_067_200_000 + person.at // 1000,
            "firestore": {"_seconds": seconds, "_nanoseconds": person.at % 1_000_000 * 1000},
            "null": None,
        }[self.created]

    def _one(self, id_: str) -> Response:
        if id_ in self.people:
            return reply(200, self.raw(self.people[id_]))
        return reply(404, {"error": {"code": "NOT_FOUND", "message": "Customer not found"}})


class FakeFlexprice(Server):
    """The real server: `created_at` alone decides the order of a list, and equal ones come in any order.

    Args:
        ties: `random`, anew for each request, or `id`.
        search: whether there is a `POST /v1/customers/search`.
        commas: whether a list of ids is written with commas (the documents) or by repeating the key.
        next_offset: whether the echoed offset is the next one (the real server) or the one asked for.
        ignores: names of what the server takes and ignores.
        timed: whether rows carry `created_at`.
    """

    def __init__(
        self, rows=(), *, ties="random", search=True, commas=False, next_offset=True, ignores=(), timed=True, **options
    ):
        super().__init__(rows, **options)
        self.ties, self.search, self.commas = ties, search, commas
        self.next_offset, self.ignores, self.timed = next_offset, frozenset(ignores), timed
        self.total: Callable[[int], Any] = lambda n: n

    def answer(self, request: Request) -> Reply:
        self.meanwhile()
        path, query = asked_of(request)
        if request.method == "POST":
            if not self.search:
                return Response(status=404, headers={"content-type": "text/plain"}, body=b"404 page not found")
            return self._search(msgspec.json.decode(request.body or b"{}"))
        if path == "/v1/customers":
            return self._list({name: values[0] for name, values in query.items()}, query)
        return self._one(path.removeprefix("/v1/customers/"))

    def _list(self, query: dict[str, Any], lists: dict[str, list[str]]) -> Response:
        several = {n: (query[n].split(",") if self.commas else v) for n, v in lists.items() if n.endswith("_ids")}
        rows = self._matching({**query, **several})
        self._sort(rows, [("at", query.get("order", "desc") == "desc")])
        return self._page(rows, int(query.get("limit", 50)), int(query.get("offset", 0)))

    def _search(self, body: dict[str, Any]) -> Response:
        rows = self._matching(body)
        for one in body.get("filters", []):
            rows = self._filtered(rows, one)
        names = {"created_at": "at", "external_id": "ref"}
        keys = (
            []
            if "sort" in self.ignores
            else [(names.get(key["field"], key["field"]), key["direction"] == "desc") for key in body.get("sort", [])]
        )
        self._sort(rows, [*keys, ("at", True)])
        return self._page(rows, body.get("limit", 50), body.get("offset", 0))

    def _matching(self, asked: dict[str, Any]) -> list[Person]:
        rows = list(self.people.values())
        if "status" not in self.ignores:
            rows = [p for p in rows if p.status == (asked.get("status") or "published")]
        for name, field in (("email", "email"), ("external_id", "ref")):
            if name in asked and name not in self.ignores:
                rows = [p for p in rows if getattr(p, field) == asked[name]]
        for name, field in (("customer_ids", "id"), ("external_ids", "ref"), ("parent_customer_ids", "parent")):
            if asked.get(name) and name not in self.ignores:
                wanted = frozenset(asked[name])
                rows = [p for p in rows if getattr(p, field) in wanted]
        return rows

    def _filtered(self, rows: list[Person], one: dict[str, Any]) -> list[Person]:
        if one["operator"] in self.ignores:
            return rows
        if one["operator"] == "not_in" and one["field"] == "id":
            out = frozenset(one["value"]["array"])
            return [p for p in rows if p.id not in out]
        if one["operator"] == "after":
            return [p for p in rows if p.iso > one["value"]["date"]]
        if one["operator"] == "before":
            return [p for p in rows if p.iso < one["value"]["date"]]
        return rows

    def _sort(self, rows: list[Person], keys: list[tuple[str, bool]]) -> None:
        if self.ties == "random":
            self.random.shuffle(rows)
        else:
            rows.sort(key=lambda p: p.id)
        for name, down in reversed(keys):
            rows.sort(key=lambda p, name=name: getattr(p, name), reverse=down)

    def _page(self, rows: list[Person], limit: int, offset: int) -> Response:
        size = self._size(limit or 50)
        page = rows[offset : offset + size]
        echoed = offset + limit if self.next_offset else offset
        pagination = {"total": self.total(len(rows)), "limit": limit, "offset": echoed}
        return reply(200, {"items": [self.raw(p) for p in page], "pagination": pagination})

    def _one(self, path: str) -> Response:
        if path.startswith("external/"):
            key = unquote(path.removeprefix("external/"))
            found = [p for p in self.people.values() if p.ref == key and p.status == "published"]
        else:
            found = [p for p in self.people.values() if p.id == unquote(path)]
        if found:
            return reply(200, self.raw(found[0]))
        return reply(404, {"code": "not_found", "message": "Customer was not found", "http_status_code": 404})

    def raw(self, person: Person) -> dict[str, Any]:
        return {
            "id": person.id,
            "external_id": person.ref,
            "name": person.name,
            "email": person.email,
            "address_country": "",
            "parent_customer_id": person.parent,
            "metadata": None,
            "tenant_id": "ten_1",
            "status": person.status,
            **({"created_at": person.iso} if self.timed else {}),
        }


class FakeFlatpeak(Server):
    """Newest first, both directions, after a sign-in; a token may be made to die."""

    def __init__(self, rows=(), *, lost: int = 404, lives: int = 10**9, **options):
        super().__init__(rows, **options)
        self.lost, self.lives = lost, lives
        self.logins = 0
        self._left = 0

    def answer(self, request: Request) -> Reply:
        path, query = asked_of(request)
        headers = dict(request.headers)
        if path == "/login":
            self.logins += 1
            self._left = self.lives
            return reply(200, {"bearer_token": f"tok{self.logins}", "expires_in": 3600, "live_mode": True})
        if headers.get("authorization") != f"Bearer tok{self.logins}" or self._left <= 0:
            return reply(403, {"object": "error", "type": "invalid_request", "code": "access_denied"})
        self._left -= 1
        self.meanwhile()
        if path != "/customers":
            return self._one(unquote(path.removeprefix("/customers/")))
        return self._list(query)

    def _list(self, query: dict[str, list[str]]) -> Response:
        rows = sorted(self.people.values(), key=lambda p: (p.at, p.id), reverse=True)
        if "reference_id" in query:
            rows = [p for p in rows if p.ref == query["reference_id"][0]]
        size = self._size(int(query.get("limit", ["30"])[0]))
        back = "ending_before" in query
        cursor = query.get("ending_before" if back else "starting_after", [None])[0]
        place = next((n for n, p in enumerate(rows) if p.id == cursor), None)
        if cursor is not None and place is None:
            return reply(self.lost, {"object": "error", "type": "invalid_request", "code": "not_found"})
        if back:
            page, more = rows[max(0, place - size) : place], place > size
        else:
            start = 0 if place is None else place + 1
            page, more = rows[start : start + size], start + size < len(rows)
        raw = [self.raw(p) for p in page]
        return reply(200, {"object": "list", "url": "/customers", "has_more": more, "data": raw})

    def _one(self, id_: str) -> Response:
        if id_ in self.people:
            return reply(200, self.raw(self.people[id_]))
        return reply(404, {"object": "error", "type": "invalid_request", "code": "not_found"})

    def raw(self, person: Person) -> dict[str, Any]:
        return {
            "object": "customer",
            "id": person.id,
            "account_id": "acc_1",
            "live_mode": True,
            "reference_id": person.ref,
            "time_created": person.iso[:19] + "Z",
        }


def flexportal(**settings) -> uc.FlexPortal:
    return uc.FlexPortal(**{"api_key": "pk_test", "tenant_id": "ten_1", "base_url": HOST, **settings})


def flexprice(**settings) -> uc.Flexprice:
    return uc.Flexprice(**{"api_key": "sk_test", "base_url": HOST, **settings})


def flatpeak(**settings) -> uc.Flatpeak:
    return uc.Flatpeak(**{"account_id": "acc_1", "api_key": "sk_test_1", "base_url": HOST, **settings})


UNREACHABLE = Unreachable(kind="connection", reason="ConnectError")
