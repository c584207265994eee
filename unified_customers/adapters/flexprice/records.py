"""Flexprice's customers and errors, out of the bytes of an answer.

Knows field names and error shapes; must not know requests or paging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..._adapter import Keep, Problem, Row
from ..._decode import Id, count, obj
from ..._problems import code, error_body, request_id, said
from ..._records import Records
from ..._values import address, late, moment, read_only, text, word_of
from ..._wire import Response
from ...errors import MalformedResponseError
from ...models import Status

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


CUSTOMERS = Records(
    _Row,
    provider=NAME,
    key="items",
    beside=("pagination",),
    fields={  # the server writes "" for unset
        "external_id": (text, "external_id"),
        "name": (text, "name"),
        "email": (text, "email"),
        "phone": (text, "contact"),
        "status": (word_of(_STATUS), "status"),
        "raw_status": (text, "status"),
        "billing_address": (
            late(address),
            {
                "line1": "address_line1",
                "line2": "address_line2",
                "city": "address_city",
                "state": "address_state",
                "postal_code": "address_postal_code",
                "country": "address_country",
            },
        ),
        "parent_id": (text, "parent_customer_id"),
        "updated_at": (moment, "updated_at"),
        "metadata": (read_only, "metadata"),
        "account_id": (text, "tenant_id"),
    },
)


@attrs.frozen(kw_only=True)
class Answer:
    """A page: its rows, how many records it had (bad ones included), and the two hints."""

    rows: Sequence[Row]
    total: int | None


def answer_of(response: Response, keep: Keep) -> Answer:
    """The page of a list or search.

    Raises:
        MalformedResponseError: It is no page; BadRecordError where `keep` raises it.
    """
    body = obj(CUSTOMERS.decode(response))
    if "items" not in body and ("error" in body or "message" in body):
        raise MalformedResponseError("status 200 came with an error instead of customers", status=200, path="$.error")
    rows = CUSTOMERS.rows(body.get("items"), "$.items", keep)
    pagination = obj(body.get("pagination"), "$.pagination")
    return Answer(rows=rows, total=count(pagination.get("total")))


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
