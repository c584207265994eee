"""Walking by cursor: go on after a row, notice when that row is gone, and find the way back.

Knows rows and cursors; must not know whose they are.

A cursor names a row. When that row is deleted, a provider may answer 4xx (Flatpeak), nothing, or page one again
(FlexPortal's documents don't say). So the position keeps the ids handed out last, its trail: on any of these
answers the walk steps back along it (1, 2, 3, 5, … rows), and drops what it had.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .._adapter import Batch, Row, ids_of, moments_of, readable
from .._values import moment, stamp
from ..errors import DriftError, LoopError, PaginationError

TRAIL = 128
_OPAQUE_TRAIL = 320  # three pages of a hundred: opaque cursors step back a page at a time
_STEPS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 126)
_RESTARTS = 4  # a loop looks like a lost cursor, so answers with rows end the search sooner
_EMPTY = 100


@attrs.frozen(kw_only=True)
class CursorPosition:
    """Where a walk by cursor stands.

    Attributes:
        cursor: The cursor to ask with; `None` is the top of the list.
        trail: Ids handed out last, in the order of the walk.
        whole: Whether the trail goes back to the top.
        cursors: Cursors of the pages before, for a step back where cursors are not ids.
        by_id: Whether cursors are ids of rows.
        last: When the row handed out last was created.
        course: ``"down"`` or ``"up"`` in time, ``"mixed"``, or ``""`` as long as it isn't known.
        promised: Whether the page before promised more.
        midway: Whether a part of this page was handed out.
        origin: The cursor that was found lost.
        back: Steps back in a row.
        missing: Whether that is because rows that were promised did not come, and nothing more is promised.
        shown: Whether known rows have shown since, which proves where the list was met again.
        empty: Empty pages in a row.
    """

    cursor: str | None = None
    trail: tuple[str, ...] = ()
    whole: bool = True
    cursors: tuple[str, ...] = ()
    by_id: bool = True
    last: str | None = None
    course: str = ""
    promised: bool = False
    midway: bool = False
    origin: str | None = None
    back: int = 0
    missing: bool = False
    shown: bool = False
    empty: int = 0

    @property
    def mark(self) -> object:
        """What must not come again: the cursor alone, as the trail always differs."""
        return self.cursor


@attrs.frozen(kw_only=True)
class Listed:
    """One page of such a list.

    Attributes:
        rows: In the order of the walk.
        more: The provider's explicit flag, or `None` where it sent none.
        cursor: The cursor for the next page, or `None`.
    """

    rows: Sequence[Row]
    more: bool | None
    cursor: str | None
    total: int | None = None


def advance(position: CursorPosition, listed: Listed, *, timed: bool = True) -> Batch:
    """What a page adds to the walk.

    Args:
        position: Where the page was asked for.
        listed: The page.
        timed: Whether the list is in order of time, so that a row from the wrong side betrays a restart.

    Raises:
        LoopError: The provider leads back to what was read.
        DriftError: The cursor's row is gone, and so are the rows before it.
        PaginationError: The page contradicts itself.
    """
    known = frozenset(position.trail)
    rows = listed.rows
    proven = _proven(position, rows, known)
    if rows and not proven and ((timed and _from_wrong_side(position, rows, known)) or _again(position, listed, known)):
        return step_back(position, "restarted") if position.back < _RESTARTS else _creep(position, listed, known)
    if not rows and not _goes_on(position, listed):
        return _end_or_search(position, listed)
    fresh = rows if known.isdisjoint(ids_of(rows)) else [row for row in rows if row.id not in known]
    _refuse_loop(position, listed, rows, fresh)
    batch = _batch(position, listed, fresh, dropped=_sent_twice(position, rows, fresh), proven=proven)
    if proven or position.cursor is None or position.midway:
        return batch
    if position.back >= _RESTARTS:
        return batch
    return attrs.evolve(batch, fallback=lambda: step_back(position, "restarted"))


def _sent_twice(position: CursorPosition, rows: Sequence[Row], fresh: Sequence[Row]) -> int:
    """How many rows were left out, unless the walk itself asked for them again: for a page's rest, or from before."""
    return 0 if position.midway or position.back else len(rows) - len(fresh)


def _proven(position: CursorPosition, rows: Sequence[Row], known: frozenset[str]) -> bool:
    """Whether a page that was asked for from further back begins with a row that was read after that place."""
    if not position.back or not rows or rows[0].id not in known or position.cursor == position.origin:
        return False
    if not position.by_id or position.cursor not in known:
        return True
    return position.trail.index(rows[0].id) > position.trail.index(position.cursor)


