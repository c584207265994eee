"""Walking a keyset a slice of time at a time, so that several slices can be asked for at the same time.

Knows moments and the keyset inside a slice; must not know whose they are.

Each slice, from one moment up to another, is a keyset walk of its own and as complete as one, whenever its pages are
read: rows that come or go move nothing. The slices lie side by side up to the newest row of the start; the last has no
end. How wide they are is a guess about how rows are spread, and costs requests if it is wrong, never rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from .._adapter import Batch, Position, Row
from .._values import moment, stamp
from .keyset import KeysetPosition

_ROOM = 0.8  # of a page, that a slice should fill: what varies should still fit
_IDLE = 8
_GRAINS, _FINENESS = (1_000_000, 1000), 10
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen(kw_only=True)
class SlicesPosition:
    """Where such a walk stands.

    Attributes:
        inner: The position in the slice.
        cut: ``""`` before it is known how to cut, ``"newest"`` while the newest row is asked for, then ``"slices"``.
        until: Where the slice ends, itself not in it; `None` for the last.
        width: How wide the next slices are, in microseconds.
        newest: The newest moment there was at the start, behind which no slice starts.
        fresh: Whether nothing of the slice was read.
        idle: Empty slices in a row.
        loose: Whether the slices are to be read in any order, once it is known how to cut: see `scattered`.
    """

    inner: Any
    cut: str = ""
    until: str | None = None
    width: int = 0
    newest: str | None = None
    fresh: bool = False
    idle: int = 0
    loose: bool = False

    @property
    def mark(self) -> object:
        """What must not come again."""
        return self.cut, getattr(self.inner, "mark", self.inner)


def probing(position: SlicesPosition) -> bool:
    """Whether the newest row is what is asked for."""
    return position.cut == "newest"


def after_probe(position: SlicesPosition, rows: Sequence[Row], page_size: int) -> Batch:
    """How to cut, once the newest moment is known."""
    newest = rows[0].moment if rows else None
    inner = position.inner
    following = attrs.evolve(position, cut="slices", newest=None if newest is None else stamp(newest))
    left = inner.left or 0
    start, end = moment(inner.at), newest
    if start is not None and end is not None and start < end and left > page_size:
        following = _cut(following, width_for(start, end, left, page_size))
    return Batch(items=(), at=lambda _: position, next=following, scan="keyset", recovered=True)


def width_for(start: datetime, end: datetime, left: int, page_size: int) -> int:
    """How wide a slice is that fills a page nearly, in microseconds, if `left` rows are spread evenly."""
    return max(1, int((end - start) / _MICROSECOND * page_size * _ROOM / left))


def _cut(position: SlicesPosition, width: int) -> SlicesPosition:
    """The same place, in a slice of that width from where it stands."""
    at, newest = moment(position.inner.at), moment(position.newest)
    position = attrs.evolve(position, inner=attrs.evolve(position.inner, left=None))  # counted to another end
    if at is None or newest is None:
        return attrs.evolve(position, until=None)
    until = edge(at, width)
    return attrs.evolve(position, until=None if until is None or until >= newest else stamp(until), width=width)


def edge(at: datetime, width: int) -> datetime | None:
    """Where a slice of that width ends; `None` beyond the last moment there is.

    A whole second, or millisecond, if slices are wide enough: a server whose times are shown that coarse still shows
    each row on the side of the edge that it is on.
    """
    try:
        end = at + timedelta(microseconds=width)
    except OverflowError:
        return None
    grain = next((grain for grain in _GRAINS if width >= _FINENESS * grain), 1)
    return end.replace(microsecond=end.microsecond // grain * grain)


def advance(position: SlicesPosition, batch: Batch, *, page_size: int) -> Batch:
    """What a batch of the slice adds to the walk of all."""

    def at(count: int) -> Position:
        return attrs.evolve(position, inner=batch.at(count), fresh=False)

    return attrs.evolve(batch, at=at, next=_onward(position, batch, page_size), total=_total(position, batch))


def _total(position: SlicesPosition, batch: Batch) -> int | None:
    """How many customers there were at the start: what a slice counts is its own."""
    return (
        position.inner.first if position.cut == "slices" and isinstance(position.inner, KeysetPosition) else batch.total
    )


def _onward(position: SlicesPosition, batch: Batch, page_size: int) -> SlicesPosition | None:
    if not isinstance(batch.next, KeysetPosition | None):
        return SlicesPosition(inner=batch.next, cut="slices")  # it goes on by offset, in one piece
    if position.cut == "":
        if batch.next is None:
            return None
        return SlicesPosition(inner=batch.next, cut="newest", loose=position.loose)
    if batch.next is not None:
        return _in_slice(position, batch.next, page_size)
    if position.until is None:
        return None
    return _next_slice(position, batch.at(len(batch.items)), empty=position.fresh and not batch.items)


def _in_slice(position: SlicesPosition, inner: KeysetPosition, page_size: int) -> SlicesPosition:
    """On in the same slice; one that turns out to hold many pages is cut anew from here."""
    same = attrs.evolve(position, inner=inner, fresh=False)
    left = inner.left or 0
    start, end = moment(inner.at), moment(position.until) or moment(position.newest)
    if left <= 2 * page_size or start is None or end is None or end <= start or inner.rank is not None:
        return same
    return _cut(same, width_for(start, end, left, page_size))


def _next_slice(position: SlicesPosition, inner: KeysetPosition, *, empty: bool) -> SlicesPosition:
    """The slice behind; after several empty ones all the rest, whose first page shows where rows go on."""
    start = attrs.evolve(
        inner, at=position.until, ids=(), run=(), rank=None, left=None, ordered=False, doubts=0, back=0
    )
    idle = position.idle + 1 if empty else 0
    behind = attrs.evolve(position, inner=start, fresh=True, idle=idle)
    return attrs.evolve(behind, until=None, idle=0) if idle >= _IDLE else _cut(behind, position.width)


def foreseen(position: SlicesPosition, count: int) -> list[SlicesPosition]:
    """The slices that follow, if none of them needs more than a page."""
    if position.cut != "slices" or position.until is None or not isinstance(position.inner, KeysetPosition):
        return []
    found: list[SlicesPosition] = []
    for _ in range(count):
        position = _next_slice(position, position.inner, empty=False)
        found.append(position)
        if position.until is None:
            break
    return found


def bounded(position: Any, rows: Sequence[Row], total: int | None) -> tuple[Sequence[Row], int | None]:
    """Rows of the slice, and how many it has: a server that does not know its end sends those behind it as well."""
    until = moment(position.until)
    if until is None or not rows or rows[-1].moment is None or rows[-1].moment < until:
        return rows, total
    inside = [row for row in rows if row.moment is not None and row.moment < until]
    return inside, len(inside)
