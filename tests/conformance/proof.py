"""What a proof is: a check, the shop broken in one way, and words that the check's failure has to hold.

Knows the shop; must not know which breakages there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import attrs
from shop import FakeShop, Shop

from unified_customers import adapter as a


@attrs.frozen
class Proof:
    """A check, what makes it fail, and words that the failure has to hold."""

    check: str
    says: str
    adapter: type[Shop] = Shop
    server: Callable[[int], Any] = FakeShop


PROOFS: list[Proof] = []


def proves(check: str, says: str) -> Callable[[type], type]:
    """Mark a broken adapter or server as the proof of a check."""

    def marked(cls: type) -> type:
        side = {"adapter": cls} if issubclass(cls, Shop) else {"server": cls}
        PROOFS.append(Proof("test_" + check, says, **side))
        return cls

    return marked


def reading(check: str, says: str, change: Callable[[a.Customer, Any, str], Any]) -> None:
    """A proof by an adapter that turns records into something else."""

    class Reads(Shop):
        def customer_of(self, raw, path):
            return change(super().customer_of(raw, path), raw, path)

    proves(check, says)(Reads)


def able(check: str, says: str, **can: Any) -> None:
    """A proof by an adapter that says it can something else."""

    class Can(Shop):
        capabilities: ClassVar = attrs.evolve(Shop.capabilities, **can)

    proves(check, says)(Can)