def _again(position: CursorPosition, listed: Listed, known: frozenset[str]) -> bool:
    """Whether a page of nothing but known rows looks like a start from the top after the cursor's row was deleted.

    A page that holds the cursor's own row, or leads to it once more, is none: there the cursor was ignored.
    """
    if position.cursor is None or position.midway or any(row.id not in known for row in listed.rows):
        return False
    return position.cursor not in {listed.cursor, *(row.id for row in listed.rows)}


def _creep(position: CursorPosition, listed: Listed, known: frozenset[str]) -> Batch:
    """Go on from known ground, as no way back was found: what is known is dropped, and a loop shows by its length."""
    fresh = [row for row in listed.rows if row.id not in known]
    batch = _batch(position, listed, fresh, dropped=0, proven=False)
    if batch.next is None:
        return batch
    return attrs.evolve(batch, next=attrs.evolve(batch.next, back=_RESTARTS, origin=position.origin), recovered=True)


def lost(position: CursorPosition) -> Batch:
    """What to do after the provider refused the cursor."""
    return step_back(position, "cursor lost")


def step_back(position: CursorPosition, why: str) -> Batch:
    """Ask again from an earlier row.

    Raises:
        LoopError, DriftError: After a bounded number of steps.
    """
    back = position.back + 1
    if back > (_RESTARTS if why == "restarted" else len(_STEPS)):
        raise _given_up(why)
    origin = position.origin if position.back else position.cursor
    target = _earlier(position, origin, back, why)
    following = attrs.evolve(position, cursor=target, origin=origin, back=back)
    return Batch(items=(), at=lambda _: position, next=following, recovered=True, why=why)


def _earlier(position: CursorPosition, origin: str | None, back: int, why: str) -> str | None:
    """The cursor `back` steps before `origin`; `None`, the top, where the trail reaches that far."""
    path = position.trail if position.by_id else position.cursors
    steps = _STEPS[back - 1] if position.by_id else back
    at = path.index(origin) if origin in path else len(path)
    if at - steps >= 0:
        return path[at - steps]
    if not position.whole or (back > 1 and at - _step_before(position, back) < 0):
        raise _given_up(why)
    return None


def _step_before(position: CursorPosition, back: int) -> int:
    return _STEPS[back - 2] if position.by_id else back - 1


def _given_up(why: str) -> PaginationError:
    if why == "restarted":
        return LoopError("leads back to customers that were read before, also from earlier rows: nothing more is read")
    return DriftError(
        "no longer knows the place where the walk stood, nor the rows before it (they were deleted meanwhile): "
        "start again without after="
    )


def _from_wrong_side(position: CursorPosition, rows: Sequence[Row], known: frozenset[str]) -> bool:
    """Whether the page starts with a row that should have come long before: a restart from the top."""
    first, last = rows[0].moment, moment(position.last)
    if position.cursor is None or rows[0].id in known or first is None or last is None:
        return False
    return (position.course == "down" and first > last) or (position.course == "up" and first < last)


def _goes_on(position: CursorPosition, listed: Listed) -> bool:
    """Whether an empty page in mid-stream leads to another place."""
    return listed.more is not False and listed.cursor is not None and listed.cursor != position.cursor


def _end_or_search(position: CursorPosition, listed: Listed) -> Batch:
    """An empty page that leads nowhere: the end, unless more was promised."""
    if listed.more and position.cursor is None:
        raise PaginationError("sent an empty first page that promises more, and no cursor to go on with")
    nothing_yet = position.whole and not position.trail and not listed.more  # filtered pages: none to meet again
    if nothing_yet or (position.missing and position.shown and not listed.more):
        return _batch(position, listed, [], dropped=0, proven=False)
    if (position.promised or listed.more) and position.cursor is not None:
        missing = position.missing if position.back else not listed.more  # of the place that was lost, no other
        return step_back(attrs.evolve(position, missing=missing), "promised rows are missing")
    if position.back:  # the top of the list is empty now, and none of what was read is there to go on from
        raise _given_up("cursor lost")
    return _batch(position, attrs.evolve(listed, more=False), [], dropped=0, proven=False)


