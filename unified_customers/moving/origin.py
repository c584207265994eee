"""Where a moved customer came from, as it stands in its metadata at the target.

Knows the keys' names; must not know any provider. With them a create whose answer was lost is told from a stranger's
customer, and a later plan knows which customers it may change.

    moved_from         the source's provider, such as flexportal
    moved_account      its tenant or account, where the source names one
    moved_id           the customer's id there
    moved_created_at   when it was created there, UTC
    moved_journal      a name for the journal of the run that made it
    moved_FIELD        a field that the target lacks or can't hold (moved_company, moved_billing_country, …)
    moved_earlier_…    the same of an earlier move, if the customer was moved before
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import attrs

from ..models import Customer
from .fields import ADDRESSES, METADATA, OWN, Flat, as_text

PREFIX = "moved_"
FROM, ACCOUNT, ID, CREATED = "moved_from", "moved_account", "moved_id", "moved_created_at"
JOURNAL = "moved_journal"
EARLIER = "moved_earlier_"
_OWN = (FROM, ACCOUNT, ID)
_ALL = (*_OWN, CREATED, JOURNAL)
PATHS = frozenset(METADATA + key for key in (*_ALL, *(EARLIER + key.removeprefix(PREFIX) for key in _ALL)))
"""Paths that tell of the move itself: no reason to call two customers different."""


@attrs.frozen
class Origin:
    """Who a customer is at its source."""

    provider: str
    account: str
    id: str


def origin_of(customer: Customer) -> Origin:
    """Who this source customer is."""
    return Origin(customer.provider, customer.account_id or "", customer.id)


def told(metadata: Mapping[str, Any]) -> Origin | None:
    """Where this target customer says that it came from, if it does."""
    provider, own_id = metadata.get(FROM), metadata.get(ID)
    if not isinstance(provider, str) or not isinstance(own_id, str):
        return None
    return Origin(provider, as_text(metadata.get(ACCOUNT) or ""), own_id)


def stamped(customer: Customer) -> Flat:
    """The metadata that tells of the move, by path."""
    who = origin_of(customer)
    keys = {FROM: who.provider, ID: who.id}
    if who.account:
        keys[ACCOUNT] = who.account
    if customer.created_at is not None:
        keys[CREATED] = customer.created_at.astimezone(UTC).isoformat()
    for key in _ALL:
        if customer.metadata.get(key):
            keys[EARLIER + key.removeprefix(PREFIX)] = as_text(customer.metadata[key])
    return {METADATA + key: value for key, value in keys.items()}


@functools.lru_cache(maxsize=512)
def key_for(path: str) -> str:
    """The metadata key that keeps a field which the target lacks: `billing_address.city` → `moved_billing_city`."""
    name, _, part = path.partition(".")
    if path.startswith(OWN):
        return PREFIX + part
    short = name.removesuffix("_address") if name in ADDRESSES else name
    return PREFIX + (f"{short}_{part}" if part else short)  # an empty metadata key becomes `moved_metadata`
