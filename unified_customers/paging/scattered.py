"""Walking slices of time in any order: several are begun, and each goes on when its answer comes.

Knows moments and the keyset inside a slice; must not know whose they are, nor what is asked for when.

The slices lie side by side, oldest first, and cover all that was not read: no customer is in two of them, and each is
a keyset walk of its own, as complete as one. So in which order their answers are read changes nothing about which
customers come. What is counted (how many came, how many there were) is counted for all slices together, and the count
at the end is compared once all were read. The last slice has no end. If it was read before the others it is kept, so
that a walk that goes on from the end finds what was created later.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs

from .._adapter import Batch, Position
from .._values import moment, stamp
from . import slices
from .keyset import MOST_IDS, KeysetPosition
from .slices import SlicesPosition

_MOST_OPEN = 64  # each takes its place in a checkpoint
_SPARSE = 4  # a slice with less than this part of a page was cut too narrow


@attrs.frozen(kw_only=True)
class Slice:
    """A stretch of time, walked by a keyset of its own.

    Attributes:
        inner: Where that walk stands; what is counted for all slices is not in it.
        until: Where the slice ends, itself not in it; `None` for the last.
        width: How wide the pieces are, in microseconds, that it is to be cut into; 0 if it was begun as it is.
    """

    inner: Any = attrs.field(validator=attrs.validators.instance_of(KeysetPosition))
    until: str | None = None
    width: int = 0


@attrs.frozen(kw_only=True)
class ScatteredPosition:
    """Where such a walk stands.

    Attributes:
        slices: What was not read to its end, oldest first.
        turn: Which of them is asked.
        newest: The newest moment there was at the start, behind which no slice starts.
        seen: How many customers were handed out.
        first: How many there were at the start, where the server counted.
        fine: Whether a moment finer than a millisecond was seen.
        tail: Whether the last slice was read as well, and is kept for what is created later.
    """

    slices: tuple[Any, ...] = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.deep_iterable(attrs.validators.instance_of(Slice))]
    )
    turn: int = 0
    newest: str | None = None
    seen: int = 0
    first: int | None = None
    fine: bool = False
    tail: bool = False

    @property
    def slice(self) -> Slice:
        """The slice whose turn it is."""
        found: Slice = self.slices[self.turn]
        return found

    @property
    def until(self) -> str | None:
        """Where it ends."""
        return self.slice.until

    @property
    def inner(self) -> KeysetPosition:
        """Where its walk stands, as if it were all of the walk."""
        found: KeysetPosition = attrs.evolve(self.slice.inner, seen=self.seen, first=self.first, fine=self.fine)
        return found


def scattered(position: SlicesPosition) -> Position:
    """The same place, for a walk in any order; as it is where nothing was cut yet, or can be."""
    inner = position.inner
    if position.cut != "slices" or not isinstance(inner, KeysetPosition):
        return attrs.evolve(position, loose=True)
    found = [Slice(inner=_own(inner), until=position.until)]
    if position.until is not None:
        found.append(Slice(inner=KeysetPosition(at=position.until), width=position.width))
    return ScatteredPosition(
        slices=tuple(found), newest=position.newest, seen=inner.seen, first=inner.first, fine=inner.fine
    )


def _own(inner: KeysetPosition) -> KeysetPosition:
    """A slice's position without what is counted for all of them."""
    return attrs.evolve(inner, seen=0, first=None, fine=False)


# What can be asked


def places(position: ScatteredPosition, count: int) -> list[ScatteredPosition]:
    """The same place, with the turn of each slice that can be asked now: up to `count`, the oldest first.

    As long as the ids that a checkpoint has to name are too many, the slice that has most of them goes first, alone.
    """
    cut = _opened(position, min(count, _MOST_OPEN))
    turns = _begun(cut)[:count]
    if sum(map(_ids, cut.slices)) > MOST_IDS:
        turns = [max(turns, key=lambda turn: _ids(cut.slices[turn]))]
    return [attrs.evolve(cut, turn=turn) for turn in turns]


def _begun(position: ScatteredPosition) -> list[int]:
    """Which slices are read as they are, and not to their ends yet."""
    last = len(position.slices) - position.tail
    return [n for n, one in enumerate(position.slices) if not one.width and n < max(1, last)]


def _ids(one: Slice) -> int:
    return len(one.inner.ids) + len(one.inner.run)


def _opened(position: ScatteredPosition, count: int) -> ScatteredPosition:
    """So many slices begun, as far as there is something to begin."""
    room = count - len(_begun(position))
    found: list[Slice] = []
    for one in position.slices:
        rest: Slice | None = one
        while rest is not None and rest.width and room > 0:
            front, rest = _cut(rest, position.newest)
            found.append(front)
            room -= 1
        found.extend(() if rest is None else (rest,))
    return attrs.evolve(position, slices=tuple(found))


