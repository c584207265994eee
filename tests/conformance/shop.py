"""A small provider that can everything, and its adapter as an author outside would write it: no check is skipped.

The adapter is made of `unified_customers.adapter` and the errors alone. What breaks it stands in `breakages.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

import unified_customers as uc
from unified_customers import adapter as a

KEY = "shop-planted-key-1"
TOKEN = "shop-planted-token-1"
WORDS = {"active": "open", "archived": "closed"}
KINDS = {"individual": "person", "business": "firm"}
WRITTEN = {
    "external_id": "ref",
    "name": "name",
    "email": "email",
    "kind": "kind",
    "billing_address": "address",
    "metadata": "tags",
}
OWN = ("limit", "after", "before", "email", "status", "kind", "ref", "id", "parent", "sort", "dir")


@attrs.frozen(kw_only=True)
class Shop(a.Adapter):
    """A shop's account."""

    name: ClassVar[str] = "shop"
    title: ClassVar[str] = "Shop"
    capabilities: ClassVar[a.Capabilities] = a.Capabilities(
        filters=("email", "status", "kind", "external_id", "ids", "parent_ids"),
        sorts=("created_at", "name"),
        orders=("asc", "desc"),
        statuses=("active", "archived", "any"),
        max_page_size=10,
        backwards=True,
        total=True,
        get_by=("id", "external_id"),
        sign_in=True,
        creates=tuple(WRITTEN),
        requires=("external_id",),
        updates=tuple(WRITTEN),
        clears=("email", "billing_address", "metadata"),
        address=("line1",),
        unique=True,
        archives=True,
        deletes=True,
    )
    positions: ClassVar[tuple[type[Any], ...]] = (a.cursors.CursorPosition,)
    status_words: ClassVar = WORDS
    kind_words: ClassVar = KINDS
    environment: ClassVar = {"api_key": "API_KEY", "base_url": "BASE_URL"}
    key_advice: ClassVar[str] = "check SHOP_API_KEY"

    api_key: a.Secret = attrs.field(repr=False)
    base_url: str

    def account(self) -> tuple[str, ...]:
        return (self.base_url,)

    def secrets(self) -> tuple[str, ...]:
        return (a.reveal(self.api_key, "api_key"),)

    # Signing in

    def signs_in(self) -> bool:
        return True

    def sign_in_request(self) -> a.Request:
        headers = (*a.JSON, ("x-api-key", a.reveal(self.api_key, "api_key")))
        return a.Request(
            method="POST", url=a.url(self.base_url, "token"), what="sign in", headers=headers, signed=False
        )

    def read_token(self, response: a.Response, now: float) -> a.Token:
        body = a.obj(a.decode(response))
        token, lifetime = body.get("token"), body.get("expires_in")
        if not isinstance(token, str) or not token:
            raise uc.MalformedResponseError("signed in, but sent no token", path="$.token")
        return a.Token(text=token, stale_at=now + lifetime if isinstance(lifetime, int) else float("inf"))

    def signed(self, request: a.Request, token: a.Token) -> a.Request:
        return request.with_headers(("authorization", f"Bearer {token.text}"))

    # Lists

    def check_query(self, query: a.Query) -> a.Query:
        a.refuse_own(query, OWN)
        return query

    def start(self, query: a.Query) -> a.Position:
        return a.cursors.CursorPosition()

    def start_before(self, query: a.Query, customer_id: str) -> a.Position:
        return a.cursors.CursorPosition(cursor=customer_id, whole=False)

    def list_request(self, query: a.Query, position: a.Position) -> a.Request:
        wanted = [("limit", str(query.page_size)), *self._asked(query)]
        if position.cursor is not None:
            wanted.append(("before" if query.backwards else "after", position.cursor))
        address = a.url(self.base_url, "customers", query=[*wanted, *a.pairs(query.params)])
        return a.Request(method="GET", url=address, what="list customers", headers=a.JSON)

    @staticmethod
    def _asked(query: a.Query) -> list[tuple[str, str]]:
        one = (("email", query.email), ("status", query.status), ("kind", query.kind))
        more = (("sort", query.sort), ("dir", query.order))
        several = (("ref", query.external_ids), ("id", query.ids), ("parent", query.parent_ids))
        asked = [(name, value) for name, value in (*one, *more) if value is not None]
        return asked + [(name, value) for name, values in several for value in values or ()]

    def understands(self, query: a.Query, position: a.Position, response: a.Response) -> bool:
        return response.status == 410 and position.cursor is not None

    def read_page(self, query: a.Query, position: a.Position, response: a.Response, keep: a.Keep) -> a.Batch:
        if response.status == 410:
            return a.cursors.lost(position)
        body = a.obj(a.decode(response))
        rows = [self.row(raw, f"$.rows[{n}]", keep) for n, raw in enumerate(a.array(body.get("rows"), "$.rows"))]
        found = [row for row in rows if row is not None]
        more = a.flag(body.get("more"), "$.more")
        listed = a.cursors.Listed(rows=found, more=more, cursor=found[-1].id if found else None)
        return a.cursors.advance(position, listed, timed=query.sort != "name")

    def row(self, raw: Any, path: str, keep: a.Keep) -> a.Row | None:
        try:
            customer = self.customer_of(raw, path)
        except uc.BadRecordError as error:
            return a.unreadable(error, keep, raw, "id", None)
        return a.Row(customer.id, customer.created_at, customer)

    def customer_of(self, raw: Any, path: str) -> a.Customer:
        row = a.record(Record, raw, path)
        return a.Customer(
            provider=self.name,
            id=row.id,
            external_id=a.text(row.ref),
            name=a.text(row.name),
            email=a.text(row.email),
            kind=_ours(KINDS, a.Kind, row.kind),
            status=_ours(WORDS, a.Status, row.status),
            raw_status=a.text(row.status),
            billing_address=a.address(line1=(row.address or Place()).street),
            parent_id=a.text(row.parent),
            created_at=a.moment(row.created),
            metadata=a.ReadOnlyDict(row.tags or {}),
            raw=a.ReadOnlyDict(raw),
        )

    def breaks(self, query: a.Query, customer: a.Customer) -> str | None:
        status = None if query.status == "any" else query.status
        kind = None if query.kind is None else _ours(KINDS, a.Kind, query.kind)
        return a.broken_filter(attrs.evolve(query, status=status, kind=kind), customer)

    # One customer, a count, an error

    def one(self, *, id: str | None, external_id: str | None) -> tuple[a.Request, Callable[[a.Response], a.Customer]]:
        if id is not None:
            address = a.url(self.base_url, "customers", id)
            request = a.Request(method="GET", url=address, what="get a customer", headers=a.JSON)
            return request, lambda response: self.customer_of(a.obj(a.decode(response)), "$")
        address = a.url(self.base_url, "customers", query=[("ref", external_id or "")])
        return a.Request(method="GET", url=address, what="find a customer", headers=a.JSON), self.only

    def only(self, response: a.Response) -> a.Customer:
        rows = a.array(a.obj(a.decode(response)).get("rows"), "$.rows")
        if not rows:
            raise uc.NotFoundError("has no customer with this external_id")
        return self.customer_of(rows[0], "$.rows[0]")

    def count(self, query: a.Query) -> Sequence[tuple[a.Request, Callable[[a.Response], int]]]:
        address = a.url(self.base_url, "customers", query=[("limit", "1"), *self._asked(query)])
        request = a.Request(method="GET", url=address, what="count customers", headers=a.JSON)
        return ((request, lambda response: a.count(a.obj(a.decode(response)).get("total")) or 0),)

    # Writing

    own_names: ClassVar[tuple[str, ...]] = tuple(WRITTEN.values())

    def create(self, fields: Mapping[str, Any]) -> tuple[a.Request, Callable[[a.Response], a.Customer]]:
        return self.writing("POST", ("customers",), "create a customer", fields), self.read_written

    def update(
        self, id: str, fields: Mapping[str, Any], current: a.Customer | None
    ) -> Sequence[tuple[a.Request, Callable[[a.Response], a.Customer]]]:
        return [(self.writing("PATCH", ("customers", id), "update a customer", fields), self.read_written)]

    def writing(self, method: str, path: tuple[str, ...], what: str, fields: Mapping[str, Any]) -> a.Request:
        content = {WRITTEN[name]: value for name, value in fields.items() if name in WRITTEN}
        if "address" in content:
            content["address"] = {"street": (content["address"] or a.Address()).line1}
        content |= fields.get("params") or {}
        address = a.url(self.base_url, *path)
        return a.Request(method=method, url=address, what=what, headers=a.JSON_BODY, body=a.body(content))

    def read_written(self, response: a.Response) -> a.Customer:
        return self.customer_of(a.obj(a.decode(response)), "$")

    def archive(self, id: str) -> tuple[a.Request, Callable[[a.Response], None]]:
        return self.removal(id)

    def delete(self, id: str) -> tuple[a.Request, Callable[[a.Response], None]]:
        return self.removal(id, ("purge", "1"))

    def removal(self, id: str, *query: tuple[str, str]) -> tuple[a.Request, Callable[[a.Response], None]]:
        address = a.url(self.base_url, "customers", id, query=query)
        return a.Request(method="DELETE", url=address, what="remove a customer", headers=a.JSON), lambda response: None

    def problem(self, response: a.Response) -> a.Problem:
        body = a.error_body(response)
        return a.Problem(
            says=a.said(body.get("message")),
            code=a.code(body.get("code")),
            details=body.get("details"),
            request_id=a.request_id(response),
        )


