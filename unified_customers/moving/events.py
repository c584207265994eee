"""What a run tells while it goes on, and the error that it stops with.

Knows ids and counts; must not know values of customers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..errors import CustomersError

if TYPE_CHECKING:
    from .results import MoveResult


@attrs.frozen(kw_only=True)
class MoveEvent:
    """One customer that was dealt with; given to `on_event`, in one thread at a time.

    Attributes:
        kind: ``"created"``, ``"updated"``, ``"settled"`` (an earlier run had sent it already), ``"refused"``,
            ``"unknown"`` or ``"stopped"``.
        source_id: Its id at the source.
        target_id: Its id at the target, where it has one.
        done: How many customers of this run were dealt with so far.
        total: How many there are.
        reason: Why not, without values.
    """

    kind: str
    source_id: str
    target_id: str | None = None
    done: int = 0
    total: int = 0
    reason: str = ""


class MoveStoppedError(CustomersError):
    """The target refuses, or is out of reach, so that the run stopped; `__cause__` is what it answered.

    Attributes:
        result: What is done and what is not. The same journal goes on from there.
    """

    result: MoveResult | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (*super().__reduce__()[1], self.result)


def _rebuild(cls: type[MoveStoppedError], message: str, fields: dict[str, Any], result: Any) -> MoveStoppedError:
    error = cls(message, **fields)
    error.result = result
    return error
