"""Walking a long list of wanted values a few at a time, because an address has only so much room.

Knows values and the walk over each few of them; must not know what the values are.
"""

from __future__ import annotations

from typing import Any

import attrs

from .._adapter import Batch, Position


@attrs.frozen(kw_only=True)
class ChunkPosition:
    """Where such a walk stands.

    Attributes:
        index: Which few values are read.
        inner: The position in the walk over them.
    """

    index: int = 0
    inner: Any


def few(values: tuple[str, ...], index: int, size: int) -> tuple[str, ...]:
    """The values of one chunk."""
    return values[index * size : (index + 1) * size]


def advance(position: ChunkPosition, batch: Batch, *, following: Position | None) -> Batch:
    """What a batch of the inner walk adds; `following` starts the next chunk, or is `None` after the last."""
    back = batch.fallback
    if back is not None:
        batch = attrs.evolve(batch, fallback=lambda: advance(position, back(), following=following))

    def at(count: int) -> ChunkPosition:
        return attrs.evolve(position, inner=batch.at(count))

    onward: ChunkPosition | None = None
    if batch.next is not None:
        onward = attrs.evolve(position, inner=batch.next)
    elif following is not None:
        onward = ChunkPosition(index=position.index + 1, inner=following)
    fresh_chunk = batch.next is None and onward is not None
    return attrs.evolve(
        batch,
        at=lambda count: onward if fresh_chunk and count >= len(batch.items) and onward is not None else at(count),
        next=onward,
        total=None,
        recovered=batch.recovered or fresh_chunk,
    )
