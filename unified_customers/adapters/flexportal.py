"""FlexPortal: customers by cursor, newest first (seeds 000, 001, 002; docs/providers/flexportal.md).

Knows FlexPortal's settings and spelling; must not know other providers, httpx or the clock. Nobody of us has seen its
server: every fact here rests on documents, and where they give two spellings both are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar

import attrs

from .._adapter import (
    Adapter,
    Batch,
    Keep,
    Position,
    Problem,
    broken_filter,
    refuse_disorder,
    refuse_own,
)
from .._decode import Anything, Id, Number, cursor, decode, flag, obj
from .._problems import code, error_body, request_id, said
from .._records import Records
from .._settings import Secret, given, one_of, reveal, secret
from .._settings import address as base_address
from .._slots import maker
from .._url import JSON, JSON_BODY, Pairs, body, pairs, url
from .._values import address, full_name, joined, late, moment, read_only, text, whole, word_of
from .._wire import Request, Response
from ..errors import Fault, MalformedResponseError, UnsupportedError
from ..models import (
    Address,
    Capabilities,
    Customer,
    Kind,
    Metrics,
    Query,
    Status,
)
from ..paging.cursor import CursorPosition, Listed, advance, lost
from ..paging.windows import WindowPosition, current
from ..paging.windows import advance as advance_windows
from . import flexportal_writing as writing

REGIONS = {
    "eu": "https://api-eu.flexportal.io",
    "us": "https://api-us.flexportal.io",
    "qatar": "https://api-qatar.flexportal.io",
}
_SORTS = {
    "created_at": "createdAt",
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "monthly_revenue": "totalMonthlyRevenue",
    "devices_rented": "totalDevicesRented",
}
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_STATUSES: Mapping[str, Status] = {status.value: status for status in Status}
_LOST = frozenset({400, 404, 409, 410, 422})  # the documents don't say what a deleted cursor is answered with
_OWN = ("limit", "startAfter", "sortBy", "sortDir", "status", "customerType", "email")


@attrs.frozen(kw_only=True)
class FlexPortal(Adapter):
    """A FlexPortal tenant.

    Args:
        api_key: From the dashboard, Settings → API Keys; or a callable that returns it, or the path of a file.
        tenant_id: The business unit's id, from Settings → General; sent as `Tenant-ID`.
        region: ``"eu"``, ``"us"`` or ``"qatar"``; a tenant's data lives in one of them.
        base_url: Another address instead of the region's.
        allow_http: Whether `base_url` may be plain http beyond this machine.

    Raises:
        ConfigurationError: A setting is missing or can't be right.
    """

    name: ClassVar[str] = "flexportal"
    title: ClassVar[str] = "FlexPortal"
    capabilities: ClassVar[Capabilities] = Capabilities(
        filters=("email", "status", "kind"),
        sorts=(*_SORTS, *(own for own in _SORTS.values() if own not in _SORTS)),
        orders=("asc", "desc"),
        statuses=("active", "inactive", "any"),
        max_page_size=100,
        updates=writing.UPDATES,
        address=writing.ADDRESS,
        archives=True,
    )
    positions: ClassVar[tuple[type[Any], ...]] = (CursorPosition, WindowPosition)
    status_words: ClassVar[Mapping[str, str]] = {"active": "active", "inactive": "inactive"}
    kind_words: ClassVar[Mapping[str, str]] = {"individual": "individual", "business": "business"}
    environment: ClassVar[Mapping[str, str]] = {
        "api_key": "API_KEY",
        "tenant_id": "TENANT_ID",
        "region": "REGION",
        "base_url": "BASE_URL",
    }
    own_names: ClassVar[tuple[str, ...]] = writing.OWN
    key_advice: ClassVar[str] = "check FLEXPORTAL_API_KEY, FLEXPORTAL_TENANT_ID and the region"

    api_key: Secret = attrs.field(repr=False, default="")
    tenant_id: str = ""
    region: str = "eu"
    base_url: str | None = None
    allow_http: bool = False

    def __attrs_post_init__(self) -> None:
        given(self.api_key, "api_key", "FLEXPORTAL_API_KEY")
        secret(self.tenant_id, "tenant_id", "FLEXPORTAL_TENANT_ID")
        one_of(self.region, REGIONS, "region")
        self._base()

    def _base(self) -> str:
        return base_address(self.base_url or REGIONS[self.region], allow_http=self.allow_http)

    def _key(self) -> str:
        return reveal(self.api_key, "api_key")

    def account(self) -> tuple[str, ...]:
        return self._base(), self.tenant_id

    def secrets(self) -> tuple[str, ...]:
        return (self._key(),)

    def check_query(self, query: Query) -> Query:
        refuse_own(query, _OWN)
        return attrs.evolve(query, sort=None if query.sort is None else _SORTS.get(query.sort, query.sort))

    def start(self, query: Query) -> Position:
        top = CursorPosition()
        if query.status != "any":
            return top
        if query.sort not in {None, "createdAt"}:
            raise UnsupportedError("FlexPortal's status='any' reads two lists in order of time: leave sort= out")
        return WindowPosition(lead=top, follow=top)

    def list_request(self, query: Query, position: Position) -> Request:
        if isinstance(position, WindowPosition):
            # A deleted customer may be hidden from the default list, so `inactive` is read as well.
            status = None if position.phase == "lead" else "inactive"
            return self.list_request(attrs.evolve(query, status=status), current(position))
        query_pairs: Pairs = [("limit", str(query.page_size))]
        wanted = (
            ("startAfter", position.cursor),
            ("status", query.status),
            ("customerType", query.kind),
            ("email", query.email),
            ("sortBy", query.sort if query.sort or not query.order else "createdAt"),
            ("sortDir", query.order),
        )
        query_pairs += [(name, value) for name, value in wanted if value is not None]
        address_ = url(self._base(), "v1", "customers", query=[*query_pairs, *pairs(query.params)])
        return Request(
            method="GET", url=address_, what="list customers", headers=self._headers(), template="/v1/customers"
        )

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (*JSON, ("authorization", f"Bearer {self._key()}"), ("tenant-id", self.tenant_id))

    def understands(self, query: Query, position: Position, response: Response) -> bool:
        inner = current(position) if isinstance(position, WindowPosition) else position
        return response.status in _LOST and inner.cursor is not None

    def read_page(self, query: Query, position: Position, response: Response, keep: Keep) -> Batch:
        timed = query.sort in {None, "createdAt"}
        if isinstance(position, WindowPosition):
            batch = self.read_page(query, current(position), response, keep)
            return advance_windows(position, batch, down=query.order != "asc")
        if response.status in _LOST:
            return lost(position)
        listed = self._listed(response, keep)
        if query.sort is not None or query.order is not None:
            _refuse_other_order(query, [customer for row in listed.rows if (customer := row.customer) is not None])
        return advance(position, listed, timed=timed)

    def _listed(self, response: Response, keep: Keep) -> Listed:
        body = obj(_CUSTOMERS.decode(response))
        _refuse_error_body(body)
        rows = _CUSTOMERS.rows(body.get("customers"), "$.customers", keep)
        more = flag(body.get("hasMore"), "$.hasMore")
        return Listed(
            rows=rows,
            more=more,
            cursor=cursor(body.get("nextCursor"), "$.nextCursor"),
        )

    def breaks(self, query: Query, customer: Customer) -> str | None:
        status = None if query.status == "any" else query.status
        return broken_filter(attrs.evolve(query, status=status), customer)

    def one(self, *, id: str | None, external_id: str | None) -> tuple[Request, Callable[[Response], Customer]]:
        if id is None:
            raise UnsupportedError("FlexPortal stores no external id: give the customer's id", provider=self.name)
        request = Request(
            method="GET",
            url=url(self._base(), "v1", "customers", id),
            what="get a customer",
            headers=self._headers(),
            template="/v1/customers/{id}",
        )
        return request, _read_one

    def problem(self, response: Response) -> Problem:
        body = error_body(response)
        error = body.get("error")
        inner = error if isinstance(error, Mapping) else {}
        return Problem(
            says=said(inner.get("message"), error, body.get("message"), body.get("title")),
            code=code(inner.get("code"), body.get("code")),
            details=inner.get("details", body.get("details")),
            request_id=request_id(response, inner.get("requestId"), body.get("requestId")),
        )

    # Writing

    def faults(self, fields: Mapping[str, Any], *, creating: bool) -> Iterable[Fault]:
        return writing.faults(fields)

    def create(self, fields: Mapping[str, Any]) -> tuple[Request, Callable[[Response], Customer]]:
        raise UnsupportedError("FlexPortal creates a customer with its first order, and in no other way: order there")

    def update(
        self, id: str, fields: Mapping[str, Any], current: Customer | None
    ) -> Sequence[tuple[Request, Callable[[Response], Customer]]]:
        request = Request(
            method="PUT",
            url=url(self._base(), "v1", "customers", id),
            what="update a customer",
            headers=(*self._headers(), *JSON_BODY[1:]),
            body=body(writing.content(id, fields)),
            template="/v1/customers/{id}",
        )
        return [(request, _read_updated)]

    def archive(self, id: str) -> tuple[Request, Callable[[Response], None]]:
        request = Request(
            method="DELETE",
            url=url(self._base(), "v1", "customers", id),
            what="archive a customer",
            headers=self._headers(),
            template="/v1/customers/{id}",
        )
        return request, _read_done


def _refuse_other_order(query: Query, customers: Sequence[Customer]) -> None:
    """Sorting stands in the documents' prose only, so a server may ignore it; texts sort differently everywhere."""
    down = query.order != "asc"
    metrics = [customer.metrics or Metrics() for customer in customers]
    keys: dict[str, list[Any]] = {
        "createdAt": [customer.created_at for customer in customers],
        "totalMonthlyRevenue": [figures.monthly_revenue for figures in metrics],
        "totalDevicesRented": [figures.devices_rented for figures in metrics],
    }
    name = query.sort or "createdAt"
    refuse_disorder(name, keys.get(name, []), down=down)


