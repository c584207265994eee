"""Flatpeak: customers by cursor in both directions, newest first, after a sign-in (seed 004).

Knows Flatpeak's settings and spelling; must not know other providers, httpx or the clock. Nobody of us has seen its
server: every fact here rests on documents and on public code that calls it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs

from .._adapter import Adapter, Batch, Keep, Position, Problem, raised, refuse_own
from .._decode import Id, decode, flag, obj
from .._problems import code, error_body, request_id, said
from .._records import Records
from .._settings import Secret, given, reveal, secret
from .._settings import address as base_address
from .._url import JSON, JSON_BODY, body, pairs, url
from .._values import address, late, text
from .._wire import Request, Response, Token
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    MalformedResponseError,
    NotFoundError,
    PaginationError,
    UnsupportedError,
)
from ..models import Address, Capabilities, Customer, Query
from ..paging.chunks import ChunkPosition
from ..paging.chunks import advance as advance_chunks
from ..paging.cursor import CursorPosition, Listed, advance, lost

HOST = "https://api.flatpeak.com"
_LOST = frozenset({400, 404, 410, 422})  # 404 is what the list documents; the others are near enough
_OWN = ("limit", "starting_after", "ending_before", "reference_id")
_MARGIN = 60.0  # seconds before its expiry at which a token is renewed


@attrs.frozen(kw_only=True)
class BackwardsPosition:
    """Before the first step of a walk backwards.

    The documents don't say whether `ending_before` returns the page next to its customer or the newest page of all.
    Where the first answer is a full page, its far end is asked what follows it: that must be where the walk started.

    Attributes:
        start: Where the walk starts.
        last: The customer at the far end of the full page, once it is known.
    """

    start: Any
    last: str | None = None


@attrs.frozen(kw_only=True)
class Flatpeak(Adapter):
    """A Flatpeak account.

    Args:
        account_id: ``acc_…``, for the sign-in.
        api_key: ``sk_live_…`` or ``sk_test_…``, for the sign-in; it decides between live and test data.
        bearer_token: A token instead of the two; it can't be renewed here. Each secret may be a callable, or a path.
        version: A release for the `Flatpeak-Version` header, such as ``"2025-09-14.anode"``; else the account's own.
        base_url: Another address than https://api.flatpeak.com.
        allow_http: Whether `base_url` may be plain http beyond this machine.

    Raises:
        ConfigurationError: A setting is missing or can't be right.
    """

    name: ClassVar[str] = "flatpeak"
    title: ClassVar[str] = "Flatpeak"
    capabilities: ClassVar[Capabilities] = Capabilities(
        filters=("external_id",),
        orders=("desc",),
        max_page_size=100,
        backwards=True,
        get_by=("id", "external_id"),
        sign_in=True,
        creates=("external_id",),
        updates=("external_id",),
        deletes=True,
    )
    positions: ClassVar[tuple[type[Any], ...]] = (CursorPosition, ChunkPosition, BackwardsPosition)
    environment: ClassVar[Mapping[str, str]] = {
        "account_id": "ACCOUNT_ID",
        "api_key": "API_KEY",
        "bearer_token": "BEARER_TOKEN",
        "base_url": "BASE_URL",
    }
    own_names: ClassVar[tuple[str, ...]] = ("reference_id",)
    key_advice: ClassVar[str] = "check FLATPEAK_ACCOUNT_ID and FLATPEAK_API_KEY (or FLATPEAK_BEARER_TOKEN)"

    account_id: str | None = None
    api_key: Secret | None = attrs.field(repr=False, default=None)
    bearer_token: Secret | None = attrs.field(repr=False, default=None)
    version: str | None = None
    base_url: str | None = None
    allow_http: bool = False

    def __attrs_post_init__(self) -> None:
        if self.bearer_token is not None:
            given(self.bearer_token, "bearer_token", "FLATPEAK_BEARER_TOKEN")
        else:
            secret(self.account_id, "account_id", "FLATPEAK_ACCOUNT_ID (or FLATPEAK_BEARER_TOKEN)")
            given(self.api_key, "api_key", "FLATPEAK_API_KEY (or FLATPEAK_BEARER_TOKEN)")
            if ":" in (self.account_id or ""):
                raise ConfigurationError("account_id holds a colon, which ends the name in HTTP Basic")
        if self.version is not None:
            secret(self.version, "version", "version=")
        self._base()

    def _base(self) -> str:
        return base_address(self.base_url or HOST, allow_http=self.allow_http)

    def account(self) -> tuple[str, ...]:
        return self._base(), self.account_id or ""

    def secrets(self) -> tuple[str, ...]:
        if self.bearer_token is not None:
            return (reveal(self.bearer_token, "bearer_token"),)
        return reveal(self.api_key, "api_key"), self._basic()

    def _basic(self) -> str:
        return base64.b64encode(f"{self.account_id}:{reveal(self.api_key, 'api_key')}".encode()).decode()

    def _headers(self) -> tuple[tuple[str, str], ...]:
        version = (("flatpeak-version", self.version),) if self.version else ()
        given = self._given_token()
        return (*JSON, *version, *given)

    def _given_token(self) -> tuple[tuple[str, str], ...]:
        if self.bearer_token is None:
            return ()
        return (("authorization", f"Bearer {reveal(self.bearer_token, 'bearer_token')}"),)

    def signs_in(self) -> bool:
        return self.bearer_token is None

    def sign_in_request(self) -> Request:
        headers = (*self._headers(), ("authorization", f"Basic {self._basic()}"))
        return Request(
            method="GET",
            url=url(self._base(), "login"),
            what="sign in",
            headers=headers,
            signed=False,
            template="/login",
        )

    def read_token(self, response: Response, now: float) -> Token:
        body = obj(decode(response))
        token = said(body.get("bearer_token"), body.get("token"), body.get("bearer"))
        try:
            secret(token, "token", "")
        except ConfigurationError:
            raise MalformedResponseError(
                "signed in, but sent no token that can be used", path="$.bearer_token"
            ) from None
        return Token(text=token, stale_at=now + _lifetime(body.get("expires_in")))

    def signed(self, request: Request, token: Token) -> Request:
        return request.with_headers(("authorization", f"Bearer {token.text}"))

    def check_query(self, query: Query) -> Query:
        refuse_own(query, _OWN)
        return query

    def start(self, query: Query) -> Position:
        top = CursorPosition()
        return top if query.external_ids is None else ChunkPosition(inner=top)

    def start_before(self, query: Query, customer_id: str) -> Position:
        if query.external_ids is not None:
            raise UnsupportedError("a walk backwards has no filter: leave external_id= out", provider=self.name)
        return BackwardsPosition(start=CursorPosition(cursor=customer_id, whole=False))

    def list_request(self, query: Query, position: Position) -> Request:
        if isinstance(position, BackwardsPosition):
            if position.last is None:
                return self.list_request(query, position.start)
            only = attrs.evolve(query, backwards=False, page_size=1)
            return self.list_request(only, CursorPosition(cursor=position.last))
        wanted = [("limit", str(query.page_size))]
        inner = position
        if isinstance(position, ChunkPosition):  # `reference_id` takes one value
            wanted.append(("reference_id", (query.external_ids or ())[position.index]))
            inner = position.inner
        if inner.cursor is not None:
            wanted.append(("ending_before" if query.backwards else "starting_after", inner.cursor))
        address_ = url(self._base(), "customers", query=[*wanted, *pairs(query.params)])
        return Request(
            method="GET", url=address_, what="list customers", headers=self._headers(), template="/customers"
        )

    def understands(self, query: Query, position: Position, response: Response) -> bool:
        if isinstance(position, BackwardsPosition):
            return position.last is not None and response.status in _LOST
        inner = position.inner if isinstance(position, ChunkPosition) else position
        return response.status in _LOST and inner.cursor is not None and bool(inner.trail)

    def read_page(self, query: Query, position: Position, response: Response, keep: Keep) -> Batch:
        if isinstance(position, BackwardsPosition):
            return self._step_before(query, position, response, keep)
        if isinstance(position, ChunkPosition):
            batch = self.read_page(query, position.inner, response, keep)
            last = position.index + 1 >= len(query.external_ids or ())
            return advance_chunks(position, batch, following=None if last else CursorPosition())
        if response.status in _LOST:
            return lost(position)
        listed = self._listed(query, response, keep)
        batch = advance(position, listed)
        if query.backwards or query.external_ids is not None or not listed.rows or batch.recovered:
            return batch
        return attrs.evolve(batch, previous=self.start_before(query, listed.rows[0].id))

    def _step_before(self, query: Query, position: BackwardsPosition, response: Response, keep: Keep) -> Batch:
        """The first page backwards, once it is sure that it lies next to where the walk starts."""
        if position.last is not None and response.status in _LOST:  # gone meanwhile: ask anew
            return Batch(items=(), at=lambda _: position, next=attrs.evolve(position, last=None), recovered=True)
        if position.last is not None:
            found = self._listed(attrs.evolve(query, backwards=False), response, keep).rows
            if not found or found[0].id != position.start.cursor:
                raise PaginationError("returns another page than the one before that customer: walk forwards instead")
            return Batch(items=(), at=lambda _: position, next=position.start, recovered=True)
        listed = self._listed(query, response, keep)
        if len(listed.rows) < query.page_size:
            return advance(position.start, listed)
        asking = attrs.evolve(position, last=listed.rows[0].id)
        return Batch(items=(), at=lambda _: position, next=asking, recovered=True)

    def _listed(self, query: Query, response: Response, keep: Keep) -> Listed:
        body = obj(_CUSTOMERS.decode(response))
        if body.get("object") == "error" or "data" not in body:
            raise MalformedResponseError("status 200 came without a list of customers", status=200, path="$.data")
        found = _CUSTOMERS.rows(body["data"], "$.data", keep)
        if query.backwards:
            found = found[::-1]  # both directions arrive newest first; the walk goes away from where it started
        more = flag(body.get("has_more"), "$.has_more")
        return Listed(rows=found, more=more, cursor=found[-1].id if found else None)

    def one(self, *, id: str | None, external_id: str | None) -> tuple[Request, Callable[[Response], Customer]]:
        if id is not None:
            address_ = url(self._base(), "customers", id)
            request = Request(
                method="GET", url=address_, what="get a customer", headers=self._headers(), template="/customers/{id}"
            )
            return request, lambda response: _CUSTOMERS.one(obj(decode(response)), "$")
        address_ = url(self._base(), "customers", query=[("limit", "2"), ("reference_id", external_id or "")])
        request = Request(
            method="GET", url=address_, what="find a customer", headers=self._headers(), template="/customers"
        )
        return request, lambda response: self._only(response, external_id)

    def _only(self, response: Response, external_id: str | None) -> Customer:
        rows = self._listed(Query(), response, raised).rows
        found = [row.customer for row in rows if row.customer and row.customer.external_id == external_id]
        if len(found) > 1:
            raise ConflictError("has several customers with this external_id: customers(external_id=…) lists them")
        if not found:
            raise NotFoundError("has no customer with this external_id")
        return found[0]

    def problem(self, response: Response) -> Problem:
        body = error_body(response)
        stale = self.bearer_token is not None and response.status == 403
        return Problem(
            says=said(body.get("message"), body.get("code"), body.get("title")),
            code=code(body.get("code")),
            details={k: v for k, v in body.items() if k in {"type", "context"}} or None,
            request_id=request_id(response, body.get("request_id")),
            # bad credentials and stale tokens are documented as 403 (seed 004), 401 nowhere
            cls=AuthenticationError if stale or response.status == 401 or says_credentials(body) else None,
        )

    # Writing: a reference is all that can be written, and need not be unique, so a lost create stays unknown

    def create(self, fields: Mapping[str, Any]) -> tuple[Request, Callable[[Response], Customer]]:
        return self._write("POST", ("customers",), "create a customer", fields), _read_written

    def update(
        self, id: str, fields: Mapping[str, Any], current: Customer | None
    ) -> Sequence[tuple[Request, Callable[[Response], Customer]]]:
        return [(self._write("PATCH", ("customers", id), "update a customer", fields), _read_written)]

    def _write(self, method: str, path: tuple[str, ...], what: str, fields: Mapping[str, Any]) -> Request:
        reference = {"reference_id": fields["external_id"]} if "external_id" in fields else {}
        return Request(
            method=method,
            url=url(self._base(), *path),
            what=what,
            headers=(*self._headers(), *JSON_BODY[1:]),
            body=body({**reference, **(fields.get("params") or {})}),
            safe=method != "POST",
            template="/customers" if method == "POST" else "/customers/{id}",
        )

    def delete(self, id: str) -> tuple[Request, Callable[[Response], None]]:
        request = Request(
            method="DELETE",
            url=url(self._base(), "customers", id),
            what="delete a customer",
            headers=self._headers(),
            template="/customers/{id}",
        )
        return request, _read_done


def _read_written(response: Response) -> Customer:
    sent = obj(decode(response))
    _refuse_error(sent)
    return _CUSTOMERS.one(sent, "$")


def _read_done(response: Response) -> None:
    """A delete is accepted with 202 and a word; an empty answer says as much."""
    if response.body.strip():
        _refuse_error(obj(decode(response)))


def _refuse_error(sent: Mapping[str, Any]) -> None:
    """Flatpeak's own SDK tells an error by its object, not by the status."""
    if sent.get("object") == "error":
        raise MalformedResponseError("a good status came with an error", path="$.object")


