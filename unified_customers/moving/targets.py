"""What a target takes, as a move needs to know it.

Knows capabilities and the checks that every write passes before it is sent; must not know any provider.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..client import Client
from ..errors import Fault, UnsupportedError
from ..models import Customer, Status
from .fields import Flat, keywords
from .settings import Settings
from .translating import Terms

_GONE = (Status.ARCHIVED, Status.DELETED)


@attrs.frozen(kw_only=True)
class Target:
    """What a target takes.

    Attributes:
        client: Its client.
        terms: What becomes of a customer there.
        refuses_create: Why nobody can be created there, if so.
    """

    client: Client
    terms: Terms
    refuses_create: str | None

    def update_faults(self, sends: Flat) -> Sequence[Fault]:
        """What it would refuse in an update."""
        return self.client.check_update(**keywords(sends))


def target_of(client: Client, settings: Settings) -> Target:
    """Find out what an account takes.

    Raises:
        UnsupportedError: It takes no writes, or has no metadata to keep losses in.
    """
    adapter, can = client.provider, client.provider.capabilities
    if not can.creates and not can.updates:
        raise UnsupportedError(f"{adapter.title} takes no writes: nobody can be moved there", provider=adapter.name)
    stores = frozenset(can.creates or can.updates)
    if settings.on_loss == "metadata" and "metadata" not in stores:
        raise UnsupportedError(
            f"{adapter.title} has no metadata in which to keep what is lost: say on_loss='drop' or 'refuse'",
            provider=adapter.name,
        )
    creating = bool(can.creates)

    def faults(wanted: Flat) -> Sequence[Fault]:
        fields = keywords(wanted)
        return client.check_create(**fields) if creating else client.check_update(**fields)

    terms = Terms(
        provider=adapter.name,
        fields=stores,
        parts=frozenset(can.address),
        own=can.own,
        on_loss=settings.on_loss,
        faults=faults,
    )
    refuses = None if creating else f"{adapter.title} creates no customers through this interface"
    return Target(client=client, terms=terms, refuses_create=refuses)


def gone(customer: Customer) -> bool:
    """Whether a customer is archived or deleted at its provider."""
    return customer.status in _GONE
