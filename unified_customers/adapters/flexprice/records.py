"""Flexprice's customers and errors, out of the bytes of an answer.

Knows field names and error shapes; must not know requests or paging.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..._adapter import Keep, Problem, Row, unreadable
from ..._decode import Id, array, count, decode, obj, record
from ..._problems import code, error_body, request_id, said
from ..._values import address, moment, text
from ..._wire import Response
from ...errors import BadRecordError, MalformedResponseError
from ...models import EMPTY, Customer, ReadOnlyDict, Status

NAME = "flexprice"
_STATUS: Mapping[str, Status | str] = {
    "published": Status.ACTIVE,
    "inactive": Status.INACTIVE,
    "archived": Status.ARCHIVED,
    "deleted": Status.DELETED,
    "draft": Status.DRAFT,
}


@attrs.frozen(kw_only=True)
class _Row:
    id: Id
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    contact: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_postal_code: str | None = None
    address_country: str | None = None
    parent_customer_id: str | None = None  # gone from the server since 2026-04-04, still in seed 003
    metadata: dict[str, Any] | None = None
    tenant_id: str | None = None
    status: str | None = None
    created_at: Any = None
    updated_at: Any = None


def customer_of(raw: Any, path: str) -> Customer:
    """One customer of Flexprice's; it writes "" for unset.

    Raises:
        BadRecordError: A field is not of the documented type; `path` says which.
    """
    row = record(_Row, raw, path)
    status = text(row.status)
    return Customer(
        provider=NAME,
        id=row.id,
        external_id=text(row.external_id),
        name=text(row.name),
        email=text(row.email),
        phone=text(row.contact),
        status=None if status is None else _STATUS.get(status, status),
        raw_status=status,
        billing_address=address(
            line1=row.address_line1,
            line2=row.address_line2,
            city=row.address_city,
            state=row.address_state,
            postal_code=row.address_postal_code,
            country=row.address_country,
        ),
        parent_id=text(row.parent_customer_id),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        metadata=ReadOnlyDict(row.metadata) if row.metadata else EMPTY,
        account_id=text(row.tenant_id),
        raw=ReadOnlyDict(raw),
    )


@attrs.frozen(kw_only=True)
class Answer:
    """A page: its rows, how many records it had (bad ones included), and the two hints."""

    rows: list[Row]
    total: int | None


def answer_of(response: Response, keep: Keep) -> Answer:
    """The page of a list or search.

    Raises:
        MalformedResponseError: It is no page; BadRecordError where `keep` raises it.
    """
    body = obj(decode(response))
    if "items" not in body and ("error" in body or "message" in body):
        raise MalformedResponseError("status 200 came with an error instead of customers", status=200, path="$.error")
    rows = [_row(raw, f"$.items[{n}]", keep) for n, raw in enumerate(array(body.get("items"), "$.items"))]
    pagination = obj(body.get("pagination"), "$.pagination")
    return Answer(rows=[row for row in rows if row is not None], total=count(pagination.get("total")))


def _row(raw: Any, path: str, keep: Keep) -> Row | None:
    try:
        customer = customer_of(raw, path)
    except BadRecordError as error:
        created = moment(raw.get("created_at")) if isinstance(raw, Mapping) else None
        return unreadable(error, keep, raw, "id", created)
    return Row(customer.id, customer.created_at, customer)


def problem_of(response: Response) -> Problem:
    """What an error answer says, in any of the five shapes (and none) that the server has."""
    body = error_body(response)
    error = body.get("error")
    inner = error if isinstance(error, Mapping) else {}
    return Problem(
        says=said(body.get("message"), inner.get("message"), error, inner.get("internal_error"), body.get("title")),
        code=code(body.get("code"), inner.get("code")),
        details=body.get("details", inner.get("details")),
        request_id=request_id(response),
    )
