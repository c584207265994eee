"""The target's customers by id, external id, e-mail and origin, in a plan's file; and who of them a source customer is.

Knows the plan's table of the target; must not know how it is read or what will be sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from ..models import Customer
from .fields import Flat, dumped, flat, storable
from .origin import Origin, told
from .store import Store

SCHEMA = """
CREATE TABLE target (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, external_id TEXT, email TEXT, origin TEXT, body TEXT);
"""
INDEXES = """
CREATE INDEX target_external_id ON target (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX target_email ON target (email) WHERE email IS NOT NULL;
CREATE INDEX target_origin ON target (origin) WHERE origin IS NOT NULL;
"""
_INSERT = "INSERT OR REPLACE INTO target (id, external_id, email, origin, body) VALUES (?, ?, ?, ?, ?)"


def keep_target(store: Store, customers: Iterable[Customer], own: Sequence[str] = ()) -> None:
    """Write the target's customers down."""
    with store.transaction() as run:
        run.executemany(_INSERT, (_row(customer, own) for customer in customers))
    with store.transaction() as run:
        for statement in INDEXES.strip().splitlines():
            run.execute(statement)


def _row(customer: Customer, own: Sequence[str]) -> tuple[Any, ...]:
    who = told(customer.metadata)
    email = folded(customer.email)
    external_id = customer.external_id and storable(customer.external_id)
    return storable(customer.id), external_id, email, who and origin_text(who), dumped(flat(customer, own))


def folded(email: str | None) -> str | None:
    """An e-mail address as it is compared: upper and lower case are one."""
    return None if email is None else storable(email.strip().casefold())


def origin_text(who: Origin) -> str:
    """An origin as one text."""
    return dumped([who.provider, who.account, who.id])


@attrs.frozen(kw_only=True)
class Match:
    """Who a source customer is at the target.

    Attributes:
        id: The target's id; `None` where there is nobody, or nobody for certain.
        there: What the target has, by path.
        ours: Whether it says that it came from this very source customer.
        by_email: Whether its e-mail alone told.
        doubt: Why nobody is certain.
    """

    id: str | None = None
    there: Mapping[str, str] = attrs.field(factory=dict)
    ours: bool = False
    by_email: bool = False
    doubt: str | None = None


def match(store: Store, external_id: str, who: Origin, email: str | None) -> Match:
    """Find a source customer at the target.

    Args:
        store: The plan's file.
        external_id: The external id that it shall have.
        who: Where it comes from.
        email: Its e-mail, where that may decide; else `None`.
    """
    found = store.run("SELECT id, origin, body FROM target WHERE external_id = ? LIMIT 2", (storable(external_id),))
    if len(found) > 1:
        return Match(doubt="several customers of the target have this external id")
    if found:
        return _match(found[0], who, by_email=False)
    moved = store.run("SELECT id, origin, body FROM target WHERE origin = ? LIMIT 2", (origin_text(who),))
    if moved:
        return Match(doubt="the target has it from an earlier move under another external id")
    return Match() if email is None else _by_email(store, email, who)


def _by_email(store: Store, email: str, who: Origin) -> Match:
    found = store.run("SELECT id, origin, body FROM target WHERE email = ? LIMIT 2", (folded(email),))
    if len(found) > 1:
        return Match(doubt="several customers of the target have this e-mail")
    if found and found[0]["origin"] and json.loads(found[0]["origin"])[:2] == [who.provider, who.account]:
        return Match(doubt="the target's customer with this e-mail was moved from another customer of the source")
    return _match(found[0], who, by_email=True) if found else Match()


def _match(row: Any, who: Origin, *, by_email: bool) -> Match:
    there: Flat = json.loads(row["body"])
    return Match(id=row["id"], there=there, ours=row["origin"] == origin_text(who), by_email=by_email)