@attrs.frozen(kw_only=True)
class Place:
    street: str | None = None


@attrs.frozen(kw_only=True)
class Record:
    id: a.Id
    ref: str | None = None
    name: str | None = None
    email: str | None = None
    kind: str | None = None
    status: str | None = None
    parent: str | None = None
    created: Any = None
    address: Place | None = None
    tags: dict[str, Any] | None = None


def _ours(words: dict[str, str], ours: Any, sent: str | None) -> Any:
    return a.open_enum(ours, {theirs: word for word, theirs in words.items()}.get(sent or "", a.text(sent)))


class FakeShop:
    """The shop's server: newest first, by the id of the last row; a row that is gone is answered with 410."""

    def __init__(self, n: int):
        self.records = {f"c{k:04d}": self.made_up(k) for k in range(n)}

    def made_up(self, k: int) -> dict[str, Any]:
        return {
            "id": f"c{k:04d}",
            "ref": f"ref-{k}",
            "name": f"Plantagenet the {k}th",
            "email": f"planted{k}@mail.example",
            "kind": ("person", "firm")[k % 2],
            "status": "open",
            "parent": f"p{k % 2}",
            "created": f"2024-01-01T10:{k // 2:02d}:00+02:00",
            "address": {"street": f"Plantlane {k}"},
            "tags": {"tier": "gold"},
        }

    def __call__(self, request: a.Request) -> a.Response:
        parts = urlsplit(request.url)
        headers, query = dict(request.headers), parse_qs(parts.query)
        if parts.path == "/token":
            known = headers.get("x-api-key") == KEY
            return answer(200, {"token": TOKEN, "expires_in": 3600}) if known else answer(401, {"message": "no"})
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return answer(401, {"message": "sign in"})
        if request.method != "GET" and not (request.method == "POST" and parts.path != "/customers"):
            return self.write(request, unquote(parts.path.removeprefix("/customers").removeprefix("/")), query)
        if parts.path != "/customers":
            record = self.records.get(unquote(parts.path.removeprefix("/customers/")))
            return answer(404, {"code": "unknown"}) if record is None else answer(200, record)
        return self.page(query)

    def write(self, request: a.Request, id: str, query: dict[str, list[str]]) -> a.Response:
        if request.method == "POST":
            return self.make(json.loads(request.body or b"{}"))
        record = self.records.get(id)
        if record is None or (request.method == "DELETE" and record.get("status") == "closed"):
            return answer(404, {"code": "unknown"})
        if request.method == "PATCH":
            record |= json.loads(request.body or b"{}")
            return answer(200, record)
        if "purge" in query:
            del self.records[id]
        else:
            record["status"] = "closed"
        return answer(204, None)

    def make(self, sent: dict[str, Any]) -> a.Response:
        if self.taken(sent.get("ref")):
            return answer(409, {"code": "taken"})
        own = f"n{len(self.records):04d}"
        self.records[own] = {"id": own, "status": "open", "created": "2024-02-01T10:00:00Z", **sent}
        return answer(201, self.records[own])

    def taken(self, ref: Any) -> bool:
        return any(row.get("ref") == ref and row.get("status") == "open" for row in self.records.values())

    def page(self, query: dict[str, list[str]]) -> a.Response:
        rows = self.rows(query)
        size, back = int(query.get("limit", ["10"])[0]), "before" in query
        cursor = query.get("before" if back else "after", [None])[0]
        if cursor is not None and cursor not in self.records:
            return answer(410, {"code": "gone"})
        place = next((n for n, record in enumerate(rows) if record["id"] == cursor), -1)
        if back:
            rows = rows[:place][::-1]
            place = -1
        page = rows[place + 1 : place + 1 + size]
        return answer(200, {"rows": page, "more": place + 1 + size < len(rows), "total": len(rows)})

    def rows(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        rows = list(self.records.values())
        status = query.get("status", ["open"])[0]
        rows = [row for row in rows if status == "any" or (row.get("status") or "open") == status]
        for name in ("email", "kind", "ref", "id", "parent"):
            rows = [row for row in rows if name not in query or row.get(name) in query[name]]
        by = {"name": "name"}.get(query.get("sort", [""])[0], "created")
        return sorted(rows, key=lambda row: (row[by], row["id"]), reverse=query.get("dir", ["desc"])[0] == "desc")


def answer(status: int, body: Any) -> a.Response:
    return a.Response(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())


def shop(base_url: str) -> Shop:
    return Shop(api_key=KEY, base_url=base_url)
