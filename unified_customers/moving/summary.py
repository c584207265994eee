"""What a plan comes to, in numbers and in words.

Knows counts and the names of fields; must not know values of customers.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .translating import DROPPED, KEPT, STAYS, TEXT

ACTIONS = ("create", "update", "same", "conflict", "ambiguous", "impossible")
_SAYS = {
    "create": "will be created",
    "update": "will be updated",
    "same": "are there already, with the same values",
    "conflict": "are there with other values",
    "ambiguous": "can't be told apart",
    "impossible": "can't be moved",
}
FATES = {
    KEPT: "kept in metadata as {}",
    DROPPED: "lost",
    TEXT: "values that are no text become JSON text",
    STAYS: "stays behind: the source works it out",
}


@attrs.frozen(kw_only=True)
class FieldLoss:
    """What becomes of one field in this pair of providers.

    Attributes:
        field: Its path at the source, such as ``"billing_address.company"``.
        fate: ``"kept"``, ``"dropped"``, ``"text"`` or ``"stays"``.
        where: The key of the target's metadata that keeps it.
        customers: How many customers have it.
    """

    field: str
    fate: str
    where: str
    customers: int

    def __str__(self) -> str:
        return f"{self.field}: {FATES[self.fate].format(self.where)}"


@attrs.frozen(kw_only=True)
class MoveSummary:
    """What a plan would do; `print` shows it as a table.

    Attributes:
        source: The source's provider.
        target: The target's provider.
        counts: Customers by action: ``create``, ``update``, ``same``, ``conflict``, ``ambiguous``, ``impossible``.
        losses: What each field loses, the most customers first.
        reasons: Why customers can't be moved, or not for certain, with how many of each.
        vanished: Customers of an earlier move that the source no longer has; they are left alone.
    """

    source: str
    target: str
    counts: Mapping[str, int]
    losses: tuple[FieldLoss, ...]
    reasons: Mapping[str, int]
    vanished: int

    @property
    def total(self) -> int:
        """How many customers the source has."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        lines = [f"{self.source} to {self.target}: {self.total} customers"]
        lines += [f"  {self.counts[action]:>7}  {_SAYS[action]}" for action in ACTIONS if self.counts[action]]
        if self.vanished:
            lines.append(f"  {self.vanished:>7}  were moved before and are gone at the source; they are left alone")
        if self.losses:
            lines += ["what does not arrive as it was"]
            lines += [f"  {loss.customers:>7}  {loss}" for loss in self.losses]
        if self.reasons:
            lines += ["why not"]
            lines += [f"  {number:>7}  {reason}" for reason, number in self.reasons.items()]
        return "\n".join(lines)