def _cut(one: Slice, newest: str | None) -> tuple[Slice, Slice | None]:
    """A piece of its width off the front of a slice, and the rest of it, if any."""
    inner = attrs.evolve(one.inner, left=None)  # counted to another end
    at, end = moment(inner.at), moment(one.until) or moment(newest)
    edge = None if at is None else slices.edge(at, one.width)
    if edge is None or end is None or edge >= end:
        return attrs.evolve(one, inner=inner, width=0), None
    until = stamp(edge)
    return Slice(inner=inner, until=until), Slice(inner=KeysetPosition(at=until), until=one.until, width=one.width)


def others(position: ScatteredPosition, count: int) -> list[ScatteredPosition]:
    """Up to `count` places that a walk which reads one slice after another will come to."""
    return [attrs.evolve(position, turn=turn) for turn in _begun(position) if turn != position.turn][:count]


# What an answer adds


def advance(position: ScatteredPosition, batch: Batch, *, page_size: int) -> Batch:
    """What a batch of the slice whose turn it is adds to the walk of all.

    Args:
        position: Where the page was asked for.
        batch: What it adds to a walk that stands at `position.inner`, with a keyset as its next place, if any.
        page_size: How many customers a page brings.
    """
    following = _onward(position, batch, page_size)

    def at(count: int) -> ScatteredPosition:
        after = _moved(position, batch.at(count))
        if following is None and count >= len(batch.items):  # all were read: only the last slice can bring more
            return attrs.evolve(after, slices=after.slices[-1:], tail=False)
        return after

    return attrs.evolve(batch, at=at, next=following, total=position.first)


def _moved(position: ScatteredPosition, inner: KeysetPosition) -> ScatteredPosition:
    """The walk of all, after the slice whose turn it was came to `inner`."""
    moved = list(position.slices)
    moved[position.turn] = attrs.evolve(position.slice, inner=_own(inner))
    return attrs.evolve(
        position, slices=tuple(moved), turn=0, seen=inner.seen, first=inner.first, fine=position.fine or inner.fine
    )


def _onward(position: ScatteredPosition, batch: Batch, page_size: int) -> ScatteredPosition | None:
    if batch.next is not None:
        return _in_slice(_moved(position, batch.next), position.turn, page_size)
    after = _moved(position, batch.at(len(batch.items)))
    if position.slice.inner.audit:
        return None
    if position.turn < len(position.slices) - 1:
        sparse = not _ids(position.slice) and _SPARSE * len(batch.items) <= page_size
        after = _without(after, position.turn, sparse=sparse)
        return _ended(after) if after.tail and len(after.slices) == 1 else after
    after = attrs.evolve(after, tail=len(after.slices) > 1)
    return after if after.tail else _ended(after)


def _in_slice(after: ScatteredPosition, turn: int, page_size: int) -> ScatteredPosition:
    """On in the same slice; one that turns out to hold many pages is cut anew from here."""
    one = after.slices[turn]
    left, inner = one.inner.left or 0, one.inner
    start, end = moment(inner.at), moment(one.until) or moment(after.newest)
    if left <= 2 * page_size or start is None or end is None or end <= start or inner.rank is not None or one.width:
        return after
    wide = attrs.evolve(one, width=slices.width_for(start, end, left, page_size))
    pieces = [piece for piece in _cut(wide, after.newest) if piece is not None]
    return attrs.evolve(after, slices=(*after.slices[:turn], *pieces, *after.slices[turn + 1 :]))


def _without(after: ScatteredPosition, turn: int, *, sparse: bool) -> ScatteredPosition:
    """All but a slice that was read; behind one with few customers the next are cut wider."""
    behind = list(after.slices[turn + 1 :])
    wide = next((n for n, one in enumerate(behind) if one.width), None)
    if sparse and wide is not None:
        behind[wide] = attrs.evolve(behind[wide], width=2 * behind[wide].width)
    return attrs.evolve(after, slices=(*after.slices[:turn], *behind))


def _ended(after: ScatteredPosition) -> ScatteredPosition | None:
    """After the last slice: where fewer customers came than there were, its end is read again, and all are counted."""
    if after.first is None or after.seen >= after.first:
        return None
    if after.tail:
        return attrs.evolve(after, tail=False)
    last = after.slices[-1]
    return attrs.evolve(after, slices=(attrs.evolve(last, inner=attrs.evolve(last.inner, audit=True)),))


def undivided(position: ScatteredPosition) -> KeysetPosition | None:
    """Where a walk in one piece would stand: `None` if something was read behind the first gap."""
    found: Sequence[Slice] = position.slices
    side_by_side = all(one.until == behind.inner.at for one, behind in pairwise(found))
    if position.tail or not side_by_side or any(map(_ids, found[1:])):
        return None
    return attrs.evolve(position, turn=0).inner