def says_credentials(body: Mapping[str, Any]) -> bool:
    """Whether a 403 means the credentials; both words are the documents' own."""
    return body.get("message") == "Bad credentials"


def _lifetime(value: Any) -> float:
    """Seconds for which a token may be used; unknown is until it is refused."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return float("inf")
    seconds = float(min(value, 10**9))
    return seconds - min(_MARGIN, seconds / 10)


@attrs.frozen(kw_only=True)
class _Details:
    email: str | None = None
    phone: str | None = None


@attrs.frozen(kw_only=True)
class _Address:
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state: str | None = None
    post_code: str | None = None
    country_code: str | None = None


@attrs.frozen(kw_only=True)
class _Row:
    id: Id
    account_id: str | None = None
    reference_id: str | None = None
    live_mode: bool | None = None
    time_created: Any = None
    personal_details: _Details | None = None
    postal_address: _Address | None = None


def _email(details: _Details | None) -> str | None:
    return None if details is None else text(details.email)


def _phone(details: _Details | None) -> str | None:
    return None if details is None else text(details.phone)


def _address(sent: _Address | None) -> Address | None:
    if sent is None:
        return None
    return address(
        line1=sent.address_line1,
        line2=sent.address_line2,
        city=sent.city,
        state=sent.state,
        postal_code=sent.post_code,
        country=sent.country_code,
    )


_CUSTOMERS = Records(
    _Row,
    provider=Flatpeak.name,
    key="data",
    beside=("object", "has_more"),
    created="time_created",
    fields={
        "external_id": (text, "reference_id"),
        "email": (_email, "personal_details"),  # this and the address are of older releases
        "phone": (_phone, "personal_details"),
        "billing_address": (late(_address), "postal_address"),
        "account_id": (text, "account_id"),
        "live": "live_mode",
    },
)