def _refuse_loop(position: CursorPosition, listed: Listed, rows: Sequence[Row], fresh: Sequence[Row]) -> None:
    if listed.more and listed.cursor is None:
        raise PaginationError("promises more customers but sends no cursor to go on with")
    ignored = position.cursor is not None and position.cursor in (listed.cursor, *ids_of(rows))
    if rows and not fresh and listed.more is not False and not position.midway and (ignored or not position.back):
        raise LoopError("sent a page of customers that were all read before, and promises more")
    if position.empty >= _EMPTY:
        raise PaginationError(f"sent {_EMPTY} empty pages in a row and promises more")


def _batch(position: CursorPosition, listed: Listed, fresh: Sequence[Row], *, dropped: int, proven: bool) -> Batch:
    course = "mixed" if proven and position.course and _wrong(position, fresh) else _course(position, fresh)
    more = listed.more if listed.more is not None else listed.cursor is not None
    if position.missing and proven and not fresh and listed.cursor == position.origin:
        more = False  # known rows, and behind them the place that was empty: there was nothing more
    items, behind = readable(fresh)
    after = _after(position, listed, fresh, course, proven=proven)

    def at(count: int) -> CursorPosition:
        return after if count >= len(items) else _midway(position, fresh[: behind(count)], course)

    return Batch(
        items=items,
        at=at,
        next=after if more else None,
        total=listed.total,
        dropped=dropped,
        recovered=position.back > 0,
    )


def _after(
    position: CursorPosition, listed: Listed, fresh: Sequence[Row], course: str, *, proven: bool
) -> CursorPosition:
    """The position after the whole page."""
    by_id = position.by_id and (listed.cursor is None or not listed.rows or listed.cursor == listed.rows[-1].id)
    trail, whole = _longer(position, fresh, by_id)
    last = next((at for at in reversed(moments_of(fresh)) if at is not None), None)
    cursor = listed.cursor if listed.cursor is not None else _last_cursor(position, fresh, by_id)
    return CursorPosition(
        cursor=cursor,
        trail=trail,
        whole=whole,
        cursors=position.cursors if position.back and not fresh else (*position.cursors, *_some(position.cursor))[-3:],
        by_id=by_id,
        last=position.last if last is None else stamp(last),
        course=course,
        promised=bool(listed.more),
        # the end, whose last page is asked for again; or known ground still, in smaller pages than before
        midway=(listed.cursor is None and not by_id) or (position.midway and not fresh and bool(listed.rows)),
        origin=position.origin if not fresh else None,
        back=position.back if not fresh else 0,
        missing=position.missing and not fresh,
        shown=(position.shown or proven) and not fresh,
        empty=0 if listed.rows else position.empty + 1,
    )


def _some(cursor: str | None) -> tuple[str, ...]:
    return () if cursor is None else (cursor,)


def _last_cursor(position: CursorPosition, fresh: Sequence[Row], by_id: bool) -> str | None:
    """Where a walk that ended would go on: after its last row, or, with opaque cursors, at its last page."""
    return fresh[-1].id if by_id and fresh else position.cursor


def _midway(position: CursorPosition, handed: Sequence[Row], course: str) -> CursorPosition:
    """The position inside a page: the same page again, without what was handed out."""
    trail, whole = _longer(position, handed, position.by_id, at_least=len(handed))
    return attrs.evolve(position, trail=trail, whole=whole, course=course, midway=True)


def _longer(
    position: CursorPosition, rows: Sequence[Row], by_id: bool, at_least: int = 0
) -> tuple[tuple[str, ...], bool]:
    keep = max(TRAIL if by_id else _OPAQUE_TRAIL, at_least + 1)
    trail = (*position.trail, *ids_of(rows))
    return trail[-keep:], position.whole and len(trail) <= keep


def _course(position: CursorPosition, rows: Sequence[Row]) -> str:
    """Which way time runs, learnt from the rows: an order that isn't one of time must raise no alarm."""
    course, before = position.course, None if position.back else moment(position.last)  # from further back: a jump
    times = [at for at in (before, *moments_of(rows)) if at is not None]
    up, down = times == sorted(times), times == sorted(times, reverse=True)
    if up and down:  # none, or all of one moment
        return course
    way = "up" if up else "down" if down else "mixed"
    return way if course in {"", way} else "mixed"


def _wrong(position: CursorPosition, rows: Sequence[Row]) -> bool:
    return bool(rows) and _from_wrong_side(attrs.evolve(position, cursor="x"), rows, frozenset())
