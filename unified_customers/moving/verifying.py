"""`verify()`: reads back what was written and compares it, field by field, with what was planned.

Knows the journal and the target; sends nothing but reads. Values are in the result only, never in its `repr`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from ..client import Client
from ..errors import ConfigurationError
from ..models import Customer
from .fields import Flat, flat
from .journal import ELSEWHERE, UNKNOWN, Move, opened
from .origin import PATHS
from .reading import read_back, refuse_stranger
from .targets import gone
from .translating import differences

_WRITTEN = "state = 'done' AND present AND action IN ('create', 'update', 'same')"


@attrs.frozen(kw_only=True)
class MoveDifference:
    """A field that is not as it was planned.

    Attributes:
        source_id: The customer's id at the source.
        target_id: Its id at the target.
        field: The path; ``"id"`` where the target has no such customer any more, ``"status"`` where it is archived.
        planned: What it should be.
        found: What it is.
    """

    source_id: str
    target_id: str
    field: str
    planned: str | None = attrs.field(repr=False)
    found: str | None = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Verification:
    """What reading back found.

    Attributes:
        checked: How many customers were read back.
        equal: How many of them are as planned.
        differences: What differs, at the most `keep` of them.
        differing: How many customers differ.
        unsettled: Customers of the journal of which nobody knows yet; running again settles them.
        left: Customers that are still to be sent.
        refused: Customers that the target refused, or whose place another took.
    """

    checked: int
    equal: int
    differences: tuple[MoveDifference, ...]
    unsettled: int
    left: int
    refused: int = 0

    @property
    def differing(self) -> int:
        """How many customers differ."""
        return self.checked - self.equal

    @property
    def good(self) -> bool:
        """Whether everything that was planned is there as planned."""
        return not (self.differing or self.unsettled or self.left or self.refused)

    def __str__(self) -> str:
        lines = [f"{self.checked} read back, {self.equal} as planned, {self.differing} not"]
        lines += [f"  {one.source_id} ({one.target_id}): {one.field}" for one in self.differences]
        if self.unsettled:
            lines.append(f"{self.unsettled} unknown: run the move again to settle them")
        if self.left:
            lines.append(f"{self.left} not sent yet")
        if self.refused:
            lines.append(f"{self.refused} refused: run the move again when that is mended")
        return "\n".join(lines)


def verify(journal: str | Path, target: Client, *, keep: int = 1000) -> Verification:
    """Compare what the target has with what was planned.

    Args:
        journal: The journal of the move.
        target: A client of the account that was moved to.
        keep: How many differences to hold in memory; all are counted.

    Raises:
        ConfigurationError: It is no journal, of another target, or another process uses it.
        CustomersError: Reading failed.
    """
    with opened(journal) as held:
        refuse_stranger(held, target)
        checked = equal = missing = 0
        kept: list[MoveDifference] = []
        own = target.provider.capabilities.own
        for move, there in read_back(target, held, held.moves(_WRITTEN)):
            found = list(_differences(move, there, own))
            checked, equal, missing = checked + 1, equal + (not found), missing + (there is None)
            kept += found[: max(0, keep - len(kept))]
        if checked and missing == checked and target.provider.capabilities.archives:
            raise ConfigurationError(f"{held.path}: {ELSEWHERE}, which has none of them")
        return Verification(
            checked=checked,
            equal=equal,
            differences=tuple(kept),
            unsettled=held.count(UNKNOWN),
            left=held.count("state = 'planned'"),
            refused=held.count("state = 'refused'"),
        )


def _differences(move: Move, there: Customer | None, own: Sequence[str]) -> Iterator[MoveDifference]:
    if there is None:
        yield _difference(move, "id", move.target_id, None)
    elif gone(there):
        yield _difference(move, "status", "active", str(there.status))
    else:
        for path, (found, planned) in differences(_expected(move), flat(there, own), frozenset()).items():
            yield _difference(move, path, planned, found)


def _difference(move: Move, path: str, planned: str | None, found: str | None) -> MoveDifference:
    return MoveDifference(
        source_id=move.source_id, target_id=move.target_id or "", field=path, planned=planned, found=found
    )


def _expected(move: Move) -> Flat:
    """What the last plan wanted; where a customer came from, and its external id, only as far as they were sent."""
    unsent = {"external_id"} - move.sends.keys()
    wanted = {path: value for path, value in move.wanted.items() if path not in unsent and path not in PATHS}
    return {**wanted, **{path: value for path, value in move.sends.items() if path in PATHS}}