def _refuse_error_body(body: Mapping[str, Any]) -> None:
    """A 200 that carries an error instead of customers must not pass for an empty list."""
    if "customers" not in body and "error" in body:
        raise MalformedResponseError("status 200 came with an error instead of customers", status=200, path="$.error")
    if "customers" not in body and "data" in body:
        raise MalformedResponseError(
            "sent the page-numbered list of its old documents (data, pagination), which this adapter doesn't read",
            path="$.customers",
        )


def _read_one(response: Response) -> Customer:
    body = obj(decode(response))
    inner = body.get("data")  # the older documents wrap it; seed 002 doesn't
    if "customerId" not in body and isinstance(inner, Mapping):
        return _CUSTOMERS.one(inner, "$.data")
    return _CUSTOMERS.one(body, "$")


def _read_updated(response: Response) -> Customer:
    """An update's answer wraps the customer (Update page)."""
    sent = obj(decode(response))
    _refuse_failure(sent)
    inner = sent.get("customer")
    return _CUSTOMERS.one(inner, "$.customer") if isinstance(inner, Mapping) else _read_one(response)


def _read_done(response: Response) -> None:
    """A delete's answer has a body (Delete page); an empty one says as much."""
    if response.body.strip():
        _refuse_failure(obj(decode(response)))


def _refuse_failure(sent: Mapping[str, Any]) -> None:
    if sent.get("success") is False or "error" in sent:
        raise MalformedResponseError("a good status came with a failure", path="$.success")


@attrs.frozen(kw_only=True)
class _Address:
    contactName: str | None = None  # noqa: N815 - the provider's own spelling, here and below
    company: str | None = None
    buildingInfo: str | None = None  # noqa: N815
    streetAddress: str | None = None  # noqa: N815
    locality: str | None = None
    city: str | None = None
    adminArea: str | None = None  # noqa: N815
    postalCode: str | None = None  # noqa: N815
    country: str | None = None


@attrs.frozen(kw_only=True)
class _Figures:
    """Seed 000 has them beside the customer, seed 002 in `profitability`."""

    lifetimeCollected: Number | None = None  # noqa: N815
    totalAcquisitionCost: Number | None = None  # noqa: N815
    customerMargin: Number | None = None  # noqa: N815
    customerMarginPercent: Number | None = None  # noqa: N815
    subscriptionsTracked: Number | None = None  # noqa: N815
    costRecoveryPercent: Number | None = None  # noqa: N815
    averageMonthlyRevenue: Number | None = None  # noqa: N815
    totalDevicesEver: Number | None = None  # noqa: N815
    activeDevices: Number | None = None  # noqa: N815


@attrs.frozen(kw_only=True)
class _Row(_Figures):
    customerId: Id  # noqa: N815
    tenantId: str | None = None  # noqa: N815
    email: str | None = None
    firstName: str | None = None  # noqa: N815
    lastName: str | None = None  # noqa: N815
    company: str | None = None
    phone: str | None = None
    customerType: str | None = None  # noqa: N815
    status: str | None = None
    customFields: dict[str, Any] | None = None  # noqa: N815
    totalOrders: Number | None = None  # noqa: N815
    totalDevicesRented: Number | None = None  # noqa: N815
    totalMonthlyRevenue: Number | None = None  # noqa: N815
    lastBillingAddress: _Address | None = None  # noqa: N815
    billingAddress: _Address | None = None  # noqa: N815
    lastShippingAddress: _Address | None = None  # noqa: N815
    shippingAddress: _Address | None = None  # noqa: N815
    createdAt: Anything | None = None  # noqa: N815
    updatedAt: Anything | None = None  # noqa: N815
    profitability: _Figures | None = None


def _either(last: _Address | None, plain: _Address | None) -> Address | None:
    return _address(last) or _address(plain)


def _address(sent: _Address | None) -> Address | None:
    if sent is None:
        return None
    return address(
        name=sent.contactName,
        company=sent.company,
        line1=sent.streetAddress,
        line2=joined(sent.buildingInfo, sent.locality),
        city=sent.city,
        state=sent.adminArea,
        postal_code=sent.postalCode,
        country=sent.country,
    )


_FIGURES = (
    "lifetimeCollected",
    "totalAcquisitionCost",
    "customerMargin",
    "customerMarginPercent",
    "subscriptionsTracked",
    "costRecoveryPercent",
    "averageMonthlyRevenue",
    "totalDevicesEver",
    "activeDevices",
)
_beside = attrgetter("totalOrders", "totalDevicesRented", "totalMonthlyRevenue", *_FIGURES)
_nested = attrgetter(*_FIGURES)
_NO_FIGURES = (None,) * 12
_make_metrics = maker(Metrics)


def _metrics(row: _Row) -> Metrics | None:
    """The figures, those beside the customer before those in `profitability`; `None` where there are none."""
    figures = _beside(row)
    if row.profitability is not None:
        others = (None, None, None, *_nested(row.profitability))
        figures = tuple(b if a is None else a for a, b in zip(figures, others, strict=True))
    if figures == _NO_FIGURES:
        return None
    orders, rented, monthly, lifetime, acquisition, margin, percent, tracked, cost, average, ever, active = figures
    return _make_metrics(
        whole(orders),
        whole(rented),
        monthly,
        lifetime,
        acquisition,
        margin,
        percent,
        whole(tracked),
        cost,
        average,
        whole(ever),
        whole(active),
    )


_CUSTOMERS = Records(
    _Row,
    provider=FlexPortal.name,
    key="customers",
    beside=("hasMore", "nextCursor"),
    id="customerId",
    created="createdAt",
    fields={
        "name": (full_name, "firstName", "lastName"),
        "first_name": (text, "firstName"),
        "last_name": (text, "lastName"),
        "company": (text, "company"),
        "email": (text, "email"),
        "phone": (text, "phone"),
        "kind": (word_of(_KINDS), "customerType"),
        "status": (word_of(_STATUSES), "status"),
        "raw_status": (text, "status"),
        "billing_address": (late(_either), "lastBillingAddress", "billingAddress"),
        "shipping_address": (late(_either), "lastShippingAddress", "shippingAddress"),
        "updated_at": (moment, "updatedAt"),
        "metadata": (read_only, "customFields"),
        "metrics": (late(_metrics),),
        "account_id": (text, "tenantId"),
    },
)
